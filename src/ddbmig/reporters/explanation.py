"""Why, in plain text: what added up to a verdict and what would flip it; where a rule fires, and where nearly.

That of an access pattern is in pattern_text.py.
"""

from collections.abc import Iterator, Sequence

from ddbmig.model.explanation import Explanation, Fired, PatternExplanation, RuleExplanation
from ddbmig.reporters.markdown import visible
from ddbmig.reporters.pattern_text import pattern_text
from ddbmig.reporters.terminal import fitted

MOST = 20
"""Objects of a rule that are shown; the rest is counted."""


def explanation_text(found: Explanation | RuleExplanation | PatternExplanation) -> str:
    """The explanation as lines for a terminal."""
    if isinstance(found, PatternExplanation):
        return pattern_text(found)
    lines = _of_relationship(found) if isinstance(found, Explanation) else _of_rule(found)
    return fitted(lines)


def _of_relationship(found: Explanation) -> Iterator[str]:
    yield f"{visible(found.relationship)}: {found.verdict} (margin {found.margin}; 15 decide)"
    yield ""
    for option, points in found.points.items():
        forbidden = f"  forbidden by {found.forbidden[option]}" if option in found.forbidden else ""
        yield f"  {option:<12}{points:>+5}{forbidden}"
    yield ""
    yield "What added up:" if found.ledger else "No rule gave or took points."
    for line in found.ledger:
        yield f"  {line.points:>+4} {line.option:<12}{line.rule} {line.title}"
        yield from (f"       because {visible(because)}" for because in line.because)
    if found.findings:
        yield ""
        yield "What else the rules found:"
    for finding in found.findings:
        yield f"  {finding.severity} {finding.rule} {finding.title}: {visible(finding.message)}"
    yield ""
    yield "What they rest on:"
    for fact in found.facts:
        known = f"{fact.source}, {visible(fact.origin)}; confidence {fact.confidence}"
        yield f"  {fact.name}: {visible(fact.shown)} ({known})"
    yield ""
    yield from _flips(found)


def _flips(found: Explanation) -> Iterator[str]:
    if not found.flips:
        yield "No single fact would change the verdict, the others being as they are."
        return
    yield "What would change the verdict, each alone, the other facts being as they are:"
    for flip in found.flips:
        yield f"  if {flip.fact} {visible(flip.change)} (now {visible(flip.now)}): {flip.verdict}, margin {flip.margin}"
        yield f"       by {', '.join(flip.rules)}"


def _of_rule(found: RuleExplanation) -> Iterator[str]:
    rule = found.rule
    effect = rule.severity or ", ".join(f"{points:+d} {option}" for option, points in rule.score.items())
    yield f"{rule.id} {rule.title} ({rule.pack}): {effect}"
    yield f"  {visible(rule.why)}"
    yield f"  instead: {visible(rule.instead)}"
    yield f"  source: {visible(rule.source)}"
    yield ""
    yield f"It fires on each {rule.applies_to} where"
    yield from (f"  {visible(line) if not line.startswith(' ') else line}" for line in found.conditions)
    yield ""
    if not found.objects:
        yield "Nothing that it looks at has been analysed here."
        return
    yield f"In the last analysis it fires on {len(found.fires):,} of {found.objects:,}:"
    yield from _objects(found.fires, "because")
    yield ""
    yield f"One line is missing on {len(found.nearly):,}:"
    yield from _objects(found.nearly, "but")


def _objects(found: Sequence[Fired], word: str) -> Iterator[str]:
    for fired in found[:MOST]:
        yield f"  {visible(fired.subject)}"
        yield from (f"       {word} {visible(line)}" for line in fired.because)
    if len(found) > MOST:
        yield f"  … and {len(found) - MOST:,} more"
    if not found:
        yield "  none"
