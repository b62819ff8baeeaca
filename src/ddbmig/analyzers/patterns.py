"""The templates of a digest -> access patterns; what is none is counted under a named reason."""

from collections.abc import Iterable, Iterator, Mapping

from ddbmig.analyzers.conditions import conjunction
from ddbmig.analyzers.drafts import Draft, draft_statement
from ddbmig.analyzers.names import Catalogue, NotAPattern
from ddbmig.analyzers.pattern_names import pattern_name, unique_names
from ddbmig.analyzers.templates import NotParsed, insert_mode, parse_template
from ddbmig.model.condition import Call, ColumnRef, Compare, Condition, Param, Term, walk
from ddbmig.model.digest import Digest, TemplateDigest
from ddbmig.model.pattern import AccessPattern, Skipped
from ddbmig.model.schema import Schema

_READ_VERBS = frozenset({"select", "insert", "replace", "update", "delete"})


def read_patterns(digest: Digest, schema: Schema) -> tuple[tuple[AccessPattern, ...], tuple[Skipped, ...]]:
    """Every template as an access pattern, ordered by id, or counted in a Skipped, ordered by reason.

    The calls of the patterns' templates and of the Skipped add up to the calls of the digest. A statement that is
    understood but has no bounded normal form is a pattern whose `unplanned` says why. Never raises for a template.
    """
    catalogue = Catalogue(schema)
    patterns: list[AccessPattern] = []
    skipped: dict[str, list[TemplateDigest]] = {}
    for template in sorted(digest.templates, key=lambda template: template.id):
        try:
            patterns.append(_read_pattern(template, catalogue))
        except NotAPattern as error:
            skipped.setdefault(str(error), []).append(template)
    return unique_names(patterns), tuple(_skipped(reason, skipped[reason]) for reason in sorted(skipped))


def _skipped(reason: str, templates: list[TemplateDigest]) -> Skipped:
    example = min(templates, key=lambda template: (-template.calls, template.id))
    calls = sum(template.calls for template in templates)
    return Skipped(reason=reason, calls=calls, templates=len(templates), example=example.sql)


def _read_pattern(template: TemplateDigest, catalogue: Catalogue) -> AccessPattern:
    """One template's access pattern. Raises NotAPattern."""
    if template.verb not in _READ_VERBS:
        raise NotAPattern("stored procedure call" if template.verb == "call" else _not_understood(template))
    try:
        tree, placeholders = parse_template(template.sql)
        draft = draft_statement(tree, catalogue, template.schema_name)
        if draft.kind == "insert":
            draft.insert_mode = insert_mode(template.sql, tree)
        return _pattern(template, draft, placeholders)
    except (NotParsed, RecursionError) as error:
        raise NotAPattern(_not_understood(template)) from error


def _not_understood(template: TemplateDigest) -> str:
    verb = template.verb if template.verb != "other" else (template.sql.split() or ["empty"])[0].lower()
    return f"not understood: {verb}"


def _pattern(template: TemplateDigest, draft: Draft, placeholders: int) -> AccessPattern:
    limit = draft.limit
    if limit is not None:
        limit = limit.model_copy(update={"rows": template.limit_max, "offset_calls": template.offset_calls})
    pattern = AccessPattern(
        id=f"Q{template.id}",
        template=template.id,
        name="",
        kind=draft.kind,
        sql=template.sql,
        refs=tuple(draft.refs.refs),
        joins=tuple(link.frozen() for link in sorted(draft.rows.links, key=lambda link: link.ref)),
        where=conjunction(draft.rows.where),
        reads=tuple(draft.reads),
        order=tuple(draft.order),
        limit=limit,
        distinct=draft.distinct,
        aggregates=tuple(draft.aggregates),
        group_by=tuple(draft.group_by),
        assignments=tuple(draft.assignments),
        on_duplicate=tuple(draft.on_duplicate),
        insert_mode=draft.insert_mode,
        locking=draft.locking,
        unplanned=tuple(draft.reasons),
    )
    params = _params(pattern)
    columns = tuple(params.get(index) for index in range(placeholders))
    return pattern.model_copy(update={"params": columns, "name": pattern_name(pattern)})


def _params(pattern: AccessPattern) -> Mapping[int, ColumnRef]:
    """The column that each placeholder is compared with or stored in, where there is one."""
    found: dict[int, ColumnRef] = {}
    for assignment in (*pattern.on_duplicate, *pattern.assignments):
        _note_params(found, ColumnRef(ref=0, column=assignment.column), (assignment.value,))
    for compare in _comparisons((pattern.where, *(join.extra for join in pattern.joins))):
        operands = (compare.left, *compare.right)
        column = next((operand for operand in operands if isinstance(operand, ColumnRef)), None)
        if column is not None:
            _note_params(found, column, operands)
    return found


def _comparisons(conditions: Iterable[Condition]) -> Iterator[Compare]:
    return (part for condition in conditions for part in walk(condition) if isinstance(part, Compare))


def _note_params(found: dict[int, ColumnRef], column: ColumnRef, values: Iterable[Term]) -> None:
    for value in values:
        bare = value.arguments[0] if isinstance(value, Call) and value.name == "BINARY" else value
        if isinstance(bare, Param):
            found[bare.index] = column
