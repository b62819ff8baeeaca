"""`ddbmig narrate`: the reports' explanations as prose for an audience, by a language model if one is asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ddbmig.model.analysis import Analysis
from ddbmig.model.assessment import Assessment
from ddbmig.model.base import Document
from ddbmig.model.context import Audience
from ddbmig.model.design import Design
from ddbmig.model.errors import UsageError
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.narrative.facts import Facts
from ddbmig.narrative.page import Prose, narrative_page
from ddbmig.narrative.prompt import input_hash, request
from ddbmig.narrative.pseudonyms import NO_PSEUDONYMS, Pseudonyms, pseudonyms_of
from ddbmig.narrative.sections import Saved, Section, sections
from ddbmig.project import Project, write_file
from ddbmig.workflow import STAGES, to_analyze

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


def write_templates(project: Project, audience: Audience) -> Path:
    """Write the page in our own words; nobody is asked. Raises UsageError where there is no design yet."""
    path = page_file(project, audience)
    proses = [Prose(section) for section in sections(read_saved(project), audience)]
    write_file(path, narrative_page(audience, proses).encode())
    return path
