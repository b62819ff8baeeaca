"""Along which relationship statements read: joined, looked up row by row, or all children of a parent."""

from collections.abc import Iterable

from ddbmig.engine.coaccess import tables_queried
from ddbmig.engine.evidence import Evidence
from ddbmig.model.assessment import Relationship
from ddbmig.model.condition import All, ColumnRef, Compare, Condition
from ddbmig.model.pattern import AccessPattern


def joined_reads(evidence: Evidence, relationship: Relationship) -> tuple[tuple[AccessPattern, int], ...]:
    """The SELECTs that join child and parent along the relationship, each with its reference to the parent."""
    found = []
    for pattern in evidence.reading(relationship.child):
        ref = _parent_ref(pattern, relationship) if pattern.kind == "select" else None
        if ref is not None:
            found.append((pattern, ref))
    return tuple(found)


def _parent_ref(pattern: AccessPattern, relationship: Relationship) -> int | None:
    equal = {_key(end) for join in pattern.joins for pair in join.on for end in (pair, pair[::-1])}
    columns = list(zip(relationship.child_columns, relationship.parent_columns, strict=True))
    for parent, parent_ref in enumerate(pattern.refs):
        for child, child_ref in enumerate(pattern.refs):
            if child == parent or (child_ref.table, parent_ref.table) != (relationship.child, relationship.parent):
                continue
            if all(((child, c.lower()), (parent, p.lower())) in equal for c, p in columns):
                return parent
    return None


def _key(pair: tuple[ColumnRef, ColumnRef]) -> tuple[tuple[int, str], tuple[int, str]]:
    left, right = pair
    return (left.ref, left.column.lower()), (right.ref, right.column.lower())


def copied_columns(evidence: Evidence, relationship: Relationship) -> frozenset[str] | None:
    """The parent columns beyond the join key that joins and the inner statements of N+1 runs take; None without any."""
    table = evidence.tables.get(relationship.parent)
    spelling = {column.name.lower(): column.name for column in table.columns} if table else {}
    taken = [*joined_reads(evidence, relationship), *_per_row_reads(evidence, relationship)]
    if not taken:
        return None
    key = {column.lower() for column in relationship.parent_columns}
    read = {out.column.lower() for pattern, ref in taken for out in pattern.reads if out.ref == ref}
    return frozenset(spelling.get(column, column) for column in read - key)


def _per_row_reads(evidence: Evidence, relationship: Relationship) -> Iterable[tuple[AccessPattern, int]]:
    """N+1 runs whose outer reads the child and whose inner looks the parent up by the relationship's columns."""
    wanted = {column.lower() for column in relationship.parent_columns}
    for run in evidence.snapshot.digest.runs:
        outer, inner = evidence.by_template.get(run.outer), evidence.by_template.get(run.inner)
        if outer is None or inner is None or relationship.child not in tables_queried(outer):
            continue
        bound = bound_columns(inner)
        for index, ref in enumerate(inner.refs):
            if ref.table == relationship.parent and all((index, column) in bound for column in wanted):
                yield inner, index


def reads_collection(evidence: Evidence, relationship: Relationship, pattern: AccessPattern) -> bool:
    """Whether a pattern asks for the children of given parents: the foreign key is bound, another key of the child's
    own is not. Where the foreign key is itself such a key (1:1), asking by it asks for the child of a parent."""
    bound = bound_columns(pattern)
    foreign = {column.lower() for column in relationship.child_columns}
    table = evidence.tables.get(relationship.child)
    unique = [key.columns for key in table.unique_keys()] + [table.primary_key] if table else []
    own = [{column.lower() for column in key} for key in unique if key]
    for index, ref in enumerate(pattern.refs):
        columns = {column for ref_index, column in bound if ref_index == index}
        by_parent = ref.table == relationship.child and foreign <= columns
        if by_parent and not any(key <= columns and not key <= foreign for key in own):
            return True
    return False


def bound_columns(pattern: AccessPattern) -> frozenset[tuple[int, str]]:
    """(reference, column in lower case) that an equality or IN in the WHERE fixes, carried along equal join columns."""
    bound = set(_bound(pattern.where))
    equal = [_key(pair) for join in pattern.joins if join.kind in ("inner", "left") for pair in join.on]
    for _ in equal:
        for left, right in equal:
            if left in bound or right in bound:
                bound |= {left, right}
    return frozenset(bound)


def _bound(condition: Condition) -> Iterable[tuple[int, str]]:
    if isinstance(condition, All):
        for item in condition.items:
            yield from _bound(item)
    elif isinstance(condition, Compare) and condition.op in ("=", "<=>", "in"):
        sides = (condition.left, *condition.right)
        columns = [side for side in sides if isinstance(side, ColumnRef)]
        if len(columns) == 1 and (condition.op != "in" or condition.left is columns[0]):
            yield columns[0].ref, columns[0].column.lower()
