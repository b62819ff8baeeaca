"""On an endpoint that others use too a run leaves nothing behind, however it ends, and touches nobody else's tables."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ddbmig.model.errors import UsageError
from ddbmig.validators.engines import Engine, open_engine
from ddbmig.validators.run_tables import PREFIX, RUNS, own_tables
from small_shop import command_line, ddbmig, write_shop

pytestmark = pytest.mark.engine


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DDBMIG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def endpoint(dynamodb_local: Engine, cache: Path) -> Iterator[tuple[str, Engine]]:
    """A running DynamoDB Local as an address, and its tables as those see them who know only that."""
    url = dynamodb_local.client.meta.endpoint_url
    with open_engine("endpoint", endpoint=url, cache=cache / "watching") as engine:
        yield url, engine


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An analysed shop whose stage 4 has so many rows to load that it can be interrupted."""
    folder = write_shop(tmp_path_factory.mktemp("interrupted") / "shop")
    authors = ",".join(f"({n},'Author {n}')" for n in range(10, 6_000))
    with (folder / "data.sql").open("a") as data:
        data.write(f"INSERT INTO `authors` VALUES {authors};\n")
    assert ddbmig("analyze", folder, "--approve", "3", "--engine", "moto").code == 3
    return folder


def tables(engine: Engine) -> list[str]:
    return [name for name in engine.client.list_tables()["TableNames"] if name.startswith(PREFIX)]


def make_table(engine: Engine, name: str) -> None:
    engine.client.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip


def until(true: Callable[[], object], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not true() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()
    assert true()


def validating(shop: Path, url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(command_line("validate", shop, "--endpoint", url), stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))  # fmt: skip


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, "ddbmig: interrupted"), (signal.SIGTERM, 143, "")]
)
def test_an_interrupted_run_removes_its_tables(
    number: signal.Signals, code: int, said: str, shop: Path, endpoint: tuple[str, Engine], cache: Path
) -> None:
    url, engine = endpoint
    with validating(shop, url) as process:
        until(lambda: len(tables(engine)) > 1, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (code, "", said)
    assert tables(engine) == []
    assert list((cache / RUNS).iterdir()) == []


def test_what_a_killed_run_left_is_removed_by_the_next(shop: Path, endpoint: tuple[str, Engine], cache: Path) -> None:
    url, engine = endpoint
    with validating(shop, url) as process:
        until(lambda: len(tables(engine)) > 1, process)
        process.kill()
    left = tables(engine)
    assert left
    make_table(engine, f"{PREFIX}0123abcd_of_another_machine")
    make_table(engine, f"{PREFIX}no_token")
    with own_tables(engine.client, cache / "elsewhere") as mine:
        make_table(engine, f"{mine}living")
        done = ddbmig("validate", shop, "--endpoint", url)
        assert done.code == 0, done.err
        assert set(tables(engine)) == {f"{mine}living", f"{PREFIX}0123abcd_of_another_machine", f"{PREFIX}no_token"}
    assert f"{mine}living" not in tables(engine)
    assert list((cache / RUNS).iterdir()) == []
    for name in tables(engine):
        engine.client.delete_table(TableName=name)


def test_two_runs_at_once_do_not_meet(shop: Path, endpoint: tuple[str, Engine]) -> None:
    url, engine = endpoint
    with validating(shop, url) as one, validating(shop, url) as other:
        ended = [process.communicate(timeout=120) for process in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0], ended
    assert ended[0] == ended[1]
    assert tables(engine) == []


def test_a_run_that_lives_keeps_its_tables(endpoint: tuple[str, Engine], cache: Path) -> None:
    _, engine = endpoint
    with own_tables(engine.client, cache) as mine:
        make_table(engine, f"{mine}books")
        with own_tables(engine.client, cache) as another:
            assert another != mine
            assert tables(engine) == [f"{mine}books"]
    assert tables(engine) == []


def test_a_cache_that_cannot_be_written_is_told_before_anything_is_made(
    endpoint: tuple[str, Engine], tmp_path: Path
) -> None:
    _, engine = endpoint
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match=r"ddbmig's cache cannot be written \(Not a directory\)"), \
            own_tables(engine.client, tmp_path / "file"):  # fmt: skip
        raise AssertionError("not reached")


class Busy:
    """An endpoint on which no table can be removed: DynamoDB refuses it while one is being created."""

    class exceptions:
        class ResourceNotFoundException(Exception): ...

        class ResourceInUseException(Exception): ...

    def __init__(self) -> None:
        self.names: list[str] = []

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=lambda: [{"TableNames": self.names}])

    def delete_table(self, **_: str) -> None:
        raise self.exceptions.ResourceInUseException


def test_a_table_that_cannot_be_removed_yet_is_left_to_the_next_run(
    endpoint: tuple[str, Engine], cache: Path
) -> None:  # fmt: skip
    busy: Any = Busy()
    with own_tables(busy, cache) as prefix:
        busy.names.append(f"{prefix}books")
    _, engine = endpoint
    make_table(engine, f"{prefix}books")
    with own_tables(engine.client, cache):
        assert tables(engine) == []
    assert list((cache / RUNS).iterdir()) == []
