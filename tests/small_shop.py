"""A small application for tests of the whole product: a project folder with schema, data and both logs.

`write_shop` makes the folder; `ddbmig` runs a command in this process, `ddbmig_process` in one of its own.
"""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from ddbmig import cli

SCHEMA = """\
CREATE TABLE `authors` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `name` varchar(60) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
CREATE TABLE `books` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `author_id` int unsigned NOT NULL,
  `isbn` char(13) NOT NULL,
  `title` varchar(120) NOT NULL,
  `price` decimal(8,2) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `isbn` (`isbn`),
  KEY `author` (`author_id`),
  CONSTRAINT `of_author` FOREIGN KEY (`author_id`) REFERENCES `authors` (`id`)
) ENGINE=InnoDB;
CREATE TABLE `orders` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `customer` varchar(40) NOT NULL,
  `placed` datetime NOT NULL,
  PRIMARY KEY (`id`),
  KEY `by_customer` (`customer`,`placed`)
) ENGINE=InnoDB;
CREATE TABLE `order_lines` (
  `order_id` bigint NOT NULL,
  `nr` smallint NOT NULL,
  `book_id` int unsigned NOT NULL,
  `quantity` int NOT NULL,
  PRIMARY KEY (`order_id`,`nr`),
  CONSTRAINT `in_order` FOREIGN KEY (`order_id`) REFERENCES `orders` (`id`)
) ENGINE=InnoDB;
"""

CONFIG = """\
inputs:
  schema_files: [schema.sql]
  data: [data.sql]
  general_logs: [general.log]
  slow_logs: [slow.log]
context:
  lifecycle: growing
"""

BOOKS = 12
LOG_HEAD = """\
/usr/sbin/mysqld, Version: 8.4.2 (MySQL Community Server - GPL). started with:
Tcp port: 3306  Unix socket: /run/mysqld/mysqld.sock
Time                 Id Command    Argument
"""


def data_sql() -> str:
    """The rows as mysqldump writes them."""
    authors = ",".join(f"({n},'Author {n}')" for n in range(1, 5))
    books = ",".join(f"({n},{n % 4 + 1},'97800000{n:05}','Title {n}',{n}.50)" for n in range(1, BOOKS + 1))
    orders = ",".join(f"({n},'customer {n % 3}','2026-01-{n:02} 10:00:00')" for n in range(1, 10))
    lines = ",".join(f"({n},{k},{(n + k) % BOOKS + 1},{k})" for n in range(1, 10) for k in (1, 2))
    rows = {"authors": authors, "books": books, "orders": orders, "order_lines": lines}
    return "".join(f"INSERT INTO `{table}` VALUES {values};\n" for table, values in rows.items())


def statements() -> list[str]:
    """What the application asks, in its order."""
    found = ["SET NAMES utf8mb4"]
    for n in range(1, 10):
        found += [
            f"SELECT id, title, price FROM books WHERE id = {n}",
            f"SELECT id, author_id FROM books WHERE isbn = '97800000{n:05}'",
            f"SELECT b.title, a.name FROM books b JOIN authors a ON a.id = b.author_id WHERE b.id = {n}",
            f"SELECT id, placed FROM orders WHERE customer = 'customer {n % 3}' ORDER BY placed DESC LIMIT 5",
            f"SELECT nr, book_id, quantity FROM order_lines WHERE order_id = {n}",
            f"UPDATE books SET price = {n}.75 WHERE id = {n}",
            "BEGIN",
            f"INSERT INTO orders (id, customer, placed) VALUES ({100 + n}, 'customer 1', '2026-02-{n:02} 12:00:00')",
            f"INSERT INTO order_lines (order_id, nr, book_id, quantity) VALUES ({100 + n}, 1, {n}, 2)",
            "COMMIT",
        ]
    return found


def general_log(queries: list[str]) -> str:
    """A general log of MySQL 8 with one statement every second."""
    lines = [f"{_at(0)}\t    7 Connect\tshop@localhost on shop using Socket\n"]
    lines += [f"{_at(n)}\t    7 Query\t{sql}\n" for n, sql in enumerate(queries, 1)]
    return LOG_HEAD + "".join(lines)


def slow_log(queries: list[str]) -> str:
    """A slow log of MySQL 8 with long_query_time 0."""
    return LOG_HEAD + "".join(
        f"# Time: {_at(n)}\n# User@Host: shop[shop] @ localhost []  Id:     7\n"
        f"# Query_time: 0.000{n % 9 + 1}00  Lock_time: 0.000002 Rows_sent: 1  Rows_examined: 1\n"
        f"SET timestamp={1767225600 + n};\n{sql};\n"
        for n, sql in enumerate(queries, 1)
    )


def _at(second: int) -> str:
    return f"2026-01-01T00:{second // 60:02}:{second % 60:02}.000000Z"


def write_shop(folder: Path) -> Path:
    """Write the project's files into `folder`; gives it back."""
    folder.mkdir(parents=True, exist_ok=True)
    queries = statements()
    files = {"schema.sql": SCHEMA, "data.sql": data_sql(), "general.log": general_log(queries),
             "slow.log": slow_log(queries), "ddbmig.yaml": CONFIG, ".ddbmig-key": "a key of tests\n"}  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def ddbmig(*words: str | Path) -> Done:
    """Run a command in this process, its standard input not a terminal."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["ddbmig", *map(str, words)]
    with (patch.object(sys, "argv", argv), patch.object(sys, "stdin", io.StringIO()), redirect_stdout(out),
          redirect_stderr(err)):  # fmt: skip
        try:
            cli.main()
        except SystemExit as end:
            return Done(int(end.code or 0), out.getvalue(), err.getvalue())
    raise AssertionError("a command ends by sys.exit")


def command_line(*words: str | Path) -> list[str]:
    """The words that start a command as a process of its own."""
    return [sys.executable, "-c", "from ddbmig.cli import main; main()", *map(str, words)]


def ddbmig_process(
    *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None, seconds: float | None = None
) -> Done:
    """Run a command in a process of its own, with `env` added to the environment, for so many seconds at most."""
    done = subprocess.run(
        command_line(*words), cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=seconds, check=False
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
