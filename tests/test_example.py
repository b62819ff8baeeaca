"""The bookshop that a newcomer runs first: its files are whole, and hold the cases they promise."""

import gzip
import re
from pathlib import Path

import pytest
import yaml

from ddbmig.model.context import ProjectConfig

LOGS = ("slow.log.gz", "general.log.gz")
LITERAL = re.compile(r"'(?:[^'\\]|''|\\.)*'|\b\d+(?:\.\d+)?\b")
ROWS = re.compile(r"\(\?(?:, ?(?:\?|NULL))*\)(?:, ?\(\?(?:, ?(?:\?|NULL))*\))*")


@pytest.fixture(scope="module")
def bookshop(repository: Path) -> Path:
    return repository / "examples" / "bookshop"


def unpack(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


@pytest.fixture(scope="module")
def statements(bookshop: Path) -> list[str]:
    """The SQL of every Query event of the general log."""
    header = re.compile(r"^(?:\d{6} [ \d]\d:\d\d:\d\d)?\t+ *\d+ (\w+(?: DB)?)\t", re.MULTILINE)
    parts = header.split(unpack(bookshop / "general.log.gz"))
    return [sql.strip() for command, sql in zip(parts[1::2], parts[2::2], strict=True) if command == "Query"]


def test_configuration_is_a_project_and_names_files_that_are_there(bookshop: Path) -> None:
    config = ProjectConfig.model_validate(yaml.safe_load((bookshop / "ddbmig.yaml").read_text()))
    inputs = config.inputs
    named = (*inputs.schema_files, *inputs.data, *inputs.slow_logs, *inputs.general_logs)
    assert sorted(named) == ["data.sql.gz", "general.log.gz", "schema.sql", "slow.log.gz"]
    assert all((bookshop / name).is_file() for name in named)


def test_owners_are_given_for_tables_that_exist(bookshop: Path) -> None:
    config = ProjectConfig.model_validate(yaml.safe_load((bookshop / "ddbmig.yaml").read_text()))
    tables = set(re.findall(r"^CREATE TABLE `(\w+)`", (bookshop / "schema.sql").read_text(), re.MULTILINE))
    assert set(config.context.owners) == tables
    assert set(config.context.security_contexts) <= tables
    assert set(config.context.strong_consistency) <= tables


@pytest.mark.parametrize(
    "promised",
    [
        "UNIQUE KEY `books_isbn` (`isbn`)",
        "KEY `albums_by_year` (`release_year`,`title`)",
        "PRIMARY KEY (`book_id`,`author_id`)",
        "PRIMARY KEY (`order_id`,`line_no`)",
        "FOREIGN KEY (`parent_id`) REFERENCES `categories` (`category_id`)",
        "`loyalty_number` char(10) DEFAULT NULL",
        "UNIQUE KEY `customers_loyalty_number` (`loyalty_number`)",
        "`preferences` json DEFAULT NULL",
        "`total` decimal(10,2) NOT NULL",
        "enum('new','paid','packed','shipped','delivered','cancelled')",
        "set('hardcover','paperback','ebook','audio')",
        "GENERATED ALWAYS AS",
        "FULLTEXT KEY `books_title_words` (`title`)",
    ],
)
def test_schema_holds_the_promised_case(bookshop: Path, promised: str) -> None:
    assert promised in (bookshop / "schema.sql").read_text()


def test_one_relationship_is_left_to_inference_and_one_table_has_no_key(bookshop: Path) -> None:
    tables = dict(re.findall(r"CREATE TABLE `(\w+)` \((.*?)\n\)", (bookshop / "schema.sql").read_text(), re.DOTALL))
    assert "REFERENCES `customers`" not in tables["reviews"]
    assert [name for name, body in tables.items() if "PRIMARY KEY" not in body] == ["order_events"]


def test_logs_are_small_and_their_gzip_headers_hold_no_time_or_name(bookshop: Path) -> None:
    for name in (*LOGS, "data.sql.gz"):
        head = (bookshop / name).read_bytes()[:10]
        assert head[3] == 0, f"{name}: optional header fields"
        assert head[4:8] == b"\0\0\0\0", f"{name}: a time"
    assert sum((bookshop / name).stat().st_size for name in LOGS) < 1_500_000
    assert (bookshop / "data.sql.gz").stat().st_size < 400 * 1024


def test_log_headers_name_no_path(bookshop: Path) -> None:
    for name in LOGS:
        program, connection, *_ = unpack(bookshop / name).splitlines()
        assert program.startswith("mariadbd, Version: ")
        assert "/" not in connection


def test_workload_has_many_templates_and_the_promised_shapes(statements: list[str]) -> None:
    templates = {" ".join(ROWS.sub("(?)", LITERAL.sub("?", sql)).split()) for sql in statements}
    assert 6_000 < len(statements) < 15_000
    assert len(templates) >= 60
    text = "\n".join(templates)
    for shape in ("FOR UPDATE", "ON DUPLICATE KEY UPDATE", "INSERT IGNORE", "REPLACE INTO", "DELETE FROM", "EXISTS (",
                  "NOT EXISTS (", "LEFT JOIN", "IS NULL", "LIKE ?", "MATCH(title) AGAINST", " IN (?)", " OR ",
                  "GROUP BY", "BETWEEN", "ROLLBACK", "COMMIT", "PREPARE", "OFFSET"):  # fmt: skip
        assert shape in text, shape


def test_a_few_books_are_far_more_popular_than_the_rest(statements: list[str]) -> None:
    asked = [found[1] for sql in statements if (found := re.match(r"SELECT AVG.* book_id = (\d+)", sql))]
    favourite = max(set(asked), key=asked.count)
    assert 0.05 < asked.count(favourite) / len(asked) < 0.3


def test_literals_hold_what_log_readers_stumble_over(bookshop: Path) -> None:
    for name in LOGS:
        log = unpack(bookshop / name)
        assert "\n# User@Host: nobody[nobody] @ nowhere []\n" in log
        assert "5★ 📚" in log
        assert "it''s" in log.lower()


def test_both_logs_cover_the_same_statements(bookshop: Path) -> None:
    counts = [unpack(bookshop / name).count("SELECT AVG(rating) FROM reviews WHERE book_id = ") for name in LOGS]
    assert counts[0] == counts[1] > 0
