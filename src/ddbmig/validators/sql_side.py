"""The SQL side of the proof: what one must offer, and how a template is asked so that it tells all that is compared.

A SELECT is asked with more outputs than it has: behind its own stand the columns, aggregates and existence tests that
the plan delivers, and the columns it is ordered by. So both sides give the same columns, whatever expressions the
client computes of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ddbmig.model.condition import ColumnRef
from ddbmig.model.encodings import Cell
from ddbmig.model.pattern import AccessPattern, Aggregate
from ddbmig.model.placeholders import number_placeholders
from ddbmig.model.schema import Schema
from ddbmig.validators.outputs import Answer, Rows, mark_refs

if TYPE_CHECKING:
    from sqlglot import exp

Row = dict[str, Cell]
RawRow = tuple[Cell, ...]
Parameters = Mapping[int, Cell | tuple[Cell, ...]]


class NotRun(Exception):
    """The SQL side cannot run this statement; the message names the reason without any literal."""


class Refused(Exception):
    """SQL refuses these parameters for what DynamoDB does not check; the message holds no literal."""


class SqlSide(Protocol):
    """The source rows in a database, and templates run on them."""

    @property
    def name(self) -> str:
        """As reports name it."""

    @property
    def known_differences(self) -> tuple[str, ...]:
        """In what it may differ from the application's MySQL, one sentence each."""

    def load(self, rows: Iterable[tuple[str, Sequence[Cell]]], limit: int) -> dict[str, int]:
        """Keep up to `limit` rows of each table; returns how many rows of each table there were."""

    def index(self, table_id: str, columns: Sequence[str]) -> None:
        """Make look-ups by these columns fast."""

    def count(self, table_id: str) -> int:
        """Rows of a table."""

    def rows(self, table_id: str) -> Iterator[Row]:
        """Every row, in an order that stays."""

    def raw(self, table_id: str) -> Iterator[RawRow]:
        """Every row as a tuple, in no order."""

    def row(self, table_id: str, raw: RawRow) -> Row:
        """A row of `raw` by column."""

    def nth(self, table_id: str, position: int) -> Row | None:
        """The row at a position of that order."""

    def where(self, table_id: str, values: Mapping[str, Cell]) -> list[Row]:
        """The rows that have these values."""

    def match(self, table_id: str, values: Mapping[str, Cell]) -> Row | None:
        """The first of them, if any."""

    def present(self, table_id: str, column: str, limit: int) -> list[Cell]:
        """The first distinct values of a column in its order, NULL apart, and the last."""

    def largest(self, table_id: str, column: str) -> int:
        """The largest number in a column, 0 without one."""

    def answer(self, pattern: AccessPattern, params: Parameters) -> Answer:
        """What a template returns or changes with these parameters. Raises NotRun and Refused."""

    def differences(self, pattern: AccessPattern) -> tuple[str, ...]:
        """Which of the known differences may touch a pattern."""

    def begin(self) -> None:
        """From here on all changes can be undone."""

    def keep(self) -> None:
        """Keep the changes since `begin`."""

    def undo(self) -> None:
        """Undo the changes since `begin`."""

    def close(self) -> None:
        """Free the rows."""


@dataclass(frozen=True)
class Asked:
    """The statement to run for a template, in MySQL's dialect with placeholders `:p0`, `:p1`, …

    `outputs` and `keys` are how many of its last columns are compared, and how many behind those order the rows.
    `unlimited` is the same without LIMIT: all rows that a LIMIT may choose from; None where there is no LIMIT.
    """

    statement: str
    unlimited: str | None
    outputs: int
    keys: int

    def rows(self, found: Sequence[Sequence[Cell]]) -> Rows:
        """The rows of the statement's answer, cut to what is compared."""
        end = self.outputs + self.keys
        tails = [tuple(row)[len(row) - end :] for row in found]
        return Rows(tuple(t[: self.outputs] for t in tails), tuple(t[self.outputs :] for t in tails))


def ask(pattern: AccessPattern, schema: Schema) -> Asked:
    """How a SELECT is asked. Raises NotRun where the statement does not parse."""
    import sqlglot  # heavy, and only the validation needs it here
    from sqlglot.errors import SqlglotError

    numbered, _ = number_placeholders(pattern.sql)
    try:
        tree = sqlglot.parse_one(numbered, dialect="mysql")
        extra = _outputs(pattern, tree)
        if pattern.distinct and not all(_determined(pattern, schema, t.column) for t in pattern.order):
            raise NotRun("DISTINCT is ordered by a column that its rows do not determine")
        keys = [_column(pattern, t.column.ref, t.column.column) for t in pattern.order]
        _name_positions(tree)
        tree.set("expressions", [*tree.expressions, *extra, *keys])
        statement, unlimited = tree.sql("mysql"), None
        if pattern.limit is not None:
            tree.set("limit", None)
            tree.set("offset", None)
            unlimited = tree.sql("mysql")
    except SqlglotError as error:
        raise NotRun("the statement is not understood") from error
    return Asked(statement, unlimited, len(extra), len(keys))


def _determined(pattern: AccessPattern, schema: Schema, column: ColumnRef) -> bool:
    """Whether the returned columns settle the value of another: they hold it, or the primary key of its row."""
    key = schema.table(pattern.refs[column.ref].table).primary_key
    returned = {c.column for c in pattern.reads if c.ref == column.ref}
    return column.column in returned or (bool(key) and set(key) <= returned)


def _outputs(pattern: AccessPattern, tree: "exp.Expr") -> "list[exp.Expr]":
    """The columns, aggregates and existence tests that a plan delivers, in the order in which it does."""
    columns = [_column(pattern, c.ref, c.column) for c in pattern.reads]
    return [*columns, *(_aggregate(pattern, a) for a in pattern.aggregates), *_marks(pattern, tree)]


def _column(pattern: AccessPattern, ref: int, name: str) -> "exp.Expr":
    from sqlglot import exp

    return exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier(pattern.refs[ref].alias, True))


def _aggregate(pattern: AccessPattern, aggregate: Aggregate) -> "exp.Expr":
    from sqlglot import exp

    functions: dict[str, type[exp.Expr]] = {
        "count": exp.Count, "sum": exp.Sum, "min": exp.Min, "max": exp.Max, "avg": exp.Avg,
    }  # fmt: skip
    column = aggregate.column
    inner = exp.Star() if column is None else _column(pattern, column.ref, column.column)
    return functions[aggregate.function](this=exp.Distinct(expressions=[inner]) if aggregate.distinct else inner)


def _marks(pattern: AccessPattern, tree: "exp.Expr") -> "list[exp.Expr]":
    """The existence tests among the outputs, without the NOT that may stand before them."""
    from sqlglot import exp

    found: list[exp.Expr] = []
    for item in tree.expressions:
        test = item.unalias()
        while isinstance(test, exp.Paren | exp.Not):
            test = test.this
        if isinstance(test, exp.Exists):
            found.append(test.copy())
    if len(found) != len(mark_refs(pattern)):
        raise NotRun("an existence test in the output list is not understood")
    return found


def _name_positions(tree: "exp.Expr") -> None:
    """GROUP BY 1 and ORDER BY 1 have become a placeholder, which orders nothing: the only output is named instead."""
    from sqlglot import exp

    clauses = [clause for key in ("group", "order") if (clause := tree.args.get(key)) is not None]
    for placeholder in [p for clause in clauses for p in clause.find_all(exp.Placeholder)]:
        if isinstance(placeholder.parent, exp.Group | exp.Ordered) and len(tree.expressions) == 1:
            placeholder.replace(tree.expressions[0].unalias().copy())
