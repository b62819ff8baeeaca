"""Access patterns as short lines, so that test cases can be read: `0.id = ?0`, `left 1 on 1.book_id=0.id`."""

from typing import Any

from ddbmig.model.condition import (
    All,
    AnyOf,
    Arithmetic,
    Call,
    ColumnRef,
    Compare,
    Condition,
    Constant,
    Not,
    Param,
    Term,
)
from ddbmig.model.pattern import AccessPattern, Assignment, Join


def show_term(term: Term) -> str:
    match term:
        case Param():
            return f"?{term.index}" + ("…" if term.many else "")
        case ColumnRef():
            return f"{term.ref}.{term.column}"
        case Constant():
            return "NULL" if term.value is None else str(term.value)
        case Arithmetic():
            return f"({show_term(term.left)} {term.op} {show_term(term.right)})"
        case Call():
            return f"{term.name}({', '.join(show_term(item) for item in term.arguments)})"
    return f"<{term.why}: {term.sql}>"


def show(condition: Condition) -> str:
    match condition:
        case Compare():
            return " ".join([show_term(condition.left), condition.op, *(show_term(item) for item in condition.right)])
        case All():
            return " & ".join(show(item) for item in condition.items) or "TRUE"
        case AnyOf():
            return f"({' | '.join(show(item) for item in condition.items)})" if condition.items else "FALSE"
        case Not():
            return f"not {show(condition.item)}"
    return f"<{condition.why}: {condition.sql}>"


def show_join(join: Join) -> str:
    text = f"{join.kind} {join.ref} on " + " and ".join(f"{show_term(a)}={show_term(b)}" for a, b in join.on)
    text += f" extra {show(join.extra)}" if join.extra != All() else ""
    return text + (f" group {join.group}" if join.group is not None else "")


def show_pattern(pattern: AccessPattern) -> dict[str, Any]:
    """The pattern's parts; what is empty is left out."""
    limit = pattern.limit

    def sets(assignments: tuple[Assignment, ...]) -> list[str]:
        return [f"{item.column} = {show_term(item.value)}" for item in assignments]

    parts = {
        "name": pattern.name,
        "kind": pattern.kind,
        "refs": [ref.table for ref in pattern.refs],
        "joins": [show_join(join) for join in pattern.joins],
        "where": show(pattern.where) if pattern.where != All() else "",
        "reads": " ".join(show_term(column) for column in pattern.reads),
        "order": [show_term(term.column) + (" desc" if term.descending else "") for term in pattern.order],
        "limit": [limit.row_param, limit.offset_param] if limit else [],
        "distinct": pattern.distinct,
        "aggregates": [
            f"{item.function} {'distinct ' if item.distinct else ''}{show_term(item.column) if item.column else '*'}"
            for item in pattern.aggregates
        ],
        "group_by": " ".join(show_term(column) for column in pattern.group_by),
        "set": sets(pattern.assignments),
        "on_duplicate": sets(pattern.on_duplicate),
        "mode": pattern.insert_mode,
        "locking": pattern.locking,
        "params": " ".join(show_term(column) if column else "-" for column in pattern.params),
        "unplanned": list(pattern.unplanned),
    }
    return {key: value for key, value in parts.items() if value not in ("", [], False, None)}
