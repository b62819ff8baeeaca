"""Which tables are related: by declared foreign keys, by what queries join, and by how columns are named."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from ddbmig.model.assessment import EvidenceSource, ManyToMany, Relationship
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.schema import Column, Schema, Table

Pairs = tuple[tuple[str, str], ...]
"""(child column, parent column) pairs."""

_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
_STRINGS = frozenset({"char", "varchar"})
_TIMES = frozenset({"date", "datetime", "timestamp", "time", "year"})


@dataclass
class _Link:
    """A child and a parent with the column pairs that relate them, and why."""

    child: Table
    parent: Table
    pairs: Pairs
    declared: list[str] = field(default_factory=list)
    joined_by: set[str] = field(default_factory=set)
    naming: str = ""


class _Links:
    """The relationships found so far, each once."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str, frozenset[tuple[str, str]]], _Link] = {}

    def get(self, child: Table, parent: Table, pairs: Pairs) -> _Link:
        key = (child.id, parent.id, frozenset(pairs))
        return self.found.setdefault(key, _Link(child, parent, pairs))


def find_relationships(
    schema: Schema, patterns: Iterable[AccessPattern], calls: Mapping[str, int]
) -> tuple[tuple[Relationship, ...], tuple[ManyToMany, ...]]:
    """The relationships of a schema, ordered by id, and the many-to-many ones that join tables resolve.

    `calls` are the logged calls by pattern id. An equality join is a relationship where one side is a whole primary or
    unique key: that side is the parent. A name alone is evidence only where it can mean one table, of a fitting type.
    """
    tables = {table.id: table for table in schema.tables}
    links = _Links()
    _declared(links, tables)
    for pattern in sorted(patterns, key=lambda pattern: pattern.id):
        _joined(links, tables, pattern)
    _named(links, schema.tables)
    found = sorted((_relationship(link, calls) for link in links.found.values()), key=lambda item: item.id)
    return tuple(found), tuple(_many_to_many(schema.tables, found))


def _declared(links: _Links, tables: Mapping[str, Table]) -> None:
    for table in tables.values():
        for key in table.foreign_keys:
            parent = tables.get(key.parent)
            if parent is None or not all(parent.has_column(name) for name in key.parent_columns):
                continue  # the parent is not among the files; the schema's own problems say so
            pairs = tuple(
                (table.column(own).name, parent.column(other).name)
                for own, other in zip(key.columns, key.parent_columns, strict=True)
            )
            links.get(table, parent, pairs).declared.append(key.name)


def _joined(links: _Links, tables: Mapping[str, Table], pattern: AccessPattern) -> None:
    """Note the joins of one pattern, column pairs between the same two references taken together."""
    between: dict[tuple[int, int], set[tuple[str, str]]] = {}
    for join in pattern.joins:
        for left, right in join.on:
            between.setdefault((left.ref, right.ref), set()).add((left.column, right.column))
    for (later, earlier), columns in sorted(between.items()):
        one, other = (tables.get(pattern.refs[ref].table) for ref in (later, earlier))
        if one is not None and other is not None:
            _note_join(links, one, other, columns, pattern.id)


def _note_join(links: _Links, one: Table, other: Table, columns: set[tuple[str, str]], pattern: str) -> None:
    mirrored = {(right, left) for left, right in columns}
    ways = [
        (child, parent, pairs)
        for child, parent, given in ((one, other, columns), (other, one, mirrored))
        if (pairs := _onto_key(parent, given)) and not (child is parent and all(a == b for a, b in pairs))
    ]
    if len(ways) == 2:
        ways = [min(ways, key=lambda way: (_gives_own_keys(way[0], way[2]), way[0].id, way[2]))]
    for child, parent, pairs in ways:
        links.get(child, parent, pairs).joined_by.add(pattern)


def _onto_key(parent: Table, columns: Iterable[tuple[str, str]]) -> Pairs:
    """The pairs that cover the parent's primary or a unique key, in the order of the key; empty if none does."""
    given = {parent_column: child_column for child_column, parent_column in sorted(columns, reverse=True)}
    for key in _keys(parent):
        if set(key) <= given.keys():
            return tuple((given[name], name) for name in key)
    return ()


def _keys(table: Table) -> list[tuple[str, ...]]:
    keys = [table.primary_key, *(index.columns for index in table.unique_keys())]
    return [key for key in keys if key and all(table.has_column(name) for name in key)]


def _gives_own_keys(child: Table, pairs: Pairs) -> int:
    """How unlike a child the table is in a 1:1 relationship: 2 if the server numbers its rows, 1 if by its own key."""
    columns = tuple(own for own, _ in pairs)
    if any(child.column(name).auto_increment for name in columns):
        return 2
    return int(set(columns) == set(child.primary_key))


def _named(links: _Links, tables: Sequence[Table]) -> None:
    """Note columns whose name means the primary key of another table, or strengthen what is known already."""
    names = _TableNames(tables)
    for table in tables:
        for column in table.columns:
            rule, parent = _named_parent(table, column, names)
            if parent is None or not _fits(column, parent.column(parent.primary_key[0])):
                continue
            pairs = ((column.name, parent.column(parent.primary_key[0]).name),)
            elsewhere = any(
                link.child is table and any(own == column.name for own, _ in link.pairs) and link.parent is not parent
                for link in links.found.values()
            )
            if not elsewhere:
                links.get(table, parent, pairs).naming = rule


class _TableNames:
    """What table a word in a column name means; None where none does, or more than one."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.prefix = _common_prefix([table.name for table in tables])
        self.tables = tables
        self._whole: dict[str, list[Table]] = {}
        self._last: dict[str, list[Table]] = {}
        for table in tables:
            self._whole.setdefault(self.of(table), []).append(table)
            self._last.setdefault(self.of(table).partition("_")[2], []).append(table)

    def of(self, table: Table) -> str:
        """The stem of the table's name, without the prefix that most tables share."""
        return stem(snake_case(table.name).removeprefix(self.prefix))

    def meant(self, word: str, child: Table) -> Table | None:
        """The table called `word`; else `<app>_word` in the child's own app; else the only `<app>_word` there is."""
        word = stem(word)
        app = self.of(child).partition("_")[0]
        for found in (self._whole.get(word), self._whole.get(f"{app}_{word}"), self._last.get(word)):
            if found:
                return found[0] if len(found) == 1 else None
        return None


def _common_prefix(names: Sequence[str]) -> str:
    """`wp_` where at least three tables, and two of three, begin with it."""
    prefixes = Counter(name.split("_")[0] + "_" for name in (snake_case(name) for name in names) if "_" in name)
    for prefix, count in sorted(prefixes.items(), key=lambda item: (-item[1], item[0])):
        if count >= 3 and 3 * count >= 2 * len(names):
            return prefix
    return ""


def _named_parent(table: Table, column: Column, names: _TableNames) -> tuple[str, Table | None]:
    """The naming rule that matches a column, and the table that it means; None where no rule or no one table does."""
    if table.primary_key == (column.name,) and column.auto_increment:
        return "", None
    name = snake_case(column.name)
    own = _without_table(name.removesuffix("_id"), names.of(table))
    if (name == "parent_id" or (own == "parent" and own != name)) and len(table.primary_key) == 1:
        return f"{column.name} names a row of the same table", table
    if not name.endswith("_id"):
        return "", None
    for word in dict.fromkeys((name.removesuffix("_id"), own)):
        parent = names.meant(word, table)
        if parent is not None and parent is not table and len(parent.primary_key) == 1:
            return f"{column.name} is named after the table {parent.name}", parent
    keyed = [
        other for other in names.tables if len(other.primary_key) == 1 and snake_case(other.primary_key[0]) == name
    ]
    if len(keyed) == 1 and keyed[0] is not table:
        return f"{column.name} is named like the primary key of {keyed[0].name}", keyed[0]
    return "", None


def _without_table(name: str, own: str) -> str:
    """`comment_post` as `post` in a table whose stem is `comment`."""
    words = name.split("_")
    for count in range(1, len(words)):
        if stem("_".join(words[:count])) == own:
            return "_".join(words[count:])
    return name


def snake_case(name: str) -> str:
    """`customerID`, `CustomerId` and `customer_id` as `customer_id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def stem(name: str) -> str:
    """What the singular and the plural of an English name share: `categori` of category and categories."""
    bare = name.rstrip("es") or name
    return bare[:-1] + "i" if bare.endswith("y") else bare


def _fits(child: Column, parent: Column) -> bool:
    """Whether every value of one column could be a value of the other."""
    for family in (_INTEGERS, _STRINGS):
        if child.type in family and parent.type in family:
            return True
    return (child.type, child.length) == (parent.type, parent.length)


def _relationship(link: _Link, calls: Mapping[str, int]) -> Relationship:
    own, other = tuple(pair[0] for pair in link.pairs), tuple(pair[1] for pair in link.pairs)
    one_to_one = any(set(key) <= set(own) for key in _keys(link.child))
    return Relationship(
        id=f"{link.child.id}.{','.join(own)}->{link.parent.id}.{','.join(other)}",
        child=link.child.id,
        child_columns=own,
        parent=link.parent.id,
        parent_columns=other,
        cardinality="1:1" if one_to_one else "1:N",
        evidence=tuple(_evidence(link, calls)),
    )


def _evidence(link: _Link, calls: Mapping[str, int]) -> Iterator[EvidenceSource]:
    for name in sorted(link.declared):
        yield EvidenceSource(kind="declared", detail=f"foreign key {name}" if name else "foreign key")
    if link.joined_by:
        total = sum(calls.get(pattern, 0) for pattern in link.joined_by)
        count = len(link.joined_by)
        detail = f"joined on these columns by {count} access pattern{'s' if count > 1 else ''}"
        yield EvidenceSource(kind="join", detail=detail, calls=total)
    if link.naming:
        yield EvidenceSource(kind="naming", detail=link.naming)


def _many_to_many(tables: Iterable[Table], relationships: Sequence[Relationship]) -> Iterator[ManyToMany]:
    """Join tables: a key of exactly the columns of two relationships, or nothing but two relationships and ids."""
    for table in sorted(tables, key=lambda table: table.id):
        own = [item for item in relationships if item.child == table.id and item.cardinality == "1:N"]
        for left, right in combinations(own, 2):
            columns = set(left.child_columns) | set(right.child_columns)
            if len(columns) != len(left.child_columns) + len(right.child_columns):
                continue
            rest = [column for column in table.columns if column.name not in columns]
            others = [column for column in rest if not column.auto_increment]
            bare = len(own) == 2 and all(column.type in _TIMES for column in others)
            if bare or any(set(key) == columns for key in _keys(table)):
                yield ManyToMany(join_table=table.id, left=left.id, right=right.id, pure=not others)
