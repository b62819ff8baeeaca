"""Writes compiled to plans: the row that changes, its look-up items, and the copies that follow it.

Statement by statement: a MySQL transaction over several statements is mapped by stage 2 and not compiled as a whole.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import fsum

from ddbmig.engine.candidates import Copy, Draft, Entity
from ddbmig.engine.capacity import write_blocks
from ddbmig.engine.costs import writes_of
from ddbmig.engine.reads import Relation, Rows, check_scope, read_demand
from ddbmig.engine.statement import (
    Frequencies,
    NotBounded,
    Statement,
    columns_of,
    conjuncts,
    opaque_reason,
)
from ddbmig.model.condition import All, ColumnRef, Compare, Constant, Param, Term
from ddbmig.model.design import IndexDesign, TableDesign
from ddbmig.model.pattern import AccessPattern, Assignment, Join, TableRef
from ddbmig.model.plan import Estimate, KeyCondition, Plan, Step, Transaction, WriteCall, in_place
from ddbmig.model.schema import ForeignKey, Index


@dataclass(frozen=True)
class Effect:
    """A write of items of one table, from which the units follow that the items and the entries of its GSIs take."""

    table: str
    rows: float
    transactional: bool
    changed: frozenset[str] | None
    """The columns and copies that get a new value; None: whole entries come or go."""
    absent: frozenset[str] = frozenset()
    """Columns that are NULL in the written items: GSIs keyed by one of them have no entry."""


def compile_write(pattern: AccessPattern, draft: Draft, frequencies: Frequencies, rows: Rows) -> Plan:
    """The plan of an INSERT, UPDATE or DELETE, or a routed plan."""
    try:
        return WriteCompiler(pattern, draft, frequencies, rows).compiled().plan()
    except NotBounded as stop:
        return Plan(pattern=pattern.id, routed=(stop.reason,), detail=stop.detail)


class WriteCompiler:
    """Compiles one write against one draft. The relation holds the written row as reference 0."""

    def __init__(self, pattern: AccessPattern, draft: Draft, frequencies: Frequencies, rows: Rows) -> None:
        check_scope(pattern, draft)
        self.pattern, self.draft, self.frequencies, self.rows = pattern, draft, frequencies, rows
        self.entity: Entity = draft.entities[pattern.refs[0].table]
        self.table: TableDesign = draft.entity_design(self.entity)
        self.support: list[TableRef] = []
        self.relation = Relation()
        self.detail: list[str] = []
        self.effects: list[Effect] = []

    def compiled(self) -> "WriteCompiler":
        """Itself, with all steps. Raises NotBounded."""
        self.check_values()
        if self.pattern.kind == "delete" or self.pattern.insert_mode == "replace":
            self._check_cascades((self.entity.table.id,))
        kinds = {"insert": self.insert, "update": self.update, "delete": self.delete}
        kinds[self.pattern.kind]()
        return self

    def plan(self) -> Plan:
        """The finished plan with its totals."""
        calls = [w for s in self.relation.steps for w in writes_of(s)]
        return Plan(
            pattern=self.pattern.id,
            steps=tuple(self.relation.steps),
            support=tuple(self.support),
            uses=tuple(dict.fromkeys([*self.relation.uses, *(w.table for w in calls)])),
            round_trips=self.relation.round_trips + sum(1 for s in self.relation.steps if writes_of(s)),
            read_units=self.relation.units,
            write_units=sum(w.estimate.write_units for w in calls),
            index_write_units=sum(w.estimate.index_write_units for w in calls),
            transaction_units=sum(w.estimate.transaction_units for w in calls),
            scans=self.relation.scans,
            detail="; ".join(self.detail),
        )

    def check_values(self) -> None:
        """Raise NotBounded where a written value is computed by something we do not model."""
        for assignment in (*self.pattern.assignments, *self.pattern.on_duplicate):
            if why := opaque_reason(assignment.value):
                raise NotBounded("server function", f"the value of {assignment.column} needs MySQL: {why}")

    # --- the three kinds ---

    def insert(self) -> None:
        """PutItem, with the look-up items in the same transaction, after reading what must be copied."""
        mode, existing = self.pattern.insert_mode, None
        count = max(1.0, self.frequencies.list_length)
        self.relation.rows = count  # what each row needs is looked up for each
        given = {a.column.lower() for a in self.pattern.assignments}
        self._note_generated_key(given)
        self._note_wider_key()
        self._note_equal_rows()
        count = self.relation.rows = max(1.0, self.frequencies.list_length)
        found_by = self._identity(given) if mode in ("upsert", "replace") else None
        if found_by is not None:
            existing = self._read_existing(found_by)
        for copy in self.entity.copies:
            self._read_parent(copy)
        moved = [u for u in self.entity.lookups if existing is not None and self._overwrites(u)]
        given_a_lookup = [u for u in self.entity.lookups if self._has_lookup(u) or (u in moved and mode == "upsert")]
        rekeyed = found_by is not None and self._overwrites_key(found_by)
        transactional = bool(moved or given_a_lookup or rekeyed)
        base = WriteCall(
            op="PutItem", table=self.table.name, source=self.table.source_table, ref=0, existing=existing,
            sets=self.pattern.on_duplicate, purpose="base item",
            condition="not exists" if mode in ("insert", "ignore") else None if existing is None else "as read",
            unchanged=None if existing is None else self._relied_on_by_upsert(moved, rekeyed),
            estimate=self._effect(self.table, count, transactional, None, self._left_null(given)),
        )  # fmt: skip
        writes = [base]
        if rekeyed:
            delete = self._base_write("DeleteItem", count, transactional=True, existing=existing)
            writes.insert(0, delete.model_copy(update={"unchanged": base.unchanged, "condition": "exists"}))
        writes += [self._lookup_write("DeleteItem", unique, count, existing=existing) for unique in moved]
        writes += [self._lookup_write("PutItem", unique, count, existing=existing) for unique in given_a_lookup]
        if existing is not None and mode == "replace":
            self._cascade(existing, count, (self.entity.table.id,))
        self._append(writes)
        if existing is not None:
            self._maintain_copies(self._overwritten(), existing)

    def update(self) -> None:
        """UpdateItem by key, or read and then update each row; look-ups and copies follow."""
        changed = {self._column(a.column) for a in self.pattern.assignments}
        moved = [u for u in self.entity.lookups if changed & set(u.columns)]
        rekeyed = bool(changed & set(self.entity.key_columns)) or self.entity.digest_key is not None
        self._note_equal_rows()
        copies = [c for c in self.entity.copies if rekeyed or changed & set(c.local_columns)]
        key = self._direct_key()
        uses_row = any(
            columns_of(a.value) - ({(0, c) for c in changed} if in_place(a.value) else set())
            for a in self.pattern.assignments
        )
        direct = key is not None and not (moved or rekeyed or copies or uses_row)
        everything = {c.name for c in self.entity.table.columns}
        need = everything if rekeyed else {
            *self.entity.key_columns, *(c for u in moved for c in u.columns), *self._value_columns(),
            *(c for copy in copies for c in copy.local_columns), *self._selecting_columns(),
        }  # fmt: skip
        if not direct:
            self._read_rows(need)
        computed = {
            c for a in self.pattern.assignments if not in_place(a.value)
            for ref, c in columns_of(a.value) if ref == 0
        }  # fmt: skip
        relied_on = everything if rekeyed else {
            *(c for u in moved for c in u.columns), *computed, *self._selecting_columns(),
            *(c for copy in copies for c in set(copy.local_columns) - changed),
        }  # fmt: skip
        rows = self.relation.rows
        sets = (*self.pattern.assignments, *(a for copy in copies for a in self._copied_anew(copy)))
        if rekeyed:
            writes = [
                self._base_write("DeleteItem", rows, transactional=True, relied_on=relied_on),
                self._base_write("PutItem", rows, transactional=True, sets=sets, relied_on=relied_on),
            ]
            for unique in self.entity.lookups:  # every look-up item holds the key that changes
                writes.append(self._lookup_write("DeleteItem", unique, rows))
                writes.append(self._lookup_write("PutItem", unique, rows, sets=sets))
            self._append(writes)
        else:
            touched = changed | {name for copy in copies for _, name in copy.columns}
            update = self._base_write("UpdateItem", rows, transactional=bool(moved), sets=sets, changed=touched,
                                      relied_on=None if direct else relied_on)  # fmt: skip
            if direct:
                update = update.model_copy(update={"key": key, "per_row": False})
            writes = [update]
            for unique in moved:
                writes.append(self._lookup_write("DeleteItem", unique, rows))
                writes.append(self._lookup_write("PutItem", unique, rows, sets=sets))
            self._append(writes)
        self._maintain_copies({self._column(a.column): a.value for a in self.pattern.assignments})

    def delete(self) -> None:
        """DeleteItem by key, or read and then delete each row, with its look-up items in one transaction."""
        key = self._direct_key()
        actions = delete_actions(self.draft.entities, self.entity.table.id)
        if key is not None and not self.entity.lookups and not actions:
            write = self._base_write("DeleteItem", 1.0, transactional=False)
            self._append([write.model_copy(update={"key": key, "per_row": False})])
            return
        parents = {column for _, key in actions for column in key.parent_columns}
        relied_on = {*(c for u in self.entity.lookups for c in u.columns), *parents, *self._selecting_columns()}
        self._read_rows({*self.entity.key_columns, *relied_on})
        rows = self.relation.rows
        self._cascade(0, rows, (self.entity.table.id,))
        writes = [self._base_write("DeleteItem", rows, transactional=bool(self.entity.lookups), relied_on=relied_on)]
        writes += [self._lookup_write("DeleteItem", unique, rows) for unique in self.entity.lookups]
        self._append(writes)

    # --- foreign keys ---

    def _cascade(self, parent: int, rows: float, above: tuple[str, ...]) -> None:
        """What the foreign keys do to the children of deleted rows: ON DELETE CASCADE, and SET NULL.

        `parent` is the reference of the deleted rows, `above` their table and those that it is deleted through.
        Children go first, so that none is left without its parent.
        """
        before, self.relation.rows = self.relation.rows, rows
        for child, key in delete_actions(self.draft.entities, above[-1]):
            table = child.table.id
            cascades = key.on_delete.upper() == "CASCADE"
            pairs = tuple((own, ColumnRef(ref=parent, column=other))
                          for own, other in zip(key.columns, key.parent_columns, strict=True))  # fmt: skip
            demand = f"children {' '.join(above)} {table}({','.join(key.columns)})"
            ref = self._join(demand, table, pairs, {c.name for c in child.table.columns})
            children = rows * self.draft.sizes.rows_per_value(table, key.columns)
            if cascades:
                self._cascade(ref, children, (*above, table))
                self._append(self._child_deletes(child, ref, children))
            else:
                self._append(self._child_nulls(child, key, ref, children))
        self.relation.rows = before

    def _check_cascades(self, above: tuple[str, ...]) -> None:
        """Raise NotBounded where deleting from a table ends in itself, or leaves rows that only their content names."""
        for child, key in delete_actions(self.draft.entities, above[-1]):
            table = child.table.id
            if key.on_delete.upper() == "CASCADE":
                if table in above:
                    raise NotBounded(
                        "unbounded join", f"deleting from {table} deletes from itself: as deep as the data"
                    )
                self._check_cascades((*above, table))
            elif child.digest_key is not None:
                raise NotBounded("no key for the write", f"rows of {table} would get another digest")

    def _child_deletes(self, child: Entity, ref: int, rows: float) -> list[WriteCall]:
        """The item of a child, and its look-up items in one transaction."""
        design = self.draft.entity_design(child)
        estimate = self._effect(design, rows, bool(child.lookups), None)
        purpose = f"cascade to {child.table.id}"
        writes = [_child_write("DeleteItem", design, ref, purpose, estimate)]
        for unique in child.lookups:
            lookup = self.draft.lookup_design(child, unique)
            writes.append(_child_write("DeleteItem", lookup, ref, purpose, _estimate(lookup, rows, True, {})))
        return writes

    def _child_nulls(self, child: Entity, key: ForeignKey, ref: int, rows: float) -> list[WriteCall]:
        """A child whose foreign key becomes NULL: with it its copies, and the look-up items that it is a part of."""
        names = [*key.columns, *(name for copy in child.copies if set(copy.local_columns) & set(key.columns)
                                 for _, name in copy.columns)]  # fmt: skip
        lost = [u for u in child.lookups if set(u.columns) & set(key.columns)]
        design, purpose = self.draft.entity_design(child), f"NULL in {child.table.id}"
        update = _child_write(
            "UpdateItem", design, ref, purpose, self._effect(design, rows, bool(lost), frozenset(names))
        ).model_copy(
            update={"condition": "exists",
                    "sets": tuple(Assignment(column=name, value=Constant(value=None)) for name in names)}
        )  # fmt: skip
        lookups = [self.draft.lookup_design(child, unique) for unique in lost]
        deletes = [_child_write("DeleteItem", each, ref, purpose, _estimate(each, rows, True, {})) for each in lookups]
        return [update, *deletes]

    # --- reading before writing ---

    def _read_rows(self, needed: set[str]) -> None:
        """The rows that the WHERE selects, with the columns that the writes need."""
        if self.entity.digest_key:
            needed = {c.name for c in self.entity.table.columns}
        names = {self.entity.table.column(c).name for c in needed}
        statement = Statement(self.pattern, self.draft.sizes, self.frequencies, {0: names})
        self.relation = self.rows.select(read_demand(self.pattern), statement)

    def _identity(self, given: set[str]) -> tuple[str, ...] | None:
        """The primary key, else the unique key, whose columns an upsert or REPLACE gives, or leaves to their defaults;
        None where there is none."""
        table = self.entity.table
        known = given | {c.name.lower() for c in table.columns if c.default not in (None, "NULL")}
        keys = [table.primary_key, *(u.columns for u in table.unique_keys())]
        usable = [key for key in keys if key and {c.lower() for c in key} <= known]
        if len(usable) > 1:
            self.detail.append(f"the row already there is looked for by {', '.join(usable[0])} only")
        return usable[0] if usable else None

    def _read_existing(self, key: tuple[str, ...]) -> int:
        """The row already there for an upsert or REPLACE."""
        pairs = tuple((column, ColumnRef(ref=0, column=column)) for column in key)
        return self._join("existing", self.entity.table.id, pairs, {c.name for c in self.entity.table.columns})

    def _read_parent(self, copy: Copy) -> None:
        pairs = tuple(
            (parent, ColumnRef(ref=0, column=local))
            for parent, local in zip(copy.parent_columns, copy.local_columns, strict=True)
        )
        self._join(f"parent {copy.relationship}", copy.parent, pairs, {column for column, _ in copy.columns})

    def _copied_anew(self, copy: Copy) -> tuple[Assignment, ...]:
        """The copies of a row whose parent changes, taken from the parent that it has then."""
        assigned = {self._column(a.column): a.value for a in self.pattern.assignments}
        terms = [assigned.get(local, ColumnRef(ref=0, column=local)) for local in copy.local_columns]
        if any(term == Constant(value=None) for term in terms):
            return tuple(Assignment(column=name, value=Constant(value=None)) for _, name in copy.columns)
        if any(not isinstance(term, Param | ColumnRef) for term in terms):
            raise NotBounded("server function", f"the new {copy.parent} of a row that holds copies of it is computed")
        pairs = tuple(zip(copy.parent_columns, terms, strict=True))
        demand = f"new parent {copy.relationship}"
        ref = self._join(demand, copy.parent, pairs, {column for column, _ in copy.columns})
        return tuple(Assignment(column=name, value=ColumnRef(ref=ref, column=column)) for column, name in copy.columns)

    def _join(self, demand: str, table: str, pairs: tuple[tuple[str, Term], ...], needed: set[str]) -> int:
        """Left-join the rows of `table` that equal the terms of `pairs`; returns their reference number.

        The bound row stays even where none is found: what follows still needs it.
        """
        ref = len(self.pattern.refs) + len(self.support)
        self.support.append(TableRef(table=table, alias=f"support_{ref}"))
        own = {column: ColumnRef(ref=ref, column=column) for column, _ in pairs}
        on = tuple((own[column], term) for column, term in pairs if isinstance(term, ColumnRef))
        given = [Compare(op="=", left=own[c], right=(term,)) for c, term in pairs if not isinstance(term, ColumnRef)]
        synthetic = self.pattern.model_copy(
            update={
                "refs": (*self.pattern.refs, *self.support),
                "joins": (Join(ref=ref, kind="left", on=on, extra=All(items=tuple(given))),),
                "where": All(),
                "reads": (), "order": (), "limit": None, "group_by": (), "aggregates": (), "distinct": False,
            }
        )  # fmt: skip
        statement = Statement(synthetic, self.draft.sizes, self.frequencies, {ref: needed})
        self.rows.join(f"{self.pattern.id} {demand}", statement, ref, self.relation)
        return ref

    def _overwritten(self) -> dict[str, Term]:
        """What an upsert or REPLACE gives a row that is already there; what REPLACE is not given becomes NULL."""
        if self.pattern.insert_mode == "upsert":
            return {self._column(a.column): a.value for a in self.pattern.on_duplicate}
        values: dict[str, Term] = {c.name: Constant(value=None) for c in self.entity.table.columns if c.default is None}
        return values | {self._column(a.column): a.value for a in self.pattern.assignments}

    def _maintain_copies(self, values: Mapping[str, Term], existing: int | None = None) -> None:
        """The children that hold copies of a changed column: found by their foreign key, updated one by one."""
        for child_id in sorted(self.draft.entities):
            child = self.draft.entities[child_id]
            for copy in child.copies:
                stale = [(name, column, values[column]) for column, name in copy.columns if column in values]
                if copy.parent != self.entity.table.id or not stale:
                    continue
                self._maintain(child, copy, stale, existing)

    def _maintain(self, child: Entity, copy: Copy, stale: list[tuple[str, str, Term]], existing: int | None) -> None:
        """Update the copies of one relationship; `stale` has attribute, parent column and new value."""
        pairs = tuple(
            (local, ColumnRef(ref=existing or 0, column=parent))
            for parent, local in zip(copy.parent_columns, copy.local_columns, strict=True)
        )
        ref = self._join(f"copy {copy.relationship}", child.table.id, pairs, set(child.key_columns))
        rows = self.relation.rows * self.draft.sizes.rows_per_value(child.table.id, copy.local_columns)
        design = self.draft.entity_design(child)
        names = frozenset(name for name, _, _ in stale)
        self.relation.steps.append(
            WriteCall(
                op="UpdateItem", table=design.name, source=child.table.id, ref=ref, per_row=True, condition="exists",
                existing=existing,
                sets=tuple(Assignment(column=name, value=value) for name, _, value in stale),
                purpose=f"copy of {', '.join(f'{copy.parent}.{column}' for _, column, _ in stale)}",
                estimate=self._effect(design, rows, False, names),
            )
        )  # fmt: skip

    # --- what a write touches ---

    def _column(self, name: str) -> str:
        return self.entity.table.column(name).name

    def _value_columns(self) -> set[str]:
        return {column for a in self.pattern.assignments for ref, column in columns_of(a.value) if ref == 0}

    def _selecting_columns(self) -> set[str]:
        """The columns of the written table by which the statement chooses its rows."""
        joins = self.pattern.joins
        found = columns_of(All(items=(self.pattern.where, *(join.extra for join in joins))))
        found |= {(c.ref, c.column) for join in joins for pair in join.on for c in pair}
        return {self._column(column) for ref, column in found if ref == 0}

    def _unchanged(self, relied_on: Collection[str]) -> tuple[str, ...]:
        """The columns that must be as they were read, in the table's order. Those of the item's own key always are, and
        a digest is of all."""
        names = set() if self.entity.digest_key else {*relied_on} - {*self.entity.key_columns}
        return tuple(c.name for c in self.entity.table.columns if c.name in names)

    def _relied_on_by_upsert(self, moved: Collection[Index], rekeyed: bool) -> tuple[str, ...]:
        """What an upsert or REPLACE takes from the row already there: the keys of look-up items that go, the values
        that it computes with; and the whole row where it gets another key, or copies of another parent."""
        relied_on = {column for unique in moved for column in unique.columns}
        if self.pattern.insert_mode == "upsert":
            overwritten = self._overwritten()
            relied_on |= {c for term in overwritten.values() for ref, c in columns_of(term) if ref == 0}
            if rekeyed or any(set(copy.local_columns) & set(overwritten) for copy in self.entity.copies):
                relied_on = {c.name for c in self.entity.table.columns}
        return self._unchanged(relied_on)

    def _not_null(self, column: str) -> bool:
        """Whether the insert may give the column a value other than NULL."""
        for assignment in self.pattern.assignments:
            if assignment.column.lower() == column.lower():
                return assignment.value != Constant(value=None)
        return not self.entity.table.column(column).nullable or self.entity.table.column(column).default is not None

    def _note_generated_key(self, given: set[str]) -> None:
        for column in self.entity.table.columns:
            if column.auto_increment and column.name.lower() not in given:
                self.detail.append(
                    f"{column.name} was AUTO_INCREMENT: the client generates it (a ULID or a counter item)"
                )
                return

    def _note_wider_key(self) -> None:
        """The primary key is a part of the base key: DynamoDB refuses the same primary key in one partition only."""
        own, key = self.entity.table.primary_key, self.entity.key_columns
        if own and set(own) < set(key):
            beyond = ", ".join(column for column in key if column not in own)
            self.detail.append(
                f"{', '.join(own)} must not be given out twice: it is checked to be unique together with {beyond} only"
            )

    def _note_equal_rows(self) -> None:
        if self.entity.digest_key:
            self.detail.append("equal rows are numbered: where the digest is taken, #1, #2 and so on is added to it")

    def _direct_key(self) -> tuple[KeyCondition, ...] | None:
        """The base key when the WHERE is nothing but its columns equal to single parameters."""
        terms: dict[str, Term] = {}
        for condition in conjuncts(self.pattern.where):
            if not isinstance(condition, Compare) or condition.op != "=" or not isinstance(condition.left, ColumnRef):
                return None
            term = condition.right[0]
            if not isinstance(term, Param) or term.many or condition.left.column in terms:
                return None
            terms[condition.left.column] = term
        keys = self.entity.key_columns
        if not keys or set(terms) != set(keys) or len(self.pattern.refs) > 1 or self.pattern.limit is not None:
            return None
        found = []
        for part in (self.entity.pk, self.entity.sk):
            if part:
                name, _ = self.draft.key_attribute(self.entity, part)
                found.append(KeyCondition(attribute=name, terms=tuple((c, terms[c]) for c in part)))
        return tuple(found)

    # --- write calls and their estimates ---

    def _append(self, writes: list[WriteCall]) -> None:
        step: Step = writes[0] if len(writes) == 1 else Transaction(writes=tuple(writes))
        self.relation.steps.append(step)

    def _base_write(
        self,
        op: str,
        rows: float,
        *,
        transactional: bool,
        sets: tuple[Assignment, ...] = (),
        changed: Collection[str] | None = None,
        existing: int | None = None,
        relied_on: Collection[str] | None = None,
    ) -> WriteCall:
        """A write of the table's own item. `relied_on`: the columns of the row by which it was decided; None where
        the row is not read before."""
        gone = None if relied_on is None else "exists"
        conditions: Mapping[str, str | None] = {"UpdateItem": "exists", "PutItem": "not exists", "DeleteItem": gone}
        return WriteCall.model_validate(
            {
                "op": op,
                "table": self.table.name,
                "source": self.table.source_table,
                "ref": 0,
                "per_row": True,
                "existing": existing,
                "sets": sets,
                "condition": conditions[op],
                "unchanged": None if relied_on is None else self._unchanged(relied_on),
                "purpose": "base item",
                "estimate": self._effect(
                    self.table, rows, transactional, None if changed is None else frozenset(changed)
                ),
            }
        )

    def _has_lookup(self, unique: Index) -> bool:
        """Whether the inserted row may have a look-up item: not where a column of the key is NULL."""
        return all(self._not_null(column) for column in unique.columns)

    def _overwrites_key(self, found_by: Collection[str]) -> bool:
        """Whether the row that is already there may get another base key."""
        keys = set(self.entity.key_columns)
        if self.pattern.insert_mode == "replace":
            return not keys <= set(found_by)
        return bool(keys & set(self._overwritten())) or self.entity.digest_key is not None

    def _overwrites(self, unique: Index) -> bool:
        """Whether the insert may change a unique key of the row that is already there."""
        return self.pattern.insert_mode == "replace" or bool(set(unique.columns) & set(self._overwritten()))

    def _left_null(self, given: Collection[str]) -> frozenset[str]:
        """The columns that an INSERT leaves NULL, or says to be."""
        nulls = {a.column.lower() for a in self.pattern.assignments if a.value == Constant(value=None)}
        columns = self.entity.table.columns
        return frozenset(
            c.name for c in columns
            if c.name.lower() in nulls or (c.name.lower() not in given and c.nullable and c.default is None)
        )  # fmt: skip

    def _effect(
        self,
        table: TableDesign,
        rows: float,
        transactional: bool,
        changed: frozenset[str] | None,
        absent: frozenset[str] = frozenset(),
    ) -> Estimate:
        """The estimate of writing so many items, which touches entries of the table's GSIs."""
        effect = Effect(table.source_table, rows, transactional, changed, absent)
        self.effects.append(effect)
        index_units = {index.name: entry_units(table, index, effect) for index in table.indexes}
        return _estimate(table, rows, transactional, {name: units for name, units in index_units.items() if units})

    def _lookup_write(
        self, op: str, unique: Index, rows: float, *, existing: int | None = None, sets: tuple[Assignment, ...] = ()
    ) -> WriteCall:
        """The look-up item of a unique key, in the transaction that writes its row."""
        lookup = self.draft.lookup_design(self.entity, unique)
        return WriteCall.model_validate(
            {
                "op": op,
                "table": lookup.name,
                "source": self.table.source_table,
                "ref": 0,
                "per_row": True,
                "existing": existing,
                "sets": sets,
                "condition": "not exists" if op == "PutItem" else None,
                "purpose": f"look-up of unique key {unique.name}",
                "estimate": _estimate(lookup, rows, True, {}),
            }
        )


def delete_actions(entities: Mapping[str, Entity], parent: str) -> list[tuple[Entity, ForeignKey]]:
    """The children of a table, with the foreign keys that change them when their parent is deleted."""
    return [
        (entities[child], key)
        for child in sorted(entities)
        for key in entities[child].table.foreign_keys
        if key.parent == parent and key.on_delete.upper() in ("CASCADE", "SET NULL")
    ]


def _child_write(op: str, table: TableDesign, ref: int, purpose: str, estimate: Estimate) -> WriteCall:
    """A write of each child that was found."""
    return WriteCall.model_validate(
        {"op": op, "table": table.name, "source": table.source_table, "ref": ref, "per_row": True, "purpose": purpose,
         "estimate": estimate}
    )  # fmt: skip


def _estimate(table: TableDesign, rows: float, transactional: bool, index_units: Mapping[str, float]) -> Estimate:
    """Writing so many items of a table; `index_units` are those of one item by GSI.

    Both images of an item are taken to be of its average size. A transaction doubles the base item only.
    """
    base = write_blocks(table.item_bytes)
    extra = base if transactional else 0
    return Estimate(
        calls=rows,
        items=1.0,
        write_units=rows * (base + extra + fsum(index_units.values())),
        transaction_units=rows * extra,
        index_units={name: rows * units for name, units in index_units.items()},
    )


def item_units(size: float, effect: Effect) -> float:
    """Units to write the items of an effect, GSIs apart, where they are of this average size."""
    return effect.rows * write_blocks(size) * (2 if effect.transactional else 1)


def entry_units(table: TableDesign, index: IndexDesign, effect: Effect) -> float:
    """Units for a GSI to follow the write of one item, averaged over items that it has an entry of and others.

    One entry where entries come or go. Else two where the index key moves, one where only the content changes, none
    where nothing of the entry does.
    """
    if any(effect.absent & set(table.source_columns(name)) for name in index.keys):
        return 0.0
    one = _present(table, index) * write_blocks(index.entry_bytes)
    changed = effect.changed
    if changed is None:
        return one
    own = {n for n, a in table.attributes.items() if not a.denormalized}
    variable = {n for n in own if table.attributes[n].value is None}
    touched = {n for n in variable if changed & set(table.source_columns(n))} | (changed - own)
    if touched & set(index.keys):
        return 2 * one
    return one if index.projection == "ALL" or touched & set(index.projected) else 0.0


def _present(table: TableDesign, index: IndexDesign) -> float:
    """The share of items that have an entry: a sparse index is not written for the others."""
    return index.entries / table.items if table.items else 1.0
