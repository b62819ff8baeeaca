"""Record the bookshop: a private MariaDB server, its data before, and both logs of the same minute of traffic.

    python examples/bookshop/record.py --server mariadbd --out examples/bookshop

Needs PyMySQL and MariaDB's server and client programs (Debian: `apt-get install mariadb-server`). The server listens on
a socket in a temporary folder only, runs in UTC and is gone afterwards. It is started by its bare name inside its own
folder, so that the header lines of its logs name no path of this machine.

Writes `data.sql.gz` (a dump taken before the traffic), `slow.log.gz` and `general.log.gz`. The rows, and the pages that
each thread asks for, are the same on every run; times and the order between threads are not.
"""

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from shop_data import Dice, Rows, generate
from shop_traffic import BACK_OFFICE, SHOP, Connection, Page, Visit, run

HERE = Path(__file__).resolve().parent
SEED = 20261122
DATABASE = "bookshop"
START_SECONDS = 60
PAGES_PER_CONNECTION = 60
THREADS: tuple[tuple[str, Sequence[tuple[Page, int]], int], ...] = (
    *((("shop", SHOP, 700),) * 4),
    ("backoffice", BACK_OFFICE, 80),
)
"""User, pages with their shares, and how many pages: four threads of the shop and one behind it."""


def program(name: str) -> str:
    """The path of a program; Debian keeps servers in /usr/sbin, which is not on everybody's PATH."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if found is None:
        sys.exit(f"record.py: {name} not found; on Debian: apt-get install mariadb-server")
    return found


def start(command: Sequence[str], folder: Path, output: Path) -> "subprocess.Popen[bytes]":
    """Start a program under its bare name in `folder`, in UTC, its output kept in `output`."""
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    with output.open("wb") as stream:
        return subprocess.Popen(
            command, executable=program(command[0]), cwd=folder, env=environment, stdout=stream, stderr=stream
        )


def finish(command: Sequence[str], folder: Path, output: Path) -> None:
    """Run a program to its end; stop with its own words when it fails."""
    if start(command, folder, output).wait() != 0:
        sys.exit(f"record.py: {command[0]} failed:\n{output.read_text(errors='replace')[-2000:]}")


def connect(folder: Path, user: str, database: str | None = None) -> Connection:
    """A connection through the server's socket."""
    socket = str(folder / "data" / "mariadb.sock")
    return Connection(unix_socket=socket, user=user, database=database, charset="utf8mb4", autocommit=True)


@contextmanager
def server(name: str, folder: Path) -> Iterator[None]:
    """A running server with an empty data directory in `folder`, writing both logs there once they are switched on."""
    common = ["--no-defaults", f"--datadir={folder / 'data'}", "--user=root"]
    install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    finish(install, folder, folder / "install.txt")
    options = [*common, "--skip-networking", "--socket=mariadb.sock"]
    options += ["--pid-file=mariadb.pid", "--default-time-zone=+00:00", "--character-set-server=utf8mb4"]
    options += ["--slow-query-log-file=slow.log", "--general-log-file=general.log", "--log-slow-filter="]
    process = start([name, *options], folder, folder / "server.txt")
    try:
        wait_for_server(folder, process)
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for_server(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    """Return when the server answers; stop with its own words when it ends or stays silent."""
    for _ in range(START_SECONDS * 10):
        if process.poll() is not None:
            break
        if (folder / "data" / "mariadb.sock").exists():
            connect(folder, "root").close()
            return
        time.sleep(0.1)
    sys.exit(f"record.py: the server did not start:\n{(folder / 'server.txt').read_text(errors='replace')[-2000:]}")


def fill(folder: Path, tables: Sequence[Rows]) -> None:
    """Create the schema, its users, and the rows."""
    with connect(folder, "root") as admin, admin.cursor() as cursor:
        cursor.execute("CREATE DATABASE bookshop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        for user in sorted({user for user, _, _ in THREADS}):
            cursor.execute("CREATE USER %s@localhost", (user,))
            cursor.execute("GRANT ALL ON bookshop.* TO %s@localhost", (user,))
    source = f"source {HERE / 'schema.sql'}"
    finish(["mariadb", *client_options(), f"--execute={source}", DATABASE], folder, folder / "schema.txt")
    with connect(folder, "root", DATABASE) as admin, admin.cursor() as cursor:
        for table in tables:
            marks, columns = ", ".join(["%s"] * len(table.columns)), ", ".join(table.columns)
            cursor.executemany(" ".join(("INSERT INTO", table.table, f"({columns}) VALUES ({marks})")), table.rows)


def client_options() -> list[str]:
    """What every client program needs to find the server; relative to its folder."""
    return ["--no-defaults", "--socket=data/mariadb.sock", "--user=root"]


def dump(folder: Path) -> bytes:
    """The rows of every table as mariadb-dump writes them."""
    options = ["--no-create-info", "--skip-dump-date", "--skip-triggers", "--single-transaction", "--complete-insert"]
    finish(
        ["mariadb-dump", *client_options(), *options, "--result-file=data.sql", DATABASE], folder, folder / "dump.txt"
    )
    return (folder / "data.sql").read_bytes()


@contextmanager
def logging(folder: Path) -> Iterator[None]:
    """Both logs on for everybody but the connection that switches them; every statement counts as slow."""
    with connect(folder, "root") as admin, admin.cursor() as cursor:
        cursor.execute("SET SESSION sql_log_off = 1, SESSION slow_query_log = 0")
        cursor.execute("SET GLOBAL long_query_time = 0, GLOBAL slow_query_log = 1, GLOBAL general_log = 1")
        yield
        cursor.execute("SET GLOBAL slow_query_log = 0, GLOBAL general_log = 0")


def visit_shop(folder: Path, number: int, pause: float) -> None:
    """One thread: its pages in its own order, each by a customer of its own, with a pause after each."""
    user, pages, count = THREADS[number]
    dice = Dice(SEED + 1 + number)
    functions, shares = zip(*pages, strict=True)
    plan = dice.choices(functions, weights=shares, k=count)
    scale = THREADS[0][2] / count
    for first in range(0, count, PAGES_PER_CONNECTION):
        with connect(folder, user, DATABASE) as connection:
            for page in plan[first : first + PAGES_PER_CONNECTION]:
                run(page, Visit(connection, dice))
                time.sleep(dice.expovariate(1) * pause * scale)


def record(folder: Path, seconds: float) -> None:
    """All threads at once, for about `seconds`; an error of one of them ends the recording."""
    errors: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            visit_shop(folder, number, seconds / THREADS[0][2])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(len(THREADS))]
    with logging(folder):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def write(out: Path, files: Mapping[str, bytes]) -> None:
    """Write the files compressed, with no time in their headers."""
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        packed = gzip.compress(content, 9, mtime=0)
        (out / f"{name}.gz").write_bytes(packed)
        sys.stdout.write(f"{name}.gz: {len(packed):,} bytes ({len(content):,} unpacked)\n")


def main() -> None:
    """Parse the options and record."""
    parser = argparse.ArgumentParser(description="Record the bookshop example on a private MariaDB server.")
    parser.add_argument("--server", default="mariadbd", help="name of the server program (default: mariadbd)")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: beside this script)")
    parser.add_argument("--seconds", type=float, default=85, help="about how long to record (default: 85)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bookshop-") as name:
        folder = Path(name)
        with server(options.server, folder):
            fill(folder, generate(Dice(SEED)))
            data = dump(folder)
            record(folder, options.seconds)
        logs = {log: (folder / "data" / log).read_bytes() for log in ("slow.log", "general.log")}
    write(options.out, {"data.sql": data, **logs})


if __name__ == "__main__":
    main()
