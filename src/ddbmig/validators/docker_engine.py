"""DynamoDB Local in a container, by testcontainers, where a Docker daemon runs."""

import contextlib
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from ddbmig.validators.java_server import answers
from ddbmig.validators.unavailable import EngineUnavailable

if TYPE_CHECKING:
    from docker import DockerClient
    from testcontainers.core.container import DockerContainer

IMAGE = "amazon/dynamodb-local:latest"
PORT = 8000
ASK_SECONDS = 5
PULL_SECONDS = 180
START_SECONDS = 60


@contextmanager
def daemon(seconds: int = ASK_SECONDS) -> Iterator["DockerClient"]:
    """A client of the running Docker daemon. Raises EngineUnavailable, quickly, where none answers."""
    if not _socket_answers():
        raise EngineUnavailable("no Docker daemon answers", hint="start Docker")
    try:
        import docker  # an extra, and heavy
        import testcontainers.core.container  # noqa: F401 - only to see that it is there
    except ImportError as error:
        fact = "the Python package testcontainers is not installed"
        raise EngineUnavailable(fact, hint="pip install 'ddbmig[local]'") from error
    try:
        client = docker.from_env(timeout=seconds)
    except docker.errors.DockerException as error:
        raise EngineUnavailable("no Docker daemon answers", hint="start Docker") from error
    with contextlib.closing(client):
        yield client


def _socket_answers() -> bool:
    """Whether somebody listens on Docker's Unix socket: asked first, since the SDK takes half a second to import."""
    kind, _, path = (os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock").partition("://")
    if kind != "unix":
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(ASK_SECONDS)
        return probe.connect_ex(path) == 0


@contextmanager
def running() -> Iterator[tuple[str, str]]:
    """Run the image for the length of a `with` block; gives the version and the URL of DynamoDB Local.

    Raises EngineUnavailable where there is no daemon, no image, or no answer.
    """
    with daemon() as client:
        ensure_image(client)
    with _container() as container:
        yield _version(container), _wait(container)


def has_image(client: "DockerClient") -> bool:
    """Whether the image is on the daemon's machine."""
    import docker

    try:
        client.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        return False
    return True


def ensure_image(client: "DockerClient") -> None:
    """Pull the image unless it is there. Raises EngineUnavailable where it cannot be pulled."""
    import docker

    if has_image(client):
        return
    try:
        with daemon(PULL_SECONDS) as patient:
            patient.images.pull(IMAGE)
    except (docker.errors.DockerException, OSError) as error:
        fact = f"the image {IMAGE} is not here and cannot be pulled"
        raise EngineUnavailable(fact, hint=f"docker pull {IMAGE}") from error


@contextmanager
def _container() -> Iterator["DockerContainer"]:
    """The started container, published on the loopback address only unless the daemon is on another machine."""
    import docker
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    testcontainers_config.ryuk_disabled = True  # its reaper is one more image to pull; we stop the container ourselves
    container = DockerContainer(IMAGE).with_command("-jar DynamoDBLocal.jar -inMemory -disableTelemetry")
    where = None if remote_host() else ("127.0.0.1",)
    container.ports = {f"{PORT}/tcp": cast("int | None", where)}  # the Docker SDK's form; testcontainers types less
    try:
        container.start()
        yield container
    except docker.errors.DockerException as error:
        raise EngineUnavailable("the container did not start", hint=f"try docker run {IMAGE}") from error
    finally:
        with contextlib.suppress(docker.errors.DockerException):
            container.stop()
        container.get_docker_client().client.close()


def _wait(container: "DockerContainer") -> str:
    """The first address under which DynamoDB answers: the published one, or the container's own."""
    wrapped = container.get_wrapped_container()
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        wrapped.reload()
        for host, port in addresses(wrapped.attrs["NetworkSettings"], remote_host() or "127.0.0.1"):
            if answers(host, port):
                return f"http://{host}:{port}"
        time.sleep(0.2)
    raise EngineUnavailable(f"DynamoDB Local in a container did not answer within {START_SECONDS} s")


def remote_host() -> str | None:
    """The machine of the daemon where $DOCKER_HOST names another, as in pipelines with a Docker service."""
    named = urlsplit(os.environ.get("DOCKER_HOST", ""))
    return None if named.scheme in {"", "unix", "npipe"} else named.hostname


def addresses(network: Mapping[str, Any], daemon_host: str) -> list[tuple[str, int]]:
    """Where a container may answer, from its `NetworkSettings`.

    The published port on the daemon's machine; the container's own address where we are in a container ourselves and
    only the daemon's socket reaches in.
    """
    published = (network.get("Ports") or {}).get(f"{PORT}/tcp") or []
    own = [settings.get("IPAddress") for _, settings in sorted((network.get("Networks") or {}).items())]
    return [(daemon_host, int(each["HostPort"])) for each in published[:1]] + [(ip, PORT) for ip in own if ip]


def _version(container: "DockerContainer") -> str:
    """What DynamoDB Local says of itself."""
    said = container.exec(["java", "-jar", "DynamoDBLocal.jar", "-version"]).output
    found = re.search(rb"^\d+(\.\d+)+", said, re.MULTILINE)
    return found[0].decode() if found else "of unknown version"
