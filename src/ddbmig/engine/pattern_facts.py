"""What the evidence says of one access pattern: the facts of the catalogue's section `pattern`, computed."""

from ddbmig.engine.evidence import Evidence, Facts, Sheet
from ddbmig.engine.skew import most_selective, put_minute_ratio, put_top_share
from ddbmig.model.assessment import FactValue
from ddbmig.model.digest import TemplateDigest
from ddbmig.model.latency import quantile_ms
from ddbmig.model.pattern import AccessPattern


def pattern_facts(evidence: Evidence, pattern: AccessPattern) -> Facts:
    """Every fact of the catalogue about one access pattern, by name."""
    sheet, rate = Sheet("pattern", evidence), evidence.rate_of.get(pattern.id)
    template = evidence.templates.get(pattern.template)
    calls, peak = (rate.calls, rate.peak_per_second) if rate else (0, 0.0)
    _statement(sheet, pattern)
    sheet.put("pattern.calls", calls, "query logs")
    sheet.rate("pattern.calls_per_day", evidence.per_day(calls))
    sheet.put("pattern.complexity", rate.complexity if rate else 1, "query logs")
    sheet.put("pattern.offset_calls", template.offset_calls if template else 0, "query logs")
    vague, top = not evidence.knows_peak(pattern), most_selective(template)
    sheet.put("pattern.peak_per_second", peak, "query logs", estimated=vague)
    put_top_share(sheet, "keys.top_share", top)
    put_top_share(sheet, "pattern.hot_key_per_second", top, peak, estimated=vague)
    put_minute_ratio(sheet, evidence, [pattern])
    _timed(sheet, template)
    return sheet.done()


def _statement(sheet: Sheet, pattern: AccessPattern) -> None:
    tables = tuple(sorted({ref.table for ref in pattern.refs}))
    statement: dict[str, FactValue] = {
        "name": pattern.name, "sql": pattern.sql, "kind": pattern.kind, "unplanned": pattern.unplanned,
        "tables": len(tables), "table_names": tables, "joins": len(pattern.joins), "locking": pattern.locking,
    }  # fmt: skip
    for name, value in statement.items():
        sheet.put(f"pattern.{name}", value, "query logs")


def _timed(sheet: Sheet, template: TemplateDigest | None) -> None:
    """What only a slow log or performance_schema tells."""
    timed = template.timed_calls if template else 0
    for name in ("rows_examined", "rows_sent"):
        rows = getattr(template, name) if template else None
        sheet.share(f"pattern.{name}_per_call", rows or 0, timed if rows is not None else 0)
    for name, quantile in (("p95_ms", 0.95), ("p99_ms", 0.99)):
        found = quantile_ms([template], quantile) if template else None
        sheet.put(f"pattern.{name}", found[0] if found else None, "execution times of the slow log", observed=timed)
