"""A statement's syntax tree -> the parts of its access pattern, gathered in a draft."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from ddbmig.analyzers.conditions import FALSE, opaque_reasons, reason_for, term, unwrap
from ddbmig.analyzers.joins import Rows, Source, Unplanned, attach, read_rows, sources, sources_of, where_of
from ddbmig.analyzers.names import Catalogue, NotAPattern, Refs, Scope
from ddbmig.analyzers.templates import InsertMode, NotParsed
from ddbmig.model.condition import ColumnRef, Compare, Constant, Param
from ddbmig.model.pattern import Aggregate, Assignment, Limit, OrderTerm, PatternKind, Reason

_CLAUSES = frozenset({
    "this", "db", "alias", "joins", "hints", "expressions", "expression", "from_", "where", "group", "having", "order",
    "limit", "offset", "distinct", "locks", "hint", "operation_modifiers", "with_", "conflict", "ignore", "tables",
    "using",
})  # fmt: skip
_AGGREGATES: dict[type[exp.Expr], Literal["count", "sum", "min", "max", "avg"]] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
    exp.Avg: "avg",
}
_WRITES: dict[type[exp.Expr], PatternKind] = {exp.Insert: "insert", exp.Update: "update", exp.Delete: "delete"}
# Functions the parser has no type for and whose value needs nothing but their arguments.
_PURE = frozenset({"NOW", "UNIX_TIMESTAMP", "CONVERT_TZ", "INET_ATON", "INET_NTOA", "BIN", "OCT", "ELT", "FIELD"})


@dataclass
class Draft:
    """What is understood of one statement so far."""

    kind: PatternKind
    refs: Refs
    rows: Rows
    reads: list[ColumnRef] = field(default_factory=list)
    order: list[OrderTerm] = field(default_factory=list)
    limit: Limit | None = None
    distinct: bool = False
    aggregates: list[Aggregate] = field(default_factory=list)
    group_by: list[ColumnRef] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    on_duplicate: list[Assignment] = field(default_factory=list)
    insert_mode: InsertMode | None = None
    locking: bool = False
    reasons: list[Reason] = field(default_factory=list)

    def no(self, reason: Reason) -> None:
        """Note a reason why the statement as a whole has no normal form."""
        if reason not in self.reasons:
            self.reasons.append(reason)


def draft_statement(tree: exp.Expr, catalogue: Catalogue, database: str) -> Draft:
    """Read a statement. Raises NotAPattern when it is none on tables of the schema, NotParsed when it is nonsense."""
    while isinstance(tree, exp.Subquery) and not tree.args.get("limit"):
        tree = tree.this
    refs = Refs(catalogue, database)
    nodes = _table_nodes(tree, refs)
    draft = Draft(_kind(tree), refs, Rows(Scope(refs)))
    try:
        _refuse_unknown(tree, nodes)
        _READERS[type(tree)](draft, tree)
        _note_opaque(draft)
    except Unplanned as error:
        draft.no(error.reason)
        _read_parts(draft, tree)
    for node in nodes:
        if id(node) not in refs.met:
            refs.add(node)
    return draft


def _read_parts(draft: Draft, tree: exp.Expr) -> None:
    """Read the joins of the SELECTs within a statement that is not understood as a whole: they still relate tables."""
    for query in tree.find_all(exp.Select):
        try:
            tables = sources_of(query) if query.args.get("from_") else []
            if tables and all(id(source.table) not in draft.refs.met for source in tables):
                draft.rows.links += read_rows(Scope(draft.refs), tables, where_of(query)).links
        except (Unplanned, NotAPattern):
            continue  # its tables become references without a join


def _refuse_unknown(tree: exp.Expr, nodes: list[exp.Table]) -> None:
    """Raise Unplanned where the parser has understood a clause that this reading does not know."""
    for node in (*tree.find_all(exp.Select, exp.Insert, exp.Update, exp.Delete), *nodes):
        if any(value for key, value in node.args.items() if key not in _CLAUSES and value is not None):
            raise Unplanned("not understood")


def _kind(tree: exp.Expr) -> PatternKind:
    if type(tree) not in _READERS:
        raise NotParsed
    return _WRITES.get(type(tree), "select")


def _table_nodes(tree: exp.Expr, refs: Refs) -> list[exp.Table]:
    """Every table that the statement names, once each; all are in the schema, or NotAPattern is raised."""
    common = {item.alias.lower() for item in tree.find_all(exp.CTE)}
    targets = {id(node) for node in tree.args.get("tables") or () if isinstance(tree, exp.Delete)}
    nodes = [node for node in tree.find_all(exp.Table, bfs=False) if isinstance(node.this, exp.Identifier)]
    nodes = [node for node in nodes if id(node) not in targets and (node.db or node.name.lower() not in common)]
    nodes = [node for node in nodes if node.name.lower() != "dual" or node.db]
    if not nodes:
        raise NotAPattern("no table")
    for node in nodes:
        refs.find(node)
    return nodes


def _note_opaque(draft: Draft) -> None:
    """A condition or stored value that has no form of ours takes the statement out of the normal form."""
    conditions = () if FALSE in draft.rows.where else draft.rows.where
    extras = [part for link in draft.rows.links for part in link.extra]
    values = [assignment.value for assignment in (*draft.assignments, *draft.on_duplicate)]
    for item in (*conditions, *extras, *values):
        for reason in opaque_reasons(item):
            draft.no(reason)


def _set_operation(draft: Draft, tree: exp.Expr) -> None:
    raise Unplanned("set operation")


def _select(draft: Draft, tree: exp.Expr) -> None:
    if tree.args.get("with_"):
        raise Unplanned("derived table")
    if not isinstance(tree, exp.Select) or not tree.args.get("from_"):
        raise Unplanned("derived table")
    draft.locking = bool(tree.args.get("locks"))
    draft.distinct = bool(tree.args.get("distinct"))
    _limit(draft, tree)
    draft.rows = read_rows(draft.rows.scope, sources_of(tree), where_of(tree))
    _check_joins(draft)
    _Outputs(draft, tree).read()
    _simplify(draft)


def _limit(draft: Draft, tree: exp.Expr) -> None:
    limit, offset = tree.args.get("limit"), tree.args.get("offset")
    if limit is not None:
        rows, skipped = (part.expression if part is not None else None for part in (limit, offset))
        draft.limit = Limit(rows=None, row_param=_param(rows), offset_param=_param(skipped))


def _param(node: exp.Expr | None) -> int | None:
    return int(node.name[1:]) if isinstance(node, exp.Placeholder) else None


def _check_joins(draft: Draft) -> None:
    """A join without equal columns multiplies its sides, unless a value for one of its columns bounds it."""
    bound = {
        item.left.ref
        for item in draft.rows.where
        if isinstance(item, Compare) and item.op in ("=", "in") and isinstance(item.left, ColumnRef)
        and all(isinstance(value, Param | Constant) for value in item.right)
    }  # fmt: skip
    if FALSE in draft.rows.where:
        return
    for link in draft.rows.links:
        if not link.pairs and link.kind in ("inner", "left") and link.ref not in bound:
            draft.no("unbounded join")


class _Outputs:
    """The output list, GROUP BY and ORDER BY, which may name outputs by alias or position."""

    def __init__(self, draft: Draft, tree: exp.Select) -> None:
        self.draft, self.tree, self.scope = draft, tree, draft.rows.scope
        self.aliases = {
            item.alias.lower(): unwrap(item.this) for item in tree.expressions if isinstance(item, exp.Alias)
        }

    def read(self) -> None:
        for item in self.tree.expressions:
            self._output(unwrap(item.unalias()))
        self.draft.reads = list(dict.fromkeys(self.draft.reads))
        self._group_by()
        if self.tree.args.get("having"):
            self.draft.no("unbounded aggregate")
        if not self.draft.aggregates or self.draft.group_by:
            for ordered in (self.tree.args.get("order") or exp.Order()).expressions:
                self._order(ordered)

    def _output(self, node: exp.Expr) -> None:
        if isinstance(node, exp.Star):
            self.draft.reads += self.scope.all_columns()
        elif isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
            self.draft.reads += self.scope.all_columns(node.table)
        elif isinstance(node, exp.Column):
            self._reads(node)
        elif isinstance(node, exp.Exists) or (isinstance(node, exp.Not) and isinstance(unwrap(node.this), exp.Exists)):
            test = node if isinstance(node, exp.Exists) else unwrap(node.this)
            if not attach(self.draft.rows, test.this, "mark"):
                self.draft.no("subquery")
        else:
            self._expression(node)

    def _reads(self, node: exp.Column) -> None:
        value = term(node, self.scope)
        if isinstance(value, ColumnRef):
            self.draft.reads.append(value)
        for reason in opaque_reasons(value):
            self.draft.no(reason)

    def _expression(self, node: exp.Expr) -> None:
        """An expression of plain functions is computed by the client from the columns that it mentions."""
        if node.find(exp.Select, exp.SetOperation, exp.Parameter, exp.SessionParameter, exp.MatchAgainst, exp.Window):
            self.draft.no(reason_for(node))
            return
        if node.find(exp.Rand, exp.Uuid) or any(
            call.name.upper() not in _PURE for call in node.find_all(exp.Anonymous)
        ):
            self.draft.no("server function")
        aggregates = list(node.find_all(exp.AggFunc))
        for aggregate in aggregates:
            self._aggregate(aggregate)
        inside = {id(column) for aggregate in aggregates for column in aggregate.find_all(exp.Column)}
        columns = [column for column in node.find_all(exp.Column) if id(column) not in inside]
        for column in columns:
            self._reads(column)
        if self.draft.distinct and columns:
            self.draft.no("server function")

    def _aggregate(self, node: exp.Expr) -> None:
        function = _AGGREGATES.get(type(node))
        inner = unwrap(node.this) if isinstance(node.this, exp.Expr) else None
        distinct = isinstance(inner, exp.Distinct)
        if isinstance(inner, exp.Distinct):
            inner = unwrap(inner.expressions[0]) if len(inner.expressions) == 1 else None
        column = self.scope.resolve(inner) if isinstance(inner, exp.Column) else None
        rows = function == "count" and not distinct and isinstance(inner, exp.Star | exp.Placeholder)
        if function is None or (column is None and not rows) or node.args.get("expressions"):
            self.draft.no("unbounded aggregate")
            return
        self.draft.aggregates.append(Aggregate(function=function, column=column, distinct=distinct))

    def _group_by(self) -> None:
        group = self.tree.args.get("group")
        for node in group.expressions if group else ():
            column = self._named(node, columns_first=True)
            if column is None:
                self.draft.no("unbounded aggregate")
            else:
                self.draft.group_by.append(column)
        if group and any(group.args.get(key) for key in ("rollup", "cube", "grouping_sets")):
            self.draft.no("unbounded aggregate")

    def _order(self, ordered: exp.Expr) -> None:
        node = unwrap(ordered.this)
        column = self._named(node, columns_first=False)
        if column is not None:
            self.draft.order.append(OrderTerm(column=column, descending=bool(ordered.args.get("desc"))))
        elif not isinstance(node, exp.Null):
            self.draft.no(self._order_reason(self.aliases.get(node.name.lower(), node)))

    def _order_reason(self, node: exp.Expr) -> Reason:
        if node.find(exp.AggFunc):
            return "unbounded aggregate"
        if isinstance(node, exp.Column):
            return "unknown column"
        return "server function" if node.find(exp.Func) and not node.find(exp.Predicate) else "cross-partition order"

    def _named(self, node: exp.Expr, *, columns_first: bool) -> ColumnRef | None:
        """The column that a GROUP BY or ORDER BY item means: itself, or the output that it names.

        ORDER BY looks among the aliases first, GROUP BY among the columns. A position has become `?` in the template;
        it can mean one thing only where there is one output.
        """
        node = unwrap(node)
        if isinstance(node, exp.Placeholder) and len(self.tree.expressions) == 1:
            node = unwrap(self.tree.expressions[0].unalias())
        if not isinstance(node, exp.Column):
            return None
        alias = self.aliases.get(node.name.lower()) if not node.table else None
        if alias is not None and not (columns_first and self.scope.resolve(node)):
            return self.scope.resolve(alias) if isinstance(alias, exp.Column) else None
        return self.scope.resolve(node)


def _simplify(draft: Draft) -> None:
    """Leave out GROUP BY and DISTINCT where every row is one group: they contain a key of the only table."""
    if draft.aggregates or any(link.group is None for link in draft.rows.links):
        return
    first = draft.rows.scope.visible[0]
    table = draft.refs.tables[first]
    keys = [table.primary_key] if table.primary_key else []
    keys += [key.columns for key in table.unique_keys() if not any(table.column(name).nullable for name in key.columns)]

    def holds_key(columns: list[ColumnRef]) -> bool:
        names = {column.column for column in columns if column.ref == first}
        return any(names.issuperset(key) for key in keys)

    if draft.group_by and holds_key(draft.group_by):
        draft.group_by = []
    if draft.distinct and holds_key(draft.reads):
        draft.distinct = False


def _insert(draft: Draft, tree: exp.Expr) -> None:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(target, exp.Table) or not isinstance(target.this, exp.Identifier):
        raise NotParsed
    scope = draft.rows.scope
    scope.visible.append(draft.refs.add(target))
    table = draft.refs.tables[0]
    named = [item.name for item in tree.this.expressions] if isinstance(tree.this, exp.Schema) else []
    names = named or [column.name for column in table.columns]
    values = tree.expression
    if not isinstance(values, exp.Values):
        raise Unplanned("unbounded read")
    row = values.expressions[0].expressions
    if len(row) not in (len(names), 0):
        raise Unplanned("not understood")
    draft.assignments = [assignment for name, node in zip(names, row, strict=False)
                         if (assignment := _assignment(draft, name, node)) is not None]  # fmt: skip
    scope.row = {item.column.lower(): item.value for item in draft.assignments}
    scope.row_alias = values.alias
    conflict = tree.args.get("conflict")
    draft.on_duplicate = _set_list(draft, conflict.expressions if conflict else [])


def _assignment(draft: Draft, name: str, node: exp.Expr) -> Assignment | None:
    """`name = node`; None where the column gets its default."""
    if isinstance(node, exp.Var) and node.name.upper() == "DEFAULT":
        return None
    column = draft.rows.scope.column(0, name)
    if column is None:
        raise Unplanned("unknown column")
    return Assignment(column=column.column, value=term(node, draft.rows.scope))


def _set_list(draft: Draft, items: list[exp.Expr]) -> list[Assignment]:
    found = []
    for item in items:
        if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
            raise Unplanned("not understood")
        assignment = _assignment(draft, item.this.name, item.expression)
        found += [assignment] if assignment else []
    return found


def _update(draft: Draft, tree: exp.Expr) -> None:
    tables = sources(tree.this)
    names = {item.this.table for item in tree.expressions if isinstance(item.this, exp.Column)}
    _write(draft, tree, _written_first(draft, tables, names - {""}))
    draft.assignments = _set_list(draft, tree.expressions)


def _delete(draft: Draft, tree: exp.Expr) -> None:
    using = tree.args.get("using")
    joined = using[0] if using else tree.this
    targets = tree.args.get("tables") or ([tree.this] if using else [])
    _write(draft, tree, _written_first(draft, sources(joined), {node.name for node in targets}))


def _written_first(draft: Draft, tables: list[Source], names: set[str]) -> list[Source]:
    """The sources of a write with the written table in front; more than one table is outside the normal form."""
    if len(tables) == 1:
        return tables
    draft.no("unbounded join")
    written = [item for item in tables if item.table.alias_or_name in names] or tables
    if written[0] is not tables[0] and any(item.kind == "left" for item in tables):
        raise Unplanned("unbounded join")
    return [written[0], *(item for item in tables if item is not written[0])]


def _write(draft: Draft, tree: exp.Expr, tables: list[Source]) -> None:
    if tree.args.get("with_"):
        raise Unplanned("derived table")
    _limit(draft, tree)
    draft.rows = read_rows(draft.rows.scope, tables, where_of(tree))
    ordering = exp.Select(expressions=[], order=tree.args.get("order"))
    _Outputs(draft, ordering).read()


_READERS: dict[type[exp.Expr], Callable[[Draft, exp.Expr], None]] = {
    exp.Select: _select, exp.Union: _set_operation, exp.Except: _set_operation, exp.Intersect: _set_operation,
    exp.Subquery: _set_operation, exp.Insert: _insert, exp.Update: _update, exp.Delete: _delete,
}  # fmt: skip
