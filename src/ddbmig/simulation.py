"""`ddbmig simulate`: a scenario file against the saved design, its alternatives side by side."""

from pathlib import Path

from ddbmig.engine.typed_yaml import read_model
from ddbmig.engine.wording import closest
from ddbmig.model.design import Alternative, Design
from ddbmig.model.errors import InputError, UsageError, VersionError
from ddbmig.model.scenario import Scenario
from ddbmig.model.simulation import Comparison
from ddbmig.model.snapshot import Snapshot
from ddbmig.project import Project, read_text

SNAPSHOT, DESIGN = "snapshot.json", "design.json"


def simulate(project: Project, path: Path) -> tuple[Snapshot, Comparison]:
    """Run a scenario and its alternatives on the last analysis of a project.

    Raises RuleError with every mistake of the file, UsageError for a structure, design or analysis that is not there.
    """
    from ddbmig.validators.stress.remedies import TOLERATED, cure  # heavy: numpy
    from ddbmig.validators.stress.runs import run

    if not path.is_file():
        raise UsageError("no such file", file=str(path), hint="name a scenario file")
    scenario = read_model(path.name, read_text(path), Scenario).value
    snapshot, design = _saved(project)
    variants = variants_of(scenario)
    chosen = [_design(path.name, one, design) for one in variants]
    runs = [run(snapshot, alternative, one) for one, alternative in zip(variants, chosen, strict=True)]
    cures = [cure(snapshot, chosen[0], variants[0], runs[0])] if runs[0].worst > TOLERATED else []
    return snapshot, Comparison(scenario=scenario, runs=tuple(runs), cures=tuple(cures))


def variants_of(scenario: Scenario) -> tuple[Scenario, ...]:
    """The scenario, then each alternative as a scenario of its own: what it names replaces what stands above."""
    plain = scenario.model_copy(update={"alternatives": ()})
    named = [{key: getattr(one, key) for key in one.model_fields_set} for one in scenario.alternatives]
    return (plain, *(plain.model_copy(update=changes) for changes in named))


def _saved(project: Project) -> tuple[Snapshot, Design]:
    try:
        return Snapshot.from_file(project.out / SNAPSHOT), Design.from_file(project.out / DESIGN)
    except VersionError:
        raise
    except InputError as error:
        raise UsageError("no finished analysis to simulate", file=error.file,
                         hint="run `ddbmig analyze` up to stage 3 first") from error  # fmt: skip


def _design(file: str, scenario: Scenario, design: Design) -> Alternative:
    """The design that a variant names. Raises UsageError for one, or a table or GSI, that there is not."""
    known = [one.id for one in design.alternatives]
    name = scenario.design or design.chosen
    if name not in known:
        raise _unknown(file, "no such design", name, known)
    alternative = design.alternative(name)
    tables = [table.name for table in alternative.tables]
    indexes = [f"{table.name}/{index.name}" for table in alternative.tables for index in table.indexes]
    for setting in ("warm_throughput", "capacity", "shards", "cached_reads"):
        for structure in getattr(scenario, setting):
            if structure not in (*tables, *indexes):
                raise _unknown(
                    file, "no such table or GSI in the design", f"{setting}: {structure}", [*tables, *indexes]
                )
    for structure in scenario.backfill_minutes:
        if structure not in indexes:
            raise _unknown(file, "no such GSI in the design", f"backfill_minutes: {structure}", indexes)
    if scenario.celebrity and scenario.celebrity.table not in (None, *tables):
        raise _unknown(file, "no such table in the design", f"celebrity.table: {scenario.celebrity.table}", tables)
    return alternative


def _unknown(file: str, message: str, name: str, known: list[str]) -> UsageError:
    said = closest(name.rpartition(": ")[2], known)
    return UsageError(message, file, subject=name, hint=said or f"there are: {', '.join(known[:10]) or 'none'}")
