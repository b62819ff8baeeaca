"""Whether two answers are the same as far as SQL promises: as sets, in order, or as one valid choice of a LIMIT.

ORDER BY promises the sequence of the values it names; rows that tie there are a set. A LIMIT that cuts among ties, or
that orders nothing, promises only that the rows are among those it may take.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from ddbmig.model.encodings import Cell
from ddbmig.validators.outputs import Answer, Output, Rows, canonical

Canonical = tuple[Cell, ...]


def disagreement(sql: Answer, plan: Rows, outputs: Sequence[Output], order: Sequence[Output]) -> str | None:
    """In what the plan's rows are not what SQL promises, without any value; None where they are."""
    if len(plan.values) != len(sql.rows.values):
        return f"{_count(sql.rows)} by SQL, {_count(plan)} by the plan"
    if any(len(row) != len(outputs) for row in (*sql.rows.values, *plan.values)):
        return "the two sides return different numbers of columns"
    due, found = _keys(sql.rows, order), _keys(plan, order)
    if due != found:
        first = next(n for n, pair in enumerate(zip(due, found, strict=True)) if pair[0] != pair[1])
        return f"the order differs from row {first + 1} on ({', '.join(o.name for o in order)})"
    may_be = _groups(sql.choice or sql.rows, outputs, order)
    for key, rows in _groups(plan, outputs, order).items():
        extra = rows - may_be.get(key, Counter())
        if extra:
            return _described(extra, may_be.get(key, Counter()) - rows, outputs)
    return None


def _count(rows: Rows) -> str:
    return f"{len(rows.values)} row{'' if len(rows.values) == 1 else 's'}"


def _keys(rows: Rows, order: Sequence[Output]) -> list[Canonical]:
    """The values that order the rows; a statement without an order has none, and all its rows tie."""
    if not order:
        return [()] * len(rows.values)
    return [tuple(canonical(v, o) for v, o in zip(key, order, strict=True)) for key in rows.keys]


def _groups(
    rows: Rows, outputs: Sequence[Output], order: Sequence[Output]
) -> dict[Canonical, Counter[Canonical]]:  # fmt: skip
    """The rows that tie, as multisets."""
    found: dict[Canonical, Counter[Canonical]] = {}
    for key, row in zip(_keys(rows, order), rows.values, strict=True):
        found.setdefault(key, Counter())[tuple(canonical(v, o) for v, o in zip(row, outputs, strict=True))] += 1
    return found


def _described(extra: Counter[Canonical], lacking: Counter[Canonical], outputs: Sequence[Output]) -> str:
    """Which columns tell the rows apart that only one side has, and what kind of values they hold there."""
    differing = [
        f"{output.name}: {kinds(row[n] for row in lacking)} by SQL, {kinds(row[n] for row in extra)} by the plan"
        for n, output in enumerate(outputs)
        if Counter(row[n] for row in extra.elements()) != Counter(row[n] for row in lacking.elements())
    ]
    rows = f"{extra.total()} row{'' if extra.total() == 1 else 's'} differ{'s' if extra.total() == 1 else ''}"
    return f"{rows} in {'; '.join(differing[:3])}" if differing else f"{rows} in how columns go together"


def kinds(values: Iterator[Cell]) -> str:
    """What some values are, without showing them: NULL, numbers, or texts with their lengths."""
    found = list(values)
    words = ["NULL"] if None in found else []
    lengths = sorted({len(v) for v in found if isinstance(v, str | bytes)})
    if lengths:
        words.append(f"{lengths[0]} characters" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]} characters")
    if any(v is not None and not isinstance(v, str | bytes) for v in found):
        words.append("a number")
    return " or ".join(words) or "nothing"
