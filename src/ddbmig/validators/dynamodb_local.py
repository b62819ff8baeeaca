"""AWS's DynamoDB Local as files on this machine: fetched once, checked by SHA-256, kept in the cache.

Where there is a Maven, it fetches exactly what `dynamodb-local.lock` names, and every later use is checked against the
lock again. Else AWS's own archive is downloaded and checked against the SHA-256 published beside it.
"""

import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import escape

from ddbmig.model.errors import UsageError
from ddbmig.validators.unavailable import EngineUnavailable

LOCK_FILE = Path(__file__).with_name("dynamodb-local.lock")
ARCHIVE_URL = "https://d1ni2b6xgvw0s0.cloudfront.net/v2.x/dynamodb_local_latest.tar.gz"
"""AWS's archive (developer guide, "Deploying DynamoDB locally on your computer"); `.sha256` is published beside it."""
MAVEN_SECONDS = 900
HOW_TO_GET = "install Maven (mvn) or allow the download from AWS's CloudFront"


@dataclass(frozen=True)
class Artifact:
    """A file in a Maven repository."""

    group: str
    name: str
    type: str
    version: str

    @classmethod
    def parse(cls, text: str) -> "Artifact":
        """From `group:artifact:type:version`."""
        group, name, kind, version = text.split(":")
        return cls(group, name, kind, version)

    @property
    def file_name(self) -> str:
        """The name under which Maven copies it."""
        return f"{self.name}-{self.version}.{self.type}"

    def xml(self, extra: str = "") -> str:
        """As a `<dependency>` of a pom."""
        fields = {"groupId": self.group, "artifactId": self.name, "type": self.type, "version": self.version}
        inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in fields.items())
        return f"<dependency>{inner}{extra}</dependency>"


@dataclass(frozen=True)
class Lock:
    """What Maven is asked for (`roots` under the versions of `bom`), and the SHA-256 of every file it must bring."""

    bom: Artifact
    roots: tuple[Artifact, ...]
    files: Mapping[str, str]

    @property
    def version(self) -> str:
        """The version of DynamoDB Local."""
        return self.roots[0].version

    def pom(self) -> str:
        """The Maven project that resolves to the locked files."""
        bom = self.bom.xml("<scope>import</scope>")
        return (
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>ddbmig</groupId><artifactId>dynamodb-local</artifactId><version>1</version>"
            f"<dependencyManagement><dependencies>{bom}</dependencies></dependencyManagement>"
            f"<dependencies>{''.join(root.xml() for root in self.roots)}</dependencies></project>"
        )


@dataclass(frozen=True)
class Installation:
    """DynamoDB Local, ready to run in `folder` with these arguments to `java`."""

    version: str
    folder: Path
    java_arguments: tuple[str, ...]


@cache
def read_lock(path: Path = LOCK_FILE) -> Lock:
    """The lock file: lines `bom COORDINATE`, `root COORDINATE` and `SHA256 COORDINATE`."""
    found: dict[str, list[Artifact]] = {"bom": [], "root": []}
    files = {}
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        word, coordinate = line.split()
        artifact = Artifact.parse(coordinate)
        if word in found:
            found[word].append(artifact)
        else:
            files[artifact.file_name] = word
    return Lock(found["bom"][0], tuple(found["root"]), files)


def cache_folder() -> Path:
    """Where fetched engines are kept: $DDBMIG_CACHE, else $XDG_CACHE_HOME/ddbmig, else ~/.cache/ddbmig."""
    if named := os.environ.get("DDBMIG_CACHE"):
        return Path(named).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "ddbmig"


def installed(cache: Path) -> Installation | None:
    """What the cache holds, checked; None if it holds nothing.

    Raises UsageError when a file is not what the lock says.
    """
    lock = read_lock()
    if (by_maven := _maven_folder(cache, lock)).is_dir():
        verify(by_maven, lock.files)
        main = "software.amazon.dynamodb.services.local.main.ServerRunner"
        return Installation(lock.version, by_maven, ("-Djava.library.path=.", "-cp", "*", main))
    if (by_download := _download_folder(cache)).is_dir():
        version = (by_download / "version.txt").read_text().strip()
        library = "-Djava.library.path=DynamoDBLocal_lib"
        return Installation(version, by_download, (library, "-jar", "DynamoDBLocal.jar"))
    return None


def install(cache: Path, *, url: str = ARCHIVE_URL) -> Installation:
    """What the cache holds, fetched first where it holds nothing.

    Raises EngineUnavailable with the reasons where it cannot be fetched, UsageError where what came is not what the
    lock or the published SHA-256 says.
    """
    lock = read_lock()
    if found := installed(cache):
        return found
    try:
        _put(_maven_folder(cache, lock), lambda folder: _fetch_by_maven(folder, lock))
    except EngineUnavailable as no_maven:
        try:
            _put(_download_folder(cache), lambda folder: _fetch_archive(folder, url))
        except EngineUnavailable as no_download:
            reason = f"{no_maven.message}, and {no_download.message}"
            raise EngineUnavailable(reason, subject="DynamoDB Local", hint=HOW_TO_GET) from no_download
    ready = installed(cache)
    if ready is None:
        raise EngineUnavailable("DynamoDB Local vanished from the cache while it was fetched", hint="try again")
    return ready


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Check that a folder holds exactly the locked files. Raises UsageError naming the first that differs."""
    found = {path.name for path in folder.iterdir()}
    for name in sorted(found ^ set(files)):
        fact = "is missing" if name in files else "is not in the lock"
        raise UsageError(f"a file of DynamoDB Local {fact}", file=name, hint=_remove(folder))
    for name, expected in sorted(files.items()):
        with (folder / name).open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != expected:
            fact = f"a file of DynamoDB Local has SHA-256 {actual[:12]}…"
            raise UsageError(fact, file=name, expected=f"{expected[:12]}… as locked", hint=_remove(folder))


def _remove(folder: Path) -> str:
    return f"remove the folder {folder.name} from ddbmig's cache and run again to fetch it anew"


def _maven_folder(cache: Path, lock: Lock) -> Path:
    """Named after what it holds, so that a new lock never meets old files."""
    mark = hashlib.sha256("".join(sorted(lock.files.values())).encode()).hexdigest()[:12]
    return cache / f"dynamodb-local-{lock.version}-{mark}"


def _download_folder(cache: Path) -> Path:
    return cache / "dynamodb-local-download"


def _put(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder beside the target and move it there in one step; who comes second takes the first one's."""
    with _scratch(target.parent) as scratch:
        folder = scratch / "new"
        folder.mkdir()
        fill(folder)
        with contextlib.suppress(OSError):  # the target is there already: another process was quicker
            folder.rename(target)


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    """A temporary folder on the file system of the cache. What cannot be written there is a UsageError."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".fetching-") as name:
            yield Path(name)
    except OSError as error:
        fact = f"ddbmig's cache cannot be written ({error.strerror})"
        raise UsageError(fact, hint="make room, or name another folder in DDBMIG_CACHE") from error


def maven() -> str | None:
    """The path of Maven, where there is one."""
    return shutil.which("mvn")


def _fetch_by_maven(folder: Path, lock: Lock) -> None:
    """Let Maven bring the files of the lock, and check them."""
    mvn = maven()
    if mvn is None:
        raise EngineUnavailable("there is no Maven (mvn)")
    if (platform.system(), platform.machine()) == ("Linux", "aarch64"):
        raise EngineUnavailable("Maven Central has no native SQLite for Linux on ARM")
    copy_by_maven(mvn, lock.pom(), folder)
    verify(folder, lock.files)


def copy_by_maven(mvn: str, pom: str, folder: Path) -> None:
    """Resolve a pom and copy what it depends on into a folder. Raises EngineUnavailable when Maven fails."""
    project = folder.with_name("project")
    project.mkdir()
    (project / "pom.xml").write_text(pom)
    command = [mvn, "-B", "-q", "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    try:
        done = subprocess.run(command, cwd=project, capture_output=True, timeout=MAVEN_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineUnavailable(f"Maven did not finish ({type(error).__name__})") from error
    if done.returncode != 0:
        raise EngineUnavailable(f"Maven failed (exit {done.returncode}), is its repository reachable?")


def _fetch_archive(folder: Path, url: str) -> None:
    """Download AWS's archive, check it against the SHA-256 beside it, unpack it, and note its version."""
    archive = folder.with_name("archive.tar.gz")
    published = _download(f"{url}.sha256", limit=4096).decode("ascii", "replace").split()
    expected = published[0].lower() if published else ""
    if not re.fullmatch(r"[0-9a-f]{64}", expected):
        raise EngineUnavailable("the SHA-256 beside AWS's archive cannot be read")
    content = _download(url, limit=1 << 30)
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        fact = f"the downloaded archive of DynamoDB Local has SHA-256 {actual[:12]}…"
        raise UsageError(fact, file=url, expected=f"{expected[:12]}… as published beside it", hint="try again later")
    archive.write_bytes(content)
    _unpack(archive, folder)
    if not (folder / "DynamoDBLocal.jar").is_file():
        raise EngineUnavailable("AWS's archive holds no DynamoDBLocal.jar")
    (folder / "version.txt").write_text(f"latest of AWS, archive {actual[:12]}\n")


def _download(url: str, *, limit: int) -> bytes:
    """The content behind a URL. Raises EngineUnavailable where it does not come."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - the URL is ours, not the user's
            content: bytes = answer.read(limit)
    except (OSError, ValueError) as error:
        raise EngineUnavailable(f"AWS's archive cannot be downloaded ({type(error).__name__})") from error
    return content


def _unpack(archive: Path, folder: Path) -> None:
    """Regular files only, and none outside the folder (tarfile's own filter is younger than Python 3.11.2)."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if not member.isfile() or path.is_absolute() or ".." in path.parts:
                continue
            target = folder.joinpath(*path.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source := tar.extractfile(member):
                with target.open("wb") as file:
                    shutil.copyfileobj(source, file)
