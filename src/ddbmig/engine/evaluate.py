"""The independent evaluator: a design priced again from its published form, to check those who built and priced it.

It takes the tables, the steps of the plans and the snapshot, and nothing that their builders computed: no estimate of a
plan, no size or number of items of a table. What the engine documents of averages and of the rows that a step finds is
written here anew; no code is shared with it. Where both agree, a mistake would have to be made twice.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from ddbmig.engine.operations import EntryWrites, Kind, Operation, Priced, Store, price
from ddbmig.model.condition import All, ColumnRef, Compare, Condition, Constant, Param, Term
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import IndexDesign, TableDesign
from ddbmig.model.encodings import (
    INTEGER_BITS,
    Cell,
    attribute_type,
    encoding_for,
    render_key_part,
    render_template,
    template_columns,
)
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Exists, KeyCondition, Plan, ReadCall, Step, Transaction, WriteCall
from ddbmig.model.prices import Prices
from ddbmig.model.schema import Column, Table
from ddbmig.model.snapshot import Snapshot

RANGES = frozenset({"<", "<=", ">", ">=", "between"})
KEPT_BY_A_RANGE = 1 / 3
"""Share of the rows of one key that a range keeps: assumed."""
ROWS_PER_UNCOUNTED_VALUE = 10.0
"""Rows that share a value of a column that nobody counted: assumed."""
KINDS: Mapping[str, Kind] = {
    "GetItem": "get", "BatchGetItem": "get", "Query": "query", "Scan": "scan",
    "PutItem": "put", "UpdateItem": "update", "DeleteItem": "delete",
}  # fmt: skip
PADDED_IN_KEYS: Mapping[str, Cell] = {
    **dict.fromkeys((*INTEGER_BITS, "decimal"), 0), "float": 0.0, "double": 0.0, "year": 2000, "time": "00:00:00",
}  # fmt: skip
"""A value of each type that composed keys hold in one width."""


def evaluate(
    tables: Sequence[TableDesign],
    plans: Iterable[Plan],
    snapshot: Snapshot,
    calls_per_month: Mapping[str, float],
    peak_per_second: Mapping[str, float],
    prices: Prices,
) -> Priced:
    """The month's bill of a design and the units of each of its plans, derived anew.

    Both rates are by pattern. Raises KeyError for a plan that names a table, index or pattern that is not there, and
    for a rate or a price that is not known; ValueError for a read by what is not its structure's key.
    """
    averages = _Averages(snapshot)
    sized = {table.name: _Sized(table, averages) for table in tables}
    patterns = {pattern.id: pattern for pattern in snapshot.patterns}
    logged = _logged(snapshot)
    operations = [
        operation
        for plan in plans
        for operation in _Execution(plan, patterns[plan.pattern], logged[plan.pattern], sized, averages).operations()
    ]
    stores = [store for table in sized.values() for store in table.stores()]
    return price(stores, operations, calls_per_month, peak_per_second, prices)


# --- what the snapshot tells ---


@dataclass(frozen=True)
class _Logged:
    """What the logs say of a pattern beyond its text."""

    list_length: float
    """Average members of an IN list, or rows of a multi-row INSERT."""
    rows_examined: float | None
    """Average rows that MySQL read for one execution, where a slow log tells."""


def _logged(snapshot: Snapshot) -> dict[str, _Logged]:
    """By pattern id."""
    templates = {template.id: template for template in snapshot.digest.templates}
    found = {}
    for pattern in snapshot.patterns:
        of = templates[pattern.template]
        examined = of.rows_examined / of.timed_calls if of.rows_examined is not None and of.timed_calls else None
        found[pattern.id] = _Logged(max(1.0, of.list_length_sum / of.calls), examined)
    return found


class _Averages:
    """Average rows and bytes: as counted in the snapshot, by the column's type where nobody counted."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._tables = {table.id: table for table in snapshot.tables.tables}
        self._statistics = snapshot.statistics

    def column(self, table: str, name: str) -> Column:
        return self._tables[table].column(name)

    def columns(self, table: str) -> tuple[Column, ...]:
        return self._tables[table].columns

    def rows(self, table: str) -> float:
        return self._statistics[table].rows.value if table in self._statistics else 0.0

    def rows_per_value(self, table: str, columns: Collection[str]) -> float:
        """Rows that share one value of all the columns; at least one."""
        if _hold_a_key(self._tables[table], columns):
            return 1.0
        return max(1.0, self.rows(table) / max(1.0, self._values(table, columns)))

    def _values(self, table: str, columns: Collection[str]) -> float:
        """Distinct values of the columns: as counted for them together, else as many as their own counts allow."""
        counted, rows = self._statistics.get(table), max(1.0, self.rows(table))
        for group in counted.groups if counted else ():
            if set(group.columns) == set(columns):
                return float(group.groups)
        own = (counted.columns.get(name) if counted else None for name in sorted(columns))
        uncounted = max(1.0, rows / ROWS_PER_UNCOUNTED_VALUE)
        return min(rows, prod(float(one.distinct) if one and one.distinct else uncounted for one in own))

    def present(self, table: str, columns: Iterable[str]) -> float:
        """Share of the rows in which none of the columns is NULL, as if the NULLs of one were those of all."""
        counted = self._statistics[table].columns if table in self._statistics else {}
        return min((1.0 - counted[name].null_share for name in columns if name in counted), default=1.0)

    def value_bytes(self, table: str, column: str) -> float:
        """Bytes of the column's values that are not NULL."""
        counted = self._statistics[table].columns if table in self._statistics else {}
        return counted[column].average_bytes if column in counted else _bytes_by_type(self.column(table, column))

    def attribute_bytes(self, name: str, attribute: ContractAttribute, given: Collection[str]) -> float:
        """What an attribute adds to an item: its name and value, in the share of the items that have it.

        `given` are columns of the row that none of the items lacks.
        """
        named, table = len(name.encode()), attribute.source_table
        if attribute.value is not None:
            return named + len(attribute.value.encode())
        if attribute.encoding == "row_digest":
            return named + 64.0  # SHA-256 in hex
        if attribute.template is None:
            columns: tuple[str, ...] = (attribute.source_column,)
            value = self.value_bytes(table, attribute.source_column)
        else:
            columns = template_columns(attribute.template)
            between = render_template(attribute.template, dict.fromkeys(columns, ""))
            value = len(between.encode()) + sum(self._bytes_in_a_key(table, column) for column in columns)
        lacking = [column for column in columns if attribute.denormalized or column not in given]
        return self.present(table, lacking) * (named + value)

    def _bytes_in_a_key(self, table: str, name: str) -> float:
        """Bytes of a column's part of a composed key: padded to one width, or its text, or the hex of its bytes."""
        column = self.column(table, name)
        if column.type in PADDED_IN_KEYS:
            return float(len(render_key_part(PADDED_IN_KEYS[column.type], column)))
        return self.value_bytes(table, name) * (2 if attribute_type(encoding_for(column)) == "B" else 1)


def _hold_a_key(table: Table, columns: Collection[str]) -> bool:
    keys = (table.primary_key, *(unique.columns for unique in table.unique_keys()))
    return any(key and set(key) <= set(columns) for key in keys)


def _bytes_by_type(column: Column) -> float:
    """Bytes of a value that nobody measured: half of a text's declared length, at most 256; by its type otherwise."""
    match column.type:
        case "tinyint" | "smallint" | "mediumint" | "int" | "bigint":
            return 1 + INTEGER_BITS[column.type] / 16
        case "decimal" | "float" | "double":
            return 6.0
        case "date":
            return 10.0
        case "time":
            return 8.0
        case "datetime" | "timestamp":
            return 19.0
        case "year":
            return 3.0
        case "text" | "mediumtext" | "longtext" | "json" | "blob" | "mediumblob" | "longblob":
            return 256.0
        case _:
            return min(256.0, max(1.0, (column.length or 32) // 2))


# --- tables and indexes as stores ---


class _Sized:
    """A table with the sizes of its items and index entries."""

    def __init__(self, table: TableDesign, averages: _Averages) -> None:
        self.table, self._averages = table, averages
        held = self._columns((table.pk,)) if table.role == "lookup" else set[str]()
        self.items = averages.rows(table.source_table) * averages.present(table.source_table, held)
        self.item_bytes = self._bytes({*table.attributes}, held)
        self.entry_bytes = {
            index.name: self._bytes(self._carried(index), self._columns(index.keys)) for index in table.indexes
        }

    def stores(self) -> Iterator[Store]:
        """The table and its indexes."""
        yield Store(self.table.name, None, self.items, self.item_bytes)
        for index in self.table.indexes:
            yield Store(self.table.name, index.name, self.items * self._share(index), self.entry_bytes[index.name])

    def bytes_in(self, index: str | None) -> float:
        """Average bytes of an item, or of an entry of an index. Raises KeyError."""
        return self.item_bytes if index is None else self.entry_bytes[index]

    def _bytes(self, carried: Collection[str], given: Collection[str]) -> float:
        kept = ((name, found) for name, found in self.table.attributes.items() if name in carried)
        return max(1.0, sum(self._averages.attribute_bytes(name, found, given) for name, found in kept))

    def _carried(self, index: IndexDesign) -> set[str]:
        """The attributes in the entries of an index: the table's keys are in every entry (A5)."""
        if index.projection == "ALL":
            return set(self.table.attributes)
        return {*index.keys, *self.table.keys, *index.projected}

    def _columns(self, attributes: Iterable[str]) -> set[str]:
        """The columns that some key attributes are made of; a constant is made of none."""
        plain = (name for name in attributes if self.table.attributes[name].value is None)
        return {column for name in plain for column in self.table.source_columns(name)}

    def _share(self, index: IndexDesign) -> float:
        """Share of the items that have an entry: those with all its key attributes (A3)."""
        return self._averages.present(self.table.source_table, self._columns(index.keys))

    def check_key(self, call: ReadCall) -> None:
        """Raise ValueError where a call names other attributes than the key's, or other columns than theirs; and where
        one item is promised by less than its whole key."""
        keys = self.table.keys if call.index is None else self.table.index(call.index).keys
        named = {one.attribute for one in call.key}
        own = named <= {*keys} and all(
            {column for column, _ in one.terms} <= self._columns((one.attribute,)) for one in call.key
        )
        whole = named == {*keys} and all(one.op == "=" for one in call.key)
        promised = KINDS[call.op] == "get" and call.join != "complete"
        if not own or (promised and not whole):
            raise ValueError(f"{call.op} of {call.table} by {', '.join(sorted(named))}: its key is {', '.join(keys)}")

    def entries(self, changed: Collection[str] | None, null: Collection[str] = ()) -> tuple[EntryWrites, ...]:
        """What a write of an item does to each index: add or remove its entry, or follow an update of the columns and
        copies that are `changed` (two writes where the entry moves to another key, A5). An item whose columns `null`
        have no value has no entry in an index by one of them (A3)."""
        touched = set(self.table.attributes) if changed is None else self._made_of(changed)
        return tuple(
            EntryWrites(
                index=index.name,
                writes=self._share(index) * (2 if changed is not None and touched & {*index.keys} else 1),
                entry_bytes=self.entry_bytes[index.name],
            )
            for index in self.table.indexes
            if touched & self._carried(index) and self._columns(index.keys).isdisjoint(null)
        )

    def _made_of(self, changed: Collection[str]) -> set[str]:
        """The attributes made of columns of the row, and the copies, with one of these names."""
        names = {name.lower() for name in changed}
        return {
            name
            for name, attribute in self.table.attributes.items()
            if names & ({name.lower()} if attribute.denormalized else
                        {column.lower() for column in self._columns((name,))})
        }  # fmt: skip


# --- plans as operations ---


class _Execution:
    """One execution of a plan, followed step by step with the rows that each step finds on average."""

    def __init__(
        self,
        plan: Plan,
        pattern: AccessPattern,
        logged: _Logged,
        tables: Mapping[str, _Sized],
        averages: _Averages,
    ) -> None:
        self.plan, self.pattern, self.logged, self.tables, self.averages = plan, pattern, logged, tables, averages
        self.joins = {join.ref: join for join in pattern.joins}
        self.references = [ref.table for ref in (*pattern.refs, *plan.support)]
        self.rows = logged.list_length if pattern.kind == "insert" else 1.0
        self.bound: set[int] = set()
        self.before: dict[int, float] = {}
        """Rows of the relation before a reference was joined to it."""
        self.fetched: dict[int, float] = {}
        """Rows that the last call for a reference brought."""

    def operations(self) -> Iterator[Operation]:
        """The operations of all steps, in order."""
        for position, step in enumerate(self.plan.steps):
            if isinstance(step, ReadCall):
                yield self._read(step, position)
            elif isinstance(step, Exists):
                self.rows = next(rows for ref, rows in self.before.items() if ref in step.refs)
            else:
                for call in _writes(step):
                    yield self._write(call, position, transactional=isinstance(step, Transaction))

    # --- reads ---

    def _read(self, call: ReadCall, position: int) -> Operation:
        table = self.tables[call.table]
        table.check_key(call)
        completes = call.join == "complete"
        times = self.fetched[call.ref] if completes else self._keys_asked_for(call.key)
        items = self._items(call)
        self.fetched[call.ref] = times * items
        if not completes and call.ref < len(self.pattern.refs):
            self._join(call)
        return Operation(
            self.plan.pattern, call.table, call.index, KINDS[call.op], times, items,
            table.bytes_in(call.index), consistent=call.consistent, step=position,
        )  # fmt: skip

    def _keys_asked_for(self, key: Iterable[KeyCondition]) -> float:
        """Calls: one per member of a list, one per row of the relation where a key comes from it."""
        terms = [term for condition in key for _, term in condition.terms]
        asked_by = {term.ref for term in terms if isinstance(term, ColumnRef)}
        return self._members(terms) * max((self._rows_of(ref) for ref in asked_by), default=1.0)

    def _rows_of(self, ref: int) -> float:
        """Rows that a reference of a write found; the relation has those of the statement's own."""
        return self.rows if ref < len(self.pattern.refs) else self.fetched[ref]

    def _members(self, terms: Iterable[Term]) -> float:
        return self.logged.list_length if any(isinstance(term, Param) and term.many for term in terms) else 1.0

    def _items(self, call: ReadCall) -> float:
        """Items that one call reads."""
        if KINDS[call.op] == "get":
            return 1.0
        table = self.references[call.ref]
        if call.op == "Scan":
            return max(1.0, self.averages.rows(table))
        fixed = {column for one in call.key if one.op not in RANGES for column, _ in one.terms}
        items = self._rows_found(table, fixed, any(one.op in RANGES for one in call.key))
        return min(items, float(call.limit)) if call.limit else items

    def _rows_found(self, table: str, fixed: Collection[str], ranged: bool) -> float:
        """Rows that share a value of the fixed columns and lie in a range, if there is one."""
        rows = self.averages.rows_per_value(table, fixed)
        if not ranged:
            return rows
        alone = len(self.references) == 1
        most = self.logged.rows_examined if alone and self.logged.rows_examined is not None else rows
        return max(1.0, min(rows * KEPT_BY_A_RANGE, most))

    # --- the relation ---

    def _join(self, call: ReadCall) -> None:
        """The rows of the relation once a reference has joined it: by the statement, whatever call read them."""
        ref, conditions = call.ref, self._conditions(call.ref)
        facts = [fact for condition in conditions for fact in self._equal(condition, ref)]
        ranged = any(_is_range_of(condition, ref) for condition in conditions)
        each = self._rows_found(self.references[ref], {column for column, _ in facts}, ranged)
        joined = self.rows * self._members(term for _, term in facts) * each
        keeps_all = ref in self.joins and self.joins[ref].kind != "inner"
        self.before[ref] = self.rows
        self.rows = max(self.rows if keeps_all else 1.0, joined)
        self.bound |= {ref, *(copied.ref for copied in call.copied)}

    def _conditions(self, ref: int) -> list[Condition]:
        """What decides the rows of a reference: ON of its outer join, all joins of its existence test, or else WHERE
        together with every inner join."""
        if (group := self._group(ref)) is not None:
            return [one for member in self.joins if self._group(member) == group for one in self._on(member)]
        if ref in self.joins and self.joins[ref].kind == "left":
            return self._on(ref)
        inner = [n for n, join in self.joins.items() if join.kind == "inner" and self._group(n) is None]
        return [*_parts(self.pattern.where), *(one for n in inner for one in self._on(n))]

    def _group(self, ref: int) -> int | None:
        """The first reference of the existence test that a reference belongs to."""
        join = self.joins.get(ref)
        if join is None or join.group is not None:
            return join.group if join else None
        return ref if join.kind in ("semi", "anti", "mark") else None

    def _on(self, ref: int) -> list[Condition]:
        join = self.joins[ref]
        pairs: list[Condition] = [Compare(op="=", left=own, right=(other,)) for own, other in join.on]
        return pairs + _parts(join.extra)

    def _equal(self, condition: Condition, ref: int) -> Iterator[tuple[str, Term]]:
        """(column of the reference, parameter or bound column that it equals), where the condition says so."""
        if not isinstance(condition, Compare) or condition.op not in ("=", "<=>", "in") or len(condition.right) != 1:
            return
        sides = [(condition.left, condition.right[0])]
        if condition.op == "=":
            sides.append((condition.right[0], condition.left))
        for own, term in sides:
            known = isinstance(term, Param) or (isinstance(term, ColumnRef) and term.ref in self.bound)
            if isinstance(own, ColumnRef) and own.ref == ref and known:
                nullable = self.averages.column(self.references[ref], own.column).nullable
                if condition.op != "<=>" or not nullable:  # `<=> NULL` finds what no key holds
                    yield own.column, term

    # --- writes ---

    def _write(self, call: WriteCall, position: int, *, transactional: bool) -> Operation:
        if call.key:
            times = self._keys_asked_for(call.key)
        elif call.ref < len(self.pattern.refs):
            times = self.rows
        else:
            times = self.fetched[call.ref]
        table = self.tables[call.table]
        changed = {one.column for one in call.sets} if call.op == "UpdateItem" else None
        null = self._inserted_null() if call.op == "PutItem" and self.pattern.kind == "insert" else set[str]()
        return Operation(
            self.plan.pattern, call.table, None, KINDS[call.op], times, 1.0, table.item_bytes,
            transactional=transactional, entries=table.entries(changed, null), step=position,
        )  # fmt: skip

    def _inserted_null(self) -> set[str]:
        """The columns that an INSERT says to be NULL, or that become NULL because it does not name them."""
        said = {one.column.lower(): one.value for one in self.pattern.assignments}
        return {
            column.name
            for column in self.averages.columns(self.references[0])
            if (said[column.name.lower()] == Constant(value=None) if column.name.lower() in said
                else column.nullable and column.default is None)
        }  # fmt: skip


def _writes(step: Step) -> tuple[WriteCall, ...]:
    if isinstance(step, Transaction):
        return step.writes
    return (step,) if isinstance(step, WriteCall) else ()


def _parts(condition: Condition) -> list[Condition]:
    """The parts of a condition that AND joins."""
    return [one for part in condition.items for one in _parts(part)] if isinstance(condition, All) else [condition]


def _is_range_of(condition: Condition, ref: int) -> bool:
    """Whether a condition keeps a range of a column of the reference, between parameters."""
    return (
        isinstance(condition, Compare)
        and condition.op in RANGES
        and isinstance(condition.left, ColumnRef)
        and condition.left.ref == ref
        and all(isinstance(term, Param) for term in condition.right)
    )
