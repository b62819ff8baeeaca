"""`ddbmig verify`: tables that are as they should be are said to be the same, and every kind of difference is found."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ddbmig.load_sources import DumpSource
from ddbmig.load_targets import EndpointTarget
from ddbmig.loaders import encoder
from ddbmig.loaders.dynamodb_json import value_text
from ddbmig.loading import Plan
from ddbmig.model.contract import Contract
from ddbmig.model.snapshot import Snapshot
from ddbmig.validators.engines import Engine, client_of
from ddbmig.verifying import LOOKED_INTO, Looking, Verifier
from depot import DATABASE, SECRET, Depot, write_depot
from servers import Server
from small_shop import Done, ddbmig

pytestmark = [pytest.mark.server, pytest.mark.engine]
PREFIX = "verified_"


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Depot:
    return write_depot(tmp_path_factory.mktemp("depot"))


@pytest.fixture(scope="module")
def url(dynamodb_local: Engine, depot: Depot) -> str:
    """An endpoint that holds the depot's tables."""
    address = str(dynamodb_local.client.meta.endpoint_url)
    done = ddbmig(*words("load", depot, address), "--data", depot.dump, "--tolerance", "4", "--jobs", "1")
    assert done.code == 0, done.err
    return address


@pytest.fixture(scope="module")
def server(mariadb: Server, depot: Depot) -> Iterator[Server]:
    depot.into(mariadb)
    yield mariadb
    mariadb.run([f"DROP DATABASE {DATABASE}"])


def words(command: str, depot: Depot, url: str, *more: str | Path) -> list[str | Path]:
    state = ("--state", depot.folder / "state")
    return [command, depot.contract, "--snapshot", depot.snapshot, *state, "--to", url, "--prefix", PREFIX, *more]


def verified(depot: Depot, url: str, *more: str | Path) -> Done:
    return ddbmig(*words("verify", depot, url, *(more or ("--data", depot.dump))))


SAME = """\
makers: 5 rows; 5 items due, 5 found; the same
parts: 140 rows, 2 without an item, 1 incomplete; 138 items due, 138 found; the same
parts_code_unique (of the unique key by_code): 140 rows, 1 without an item; 139 items due, 139 found; the same
parts_of_makers: 140 rows, 20 filtered; 120 items due, 120 found; the same
slots: 40 rows; 40 items due, 40 found; the same
visits: 34 rows; 34 items due, 34 found; the same
6 tables, 476 items: none of the tables differ
379 rows were compared value by value (--sample 100 --seed 1)
"""


def test_what_was_loaded_is_the_same_as_its_server_and_its_dump(depot: Depot, server: Server, url: str) -> None:
    assert verified(depot, url) == Done(0, SAME, "")
    assert verified(depot, url, "--mysql", f"mysql://root@127.0.0.1:{server.port}/{DATABASE}") == Done(0, SAME, "")


Change = Callable[[Any], None]


def planted(table: str) -> str:
    return f"planted_{table}"


def put(table: str, **item: Any) -> Change:
    return lambda client: client.put_item(TableName=planted(table), Item=item)


def delete(table: str, **key: Any) -> Change:
    return lambda client: client.delete_item(TableName=planted(table), Key=key)


def update(table: str, key: dict[str, Any], **values: Any) -> Change:
    changed = {name: {"Value": value, "Action": "PUT"} for name, value in values.items()}
    return lambda client: client.update_item(TableName=planted(table), Key=key, AttributeUpdates=changed)


def part(nr: int) -> dict[str, Any]:
    return {"shelf": {"N": str(nr % 3)}, "nr": {"N": str(nr)}}


def code(nr: int) -> dict[str, Any]:
    return {"code__key": {"S": f"_code {nr:04}"}}


NESTED = {"L": [{"S": "red"}, {"M": {"a": {"NULL": True}}}, {"BS": [b"x"]}, {"NS": ["1"]}]}
PLANTED: list[tuple[Change, str, str, int | None, list[str]]] = [
    (delete("parts", **part(10)), "parts", "missing", 10, []),
    (update("parts", part(11), rate={"N": "10.5"}), "parts", "different", 11, ["rate"]),
    (update("parts", part(12), rate={"S": "12.25"}), "parts", "different", 12, ["rate"]),
    (update("parts", part(13), raw={"B": b"\0"}, body={"S": SECRET}), "parts", "different", 13, ["body", "raw"]),
    (update("parts", part(15), colour=NESTED), "parts", "different", 15, ["colour"]),
    (update("parts", part(16), maker_name={"S": "of old"}), "parts", "stale copy", 16, ["maker_name"]),
    (put("parts", **part(900)), "parts", "unexpected", None, []),
    (delete("parts_code_unique", **code(20)), "parts_code_unique", "missing", 20, []),
    (update("parts_code_unique", code(22), nr={"N": "11"}), "parts_code_unique", "different", 22, ["nr"]),
    (put("parts_code_unique", **part(1), **code(9999)), "parts_code_unique", "unexpected", None, []),
    (put("slots", kind={"S": "early"}, nr={"N": "3"}), "slots", "different", 4, ["tag"]),
    (put("visits", digest={"S": "abc"}), "visits", "unexpected", None, []),
]
"""Each change of an item, and what must be said of it."""


def test_each_kind_of_difference_is_found(depot: Depot, url: str, tmp_path: Path) -> None:
    client = client_of(url)
    options = ("--data", depot.dump, "--prefix", "planted_")
    load = words("load", depot, url, *options, "--tolerance", "4", "--jobs", "1", "--state", tmp_path)
    assert ddbmig(*load).code == 0
    for change, *_ in PLANTED:
        change(client)
    done = verified(depot, url, *options, "--json")
    tables = json.loads(done.out)["tables"]
    assert (done.code, [name for name, table in tables.items() if table["differs"]]) == (
        1, ["parts", "parts_code_unique", "slots", "visits"]
    )  # fmt: skip
    found = [(one["entry"], one["kind"], one["row"], one["attributes"])
             for table in tables.values() for one in table["differences"]]  # fmt: skip
    assert sorted(map(str, found)) == sorted(str(tuple(due)) for _, *due in PLANTED)
    for table in tables.values():
        assert table["ranges"] == sorted({one["range"] for one in table["differences"]})
    said = verified(depot, url, *options)
    assert said.code == 1
    assert (
        "138 items due, 138 found; DIFFERS in 7 of the key ranges: 4 different, 1 missing, 1 stale copy, 1 unexpec"
        in (said.out)
    )
    assert "  different, key range " in said.out
    assert "row 13 in the order of the primary key, key " in said.out
    assert SECRET not in said.out + done.out


def test_a_row_that_changed_in_mysql_is_found(depot: Depot, server: Server, url: str) -> None:
    address = f"mysql://root@127.0.0.1:{server.port}/{DATABASE}"
    server.run(["UPDATE parts SET made = NULL WHERE nr = 10", "DELETE FROM slots WHERE kind = 'late' AND nr = 1",
                "UPDATE makers SET city = 'Elsewhere' WHERE id = 1"], DATABASE)  # fmt: skip
    try:
        done = verified(depot, url, "--mysql", address)
    finally:
        depot.into(server)
    assert done.code == 1
    assert "slots: 39 rows; 39 items due, 40 found; DIFFERS in 1 of the key ranges: 1 unexpected" in done.out
    assert "makers: 5 rows; 5 items due, 5 found; DIFFERS in 1 of the key ranges: 1 different" in done.out
    assert "parts: 140 rows, 2 without an item, 1 incomplete; 138 items due, 138 found; DIFFERS in " in done.out
    assert "1 different, 22 stale copy" in done.out
    assert "parts_of_makers: 140 rows, 20 filtered; 120 items due, 120 found; DIFFERS in 1 of" in done.out
    assert "6 tables, 476 items: 4 of the tables differ" in done.out
    assert "  … and 13 more" in done.out


def test_what_makes_and_checks_items_wrongly_alike_is_found_by_the_values(
    depot: Depot, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(value: Any) -> str:
        return value_text(value.replace("2026-01", "2026-02") if isinstance(value, str) else value)

    monkeypatch.setattr(encoder, "value_text", wrong)
    options = ("--data", depot.dump, "--prefix", "wrong_", "--tolerance", "9", "--jobs", "1")
    assert ddbmig(*words("load", depot, url, *options, "--state", depot.folder / "wrong")).code == 0
    done = verified(depot, url, "--data", depot.dump, "--prefix", "wrong_", "--sample", "7")
    assert done.code == 1
    assert "138 items due, 138 found; DIFFERS: 7 value\n" in done.out
    assert ": made\n" in done.out
    assert "slots: 40 rows; 40 items due, 40 found; the same" in done.out


def verifier(depot: Depot, url: str) -> Verifier:
    snapshot = Snapshot.from_file(depot.snapshot)
    contract = Contract.model_validate_json(depot.contract.read_bytes())
    target = EndpointTarget(url, url, PREFIX)
    source = DumpSource([(depot.dump, "data.sql")], snapshot.tables)
    return Verifier(Plan(contract, snapshot.tables, target, b"key"), source, target, {})


def test_what_is_written_within_the_window_is_no_difference(depot: Depot, url: str) -> None:
    client = client_of(url)
    key: Any = {"id": {"N": "2"}}
    item = client.get_item(TableName=f"{PREFIX}makers", Key=key)["Item"]
    client.delete_item(TableName=f"{PREFIX}makers", Key=key)
    waited: list[float] = []

    def arrives(seconds: float) -> None:
        waited.append(seconds)
        client.put_item(TableName=f"{PREFIX}makers", Item=item)

    found = {one.entry.table: one for one in verifier(depot, url).verify(Looking(window=30), arrives)}
    assert waited == [30]
    assert not any(one.differs for one in found.values())
    assert [name for name, one in found.items() if one.settled] == ["makers"]


def test_the_sample_is_the_seed_s(depot: Depot, url: str) -> None:
    class Asked(EndpointTarget):
        def get(self, entry: Any, keys: Any) -> Any:
            asked.setdefault(entry.table, []).extend(keys)
            return super().get(entry, keys)

    found = []
    for seed in (1, 1, 2):
        asked: dict[str, list[Any]] = {}
        plain = verifier(depot, url)
        target = Asked(url, url, PREFIX)
        Verifier(plain.plan, plain.source, target, {}).verify(Looking(sample=5, seed=seed))
        found.append(asked)
    assert found[0] == found[1]
    assert found[0]["parts"] != found[2]["parts"]
    assert {name: len(keys) for name, keys in found[0].items()} == dict.fromkeys(found[0], 5)


def test_of_tables_that_differ_everywhere_a_part_is_looked_into(depot: Depot, url: str, tmp_path: Path) -> None:
    other = tmp_path / "other.sql"
    other.write_text(depot.dump.read_text().replace("'body of", "'text of"))
    done = verified(depot, url, "--data", other, "--json")
    parts = json.loads(done.out)["tables"]["parts"]
    assert done.code == 1
    assert len(parts["ranges"]) > LOOKED_INTO
    assert LOOKED_INTO <= len(parts["differences"]) <= 138
    assert {one["kind"] for one in parts["differences"]} == {"different"}


@pytest.mark.parametrize(("more", "said"), [
    (["--prefix", "nowhere_"], "there is no such table (nowhere_makers); load it first: ddbmig load"),
    (["--to", "https://dynamodb.eu-west-1.amazonaws.com"],
     "add --yes-this-is-not-local if its tables may be read, twice where they differ; that costs read request units"),
])  # fmt: skip
def test_a_target_that_cannot_be_read_is_one_line(depot: Depot, url: str, more: list[str], said: str) -> None:
    done = verified(depot, url, "--data", depot.dump, *more)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
