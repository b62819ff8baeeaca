"""A load that is killed at any moment and started again ends with the same items, files, counts and rejected rows."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ddbmig.loaders.dynamodb_json import item_text
from ddbmig.validators.engines import Engine, client_of
from depot import Depot, write_depot
from small_shop import contents

pytestmark = [pytest.mark.engine]
_MAIN = "import ddbmig.load_sources as sources; sources.CHUNK_ROWS = 5\nfrom ddbmig.cli import main\nmain()"
"""Many small chunks, so that a load is killed within one and between two."""
SECONDS = 120


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Depot:
    return write_depot(tmp_path_factory.mktemp("depot"))


def command(depot: Depot, state: Path, *more: str | Path) -> list[str]:
    words = ["load", depot.contract, "--snapshot", depot.snapshot, "--data", depot.dump, "--tolerance", "4",
             "--state", state, *more]  # fmt: skip
    return [sys.executable, "-c", _MAIN, *map(str, words)]


def finished(words: list[str]) -> str:
    """Run it to its end; returns what it said."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def kill(words: list[str], state: Path, moment: float) -> bool:
    """Kill a load so many seconds after it has begun its work; whether it still ran."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
        begin = time.monotonic()
        while not (state / "load.sqlite").exists() and load.poll() is None:
            assert time.monotonic() - begin < SECONDS
            time.sleep(0.01)
        time.sleep(moment)
        running = load.poll() is None
        load.kill()
    return running


def stored(url: str, prefix: str) -> dict[str, list[str]]:
    client, found = client_of(url), {}
    for table in client.list_tables()["TableNames"]:
        if table.startswith(prefix):
            pages = client.get_paginator("scan").paginate(TableName=table)
            found[table.removeprefix(prefix)] = sorted(item_text(item) for page in pages for item in page["Items"])
    return found


LOADS = [(1, 3), pytest.param(20, 1, marks=pytest.mark.slow)]
"""How many loads, and how often each is killed."""


@pytest.mark.parametrize(("loads", "kills"), LOADS)
def test_the_tables_are_the_same(
    depot: Depot, dynamodb_local: Engine, tmp_path: Path, loads: int, kills: int
) -> None:  # fmt: skip
    url, chance, interrupted = str(dynamodb_local.client.meta.endpoint_url), random.Random(1), 0
    first = f"whole{loads}_"
    whole = finished(command(depot, tmp_path / "whole", "--to", url, "--prefix", first, "--jobs", "1"))
    due, rejects = stored(url, first), (tmp_path / "whole" / "rejects.jsonl").read_bytes()
    assert sum(map(len, due.values())) == 476
    for number in range(loads):
        state, prefix = tmp_path / str(number), f"killed{loads}_{number}_"
        jobs = "2" if number % 5 == 4 else "1"
        words = command(depot, state, "--to", url, "--prefix", prefix, "--jobs", jobs, "--rate")
        interrupted += sum(kill([*words, "300"], state, chance.uniform(0, 2.5 / kills)) for _ in range(kills))
        said = finished([*words, "100000"])
        assert stored(url, prefix) == due, number
        assert said.replace(str(state), "") == whole.replace(str(tmp_path / "whole"), ""), number
        assert (state / "rejects.jsonl").read_bytes() == rejects, number
    assert interrupted == loads * kills


@pytest.mark.parametrize(("loads", "kills"), LOADS)
def test_the_files_are_the_same(depot: Depot, tmp_path: Path, loads: int, kills: int) -> None:
    chance, interrupted = random.Random(2), 0
    finished(command(depot, tmp_path / "whole", "--export", tmp_path / "parts", "--jobs", "1"))
    due = contents(tmp_path / "parts")
    for number in range(loads):
        state, folder = tmp_path / str(number), tmp_path / f"parts{number}"
        words = command(depot, state, "--export", folder, "--jobs", "2" if number % 2 else "1")
        interrupted += sum(kill(words, state, chance.uniform(0, 0.5 / kills)) for _ in range(kills))
        finished(words)
        assert contents(folder) == due, number
    assert interrupted
