"""Plans in the guide's form of a `ddb_query_plan`: the DynamoDB calls as JSON, parameters written `$name`.

One call is `{"GetItem": {…}}`. Several are `{"Steps": [{…}, …]}` in their order; what the client does between them is a
step `{"Client": "…"}` in words. The expressions are those that DynamoDB takes: who puts the values in for the
placeholders can make the call. plans.schema.json says what each field means.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ddbmig.model.condition import ColumnRef, Compare, Condition, Param, Term
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import TableDesign
from ddbmig.model.encodings import template_columns
from ddbmig.model.pattern import AccessPattern, Aggregate, OrderTerm
from ddbmig.model.plan import (
    Copied,
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
    range_bound,
)
from ddbmig.model.schema import Schema
from ddbmig.reporters.expressions import Expressions
from ddbmig.reporters.plan_values import Described, Shown, Values, composed, embedded, values_of
from ddbmig.reporters.read_expressions import filters, plain_attribute, projected
from ddbmig.reporters.update_expressions import Update

Fields = dict[str, Any]


@dataclass(frozen=True)
class QueryPlan:
    """The calls of one plan, and what stands behind the names in them."""

    calls: Fields
    """The `ddb_query_plan`; empty for a routed pattern."""
    placeholders: Mapping[str, Described]
    """By name without `$`: what it is and, where known, its column and how its values are encoded."""
    rows: Mapping[str, str]
    """Alias -> the MySQL table whose row it is."""


def query_plan(pattern: AccessPattern, plan: Plan, tables: Iterable[TableDesign], schema: Schema) -> QueryPlan:
    """The calls of one pattern."""
    writer = _Writer(pattern, plan, tables, schema)
    steps = [writer.step(step) for step in plan.steps]
    if not steps:
        return QueryPlan({}, {}, {})
    calls = steps[0] if len(steps) == 1 and "Client" not in steps[0] else {"Steps": steps}
    rows = {writer.namer.reference(number): ref.table for number, ref in enumerate(writer.refs)}
    return QueryPlan(calls, dict(sorted(writer.values.placeholders.items())), rows)


def compact_json(value: Any, width: int = 100, indent: int = 0) -> str:
    """JSON for people: what fits within `width` stands on one line, in the order given."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= width or not isinstance(value, dict | list):
        return flat
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, list):
        lines = [compact_json(one, width, indent + 2) for one in value]
        return "[\n" + ",\n".join(inner + line for line in lines) + f"\n{outer}]"
    pairs = [f"{json.dumps(key, ensure_ascii=False)}: {compact_json(one, width, indent + 2)}"
             for key, one in value.items()]  # fmt: skip
    return "{\n" + ",\n".join(inner + pair for pair in pairs) + f"\n{outer}}}"


class _Writer:
    """Writes the steps of one plan."""

    def __init__(self, pattern: AccessPattern, plan: Plan, tables: Iterable[TableDesign], schema: Schema) -> None:
        self.pattern, self.plan, self.schema = pattern, plan, schema
        self.tables = {table.name: table for table in tables}
        self.refs = (*pattern.refs, *plan.support)
        self.values = values_of(pattern, plan, schema)
        self.namer = self.values.namer
        self.several = len(plan.steps) > 1

    def step(self, step: Step) -> Fields:
        """One step; a sort that the index already gives is no step of the plan."""
        match step:
            case ReadCall():
                return {step.op: self._read(step)}
            case WriteCall():
                return {step.op: self._write(step)}
            case Transaction():
                return {"TransactWriteItems": [{write.op: self._write(write)} for write in step.writes
                                               if not self._never_made(write)]}  # fmt: skip
            case _:
                return {"Client": self._client(step)}

    # --- reads ---

    def _read(self, call: ReadCall) -> Fields:
        found: Fields = {"Table": call.table}
        if call.index:
            found["Index"] = call.index
        table, expressions = self.tables[call.table], Expressions()
        if call.op in ("GetItem", "BatchGetItem"):
            key = self._key(table, call.key) or self._row_key(table, call.ref)
            found |= {"Key": key} if call.op == "GetItem" else {"Keys": [key]}
        elif call.key:
            parts = [self._key_condition(table, part, expressions) for part in call.key]
            found["KeyConditionExpression"] = " AND ".join(parts)
        if checks := [self._check(one, table, expressions) for one in filters(self.plan, call, table, self.schema)]:
            found["FilterExpression"] = " AND ".join(checks)
        if names := projected(self.pattern, self.plan, call, table):
            found["ProjectionExpression"] = ", ".join(expressions.name(name) for name in names)
        return found | expressions.fields() | self._read_options(call)

    def _read_options(self, call: ReadCall) -> Fields:
        found: Fields = {}
        if call.consistent:
            found["ConsistentRead"] = True
        if not call.forward:
            found["ScanIndexForward"] = False
        if call.limit is not None:
            found["Limit"] = self._limit(call.limit)
        found |= self._repeated(call.key)
        if call.per_row:
            found["PerRow"] = True
        if self.several:
            found["As"] = self.namer.reference(call.ref)
        if call.join in ("left", "complete"):
            found["Join"] = "the item behind each entry" if call.join == "complete" else "left"
        if (match := self._words(call.match)) != "TRUE":
            found["Match"] = match
        if call.copied:
            found["Copies"] = dict(self._copies(call.copied))
        return found

    def _limit(self, rows: int) -> Shown:
        """The parameter of LIMIT where the plan takes its largest value for it, else the number."""
        for step in self.plan.steps:
            if isinstance(step, Slice) and step.row_param is not None and step.offset_param is None:
                return self.values.term(Param(index=step.row_param), "limit", "") if step.rows == rows else rows
        return rows

    def _repeated(self, key: Iterable[KeyCondition]) -> Fields:
        """The lists of which each member makes a key of its own."""
        lists = [term for part in key for _, term in part.terms if isinstance(term, Param) and term.many]
        return {"ForEach": [self.namer.term(term) for term in dict.fromkeys(lists)]} if lists else {}

    def _copies(self, copied: Iterable[Copied]) -> Iterator[tuple[str, str]]:
        for one in copied:
            for column, attribute in sorted(one.columns.items()):
                yield attribute, f"{self.namer.reference(one.ref)}.{column}"

    def _check(self, one: Compare, table: TableDesign, expressions: Expressions) -> str:
        """One condition of a FilterExpression."""
        assert isinstance(one.left, ColumnRef)  # noqa: S101  # filters() gives no others
        name = expressions.name(plain_attribute(table, one.left.column) or one.left.column)
        if one.op in ("is null", "is not null"):
            return f"attribute_{'not_' if one.op == 'is null' else ''}exists({name})"
        shown = [self.values.term(term, one.left.column, table.source_table) for term in one.right]
        values = [expressions.value(value, one.left.column) for value in shown]
        return f"{name} BETWEEN {' AND '.join(values)}" if one.op == "between" else f"{name} {one.op} {values[0]}"

    # --- keys ---

    def _key(self, table: TableDesign, key: Iterable[KeyCondition]) -> Fields:
        return {part.attribute: self._key_value(table, part) for part in key}

    def _key_value(self, table: TableDesign, part: KeyCondition) -> Shown:
        """The value of a key attribute: one term, or the template it is composed by."""
        attribute = table.attributes[part.attribute]
        if attribute.value is not None:
            return attribute.value
        values = {column: self.values.term(term, column, table.source_table) for column, term in part.terms}
        if attribute.template is None:
            return next(iter(values.values()))
        return composed(attribute.template, values)

    def _key_condition(self, table: TableDesign, part: KeyCondition, expressions: Expressions) -> str:
        name = expressions.name(part.attribute)
        shown = self._bounds(table, part) if part.op not in ("=", "begins_with") else [self._key_value(table, part)]
        values = [expressions.value(value, part.attribute) for value in shown]
        if part.op == "between":
            return f"{name} BETWEEN {' AND '.join(values)}"
        return f"begins_with({name}, {values[0]})" if part.op == "begins_with" else f"{name} {part.op} {values[0]}"

    def _bounds(self, table: TableDesign, part: KeyCondition) -> list[Shown]:
        """The bounds of a range; over the first column of a composed key with the character that must follow it."""
        shown = [self.values.term(term, column, table.source_table) for column, term in part.terms]
        template = table.attributes[part.attribute].template
        if template is None:
            return shown
        if len(template_columns(template)) > 1:
            return [range_bound(embedded(one), part.op, upper=number > 0) for number, one in enumerate(shown)]
        (column,) = template_columns(template)
        return [composed(template, {column: one}) for one in shown]

    def _row_key(self, table: TableDesign, ref: int) -> Fields:
        """The key of the item that holds the row of `ref`."""
        return {name: self._attribute(table, table.attributes[name], ref) for name in table.keys}

    # --- writes ---

    def _never_made(self, call: WriteCall) -> bool:
        """Whether a row never has the item: a part of its key is set to NULL by the statement itself."""
        table = self.tables[call.table]
        return call.op == "PutItem" and not self._item(call, table).keys() >= set(table.keys)

    def _write(self, call: WriteCall) -> Fields:
        found: Fields = {"Table": call.table}
        table, expressions, absent = self.tables[call.table], Expressions(), ""
        if call.op == "PutItem":
            found["Item"] = self._item(call, table)
        else:
            found["Key"] = self._key(table, call.key) or self._row_key(
                table, call.ref if call.existing is None else call.existing
            )
        if call.op == "UpdateItem":
            found["UpdateExpression"] = (update := self._update(call, table, expressions)).text()
            absent = ", ".join(update.may_be_absent())
        found |= self._condition(call, table, expressions)
        found |= expressions.fields()
        if absent:
            found["IfAbsent"] = f"MySQL leaves NULL in {absent}: make the call without it"
        return found | self._write_options(call, table)

    def _condition(self, call: WriteCall, table: TableDesign, expressions: Expressions) -> Fields:
        """What must hold of the item, and what to do where it does not because the row was read too long ago."""
        if call.condition is None:
            return {}
        function = "attribute_exists" if call.condition == "exists" else "attribute_not_exists"
        clauses, nulls, found = [f"{function}({expressions.name(table.pk)})"], [], Fields()
        for column in call.unchanged or () if call.op != "PutItem" else ():
            read = ColumnRef(ref=call.ref if call.existing is None else call.existing, column=column)
            name = expressions.name(plain_attribute(table, column) or column)
            shown = self.values.term(read, column, table.source_table)
            clauses.append(f"{name} = {expressions.value(shown, column)}")
            if self.values.may_be_null(read):
                nulls.append(name)
        found["ConditionExpression"] = " AND ".join(clauses)
        if nulls:
            found["IfNull"] = f"attribute_not_exists where NULL was read of {', '.join(nulls)}"
        if call.op == "PutItem" and call.condition == "as read":
            found["ConditionIf"] = "no row was found"
        elif call.op == "PutItem" and self.pattern.kind == "update":
            found["ConditionIf"] = "its key changes"
            found |= {"ConditionElse": "every attribute is as it was read"} if call.unchanged is not None else {}
        return found | ({"IfRefused": "read the row again and decide anew"} if call.unchanged is not None else {})

    def _update(self, call: WriteCall, table: TableDesign, expressions: Expressions) -> Update:
        return Update(call, table, self.values if call.existing is None else self._of_existing(call), expressions)

    def _write_options(self, call: WriteCall, table: TableDesign) -> Fields:
        found: Fields = {}
        if when := self._when(call, table):
            found["If"] = when
        if call.existing is not None and call.op == "PutItem":
            found["IfPresent"] = self._if_present(call)
        if call.per_row and not (self.namer.inserted and call.ref == 0):
            found["PerRow"] = True
        if call.purpose != "base item":
            found["Purpose"] = call.purpose
        return found

    def _when(self, call: WriteCall, table: TableDesign) -> str:
        """When the call is made at all: an unchanged key is left alone, and some rows have no item in a table."""
        reasons = []
        if self.pattern.kind in ("update", "insert") and call.op == "DeleteItem":
            reasons.append("its key changes")
        elif self.pattern.kind == "update" and call.op == "PutItem" and table.role == "lookup":
            reasons.append("the item changes")
        if table.filter and call.op != "UpdateItem":
            reasons.append(f"the {'new' if call.op == 'PutItem' else 'old'} row has {table.filter}")
        return " and ".join(reasons)

    def _if_present(self, call: WriteCall) -> str:
        """What an upsert or REPLACE does where the row is there: its columns then mean those of that row."""
        alias = self.namer.reference(call.existing or 0)
        as_read = "".join(f" and ${alias}.{column} is as it was read" for column in call.unchanged or ())
        condition = f", while it is there{as_read}" if call.condition == "as read" else ""
        if not call.sets:
            return f"the row ${alias} is replaced{condition}"
        there = self._of_existing(call)
        there.mention(*(given.value for given in call.sets))
        sets = ", ".join(f"{given.column} = {there.namer.term(given.value)}" for given in call.sets)
        return f"the row ${alias} is kept, with {sets}{condition}"

    def _of_existing(self, call: WriteCall) -> Values:
        """The values of an upsert's assignments, where columns mean those of the row that is there."""
        alias = self.namer.reference(call.existing or 0)
        there = replace(self.namer, inserted=False, references=(alias, *self.namer.references[1:]))
        return replace(self.values, namer=there)

    def _item(self, call: WriteCall, table: TableDesign) -> Fields:
        changed = {given.column.lower(): given.value for given in call.sets} if call.existing is None else {}
        values = {
            name: self._attribute(table, attribute, call.ref, changed) for name, attribute in table.attributes.items()
        }
        return {name: value for name, value in values.items() if value is not None}

    def _attribute(
        self, table: TableDesign, attribute: ContractAttribute, ref: int, changed: Mapping[str, Term] | None = None
    ) -> Shown:
        """The value of one attribute of the item of row `ref`; None where it has none (NULL is an absent attribute)."""
        if attribute.value is not None:
            return attribute.value
        if attribute.encoding == "row_digest":
            return self.values.digest(table.source_table)
        if attribute.denormalized:
            return self._copied_value(attribute)
        columns = template_columns(attribute.template) if attribute.template else (attribute.source_column,)
        values = {
            column: self.values.term(
                (changed or {}).get(column.lower(), ColumnRef(ref=ref, column=column)), column, table.source_table
            )
            for column in columns
        }
        return composed(attribute.template, values) if attribute.template else values[attribute.source_column]

    def _copied_value(self, attribute: ContractAttribute) -> str | None:
        """A copy comes from the row of its own table that the plan read before."""
        read = {step.ref for step in self.plan.steps if isinstance(step, ReadCall)}
        for ref in sorted(read, reverse=True):
            if ref < len(self.refs) and self.refs[ref].table == attribute.source_table:
                return f"${self.namer.reference(ref)}.{attribute.source_column}"
        return None

    # --- the client's part ---

    def _client(self, step: Filter | Exists | Sort | Slice | Distinct | Reduce) -> str:
        match step:
            case Filter():
                return f"keep the rows with {self._words(step.condition)}"
            case Exists():
                return self._exists(step)
            case Sort():
                return f"sort by {', then '.join(map(self._order, step.order))}"
            case Slice():
                return self._slice(step)
            case Distinct():
                return "keep one of each set of equal output rows"
            case Reduce():
                columns = ", ".join(self.namer.term(column) for column in step.group_by)
                groups = f"one row for each {columns}" if columns else "one row"
                aggregates = ", ".join(map(self._aggregate, step.aggregates))
                return f"make {groups}" + (f" with {aggregates}" if aggregates else "")

    def _words(self, condition: Condition) -> str:
        self.values.mention(condition)
        return self.namer.condition(condition)

    def _exists(self, step: Exists) -> str:
        aliases = ", ".join(self.namer.reference(ref) for ref in step.refs)
        if step.keep == "all":
            return f"note for each row whether a row of {aliases} was found, and drop {aliases}"
        found = "a row" if step.keep == "matched" else "no row"
        return f"keep the rows for which {found} of {aliases} was found, each once, without {aliases}"

    def _order(self, term: OrderTerm) -> str:
        nulls = (", NULL last" if term.descending else ", NULL first") if self.values.may_be_null(term.column) else ""
        return f"{self.namer.term(term.column)}{' descending' if term.descending else ''}{nulls}"

    def _slice(self, step: Slice) -> str:
        rows = step.rows if step.row_param is None else self.values.term(Param(index=step.row_param), "limit", "")
        kept = f"keep the first {rows} rows" if rows is not None else "keep the rest"
        if step.offset_param is None:
            return kept
        return f"drop the first {self.values.term(Param(index=step.offset_param), 'offset', '')} rows, {kept}"

    def _aggregate(self, one: Aggregate) -> str:
        inner = "*" if one.column is None else self.namer.term(one.column)
        return f"{one.function.upper()}({'DISTINCT ' if one.distinct else ''}{inner})"
