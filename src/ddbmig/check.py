"""`ddbmig check`: the rules as a gate for a pipeline. Reads, evaluates and reports; it approves nothing.

The rules of the first three phases are evaluated on the inputs as they are now. Those on alternatives, indexes and the
validation look at the saved design and validation where these still belong to the inputs; the report says where not.
"""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any

from ddbmig import __version__
from ddbmig.analyzers.query_files import QueryPlaces, locate_queries
from ddbmig.analyzers.snapshot import Sources, build_snapshot, check_understood, with_names
from ddbmig.config import CONFIG
from ddbmig.engine.assess import assess_workload
from ddbmig.engine.choice import propose
from ddbmig.engine.gate import Accepted, baseline_of, gone, judge, summary, switched_off
from ddbmig.engine.review import review, validation_facts
from ddbmig.engine.rulebook import Rulebook
from ddbmig.engine.scoring import find
from ddbmig.engine.strict_yaml import yaml_text
from ddbmig.engine.waivers import read_waivers, waiver_text
from ddbmig.engine.wording import closest
from ddbmig.model.assessment import Assessment, Finding, Phase
from ddbmig.model.base import sha256
from ddbmig.model.design import Alternative, Design
from ddbmig.model.errors import UsageError
from ddbmig.model.gate import Baseline, GateReport, Violation, Waiver
from ddbmig.model.location import Location
from ddbmig.model.progress import Progress, silent
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.places import Places, files_by_name, shown, source_root
from ddbmig.project import DEFAULT, Project, read_prices, read_text, rules_in_force, write_file
from ddbmig.resolving import options, recorded
from ddbmig.workflow import STAGES, outside, read_state

SPARED = {"slow_logs": "slow", "general_logs": "general", "data": "data"}
"""Inputs that a pipeline need not have where a snapshot holds what they said: their role in the snapshot."""


def inputs_or_snapshot(
    project: Project, paths: Mapping[str, tuple[Path, ...]], snapshot: Path | None
) -> tuple[Sources, tuple[str, ...]]:
    """Where to read from, and what the report should say of it.

    Logs and data are large and seldom in a repository. Where one is not here, the snapshot that is named, or the
    project's saved one that was made from it, stands in for all of them. Raises UsageError for a file that is not here
    and that no snapshot knows.
    """
    missing = {role: [path for path in files if not path.exists()] for role, files in paths.items()}
    saved_file = snapshot or project.out / STAGES[0].value
    absent = [(role, path) for role, files in missing.items() for path in files]
    saved = Snapshot.from_file(saved_file) if snapshot or (absent and saved_file.is_file()) else None
    known = [(file.role, file.name) for file in saved.inputs] if saved else []
    for role, path in absent:
        names = [name for kind, name in known if kind == SPARED.get(role)]
        if path.name not in names and not any(fnmatch(name, path.name) for name in names):
            raise UsageError("no such file", file=str(path), hint="check the path, or name a --snapshot made from it")
    here = {role: () if role in SPARED and saved else files for role, files in paths.items()}
    key = project.hash_key(path for files in here.values() for path in files)
    sources = Sources(**with_names(here), saved=saved, hash_key=key)
    if saved is None:
        return sources, ()
    return sources, (f"Statements and statistics are those of {saved_file.name}, not read anew.",)


def gate_settings(fail_on: str | None, new_only: bool | None, baseline: Path | None) -> tuple[str, ...]:
    """What the options of `ddbmig check` set over ddbmig.yaml."""
    found = {
        "gate.fail_on": fail_on,
        "gate.new_only": None if new_only is None else str(new_only).lower(),
        "gate.baseline": yaml_text(str(baseline.resolve())) if baseline else None,
    }
    return tuple(f"{key}={value}" for key, value in found.items() if value is not None)


def prepare(
    project: Project, paths: Mapping[str, tuple[Path, ...]], queries: tuple[Path, ...], snapshot: Path | None,
    today: datetime.date,
) -> "Check":  # fmt: skip
    """A check of a project's inputs. Raises UsageError for an input that is not there."""
    for path in (*queries, *([snapshot] if snapshot else ())):
        if not path.is_file():
            raise UsageError("no such file", file=str(path), hint="check the path")
    if not paths["schema_files"] and snapshot is None:
        hint = "name a folder that holds ddbmig.yaml, or give --schema or --snapshot"
        raise UsageError("nothing to check", hint=hint)
    sources, notes = inputs_or_snapshot(project, paths, snapshot)
    return Check(project, sources, today, queries or query_files(project), notes=notes)


def query_files(project: Project) -> tuple[Path, ...]:
    """The .sql files of `inputs.queries`, in the order of the globs and of their names.

    Raises UsageError for a glob that fits no file.
    """
    found: dict[Path, None] = {}
    for glob in project.config.inputs.queries:
        files = sorted(path for path in project.folder.glob(glob) if path.is_file())
        if not files:
            raise UsageError("inputs.queries fits no file", CONFIG, subject=glob, hint="e.g. queries/**/*.sql")
        found.update(dict.fromkeys(files))
    return tuple(found)


@dataclass
class Check:
    """One evaluation of the rules, on a project or on inputs given one by one."""

    project: Project
    sources: Sources
    today: datetime.date
    """The day that waivers are held against."""
    queries: tuple[Path, ...] = ()
    """.sql files with the application's statements."""
    design_anew: bool = False
    """Design the alternatives where no current design is saved."""
    progress: Progress = silent
    notes: tuple[str, ...] = ()

    def report(self) -> GateReport:
        """What the rules find, and whether the gate is passed.

        Raises RuleError for a rule or waiver file with mistakes, UsageError for a missing baseline, InputError where
        the inputs are not understood.
        """
        gate, accepted = self.project.config.gate, self.accepted
        check_understood(self.snapshot, self.project.config.tolerance.statements_not_understood)
        judged = judge(self.rulebook, self.findings, accepted, gate.fail_on, self.places.of)
        labels = {pattern.id: pattern.name for pattern in self.snapshot.patterns}
        violations = tuple(v.model_copy(update={"label": labels.get(v.finding.subject, "")}) for v in judged)
        return GateReport(
            version=__version__,
            passed=not any(violation.fails for violation in violations),
            fail_on=gate.fail_on,
            new_only=gate.new_only,
            rules=tuple(summary(rule) for rule in self.rulebook.rules),
            switched_off=switched_off(self.rulebook),
            evaluated=self._evaluated(),
            not_evaluated=tuple(self._not_evaluated()),
            notes=tuple(self._notes(violations)),
            violations=violations,
        )

    # --- what is read ---

    @cached_property
    def rulebook(self) -> Rulebook:
        """The rules in force."""
        return rules_in_force(self.project)

    @cached_property
    def accepted(self) -> Accepted:
        """The waivers and the baseline."""
        gate, folder = self.project.config.gate, self.project.folder
        waivers, baseline = folder / gate.waivers, folder / gate.baseline
        if gate.new_only and not baseline.is_file():
            raise UsageError("there is no baseline to compare with", file=str(baseline),
                             hint="write it once with --write-baseline, and commit it")  # fmt: skip
        return Accepted(
            today=self.today,
            waivers=read_waivers(waivers.name, read_text(waivers)) if waivers.is_file() else (),
            waivers_file=shown(waivers, self.root),
            baseline=Baseline.from_file(baseline) if baseline.is_file() else None,
            new_only=gate.new_only,
            unseen=self._unseen(),
        )

    @cached_property
    def snapshot(self) -> Snapshot:
        """The saved one where it was made from the inputs as they are, else a new one."""
        saved = self.project.out / STAGES[0].value
        known: Mapping[str, str] = self._state.get("1", {}).get("needs", {})
        if saved.is_file() and known == outside(self.project, self.sources, self.rulebook, 1):
            return Snapshot.from_file(saved)
        config, given = self.project.config, self.sources.saved
        if given is not None and not self.project.is_project:
            told = {name: getattr(given, name) for name in ("context", "workload", "pricing", "scope")}
            config = config.model_copy(update=told)
        return build_snapshot(self.sources, config, self.progress)

    @cached_property
    def assessment(self) -> Assessment:
        """Stage 2 on the snapshot, by the rules in force."""
        self.progress("evaluating the rules")
        return assess_workload(self.snapshot, self.rulebook)

    @cached_property
    def _state(self) -> Mapping[str, Mapping[str, Any]]:
        return read_state(self.project.out)

    # --- what is found ---

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that the rules find, those on waivers apart."""
        found = list(self.assessment.findings)
        if self.alternative is not None:
            found += review(self.snapshot, self.assessment, self.alternative, self.rulebook)
        if self.validation is not None:
            facts = validation_facts(self.validation)
            found += find(self.rulebook, "validation", self.validation.alternative, facts)
        return tuple(found)

    @cached_property
    def alternative(self) -> Alternative | None:
        """The chosen alternative of the current design; None where there is none."""
        if self._is_current(3):
            design = Design.from_file(self._file(3))
            return design.alternative(design.chosen)
        if not self.design_anew:
            return None
        self.progress("designing the alternatives")
        decided, prices = self.project.decisions(), read_prices(self.project)
        wanted = None if decided.design == DEFAULT else decided.design
        answers = recorded(self.project) if decided.flagged else {}
        choices = {**decided.taken, **options(answers[key] for key in decided.flagged if key in answers)}
        design = propose(self.snapshot, self.assessment, prices, lambda _: (), choices, wanted, self.progress)
        return design.alternative(design.chosen)

    @cached_property
    def validation(self) -> Validation | None:
        """Stage 4 of the current design; None where it has not been run on it."""
        return Validation.from_file(self._file(4)) if self._is_current(4) else None

    def _is_current(self, number: int) -> bool:
        """Whether the saved design (3) or validation (4) is what would be made now.

        A design follows from the snapshot, the verdicts, decisions and prices; which findings there are besides does
        not change it. A validation is that of the design beside it.
        """
        if not self._file(number).is_file() or str(number) not in self._state:
            return False
        needs = self._state[str(number)]["needs"]
        if number == 4:
            return self._is_current(3) and needs.get("stage 3") == sha256(self._file(3).read_bytes())
        outer = outside(self.project, self.sources, self.rulebook, number)
        same = all(needs.get(name) == outer[name] for name in outer if name != "rules")
        return same and self._state["1"]["decision"] == self.snapshot.decision_hash() and self._same_verdicts()

    def _same_verdicts(self) -> bool:
        saved = self._file(2)
        return saved.is_file() and _verdicts(Assessment.from_file(saved)) == _verdicts(self.assessment)

    def _file(self, number: int) -> Path:
        return self.project.out / STAGES[number - 1].value

    # --- what the report says of itself ---

    @cached_property
    def places(self) -> Places:
        """Where findings stand."""
        schema = self.sources.schema_files
        home = self.project.folder / CONFIG if self.project.is_project else schema[0][0] if schema else None
        return Places(
            snapshot=self.snapshot,
            files=files_by_name(schema, self.root),
            queries=self.query_places,
            home=Location(file=shown(home, self.root), line=1) if home else None,
            alternative=self.alternative,
        )

    @cached_property
    def query_places(self) -> QueryPlaces:
        """Where the application's statements stand in the repository."""
        return locate_queries([(path, shown(path, self.root)) for path in self.queries])

    @cached_property
    def root(self) -> Path:
        """The folder that paths in the report are relative to."""
        return source_root(self.project.folder if self.project.is_project else Path.cwd())

    def _unseen(self) -> tuple[Phase, ...]:
        without_design: tuple[Phase, ...] = ("alternative", "index") if self.alternative is None else ()
        return without_design if self.validation is not None else (*without_design, "validation")

    def _evaluated(self) -> dict[str, int]:
        """Objects that each phase looked at."""
        found = {
            "relationship": len(self.assessment.relationships),
            "table": len(self.assessment.table_facts),
            "pattern": len(self.snapshot.patterns),
            "waiver": len(self.accepted.waivers),
        }
        if self.alternative is not None:
            found |= {"alternative": 1, "index": sum(len(table.indexes) for table in self.alternative.tables)}
        return found if self.validation is None else {**found, "validation": 1}

    def _not_evaluated(self) -> Iterator[str]:
        """Rules that had nothing to look at, and what to do."""
        if self.alternative is None:
            rules = len(self.rulebook.of("alternative")) + len(self.rulebook.of("index"))
            what = f"{rules} rules on alternatives and indexes"
            yield f"{what}: there is no design of these inputs; run ddbmig analyze, or give --design"
        if self.validation is None:
            rules = len(self.rulebook.of("validation"))
            yield f"{rules} rules on the validation: stage 4 has not been run on this design; run ddbmig analyze"

    def _notes(self, violations: tuple[Violation, ...]) -> Iterator[str]:
        yield from self.notes
        unread = self.query_places.unread
        if unread:
            first = f"{unread[0].file}:{unread[0].line}"
            yield f"{len(unread)} statements of the query files were not understood, the first at {first}"
        lost = gone(self.rulebook, violations, self.accepted)
        if lost:
            yield f"{lost} findings of the baseline are gone: write it anew with --write-baseline"


def _verdicts(assessment: Assessment) -> dict[str, object]:
    return {found.relationship.id: (found.verdict, dict(found.forbidden)) for found in assessment.relationships}


# --- accepting what was found ----------------------------------------------------------------------------------------


def write_baseline(check: Check, report: GateReport) -> str:
    """Make all findings of a check's report known; returns what was done."""
    path = check.project.folder / check.project.config.gate.baseline
    baseline = baseline_of(check.rulebook, report.violations, check.accepted)
    write_file(path, baseline.to_bytes())
    return f"{len(baseline.entries)} findings are known from now on: {path}"


def waive(check: Check, rule: str, subject: str, *, reason: str, owner: str, expires: str) -> str:
    """Append a waiver of one finding to waivers.yaml, with its evidence; returns what was done.

    Raises UsageError where there is no such finding, or it is waived already.
    """
    violation = _found(check.report(), rule, subject)
    waiver = Waiver(
        rule=rule, object=subject, reason=reason, owner=owner, expires=expires, accepted=violation.finding.facts
    )
    path = check.project.folder / check.project.config.gate.waivers
    text = read_text(path) if path.is_file() else "waivers:\n"
    for placed in read_waivers(path.name, text) if path.is_file() else ():
        if (placed.waiver.rule, placed.waiver.object) == (rule, subject):
            hint = "change or remove that entry"
            raise UsageError("there is a waiver of this finding", path.name, placed.line, placed.column, hint=hint)
    appended = f"{text.rstrip()}\n{waiver_text(waiver)}"
    read_waivers(path.name, appended)
    write_file(path, appended.encode())
    return f"waived until {expires}: {rule} on {subject}. Commit {path}."


def _found(report: GateReport, rule: str, subject: str) -> Violation:
    of_rule = [v for v in report.violations if v.finding.rule == rule]
    for violation in of_rule:
        if violation.finding.subject == subject:
            return violation
    if not of_rule:
        fired = {v.finding.rule for v in report.violations}
        raise UsageError("this rule finds nothing", subject=rule, hint=closest(rule, fired) or "see: ddbmig check")
    subjects = [v.finding.subject for v in of_rule]
    hint = closest(subject, subjects) or f"it finds: {', '.join(subjects[:5])}"
    raise UsageError(f"{rule} finds nothing on this object", subject=subject, hint=hint)
