"""`ddbmig narrate`: the reports' explanations as prose for an audience, by a language model if one is asked.

Reads the saved values and writes one page and what a model has answered; no value, report or approval changes.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ddbmig.model.analysis import Analysis
from ddbmig.model.assessment import Assessment
from ddbmig.model.base import Document, canonical_json
from ddbmig.model.context import Audience, Narrative
from ddbmig.model.design import Design
from ddbmig.model.errors import UsageError
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.narrative.budget import Budget, budget_of, tokens_at_most
from ddbmig.narrative.client import Asking, Client, open_client
from ddbmig.narrative.facts import Facts
from ddbmig.narrative.page import Prose, narrative_page
from ddbmig.narrative.prompt import input_hash, request
from ddbmig.narrative.prose import Kept, Outcome, ask, replayed
from ddbmig.narrative.pseudonyms import NO_PSEUDONYMS, Pseudonyms, pseudonyms_of
from ddbmig.narrative.sections import Saved, Section, sections
from ddbmig.project import Project, write_file
from ddbmig.workflow import STAGES, to_analyze

KEPT = "narrative"
"""Folder, beside the values, of the answers by the hash of what was sent."""
Value = TypeVar("Value", bound=Document)


@dataclass(frozen=True)
class Asked:
    """One section and what would be asked for it."""

    section: Section
    facts: Facts
    """As they are sent: under pseudonyms where these are wanted."""
    body: dict[str, Any]
    pseudonyms: Pseudonyms = NO_PSEUDONYMS

    @property
    def hash(self) -> str:
        """Of everything that is sent."""
        return input_hash(self.body)


@dataclass(frozen=True)
class Written:
    """A page that was written, and what became of its sections."""

    path: Path
    proses: tuple[Prose, ...]
    budget: Budget | None = None

    @property
    def by_model(self) -> int:
        """Sections that a model wrote."""
        return sum(bool(one.answer) for one in self.proses)


def asked(project: Project, audience: Audience, pseudonyms: bool) -> tuple[Asked, ...]:
    """What a model would be asked, section by section. Raises UsageError where there is no design yet."""
    saved, told = read_saved(project), project.config.narrative
    hiding = pseudonyms_of(saved.snapshot, saved.design) if pseudonyms else NO_PSEUDONYMS
    found = []
    for section in sections(saved, audience):
        facts = hiding.hide(section.facts)
        body = request(facts, audience, told.model, told.max_output_tokens)
        found.append(Asked(section, facts, body, hiding))
    return tuple(found)


def read_saved(project: Project) -> Saved:
    """The saved values; those of stage 4 and 5 where there are any. Raises UsageError without a design."""
    snapshot, assessment = _value(project, 1, Snapshot), _value(project, 2, Assessment)
    design = _value(project, 3, Design)
    if snapshot is None or assessment is None or design is None:
        raise UsageError("there is no saved design to write about", file=str(project.out),
                         hint=f"first: {to_analyze(project)}")  # fmt: skip
    return Saved(snapshot, assessment, design, _value(project, 4, Validation), _value(project, 5, Analysis))


def _value(project: Project, number: int, document: type[Value]) -> Value | None:
    path = project.out / STAGES[number - 1].value
    return document.from_file(path) if path.is_file() else None


def page_file(project: Project, audience: Audience) -> Path:
    """Where the page of an audience is kept: beside the stages' reports."""
    return project.out / f"Narrative.{audience}.md"


def write_templates(project: Project, audience: Audience) -> Written:
    """Write the page in our own words; nobody is asked. Raises UsageError where there is no design yet."""
    return _write(project, audience, [Prose(section) for section in sections(read_saved(project), audience)])


def _write(project: Project, audience: Audience, proses: list[Prose], budget: Budget | None = None) -> Written:
    path = page_file(project, audience)
    write_file(path, narrative_page(audience, proses).encode())
    return Written(path, tuple(proses), budget)


# --- a model ---


def write_by_model(project: Project, audience: Audience, pseudonyms: bool, asking: Asking) -> Written:
    """Write the page by a model: kept answers first, then calls within the budget, our own words where there is none.

    Raises UsageError – with nothing written – where there is no design, key, package or price, or where the server
    says that no request of ours can succeed.
    """
    told, questions = project.config.narrative, asked(project, audience, pseudonyms)
    budget = budget_of(told)
    kept = {one.hash: _kept(project, one.hash) for one in questions}
    missing = [one for one in questions if kept[one.hash] is None]
    client = _client(told, budget, missing, asking) if missing and asking.may_ask else None
    try:
        proses = [_prose(project, one, kept[one.hash], client, asking) for one in questions]
    finally:
        if client is not None:
            client.close()
    return _write(project, audience, proses, budget=budget)


def _prose(project: Project, one: Asked, known: Kept | None, client: Client | None, asking: Asking) -> Prose:
    model = one.body["model"]
    if known is not None:
        outcome = replayed(known, one.facts)
    elif client is None:
        outcome = Outcome(why="it is not asked in CI unless the command says --narrative anthropic")
    else:
        asking.progress(f"{one.facts.section}: asking {model}")
        outcome = ask(client, one.facts, one.body)
        _keep(project, one, model, outcome)
    return Prose(one.section, model, one.hash, one.pseudonyms.put_back(outcome.answer), outcome.why)


def _client(told: Narrative, budget: Budget, missing: list[Asked], asking: Asking) -> Client:
    client = open_client(budget, told.seconds, asking)
    tokens = sum(tokens_at_most(one.body) for one in missing)
    most = len(missing) * told.max_output_tokens
    asking.tell(f"{len(missing)} sections to ask {told.model} for: at most {tokens:,} tokens in and {most:,} out, "
                f"${budget.price.usd(tokens, most):.2f}, if none is asked for twice; the budget is "
                f"${budget.usd:.2f} and {budget.tokens:,} tokens")  # fmt: skip
    return client


def _kept_file(project: Project, key: str) -> Path:
    return project.out / KEPT / f"{key}.json"


def _kept(project: Project, key: str) -> Kept | None:
    """The answer that is kept for a question; None where there is none, or none that can be understood."""
    try:
        found = Kept.model_validate(json.loads(_kept_file(project, key).read_bytes()))
    except (OSError, ValueError):
        return None
    return found if found.input == key else None


def _keep(project: Project, one: Asked, model: str, outcome: Outcome) -> None:
    if outcome.keep:
        kept = Kept(input=one.hash, model=model, answer=outcome.answer, why=outcome.why)
        write_file(_kept_file(project, one.hash), canonical_json(kept.model_dump(mode="json")))
