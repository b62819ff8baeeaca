"""Plans in the guide's form of a `ddb_query_plan`: the DynamoDB calls as JSON, parameters written `$name`.

One call is `{"GetItem": {…}}`. Several are `{"Steps": [{…}, …]}` in their order; what the client does between them is a
step `{"Client": {…}}`. In a step, `As` names the rows it fetches and `$name.column` is a value of such a row; `PerRow`
says that the call is made once for each distinct key of the rows so far (BatchGetItem: for all of them at once). `If`
says when a write is made at all. Names that DynamoDB reserves need ExpressionAttributeNames in code, as always.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ddbmig.model.base import canonical_json
from ddbmig.model.condition import ColumnRef, Constant, Param, Term
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import Design, TableDesign
from ddbmig.model.encodings import render_template, template_columns, template_field
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
from ddbmig.model.schema import Column, Schema
from ddbmig.model.snapshot import Snapshot
from ddbmig.reporters.terms import Namer, is_plain_name, namer

Call = dict[str, Any]


def query_plan(
    pattern: AccessPattern, plan: Plan, tables: Iterable[TableDesign], schema: Schema | None = None
) -> dict[str, Any]:
    """The `ddb_query_plan` of one pattern; empty for a routed one.

    With `schema`, values that MySQL generates or takes from a DEFAULT are named in inserted items; without it, columns
    that the statement does not give are left out of them.
    """
    steps = list(_Writer(pattern, plan, tables, schema).steps())
    if not steps:
        return {}
    return steps[0] if len(steps) == 1 and "Client" not in steps[0] else {"Steps": steps}


def plans_bytes(snapshot: Snapshot, design: Design) -> bytes:
    """plans.json: per access pattern of the chosen alternative its statement and its calls, or why it is routed.

    Units are request units of one execution, as estimated by the design.
    """
    chosen = design.alternative(design.chosen)
    patterns = {pattern.id: pattern for pattern in snapshot.patterns}
    entries = [
        _entry(patterns[plan.pattern], plan, chosen.tables, snapshot.tables)
        for plan in chosen.plans
        if plan.pattern in patterns
    ]
    return canonical_json({"alternative": chosen.id, "plans": entries})


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


def _entry(pattern: AccessPattern, plan: Plan, tables: Iterable[TableDesign], schema: Schema) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": pattern.id, "name": pattern.name, "sql": pattern.sql, "detail": plan.detail}
    if plan.routed:
        return entry | {"routed": list(plan.routed)}
    return entry | {
        "ddb_query_plan": query_plan(pattern, plan, tables, schema),
        "uses": list(plan.uses),
        "scans": plan.scans,
        "round_trips": plan.round_trips,
        "read_request_units": plan.read_units,
        "write_request_units": plan.write_units,
        "index_write_units": plan.index_write_units,
        "transaction_units": plan.transaction_units,
    }


class _Writer:
    """Writes the steps of one plan."""

    def __init__(
        self, pattern: AccessPattern, plan: Plan, tables: Iterable[TableDesign], schema: Schema | None
    ) -> None:
        self.pattern, self.plan = pattern, plan
        self.tables = {table.name: table for table in tables}
        self.refs = (*pattern.refs, *plan.support)
        self.namer: Namer = namer(pattern, plan, _defaults(pattern, schema))
        self.several = len(plan.steps) > 1

    def steps(self) -> Iterator[Call]:
        """Every step in order; a sort that the index already gives is no step of the plan."""
        for step in self.plan.steps:
            yield self._step(step)

    def _step(self, step: Step) -> Call:
        match step:
            case ReadCall():
                return {step.op: self._read(step)}
            case WriteCall():
                return {step.op: self._write(step)}
            case Transaction():
                return {"TransactWriteItems": [{write.op: self._write(write)} for write in step.writes]}
            case _:
                return {"Client": self._client(step)}

    # --- reads ---

    def _read(self, call: ReadCall) -> Call:
        found: Call = {"Table": call.table}
        if call.index:
            found["Index"] = call.index
        if call.op in ("GetItem", "BatchGetItem"):
            key = self._key(call.table, call.key) or self._row_key(call.table, call.ref)
            found["Key" if call.op == "GetItem" else "Keys"] = key
        elif call.key:
            found["KeyConditionExpression"] = " AND ".join(self._key_condition(call.table, part) for part in call.key)
        found |= self._read_options(call)
        return found

    def _read_options(self, call: ReadCall) -> Call:
        found: Call = {}
        if call.consistent:
            found["ConsistentRead"] = True
        if not call.forward:
            found["ScanIndexForward"] = False
        if call.limit is not None:
            found["Limit"] = call.limit
        if call.per_row:
            found["PerRow"] = True
        if self.several:
            found["As"] = self.namer.reference(call.ref)
        if call.join in ("left", "complete"):
            found["Join"] = "the item behind each entry" if call.join == "complete" else "left"
        if (match := self.namer.condition(call.match)) != "TRUE":
            found["Match"] = match
        if call.copied:
            found["Copies"] = dict(self._copies(call.copied))
        return found

    def _copies(self, copied: Iterable[Copied]) -> Iterator[tuple[str, str]]:
        for one in copied:
            for column, attribute in sorted(one.columns.items()):
                yield attribute, f"{self.namer.reference(one.ref)}.{column}"

    def _key(self, table: str, key: Iterable[KeyCondition]) -> dict[str, str]:
        return {part.attribute: self._key_value(table, part) for part in key}

    def _key_value(self, table: str, part: KeyCondition) -> str:
        """The value of a key attribute: one term, or the template it is composed by."""
        values = {column: self.namer.term(term) for column, term in part.terms}
        attribute = self.tables[table].attributes.get(part.attribute) if table in self.tables else None
        if attribute is not None and attribute.value is not None:
            return _constant(attribute.value)
        if attribute is None or attribute.template is None:
            return "#".join(values.values())
        return _rendered(attribute.template, values)

    def _key_condition(self, table: str, part: KeyCondition) -> str:
        name = _quoted(part.attribute)
        if part.op == "between":
            return f"{name} BETWEEN {' AND '.join(self._bounds(table, part))}"
        if part.op == "begins_with":
            return f"begins_with({name}, {self._key_value(table, part)})"
        many = any(isinstance(term, Param) and term.many for _, term in part.terms)
        value = self._key_value(table, part) if part.op == "=" else " ".join(self._bounds(table, part))
        return f"{name} {part.op} {'each of ' if many else ''}{value}"

    def _bounds(self, table: str, part: KeyCondition) -> list[str]:
        """The bounds of a range; over the first column of a composed key with the character that must follow it."""
        shown = [self.namer.term(term) for _, term in part.terms]
        attribute = self.tables[table].attributes.get(part.attribute) if table in self.tables else None
        if attribute is None or attribute.template is None or len(template_columns(attribute.template)) < 2:
            return shown
        behind = [range_bound("", part.op, upper=number > 0) for number in range(len(shown))]
        return [f"{text} + {_constant(end)}" if end else text for text, end in zip(shown, behind, strict=True)]

    def _row_key(self, table_name: str, ref: int) -> dict[str, str]:
        """The key of the item that holds the row of `ref`."""
        table = self.tables.get(table_name)
        if table is None:
            return {}
        return {name: self._attribute(table, table.attributes[name], ref) or "NULL" for name in table.keys}

    # --- writes ---

    def _write(self, call: WriteCall) -> Call:
        found: Call = {"Table": call.table}
        if call.op == "PutItem":
            found["Item"] = self._item(call)
        else:
            found["Key"] = self._key(call.table, call.key) or self._row_key(call.table, call.ref)
        if call.op == "UpdateItem":
            found["UpdateExpression"] = self._update(call)
        if call.condition is not None:
            found["ConditionExpression"] = self._guard(call)
        if when := self._when(call):
            found["If"] = when
        if call.existing is not None:
            found["IfPresent"] = self._if_present(call)
        if call.per_row and not (self.namer.inserted and call.ref == 0):
            found["PerRow"] = True
        if call.purpose != "base item":
            found["Purpose"] = call.purpose
        return found

    def _when(self, call: WriteCall) -> str:
        """When the call is made at all: an unchanged key is left alone, and some rows have no item in a table."""
        table = self.tables.get(call.table)
        lookup = table is not None and table.role == "lookup"
        moves = self.pattern.kind == "update" and (call.op == "DeleteItem" or (lookup and call.op == "PutItem"))
        reasons = ["the key changes"] if moves else []
        if table is not None and table.filter and call.op != "UpdateItem":
            reasons.append(f"the {'new' if call.op == 'PutItem' else 'old'} row has {table.filter}")
        return " and ".join(reasons)

    def _guard(self, call: WriteCall) -> str:
        function = "attribute_exists" if call.condition == "exists" else "attribute_not_exists"
        table = self.tables.get(call.table)
        return f"{function}({_quoted(table.pk if table else 'pk')})"

    def _if_present(self, call: WriteCall) -> str:
        """What an upsert or REPLACE does where the row is there: its columns then mean those of that row."""
        alias = self.namer.reference(call.existing or 0)
        if not call.sets:
            return f"the row ${alias} is replaced"
        there = replace(self.namer, inserted=False, references=(alias, *self.namer.references[1:]))
        sets = ", ".join(f"{given.column} = {there.term(given.value)}" for given in call.sets)
        return f"the row ${alias} is kept, with {sets}"

    def _item(self, call: WriteCall) -> dict[str, str]:
        table = self.tables.get(call.table)
        if table is None:
            return {}
        changed = {given.column.lower(): given.value for given in call.sets} if call.existing is None else {}
        values = {
            name: self._attribute(table, attribute, call.ref, changed) for name, attribute in table.attributes.items()
        }
        return {name: value for name, value in values.items() if value is not None}

    def _attribute(
        self, table: TableDesign, attribute: ContractAttribute, ref: int, changed: Mapping[str, Term] | None = None
    ) -> str | None:
        """The value of one attribute of the item of row `ref`; None where it has none (NULL is an absent attribute)."""
        if attribute.value is not None:
            return _constant(attribute.value)
        if attribute.encoding == "row_digest":
            return "$row_digest"
        if attribute.denormalized:
            return self._copied_value(attribute)
        columns = template_columns(attribute.template) if attribute.template else (attribute.source_column,)
        values = {column: self._row_value(ref, column, changed or {}) for column in columns}
        if attribute.template:
            return _rendered(attribute.template, values)
        shown = values[attribute.source_column]
        return None if shown == "NULL" else shown

    def _row_value(self, ref: int, column: str, changed: Mapping[str, Term]) -> str:
        if column.lower() in changed:
            return self.namer.term(changed[column.lower()])
        return self.namer.term(ColumnRef(ref=ref, column=column))

    def _copied_value(self, attribute: ContractAttribute) -> str | None:
        """A copy comes from the row of its own table that the plan read before."""
        read = {step.ref for step in self.plan.steps if isinstance(step, ReadCall)}
        for ref in sorted(read, reverse=True):
            if ref < len(self.refs) and self.refs[ref].table == attribute.source_table:
                return f"${self.namer.reference(ref)}.{attribute.source_column}"
        return None

    def _update(self, call: WriteCall) -> str:
        """SET and REMOVE of the attributes that hold the assigned columns."""
        table = self.tables.get(call.table)
        sets, removed = [], []
        stored = replace(self.namer, stored=call.ref)
        for given in call.sets:
            name, prefixed = _attribute_of(table, given.column), _prefixed(table, given.column)
            if given.value == Constant(value=None):
                removed += [name, *(_quoted(key) for key in prefixed)]
                continue
            sets.append(f"{name} = {stored.term(given.value)}")
            for key, attribute in prefixed.items():
                value = {attribute.source_column: self.namer.term(given.value)}
                sets.append(f"{_quoted(key)} = {_rendered(attribute.template or '', value)}")
        parts = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(removed)}" if removed else ""]
        return " ".join(part for part in parts if part)

    # --- the client's part ---

    def _client(self, step: Filter | Exists | Sort | Slice | Distinct | Reduce) -> Call:
        match step:
            case Filter():
                return {"Filter": self.namer.condition(step.condition)}
            case Exists():
                return {"Exists": {"rows of": [self.namer.reference(ref) for ref in step.refs], "keep": step.keep}}
            case Sort():
                return {"Sort": [self._order(term) for term in step.order]}
            case Slice():
                return {"Limit": self._slice(step)}
            case Distinct():
                return {"Distinct": True}
            case Reduce():
                groups = [self.namer.term(column) for column in step.group_by]
                aggregates = [self._aggregate(one) for one in step.aggregates]
                return ({"GroupBy": groups} if groups else {}) | {"Aggregates": aggregates}

    def _order(self, term: OrderTerm) -> str:
        return self.namer.term(term.column) + (" DESC" if term.descending else "")

    def _slice(self, step: Slice) -> Call:
        found: Call = {}
        if step.row_param is not None:
            found["rows"] = self.namer.term(Param(index=step.row_param))
        elif step.rows is not None:
            found["rows"] = step.rows
        if step.offset_param is not None:
            found["offset"] = self.namer.term(Param(index=step.offset_param))
        return found

    def _aggregate(self, one: Aggregate) -> str:
        inner = "*" if one.column is None else self.namer.term(one.column)
        return f"{one.function.upper()}({'DISTINCT ' if one.distinct else ''}{inner})"


def _defaults(pattern: AccessPattern, schema: Schema | None) -> dict[str, str]:
    """What MySQL puts into the columns that an INSERT does not name."""
    if pattern.kind != "insert" or schema is None:
        return {}
    try:
        columns = schema.table(pattern.refs[0].table).columns
    except KeyError:
        return {}
    return {column.name.lower(): shown for column in columns if (shown := _default(column)) is not None}


def _default(column: Column) -> str | None:
    if column.auto_increment:
        return f"$generated_{column.name}"
    if column.default is None or column.default.upper() == "NULL":
        return None
    return f"$default_{column.name}"


def _rendered(template: str, values: Mapping[str, str]) -> str:
    """A key template with its values, as far as they are given: the leading part for `begins_with`."""
    for column in template_columns(template):
        if column not in values:
            template = template.split(template_field(column), 1)[0]
            break
    return render_template(template, {name: f"({value})" if " " in value else value for name, value in values.items()})


def _attribute_of(table: TableDesign | None, column: str) -> str:
    """The attribute that holds a column; an assignment to a copy names the attribute itself."""
    for name, attribute in table.attributes.items() if table else ():
        plain = attribute.template is None and attribute.value is None and not attribute.denormalized
        if plain and attribute.source_column.lower() == column.lower():
            return _quoted(name)
    return _quoted(column)


def _prefixed(table: TableDesign | None, column: str) -> dict[str, ContractAttribute]:
    """The key attributes that hold a text behind a prefix; an update never changes a key of several columns."""
    attributes = table.attributes if table else {}
    same = column.lower()
    return {n: a for n, a in attributes.items() if a.template is not None and a.source_column.lower() == same}


def _constant(value: str) -> str:
    """A value that every item has; in quotes, since it is no parameter."""
    return f"'{value}'"


def _quoted(name: str) -> str:
    """An attribute name in an expression; one that DynamoDB does not take as it is stands in double quotes."""
    return name if is_plain_name(name) else f'"{name}"'
