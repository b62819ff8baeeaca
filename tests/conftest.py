"""Fixtures shared by all rooms."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["docker_daemon", "servers"]

ROOT = Path(__file__).resolve().parent.parent

# A property is right or wrong, not slow: how long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Begun in the background by a shell, we are deaf to Ctrl-C and so is every command that we start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--golden` writes the golden files anew instead of comparing with them."""
    parser.addoption("--golden", action="store_true", help="write the golden files anew")


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], str]:
    """Reads a golden file; with --golden it first becomes the text given."""

    def read(path: Path, text: str) -> str:
        if request.config.getoption("--golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        return path.read_text("utf-8")

    return read


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of recorded applications and published designs; skips where it is absent."""
    folder = Path(os.environ.get("DDBMIG_CORPUS") or ROOT.parent / "shared" / "data")
    if not (folder / "workloads").is_dir():
        pytest.skip("recorded applications not found: set DDBMIG_CORPUS")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return ROOT
