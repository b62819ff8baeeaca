"""A statement of a repository is found by its template, at its place. Cases are in data/queries.yaml."""

import gzip
import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import small_shop
from ddbmig.analyzers.ddl import read_ddl
from ddbmig.analyzers.general_log import read_general_log
from ddbmig.analyzers.normalize import MAX_TEMPLATE_CHARS, Normalizer
from ddbmig.analyzers.patterns import read_patterns
from ddbmig.analyzers.query_files import QueryPlaces, locate_queries, query_key
from ddbmig.model.errors import InputError, UsageError
from ddbmig.model.location import Location
from ddbmig.model.schema import Schema

DATA = Path(__file__).parent / "data" / "queries.yaml"
CASES: list[dict[str, Any]] = yaml.safe_load(DATA.read_text("utf-8"))
EXAMPLE = Path(__file__).parents[2] / "examples" / "bookshop"
PLACEHOLDERS = ("?", ":value", "%s", "%(value)s", "$3", "@value", "{value}", "{}", "?7", "sqlc.arg(value)")


def template(statement: str) -> str:
    """The SQL of the template that a log's reader makes of a statement."""
    return Normalizer().normalize(statement.encode())[0].sql


def locate(folder: Path, content: str | bytes) -> QueryPlaces:
    (folder / "queries.sql").write_bytes(content if isinstance(content, bytes) else content.encode())
    return locate_queries([(folder / "queries.sql", "queries.sql")])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_statement_is_found_where_it_stands(case: dict[str, Any], tmp_path: Path) -> None:
    found = locate(tmp_path, case["file"]).places.get(query_key(template(case["log"])))
    assert case["at"] == (f"{found.line}:{found.column}" if found else None)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"SELECT a FROM t;\nSELECT '\n;", 2, "not closed"),
        (b"\n{% if x %} SELECT 1 {% endif %};\nSELECT a FROM t;", 2, "no word that we know"),
        (b"LOAD DATA INFILE 'x' INTO TABLE t;\nSELECT a FROM t;", 1, "no word that we know"),
        (b"SELECT caf\xe9 FROM t;\nSELECT a FROM t;", 1, "not UTF-8"),
        (b"SELECT a FROM t;\nSELECT " + b"long, " * MAX_TEMPLATE_CHARS + b"x;", 2, "too long"),
    ],
)
def test_an_odd_statement_is_counted_and_the_rest_is_read(
    content: bytes, line: int, message: str, tmp_path: Path
) -> None:
    found = locate(tmp_path, content)
    assert list(found.places) == [query_key("SELECT a FROM t")]
    (problem,) = found.unread
    assert (problem.file, problem.line) == ("queries.sql", line)
    assert message in problem.message


def test_bytes_that_no_key_holds_may_be_anything(tmp_path: Path) -> None:
    found = locate(tmp_path, b"-- caf\xe9\nSELECT a FROM t WHERE b = 'caf\xe9' /* \xe9 */;")
    assert (list(found.places), found.unread) == ([query_key("SELECT a FROM t WHERE b = ?")], ())


def test_what_can_be_no_access_pattern_is_passed_over(tmp_path: Path) -> None:
    found = locate(tmp_path, "SET NAMES utf8mb4; CREATE TABLE t (a int); ALTER TABLE t ADD b int; BEGIN; COMMIT;;;")
    assert found == QueryPlaces({}, ())


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), ("SELECT a FROM t".encode("utf-16"), "no text"), (b"\x7fELF\0\0\0", "no text")],
)
def test_a_file_that_is_no_text_is_refused_by_name(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"queries\.sql: .*{message}"):
        locate(tmp_path, content)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        locate_queries([(tmp_path / "absent.sql", "absent.sql")])


def test_the_first_file_wins_whatever_its_name(tmp_path: Path) -> None:
    for name in ("a.sql", "b.sql"):
        (tmp_path / name).write_text("SELECT a FROM t")
    for names in (("a.sql", "b.sql"), ("b.sql", "a.sql")):
        found = locate_queries([(tmp_path / name, f"sql/{name}") for name in names])
        assert list(found.places.values()) == [Location(file=f"sql/{names[0]}", line=1, column=1)]


@given(st.binary(max_size=80) | st.text("SELECT a:@?%s${}`'\";-/*#!\n", max_size=80).map(str.encode))
def test_no_content_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    lines = content.count(b"\n") + 1
    try:
        found = locate(tmp_path_factory.getbasetemp(), content)
    except (InputError, UsageError):
        assert not content or b"\0" in content or content[:2] in (b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5")
    else:
        assert all(1 <= at.line <= lines and at.column >= 1 for at in found.places.values())


# --- spelling ---

# A constant condition (1=1) is one word: its numbers are no parameters.
_WORDS = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|`[^`]*`|[01]\s*=\s*[01]|(?<![\w.])\d+(?:\.\d+)?(?!\w)|[A-Za-z_]\w*|\s+|.", re.DOTALL
)


class Respelling:
    """One way to spell statements: `choose` picks among alternatives, `names` are those that may be quoted."""

    def __init__(self, names: frozenset[str], choose: Callable[[tuple[str, ...]], str]) -> None:
        self.names = names
        self.choose = choose

    def __call__(self, statement: str) -> str:
        return "".join(self._spelled(token) for token in _WORDS.findall(statement))

    def _spelled(self, token: str) -> str:
        if token.isspace():
            return self.choose((" ", "\n  ", "\t", " /* ; */ ", " -- it's\n", "\r\n"))
        if token == "?":
            return self.choose(PLACEHOLDERS)
        if token[0] == "'" or token.replace(".", "").isdigit():
            return self.choose((token, *PLACEHOLDERS))
        if token.lower() in self.names:
            return self.choose((token, f"`{token}`", token.upper()))
        return self.choose((token, token.lower(), token.upper())) if token[0].isalpha() else token


def names_of(schema: Schema) -> frozenset[str]:
    """The names of all tables and columns in lower case."""
    columns = (column.name.lower() for table in schema.tables for column in table.columns)
    return frozenset((*columns, *(table.name.lower() for table in schema.tables)))


@cache
def recorded() -> tuple[frozenset[str], tuple[str, ...]]:
    """The names of the example's tables and columns, and its statements with those of the small application, from
    their first word on."""
    names = names_of(read_ddl([(EXAMPLE / "schema.sql", "schema.sql")]))
    log = gzip.decompress((EXAMPLE / "general.log.gz").read_bytes()).decode()
    events = re.split(r"^(?:\d{6} +\S+)?\t+ *\d+ (\w[\w ]*)\t", log, flags=re.MULTILINE)
    found = [text for command, text in zip(events[1::2], events[2::2], strict=True) if command == "Query"]
    found = [re.sub(r"^/\*.*?\*/\s*", "", sql) for sql in (*found, *small_shop.statements())]
    queries = {template(sql): sql for sql in found if not Normalizer().normalize(sql.encode())[0].reason}
    return names, tuple(queries[key] for key in sorted(queries))


@settings(deadline=None)
@given(st.data())
def test_a_statement_is_found_however_it_is_spelled(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names, queries = recorded()
    assert len(queries) > 80
    statement = data.draw(st.sampled_from(queries))
    respelled = Respelling(names, lambda options: data.draw(st.sampled_from(options)))(statement)
    found = locate(tmp_path_factory.getbasetemp(), f"SELECT 1; -- first\n {respelled};")
    at = found.places.get(query_key(template(statement)))
    assert at == Location(file="queries.sql", line=2, column=2), respelled


def same_but_for_spelling(sql: str) -> str:
    """An own notion of equal templates: without case, white space and back-quotes."""
    return re.sub(r"[\s`]", "", sql).lower()


@pytest.mark.corpus
@pytest.mark.parametrize(
    "name",
    [
        "oscar_mysql97",
        *(pytest.param(other, marks=pytest.mark.slow) for other in ("wordpress_mysql57", "tpcc_mysql97")),
    ],
)
def test_every_statement_of_a_recorded_application_is_found(name: str, corpus: Path, tmp_path: Path) -> None:
    folder = corpus / "workloads" / name
    schema = read_ddl([(folder / "schema.sql", "schema.sql")])
    patterns, _ = read_patterns(read_general_log(folder / "general.log.gz", key=b"corpus"), schema)
    keys = {pattern.sql: query_key(pattern.sql) for pattern in patterns}
    assert len(set(keys.values())) == len({same_but_for_spelling(sql) for sql in keys})
    respelled = Respelling(names_of(schema), random.Random(7).choice)  # the same spellings in every run
    text, expected = "", {}
    for sql, key in keys.items():
        expected[key] = text.count("\n") + 1
        text += respelled(sql) + ";\n"
    found = locate(tmp_path, text)
    assert found.unread == ()
    assert {key: at.line for key, at in found.places.items() if key in expected} == expected
