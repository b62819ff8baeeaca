"""Lists of rules, and of what changed in them, in plain text."""

from collections.abc import Iterator

from ddbmig.model.explanation import RuleDiff
from ddbmig.model.gate import RuleList, RuleSummary
from ddbmig.reporters.markdown import visible
from ddbmig.reporters.terminal import fitted

MOST = 40
"""Effects that are shown; the rest is counted."""


def rule_list_text(found: RuleList) -> str:
    """One line for each rule: id, what it does, what it looks at, title; then those that are switched off."""
    packs = {rule.pack for rule in found.rules}
    lines = [_line(rule, len(packs) > 1) for rule in found.rules]
    lines += [f"{off.rule:<10}{'off':<10}{visible(off.title)}, by {visible(off.by)}" for off in found.switched_off]
    return "".join(f"{line}\n" for line in lines)


def _line(rule: RuleSummary, with_pack: bool) -> str:
    status = "" if rule.status == "stable" else f" [{rule.status}]"
    pack = f"  ({visible(rule.pack)})" if with_pack else ""
    return f"{rule.id:<10}{rule.severity or 'score':<10}{rule.applies_to:<14}{visible(rule.title)}{status}{pack}"


def rule_diff_text(found: RuleDiff) -> str:
    """What became of each rule, then what that alters."""
    return fitted(_diff_lines(found))


def _diff_lines(found: RuleDiff) -> Iterator[str]:
    if not found.changes:
        yield "The rules say the same."
        return
    for change in found.changes:
        yield f"{change.rule} {visible(change.title)}: {change.change}"
        yield from (f"    {visible(detail)}" for detail in change.details)
    yield ""
    if found.effects is None:
        yield "What that alters is not known here: nothing has been analysed yet."
        return
    yield f"On the application as last analysed it alters {len(found.effects):,} outcomes."
    for effect in found.effects[:MOST]:
        yield f"    {visible(effect.subject)}: {visible(effect.before)} -> {visible(effect.after)}"
    if len(found.effects) > MOST:
        yield f"    … and {len(found.effects) - MOST:,} more"
