"""A running server as the sources of a snapshot: its DDL kept as a file, its rows, and its statements where no log is
given."""

from collections.abc import Mapping
from pathlib import Path

from ddbmig.analyzers.live import collect
from ddbmig.analyzers.live_digest import digest_of_statements
from ddbmig.analyzers.snapshot import Sources

DDL_FILE = "schema.live.sql"


def live_sources(
    url: str, out: Path, given: Mapping[str, tuple[Path, ...]], hash_key: bytes, password: str | None = None
) -> Sources:
    """Collect from the server at `url`; its DDL is written to `out`, replacing that of an earlier run.

    `given` are files by role as in `Inputs`; logs among them are used instead of the server's own counts. The
    connection stays open for the rows. Raises UsageError where the server cannot be read.
    """
    live = collect(url, password)
    out.mkdir(parents=True, exist_ok=True)
    scratch, path = out / f".{DDL_FILE}", out / DDL_FILE
    scratch.write_text(live.ddl(), encoding="utf-8", errors="replace")
    scratch.replace(path)
    logs = {role: [(file, file.name) for file in given.get(role, ())] for role in ("slow_logs", "general_logs")}
    digest = None
    if not any(logs.values()):
        lost = live.statements_lost()
        digest = digest_of_statements(live.statement_digests(), lost, live.connection.server_version)
    return Sources(
        schema_files=[(path, path.name)],
        slow_logs=logs["slow_logs"],
        general_logs=logs["general_logs"],
        connection=live.connection,
        rows=live.rows,
        digest=digest,
        hash_key=hash_key,
    )
