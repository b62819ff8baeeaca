"""A running server as the sources of a snapshot: its DDL kept as a file, its rows, and its statements where no log is
given."""

from collections.abc import Mapping
from pathlib import Path

from ddbmig.analyzers.live import LiveCollection
from ddbmig.analyzers.live_digest import digest_of_statements
from ddbmig.analyzers.live_logs import digest_of_tables
from ddbmig.analyzers.live_statistics import LiveStatistics
from ddbmig.analyzers.snapshot import Sources
from ddbmig.model.digest import Digest

DDL_FILE = "schema.live.sql"


def live_sources(
    live: LiveCollection, numbers: LiveStatistics, out: Path, given: Mapping[str, tuple[Path, ...]], hash_key: bytes
) -> Sources:
    """What the server gives; its DDL is written to `out`, replacing that of an earlier run.

    `given` are files by role as in `Inputs`; logs among them are used instead of the server's own. The connection
    stays open for the rows. Raises UsageError where the server cannot be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    scratch, path = out / f".{DDL_FILE}", out / DDL_FILE
    scratch.write_text(live.ddl(), encoding="utf-8", errors="replace")
    scratch.replace(path)
    logs = {role: [(file, file.name) for file in given.get(role, ())] for role in ("slow_logs", "general_logs")}
    return Sources(
        schema_files=[(path, path.name)],
        slow_logs=logs["slow_logs"],
        general_logs=logs["general_logs"],
        connection=live.connection,
        rows=live.rows,
        measure=numbers.measure,
        told=lambda: live.connection,
        digest=None if any(logs.values()) else server_digest(live, hash_key),
        hash_key=hash_key,
    )


def server_digest(live: LiveCollection, hash_key: bytes) -> Digest | None:
    """The statements that the server itself kept: those of its log tables, which know their order, else the counts of
    performance_schema. None where it may tell neither."""
    logged = digest_of_tables(live, hash_key)
    if logged is not None:
        return logged
    if live.settings.get("performance_schema") != "ON":
        live.gaps.append("statements, by performance_schema: it is switched off")
        return None
    with live.tolerating("statements, by performance_schema"):
        return digest_of_statements(live.statement_digests(), live.statements_lost(), live.version)
    return None
