"""The six stages of the guide, what each needs and writes, and the gate between them.

A stage runs when the one before it is approved. An approval names the SHA-256 of the stage's decision content; when the
stage is run again, it stands where that content is the same. A stage whose recorded inputs are unchanged is not run
again: its value is read back.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, cast, get_args

from ddbmig import __version__
from ddbmig.analyzers.snapshot import Sources, build_snapshot, check_understood
from ddbmig.engine.assess import assess_workload
from ddbmig.engine.choice import propose
from ddbmig.engine.contract import contract_of, satisfied
from ddbmig.engine.costs import load_of, plans_usd
from ddbmig.engine.ownership import analyse
from ddbmig.engine.review import review, validation_facts
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import find
from ddbmig.engine.stage_diff import stage_changes
from ddbmig.ledger import Approval, approved, as_approved, keep_as_approved, record_approval, record_reopening
from ddbmig.model.analysis import Analysis
from ddbmig.model.assessment import Assessment, Option, Phase
from ddbmig.model.base import Document, canonical_json, sha256
from ddbmig.model.change import Change
from ddbmig.model.contract import Contract
from ddbmig.model.design import Design
from ddbmig.model.errors import InputError, UsageError, VersionError, WaitingForApproval
from ddbmig.model.prices import Prices
from ddbmig.model.progress import Progress, silent
from ddbmig.model.schema import Schema
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.narrative.client import Asking
from ddbmig.project import (
    DEFAULT,
    Decisions,
    Flag,
    Project,
    check_writable,
    file_sha,
    price_file,
    read_prices,
    rules_in_force,
    write_file,
)
from ddbmig.reporters.contract_file import contract_bytes
from ddbmig.reporters.plans_file import plans_bytes
from ddbmig.reporters.stage1 import stage1
from ddbmig.reporters.stage2 import stage2
from ddbmig.reporters.stage3 import stage3
from ddbmig.reporters.stage4 import stage4
from ddbmig.reporters.stage5 import stage5
from ddbmig.resolving import RECORD, Resolved, options, record_file, resolve, told
from ddbmig.resolving import changes as choice_changes

if TYPE_CHECKING:
    from ddbmig.validators.engines import Choice
    from ddbmig.validators.sql_side import SqlSide

STATE = "state.json"
MODEL = "model"
"""What `ddbmig choose RELATIONSHIP` takes for: a language model is to decide."""
MOST_SHOWN = 5
"""Access patterns that a summary names; the rest is counted."""

Show = Callable[[int, str, list[str]], None]
"""Shows (stage, title, summary lines)."""
Ask = Callable[[int], bool]
"""Whether the user approves the stage just shown."""


@dataclass(frozen=True)
class Stage:
    """One stage: its number, title, the file for people and the file of its value."""

    number: int
    title: str
    report: str
    value: str
    document: type[Document] | None
    beside: tuple[str, ...] = ()
    """Further files that the stage writes."""


STAGES = (
    Stage(1, "MySQL analysis and context", "Stage1_MySQLAnalysis.md", "snapshot.json", Snapshot),
    Stage(2, "Access patterns", "Stage2_AccessPatterns.md", "assessment.json", Assessment),
    Stage(3, "Data model", "Stage3_DataModel.md", "design.json", Design, ("plans.json",)),
    Stage(4, "Validation", "Stage4_Validation.md", "validation.json", Validation),
    Stage(5, "Results", "Stage5_MigrationAnalysis.md", "analysis.json", Analysis),
    Stage(6, "Migration contract", "migrationContract.json", "migrationContract.json", None),
)


@dataclass(frozen=True)
class Engines:
    """Which DynamoDB stage 4 runs on."""

    choice: "Choice" = "auto"
    endpoint: str | None = None
    allow_remote: bool = False
    sql_server: str | None = None
    """The MySQL or MariaDB that runs the SQL, in scratch schemas; None for the embedded SQLite."""

    def check(self) -> None:
        """Raise UsageError where these options contradict each other or name a place that is not allowed."""
        from ddbmig.analyzers.live import parse_url
        from ddbmig.validators.engines import is_loopback, settled

        settled(self.choice, self.endpoint, self.allow_remote)
        if self.sql_server is not None:
            host = parse_url(self.sql_server).host
            if not is_loopback(host) and not self.allow_remote:
                hint = "add --yes-this-is-not-local if schemas may be created and filled there"
                raise UsageError("this SQL server is not on this machine", subject=host, hint=hint)


@dataclass
class Run:
    """One walk through the stages."""

    project: Project
    sources: Sources
    engines: Engines = field(default_factory=Engines)
    approve: int = 0
    """Stages up to this one are approved beforehand."""
    ask: Ask | None = None
    """Asks on a terminal; None in a script."""
    show: Show = lambda *_: None
    progress: Progress = silent
    values: dict[int, Any] = field(default_factory=dict)
    no_model: bool = False
    """A choice that is handed to a model must be recorded: nobody is asked."""
    resolved: tuple[Resolved, ...] = ()
    """What became of the choices that are handed to a model, where stage 3 was made."""

    # --- the walk ---

    def walk(self) -> None:
        """Run, write and gate the stages in order. Raises WaitingForApproval at the first unapproved one.

        What can be wrong in options and configuration is looked at before the first stage: no mistake costs a wait.
        """
        self._prepare()
        self.prices: Prices = read_prices(self.project)
        self.project.decisions()
        for stage in STAGES:
            self._run_stage(stage)
            by_model = told(self.project, self.project.decisions().flagged) if stage.number == 3 else []
            self.show(stage.number, stage.title, [*_SUMMARIES[stage.number](self.values), *by_model])
            self._gate(stage)

    def validate(self, alternative: str | None = None) -> Validation:
        """Run stage 4 alone on the saved design, approved or not: of its chosen alternative, or of another one.

        What is found of the chosen one is kept as stage 4, that of another in files of its name. Raises UsageError
        where there is no saved design, or no such alternative in it.
        """
        self._prepare()
        for stage in STAGES[:3]:
            self.values[stage.number] = self._saved(stage)
        design, stage = self.values[3], STAGES[3]
        if alternative is not None:
            _known(alternative, [one.id for one in design.alternatives], "alternative")
        if alternative in (None, design.chosen):
            self._make(stage, self.needs(stage))
        else:
            value = self.values[4] = self._validation(alternative)
            page = stage4(self.values[1], design, value)
            for name, data in ((stage.value, value.to_bytes()), (stage.report, page.encode())):
                write_file(self.project.out / other_name(name, alternative), data)
        self.show(stage.number, stage.title, _SUMMARIES[4](self.values))
        return cast(Validation, self.values[4])

    def _prepare(self) -> None:
        self.rulebook: Rulebook = rules_in_force(self.project)
        check_writable(self.project.out)
        self.engines.check()

    def _saved(self, stage: Stage) -> Document:
        file = self.project.out / stage.value
        if stage.document is None or not file.is_file():
            raise UsageError("there is no saved design", file=str(self.project.out),
                             hint=f"first: {to_analyze(self.project)}")  # fmt: skip
        return stage.document.from_file(file)

    def _run_stage(self, stage: Stage) -> None:
        needs = self.needs(stage)
        value = self._read_back(stage, needs, read_state(self.project.out).get(str(stage.number), {}))
        if value is not None:
            self.values[stage.number] = value
            self.progress(f"stage {stage.number} is up to date")
        else:
            self._make(stage, needs)
        if stage.number == 1:
            check_understood(self.values[1], self.project.config.tolerance.statements_not_understood)

    def _make(self, stage: Stage, needs: Mapping[str, str]) -> None:
        """Run a stage, write its files, and note what it was made from."""
        self.progress(f"stage {stage.number}: {stage.title}")
        files: Mapping[str, bytes] = getattr(self, f"_stage{stage.number}")()
        for name, data in files.items():
            write_file(self.project.out / name, data)
        self.project.keep_key(self.sources.hash_key)
        entry = {"needs": {**needs, **self._answered(stage)}, "decision": self.decision(stage)}
        state = read_state(self.project.out)
        write_file(self.project.out / STATE, canonical_json({**state, str(stage.number): entry}))

    def _answered(self, stage: Stage) -> dict[str, str]:
        """What a stage has asked a model while it was made; where an answer is missing, it is asked for next time."""
        if stage.number != 3 or not self.resolved:
            return {}
        whole = all(one.input for one in self.resolved)
        return {RECORD: file_sha(record_file(self.project)) if whole else "unanswered"}

    def _read_back(self, stage: Stage, needs: Mapping[str, str], known: Mapping[str, Any]) -> Document | None:
        """The value as last written; None where it was made from something else, or one of its files is not as it was.

        A running server may have changed without a trace: what was read from one is not read back.
        """
        names = (stage.value, stage.report, *stage.beside)
        if stage.document is None or known.get("needs") != needs or (stage.number == 1 and self.sources.rows):
            return None
        if not all((self.project.out / name).is_file() for name in names):
            return None
        try:
            value = stage.document.from_file(self.project.out / stage.value)
        except VersionError as error:
            raise replace(error, hint="remove this file, then analyze again") from error
        except InputError:  # damaged: it is made anew
            return None
        return value if value.decision_hash() == known.get("decision") else None

    def needs(self, stage: Stage) -> dict[str, str]:
        """What the stage is made from, by name: hashes of files, of configuration and of the stages it reads."""
        found = outside(self.project, self.sources, self.rulebook, stage.number)
        if stage.number == 1 and self.sources.connection is not None:
            found["server"] = sha256(self.sources.connection.model_dump_json().encode())
        found |= {f"stage {number}": sha256(self.values[number].to_bytes()) for number in _BUILDS_ON[stage.number]}
        if stage.number == 4:
            names = (self.engines.choice, self.engines.endpoint, self.engines.sql_server)
            found["engine"] = " ".join(filter(None, names))
        return found

    def decision(self, stage: Stage) -> str:
        """SHA-256 of the decision content of a stage that has been run."""
        value = self.values[stage.number]
        return value.decision_hash() if isinstance(value, Document) else sha256(contract_bytes(value))

    # --- the gate ---

    def _gate(self, stage: Stage) -> None:
        decision = self.decision(stage)
        if approved(self.project, stage.number) == decision:
            keep_as_approved(self.project, stage.value)
            return
        if stage.number <= self.approve:
            self._approve(stage, decision, "--approve")
            return
        if self.ask is not None and self.ask(stage.number):
            self._approve(stage, decision, "prompt")
            return
        raise WaitingForApproval(
            f"stage {stage.number} ({stage.title}) waits for your approval",
            file=str(self.project.out / stage.report),
            hint=f"read it, then: {to_approve(self.project, stage)}",
        )

    def _approve(self, stage: Stage, decision: str, by: str) -> None:
        record_approval(self.project, Approval(stage=stage.number, decision=decision, by=by), stage.value)

    # --- the stages ---

    def _stage1(self) -> dict[str, bytes]:
        snapshot = build_snapshot(self.sources, self.project.config, self.progress)
        self.values[1] = snapshot
        return {"snapshot.json": snapshot.to_bytes(), STAGES[0].report: stage1(snapshot).encode()}

    def _stage2(self) -> dict[str, bytes]:
        assessment = assess_workload(self.values[1], self.rulebook)
        self.values[2] = assessment
        report = stage2(self.values[1], assessment)
        return {"assessment.json": assessment.to_bytes(), STAGES[1].report: report.encode()}

    def _stage3(self) -> dict[str, bytes]:
        snapshot, assessment = self.values[1], self.values[2]
        decided = self.project.decisions()
        _check_choices(assessment, decided)

        def proposed(choices: Mapping[str, str], wanted: str) -> Design:
            return propose(
                snapshot,
                assessment,
                self.prices,
                lambda alternative: review(snapshot, assessment, alternative, self.rulebook),
                choices,
                None if wanted == DEFAULT else wanted,
                self.progress,
            )

        design = proposed(decided.taken, DEFAULT if decided.flagged else decided.design)
        if decided.flagged:
            asking = Asking(not self.no_model, self.progress)
            self.resolved = resolve(self.project, (snapshot, assessment, design), decided.flagged, asking)
            design = proposed({**decided.taken, **options(self.resolved)}, decided.design)
        self.values[3] = design
        report = stage3(snapshot, assessment, design)
        usd = plans_usd(design.alternative(design.chosen).plans, load_of(assessment.patterns), design.prices)
        return {
            "design.json": design.to_bytes(),
            "plans.json": plans_bytes(snapshot, assessment, design, usd),
            STAGES[2].report: report.encode(),
        }

    def _stage4(self) -> dict[str, bytes]:
        snapshot, design = self.values[1], self.values[3]
        validation = self.values[4] = self._validation(design.chosen)
        report = stage4(snapshot, design, validation)
        return {"validation.json": validation.to_bytes(), STAGES[3].report: report.encode()}

    def _validation(self, alternative: str) -> Validation:
        """An alternative of the design on a running DynamoDB, with what the rules find of it."""
        from ddbmig.validators.engines import open_engine
        from ddbmig.validators.validate import read_data, validate

        snapshot, design = self.values[1], self.values[3]
        rows = self.sources.data_rows(snapshot.tables) or ()
        with ExitStack() as stack:
            self.progress("reading the data")
            data = read_data(snapshot, rows, stack.enter_context(closing(self._sql_side())))
            self.progress("starting DynamoDB")
            engine = stack.enter_context(
                open_engine(
                    self.engines.choice,
                    endpoint=self.engines.endpoint,
                    allow_remote=self.engines.allow_remote,
                )
            )
            self.progress(f"validating on {engine.name}")
            validation = validate(snapshot, design.alternative(alternative), engine, data, self.progress)
        found = find(self.rulebook, "validation", alternative, validation_facts(validation))
        return validation.model_copy(update={"findings": found})

    def _sql_side(self) -> "SqlSide":
        """Where the SQL runs."""
        from ddbmig.analyzers.live import open_connection
        from ddbmig.validators.server_rows import ServerRows
        from ddbmig.validators.source import SourceRows

        url = self.engines.sql_server
        schema: Schema = self.values[1].tables
        return SourceRows(schema) if url is None else ServerRows(schema, lambda: open_connection(url))

    def _stage5(self) -> dict[str, bytes]:
        snapshot, assessment, design, validation = (self.values[n] for n in (1, 2, 3, 4))
        analysis = analyse(
            snapshot,
            assessment,
            design,
            validation,
            lambda facts: find(self.rulebook, "validation", design.chosen, facts),
        )
        self.values[5] = analysis
        report = stage5(snapshot, assessment, design, validation, analysis)
        return {"analysis.json": analysis.to_bytes(), STAGES[4].report: report.encode()}

    def _stage6(self) -> dict[str, bytes]:
        snapshot, design, validation = self.values[1], self.values[3], self.values[4]
        contract = contract_of(design.alternative(design.chosen), satisfied(snapshot.patterns, validation))
        self.values[6] = contract
        return {STAGES[5].report: contract_bytes(contract)}


def _check_choices(assessment: Assessment, decided: Decisions) -> None:
    """Raise UsageError for a choice about a relationship that is gone, or an option that there is not."""
    known = {a.relationship.id for a in assessment.relationships}
    for key in sorted(decided.choices):
        if key not in known:
            raise UsageError("decisions.yaml chooses for a relationship that there is not", subject=key,
                             hint="remove the entry")  # fmt: skip
        option = decided.taken.get(key, "separate")
        if option not in ("separate", "denormalize", "embed", "collocate"):
            raise UsageError(f"decisions.yaml chooses {option}", subject=key,
                             expected="separate, denormalize, embed or collocate")  # fmt: skip


def other_name(name: str, alternative: str) -> str:
    """The name of a file of stage 4 for an alternative that is not the chosen one: `validation.cheapest.json`."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{alternative}.{ending}"


def disproved(validation: Validation) -> bool:
    """Whether a plan answers otherwise than its SQL, or leaves other data."""
    differing = any(result.status == "mismatched" for result in validation.patterns)
    return differing or any(result.missing or result.unexpected for result in validation.state)


# --- files, approvals and state ---


def input_files(sources: Sources) -> dict[str, Path]:
    """All input files by role and name; a second file of the same name is told apart by a number."""
    found: dict[str, Path] = {}
    roles = (("schema", sources.schema_files), ("slow log", sources.slow_logs),
             ("general log", sources.general_logs), ("data", sources.data),
             ("snapshot", sources.snapshots))  # fmt: skip
    for role, files in roles:
        for number, (path, name) in enumerate(files, 1):
            key = f"{role} {name}"
            found[key if key not in found else f"{key} ({number})"] = path
    return found


_BUILDS_ON: Mapping[int, tuple[int, ...]] = {1: (), 2: (1,), 3: (1, 2), 4: (1, 3), 5: (1, 2, 3, 4), 6: (1, 3, 4)}
"""The stages whose values a stage reads."""
_READS: Mapping[int, tuple[Phase, ...]] = {
    2: ("relationship", "table", "pattern"), 3: ("alternative", "index"), 4: ("validation",), 5: ("validation",),
}  # fmt: skip
"""Which rules a stage reads: those of other phases may change without making it stale."""


def outside(project: Project, sources: Sources, rulebook: Rulebook, number: int) -> dict[str, str]:
    """What a stage is made from besides earlier stages, by name: hashes of files, configuration and rules."""
    found = {"ddbmig": __version__}
    config = project.config
    if number == 1:
        told = config.model_dump(mode="json", include={"context", "workload", "pricing", "scope"})
        found["context and scope"] = sha256(canonical_json(told))
    if number in (1, 4):
        files = input_files(sources).items()
        found |= {name: file_sha(path) for name, path in files if number == 1 or name.startswith("data ")}
    if number in _READS:
        found["rules"] = rulebook.fingerprint(*_READS[number])
    if number == 3:
        found["decisions.yaml"] = file_sha(project.decisions_file)
        if project.decisions().flagged:
            found[RECORD] = file_sha(record_file(project))
        found["prices"] = sha256((price_file(project)[1] + read_prices(project).model_dump_json()).encode())
    return found


def read_state(out: Path) -> dict[str, Any]:
    """What the stages were made from when they last ran, as far as the file can be understood."""
    try:
        state = json.loads((out / STATE).read_bytes())
    except (OSError, ValueError):
        return {}
    entries = state.items() if isinstance(state, dict) else ()
    return {number: entry for number, entry in entries if _is_entry(entry)}


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("needs"), dict) and isinstance(entry.get("decision"), str)


def approve(project: Project, stage: int, artifact: str | None = None, note: str | None = None) -> str:
    """Approve a stage as it was last written; returns what was done and what to type next.

    `artifact` pins what is approved: the SHA-256 of the stage's report. Raises UsageError where the stage has not been
    run, or its report has other bytes.
    """
    entry = _entry(project, stage)
    report = project.out / STAGES[stage - 1].report
    if artifact is not None and (found := file_sha(report)) != artifact.lower():
        raise UsageError("this is not what you mean to approve", file=str(report), subject=f"its SHA-256 is {found}",
                         expected=artifact, hint="read it as it is now")  # fmt: skip
    decision: str = entry["decision"]
    if approved(project, stage) != decision:
        given = Approval(stage=stage, decision=decision, by="ddbmig approve", note=note)
        record_approval(project, given, STAGES[stage - 1].value)
    return f"stage {stage} approved: {decision[:12]}. Next: {to_analyze(project)}"


def reopen(project: Project, stage: int, note: str | None = None) -> str:
    """Take the approval of a stage back; returns what was done and what to type next.

    Raises UsageError where the stage has not been run, or is not approved as it was last written.
    """
    entry = _entry(project, stage)
    if approved(project, stage) != entry["decision"]:
        raise UsageError(f"stage {stage} is not approved as it is now", hint=f"go on: {to_analyze(project)}")
    record_reopening(project, stage, note)
    return f"stage {stage} is open again. Next: {to_approve(project, STAGES[stage - 1])}"


def _entry(project: Project, stage: int) -> Mapping[str, Any]:
    """What is known of a stage's last run. Raises UsageError where there was none."""
    entry: Mapping[str, Any] | None = read_state(project.out).get(str(stage))
    if entry is None:
        raise UsageError(f"stage {stage} has not been run", hint=f"first: {to_analyze(project)}")
    return entry


def changes(project: Project, stage: int) -> tuple[Change, ...]:
    """What changed in a stage since it was approved, in its own terms.

    Raises UsageError where it has not been run, was never approved, or the value as approved is not kept here.
    """
    _entry(project, stage)
    name = STAGES[stage - 1].value
    kept = as_approved(project, name)
    if not kept.is_file():
        raise UsageError(f"stage {stage} has not been approved here: there is nothing to compare with",
                         hint=f"read {project.out / STAGES[stage - 1].report}, then: "
                         + to_approve(project, STAGES[stage - 1]))  # fmt: skip
    old, new = (_value(STAGES[stage - 1], path) for path in (kept, project.out / name))
    by_model = choice_changes(project, project.decisions().flagged) if stage == 3 else ()
    return (*stage_changes(old, new), *by_model)


def _value(stage: Stage, path: Path) -> Document | Contract:
    if stage.document is not None:
        return stage.document.from_file(path)
    try:
        return Contract.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError("cannot read this contract", file=str(path), hint="analyze again") from error


def to_analyze(project: Project) -> str:
    """The words to type for this analysis to go on."""
    if not project.is_project:
        return "ddbmig analyze with the same options"
    return f"ddbmig analyze {quote(str(project.folder))}{_other_out(project)}"


def to_approve(project: Project, stage: Stage) -> str:
    """The words to type to approve a stage of this analysis and go on."""
    if not project.is_project:
        return f"ddbmig approve {stage.number} --out {quote(str(project.out))}, and {to_analyze(project)}"
    where = f"--project {quote(str(project.folder))}{_other_out(project)}"
    return f"ddbmig approve {stage.number} {where} && {to_analyze(project)}"


def _other_out(project: Project) -> str:
    """The option that names an output folder which is not the project's own."""
    return "" if project.out == project.folder / project.config.out else f" --out {quote(str(project.out))}"


_NO_INPUT = ("stage ", "engine", "server")
"""Beginnings of the needs that only a run can know."""


@dataclass(frozen=True)
class StageStatus:
    """Where a stage stands; `changed` names inputs that differ from those it was made from."""

    stage: Stage
    state: str
    changed: tuple[str, ...] = ()


def status(project: Project, sources: Sources) -> list[StageStatus]:
    """Where every stage stands. Only hashes and reads. Raises UsageError where no stage has been run."""
    state, found, stale = read_state(project.out), [], False
    if not state:
        raise UsageError("no stage has been run", file=str(project.out), hint=f"first: {to_analyze(project)}")
    rulebook = rules_in_force(project)
    files_known = project.is_project and "server" not in state.get("1", {}).get("needs", {})
    for stage in STAGES:
        entry = state.get(str(stage.number))
        if entry is None:
            found.append(StageStatus(stage, "not run"))
            continue
        changed = _changed(entry["needs"], outside(project, sources, rulebook, stage.number), files_known)
        stale = stale or bool(changed)
        signed = approved(project, stage.number) == entry["decision"]
        words = "stale" if stale else "approved" if signed else "waiting for approval"
        found.append(StageStatus(stage, words, changed))
    return found


def design_is_stale(project: Project, sources: Sources) -> bool:
    """Whether the saved design was made from something else than what is there now. Only hashes and reads."""
    return any(row.state == "stale" for row in status(project, sources)[:3])


def _changed(was: Mapping[str, str], now: Mapping[str, str], files_known: bool) -> tuple[str, ...]:
    """What differs, from what to what; without a project, or with a server, only the user knows all the inputs."""
    names = sorted(was.keys() | now.keys() if files_known else was.keys() & now.keys())
    return tuple(
        f"{name}: {was.get(name, 'nothing')[:12]} -> {now.get(name, 'nothing')[:12]}"
        for name in names
        if was.get(name) != now.get(name) and not name.startswith(_NO_INPUT)
    )


def next_step(project: Project, rows: list[StageStatus]) -> str:
    """What to type next."""
    for row in rows:
        if row.state == "waiting for approval":
            return f"Next: read {project.out / row.stage.report}, then: {to_approve(project, row.stage)}"
        if row.state != "approved":
            return f"Next: {to_analyze(project)}"
    return f"All stages are approved: {project.out / 'migrationContract.json'}"


def status_data(project: Project, rows: list[StageStatus]) -> dict[str, Any]:
    """The same as plain data, for JSON; files are relative to the output folder."""
    stages = [
        {"number": row.stage.number, "title": row.stage.title, "state": row.state, "changed": list(row.changed),
         "report": row.stage.report}
        for row in rows
    ]  # fmt: skip
    return {"stages": stages, "next": next_step(project, rows)}


def decide(project: Project, what: str, option: str) -> str:
    """Write a decision; returns what was done and what to type next.

    Raises UsageError for an alternative, a relationship or an option that the last run of the stages does not have.
    """
    for stage in STAGES[1:3]:
        if not (project.out / stage.value).exists():
            raise UsageError(f"stage {stage.number} has not been run", hint=f"first: {to_analyze(project)}")
    if what == "design":
        design = Design.from_file(project.out / STAGES[2].value)
        _known(option, [*(a.id for a in design.alternatives), DEFAULT], "alternative")
        project.decide(design=option)
    else:
        assessment = Assessment.from_file(project.out / STAGES[1].value)
        found = {a.relationship.id: a for a in assessment.relationships}
        _known(what, sorted(found), "relationship")
        options = [o for o in get_args(Option) if o not in found[what].forbidden]
        _known(option, [*options, MODEL], "option")
        project.decide(choice=(what, Flag(resolve="model") if option == MODEL else option))
    return f"{project.decisions_file} now says {what}: {option}. Stage 3 is open again. Next: {to_analyze(project)}"


def _known(given: str, known: list[str], what: str) -> None:
    if given not in known:
        close = get_close_matches(given, known, 1)
        raise UsageError(f"no such {what}", subject=given, expected=", ".join(known[:12]),
                         hint=f"did you mean {close[0]}?" if close else None)  # fmt: skip


# --- summaries for the terminal ---


def _summary1(values: Mapping[int, Any]) -> list[str]:
    snapshot: Snapshot = values[1]
    statements = sum(t.calls for t in snapshot.digest.templates) + sum(
        n for s in snapshot.digest.sources[:1] for n in s.skipped.values()
    )
    rows = sum(s.rows.value for s in snapshot.statistics.values())
    assumed = sum(s.rows.source == "assumed" for s in snapshot.statistics.values())
    marked = f" (assumed in {assumed} of {len(snapshot.statistics)} tables)" if assumed else ""
    return [
        f"{len(snapshot.tables.tables)} tables, {rows:,.0f} rows{marked}",
        f"{statements:,} statements, {len(snapshot.patterns)} access patterns",
        f"{len(snapshot.tables.problems) + len(snapshot.digest.problems)} places not understood",
    ]


def _summary2(values: Mapping[int, Any]) -> list[str]:
    assessment: Assessment = values[2]
    verdicts = [a.verdict for a in assessment.relationships]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(sorted(verdicts)))
    errors = sum(f.severity == "error" for f in assessment.findings)
    return [
        f"{len(verdicts)} relationships: {counts or 'none'}",
        f"{len(assessment.findings)} findings, {errors} of them errors; {len(assessment.choices)} choices for you",
    ]


def _summary3(values: Mapping[int, Any]) -> list[str]:
    design: Design = values[3]
    chosen = design.alternative(design.chosen)
    lines = [
        f"{a.id}: ${a.cost.total_usd:,.2f} a month{_rates(values)}, {len(a.tables)} tables, "
        f"{sum(len(t.indexes) for t in a.tables)} GSIs, {a.routed_calls_share:.1%} of calls routed"
        for a in design.alternatives
    ]
    return [*lines, f"chosen: {chosen.id} ({design.chosen_because})"]


def _rates(values: Mapping[int, Any]) -> str:
    """Marks money that rests on what the log is only assumed to stand for."""
    return " (assumed rates)" if values[2].rates.source == "assumed" else ""


def _summary4(values: Mapping[int, Any]) -> list[str]:
    validation: Validation = values[4]
    statuses = [p.status for p in validation.patterns]
    counts = ", ".join(f"{statuses.count(s)} {s}" for s in dict.fromkeys(sorted(statuses)))
    names = {pattern.id: pattern.name for pattern in values[1].patterns}
    failed = [p for p in validation.patterns if p.status == "mismatched"]
    differing = [f"differs: {p.pattern} {names.get(p.pattern, '')}: {p.why}" for p in failed[:MOST_SHOWN]]
    more = [f"and {len(failed) - MOST_SHOWN} more that differ"] if len(failed) > MOST_SHOWN else []
    errors = [f"error {f.rule} {f.title}: {f.message}" for f in validation.findings if f.severity == "error"]
    return [f"on {validation.engine}", *([validation.engine_warning] if validation.engine_warning else []),
            f"patterns: {counts}", *(f"{c.name}: {c.verdict}" for c in validation.checks),
            *differing, *more, *errors]  # fmt: skip


def _summary5(values: Mapping[int, Any]) -> list[str]:
    analysis: Analysis = values[5]
    return [
        f"${analysis.expected_usd:,.2f} a month expected (${analysis.best_usd:,.2f} to ${analysis.worst_usd:,.2f})"
        + _rates(values),
        f"{len(analysis.risks)} risks, {len(analysis.acknowledgments)} acknowledgments to tick",
    ]


def _summary6(values: Mapping[int, Any]) -> list[str]:
    contract: Contract = values[6]
    tables = [e for e in contract.root if e.type == "Table"]
    return [f"{len(tables)} tables and {len(contract.root) - len(tables)} GSIs in the contract"]


_SUMMARIES: Mapping[int, Callable[[Mapping[int, Any]], list[str]]] = {
    1: _summary1, 2: _summary2, 3: _summary3, 4: _summary4, 5: _summary5, 6: _summary6,
}  # fmt: skip
