"""The bookshop and the recorded applications, from their rows in a real server to tables that are the same."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ddbmig.engine.contract import contract_of
from ddbmig.model.design import Design
from ddbmig.model.snapshot import Snapshot
from ddbmig.reporters.contract_file import contract_bytes
from ddbmig.validators.engines import Engine
from servers import Server
from small_shop import ddbmig_process

pytestmark = [pytest.mark.slow, pytest.mark.server, pytest.mark.engine]
INPUTS = {"--schema": "schema.sql", "--general-log": "general.log.gz", "--slow-log": "slow.log.gz",
          "--data": "data.sql.gz"}  # fmt: skip
APPLICATIONS = [
    ("bookshop", "mariadb"),
    pytest.param("oscar_mysql97", "mariadb", marks=pytest.mark.corpus),
    pytest.param("tpcc_mysql97", "mariadb", marks=pytest.mark.corpus),
    pytest.param("wordpress_mysql57", "mysql57", marks=pytest.mark.corpus),
]
MOST_SECONDS = 600


def fill(server: Server, folder: Path, database: str) -> None:
    """The tables and rows of mysqldump into a database of their own; other programs made none of the changes."""
    client = shutil.which("mariadb") or shutil.which("mysql")
    if not client:
        pytest.skip("the client program of MariaDB is not installed")
    text = (folder / "schema.sql").read_bytes() + gzip.decompress((folder / "data.sql.gz").read_bytes())
    text = re.sub(rb"(?m)^(USE |CREATE DATABASE ).*;$", b"", text)
    text = text.replace(b"utf8mb4_0900_ai_ci", b"utf8mb4_unicode_ci")  # neither server knows MySQL 8's collation
    text = re.sub(rb" GENERATED ALWAYS AS \(.*\) \w+", b"", text)  # 5.7 takes no value for such a column
    server.run([f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database} CHARACTER SET utf8mb4"])
    command = [client, "--no-defaults", "-h", server.host, "-P", str(server.port), "-u", server.user, "--skip-ssl"]
    subprocess.run([*command, "--default-character-set=utf8mb4", database], input=text, check=True)


@pytest.mark.parametrize(("application", "kind"), APPLICATIONS)
def test_all_rows_are_loaded_and_no_difference_is_found(
    request: pytest.FixtureRequest, repository: Path, dynamodb_local: Engine, tmp_path: Path, application: str,
    kind: str,
) -> None:  # fmt: skip
    server: Server = request.getfixturevalue(kind)
    folder = repository / "examples" / application
    if application != "bookshop":
        corpus: Path = request.getfixturevalue("corpus")
        folder = corpus / "workloads" / application
    words = [word for option, name in INPUTS.items() for word in (option, str(folder / name))]
    analysed = ddbmig_process("analyze", *words, "--approve", "2", "--out", tmp_path, seconds=MOST_SECONDS)
    assert analysed.code == 3, analysed.err  # waits for the approval of the design, which nothing here needs
    snapshot = Snapshot.from_file(tmp_path / "snapshot.json")
    design = Design.from_file(tmp_path / "design.json")
    claimed = {pattern.id: pattern.name for pattern in snapshot.patterns}
    contract = contract_of(design.alternative(design.chosen), claimed)
    (tmp_path / "contract.json").write_bytes(contract_bytes(contract))
    fill(server, folder, application)
    state, url = tmp_path / "state", str(dynamodb_local.client.meta.endpoint_url)
    ends: list[str | Path] = [tmp_path / "contract.json", "--snapshot", tmp_path / "snapshot.json", "--state", state]
    ends += ["--mysql", f"{server.url}{application}", "--to", url, "--prefix", f"{application}_"]
    loaded = ddbmig_process("load", *ends, seconds=MOST_SECONDS)
    assert (loaded.code, loaded.err) == (0, "")
    assert (state / "rejects.jsonl").read_bytes() == b""
    verified = ddbmig_process("verify", *ends, seconds=MOST_SECONDS)
    assert (verified.code, verified.err) == (0, "")
    tables = sum(entry.type == "Table" for entry in contract.root)
    assert re.search(rf"^{tables:,} tables, [\d,]{{4,}} items: none of the tables differ$", verified.out, re.MULTILINE)
    server.run([f"DROP DATABASE {application}"])
