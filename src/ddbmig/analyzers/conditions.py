"""SQL expressions -> the closed trees of conditions and terms; what has no such form is opaque, with its reason."""

from collections.abc import Iterator
from typing import Literal, cast

from sqlglot import exp

from ddbmig.analyzers.names import Scope
from ddbmig.analyzers.templates import template_text
from ddbmig.model.condition import (
    CLIENT_FUNCTIONS,
    All,
    AnyOf,
    Arithmetic,
    Call,
    ColumnRef,
    Compare,
    Condition,
    Constant,
    Not,
    OpaqueCondition,
    OpaqueTerm,
    Operator,
    Param,
    Term,
    walk,
)
from ddbmig.model.pattern import Reason

TRUE, FALSE = All(), AnyOf()

_COMPARISONS: dict[type[exp.Expr], Operator] = {
    exp.EQ: "=", exp.NullSafeEQ: "<=>", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.Like: "like",
}  # fmt: skip
_NEGATED: dict[Operator, Operator] = {
    "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in",
    "between": "not between", "not between": "between", "like": "not like", "not like": "like",
    "is null": "is not null", "is not null": "is null",
}  # fmt: skip
_OPERANDS = frozenset({"this", "expression", "expressions", "low", "high", "negate"})
_ARITHMETIC: dict[type[exp.Expr], Literal["+", "-", "*", "/"]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}
_CALLS: dict[type[exp.Expr], str] = {
    exp.Coalesce: "COALESCE", exp.Lower: "LOWER", exp.Upper: "UPPER", exp.Concat: "CONCAT",
    exp.CurrentTimestamp: "NOW", exp.Localtime: "NOW", exp.Localtimestamp: "NOW", exp.CurrentDate: "CURRENT_DATE",
    exp.UtcTimestamp: "UTC_TIMESTAMP", exp.Year: "YEAR", exp.Month: "MONTH", exp.Day: "DAY", exp.DayOfMonth: "DAY",
    exp.TsOrDsToDate: "DATE", exp.Date: "DATE",
}  # fmt: skip
_BARE_CALLS = {"UTC_TIMESTAMP": "UTC_TIMESTAMP", "LOCALTIME": "NOW", "LOCALTIMESTAMP": "NOW", "NOW": "NOW",
               "SYSDATE": "NOW"}  # fmt: skip
_DATE_PARTS = {"YEAR", "MONTH", "DAY", "DATE"}
_TEMPORAL = {"date", "datetime", "timestamp"}
_REASONS: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Reason], ...] = (
    (exp.MatchAgainst, "full-text search"),
    ((exp.Select, exp.SetOperation), "subquery"),
    ((exp.Parameter, exp.SessionParameter), "user variable"),
    (exp.Window, "window function"),
    (exp.AggFunc, "unbounded aggregate"),
)


def columns_in(item: Condition | Term) -> Iterator[ColumnRef]:
    """Every column that a condition or term mentions, from left to right."""
    return (part for part in walk(item) if isinstance(part, ColumnRef))


def opaque_reasons(item: Condition | Term) -> Iterator[Reason]:
    """Why parts of a condition or term have no form of ours."""
    for part in walk(item):
        if isinstance(part, OpaqueCondition | OpaqueTerm):
            yield cast(Reason, part.why)


def reason_for(node: exp.Expr) -> Reason:
    """Why an expression has no form of ours: the gravest thing in it, else that only the server can compute it."""
    for kind, reason in _REASONS:
        if node.find(*(kind if isinstance(kind, tuple) else (kind,))):
            return reason
    return "server function"


def unwrap(node: exp.Expr) -> exp.Expr:
    """`node` without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def term(node: exp.Expr, scope: Scope) -> Term:
    """The value that an expression stands for; an OpaqueTerm with its reason where it has no form of ours."""
    node = unwrap(node)
    if isinstance(node, exp.Placeholder):
        return Param(index=int(node.name[1:]))
    if isinstance(node, exp.Column):
        return _column(node, scope)
    if isinstance(node, exp.Null):
        return Constant(value=None)
    if isinstance(node, exp.Boolean):
        return Constant(value=int(node.this))
    if isinstance(node, exp.Literal) and node.is_int:
        return Constant(value=int(node.name))
    if isinstance(node, exp.Neg):
        return _arithmetic("-", Constant(value=0), term(node.this, scope))
    if type(node) in _ARITHMETIC:
        return _binary(node, scope)
    return _call(node, scope) or _opaque(node, reason_for(node))


def _opaque(node: exp.Expr, why: Reason) -> OpaqueTerm:
    return OpaqueTerm(sql=template_text(node), why=why)


def _column(node: exp.Column, scope: Scope) -> Term:
    inserted = scope.row.get(node.name.lower()) if scope.row_alias and node.table == scope.row_alias else None
    found = inserted or scope.resolve(node)
    if found is not None:
        return found
    if not node.table and node.name.upper() in _BARE_CALLS:
        return Call(name=_BARE_CALLS[node.name.upper()])
    return _opaque(node, "unknown column")


def _arithmetic(op: Literal["+", "-", "*", "/"], left: Term, right: Term) -> Term:
    for side in (left, right):
        if isinstance(side, OpaqueTerm):
            return side
    return Arithmetic(op=op, left=left, right=right)


def _binary(node: exp.Expr, scope: Scope) -> Term:
    left, right = node.args["this"], node.args["expression"]
    if isinstance(right, exp.Interval) and type(node) in (exp.Add, exp.Sub):
        name = "DATE_ADD" if type(node) is exp.Add else "DATE_SUB"
        return _client_call(f"{name} {right.text('unit').upper()}", [left, right.this], scope) or _opaque(
            node, "server function"
        )
    return _arithmetic(_ARITHMETIC[type(node)], term(left, scope), term(right, scope))


def _call(node: exp.Expr, scope: Scope) -> Term | None:
    """The function call that `node` is, where the client can compute it."""
    if isinstance(node, exp.Anonymous):
        return _anonymous(node, scope)
    if isinstance(node, exp.DateAdd | exp.DateSub):
        name = "DATE_ADD" if isinstance(node, exp.DateAdd) else "DATE_SUB"
        return _client_call(f"{name} {node.text('unit').upper()}", [node.this, node.expression], scope)
    if isinstance(node, exp.Cast) and node.to.is_type("binary"):
        return _client_call("BINARY", [node.this], scope)
    if type(node) not in _CALLS:
        return None
    name = _CALLS[type(node)]
    arguments = [node.this] if isinstance(node.this, exp.Expr) else []
    if name in ("NOW", "UTC_TIMESTAMP", "CURRENT_DATE"):
        arguments = []
    elif name in _DATE_PARTS and isinstance(node.this, exp.TsOrDsToDate):
        arguments = [node.this.this]
    return _client_call(name, [*arguments, *(node.expressions if name in ("COALESCE", "CONCAT") else [])], scope)


def _anonymous(node: exp.Anonymous, scope: Scope) -> Term | None:
    name = node.name.upper()
    if name == "VALUES" and len(node.expressions) == 1:
        return scope.row.get(node.expressions[0].name.lower())
    if name == "LAST_INSERT_ID" and len(node.expressions) == 1:
        # `id = LAST_INSERT_ID(id)` changes nothing but the session's memory of the id.
        return term(node.expressions[0], scope)
    return Call(name=_BARE_CALLS[name]) if name in _BARE_CALLS else None


def _client_call(name: str, nodes: list[exp.Expr], scope: Scope) -> Term | None:
    arguments = tuple(term(node, scope) for node in nodes)
    opaque = next((argument for argument in arguments if isinstance(argument, OpaqueTerm)), None)
    if opaque or name not in CLIENT_FUNCTIONS:
        return opaque
    if name in _DATE_PARTS and not all(_temporal(argument, scope) for argument in arguments):
        return None
    return Call(name=name, arguments=arguments)


def _temporal(argument: Term, scope: Scope) -> bool:
    """Whether a date part can be taken from the value as it is stored (a text column would first be converted)."""
    if not isinstance(argument, ColumnRef):
        return True
    return scope.refs.tables[argument.ref].column(argument.column).type in _TEMPORAL


def condition(node: exp.Expr, scope: Scope) -> Condition:
    """The condition that an expression stands for; an OpaqueCondition with its reason where it has no form of ours."""
    node = unwrap(node)
    if isinstance(node, exp.And):
        return conjunction([condition(item, scope) for item in node.flatten()])
    if isinstance(node, exp.Or):
        return disjunction([condition(item, scope) for item in node.flatten()])
    if isinstance(node, exp.Not):
        return negation(condition(node.this, scope))
    if isinstance(node, exp.Boolean):
        return TRUE if node.this else FALSE
    if isinstance(node, exp.EQ) and isinstance(node.this, exp.Literal) and isinstance(node.expression, exp.Literal):
        return TRUE if node.this == node.expression else FALSE
    if isinstance(node, exp.Is):
        return _is(node, scope)
    return _comparison(node, scope)


def _comparison(node: exp.Expr, scope: Scope) -> Condition:
    if type(node) in _COMPARISONS:
        return _compare(node, _COMPARISONS[type(node)], [node.args["this"], node.args["expression"]], scope)
    if isinstance(node, exp.In) and node.expressions and not isinstance(unwrap(node.this), exp.Tuple):
        return _in(node, scope)
    if isinstance(node, exp.Between):
        return _compare(node, "between", [node.this, node.args["low"], node.args["high"]], scope)
    if isinstance(node, exp.Predicate | exp.Connector | exp.Subquery | exp.Tuple | exp.Escape | exp.In):
        return OpaqueCondition(sql=template_text(node), why=reason_for(node))
    value = term(node, scope)
    if isinstance(value, OpaqueTerm):
        return OpaqueCondition(sql=value.sql, why=value.why)
    return Compare(op="!=", left=value, right=(Constant(value=0),))


def _compare(node: exp.Expr, op: Operator, operands: list[exp.Expr], scope: Scope) -> Condition:
    if any(value for key, value in node.args.items() if key not in _OPERANDS):
        # The parser has noted something about the comparison that this reading does not know.
        return OpaqueCondition(sql=template_text(node), why="not understood")
    op = _NEGATED[op] if node.args.get("negate") else op
    left, *right = (term(operand, scope) for operand in operands)
    for operand in (left, *right):
        if isinstance(operand, OpaqueTerm):
            return OpaqueCondition(sql=template_text(node), why=operand.why)
    return Compare(op=op, left=left, right=tuple(right))


def _in(node: exp.In, scope: Scope) -> Condition:
    compared = _compare(node, "in", [node.this, *node.expressions], scope)
    if isinstance(compared, Compare) and len(compared.right) == 1 and isinstance(compared.right[0], Param):
        # A lone placeholder is what the digest makes of a list of any length.
        return compared.model_copy(update={"right": (Param(index=compared.right[0].index, many=True),)})
    return compared


def _is(node: exp.Is, scope: Scope) -> Condition:
    """IS [NOT] NULL, TRUE and FALSE; the last two are never NULL, so they are spelt out."""
    left = term(node.this, scope)
    if isinstance(left, OpaqueTerm):
        return OpaqueCondition(sql=template_text(node), why=left.why)
    if isinstance(node.expression, exp.Null):
        return Compare(op="is null", left=left)
    if not isinstance(node.expression, exp.Boolean):
        return OpaqueCondition(sql=template_text(node), why="server function")
    op: Operator = "!=" if node.expression.this else "="
    return All(items=(Compare(op="is not null", left=left), Compare(op=op, left=left, right=(Constant(value=0),))))


def conjunction(items: list[Condition]) -> Condition:
    """AND of `items`: nested ANDs are one, TRUE is left out, FALSE decides."""
    flat = [part for item in items for part in (item.items if isinstance(item, All) else (item,))]
    if FALSE in flat:
        return FALSE
    return flat[0] if len(flat) == 1 else All(items=tuple(flat))


def _choices(items: list[Condition]) -> Compare | None:
    """Equalities of one column with values, as one IN; None where `items` are anything else."""
    found = [item for item in items if isinstance(item, Compare) and item.op in ("=", "in")]
    values = tuple(value for item in found for value in item.right)
    if len(found) != len(items) or not all(isinstance(value, Param | Constant) for value in values):
        return None
    same = all(item.left == found[0].left for item in found)
    return Compare(op="in", left=found[0].left, right=values) if same else None


def disjunction(items: list[Condition]) -> Condition:
    """OR of `items`: nested ORs are one, FALSE is left out, TRUE decides, equalities of one column are an IN."""
    flat = [part for item in items for part in (item.items if isinstance(item, AnyOf) else (item,))]
    if TRUE in flat:
        return TRUE
    if len(flat) == 1:
        return flat[0]
    return (_choices(flat) if flat else None) or AnyOf(items=tuple(flat))


def negation(item: Condition) -> Condition:
    """NOT, moved to the leaves: comparisons turn round and De Morgan's laws hold in three-valued logic too."""
    if isinstance(item, All):
        return disjunction([negation(part) for part in item.items])
    if isinstance(item, AnyOf):
        return conjunction([negation(part) for part in item.items])
    if isinstance(item, Not):
        return item.item
    if isinstance(item, Compare) and item.op in _NEGATED:
        return item.model_copy(update={"op": _NEGATED[item.op]})
    return Not(item=item)
