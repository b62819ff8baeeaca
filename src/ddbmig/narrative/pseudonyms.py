"""Names of tables, columns and indexes as `table_1`, `column_2`, `index_3`: put in before anything is sent, and back
into what comes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ddbmig.model.design import Design
from ddbmig.model.snapshot import Snapshot
from ddbmig.narrative.facts import Facts, Figure, Statement


@dataclass(frozen=True)
class Pseudonyms:
    """Each name with what stands for it; no two share one."""

    of: Mapping[str, str]

    def put_in(self, text: str) -> str:
        """A text with every name replaced."""
        return _replaced(text, self.of)

    def put_back(self, text: str) -> str:
        """A text with every name as it was."""
        return _replaced(text, {new: old for old, new in self.of.items()})

    def hide(self, facts: Facts) -> Facts:
        """Facts in which no name stands as it is."""
        return facts.model_copy(
            update={
                "section": self.put_in(facts.section),
                "title": self.put_in(facts.title),
                "about": self.put_in(facts.about),
                "figures": tuple(self._figure(one) for one in facts.figures),
                "statements": tuple(self._statement(one) for one in facts.statements),
                "names": tuple(sorted(self.put_in(name) for name in facts.names)),
            }
        )

    def _figure(self, one: Figure) -> Figure:
        return one.model_copy(update={"name": self.put_in(one.name), "of": self.put_in(one.of)})

    def _statement(self, one: Statement) -> Statement:
        texts = {"name": one.name, "text": one.text, "of": one.of}
        return one.model_copy(update={key: self.put_in(text) for key, text in texts.items()})


NO_PSEUDONYMS = Pseudonyms({})


def pseudonyms_of(snapshot: Snapshot, design: Design) -> Pseudonyms:
    """Pseudonyms for every name of the schema and of the designs, numbered in the order of the names."""
    tables, columns, indexes = set[str](), set[str](), set[str]()
    for table in snapshot.tables.tables:
        tables |= {*table.id.split("."), table.id, table.name}
        columns |= {column.name for column in table.columns}
        indexes |= {index.name for index in table.indexes} | {key.name for key in table.foreign_keys if key.name}
    for alternative in design.alternatives:
        for made in alternative.tables:
            tables.add(made.name)
            columns |= set(made.attributes)
            indexes |= {index.name for index in made.indexes}
    named = [("table", tables), ("column", columns - tables), ("index", indexes - tables - columns)]
    return Pseudonyms({name: f"{kind}_{number}" for kind, names in named for number, name in _numbered(names)})


def _numbered(names: Iterable[str]) -> Iterable[tuple[int, str]]:
    return enumerate(sorted(name for name in names if name), 1)


def _replaced(text: str, by: Mapping[str, str]) -> str:
    """Whole names only, the longest first, in one pass: what was put in is not replaced again."""
    if not by:
        return text
    longest_first = sorted(by, key=lambda name: (-len(name), name))
    pattern = "|".join(map(re.escape, longest_first))
    return re.sub(rf"(?<![\w$])(?:{pattern})(?![\w$])", lambda found: by[found[0]], text)
