"""`ddbmig collect` from real servers: the folder says what the server says, and nothing is left of a failed one."""

import gzip
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ddbmig import collecting
from ddbmig.analyzers.ddl import read_ddl
from ddbmig.analyzers.dump import DumpReader
from ddbmig.analyzers.general_log import read_general_log
from ddbmig.analyzers.digest import OWN, OWN_MARK
from ddbmig.analyzers.live import Pace, connect
from ddbmig.analyzers.server_login import login
from ddbmig.analyzers.statistics import collect_statistics, declared_groups
from ddbmig.model.errors import UsageError
from ddbmig.model.snapshot import Snapshot
from servers import Server
from small_shop import Done, command_line, ddbmig

pytestmark = pytest.mark.server
BOTH = ["mariadb", "mysql57"]
DATABASE = "bookshop"
SECRET = "hunter2-of-the-reader"


@pytest.fixture(scope="module", params=BOTH)
def shop(request: pytest.FixtureRequest, repository: Path) -> Iterator[Server]:
    """A server that holds the bookshop, and a reader with a password."""
    server: Server = request.getfixturevalue(request.param)
    client = shutil.which("mariadb") or shutil.which("mysql")
    if not client:
        pytest.skip("the client program of MariaDB is not installed")
    folder = repository / "examples" / "bookshop"
    text = (folder / "schema.sql").read_bytes() + gzip.decompress((folder / "data.sql.gz").read_bytes())
    text = text.replace(b"utf8mb4_0900_ai_ci", b"utf8mb4_unicode_ci")  # neither server knows MySQL 8's collation
    text = re.sub(rb" GENERATED ALWAYS AS \(.*\) \w+", b"", text)  # 5.7 takes no value for such a column
    server.run([f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4"])
    command = [client, "--no-defaults", "-h", server.host, "-P", str(server.port), "-u", server.user, "--skip-ssl"]
    subprocess.run([*command, "--default-character-set=utf8mb4", DATABASE], input=text, check=True)
    hosts = ("localhost", "127.0.0.1")
    server.run([f"CREATE USER reader@'{host}' IDENTIFIED BY '{SECRET}'" for host in hosts])
    server.run([f"GRANT SELECT ON {DATABASE}.* TO reader@'{host}'" for host in hosts])
    yield server
    server.run([f"DROP DATABASE {DATABASE}", *(f"DROP USER reader@'{host}'" for host in hosts)])


def address(server: Server, user: str = "root", database: str = DATABASE) -> str:
    return f"mysql://{user}@{server.host}:{server.port}/{database}"


def collected(folder: Path) -> Snapshot:
    return Snapshot.from_file(folder / "collected.json")


def left_over(folder: Path) -> list[str]:
    """What stands in the folder above, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_says_what_the_dump_says(shop: Server, tmp_path: Path, repository: Path) -> None:
    done = ddbmig("collect", "--mysql", address(shop), "-o", str(tmp_path / "got"))
    assert done.code == 0, done.err
    got = collected(tmp_path / "got")
    examples = repository / "examples" / "bookshop"
    schema = read_ddl([(examples / "schema.sql", "schema.sql")])
    dumped = collect_statistics(
        DumpReader([(examples / "data.sql.gz", "data.sql.gz")], schema).rows(), schema, *declared_groups(schema)
    )
    assert {table.id.rpartition(".")[2] for table in got.tables.tables} == set(dumped)
    for name, expected in dumped.items():
        found = got.statistics[name]
        assert (found.rows.value, found.item_bytes.value) == (expected.rows.value, expected.item_bytes.value), name
        assert found.rows.origin == "live server, every row counted"
        assert (found.columns, found.growth, found.p99_item_bytes) == (
            expected.columns, expected.growth, expected.p99_item_bytes,
        )  # fmt: skip
        assert [found.group(group.columns) for group in expected.groups] == list(expected.groups)
    assert got.connection
    assert got.connection.server_version == shop.version
    assert got.connection.not_told == ()


def test_the_copied_rows_are_those_of_the_server(shop: Server, tmp_path: Path) -> None:
    folder = tmp_path / "got"
    assert ddbmig("collect", "--mysql", address(shop), "-o", str(folder), "--rows", "7").code == 0
    assert (folder / "rows.sql.gz").stat().st_mode & 0o077 == 0
    schema = read_ddl([(folder / "schema.sql", "schema.sql")])
    reader = DumpReader([(folder / "rows.sql.gz", "rows.sql.gz")], schema)
    copied = list(reader.rows())
    assert reader.problems == ()
    with connect(login(address(shop), password="")) as live:
        for table in schema.tables:
            own = [row for name, row in copied if name == table.id]
            assert own == list(live.table_rows(table))[:7]
    assert {"rows.sql.gz", ".ddbmig-key"} <= set((folder / ".gitignore").read_text().split())
    assert ddbmig("collect", "--mysql", address(shop), "-o", str(tmp_path / "none"), "--rows", "0").code == 0
    assert not (tmp_path / "none" / "rows.sql.gz").exists()


def test_analyze_needs_no_server_then(shop: Server, tmp_path: Path) -> None:
    folder = tmp_path / "got"
    assert ddbmig("collect", "--mysql", address(shop), "-o", str(folder)).code == 0
    (tmp_path / "logs").mkdir()
    done = ddbmig("analyze", str(folder), "--approve", "1")
    assert done.code == 3, done.err
    report = (folder / "migration" / "Stage1_MySQLAnalysis.md").read_text()
    assert f"Connected to MySQL `{shop.version}`" in report
    assert "38,301 rows" in report
    assert ddbmig("status", "--project", str(folder)).code == 0


# --- passwords ---


def options_file(folder: Path, server: Server, password: str = SECRET) -> Path:
    path = folder / "my.cnf"
    path.write_text(
        f'[mysqld]\nskip-ssl\n!includedir /nowhere\n[client]\nuser = reader\npassword="{password}"\n'
        f"host={server.host}\nport={server.port}\n"
    )
    return path


def test_ways_to_give_the_password(shop: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = options_file(tmp_path, shop)
    by_file = ddbmig(
        "collect", "--mysql", f"mysql:///{DATABASE}", "--defaults-file", str(file), "-o", str(tmp_path / "1")
    )
    monkeypatch.setenv("MYSQL_PWD", SECRET)
    by_variable = ddbmig("collect", "--mysql", address(shop, "reader"), "-o", str(tmp_path / "2"))
    monkeypatch.setenv("MYSQL_PWD", "another")
    words = command_line("collect", "--mysql", address(shop, "reader"), "--password-stdin", "-o", tmp_path / "3")
    third = subprocess.run(words, input=SECRET + "\n", capture_output=True, text=True, check=False)
    by_stdin = Done(third.returncode, third.stdout, third.stderr)
    for number, done in enumerate((by_file, by_variable, by_stdin), 1):
        assert done.code == 0, done.err
        assert not_told(done, tmp_path / str(number))


def not_told(done: Done, folder: Path) -> bool:
    """Whether the password is in no output and in no file."""
    texts = [done.out.encode(), done.err.encode()]
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            texts.append(gzip.decompress(data) if path.suffix == ".gz" else data)
    return not any(SECRET.encode() in text for text in texts)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((f"mysql://reader:{SECRET}@127.0.0.1/bookshop",), "a password in the URL is refused"),
        (("mysql:///bookshop",), "not the URL of a server"),
        (("mysql://r@127.0.0.1/b", "--defaults-file", "broken.cnf"), "is no option file of MySQL"),
        (("mysql://r@127.0.0.1/b", "--defaults-file", "missing.cnf"), "cannot be read"),
        (("mysql://r@127.0.0.1/b", "--defaults-file", "empty.cnf"), r"has no [client] section"),
        (("mysql://r@127.0.0.1/b", "--no-tls", "--tls-ca", "ca.pem"), "contradict each other"),
        (("mysql://r@127.0.0.1/b", "--tls-ca", "broken.cnf"), "no certificates can be read"),
    ],
)
def test_mistakes_are_told_without_the_password(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.cnf").write_text(f"password={SECRET}\n")
    Path("empty.cnf").write_text("[mysqld]\n")
    done = ddbmig("collect", "--mysql", words[0], "-o", "got", *words[1:])
    assert done.code == 2
    assert said in done.err
    assert SECRET not in done.err + done.out
    assert not Path("got").exists()


def test_a_refused_password_names_the_ways_to_give_one(shop: Server, tmp_path: Path) -> None:
    file = options_file(tmp_path, shop, "wrong-" + SECRET)
    done = ddbmig(
        "collect", "--mysql", f"mysql:///{DATABASE}", "--defaults-file", str(file), "-o", str(tmp_path / "got")
    )
    assert done.code == 2
    assert "the user or the password is refused" in done.err
    assert "--password-stdin" in done.err
    assert SECRET not in done.err
    assert left_over(tmp_path) == ["my.cnf"]


# --- TLS ---


def test_a_server_without_tls_is_refused_unless_said(mariadb: Server, tmp_path: Path) -> None:
    required = f"mysql://root@{mariadb.host}:{mariadb.port}/mysql?tls=required"
    done = ddbmig("collect", "--mysql", required, "-o", str(tmp_path / "got"))
    assert done.code == 2
    assert "no TLS connection is possible" in done.err
    assert "--no-tls" in done.err
    assert left_over(tmp_path) == []
    with connect(login(required, password="", no_tls=True)) as live:
        assert live.version == mariadb.version


def test_tls_is_used_where_the_server_has_it(mysql57: Server) -> None:
    with connect(login(f"{mysql57.url}?tls=required", password="")) as live:
        ((_, cipher),) = live.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    assert cipher
    with connect(login(mysql57.url, password="", no_tls=True)) as live:
        assert live.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1] == ""


def test_a_socket_of_this_machine(shop: Server) -> None:
    with connect(login(f"mysql://root@localhost/{DATABASE}?socket={shop.socket}", password="")) as live:
        assert live.version == shop.version


# --- gentle ---


def test_the_session_is_read_only_and_limited(shop: Server) -> None:
    with connect(login(address(shop), password=""), Pace(seconds=1)) as live:
        read_only = "tx_read_only" if "MariaDB" in live.version else "transaction_read_only"
        assert live.query(f"SELECT @@session.{read_only}, @@session.lock_wait_timeout")[0] == (1, 5)
        with live.tolerating("a long question"):
            live.query(
                f"SELECT COUNT(*) FROM {DATABASE}.books a, {DATABASE}.books b, {DATABASE}.books c, {DATABASE}.books d"
            )
        assert live.gaps == ["a long question: took longer than the time limit"]
        with pytest.raises(UsageError, match="cannot be read"):
            live.query(f"CREATE TABLE {DATABASE}.made (a int)")


def test_a_busy_server_is_waited_for_and_then_given_up(
    shop: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeper = shop.connect()
    thread = threading.Thread(target=lambda: sleeper.cursor().execute("SELECT SLEEP(4)"))
    thread.start()
    told: list[str] = []
    try:
        time.sleep(0.5)
        with connect(login(address(shop), password=""), Pace(max_load=1, patience=1), told.append) as live:
            with pytest.raises(UsageError, match="busier than --max-load 1"):
                live.wait_for_calm()
            thread.join()
            live.wait_for_calm()
    finally:
        thread.join()
        sleeper.close()
    assert told[0].startswith("waiting: 2 threads run")


# --- as a whole ---


class Proxy:
    """A way to a server that is cut after so many bytes of answers."""

    def __init__(self, server: Server, most: int) -> None:
        self._server, self._left = server, most
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        near, _ = self._listener.accept()
        far = socket.create_connection((self._server.host, self._server.port))
        threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
        self._pump(far, near, True)
        self._listener.close()

    def _pump(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        while data := _received(source):
            if counted:
                self._left -= len(data)
                if self._left < 0:
                    break
            try:
                target.sendall(data)
            except OSError:
                break
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        if counted:
            source.close()
            target.close()


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


@pytest.mark.parametrize("most", [2_000, 30_000, 600_000])
def test_a_dropped_connection_leaves_nothing(shop: Server, tmp_path: Path, most: int) -> None:
    proxy = Proxy(shop, most)
    url = f"mysql://root@127.0.0.1:{proxy.port}/{DATABASE}"
    done = ddbmig("collect", "--mysql", url, "-o", str(tmp_path / "got"))
    assert done.code == 2, done.err
    assert re.search(r"cannot be read: .*\(error 20\d\d\)|cannot be read", done.err)
    assert left_over(tmp_path) == []


def test_an_interrupt_leaves_nothing(shop: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(collecting._RowFile, "_flush", interrupted)
    done = ddbmig("collect", "--mysql", address(shop), "-o", str(tmp_path / "got"))
    assert done.code == 130
    assert left_over(tmp_path) == []


def test_a_folder_that_holds_something_is_not_touched(mariadb: Server, tmp_path: Path) -> None:
    (tmp_path / "got").mkdir()
    (tmp_path / "got" / "mine").touch()
    done = ddbmig("collect", "--mysql", mariadb.url, "-o", str(tmp_path / "got"))
    assert done.code == 2
    assert "is there already" in done.err
    assert os.listdir(tmp_path / "got") == ["mine"]


# --- workload ---

LOGGED = [
    "SELECT * FROM `books` WHERE `book_id` = 7",
    "SELECT `title` FROM books WHERE isbn = SHA1('x') OR description LIKE 'md5 of %'",
    "SELECT 'no end: \\' \n2026-11-25T00:00:00.000000Z\t    5 Query\tDELETE FROM books' FROM books WHERE book_id = 8",
    "DELETE FROM wishlist_items WHERE customer_id = 4000000000",
    *["UPDATE stock SET on_hand = on_hand WHERE book_id = 4000000000"] * 600,
]
"""What the defects of peers would lose: a DELETE, statements that hold sha or md5, what goes beyond 500."""


@pytest.fixture
def logging(shop: Server) -> Iterator[Server]:
    """The shop with its log tables on, and other applications in the same tables."""
    on = ["log_output = 'TABLE'", "long_query_time = 0", "general_log = 1", "slow_query_log = 1"]
    before = ["log_output = 'FILE'", "long_query_time = 10", "general_log = 0", "slow_query_log = 0"]
    shop.run([f"SET GLOBAL {setting}" for setting in on])
    yield shop
    shop.run([f"SET GLOBAL {setting}" for setting in before])
    shop.run(["TRUNCATE mysql.general_log", "TRUNCATE mysql.slow_log"])


def test_log_tables_give_the_statements_of_the_application_only(logging: Server, tmp_path: Path) -> None:
    logging.run(["CREATE DATABASE another", "CREATE TABLE another.t (a int)"])
    logging.run(LOGGED, database=DATABASE)
    logging.run(["SELECT a FROM t"], database="another")
    for name in ("first", "second"):  # the second finds what the first asked
        assert ddbmig("collect", "--mysql", address(logging), "-o", str(tmp_path / name)).code == 0
    logging.run(["DROP DATABASE another"])
    got = collected(tmp_path / "second")
    calls = {template.sql: template.calls for template in got.digest.templates}
    assert [source.name for source in got.digest.sources] == ["mysql.general_log", "mysql.slow_log"]
    assert calls == {
        "SELECT * FROM `books` WHERE `book_id` = ?": 1,
        "SELECT `title` FROM books WHERE isbn = SHA1(?) OR description LIKE ?": 1,
        "SELECT ? FROM books WHERE book_id = ?": 1,
        "DELETE FROM wishlist_items WHERE customer_id = ?": 1,
        "UPDATE stock SET on_hand = on_hand WHERE book_id = ?": 600,
    }
    assert all(template.timed_calls == template.calls for template in got.digest.templates)
    assert all(source.skipped[OWN] > 50 for source in got.digest.sources)
    assert {table.id for table in got.tables.tables} & {"t"} == set()


def test_log_files_give_the_statements_of_the_application_only(shop: Server, tmp_path: Path) -> None:
    file = tmp_path / "general.log"
    shop.run([f"SET GLOBAL general_log_file = '{file}'", "SET GLOBAL general_log = 1"])
    shop.run(["SELECT * FROM books WHERE book_id = 7"], database=DATABASE)
    done = ddbmig("collect", "--mysql", address(shop), "-o", str(tmp_path / "got"))
    shop.run(["SET GLOBAL general_log = 0", "SET GLOBAL general_log_file = 'general.log'"])
    assert done.code == 0, done.err
    assert file.read_text().count(OWN_MARK) > 50
    digest = read_general_log(file, key=b"k")
    assert [template.sql for template in digest.templates] == ["SELECT * FROM books WHERE book_id = ?"]


def test_performance_schema_counts_the_application_only(shop: Server, tmp_path: Path) -> None:
    if "MariaDB" in shop.version:
        pytest.skip("MariaDB's performance_schema is off unless it is started with it")
    shop.run(["TRUNCATE performance_schema.events_statements_summary_by_digest"])
    shop.run(LOGGED, database=DATABASE)
    for name in ("first", "second"):
        assert ddbmig("collect", "--mysql", address(shop), "-o", str(tmp_path / name)).code == 0
    got = collected(tmp_path / "second")
    assert sorted(template.calls for template in got.digest.templates) == [1, 1, 1, 1, 600]
    assert {template.verb for template in got.digest.templates} == {"select", "delete", "update"}


# --- privileges ---


def test_missing_privileges_cost_one_statistic_each(shop: Server, tmp_path: Path) -> None:
    everywhere = [f"partly@'{host}'" for host in ("localhost", "127.0.0.1")]
    shop.run([f"CREATE PROCEDURE {DATABASE}.hidden() SELECT 1"])
    for user in everywhere:
        shop.run([f"CREATE USER {user}", f"GRANT SELECT ON {DATABASE}.books TO {user}",
                  f"GRANT SELECT (author_id) ON {DATABASE}.authors TO {user}",
                  f"GRANT EXECUTE ON PROCEDURE {DATABASE}.hidden TO {user}"])  # fmt: skip
    done = ddbmig("collect", "--mysql", address(shop, "partly"), "-o", str(tmp_path / "got"))
    shop.run([f"DROP USER {user}" for user in everywhere] + [f"DROP PROCEDURE {DATABASE}.hidden"])
    assert done.code == 0, done.err
    got = collected(tmp_path / "got")
    assert got.connection
    told = "\n".join(got.connection.not_told)
    assert "authors: no privilege" in told
    assert "statements of mysql.general_log: no privilege" in told
    assert got.statistics["books"].rows.origin == "live server, every row counted"
    assert ddbmig("analyze", str(tmp_path / "got"), "--approve", "1").code == 3
    report = (tmp_path / "got" / "migration" / "Stage1_MySQLAnalysis.md").read_text()
    assert "statements of mysql.general\\_log: no privilege" in report or "mysql.general_log: no privilege" in report
