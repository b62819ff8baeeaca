"""Parameters for templates, sampled from the source rows: seeded, so that the same seed asks the same questions.

A witness is one row per table reference, joined as the statement joins; the parameters are taken from it, so that the
statement finds something. Fresh values are made for keys that an INSERT gives.
"""

import random
from collections.abc import Mapping
from decimal import Decimal

from ddbmig.model.condition import All, AnyOf, Call, ColumnRef, Compare, Condition, Not, Param
from ddbmig.model.encodings import Cell
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.schema import Column, Schema
from ddbmig.validators.evaluate import Evaluator, NotEvaluated, Row, shifted
from ddbmig.validators.sql_side import SqlSide

ATTEMPTS = 12
References = Mapping[tuple[str, str], tuple[str, str]]
"""(table id, column) of a child -> (table id, column) of the parent that it refers to."""
Sample = Mapping[int, Cell | tuple[Cell, ...]]


class Sampler:
    """Samples parameter sets for one pattern."""

    def __init__(
        self, pattern: AccessPattern, schema: Schema, source: SqlSide, seed: int, references: References
    ) -> None:
        self._pattern, self._schema, self._source, self._references = pattern, schema, source, references
        self._random = random.Random(f"{seed}:{pattern.id}")  # noqa: S311  # a reproducible sample, not a secret
        self._uses: dict[int, Compare] = {}
        self._lists: set[int] = set()
        """Placeholders that stand for a list."""
        self._note(pattern.where)
        for join in pattern.joins:
            self._note(join.extra)
        self._stored = {
            a.value.index: a.column for a in (*pattern.assignments, *pattern.on_duplicate) if isinstance(a.value, Param)
        }

    def _note(self, condition: Condition) -> None:
        """Which comparison each placeholder takes part in."""
        if isinstance(condition, All | AnyOf):
            for item in condition.items:
                self._note(item)
        elif isinstance(condition, Not):
            self._note(condition.item)
        elif isinstance(condition, Compare):
            for term in (condition.left, *condition.right):
                if isinstance(term, Param):
                    self._uses[term.index] = condition
                    self._lists |= {term.index} if term.many else set()

    def use(self, index: int) -> Compare | None:
        """The comparison that a placeholder takes part in; None where its value is stored or computed with."""
        return self._uses.get(index)

    def sample(self) -> Sample:
        """One set of parameters; for an INSERT one that meets no row already there, if that can be found."""
        for _ in range(ATTEMPTS):
            found = self._once()
            if self._pattern.insert_mode not in ("insert", "ignore") or not self._taken(found):
                break
        return found

    def _once(self) -> Sample:
        witness = self._witness()
        found: dict[int, Cell | tuple[Cell, ...]] = {}
        for index, column in enumerate(self._pattern.params):
            found[index] = self._value(index, column, witness)
        limit = self._pattern.limit
        if limit is not None:
            if limit.row_param is not None:
                found[limit.row_param] = limit.rows or 10
            if limit.offset_param is not None:
                found[limit.offset_param] = 0
        return found

    def _taken(self, found: Sample) -> bool:
        """Whether a unique key of the row to insert is there already."""
        table = self._schema.table(self._pattern.refs[0].table)
        given: dict[str, Cell] = {}
        for index, column in self._stored.items():
            value = found[index]
            if not isinstance(value, tuple):
                given[table.column(column).name] = value
        keys = [table.primary_key, *(u.columns for u in table.unique_keys())]
        whole = [key for key in keys if key and set(key) <= set(given)]
        return any(self._source.match(table.id, {c: given[c] for c in key}) is not None for key in whole)

    def _witness(self) -> dict[int, Row]:
        best: dict[int, Row] = {}
        for _ in range(ATTEMPTS):
            found = self._joined()
            if len(found) > len(best):
                best = found
            if len(best) == len(self._pattern.refs):
                break
        return best

    def _joined(self) -> dict[int, Row]:
        """Random rows that satisfy the joins: start at the smallest table, follow the equalities."""
        refs = self._pattern.refs
        counts = [(self._source.count(ref.table), n) for n, ref in enumerate(refs)]
        occupied = [entry for entry in counts if entry[0]]
        if not occupied:
            return {}
        inner = {j.ref for j in self._pattern.joins if j.kind in ("semi", "anti", "mark", "left")}
        _, first = min([e for e in occupied if e[1] not in inner] or occupied)
        row = self._source.nth(refs[first].table, self._random.randrange(counts[first][0]))
        found: dict[int, Row] = {first: row} if row is not None else {}
        pairs = [pair for join in self._pattern.joins for pair in join.on]
        for _ in refs:
            for n, ref in enumerate(refs):
                values = self._join_values(n, pairs, found)
                if n in found or not values:
                    continue
                match = self._source.match(ref.table, values)
                if match is not None:
                    found[n] = match
        for n, ref in enumerate(refs):
            if n not in found and counts[n][0]:
                row = self._source.nth(ref.table, self._random.randrange(counts[n][0]))
                if row is not None:
                    found[n] = row
        return found

    def _join_values(
        self, ref: int, pairs: list[tuple[ColumnRef, ColumnRef]], found: Mapping[int, Row]
    ) -> dict[str, Cell]:
        values: dict[str, Cell] = {}
        for own, other in (*pairs, *((b, a) for a, b in pairs)):
            if own.ref == ref and other.ref in found and found[other.ref].get(other.column) is not None:
                values[own.column] = found[other.ref][other.column]
        return values

    def _value(self, index: int, column: ColumnRef | None, witness: Mapping[int, Row]) -> Cell | tuple[Cell, ...]:
        use = self._uses.get(index)
        if use is not None and isinstance(use.left, Call):
            computed = self._computed(use.left, witness)
            if computed is not None:
                return computed
        if column is None:
            return 1
        definition = self._schema.table(self._pattern.refs[column.ref].table).column(column.column)
        if use is None and index in self._stored:
            return self._written(definition, column, witness)
        value = witness[column.ref].get(column.column) if column.ref in witness else None
        if value is None:
            value = self._other(column)
        if value is None:
            value = _placeholder(definition)
        if index in self._lists:
            other = self._other(column)
            return (value,) if other is None or other == value else (value, other)
        if use is not None and use.op in ("like", "not like"):
            return str(value)[:3] + "%"
        if use is not None and use.op in ("!=", "not in"):
            return _nudged(value, 1)
        if use is not None and use.op in ("<", ">") and use.left == column:
            return _nudged(value, 1 if use.op == "<" else -1)
        return value

    def _computed(self, call: Call, witness: Mapping[int, Row]) -> Cell:
        """What a function of the statement gives for the witness; None where it cannot be computed."""
        try:
            return Evaluator({}, {}).value(call, dict(witness))
        except (NotEvaluated, KeyError):
            return None

    def _other(self, column: ColumnRef) -> Cell:
        """The value of another random row."""
        table = self._pattern.refs[column.ref].table
        count = self._source.count(table)
        for _ in range(ATTEMPTS if count else 0):
            row = self._source.nth(table, self._random.randrange(count))
            if row is not None and row.get(column.column) is not None:
                return row[column.column]
        return None

    def _written(self, definition: Column, column: ColumnRef, witness: Mapping[int, Row]) -> Cell:
        """A value to store: of another row, but fresh where the column takes part in a unique key."""
        table = self._schema.table(self._pattern.refs[0].table)
        keys = [table.primary_key, *(u.columns for u in table.unique_keys())]
        if any(definition.name in key for key in keys) and not self._refers(definition.name):
            return self._fresh(definition)
        value = self._parent_value(definition.name)
        if value is None:
            value = self._other(column)
        return _placeholder(definition) if value is None else value

    def _parent_value(self, column: str) -> Cell:
        """The value of a random parent for a column that refers to one."""
        found = self._references.get((self._pattern.refs[0].table, column))
        if found is None:
            return None
        parent, parent_column = found
        count = self._source.count(parent)
        row = self._source.nth(parent, self._random.randrange(count)) if count else None
        return None if row is None else row[parent_column]

    def _refers(self, column: str) -> bool:
        """Whether the values of a column must exist elsewhere."""
        return (self._pattern.refs[0].table, column) in self._references

    def _fresh(self, column: Column) -> Cell:
        table = self._pattern.refs[0].table
        if column.type in ("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year"):
            return self._source.largest(table, column.name) + 1 + self._random.randrange(3)
        if column.type in ("date", "datetime", "timestamp"):
            return _placeholder(column)
        text = f"new{self._random.randrange(10**9):09d}"
        fitting = text[: column.length] if column.length else text
        return fitting.encode() if column.type in ("binary", "varbinary", "blob") else fitting


def _nudged(value: Cell, step: int) -> Cell:
    """A value a little beyond, so that a strict comparison with it holds for the row it came from."""
    if isinstance(value, int | Decimal):
        return value + step
    try:
        return shifted(value, step, "DAY") if isinstance(value, str) else value
    except (ValueError, OverflowError):
        return f"{value}~" if step > 0 and isinstance(value, str) else value


def _placeholder(column: Column) -> Cell:
    """Any legal value of a type."""
    if column.type in ("tinyint", "smallint", "mediumint", "int", "bigint", "bit"):
        return 1
    if column.type == "decimal":
        return Decimal(1)
    if column.type in ("float", "double"):
        return 1.0
    if column.type == "enum" and column.values:
        return column.values[0]
    moment = "2026-01-01 00:00:00"
    dates: dict[str, Cell] = {"date": moment[:10], "datetime": moment, "timestamp": moment, "time": "00:00:00"}
    dates |= {"year": 2026, "json": "{}"}
    if column.type in dates:
        return dates[column.type]
    return b"x" if column.type in ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob") else "x"
