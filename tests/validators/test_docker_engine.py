"""DynamoDB Local in a container, on a real daemon."""

import signal
import subprocess
import sys
import textwrap

import pytest

from ddbmig.validators import docker_engine
from ddbmig.validators.engines import examine, open_engine

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.usefixtures("docker_daemon")]


def containers() -> int:
    """How many there are, running or not."""
    with docker_engine.daemon() as client:
        return len(client.containers.list(all=True))


def test_auto_takes_the_container_and_removes_it() -> None:
    with open_engine("auto") as engine:
        assert engine.name.startswith("DynamoDB Local 3.")
        assert engine.name.endswith(" (docker)")
        assert engine.marked is None
        assert engine.client.list_tables()["TableNames"] == []
        assert containers() == 1
    assert containers() == 0


def test_it_is_removed_when_sigterm_ends_us() -> None:
    program = """
        import time
        from ddbmig.validators.engines import open_engine
        with open_engine("docker"):
            print("open", flush=True)
            time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        assert containers() == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    assert containers() == 0


def test_what_is_available_names_the_image() -> None:
    docker = next(each for each in examine().engines if each.kind == "docker")
    assert (docker.available, docker.detail) == (True, f"{docker_engine.IMAGE} is here")
