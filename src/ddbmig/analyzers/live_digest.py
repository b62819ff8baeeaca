"""performance_schema's statement digests -> Digest: what a server itself counted, for want of a log."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from ddbmig.analyzers.digest import template_id
from ddbmig.analyzers.live import StatementDigest
from ddbmig.analyzers.normalize import Normalizer, Template
from ddbmig.model.base import canonical_json, sha256
from ddbmig.model.digest import Digest, DigestSource, TemplateDigest

NOTE = (
    "Statements come from performance_schema: it tells no order of statements, no values and no rates by the minute, so"
    " transactions, N+1 runs and hot keys are not known, and counts reach back to the server's last start."
)
NOT_KEPT = "not kept by performance_schema"

_LIST = re.compile(r"\(\s*\.\.\.\s*\)")
_ROW = re.compile(r"(\(\s*`(?P<columns>[^()]*)`\s*\)\s*)?(?P<values>VALUES?\s*)\(\s*\.\.\.\s*\)", re.IGNORECASE)


def digest_of_statements(statements: Iterable[StatementDigest], lost: int, flavour: str) -> Digest:
    """The digest of the rows that `LiveCollection.statement_digests` gives; `lost` calls have no text. Two digests that
    differ only in what a template does not keep are one template."""
    normalizer = Normalizer()
    read = []
    for row in statements:
        template, _, _ = normalizer.normalize(_with_placeholders(row.text).encode("utf-8", "replace"))
        read.append((template_id(row.schema_name, template.sql), template, row))
    read.sort(key=lambda each: (each[0], each[2]))
    skipped = {NOT_KEPT: lost} if lost else {}
    templates = []
    for name, group in groupby(read, key=lambda each: each[0]):
        members = list(group)
        template, rows = members[0][1], [row for _, _, row in members]
        if template.reason:
            skipped[template.reason] = skipped.get(template.reason, 0) + sum(row.calls for row in rows)
        else:
            templates.append(_template(name, template, rows))
    source = _source([row for _, _, row in read], lost, flavour, skipped)
    return Digest(sources=(source,), templates=tuple(templates), notes=(NOTE,))


def _with_placeholders(text: str) -> str:
    """The server folds lists to `(...)`; a template has one placeholder in an IN, and one for each column in a row."""

    def row(match: re.Match[str]) -> str:
        count = match["columns"].count(",") + 1 if match["columns"] else 1
        return f"{match[1] or ''}{match['values']}({', '.join(['?'] * count)})"

    return _LIST.sub("(?)", _ROW.sub(row, text))


def _template(name: str, template: Template, rows: Sequence[StatementDigest]) -> TemplateDigest:
    calls = sum(row.calls for row in rows)
    return TemplateDigest(
        id=name,
        schema_name=rows[0].schema_name,
        sql=template.sql,
        verb=template.verb,
        calls=calls,
        first_us=min(row.first_us for row in rows),
        last_us=max(row.last_us for row in rows),
        query_us=sum(row.query_us for row in rows),
        rows_sent=sum(row.rows_sent for row in rows),
        rows_examined=sum(row.rows_examined for row in rows),
        rows_affected=sum(row.rows_affected for row in rows),
        timed_calls=calls,
    )


def _source(rows: Sequence[StatementDigest], lost: int, flavour: str, skipped: dict[str, int]) -> DigestSource:
    content = canonical_json([list(row) for row in rows])
    return DigestSource(
        kind="performance_schema",
        name="performance_schema",
        sha256=sha256(content),
        bytes=len(content),
        events=len(rows),
        statements=sum(row.calls for row in rows) + lost,
        skipped=dict(sorted(skipped.items())),
        first_us=min((row.first_us for row in rows), default=None),
        last_us=max((row.last_us for row in rows), default=None),
        flavour=flavour,
    )
