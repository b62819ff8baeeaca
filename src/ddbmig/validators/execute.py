"""Runs a plan: its calls, in order, and the client's bounded steps on the rows that come back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from ddbmig.engine.statement import conjuncts
from ddbmig.model.condition import ColumnRef, Compare, Param, Term
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import TableDesign
from ddbmig.model.encodings import (
    Cell,
    attribute_type,
    collated,
    decode,
    encode,
    encoding_for,
    render_key_part,
    render_template,
    template_columns,
)
from ddbmig.model.errors import InputError
from ddbmig.model.pattern import AccessPattern, Aggregate, Assignment, OrderTerm
from ddbmig.model.plan import (
    Distinct,
    Exists,
    Filter,
    KeyCondition,
    Plan,
    ReadCall,
    Reduce,
    Slice,
    Sort,
    Step,
    Transaction,
    WriteCall,
    in_place,
    range_bound,
)
from ddbmig.model.schema import Column
from ddbmig.validators.evaluate import (
    Binding,
    Evaluator,
    NotEvaluated,
    Params,
    Row,
    as_column,
    as_stored,
    compare,
    compared,
    default_value,
    folded,
    member,
    number,
    rank,
)
from ddbmig.validators.operations import ConditionFailed, ItemWrite, Operations
from ddbmig.validators.outputs import mark_refs

AUTO_KEYS = dict[tuple[str, str], int]
"""Next AUTO_INCREMENT value per (table id, column), as MySQL would give it."""


@dataclass(frozen=True)
class PlanResult:
    """How many rows a plan returned or changed, and the rows.

    A row's values are its output columns, then the aggregates of its group, then the existence tests among the
    outputs; `keys` are the values that order the rows.
    """

    rows: int
    values: tuple[tuple[Cell, ...], ...] = ()
    keys: tuple[tuple[Cell, ...], ...] = ()
    trips: int = 0
    """Calls that had to wait for one another: a batch or fan-out counts once, each page of a Query by itself."""


MOST_ATTEMPTS = 4
"""So often a row is read and written anew while other clients change it in between."""
_COMPUTED = -1
"""The reference under which a row of the relation keeps the aggregates and existence tests computed for it."""


def run_plan(
    operations: Operations, pattern: AccessPattern, plan: Plan, params: Params, new_keys: AUTO_KEYS
) -> PlanResult:
    """Run one plan once; its rows are those that SQL would return, or would have changed.

    Raises NotEvaluated where a value or condition is none that a client can compute.
    """
    run = _Run(operations, pattern, plan, params, new_keys)
    run.make_steps()
    if pattern.kind != "select":
        return PlanResult(run.affected, trips=run.trips)
    return PlanResult(len(run.relation), run.outputs(), run.keys(), run.trips)


class _Run:
    def __init__(
        self, operations: Operations, pattern: AccessPattern, plan: Plan, params: Params, new_keys: AUTO_KEYS
    ) -> None:
        self.operations, self.pattern, self.params, self.new_keys = operations, pattern, params, new_keys
        self.plan, self.position = plan, 0
        self.refs = (*pattern.refs, *plan.support)
        self.columns: dict[tuple[int, str], Column] = {
            (n, c.name): c for n, ref in enumerate(self.refs) for c in operations.columns(ref.table)
        }
        self.evaluator = Evaluator(self.columns, params)
        self.relation: list[Binding] = [{0: self._inserted_row()}] if pattern.kind == "insert" else [{}]
        self.affected = 0
        self.trips, self._pages = 0, 1

    # --- steps ---

    def make_steps(self) -> None:
        """All steps of the plan."""
        for position, step in enumerate(self.plan.steps):
            self.position = position
            self._counted(step)

    def _counted(self, step: Step) -> None:
        """A step, with its round trips: those of its longest call."""
        before, self._pages = self.operations.meter.operations, 1
        self.step(step)
        self.trips += self._pages if self.operations.meter.operations > before else 0

    def step(self, step: Step) -> None:
        if isinstance(step, ReadCall):
            self._read(step)
        elif isinstance(step, Filter):
            self.relation = [b for b in self.relation if self.evaluator.holds(step.condition, b)]
        elif isinstance(step, Exists):
            self._exists(step)
        elif isinstance(step, Sort):
            self.relation.sort(key=cmp_to_key(lambda a, b: self._order(step.order, a, b)))
        elif isinstance(step, Slice):
            self._slice(step)
        elif isinstance(step, Distinct):
            self.relation = list({self._output(b): b for b in reversed(self.relation)}.values())[::-1]
        elif isinstance(step, Reduce):
            self._reduce(step)
        elif isinstance(step, WriteCall):
            self._write((step,))
        elif isinstance(step, Transaction):
            self._write(step.writes)

    def _slice(self, step: Slice) -> None:
        start = self._number(step.offset_param) or 0
        rows = self._number(step.row_param)
        rows = step.rows if rows is None else rows
        self.relation = self.relation[start : None if rows is None else start + rows]

    def _number(self, index: int | None) -> int | None:
        value = None if index is None else self.params[index]
        return value if isinstance(value, int) else None

    def _exists(self, step: Exists) -> None:
        """Back to the rows before `refs` were joined, in their order, each once."""
        kept: dict[int, tuple[Binding, bool]] = {}
        for binding in self.relation:
            base = {ref: row for ref, row in binding.items() if ref not in step.refs}
            identity = hash(tuple(sorted((ref, id(row)) for ref, row in base.items())))
            matched = all(binding.get(ref) is not None for ref in step.refs)
            kept[identity] = (base, matched or kept.get(identity, (base, False))[1])
        if step.keep == "all":
            name = f"test {step.refs[0]}"
            self.relation = [_with_computed(base, {name: int(matched)}) for base, matched in kept.values()]
        else:
            self.relation = [base for base, matched in kept.values() if matched == (step.keep == "matched")]

    def _order(self, order: Iterable[OrderTerm], a: Binding, b: Binding) -> int:
        for term in order:
            x, y = (self.evaluator.value(term.column, binding) for binding in (a, b))
            if x is None or y is None:
                result = (x is not None) - (y is not None)
            else:
                column = self.columns[(term.column.ref, term.column.column)]
                result = compare(rank(x, column), rank(y, column), False)
            if result:
                return -result if term.descending else result
        return 0

    def _output(self, binding: Binding) -> tuple[Cell, ...]:
        return tuple(self._comparable(column, binding) for column in self.pattern.reads)

    def outputs(self) -> tuple[tuple[Cell, ...], ...]:
        """The output columns of every row of the relation, and what was computed for it."""
        computed = [f"aggregate {n}" for n in range(len(self.pattern.aggregates))]
        computed += [f"test {ref}" for ref in mark_refs(self.pattern)]
        columns = (*self.pattern.reads, *(ColumnRef(ref=_COMPUTED, column=name) for name in computed))
        return tuple(tuple(self.evaluator.value(c, b) for c in columns) for b in self.relation)

    def keys(self) -> tuple[tuple[Cell, ...], ...]:
        """What orders the rows of the relation."""
        return tuple(tuple(self.evaluator.value(t.column, b) for t in self.pattern.order) for b in self.relation)

    def _comparable(self, ref: ColumnRef, binding: Binding) -> Cell:
        return collated(self.evaluator.value(ref, binding), self.columns[(ref.ref, ref.column)])

    def _reduce(self, step: Reduce) -> None:
        groups: dict[tuple[Cell, ...], list[Binding]] = {} if step.group_by else {(): []}
        for binding in self.relation:
            key = tuple(self._comparable(column, binding) for column in step.group_by)
            groups.setdefault(key, []).append(binding)
        self.relation = [self._group(step, bindings) for bindings in groups.values()]

    def _group(self, step: Reduce, bindings: list[Binding]) -> Binding:
        """One row for a group: the first of its rows, and its aggregates."""
        values = {f"aggregate {n}": self._aggregate(a, bindings) for n, a in enumerate(step.aggregates)}
        return _with_computed(bindings[0] if bindings else {}, values)

    def _aggregate(self, aggregate: Aggregate, relation: list[Binding]) -> Cell:
        """One aggregate over the relation, NULLs apart, as SQL has it."""
        column = aggregate.column
        if column is None:
            return len(relation)
        values = [v for b in relation if (v := self.evaluator.value(column, b)) is not None]
        if aggregate.distinct:
            values = list({collated(v, self.columns[column.ref, column.column]): v for v in values}.values())
        if aggregate.function == "count":
            return len(values)
        if not values:
            return None
        if aggregate.function in ("min", "max"):
            definition = self.columns[column.ref, column.column]
            ordered = sorted(values, key=_by(definition))
            return ordered[0] if aggregate.function == "min" else ordered[-1]
        total = sum((number(v) for v in values), Decimal(0))
        return total / len(values) if aggregate.function == "avg" else total

    # --- reading ---

    def _read(self, call: ReadCall) -> None:
        table = self.operations.table(call.table)
        if call.join == "complete":
            self._complete(call, table)
            return
        fetched: dict[Any, list[tuple[Row, dict[int, Row | None]]]] = {}
        joined: list[Binding] = []
        equal, index = self._equal_columns(call), None
        if call.op in ("GetItem", "BatchGetItem"):
            self._prefetch(call, table, fetched)
        for binding in self.relation:
            rows: list[tuple[Row, dict[int, Row | None]]] = []
            for key in self._keys(call, table, binding):
                frozen = _frozen(key)
                if frozen not in fetched:
                    fetched[frozen] = [self._delivered(call, table, item) for item in self._fetch(call, key)]
                rows += fetched[frozen]
            if equal and not call.per_row:
                index = index if index is not None else self._hashed(rows, [own for own, _ in equal])
                rows = index.get(self._hash(binding, [other for _, other in equal]), [])
            matches = [{**binding, call.ref: row, **copies} for row, copies in rows]
            matches = [m for m in matches if self.evaluator.holds(call.match, m)]
            if not matches and call.join == "left":
                matches = [{**binding, call.ref: None}]
            joined += matches
        self.relation = joined

    def _equal_columns(self, call: ReadCall) -> list[tuple[ColumnRef, ColumnRef]]:
        """Pairs (column of the call's reference, earlier column) that must be equal and compare alike: a hash join."""
        pairs = []
        for condition in conjuncts(call.match):
            if not isinstance(condition, Compare) or condition.op != "=":
                continue
            left, right = condition.left, condition.right[0]
            if isinstance(left, ColumnRef) and isinstance(right, ColumnRef):
                own, other = (left, right) if left.ref == call.ref else (right, left)
                kinds = [attribute_type(encoding_for(self.columns[(c.ref, c.column)])) for c in (own, other)]
                if own.ref == call.ref != other.ref and kinds[0] == kinds[1]:
                    pairs.append((own, other))
        return pairs

    def _hashed(
        self, rows: list[tuple[Row, dict[int, Row | None]]], columns: list[ColumnRef]
    ) -> dict[tuple[Cell, ...], list[tuple[Row, dict[int, Row | None]]]]:
        """The fetched rows by the values of some of their columns."""
        found: dict[tuple[Cell, ...], list[tuple[Row, dict[int, Row | None]]]] = {}
        for row, copies in rows:
            found.setdefault(self._hash({columns[0].ref: row}, columns), []).append((row, copies))
        return found

    def _hash(self, binding: Binding, columns: list[ColumnRef]) -> tuple[Cell, ...]:
        """The values of some columns, equal where any comparison of them is: texts folded, whatever their collation."""
        values = [self.evaluator.value(column, binding) for column in columns]
        return tuple(folded(v) if isinstance(v, str) else v for v in values)

    def _delivered(
        self, call: ReadCall, table: TableDesign, item: Mapping[str, Any]
    ) -> tuple[Row, dict[int, Row | None]]:
        """The row in an item, and the rows of other references that it holds copies of."""
        copies: dict[int, Row | None] = {}
        for copied in call.copied:
            source = self.refs[copied.ref].table
            row: dict[str, Cell] = {}
            for column, name in copied.columns.items():
                definition = self.columns[(copied.ref, column)]
                encoding = table.attributes[name].encoding or "string"
                row[column] = decode(item.get(name), encoding, definition)
            missing = all(row[c] is None for c in copied.columns if table.attributes[copied.columns[c]].denormalized)
            copies[copied.ref] = None if missing and source else row
        return self.operations.row(table, item), copies

    def _prefetch(
        self, call: ReadCall, table: TableDesign, fetched: dict[Any, list[tuple[Row, dict[int, Row | None]]]]
    ) -> None:
        """All distinct keys at once: one GetItem, or BatchGetItem."""
        keys = {_frozen(key): key for b in self.relation for key in self._keys(call, table, b)}
        if call.op == "GetItem":
            items = [self.operations.get(table, key, call.consistent) for key in keys.values()]
        else:
            items = list(self.operations.batch_get(table, list(keys.values()), call.consistent))
        for frozen in keys:
            fetched[frozen] = []
        for item in items:
            if item is not None:
                frozen = _frozen({k: item[k] for k in table.keys})
                fetched[frozen] = [self._delivered(call, table, item)]

    def _complete(self, call: ReadCall, table: TableDesign) -> None:
        """The base items behind the look-up or index entries of the reference."""
        keys = []
        for binding in self.relation:
            row = binding.get(call.ref)
            keys.append(None if row is None else self._base_key(table, row))
        distinct = {_frozen(key): key for key in keys if key is not None}
        if call.op == "GetItem":
            items = [self.operations.get(table, key, call.consistent) for key in distinct.values()]
        else:
            items = list(self.operations.batch_get(table, list(distinct.values()), call.consistent))
        delivered = {
            _frozen({k: i[k] for k in table.keys}): self._delivered(call, table, i) for i in items if i is not None
        }
        nothing: tuple[Row | None, dict[int, Row | None]] = (None, {copied.ref: None for copied in call.copied})
        outer = any(isinstance(s, ReadCall) and s.ref == call.ref and s.join == "left" for s in self.plan.steps)
        gone = nothing if outer else None  # the item went between the two calls: there is no such row any more
        found = [nothing if key is None else delivered.get(_frozen(key), gone) for key in keys]
        self.relation = [
            {**binding, call.ref: delivery[0], **delivery[1]}
            for binding, delivery in zip(self.relation, found, strict=True) if delivery is not None
        ]  # fmt: skip
        self.relation = [b for b in self.relation if b[call.ref] is None or self.evaluator.holds(call.match, b)]

    def _base_key(self, table: TableDesign, row: Row) -> dict[str, Any]:
        """The key of a row; a row that was read knows its composed key attributes, or its digest with its number."""
        builder, source = self.operations.builder(table.name), table.source_columns
        return {
            k: row[k] if k in row and k not in source(k) else builder.value(table.attributes[k], row)
            for k in table.keys
        }

    def _keys(self, call: ReadCall, table: TableDesign, binding: Binding) -> list[dict[str, Any]]:
        """The keys that a call asks for with one row of the relation: several for a list; none where one is NULL."""
        keys: list[dict[str, Any]] = [{}]
        for condition in call.key:
            values = self._key_values(table, call.ref, condition, binding)
            keys = [{**key, condition.attribute: value} for key in keys for value in values]
        return keys

    def _key_values(self, table: TableDesign, ref: int, condition: KeyCondition, binding: Binding) -> list[Any]:
        if condition.op == "between":
            bounds = [self._encoded(table, ref, condition, {condition.terms[0][0]: v}, upper=number > 0)
                      for number, (_, term) in enumerate(condition.terms) for v in self._values(term, binding)
                      ]  # fmt: skip
            return [] if None in bounds else [tuple(bounds)]
        combinations: list[dict[str, Cell]] = [{}]
        for column, term in condition.terms:
            combinations = [{**c, column: v} for c in combinations for v in self._values(term, binding)]
        encoded = [self._encoded(table, ref, condition, c) for c in combinations]
        return list({_frozen(v): v for v in encoded if v is not None}.values())

    def _values(self, term: Term, binding: Binding) -> tuple[Cell, ...]:
        if isinstance(term, Param):
            value = self.params[term.index]
            return value if isinstance(value, tuple) else (value,)
        return (self.evaluator.value(term, binding),)

    def _encoded(
        self, table: TableDesign, ref: int, condition: KeyCondition, values: Mapping[str, Cell], *, upper: bool = False
    ) -> Any:
        """The key attribute's value, or None where a part is NULL.

        Of a leading part of it for begins_with; the bound of a range over its first column.
        """
        constant = table.attributes[condition.attribute].value
        if constant is not None:
            return constant
        if any(value is None for value in values.values()):
            return None
        columns = {name: self.columns[(ref, name)] for name in values}
        try:
            return self._key_text(table.attributes[condition.attribute], condition, values, columns, upper)
        except InputError:
            if condition.op != "=":
                raise
            return None  # no row has a value that the column cannot hold

    def _key_text(
        self, attribute: ContractAttribute, condition: KeyCondition, values: Mapping[str, Cell],
        columns: Mapping[str, Column], upper: bool,
    ) -> Any:  # fmt: skip
        if attribute.template is None:
            (name,) = values
            encoded = encode(_asked(values[name], columns[name]), attribute.encoding or "string", columns[name])
            return None if encoded in ("", b"") else encoded  # which is no key
        parts = {name: render_key_part(_asked(value, columns[name]), columns[name]) for name, value in values.items()}
        if condition.op == "begins_with":
            leading = [parts[name] for name in template_columns(attribute.template) if name in parts]
            return "#".join(leading) + "#"
        if condition.op != "=" and len(template_columns(attribute.template)) > 1:
            (text,) = parts.values()
            return range_bound(text, condition.op, upper=upper)
        return render_template(attribute.template, parts)

    def _fetch(self, call: ReadCall, key: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Query by one key, or Scan."""
        names, values, clauses = {}, {}, []
        for position, condition in enumerate(call.key):
            names[f"#k{position}"] = condition.attribute
            value = key[condition.attribute]
            if condition.op == "between":
                values[f":v{position}"], values[f":w{position}"] = value
                clauses.append(f"#k{position} BETWEEN :v{position} AND :w{position}")
                continue
            values[f":v{position}"] = value
            begins = condition.op == "begins_with"
            clauses.append(
                f"begins_with(#k{position}, :v{position})" if begins else f"#k{position} {condition.op} :v{position}"
            )
        if call.key and any(isinstance(v, tuple) and v[0] > v[1] for v in key.values()):
            return []
        limit = None if call.limit is None else call.limit + self._skipped()
        before = self.operations.meter.operations
        found = self.operations.pages(call, " AND ".join(clauses), names, values, limit)
        self._pages = max(self._pages, self.operations.meter.operations - before)
        return found

    def _skipped(self) -> int:
        """The rows that an OFFSET skips: DynamoDB has none, so they are read and left out."""
        limit = self.pattern.limit
        return 0 if limit is None else self._number(limit.offset_param) or 0

    # --- writing ---

    def _inserted_row(self) -> dict[str, Cell]:
        """The row that the INSERT gives: its values, defaults, and a generated key where MySQL would make one."""
        table = self.refs[0].table
        given = {a.column.lower(): a.value for a in self.pattern.assignments}
        evaluator = Evaluator(self.columns, self.params)
        row: dict[str, Cell] = {}
        for column in self.operations.columns(table):
            term = given.get(column.name.lower())
            value = None if term is None else as_stored(evaluator.value(term, {0: row}), column)
            if column.auto_increment and value in (None, 0):
                key = (table, column.name)
                value = self.new_keys[key] = self.new_keys.get(key, 0) + 1
            elif term is None:
                value = default_value(column)
            row[column.name] = value
        return row

    def _write(self, writes: tuple[WriteCall, ...]) -> None:
        """The writes for each row of the relation (of one reference, each distinct row once)."""
        seen: set[int] = set()
        for binding in list(self.relation):
            row = binding.get(writes[0].ref)
            if writes[0].key:
                row = None
            elif row is None or id(row) in seen:
                continue
            seen.add(id(row))
            self._write_row(writes, binding, row)
        if writes[0].key and writes[0].ref == 0:
            self.relation = [{0: self._keyed_row(writes[0])}]

    def _write_row(self, writes: tuple[WriteCall, ...], binding: Binding, row: Row | None) -> None:
        """The writes for one row. Where it is not as it was read, it is read and decided anew.

        Raises NotEvaluated where they are refused each time.
        """
        main, kind, replaces = writes[0].ref == 0, self.pattern.kind, self.pattern.insert_mode in ("upsert", "replace")
        for _ in range(MOST_ATTEMPTS):
            made = [(call, change) for call in writes if (change := self._change(call, binding, row)) is not None]
            try:
                if made:
                    self.operations.write([change for _, change in made])
                self.affected += main and bool(made)
                return
            except ConditionFailed as failed:
                decided = any(made[number][0].unchanged is not None for number in failed.refused)
            if not decided and not (main and kind == "insert" and replaces):
                return  # the row has gone, or another one has its unique value
            fresh = self._read_again(binding, row)
            if fresh is None:
                return
            binding, row = fresh
        raise NotEvaluated("another row has a unique key of the new one" if replaces else "the row is never as read")

    def _read_again(self, binding: Binding, row: Row | None) -> tuple[Binding, Row | None] | None:
        """A row of the written table as it is now, in the relation too; None where it is not selected any more."""
        assert row is not None  # noqa: S101  # nothing is read before a write by key
        inserts = self.pattern.kind == "insert"
        before, self.relation = self.relation, [{0: row}] if inserts else [{}]
        for step in self.plan.steps[: self.position]:
            if not isinstance(step, WriteCall | Transaction):
                self.step(step)
        fresh = self.relation if inserts else self._instead_of(row, before)
        place = next(n for n, one in enumerate(before) if one is binding or one.get(0) is row)
        rest = [one for one in before[place:] if one.get(0) is not row]
        self.relation = [*before[:place], *fresh, *rest]
        return (fresh[0], fresh[0][0]) if fresh else None

    def _instead_of(self, row: Row, before: list[Binding]) -> list[Binding]:
        """What of a relation read anew holds a row; under a LIMIT that row's place may have gone to another."""
        table = self.operations.entity(self.refs[0].table)
        keys = [_frozen(self._base_key(table, binding[0] or {})) for binding in self.relation]
        mine, others = _frozen(self._base_key(table, row)), {_frozen(self._base_key(table, b[0] or {})) for b in before}
        wanted = {mine} & {*keys} or {k for k in keys if self.pattern.limit is not None and k not in others}
        first = next((key for key in keys if key in wanted), None)
        return [binding for binding, key in zip(self.relation, keys, strict=True) if key == first]

    def _keyed_row(self, call: WriteCall) -> Row:
        """What is known of a row written by key: its key columns."""
        return {column: self._values(term, {})[0] for condition in call.key for column, term in condition.terms}

    def _change(self, call: WriteCall, binding: Binding, row: Row | None) -> ItemWrite | None:
        """The item of one write call before and after; None where the row has no item in this table."""
        table = self.operations.table(call.table)
        if call.key:
            return self._keyed_change(call, table)
        assert row is not None  # noqa: S101  # only keyed writes have no row
        if call.ref != 0:
            copies = call.sets and all(table.attributes[a.column].denormalized for a in call.sets)
            return self._copy_change(call, table, binding, row) if copies else self._child_change(call, table, row)
        if self.pattern.kind == "insert":
            return self._inserted_change(call, table, binding, row)
        builder = self.operations.builder(call.table)
        new = self._updated(row, binding)
        old_key = self._base_key(table, row) if builder.applies(row) else None
        if call.op == "DeleteItem":
            stays = self.pattern.kind == "update" and builder.applies(new) and self._base_key(table, new) == old_key
            if old_key is None or stays:
                return None
            before = self.operations.peek(table, old_key)
            return ItemWrite(table, old_key, before, None, call.condition, self._as_read(call, table, row))
        if call.op == "PutItem":
            return self._moved(call, table, new, old_key, row) if builder.applies(new) else None
        assert old_key is not None  # noqa: S101  # an entity has an item for every row
        before = self.operations.peek(table, old_key)
        after = self._changed_item(call, table, before, binding, row)
        return ItemWrite(table, old_key, before, after, call.condition, self._as_read(call, table, row))

    def _as_read(self, call: WriteCall, table: TableDesign, row: Row) -> dict[str, Any] | None:
        """The attributes by which a write was decided, as they were read."""
        if call.unchanged is None:
            return None
        builder = self.operations.builder(table.name)
        attributes = {a.source_column: (name, a) for name, a in table.attributes.items() if a.plain}
        return {name: builder.value(attribute, row) for name, attribute in map(attributes.__getitem__, call.unchanged)}

    def _moved(
        self, call: WriteCall, table: TableDesign, new: Row, old_key: Mapping[str, Any] | None, old: Row
    ) -> ItemWrite | None:
        """The item under its new key; under the same key what differs follows, of a look-up item the whole."""
        key, builder = self._base_key(table, new), self.operations.builder(table.name)
        if key != old_key:
            key, item = self._numbered(table, new, key)
            return ItemWrite(table, key, None, item, "not exists" if call.condition else None)
        before, item = self.operations.peek(table, key), builder.item(new, self._parent)
        if table.role == "lookup":
            return None if before == item else ItemWrite(table, key, before, {**item, **key})
        if self.pattern.insert_mode == "replace":
            after = {**item, **key}
        else:
            was, after = builder.item(old, self._parent), dict(before or {})
            for name in {*was, *item} - {*key}:
                if was.get(name) != item.get(name):
                    after.pop(name, None)
                    after |= {name: item[name]} if name in item else {}
        return ItemWrite(table, key, before, after, "exists", self._as_read(call, table, old))

    def _numbered(self, table: TableDesign, row: Row, key: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Key and item of a row; of a table without a key, with the first free number among equal rows."""
        builder, number = self.operations.builder(table.name), 0
        if table.attributes[table.pk].encoding == "row_digest":
            while self.operations.peek(table, key) is not None:
                number += 1
                key = {table.pk: builder.value(table.attributes[table.pk], row, duplicate=number)}
        return key, builder.item(row, self._parent, number)

    def _keyed_change(self, call: WriteCall, table: TableDesign) -> ItemWrite | None:
        key: dict[str, Any] = {}
        for condition in call.key:
            found = self._key_values(table, call.ref, condition, {})
            if not found:
                return None
            key[condition.attribute] = found[0]
        before = self.operations.peek(table, key)
        if before is None:
            return None
        if call.op == "DeleteItem":
            return ItemWrite(table, key, before, None, call.condition)
        row = self.operations.row(table, before)
        return ItemWrite(table, key, before, self._changed_item(call, table, before, {0: row}), call.condition)

    def _changed_item(
        self, call: WriteCall, table: TableDesign, before: Mapping[str, Any] | None, binding: Binding,
        read: Row | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The item with the assigned columns, and the attributes composed of them, set anew.

        DynamoDB computes with the item that it has, the client with the row that it has read.
        """
        after = dict(before or {})
        row = dict(self.operations.row(table, after))
        values = self._assigned(call.sets, row, binding, read)
        row |= values
        builder = self.operations.builder(table.name)
        for name, attribute in table.attributes.items():
            if attribute.denormalized and name in values:
                value = encode(values[name], attribute.encoding or "string", self._parent_column(attribute))
            elif attribute.denormalized or not set(table.source_columns(name)) & set(values):
                continue
            else:
                value = builder.value(attribute, row)
            after.pop(name, None)
            if value is not None:
                after[name] = value
        return after

    def _parent_column(self, attribute: ContractAttribute) -> Column:
        columns = self.operations.columns(attribute.source_table)
        return next(c for c in columns if c.name == attribute.source_column)

    def _child_change(self, call: WriteCall, table: TableDesign, row: Row) -> ItemWrite | None:
        """The item of a child that goes with its parent, or loses its foreign key."""
        if not self.operations.builder(table.name).applies(row):
            return None
        key = self._base_key(table, row)
        before = self.operations.peek(table, key)
        if before is None:
            return None
        after = None if call.op == "DeleteItem" else self._changed_item(call, table, before, {})
        return ItemWrite(table, key, before, after, call.condition)

    def _copy_change(self, call: WriteCall, table: TableDesign, binding: Binding, row: Row) -> ItemWrite | None:
        """The child's item with the copies of the changed parent columns set anew."""
        key = self._base_key(table, row)
        before = self.operations.peek(table, key)
        if before is None:
            return None
        after = dict(before)
        upsert = call.existing is not None and self.pattern.insert_mode == "upsert"
        old: Binding = {**binding, 0: binding.get(call.existing or 0)} if upsert else binding
        for assignment in call.sets:
            attribute = table.attributes[assignment.column]
            column = self.columns[(0, attribute.source_column)]
            stored = as_stored(self.evaluator.value(assignment.value, old), column)
            value = encode(stored, attribute.encoding or "string", column)
            after.pop(assignment.column, None)
            if value is not None:
                after[assignment.column] = value
        return ItemWrite(table, key, before, after, call.condition)

    def _inserted_change(self, call: WriteCall, table: TableDesign, binding: Binding, row: Row) -> ItemWrite | None:
        builder = self.operations.builder(call.table)
        existing = None if call.existing is None else binding.get(call.existing)
        old_key = self._base_key(table, existing) if existing is not None and builder.applies(existing) else None
        new = row if existing is None or self.pattern.insert_mode == "replace" else self._merged(existing, row)
        if call.op == "DeleteItem":
            if old_key is None or (builder.applies(new) and self._base_key(table, new) == old_key):
                return None
            before = self.operations.peek(table, old_key)
            return ItemWrite(table, old_key, before, None, call.condition, self._as_read(call, table, existing or {}))
        if not builder.applies(new):
            return None
        if old_key is not None:
            return self._moved(call, table, new, old_key, existing or {})
        key, item = self._numbered(table, new, self._base_key(table, new))
        condition = "not exists" if call.condition == "as read" else call.condition
        return ItemWrite(table, key, self.operations.peek(table, key), item, condition)

    def _merged(self, existing: Row, row: Row) -> dict[str, Cell]:
        """The existing row after ON DUPLICATE KEY UPDATE."""
        return self._as_changed(existing, self._assigned(self.pattern.on_duplicate, existing, {}))

    def _assigned(
        self, assignments: Iterable[Assignment], row: Row, binding: Binding, read: Row | None = None
    ) -> dict[str, Cell]:
        """The new values of a row's columns and copies: assigned one after the other, each sees those before it."""
        found: dict[str, Cell] = {}
        for assignment in assignments:
            now = {**(row if read is None or in_place(assignment.value) else read), **found}
            value = self.evaluator.value(assignment.value, {**binding, 0: now})
            column = self.columns.get((0, assignment.column))
            found[assignment.column] = value if column is None else as_stored(value, column)
        return found

    def _updated(self, row: Row, binding: Binding) -> dict[str, Cell]:
        spelled = [a.model_copy(update={"column": self._spelled(a.column)}) for a in self.pattern.assignments]
        changed = self._assigned(spelled, row, binding)
        return self._as_changed(row, changed)

    def _as_changed(self, row: Row, changed: Row) -> dict[str, Cell]:
        """A row with new values; it keeps the key that it was read by where nothing changes."""
        if all(row.get(name) == value for name, value in changed.items()):
            return {**row, **changed}
        plain = {c.name: row.get(c.name) for c in self.operations.columns(self.refs[0].table)}
        return {**plain, **changed}

    def _spelled(self, column: str) -> str:
        return next(c.name for c in self.operations.columns(self.refs[0].table) if c.name.lower() == column.lower())

    def _has(self, ref: int, row: Row, values: Row) -> bool:
        """Whether a row has these values, by their columns' collations."""
        columns = [self.columns[ref, name] for name in values]
        return all(collated(row.get(c.name), c) == collated(values[c.name], c) for c in columns)

    def _parent(self, table_id: str, columns: tuple[str, ...], values: tuple[Cell, ...]) -> Row | None:
        """The row to copy from, among the support rows that the plan has read."""
        for binding in self.relation:
            for ref, row in binding.items():
                same = ref >= len(self.pattern.refs) and self.refs[ref].table == table_id
                if same and row is not None and self._has(ref, row, dict(zip(columns, values, strict=True))):
                    return row
        return None


def _with_computed(binding: Binding, values: Row) -> Binding:
    """A row of the relation with values that the client has computed for it."""
    return {**binding, _COMPUTED: {**(binding.get(_COMPUTED) or {}), **values}}


def _ascending(a: Cell, b: Cell) -> int:
    return compare(a, b, False)


def _by(column: Column) -> Callable[[Cell], Any]:
    """A key that sorts values as a column's collation does."""

    def order(a: Cell, b: Cell) -> int:
        return compared(a, b, column)

    return cmp_to_key(order)


def _asked(value: Cell, column: Column) -> Cell:
    """A value that is looked for, as the column would hold it where it does. Raises InputError where none is equal."""
    if isinstance(value, bytes) and column.type == "binary" and len(value) != (column.length or 1):
        raise InputError("a BINARY of another length", subject=column.name)
    if isinstance(value, str) and column.type == "enum":
        return member(value, column)
    return as_column(value, column)


def _frozen(value: Any) -> Any:
    """A hashable form of a key."""
    if isinstance(value, Mapping):
        return tuple(sorted((name, _frozen(v)) for name, v in value.items()))
    return value
