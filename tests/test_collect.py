"""`ddbmig collect` from real servers: the folder says what the server says, and nothing is left of a failed one."""

import datetime
import gzip
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from markdown_it import MarkdownIt

from ddbmig import collecting
from ddbmig.analyzers.ddl import read_ddl
from ddbmig.analyzers.dump import DumpReader
from ddbmig.analyzers.general_log import read_general_log
from ddbmig.analyzers.live import Pace, connect
from ddbmig.analyzers.normalize import OWN, OWN_MARK
from ddbmig.analyzers.server_login import login
from ddbmig.analyzers.statistics import collect_statistics, declared_groups
from ddbmig.model.assessment import Assessment
from ddbmig.model.errors import UsageError
from ddbmig.model.snapshot import Snapshot
from servers import Server, started_mariadb
from small_shop import Done, command_line, ddbmig, ddbmig_process
from transcripts import run

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
    off = ("statements, by performance_schema: it is switched off",) if "MariaDB" in shop.version else ()
    assert got.connection.not_told == off


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


def test_a_group_of_an_option_file_goes_before_client(tmp_path: Path) -> None:
    file = tmp_path / "my.cnf"
    file.write_text(
        f"[client]\nuser=reader\npassword=other\nhost=primary\n[replica]\nhost=standby\npassword={SECRET}\n"
    )
    who = login("mysql:///shop", defaults_file=file, group="replica")
    assert (who.address.host, who.address.user, who.password) == ("standby", "reader", SECRET)
    assert SECRET not in repr(who)
    plain = login("mysql:///shop", defaults_file=file)
    assert (plain.address.host, plain.password) == ("primary", "other")


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
        (
            ("mysql://r@127.0.0.1/b", "--defaults-file", "empty.cnf", "--login-path", "replica"),
            "has no [replica] section",
        ),
        (("mysql://r@127.0.0.1/b", "--login-path", "replica"), "names a group of an option file"),
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


@dataclass(frozen=True)
class Certified:
    """A MariaDB with TLS and performance_schema, the CA of its certificate, and a CA that never saw it."""

    server: Server
    ca: Path
    other_ca: Path


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other"):
        openssl(folder, "req", "-x509", *new_key, "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.pem")  # fmt: skip
    openssl(folder, "req", *new_key, "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName = IP:127.0.0.1\n")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", "server.pem")  # fmt: skip
    files = [
        f"--ssl-ca={folder / 'ca.pem'}",
        f"--ssl-cert={folder / 'server.pem'}",
        f"--ssl-key={folder / 'server.key'}",
    ]
    with started_mariadb(*files, "--performance-schema=ON") as server:
        yield Certified(server, folder / "ca.pem", folder / "other.pem")


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def test_a_certificate_is_verified_with_its_ca(certified: Certified) -> None:
    with connect(login(certified.server.url, password="", ca=certified.ca)) as live:
        assert live.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1]


@pytest.mark.parametrize(
    ("host", "ca", "said"),
    [
        ("127.0.0.1", "other_ca", "its certificate is not signed by the CA that you gave"),
        ("localhost", "ca", "its certificate is for another host name"),
    ],
)
def test_a_certificate_that_is_not_the_servers_is_refused(
    certified: Certified, tmp_path: Path, host: str, ca: str, said: str
) -> None:
    url = f"mysql://root@{host}:{certified.server.port}/mysql"
    done = ddbmig("collect", "--mysql", url, "--tls-ca", str(getattr(certified, ca)), "-o", str(tmp_path / "got"))
    assert done.code == 2
    assert said in done.err
    assert "nothing answers" not in done.err
    assert "Traceback" not in done.err
    assert left_over(tmp_path) == []


def test_a_ca_is_of_no_use_to_a_server_without_tls(certified: Certified, mariadb: Server, tmp_path: Path) -> None:
    done = ddbmig("collect", "--mysql", address(mariadb), "--tls-ca", str(certified.ca), "-o", str(tmp_path / "got"))
    assert done.code == 2
    assert "no TLS connection is possible" in done.err
    assert left_over(tmp_path) == []


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
    *["UPDATE stock SET quantity = quantity WHERE book_id = 4000000000"] * 600,
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
        "UPDATE stock SET quantity = quantity WHERE book_id = ?": 600,
    }
    assert all(template.timed_calls == template.calls for template in got.digest.templates)
    assert all(source.skipped[OWN] > 50 for source in got.digest.sources)
    assert {table.id for table in got.tables.tables} & {"t"} == set()
    assert ddbmig("analyze", str(tmp_path / "second"), "--approve", "2").code == 3
    found = Assessment.from_file(tmp_path / "second" / "migration" / "assessment.json")
    assert found.rates.span_seconds < 30  # a burst has a rate all the same
    assert all(rate.calls_per_month > 0 and rate.peak_per_second > 0 for rate in found.patterns)
    (shared,) = (one.relationship for one in found.relationships if one.relationship.child == "stock")
    assert (shared.child_columns, shared.cardinality) == (("book_id",), "1:1")  # the key is the foreign key


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


@pytest.mark.parametrize("counting", BOTH)
def test_performance_schema_counts_the_application_only(
    counting: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server = (
        request.getfixturevalue("mysql57") if counting == "mysql57" else request.getfixturevalue("certified").server
    )
    server.run(["CREATE DATABASE counted", "CREATE TABLE counted.books (book_id INT PRIMARY KEY, title TEXT)"])
    said = ["SELECT title FROM books WHERE book_id = 1"] * 600 + ["DELETE FROM books WHERE book_id = 2",
            "SELECT SHA1(title), MD5(title) FROM books"]  # fmt: skip
    try:
        server.run(["TRUNCATE performance_schema.events_statements_summary_by_digest"])
        server.run(said, database="counted")
        for name in ("first", "second"):
            done = ddbmig("collect", "--mysql", address(server, database="counted"), "-o", str(tmp_path / name))
            assert done.code == 0, done.err
    finally:
        server.run(["DROP DATABASE counted"])
    got = collected(tmp_path / "second")
    assert sorted(template.calls for template in got.digest.templates) == [1, 1, 600]
    assert {template.verb for template in got.digest.templates} == {"select", "delete"}
    assert any("SHA" in template.sql.upper() for template in got.digest.templates)


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


def test_more_than_500_statements_are_all_kept(logging: Server, tmp_path: Path) -> None:
    logging.run(
        [f"SELECT book_id AS a{number} FROM books WHERE book_id = 1" for number in range(600)], database=DATABASE
    )
    assert ddbmig("collect", "--mysql", address(logging), "-o", str(tmp_path / "got")).code == 0
    got = collected(tmp_path / "got")
    assert len([template for template in got.digest.templates if " AS a" in template.sql]) == 600


# --- statistics ---


def test_large_tables_are_sampled_with_their_error(shop: Server, tmp_path: Path) -> None:
    for name, words in (("whole", ()), ("sampled", ("--row-limit", "500", "--sample", "400"))):
        done = ddbmig("collect", "--mysql", address(shop), "-o", str(tmp_path / name), *words)
        assert done.code == 0, done.err
    whole, sampled = (collected(tmp_path / name).statistics for name in ("whole", "sampled"))
    large = {name for name, one in whole.items() if one.rows.value > 500}
    assert {name for name, one in sampled.items() if one.sample_rows is not None} == large
    assert len(large) > 5
    for name in sorted(large):
        true, found = whole[name], sampled[name]
        assert found.rows == true.rows
        origin = re.fullmatch(r"live server, sample of (\d+) rows, ± (\d+\.\d) % \(95 %\)", found.item_bytes.origin)
        assert origin, found.item_bytes.origin
        assert int(origin[1]) == found.sample_rows
        assert 100 <= int(origin[1]) <= 700
        off = abs(found.item_bytes.value / true.item_bytes.value - 1) * 100
        assert off <= 3 * float(origin[2]) + 0.1, (name, off, origin[2])  # 95 % is within 2 standard errors
        for group in found.groups:
            assert group == true.group(group.columns), name
    told = collected(tmp_path / "sampled").connection
    assert told
    assert all(" no index begins with it" in gap for gap in told.not_told if gap.startswith("rows per"))


def test_orphans_are_counted_of_large_tables_too(mariadb: Server, tmp_path: Path) -> None:
    mariadb.run(["CREATE DATABASE torn", "CREATE TABLE torn.p (id int PRIMARY KEY)",
                 "CREATE TABLE torn.c (id int PRIMARY KEY, p int, CONSTRAINT k FOREIGN KEY (p) REFERENCES torn.p (id))",
                 "INSERT INTO torn.p VALUES (1), (2)"])  # fmt: skip
    with mariadb.connect("torn") as connection, connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        rows = ", ".join(f"({number}, {number % 3 + 1})" for number in range(300))
        cursor.execute(f"INSERT INTO c VALUES {rows}, (1000, NULL)")
    done = ddbmig(
        "collect", "--mysql", address(mariadb, database="torn"), "-o", str(tmp_path / "got"), "--row-limit", "10"
    )
    mariadb.run(["DROP DATABASE torn"])
    assert done.code == 0, done.err
    group = collected(tmp_path / "got").statistics["c"].group(("p",))
    assert group
    assert (group.groups, group.average, group.p99, group.max, group.orphans) == (3, 100.0, 100, 100, 100)


def test_growth_since_an_earlier_folder(mariadb: Server, tmp_path: Path) -> None:
    mariadb.run(["CREATE DATABASE grows", "CREATE TABLE grows.t (id int PRIMARY KEY)"])
    mariadb.run(["INSERT INTO t VALUES (1), (2), (3), (4)"], database="grows")
    url = address(mariadb, database="grows")
    assert ddbmig("collect", "--mysql", url, "-o", str(tmp_path / "old")).code == 0
    again = ddbmig("collect", "--mysql", url, "-o", str(tmp_path / "same"), "--since", str(tmp_path / "old"))
    assert again.code == 2
    assert "growth needs two days" in again.err
    path = tmp_path / "old" / "collected.json"
    today = collected(tmp_path / "old").connection
    assert today
    assert today.collected_on
    before = datetime.date.fromisoformat(today.collected_on) - datetime.timedelta(days=61)
    path.write_text(path.read_text().replace(today.collected_on, before.isoformat()))
    mariadb.run(["INSERT INTO t VALUES (5), (6)"], database="grows")
    done = ddbmig("collect", "--mysql", url, "-o", str(tmp_path / "new"), "--since", str(tmp_path / "old"))
    mariadb.run(["DROP DATABASE grows"])
    assert done.code == 0, done.err
    growth = collected(tmp_path / "new").statistics["t"].growth
    assert growth
    assert growth.value == pytest.approx(22.42, abs=0.02)  # 1.5 times in 61 days, and a month has 30.44
    assert growth.origin == f"two snapshots, {before} and {today.collected_on}"
    assert left_over(tmp_path) == ["new", "old"]


# --- hostile ---

HOSTILE = "a`b | <i>%s</i> \x1b[2J"


def test_hostile_names_and_comments_break_nothing(shop: Server, tmp_path: Path) -> None:
    name = HOSTILE.replace("`", "``")
    text = HOSTILE.replace("'", "''")
    shop.run([f"CREATE DATABASE `{name}`"])
    shop.run(
        [f"CREATE TABLE `{name}` (`{name}` int PRIMARY KEY COMMENT '{text}', e enum('x|y','%s','`') NOT NULL,"
         f" KEY `{name}` (e)) COMMENT '{text}'",
         f"INSERT INTO `{name}` VALUES (1, 'x|y'), (2, '%s'), (3, '`')"],
        database=HOSTILE,
    )  # fmt: skip
    done = ddbmig("collect", "--mysql", address(shop, database=quote(HOSTILE, safe="")), "-o", str(tmp_path / "got"))
    shop.run([f"DROP DATABASE `{name}`"])
    assert done.code == 0, done.err
    assert "\x1b" not in done.out + done.err
    got = collected(tmp_path / "got")
    ((table),) = got.tables.tables
    assert (table.name, table.columns[0].name, table.columns[1].values) == (HOSTILE, HOSTILE, ("x|y", "%s", "`"))
    assert got.statistics[table.id].columns["e"].distinct == 3
    tolerant = ("--set", "tolerance.statements_not_understood=1")  # 5.7 keeps such names unquoted in its digests
    assert ddbmig("analyze", str(tmp_path / "got"), "--approve", "1", *tolerant).code == 3
    report = (tmp_path / "got" / "migration" / "Stage1_MySQLAnalysis.md").read_text()
    assert "\x1b" not in report
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(report)
    kinds = {inner.type for token in tokens for inner in token.children or ()} | {token.type for token in tokens}
    assert "code_inline" in kinds
    assert not kinds & {"html_inline", "html_block"}


@pytest.mark.slow
def test_a_thousand_tables_in_a_minute(shop: Server, tmp_path: Path) -> None:
    shop.run(["CREATE DATABASE thousand"])
    columns = ", ".join(f"c{number} varchar(20)" for number in range(10))
    values = ", ".join(f"({row}, {', '.join(repr(f'v{row % 7}') for _ in range(10))})" for row in range(50))
    for number in range(1000):
        table = f"CREATE TABLE t{number} (id int PRIMARY KEY, {columns}, KEY (c0))"
        shop.run([table, f"INSERT INTO t{number} VALUES {values}"], database="thousand")
    started = time.monotonic()
    done = ddbmig_process("collect", "--mysql", address(shop, database="thousand"), "-o", tmp_path / "got")
    took = time.monotonic() - started
    shop.run(["DROP DATABASE thousand"])
    assert done.code == 0, done.err
    assert done.out.startswith("MySQL")
    assert len(collected(tmp_path / "got").statistics) == 1000
    assert took < 60, took


# --- the page ---

REFUSED = {"--tls-ca": "no certificates can be read", "--since": "growth needs two days"}
"""Commands of the page that cannot succeed here and now, and what they say."""


def test_the_commands_of_the_page_run(
    shop: Server, tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (repository / "docs" / "how-to" / "collect-from-production.md").read_text()
    lines = [line for block in re.findall(r"^```bash\n(.*?)^```", page, re.M | re.S) for line in block.splitlines()]
    answers = re.search(r"^```yaml\n# answers.yaml\n(.*?)^```", page, re.M | re.S)
    assert answers
    monkeypatch.chdir(tmp_path)
    Path("answers.yaml").write_text(answers[1])
    options_file(tmp_path, shop)
    monkeypatch.setenv("MYSQL_PWD", SECRET)
    assert len(lines) > 8
    for line in lines:
        here = line.replace("db.example/shop", f"{shop.host}:{shop.port}/{DATABASE}").replace(
            "///shop", f"///{DATABASE}"
        )
        done = run(here.replace("pass show db/reader", f"echo {SECRET}").partition("    #")[0])
        said = next((text for option, text in REFUSED.items() if option in line), None)
        expected = 2 if said else 3 if line.startswith("ddbmig analyze") else 0
        assert done.code == expected, (line, done.err)
        assert said is None or said in done.err
