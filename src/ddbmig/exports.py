"""`ddbmig export`: hand-over files of the approved design, out of the values that the stages saved."""

from pathlib import Path
from typing import TypeVar

from ddbmig.contracts import contract_file, well_formed
from ddbmig.engine.costs import load_of, units_of
from ddbmig.ledger import approved
from ddbmig.model.assessment import Assessment
from ddbmig.model.base import Document, sha256
from ddbmig.model.design import Design
from ddbmig.model.errors import UsageError, WaitingForApproval
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.project import Project, write_file
from ddbmig.reporters.exports import EXPORTS
from ddbmig.reporters.exports.material import Material, Peak, Structure
from ddbmig.reporters.exports.origin import Origin
from ddbmig.workflow import STAGES, read_state, to_analyze, to_approve

Saved = TypeVar("Saved", bound=Document)
DESIGN, CONTRACT = STAGES[2], STAGES[5]


def export(project: Project, kind: str, *, draft: bool = False) -> str:
    """The text of a hand-over file of the chosen alternative.

    Raises WaitingForApproval where the design or its contract is not approved as it is now, unless it is for a draft;
    UsageError where there is none yet, or the contract was made from another design.
    """
    text = EXPORTS[kind](_material(project, draft))
    return text.encode("utf-8", "replace").decode()  # half a character in a name is no text for anybody


def write_export(text: str, file: Path) -> None:
    """Write a hand-over file as a whole. Raises UsageError where it cannot be written."""
    write_file(file, text.encode())


def _material(project: Project, draft: bool) -> Material:
    path = contract_file(project, None)
    contract, written = well_formed(path), sha256(path.read_bytes())
    design = _saved(project, 3, Design)
    made_from = read_state(project.out).get("6", {}).get("needs", {}).get("stage 3")
    if made_from != sha256((project.out / DESIGN.value).read_bytes()):
        raise UsageError("the contract was made from another design than the saved one", file=str(path),
                         hint=f"first: {to_analyze(project)}")  # fmt: skip
    approval = _approval(project, design, written, draft)
    assessment, chosen = _saved(project, 2, Assessment), design.alternative(design.chosen)
    return Material(
        origin=Origin(alternative=chosen.id, approval=approval, contract=written),
        snapshot=_saved(project, 1, Snapshot),
        assessment=assessment,
        alternative=chosen,
        contract=contract,
        peaks=_peaks(design, assessment),
        region=design.prices.terms.region,
        validation=_validation(project, chosen.id),
    )


def _validation(project: Project, alternative: str) -> Validation | None:
    """Stage 4's value, where it is of this design as it is saved."""
    made_from = read_state(project.out).get("4", {}).get("needs", {}).get("stage 3")
    if made_from != sha256((project.out / DESIGN.value).read_bytes()) or not (project.out / STAGES[3].value).is_file():
        return None
    found = _saved(project, 4, Validation)
    return found if found.alternative == alternative else None


def _approval(project: Project, design: Design, contract: str, draft: bool) -> str | None:
    """The decision content of the approved design; None for a draft of one that is not approved."""
    for stage, decision in ((DESIGN, design.decision_hash()), (CONTRACT, contract)):
        if approved(project, stage.number) != decision:
            if draft:
                return None
            raise WaitingForApproval(
                f"stage {stage.number} ({stage.title}) is not approved as it is now",
                file=str(project.out / stage.report),
                hint=f"read it, then: {to_approve(project, stage)}; or see a draft with --draft",
            )
    return design.decision_hash()


def _saved(project: Project, number: int, document: type[Saved]) -> Saved:
    path = project.out / STAGES[number - 1].value
    if not path.is_file():
        raise UsageError("this value of the analysis is not there", file=str(path),
                         hint=f"first: {to_analyze(project)}")  # fmt: skip
    return document.from_file(path)


def _peaks(design: Design, assessment: Assessment) -> dict[Structure, Peak]:
    chosen, load = design.alternative(design.chosen), load_of(assessment.patterns)
    found = units_of(chosen.tables, chosen.plans, load.peak_per_second)
    return {structure: Peak(units.reads, units.writes) for structure, units in found.items()}
