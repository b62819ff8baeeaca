"""What of a MySQL schema does not map to DynamoDB by itself: found in the schema, nothing decided."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from ddbmig.model.schema import Column, ForeignKey, Schema, Table
from ddbmig.model.statistics import TableStatistics
from ddbmig.reporters.markdown import Markup, number
from ddbmig.reporters.pages import names, plural, say

_HARMLESS_ACTIONS = frozenset({"RESTRICT", "NO ACTION"})
_TRANSACTIONAL = frozenset({"innodb", "ndb", "ndbcluster", "tokudb", "rocksdb"})
_UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii", "binary"})
_TEXT = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
_ZERO_DATE = "0000-00-00"

Found = tuple[str, list[str], str]
"""Kind, names of the objects, and what it means."""


def unmapped(
    schema: Schema, statistics: Mapping[str, TableStatistics] = MappingProxyType({})
) -> tuple[tuple[Markup, Markup, Markup], ...]:
    """Rows (kind, objects, what it means) for the kinds that occur, in a fixed order."""
    return tuple(
        (say("{} ({})", kind, number(len(objects))), names(objects), Markup(meaning))
        for kind, objects, meaning in (
            *_objects(schema),
            *_tables(schema),
            *_columns(schema),
            *_values(schema, statistics),
        )
        if objects
    )


def _objects(schema: Schema) -> Iterator[Found]:
    meanings = {
        "view": "a query: its statements are access patterns only where the logs hold them",
        "trigger": "runs inside MySQL: the application, or a stream, must do it",
        "procedure": "runs inside MySQL: the application must do it",
        "function": "runs inside MySQL: the application must do it",
        "event": "a scheduled job: needs a scheduler of its own",
    }
    for kind, meaning in meanings.items():
        plural_kind = {"procedure": "stored procedures", "function": "stored functions"}.get(kind, f"{kind}s")
        yield plural_kind, [one.name for one in schema.objects if one.kind == kind], meaning


def _tables(schema: Schema) -> Iterator[Found]:
    def where(test: Callable[[Table], bool]) -> list[str]:
        return [table.id for table in schema.tables if test(table)]

    yield (
        "tables without primary key",
        where(lambda table: not table.primary_key),
        "rows have no identity: the key is a digest of the whole row",
    )
    yield (
        "tables of an engine without transactions",
        [f"{t.id} {t.engine}" for t in schema.tables if t.engine and t.engine.lower() not in _TRANSACTIONAL],
        "MySQL never kept their statements together, nor their foreign keys: rows may contradict each other already",
    )
    for kind, meaning in (
        ("fulltext", "no full-text search in DynamoDB"),
        ("spatial", "no spatial search in DynamoDB"),
    ):
        found = [f"{t.id}.{i.name}" for t in schema.tables for i in t.indexes if i.kind == kind]
        yield f"{kind.upper()} indexes", found, f"{meaning}: what uses it is routed"
    yield (
        "partitioned tables",
        where(lambda table: table.partition_by is not None),
        "MySQL's partitions have no counterpart; dropping one is a deletion of items",
    )
    cascades = [f"{t.id}.{key.name} {_actions(key)}" for t in schema.tables for key in t.foreign_keys if _actions(key)]
    yield "foreign keys that act", cascades, "DynamoDB does not: the application must change or delete the children"
    keys = [f"{t.id}.{c.name}" for t in schema.tables for c in _key_columns(t) if _ignores_case(t, c)]
    yield (
        "text keys compared without case",
        keys,
        "DynamoDB compares bytes: values that differ in case or accent only become different keys",
    )


def _actions(key: ForeignKey) -> str:
    acts = [("ON DELETE", key.on_delete), ("ON UPDATE", key.on_update)]
    return " ".join(f"{name} {action}" for name, action in acts if action.upper() not in _HARMLESS_ACTIONS)


def _key_columns(table: Table) -> Iterable[Column]:
    wanted = {*table.primary_key, *(column for index in table.unique_keys() for column in index.columns)}
    return [column for column in table.columns if column.name in wanted]


def _ignores_case(table: Table, column: Column) -> bool:
    """Whether a text column has a collation that ends in _ci: a declared one, or that of its declared character set,
    for the default of every set but `binary` is one."""
    if column.type not in _TEXT:
        return False
    collation = column.collation or (table.collation if column.charset is None else None)
    charset = column.charset or table.charset
    return collation.lower().endswith("_ci") if collation else charset is not None and charset.lower() != "binary"


def _foreign_charset(table: Table, column: Column) -> str | None:
    """The character set of a text column where UTF-8 is not a matter of course."""
    charset = (column.charset or table.charset or "").lower()
    return charset if column.type in _TEXT and charset and charset not in _UTF8 else None


def _columns(schema: Schema) -> Iterator[Found]:
    tests: tuple[tuple[str, Callable[[Column], bool], str], ...] = (
        ("generated columns", lambda c: c.generated is not None, "computed by MySQL: the writer must compute them"),
        ("ENUM and SET columns", lambda c: c.type in ("enum", "set"), "kept as text: nothing refuses another value"),
        (
            "AUTO_INCREMENT columns",
            lambda c: c.auto_increment,
            "DynamoDB counts for nobody: ids need another source, e.g. UUIDs or a counter item; as a sort key a number "
            "that only rises puts every new item at one end, a hot spot that DynamoDB cannot split",
        ),
        (
            "unsigned BIGINT columns",
            lambda c: c.type == "bigint" and c.unsigned,
            "fit a DynamoDB number; some client languages have no such integer",
        ),
        (
            "zero dates as default",
            lambda c: (c.default or "").strip("'\"").startswith(_ZERO_DATE),
            "no calendar date: most client libraries refuse it",
        ),
    )
    for kind, test, meaning in tests:
        yield kind, [f"{t.id}.{c.name}" for t in schema.tables for c in t.columns if test(c)], meaning


def _values(schema: Schema, statistics: Mapping[str, TableStatistics]) -> Iterator[Found]:
    """What stands in the rows, and how text is stored."""
    zero = [
        f"{table}.{name}"
        for table, found in sorted(statistics.items())
        for name, column in sorted(found.columns.items())
        if column.zero_dates
    ]
    yield "columns that hold zero dates", zero, "no calendar date: decide what becomes of those rows"
    charsets = [
        f"{table.id}.{column.name} {charset}"
        for table in schema.tables
        for column in table.columns
        if (charset := _foreign_charset(table, column))
    ]
    yield (
        "columns in another character set than UTF-8",
        charsets,
        "DynamoDB stores UTF-8: sizes grow, and what was stored under a wrong set comes out wrong",
    )


def keys_of(table: Table) -> Markup:
    """The keys of a table in one cell: primary key, and how many others of which kind."""
    primary = names(table.primary_key) if table.primary_key else Markup("no primary key")
    others = (("unique", "unique"), ("index", "index"), ("fulltext", "FULLTEXT"), ("spatial", "SPATIAL"))
    counted = [(label, sum(index.kind == kind for index in table.indexes)) for kind, label in others]
    more = [say("{} {}", number(count), label) for label, count in counted if count]
    keys = [*more, *([plural(len(table.foreign_keys), "foreign key")] if table.foreign_keys else [])]
    return Markup("; ".join((primary, *keys)))
