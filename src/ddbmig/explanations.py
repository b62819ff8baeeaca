"""What `ddbmig explain` does: a rule, a relationship or an access pattern, out of the values that the stages saved."""

from collections.abc import Mapping
from dataclasses import replace

from ddbmig.engine.answers import answers, proof_of
from ddbmig.engine.costs import load_of, plans_usd
from ddbmig.engine.explain import explain_relationship, explain_rule
from ddbmig.engine.rule_reader import RULE_ID
from ddbmig.engine.wording import closest
from ddbmig.model.assessment import Assessment, Relationship
from ddbmig.model.base import sha256
from ddbmig.model.design import Design
from ddbmig.model.errors import UsageError, VersionError
from ddbmig.model.explanation import Explanation, PatternExplanation, Proved, RuleExplanation
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.project import Project, rules_in_force
from ddbmig.reporters.plans_file import plan_entries
from ddbmig.rule_tools import saved_assessment
from ddbmig.workflow import STAGES, read_state, to_analyze

MOST = 4
"""Names that are offered where several fit."""


def explain(project: Project, what: str) -> Explanation | RuleExplanation | PatternExplanation:
    """Why, or how: a rule by its id, a relationship or an access pattern of the last analysis.

    Raises UsageError where there is none of them, or more than one, and where nothing has been analysed.
    """
    rulebook, assessment = rules_in_force(project), saved_assessment(project)
    if what in rulebook.by_id or RULE_ID.fullmatch(what):
        return explain_rule(rulebook, rulebook.rule(what), assessment)
    if assessment is None:
        raise UsageError("nothing has been analysed yet", subject=what, hint=f"first: {to_analyze(project)}")
    relationships = {found.relationship.id: found for found in assessment.relationships}
    short = [key for key, found in relationships.items() if what in _short_names(found.relationship)]
    if what in relationships or len(short) == 1:
        return explain_relationship(rulebook, relationships[what if what in relationships else short[0]])
    snapshot = Snapshot.from_file(project.out / STAGES[0].value)
    fitting = short or _fitting(snapshot.patterns, what)
    patterns = {pattern.id: pattern for pattern in snapshot.patterns}
    if len(fitting) == 1:
        return _pattern(project, patterns[fitting[0]], snapshot, assessment)
    raise _unknown(what, fitting, patterns, [*relationships, *rulebook.by_id])


def _short_names(relationship: Relationship) -> tuple[str, str]:
    """`orders->customers` and `orders.customer_id`."""
    columns = ",".join(relationship.child_columns)
    return f"{relationship.child}->{relationship.parent}", f"{relationship.child}.{columns}"


def _fitting(patterns: tuple[AccessPattern, ...], what: str) -> list[str]:
    """Ids of the patterns that a text may mean: by id, beginning of an id, name or part of a name, the first that fits.

    A shortened id has two letters at least: `Q` alone is none.
    """
    words, low = what.strip(), what.strip().lower()
    ways = (
        [one.id for one in patterns if one.id.lower() == low],
        [one.id for one in patterns if len(words) > 1 and one.id.lower().startswith(low)],
        [one.id for one in patterns if one.name.lower() == low],
        [one.id for one in patterns if words and low in one.name.lower()],
    )
    return next((ids for ids in ways if ids), [])


def _unknown(what: str, fitting: list[str], patterns: Mapping[str, AccessPattern], others: list[str]) -> UsageError:
    if fitting:
        shown = [f"{key} ({patterns[key].name})" if key in patterns else key for key in fitting[:MOST]]
        more = f" and {len(fitting) - MOST} more" if len(fitting) > MOST else ""
        return UsageError(
            f"{len(fitting)} things are called so", subject=what, hint=f"one of: {', '.join(shown)}{more}"
        )
    names = [name for key, one in patterns.items() for name in (one.name, key)]
    near = closest(what, [*names, *others]) or "see: Stage2_AccessPatterns.md"
    return UsageError("no such rule, relationship or access pattern", subject=what, hint=near)


def _pattern(
    project: Project, pattern: AccessPattern, snapshot: Snapshot, assessment: Assessment
) -> PatternExplanation:  # fmt: skip
    file = project.out / STAGES[2].value
    if not file.is_file():
        raise UsageError("stage 3 has not been run", subject=pattern.id, hint=f"first: {to_analyze(project)}")
    design = Design.from_file(file)
    chosen, load = design.alternative(design.chosen), load_of(assessment.patterns)
    entries = dict(plan_entries(snapshot, assessment, chosen, plans_usd(chosen.plans, load, design.prices)))
    if pattern.id not in entries:
        raise UsageError("the saved design does not know this access pattern", subject=pattern.id,
                         hint=f"it was made from other inputs: {to_analyze(project)}")  # fmt: skip
    return PatternExplanation(
        alternative=chosen.id, plan=entries[pattern.id], rates=assessment.rates.source,
        answers=answers(design, pattern.id, load.calls_per_month[pattern.id]),
        proof=_proof(project, pattern.id, chosen.id),
    )  # fmt: skip


def _proof(project: Project, pattern: str, alternative: str) -> Proved | None:
    """What stage 4 last said of a pattern under the chosen alternative."""
    file = project.out / STAGES[3].value
    if not file.is_file():
        return None
    try:
        validation = Validation.from_file(file)
    except VersionError as error:
        raise replace(error, hint="remove this file, then analyze again") from error
    if validation.alternative != alternative:
        return None
    made_from = read_state(project.out).get("4", {}).get("needs", {}).get("stage 3")
    return proof_of(validation, pattern, current=made_from == sha256((project.out / STAGES[2].value).read_bytes()))
