"""Puts the page together: one style sheet and one script, both named by their hash in the page's own policy."""

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from ddbmig.reporters.html import charts, grids, partitions, trials
from ddbmig.reporters.html.answers import answers
from ddbmig.reporters.html.details import ledgers, plan_pictures
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.neighbours import panels
from ddbmig.reporters.markdown import visible

if TYPE_CHECKING:
    from jinja2 import Environment

ASSETS = "ddbmig.reporters.html"


def html_report(material: Material) -> str:
    """The whole page. Same material, same bytes."""
    style, script = _asset("report.css"), _asset("report.js")
    allowed = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    return _environment().get_template("report.html").render(
        m=material,
        policy=policy,
        style=style,
        script=script,
        short=grids.SHORT,
        answers=answers(material),
        bars=charts.cost_bars(material),
        parts=charts.PARTS,
        tornado=charts.tornado(material),
        growth=charts.growth(material),
        cases=charts.case_texts(material.analysis) if material.analysis else (),
        heat=charts.heat_map(material),
        panels=panels(material),
        load=partitions.partition_heat(material),
        trials=trials.trials(material),
        ledgers=tuple(ledgers(material)),
        plans=tuple(plan_pictures(material)),
        levers=material.levers.model_dump(mode="json") if material.levers else None,
        grids={
            "alternatives": grids.alternative_grid(material),
            "patterns": grids.pattern_grid(material),
            "relationships": grids.relationship_grid(material),
            "tables": grids.table_grid(material),
            "indexes": grids.index_grid(material),
            "findings": grids.finding_grid(material),
            "choices": grids.choice_grid(material),
            "assumptions": grids.assumption_grid(material),
            "risks": grids.risk_grid(material),
            "checks": grids.check_grid(material),
            "effort": grids.effort_grid(material),
            "heat": partitions.heat_grid(material),
            "throttled": partitions.throttled_grid(material),
            "interleavings": trials.interleaving_grid(material),
            "stale": trials.stale_grid(material),
            "replay": trials.replay_grid(material),
            "changes": trials.change_grid(material),
        },
        not_analysed=_not_analysed(material),
    )  # fmt: skip


def _not_analysed(material: Material) -> tuple[str, ...]:
    values = (material.assessment, material.design, material.analysis)
    return tuple(dict.fromkeys(visible(line) for value in values if value is not None for line in value.not_analysed))


def _asset(name: str) -> str:
    return resources.files(ASSETS).joinpath("templates", name).read_text("utf-8")


def _hash(text: str) -> str:
    """A source expression of the policy (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _environment() -> "Environment":
    """Every value is escaped, and a name that is not there is an error."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # heavy

    found = Environment(autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(_asset), trim_blocks=True,
                        lstrip_blocks=True)  # fmt: skip
    found.filters |= {"visible": visible, "breakable": _breakable}
    return found


_JOINT = re.compile(r"(?<=[^\W_])(?:_|->|[./])(?=[^\W\d_])")


def _breakable(text: str) -> str:
    """A text whose long names may be broken behind an underscore, a dot, a slash or an arrow."""
    from markupsafe import Markup, escape

    ends = [found.end() for found in _JOINT.finditer(text)]
    pieces = [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    return Markup("<wbr>").join(map(escape, pieces))
