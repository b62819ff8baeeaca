"""Small logs written by hand in a short notation, for the tests of this room."""

from pathlib import Path

from ddbmig.analyzers.general_log import read_general_log
from ddbmig.analyzers.slow_log import read_slow_log
from ddbmig.model.digest import Digest

KEY = b"a key for tests"
SERVER = "/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:\n"
HEADER = SERVER + "Tcp port: 3306  Unix socket: /tmp/m.sock\nTime                 Id Command    Argument\n"


def clock(seconds: float) -> str:
    """An ISO time `seconds` after ten o'clock."""
    whole, micro = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"2026-11-22T{10 + whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{micro:06}Z"


def slow(seconds: float, connection: int, sql: str, *, rows: int = 1, took: str = "0.000100", use: str = "") -> str:
    """One event of a slow log."""
    use = f"use {use};\n" if use else ""
    return (
        f"# Time: {clock(seconds)}\n# User@Host: app[app] @ localhost []  Id: {connection:5}\n"
        f"# Query_time: {took}  Lock_time: 0.000001 Rows_sent: {rows}  Rows_examined: {rows}\n"
        f"{use}SET timestamp=1795341600;\n{sql};\n"
    )


def general(seconds: float, connection: int, command: str, argument: str = "") -> str:
    """One event of a general log."""
    return f"{clock(seconds)}\t{connection:5} {command}\t{argument}\n"


def read_slow(folder: Path, text: str | bytes, name: str = "slow.log") -> Digest:
    """The digest of a slow log given as text or bytes."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_slow_log(path, key=KEY)


def read_general(folder: Path, text: str | bytes, name: str = "general.log") -> Digest:
    """The digest of a general log given as text or bytes."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_general_log(path, key=KEY)


def by_sql(digest: Digest) -> dict[tuple[str, str], int]:
    """(schema, template) -> calls."""
    return {(template.schema_name, template.sql): template.calls for template in digest.templates}


def balanced(digest: Digest) -> bool:
    """Whether every statement is in a template or in `skipped`."""
    source = digest.sources[0]
    return source.statements == sum(t.calls for t in digest.templates) + sum(source.skipped.values())
