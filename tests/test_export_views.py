"""The views of a whole application on a real MariaDB: made, selected, and taken away again."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from servers import Server
from small_shop import ddbmig_process

STATEMENTS = 300
"""Lines of its general log: the views rest on the tables, which few statements reach as well as all."""
pytestmark = [pytest.mark.server, pytest.mark.slow]


def client(server: Server, database: str, *sql: bytes) -> subprocess.CompletedProcess[bytes]:
    command = ["mariadb", "--no-defaults", f"--socket={server.socket}", f"--user={server.user}", "--batch",
               "--skip-column-names", "--default-character-set=utf8mb4", database]  # fmt: skip
    return subprocess.run(command, input=b"\n".join(sql), capture_output=True, check=False)


@pytest.mark.corpus
def test_every_view_of_wordpress_has_the_rows_of_its_table(mariadb: Server, corpus: Path, tmp_path: Path) -> None:
    application, source = "wordpress", corpus / "workloads" / "wordpress_mysql57"
    log, out = tmp_path / "general.log", tmp_path / "out"
    lines = gzip.decompress((source / "general.log.gz").read_bytes()).splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:STATEMENTS]))
    shutil.copy(source / "schema.sql", tmp_path)
    words: list[str | Path] = [
        "--schema",
        tmp_path / "schema.sql",
        "--data",
        source / "data.sql.gz",
        "--general-log",
        log,
    ]
    done = ddbmig_process("analyze", *words, "--engine", "moto", "--approve", "all", "--out", out)
    assert done.code == 0, done.err
    made, dropped = (ddbmig_process("export", kind, "--out", out) for kind in ("views", "drop-views"))
    assert (made.code, dropped.code) == (0, 0)
    mariadb.run([f"CREATE DATABASE {application} CHARACTER SET utf8mb4"])
    try:
        schema = (source / "schema.sql").read_bytes()
        data = gzip.decompress((source / "data.sql.gz").read_bytes())
        assert client(mariadb, application, schema, data).stderr == b""
        assert client(mariadb, application, made.out.encode()).stderr == b""
        entries = [one for one in json.loads((out / "migrationContract.json").read_text()) if one["type"] == "Table"]
        total = 0
        for entry in entries:
            table = entry["source_table"].rpartition(".")[2]
            rows = client(
                mariadb, application, f"SELECT COUNT(*) FROM `{table}` WHERE {entry.get('filter') or 1}".encode()
            )
            shown = client(mariadb, application, f"SELECT * FROM `ddb_{entry['table']}`".encode())
            assert (rows.stderr, shown.stderr) == (b"", b"")
            assert len(shown.stdout.splitlines()) == int(rows.stdout), entry["table"]
            total += int(rows.stdout)
        assert total > 0
        assert client(mariadb, application, dropped.out.encode()).stderr == b""
        left = client(mariadb, application, b"SHOW FULL TABLES WHERE Table_type = 'VIEW'")
        assert left.stdout == b""
    finally:
        mariadb.run([f"DROP DATABASE {application}"])
