"""FROM and WHERE -> references, joins and one condition; existence tests are joins where that keeps their meaning."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from ddbmig.analyzers.conditions import columns_in, condition, conjunction, term, unwrap
from ddbmig.analyzers.names import Scope
from ddbmig.model.condition import All, AnyOf, Arithmetic, ColumnRef, Compare, Condition, OpaqueTerm, Param, Term
from ddbmig.model.pattern import Join, Reason

JoinKind = Literal["inner", "left", "semi", "anti", "mark"]
Pair = tuple[ColumnRef, ColumnRef]

# A comparison that is never true when NULL stands on either side, or (the second set) on its left side.
_STRICT = frozenset({"=", "!=", "<", "<=", ">", ">=", "like", "not like", "not in"})
_STRICT_ON_THE_LEFT = frozenset({"in", "between", "not between", "is not null"})
_NOT_PLAIN = ("group", "having", "limit", "offset", "with_", "windows", "qualify")


class Unplanned(Exception):
    """The statement has no normal form; the argument is the Reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass
class Link:
    """How one reference is joined, while the statement is being read."""

    ref: int
    kind: JoinKind
    pairs: list[Pair] = field(default_factory=list)
    extra: list[Condition] = field(default_factory=list)
    group: int | None = None

    def frozen(self) -> Join:
        """The join as a value."""
        pairs = tuple(dict.fromkeys(self.pairs))
        return Join(ref=self.ref, kind=self.kind, on=pairs, extra=conjunction(self.extra), group=self.group)


@dataclass
class Rows:
    """The rows that a statement works on: how its references are joined, and what must hold."""

    scope: Scope
    links: list[Link] = field(default_factory=list)
    where: list[Condition] = field(default_factory=list)


@dataclass
class Source:
    """One table of a FROM list with its join."""

    table: exp.Table
    kind: Literal["inner", "left"] = "inner"
    on: exp.Expr | None = None
    using: tuple[str, ...] = ()


def sources(first: exp.Expr, joins: Sequence[exp.Join] = ()) -> list[Source]:
    """The tables of a FROM list in the order in which they are joined. Raises Unplanned."""
    if isinstance(first, exp.Subquery) and isinstance(first.this, exp.Table) and not first.alias:
        found = sources(first.this, first.args.get("joins") or ())
    elif isinstance(first, exp.Table) and isinstance(first.this, exp.Identifier):
        found = [Source(first)]
        joins = [*(first.args.get("joins") or ()), *joins]
    else:
        raise Unplanned("derived table")
    for join in joins:
        found = _joined(found, join)
    return found


def _joined(left: list[Source], join: exp.Join) -> list[Source]:
    right = sources(join.this)
    if join.side == "RIGHT":
        left, right = right, left  # `a RIGHT JOIN b` is `b LEFT JOIN a`
    if join.method or (join.side and len(right) != 1) or (join.side == "RIGHT" and len(left) != 1):
        # NATURAL hides its columns; an outer join of several joined tables is no chain of joins.
        raise Unplanned("not understood")
    right[0].kind = "left" if join.side else "inner"
    right[0].on = join.args.get("on")
    right[0].using = tuple(name.name for name in join.args.get("using") or ())
    return left + right


def read_rows(scope: Scope, tables: Sequence[Source], where: exp.Expr | None) -> Rows:
    """Join `tables` under `where`. What ON says of an inner join is as good as said in WHERE, so it is put there."""
    rows = Rows(scope)
    pending: list[exp.Expr] = []
    for source in tables:
        link = Link(scope.refs.add(source.table), source.kind)
        _using(scope, link, source.using)
        scope.visible.append(link.ref)
        rows.links += [link] if len(scope.visible) > 1 else []
        if source.kind == "inner":
            pending += conjuncts(source.on)
        else:
            _outer_on(scope, link, source.on)
    for part in [*pending, *conjuncts(where)]:
        if not _existence(rows, part):
            rows.where.append(condition(part, scope))
    _to_inner(rows)
    _pair(rows)
    return rows


def _using(scope: Scope, link: Link, names: Sequence[str]) -> None:
    for name in names:
        column = scope.column(link.ref, name)
        found = [earlier for ref in scope.visible if (earlier := scope.column(ref, name)) is not None]
        if column is None or not found:
            raise Unplanned("unknown column")
        scope.merged.add(column)
        link.pairs.append((column, found[0]))


def _outer_on(scope: Scope, link: Link, on: exp.Expr | None) -> None:
    for part in conjuncts(on):
        found = condition(part, scope)
        pair = _as_pair(found)
        if pair and pair[0].ref == link.ref:
            link.pairs.append(pair)
        else:
            link.extra.append(found)


def _as_pair(found: Condition) -> Pair | None:
    """An equality of columns of two references, the later reference first."""
    if not isinstance(found, Compare) or found.op != "=":
        return None
    left, right = found.left, found.right[0]
    if not isinstance(left, ColumnRef) or not isinstance(right, ColumnRef) or left.ref == right.ref:
        return None
    return (left, right) if left.ref > right.ref else (right, left)


def _to_inner(rows: Rows) -> None:
    """Make an outer join inner where WHERE or a later join throws away the rows that it saved."""
    for link in reversed(rows.links):
        if link.kind == "left" and (_joins_on(rows, link.ref) or any(_rejects(item, link.ref) for item in rows.where)):
            link.kind = "inner"
            rows.where += link.extra
            link.extra = []


def _joins_on(rows: Rows, ref: int) -> bool:
    return any(column.ref == ref for link in rows.links if link.kind in ("inner", "semi") and link.ref > ref
               for pair in link.pairs for column in pair)  # fmt: skip


def _rejects(item: Condition, ref: int) -> bool:
    """Whether the condition is never true for a row whose columns of `ref` are all NULL."""
    if isinstance(item, All):
        return any(_rejects(part, ref) for part in item.items)
    if isinstance(item, AnyOf):
        return all(_rejects(part, ref) for part in item.items)
    if not isinstance(item, Compare):
        return False
    sides = (item.left, *item.right) if item.op in _STRICT else (item.left,)
    return item.op in _STRICT | _STRICT_ON_THE_LEFT and any(_is_null_with(side, ref) for side in sides)


def _is_null_with(side: Term, ref: int) -> bool:
    if isinstance(side, Arithmetic):
        return _is_null_with(side.left, ref) or _is_null_with(side.right, ref)
    return isinstance(side, ColumnRef) and side.ref == ref


def _pair(rows: Rows) -> None:
    """Move equalities between columns of two references from the condition to the join of the later one."""
    links = {link.ref: link for link in rows.links if link.kind == "inner"}
    kept = []
    for item in rows.where:
        pair = _as_pair(item)
        if pair and pair[0].ref in links:
            links[pair[0].ref].pairs.append(pair)
        else:
            kept.append(item)
    rows.where = kept


def _existence(rows: Rows, part: exp.Expr) -> bool:
    """Read EXISTS and IN (SELECT …) as semi joins, their negations as anti joins; False where it is none or cannot."""
    negated = isinstance(part, exp.Not)
    test = unwrap(part.this) if negated else part
    if isinstance(test, exp.Exists):
        return attach(rows, test.this, "anti" if negated else "semi")
    if isinstance(test, exp.In) and isinstance(test.args.get("query"), exp.Subquery):
        operand = unwrap(test.this)
        operands = operand.expressions if isinstance(operand, exp.Tuple) else [operand]
        return attach(rows, test.args["query"].this, "anti" if negated else "semi", operands)
    return False


def attach(rows: Rows, query: exp.Expr, kind: JoinKind, operands: Sequence[exp.Expr] = ()) -> bool:
    """Join the tables of a subquery as a group that only tests existence; `operands` stand on the left of IN.

    Returns False, and changes nothing, where joins would not mean the same: grouped, limited or nested subqueries, and
    NOT IN with a NULL possible on either side (which MySQL answers with NULL, an anti join with TRUE).
    """
    refs = rows.scope.refs
    length, met = len(refs.refs), set(refs.met)
    links = _group(rows, query, kind, operands)
    if links is None:
        refs.forget(length)
        refs.met = met
        return False
    rows.links += links
    return True


def _group(rows: Rows, query: exp.Expr, kind: JoinKind, operands: Sequence[exp.Expr]) -> list[Link] | None:
    if not isinstance(query, exp.Select) or not query.args.get("from_") or not _plain(query, bool(operands)):
        return None
    try:
        inner = _inner_rows(rows, query, operands)
    except Unplanned:
        return None
    first = inner.scope.visible[len(inner.scope.renamed)]
    if any(link.kind != "inner" for link in inner.links):
        return None
    for column, operand in zip(query.expressions, operands, strict=False):
        left, right = term(operand, rows.scope), term(column.unalias(), inner.scope)
        if isinstance(left, OpaqueTerm) or isinstance(right, OpaqueTerm):
            return None
        if kind == "anti" and not (_not_null(left, rows) and _not_null(right, inner)):
            return None
        inner.where += [Compare(op="=", left=right, right=(left,))] if left != right else []
    links = {link.ref: link for link in (Link(first, kind), *inner.links)}
    links[first].kind = kind
    for item in inner.where:
        _place(item, links, first)
    for link in links.values():
        link.group = first
    return list(links.values())


def _inner_rows(rows: Rows, query: exp.Select, operands: Sequence[exp.Expr]) -> Rows:
    """The rows of a subquery. Where it begins with the very row that is tested, that row is not read again."""
    scope, tables = Scope(rows.scope.refs, outer=rows.scope), sources_of(query)
    for source in tables:
        ref = _same_row(rows, query, operands, source) if len(tables) > 1 else None
        if ref is not None and all(other.kind == "inner" for other in tables):
            scope.visible.append(ref)
            scope.renamed[ref] = source.table.alias_or_name
            scope.refs.met.add(id(source.table))
            on = [other.on for other in tables if other.on is not None]
            kept = [Source(other.table) for other in tables if other is not source]
            return read_rows(scope, kept, exp.and_(*on, where_of(query), copy=False))
    return read_rows(scope, tables, where_of(query))


def _same_row(rows: Rows, query: exp.Select, operands: Sequence[exp.Expr], source: Source) -> int | None:
    """The outer reference whose row `source` is, as in `t.id IN (SELECT u.id FROM t AS u JOIN …)`."""
    if len(operands) != 1 or len(query.expressions) != 1 or source.using:
        return None
    outer, selected = term(operands[0], rows.scope), query.expressions[0].unalias()
    if not isinstance(outer, ColumnRef) or not isinstance(selected, exp.Column):
        return None
    table = rows.scope.refs.tables[outer.ref]
    is_key = table.primary_key == (outer.column,) and selected.name.lower() == outer.column.lower()
    is_row = selected.table == source.table.alias_or_name and rows.scope.refs.find(source.table).id == table.id
    always_there = not any(link.ref == outer.ref and link.kind == "left" for link in rows.links)
    return outer.ref if is_key and is_row and always_there else None


def _plain(query: exp.Select, is_list: bool) -> bool:
    """Whether existence in the subquery is existence of joined rows. LIMIT changes nothing where only EXISTS asks."""
    refused = [key for key in _NOT_PLAIN if query.args.get(key) and (is_list or key != "limit")]
    return not refused and not any(node.find(exp.AggFunc, exp.Window) for node in query.expressions)


def _place(item: Condition, links: dict[int, Link], first: int) -> None:
    """Hang a condition of the group on the join of the last of its references that the condition mentions."""
    link = links[max((column.ref for column in columns_in(item) if column.ref in links), default=first)]
    pair = _as_pair(item)
    if pair and pair[0].ref == link.ref:
        link.pairs.append(pair)
    else:
        link.extra.append(item)


def _not_null(value: Term, rows: Rows) -> bool:
    """Whether the value can never be NULL in these rows."""
    if isinstance(value, Param):
        return True
    if not isinstance(value, ColumnRef):
        return False
    if Compare(op="is not null", left=value) in rows.where:
        return True
    outer_joined = any(link.ref == value.ref and link.kind == "left" for link in rows.links)
    return not outer_joined and not rows.scope.refs.tables[value.ref].column(value.column).nullable


def sources_of(query: exp.Select) -> list[Source]:
    """The tables of a SELECT's FROM list. Raises Unplanned."""
    return sources(query.args["from_"].this, query.args.get("joins") or ())


def where_of(query: exp.Expr) -> exp.Expr | None:
    """The condition of a statement's WHERE, if it has one."""
    where = query.args.get("where")
    return where.this if where else None


def conjuncts(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """The parts of a condition that all must hold, in text order."""
    if node is None:
        return
    node = unwrap(node)
    negated = unwrap(node.this) if isinstance(node, exp.Not) else None
    if isinstance(node, exp.And):
        for item in node.flatten():
            yield from conjuncts(item)
    elif isinstance(negated, exp.Or):
        for item in negated.flatten():
            yield from conjuncts(exp.Not(this=item))
    elif isinstance(negated, exp.Not):
        yield from conjuncts(negated.this)
    else:
        yield node
