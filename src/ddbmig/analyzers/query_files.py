"""The application's statements in .sql files: which file, line and column asks what a log's template says.

A statement in a repository and its template differ in spelling only: placeholders stand where the log had literals;
keywords and names may be in another case, in back-quotes, or spaced otherwise. `query_key` is what they have in common.
A bound NULL is beyond it: the log then holds the word NULL, and that is another template.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ddbmig.analyzers.files import open_input
from ddbmig.analyzers.normalize import TOO_LONG, Normalizer, Template
from ddbmig.analyzers.sqlscript import Statement, place_in, statements, without_comments
from ddbmig.model.errors import InputError
from ddbmig.model.location import Location
from ddbmig.model.schema import InputProblem

# sqlc, aiosql, yesql: `-- name: get_book :one`, `-- name: get_book(id)^`; HugSQL: `-- :name get-book :? :1`.
_HEADER = re.compile(rb"\s*+--\s*+(?:name\s*+:|:name\s)\s*+[\w.-]++(?:\([^)]*+\))?+\S*+(?:\s++:\S++)*+\s*+$")
_FIRST_WORD = re.compile(r"[^\s;]")
_PLACEHOLDERS = re.compile(
    r"""
    (?P<quoted>'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+"|`[^`]*+`)
    |(?P<variable>(?<![\w@.`'"])@[A-Za-z_]\w*+(?!\s*+:=))
    |\?\d*+
    |(?<![:\w]):\w++(?:[.-][A-Za-z_]\w*+)*+            # :name, :2, :user.name, :book-id
    |(?<!\w)%(?:\(\w++\))?s\b                          # %s, %(name)s
    |(?<![\w$.])\$\d++(?!\w)                           # $1
    |\{\w*+\}                                          # {name}, {}
    |\bsqlc\.(?:n?arg|slice)\(\s*+['"]?\w++['"]?\s*+\)
    """,
    re.VERBOSE | re.DOTALL,
)
_TOKENS = re.compile(r"`(?:[^`]|``)*+`|[\w$]++|\S")
_PLAIN_NAME = re.compile(r"\A`([\w$]++)`\Z")
_LITERAL = " 2 "
"""A placeholder is read as what the log has in its place (not as 0 or 1, which may make a constant condition)."""
_BARE_LIST = re.compile(r"\bin \?(?!\S)")


@dataclass(frozen=True)
class QueryPlaces:
    """`places` maps the key of a statement to where it first stands; `unread` are the statements that were not
    understood. Statements that can be no access pattern (DDL, SET, COMMIT and the like) are in neither."""

    places: Mapping[str, Location]
    unread: tuple[InputProblem, ...]


def locate_queries(files: Sequence[tuple[Path, str]]) -> QueryPlaces:
    """Every statement of .sql files by its `query_key`; each file is its path and the name that places show.

    A statement ends at its delimiter or before a `-- name:` header. Of equal statements the first counts. Raises
    UsageError for a file that cannot be opened and InputError for one that is empty or no text.
    """
    places: dict[str, Location] = {}
    unread: list[InputProblem] = []
    for path, name in files:
        for statement in _statements(path, name):
            sql = without_comments(statement.text.decode("utf-8", "replace"))
            word = _FIRST_WORD.search(sql)
            if word is None:
                continue
            at = place_in(sql, word.start(), Location(file=name, line=statement.line, column=statement.column))
            sql = sql[word.start() :]
            template = _normalized(sql)
            if message := _why_unread(statement, template):
                unread.append(InputProblem(file=at.file, line=at.line, message=message))
            elif not template.reason:
                for key in _keys(sql):
                    places.setdefault(key, at)
    return QueryPlaces(places, tuple(unread))


def query_key(sql: str) -> str:
    """What a template's SQL has in common with every spelling of the statement in a repository."""
    tokens = _TOKENS.findall(_normalized(sql).sql)
    return _BARE_LIST.sub("in ( ? )", " ".join(_PLAIN_NAME.sub(r"\1", token).lower() for token in tokens))


def _keys(sql: str) -> tuple[str, str]:
    """The keys of a statement as an application holds it: `@name` is a placeholder to some drivers and a variable of
    the server to others, so it is looked up as both."""
    variables_kept = _PLACEHOLDERS.sub(lambda match: match["quoted"] or match["variable"] or _LITERAL, sql)
    none_kept = _PLACEHOLDERS.sub(lambda match: match["quoted"] or _LITERAL, sql)
    return query_key(variables_kept), query_key(none_kept)


def _normalized(sql: str) -> Template:
    return Normalizer().normalize(sql.encode("utf-8", "surrogatepass"))[0]


def _statements(path: Path, name: str) -> Iterator[Statement]:
    """The statements of one file. A header line is read as a delimiter, for files in which statements have none."""
    with open_input(path) as opened:
        lines = (b";\n" if _HEADER.match(line) else line for line in _text_lines(opened.lines(), name))
        yield from (each for each in statements(lines, lambda _: True) if not each.text.startswith(b"--"))


def _text_lines(lines: Iterator[bytes], name: str) -> Iterator[bytes]:
    for line in lines:
        if b"\0" in line:
            raise InputError(
                "is no text in UTF-8", file=name, expected="SQL statements", hint="save it as UTF-8, or leave it out"
            )
        yield line


def _why_unread(statement: Statement, template: Template) -> str:
    """Why a statement is not understood, without its text; empty if it is."""
    if not statement.complete:
        return "a quote or comment that begins in this statement is not closed"
    if "\ufffd" in template.sql:
        return "the statement holds bytes that are not UTF-8"
    if template.reason == TOO_LONG:
        return "the statement is too long"
    if template.verb == "other" and not template.reason:
        return "the statement begins with no word that we know"
    return ""
