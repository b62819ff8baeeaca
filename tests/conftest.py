"""Fixtures shared by all rooms."""

import os
from pathlib import Path

import pytest

pytest_plugins = ["docker_daemon", "servers"]

ROOT = Path(__file__).resolve().parent.parent


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
