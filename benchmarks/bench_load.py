"""How fast rows of MariaDB become DynamoDB-JSON parts, beside mysqldump of the same table in the same run.

    make bench-load              5 million rows
    ROWS=200000 make bench-load

The table is made up by the server; two attributes are copied from another table of 50,000 rows. CPU seconds are those
of a command and its children, without the server's, which are told apart; memory is the sum over the command's
processes (proportional set size), looked at four times a second.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddbmig.analyzers.snapshot import Sources, build_snapshot
from ddbmig.model.context import ProjectConfig
from servers import Server, started_mariadb

ROWS = int(os.environ.get("ROWS", "5000000"))
CUSTOMERS = 50_000
DATABASE = "shop"
SCHEMA = """\
CREATE TABLE `customers` (
  `id` int NOT NULL, `name` varchar(60) NOT NULL, `city` varchar(60) DEFAULT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `orders` (
  `id` bigint NOT NULL, `customer_id` int NOT NULL, `placed` datetime NOT NULL, `state` varchar(20) NOT NULL,
  `amount` decimal(10,2) NOT NULL, `pieces` smallint NOT NULL, `note` varchar(200) DEFAULT NULL, PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
"""
FILL = (
    f"INSERT INTO customers SELECT seq, CONCAT('Customer ', seq), CONCAT('City ', seq % 997) FROM seq_1_to_{CUSTOMERS}",  # noqa: S608  # numbers of ours
    "INSERT INTO orders SELECT seq, seq * 7919 % {customers} + 1, '2026-01-01' + INTERVAL seq SECOND,"
    " ELT(seq % 3 + 1, 'new', 'paid', 'sent'), seq % 100000 / 100, seq % 9 + 1,"
    " IF(seq % 4 = 0, NULL, CONCAT('Leave it at door number ', seq)) FROM seq_{first}_to_{last}",
)
_READ = "from ddbmig.cli import main; main()"


def _attribute(table: str, column: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "source_table": table, "source_column": column, **more}


def contract() -> list[dict[str, Any]]:
    """One table of orders, with name and city of the customer."""
    kinds = {"id": "N", "customer_id": "N", "placed": "S", "state": "S", "amount": "N", "pieces": "N", "note": "S"}
    attributes = {name: _attribute("orders", name, kind) for name, kind in kinds.items()}
    attributes["placed"]["encoding"] = "iso8601_datetime"
    for name in ("name", "city"):
        join = {"local_column": "customer_id", "source_column": "id"}
        attributes[f"customer_{name}"] = _attribute(
            "customers", name, "S", denormalized=True, justification="shown with every order", join=join
        )
    return [{"table": "orders", "type": "Table", "source_table": "orders", "pk": "id", "sk": None,
             "attributes": attributes, "satisfies": [], "estimated_item_size_bytes": 200}]  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What a command took: seconds of the clock, of its processors and of the server's, and its most memory in MiB."""

    wall: float
    cpu: float
    server: float
    mib: float


def measure(command: list[str], server: int, output: Path | None = None) -> Measured:
    """Run a command beside a server process. Raises CalledProcessError where it fails."""
    before, children, begin, most = _cpu_of(server), os.times(), time.monotonic(), 0
    with (output or Path(os.devnull)).open("wb") as out:
        process = subprocess.Popen(command, stdout=out)
        while process.poll() is None:
            most = max(most, sum(map(_proportional, _family(process.pid))))
            time.sleep(0.25)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    now = os.times()
    cpu = now.children_user + now.children_system - children.children_user - children.children_system
    return Measured(time.monotonic() - begin, cpu, _cpu_of(server) - before, most / 1024)


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(child))]


def _proportional(pid: int) -> int:
    """KiB of a process, shared pages divided among those that share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fill(server: Server) -> int:
    """Make tables and rows; returns the number of the server's process."""
    server.run([f"CREATE DATABASE {DATABASE}"])
    server.run(["SET unique_checks = 0", *(part for part in SCHEMA.split(";\n") if part), FILL[0]], DATABASE)
    step = 250_000
    for first in range(1, ROWS + 1, step):
        server.run([FILL[1].format(customers=CUSTOMERS, first=first, last=min(first + step - 1, ROWS))], DATABASE)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@pid_file")
        (name,) = cursor.fetchone() or ("",)
    return int(Path(str(name)).read_text())


def main() -> None:
    """Print one row per command."""
    dump = shutil.which("mariadb-dump") or shutil.which("mysqldump")
    if dump is None:
        sys.exit("mysqldump is missing: apt-get install mariadb-client")
    with tempfile.TemporaryDirectory() as name, started_mariadb() as server:
        folder, pid = Path(name), _fill(server)
        (folder / "schema.sql").write_text(SCHEMA)
        schema = Sources(schema_files=[(folder / "schema.sql", "schema.sql")])
        (folder / "snapshot.json").write_bytes(build_snapshot(schema, ProjectConfig()).to_bytes())
        (folder / "contract.json").write_text(json.dumps(contract()))
        ours = [sys.executable, "-c", _READ, "load", str(folder / "contract.json"), "--snapshot",
                str(folder / "snapshot.json"), "--mysql", f"mysql://root@127.0.0.1:{server.port}/{DATABASE}",
                "--export", str(folder / "parts"), "--state"]  # fmt: skip
        login = ["--no-defaults", "-h", server.host, "-P", str(server.port), "-u", server.user, "--skip-ssl"]
        commands = {
            "mysqldump": [dump, *login, "--single-transaction", "--quick", DATABASE, "orders"],
            "ddbmig load": [*ours, str(folder / "state")],
        }
        load = ", ".join(f"{figure:.1f}" for figure in os.getloadavg())
        print(f"{ROWS:,} rows, {os.cpu_count()} cores, load average before: {load}")
        print("| command | rows/s | wall s | CPU s | server's CPU s | peak MiB |")
        print("|---|---:|---:|---:|---:|---:|")
        for who, command in commands.items():
            found = measure(command, pid)
            print(f"| {who} | {ROWS / found.wall:,.0f} | {found.wall:.1f} | {found.cpu:.1f} | {found.server:.1f} |"
                  f" {found.mib:.0f} |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
