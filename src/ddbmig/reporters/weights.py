"""How heavy a pattern or table is in the workload: its logged calls. Sums only; the order of every report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ddbmig.model.pattern import AccessPattern
from ddbmig.model.snapshot import Snapshot
from ddbmig.reporters.markdown import Markup, code
from ddbmig.reporters.pages import say


@dataclass(frozen=True)
class Weights:
    """Logged calls of every access pattern and table."""

    patterns: Mapping[str, AccessPattern]
    calls: Mapping[str, int]
    """By pattern id."""
    table_calls: Mapping[str, int]
    """By table id: calls of the patterns that touch it."""

    @property
    def total(self) -> int:
        """Calls of all access patterns."""
        return sum(self.calls.values())

    def share(self, patterns: Iterable[str]) -> float:
        """Share of all calls that these patterns have."""
        return sum(self.calls.get(key, 0) for key in patterns) / self.total if self.total else 0.0

    def by_calls(self, patterns: Iterable[str]) -> list[str]:
        """Pattern ids, the heaviest first."""
        return sorted(patterns, key=lambda key: (-self.calls.get(key, 0), key))

    def tables_by_calls(self, tables: Iterable[str]) -> list[str]:
        """Table ids, the heaviest first."""
        return sorted(tables, key=lambda key: (-self.table_calls.get(key, 0), key))

    def label(self, pattern: str) -> Markup:
        """A pattern as people know it: its name and id."""
        found = self.patterns.get(pattern)
        return say("{} ({})", code(found.name), pattern) if found else code(pattern)


def weights_of(snapshot: Snapshot) -> Weights:
    """The weights that the digest gives."""
    logged = {template.id: template.calls for template in snapshot.digest.templates}
    calls = {pattern.id: logged.get(pattern.template, 0) for pattern in snapshot.patterns}
    tables = {table.id: 0 for table in snapshot.tables.tables}
    for pattern in snapshot.patterns:
        for table in sorted({ref.table for ref in pattern.refs}):
            tables[table] = tables.get(table, 0) + calls[pattern.id]
    return Weights({pattern.id: pattern for pattern in snapshot.patterns}, calls, tables)
