"""How unevenly the calls of an access pattern meet the keys of a table or GSI, by what is known of the values.

Known are the values that the logs ask for (`KeyValues`: the heaviest by keyed hash), and how the rows spread over the
values of a column. What is not known is taken to be even.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

from ddbmig.engine.sizes import Sizes
from ddbmig.model.condition import ColumnRef, Constant, Param, Term
from ddbmig.model.design import TableDesign
from ddbmig.model.digest import KeyValues, TemplateDigest
from ddbmig.model.pattern import AccessPattern

SURE = 3.0
"""Standard errors that a value must lie above an even spread to count as hot: few calls make no celebrity."""


@dataclass(frozen=True)
class Skew:
    """Shares of single keys by their names, and over how many other keys the rest is spread evenly."""

    heavy: Mapping[str, float] = field(default_factory=dict)
    others: float = 1.0

    @property
    def top(self) -> float:
        """The largest share of one key."""
        rest = 1.0 - sum(self.heavy.values())
        return max(*self.heavy.values(), rest / max(1.0, self.others), 0.0) if self.heavy else 1 / max(1.0, self.others)

    def with_celebrity(self, share: float) -> "Skew":
        """The same with one more key that takes `share` of all calls."""
        return Skew({"the celebrity": share} | {key: part * (1 - share) for key, part in self.heavy.items()},
                    max(1.0, self.others))  # fmt: skip


@dataclass(frozen=True)
class KeySource:
    """What knows the values that one access pattern gives."""

    pattern: AccessPattern
    tables: Sequence[str]
    """By reference number, the id of its table, those of the plan's support too."""
    template: TemplateDigest | None
    sizes: Sizes

    def of_terms(self, table: TableDesign, terms: Mapping[str, Term]) -> Skew:
        """The skew of a key made of columns of the table's source, each with the term that gives its value, if any.

        Of several columns the one that spreads best counts: no key of them all is hotter than that.
        """
        if not terms:
            return Skew({"the only key": 1.0}, 0.0)
        source = table.source_table
        found = [self._of_column(source, column, term) for column, term in terms.items()]
        best = min(found, key=lambda skew: skew.top)
        distinct = self.sizes.distinct(source, terms)
        return Skew(best.heavy, max(best.others, distinct - len(best.heavy)))

    def of_new_rows(self, table: TableDesign, columns: Sequence[str]) -> Skew:
        """The skew of columns of rows that an INSERT adds."""
        given = {assignment.column.lower(): assignment.value for assignment in self.pattern.assignments}
        return self.of_rows(table, columns, given)

    def of_rows(self, table: TableDesign, columns: Sequence[str], given: Mapping[str, Term]) -> Skew:
        """The skew of columns whose values are those of rows, but for the ones that the statement gives."""
        own = {column: given.get(column.lower()) for column in columns}
        return self.of_terms(table, {c: t or ColumnRef(ref=-1, column=c) for c, t in own.items()})

    def _of_column(self, table: str, column: str, term: Term) -> Skew:
        distinct = self.sizes.distinct(table, (column,))
        if isinstance(term, Constant):
            return Skew({"a constant": 1.0}, 0.0)
        if isinstance(term, Param) and self.template is not None:
            values = self.template.values.get(str(term.index))
            return _asked(values, distinct) if values and values.total else Skew({}, distinct)
        if isinstance(term, ColumnRef):
            of, name = (table, column) if term.ref < 0 else (self.tables[term.ref], term.column)
            return self._stored(of, name)
        return Skew({}, distinct)

    def _stored(self, table: str, column: str) -> Skew:
        """How the rows spread over a column's values."""
        distinct = self.sizes.distinct(table, (column,))
        counted = self.sizes.column_statistics(table, column)
        if counted is None or counted.top_share is None or counted.top_share * distinct <= 1 or distinct < 1:
            return Skew({}, distinct)
        return Skew({f"the most frequent {column}": counted.top_share}, max(0.0, distinct - 1))


def _asked(values: KeyValues, distinct: float) -> Skew:
    """The values that are asked for more than an even spread would let chance explain.

    Asked for are also values that are not there: at least as many as it takes when none of those beyond `top`, which
    holds the heaviest, is asked for more than the last one in it.
    """
    beyond = values.total - sum(values.top.values())
    asked = len(values.top) + (beyond / min(values.top.values()) if values.top else beyond)
    distinct = max(distinct, asked)
    even = values.total / max(1.0, distinct)
    heavy = {
        key: min(1.0, calls / values.total)
        for key, calls in sorted(values.top.items())
        if calls - SURE * sqrt(calls) > even
    }
    total = sum(heavy.values())
    scaled = {key: share / max(1.0, total) for key, share in heavy.items()}
    return Skew(scaled, max(0.0, distinct - len(scaled)))
