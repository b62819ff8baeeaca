"""Statements and their templates: the cases are text in data/normalize.txt."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet
from hypothesis import given
from hypothesis import strategies as st

from ddbmig.analyzers.normalize import TOO_LONG, Normalizer, literal_value

CASES = (Path(__file__).parent / "data" / "normalize.txt").read_text(encoding="utf-8")


def _cases() -> Iterator[ParameterSet]:
    for block in re.sub(r"^# .*\n", "", CASES, flags=re.MULTILINE).strip().split("\n\n"):
        statement, _, rest = block.partition("\n=>")
        template, *extras = rest.split("\n")
        expected = dict(line[2:].split(": ", 1) for line in extras if line)
        yield pytest.param(statement.strip("\n"), template.strip(), expected, id=statement.strip()[:50])


def _bytes(text: str) -> bytes:
    return text.encode().decode("unicode_escape").encode("latin-1")


@pytest.mark.parametrize(("statement", "expected", "extras"), list(_cases()))
def test_template(statement: str, expected: str, extras: dict[str, str]) -> None:
    template, literals, _ = Normalizer().normalize(_bytes(statement))
    assert template.sql == expected.replace("\\\\", "\\")
    pairs = [(slot.placeholder, literal_value(literals[slot.literal], slot.negative)) for slot in template.slots]
    pairs = sorted([*pairs, *template.fixed], key=lambda pair: pair[0])
    found = {
        "values": " ".join(f"{placeholder}={value.decode('latin-1')}" for placeholder, value in pairs),
        "verb": template.verb,
        "reason": template.reason,
        "control": template.control,
        "list": str(template.list_length),
        "limit": None if template.limit is None else literals[template.limit].decode(),
        "offset": None if template.offset is None else literals[template.offset].decode(),
    }
    assert {key: found[key] for key in extras} == extras


@pytest.mark.parametrize(("statement", "expected", "extras"), list(_cases()))
def test_a_template_is_its_own_template(statement: str, expected: str, extras: dict[str, str]) -> None:
    first = Normalizer().normalize(_bytes(statement))[0].sql
    if "\\x" in first:
        return  # an invalid byte of a name was written as text
    again = Normalizer().normalize(first.encode())[0]
    assert again.sql == first
    assert not again.slots


def test_ansi_quotes_make_double_quotes_names() -> None:
    template, literals, _ = Normalizer().normalize(b'SELECT "a 1"."b" FROM t WHERE c = \'x\'', ansi_quotes=True)
    assert template.sql == "SELECT `a 1`.`b` FROM t WHERE c = ?"
    assert literals == [b"'x'"]


def test_shapes_of_any_list_length_are_one_template() -> None:
    normalizer = Normalizer()
    templates = {
        normalizer.normalize(b"SELECT 1 FROM t WHERE a IN (" + b",".join(b"%d" % n for n in range(length)) + b")")[
            0
        ].sql
        for length in range(1, 60)
    }
    assert templates == {"SELECT ? FROM t WHERE a IN (?)"}


@pytest.mark.parametrize("row", [b"(%d, 'it''s; -- x', NULL)", b"(%d, NOW(), 'y')", b"(%d, POINT(1, -2), TRUE, 'y' )"])
def test_a_statement_of_megabytes_is_one_short_template(row: bytes) -> None:
    sql = b"INSERT INTO t VALUES " + b",".join(row % n for n in range(60_000))
    started = time.process_time()
    template, _, cut = Normalizer().normalize(sql)
    assert template.sql.startswith("INSERT INTO t VALUES (?, ")
    assert len(template.sql) < 70
    assert max(template.list_length, cut) == 60_000
    assert time.process_time() - started < 10


def test_a_template_that_stays_long_is_not_kept() -> None:
    sql = b"SELECT " + b", ".join(b"column_%d" % n for n in range(10_000)) + b" FROM t"
    template, _, _ = Normalizer().normalize(sql)
    assert (template.sql, template.reason) == ("", TOO_LONG)


def test_a_statement_that_stays_megabytes_long_is_counted_as_too_long() -> None:
    sql = b"SELECT " + b", ".join(b"a + %d" % n for n in range(1_000_000)) + b" FROM t"
    assert Normalizer().normalize(sql)[0].reason == TOO_LONG


@pytest.mark.parametrize("level", [b"(a IN ", b"((", b"(VALUES (1, "])
def test_deep_nesting_takes_linear_time(level: bytes) -> None:
    started = time.process_time()
    Normalizer().normalize(b"SELECT 1 WHERE a IN " + level * 60_000 + b"(1)")
    assert time.process_time() - started < 5


def test_the_cache_is_bounded() -> None:
    normalizer = Normalizer()
    for n in range(25_000):
        normalizer.normalize(b"SELECT c%d FROM t" % n)
    assert len(normalizer._cache) <= 20_000


@given(st.binary(max_size=200))
def test_any_bytes_give_a_template_that_is_text(sql: bytes) -> None:
    template, literals, _ = Normalizer().normalize(sql)
    template.sql.encode("utf-8")
    assert all(slot.literal < len(literals) for slot in template.slots)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=3, max_size=40))
def test_no_string_value_ever_reaches_the_template(text: str) -> None:
    secret = "S3CR3T" + text
    quoted = secret.replace("\\", "\\\\").replace("'", "''")
    template, literals, _ = Normalizer().normalize(f"SELECT a FROM t WHERE b='{quoted}' AND c=1".encode())
    assert template.sql == "SELECT a FROM t WHERE b = ? AND c = ?"
    assert literal_value(literals[0]) == secret.encode()
