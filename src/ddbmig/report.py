"""`ddbmig report`: the saved values of an analysis as one HTML file, as far as the stages have been run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ddbmig.engine.costs import load_of
from ddbmig.engine.explain import explain_relationship
from ddbmig.engine.levers import levers_of
from ddbmig.engine.prices import prices_of, read_price_list
from ddbmig.model.analysis import Analysis
from ddbmig.model.assessment import Assessment
from ddbmig.model.base import Document
from ddbmig.model.design import Design
from ddbmig.model.errors import UsageError
from ddbmig.model.explanation import Explanation
from ddbmig.model.levers import Levers
from ddbmig.model.prices import Prices
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.project import Project, price_file, rules_in_force, write_file
from ddbmig.reporters.html import html_report
from ddbmig.reporters.html.material import Material
from ddbmig.workflow import STAGES, to_analyze

FILE = "report.html"
Saved = TypeVar("Saved", bound=Document)


@dataclass(frozen=True)
class Written:
    """The file, and the stages whose part it lacks, as `number title`."""

    path: Path
    missing: tuple[str, ...]


def write_report(project: Project) -> Written:
    """Write report.html beside the values. Raises UsageError where nothing has been analysed."""
    snapshot = _saved(project, 1, Snapshot)
    if snapshot is None:
        raise UsageError("nothing has been analysed yet", file=str(project.out), hint=f"first: {to_analyze(project)}")
    assessment, design = _saved(project, 2, Assessment), _saved(project, 3, Design)
    material = Material(
        snapshot=snapshot,
        assessment=assessment,
        design=design,
        validation=_saved(project, 4, Validation),
        analysis=_saved(project, 5, Analysis),
        explanations=_explanations(project, assessment),
        levers=_levers(project, snapshot, assessment, design),
    )
    path = project.out / FILE
    write_file(path, html_report(material).encode("utf-8", "replace"))
    return Written(path, material.missing)


def _saved(project: Project, number: int, document: type[Saved]) -> Saved | None:
    path = project.out / STAGES[number - 1].value
    return document.from_file(path) if path.is_file() else None


def _explanations(project: Project, assessment: Assessment | None) -> dict[str, Explanation]:
    """By relationship, what added up to its verdict by the rules in force and what would flip it."""
    if assessment is None:
        return {}
    rulebook = rules_in_force(project)
    return {one.relationship.id: explain_relationship(rulebook, one) for one in assessment.relationships}


def _levers(
    project: Project, snapshot: Snapshot, assessment: Assessment | None, design: Design | None
) -> Levers | None:
    if assessment is None or design is None:
        return None
    chosen, load = design.alternative(design.chosen), load_of(assessment.patterns)
    return levers_of(chosen, load, design.prices, _regions(project, design.prices), snapshot.context)


def _regions(project: Project, prices: Prices) -> list[Prices]:
    """The prices of the design's own region, and those of the price file for the others that it knows in full."""
    listed = read_price_list(*price_file(project))
    found = {prices.terms.region: prices}
    for region in sorted({entry.region for entry in listed.prices} - set(found)):
        try:
            found[region] = prices_of(listed, prices.terms.model_copy(update={"region": region}))
        except UsageError:  # a price of these terms is not known there
            continue
    return [found[region] for region in sorted(found)]
