"""`ddbmig load`: every row has its item or a line that says why not, from a server as from a dump, and once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ddbmig.analyzers.dump import DumpReader
from ddbmig.loaders.dynamodb_json import item_text
from ddbmig.loaders.items import ItemBuilder, Row
from ddbmig.model.contract import Contract
from ddbmig.model.encodings import Cell, item_size
from ddbmig.model.errors import InputError
from ddbmig.model.snapshot import Snapshot
from ddbmig.validators.engines import Engine, client_of
from depot import BEYOND, DATABASE, LARGE, ORPHAN, PARTS, SAME_CODE, SECRET, Depot, write_depot
from servers import Server
from small_shop import Done, ddbmig

pytestmark = [pytest.mark.server, pytest.mark.engine]
TABLES = ("makers", "parts", "parts_code_unique", "parts_of_makers", "slots", "visits")


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Depot:
    return write_depot(tmp_path_factory.mktemp("depot"))


@pytest.fixture(scope="module")
def server(mariadb: Server, depot: Depot) -> Iterator[Server]:
    depot.into(mariadb)
    yield mariadb
    mariadb.run([f"DROP DATABASE {DATABASE}"])


@pytest.fixture(scope="module")
def url(dynamodb_local: Engine) -> str:
    return str(dynamodb_local.client.meta.endpoint_url)


def words(depot: Depot, state: Path, *more: str | Path) -> list[str | Path]:
    return ["load", depot.contract, "--snapshot", depot.snapshot, "--state", state, "--jobs", "1", *more]


def of_server(server: Server) -> list[str]:
    return ["--mysql", f"mysql://root@127.0.0.1:{server.port}/{DATABASE}"]


def stored(url: str, prefix: str) -> dict[str, list[str]]:
    """The text of every item of the tables with this prefix."""
    client, found = client_of(url), {}
    for table in TABLES:
        pages = client.get_paginator("scan").paginate(TableName=prefix + table)
        found[table] = sorted(item_text(item) for page in pages for item in page["Items"])
    return found


def due(depot: Depot) -> dict[str, list[str]]:
    """What the tables must hold, made by the builder that stage 4 uses, row by row."""
    from boto3.dynamodb.types import TypeSerializer

    snapshot = Snapshot.from_file(depot.snapshot)
    contract = Contract.model_validate_json(depot.contract.read_bytes())
    rows: dict[str, list[Row]] = {}
    for table, cells in DumpReader([(depot.dump, "data.sql")], snapshot.tables).rows():
        names = [column.name for column in snapshot.tables.table(table).columns]
        rows.setdefault(table, []).append(dict(zip(names, cells, strict=True)))

    def find(table: str, columns: tuple[str, ...], values: tuple[Cell, ...]) -> Row | None:
        return next((row for row in rows[table] if tuple(row[c] for c in columns) == values), None)

    found = {}
    for entry in contract.root:
        if entry.type == "Table":
            builder, items = ItemBuilder(entry, snapshot.tables), dict[Any, dict[str, Any]]()
            for row in sorted(rows[entry.source_table], key=lambda row: (row.get("shelf") or 0, row.get("nr") or 0)):
                try:
                    if not builder.applies(row) or item_size(item := builder.item(row, find)) > 409_600:
                        continue
                    number = 0
                    while entry.table == "visits" and item["digest"] in items:
                        item, number = builder.item(row, find, number + 1), number + 1
                except InputError:
                    continue
                items.setdefault(item[entry.pk] if entry.sk is None else (item[entry.pk], item[entry.sk]), item)
            wire = TypeSerializer().serialize
            found[entry.table] = sorted(item_text({k: wire(v) for k, v in item.items()}) for item in items.values())
    return found


SUMS = """\
makers: 5 rows = 5 items
parts: 140 rows = 138 items + 2 rejected; 1 of the items incomplete
parts_code_unique: 140 rows = 139 items + 1 rejected
parts_of_makers: 140 rows = 120 items + 20 filtered
slots: 40 rows = 40 items
visits: 34 rows = 34 items
6 tables: 499 rows = 476 items + 3 rejected + 20 filtered; 1 of the items incomplete
4 rows amiss: {rejects} says which, and why
"""


@pytest.mark.parametrize("origin", ["server", "dump"])
def test_every_row_has_its_item_or_a_reason(
    server: Server, depot: Depot, url: str, tmp_path: Path, origin: str
) -> None:
    rows = of_server(server) if origin == "server" else ["--data", str(depot.dump)]
    prefix = f"{origin}_"
    done = ddbmig(*words(depot, tmp_path, "--to", url, "--prefix", prefix, "--tolerance", "4", *rows))
    assert (done.code, done.err) == (0, "")
    assert done.out == SUMS.format(rejects=tmp_path / "rejects.jsonl")
    assert stored(url, prefix) == due(depot)
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    places = {nr: sum((k % 3, k) <= (nr % 3, nr) for k in range(1, PARTS + 1)) for nr in range(1, PARTS + 1)}
    if origin == "dump":
        places = {nr: nr for nr in places}
    assert {(r["entry"], r["row"], r["reason"], r["written"]) for r in rejects} == {
        ("parts", places[ORPHAN], "no row of makers to copy from", True),
        ("parts", places[LARGE], "the item is over 400 KB (parts)", False),
        ("parts", places[BEYOND], "a value cannot be encoded as float (rate)", False),
        ("parts_code_unique", places[SAME_CODE], "another row has the same key", False),
    }  # fmt: skip
    assert len({r["key"] for r in rejects}) == 4
    assert SECRET not in (tmp_path / "rejects.jsonl").read_text() + done.out


def test_rows_amiss_beyond_the_tolerance_fail_the_load_and_the_rest_is_loaded(
    depot: Depot, url: str, tmp_path: Path
) -> None:
    done = ddbmig(*words(depot, tmp_path, "--to", url, "--prefix", "beyond_", "--data", depot.dump, "--tolerance", "3"))
    assert done.code == 4
    assert stored(url, "beyond_") == due(depot)


def test_processes_and_small_chunks_change_nothing(
    server: Server, depot: Depot, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddbmig.load_sources.CHUNK_ROWS", 7)
    rows = of_server(server)
    for jobs in ("1", "2"):
        options = ("--to", url, "--prefix", f"jobs{jobs}_", "--tolerance", "4", *rows, "--jobs", jobs)
        done = ddbmig(*words(depot, tmp_path / jobs, *options))
        assert done.out == SUMS.format(rejects=tmp_path / jobs / "rejects.jsonl"), done.err
        assert stored(url, f"jobs{jobs}_") == due(depot)
    first, second = ((tmp_path / jobs / "rejects.jsonl").read_text() for jobs in ("1", "2"))
    assert first == second


def test_a_finished_load_is_told_again_and_repeated_when_asked(depot: Depot, url: str, tmp_path: Path) -> None:
    whole = words(depot, tmp_path, "--to", url, "--prefix", "again_", "--data", depot.dump, "--tolerance", "4")
    first = ddbmig(*whole)
    client = client_of(url)
    key = {"id": {"N": "1"}}
    client.delete_item(TableName="again_makers", Key=key)
    assert ddbmig(*whole).out == first.out
    assert "Item" not in client.get_item(TableName="again_makers", Key=key)
    assert ddbmig(*whole, "--restart").out == first.out
    assert stored(url, "again_") == due(depot)


def load(depot: Depot, state: Path, *more: str | Path) -> Done:
    return ddbmig(*words(depot, state, "--data", depot.dump, *more))


def test_nothing_is_written_over_items_that_are_not_ours(depot: Depot, url: str, tmp_path: Path) -> None:
    assert load(depot, tmp_path / "1", "--to", url, "--prefix", "ours_").code == 4
    other = load(depot, tmp_path / "2", "--to", url, "--prefix", "ours_")
    assert other.code == 2
    assert other.err == ("ddbmig: the table holds items that this load did not write (ours_makers); remove it, or name "
                         "others with --prefix\n")  # fmt: skip
    client = client_of(url)
    client.delete_table(TableName="ours_visits")
    gone = load(depot, tmp_path / "1", "--to", url, "--prefix", "ours_")
    assert "a table that this load had begun is gone (ours_visits); load everything again with --restart" in gone.err
    state = load(depot, tmp_path / "1", "--to", url, "--prefix", "theirs_")
    assert "holds the state of another load: another prefix" in state.err


def test_a_table_that_is_there_must_have_the_contract_s_keys(depot: Depot, url: str, tmp_path: Path) -> None:
    client = client_of(url)
    definitions: Any = {"BillingMode": "PAY_PER_REQUEST"}
    for name, key in (("keys_makers", "id"), ("keys_visits", "page")):
        kind: Any = {"AttributeDefinitions": [{"AttributeName": key, "AttributeType": "N" if key == "id" else "S"}]}
        client.create_table(
            TableName=name, KeySchema=[{"AttributeName": key, "KeyType": "HASH"}], **definitions, **kind
        )
    done = load(depot, tmp_path, "--to", url, "--prefix", "keys_")
    assert done.code == 2
    assert "the table is there with other keys than the contract's (keys_visits); expected digest" in done.err


def test_items_of_others_keep_their_unique_key(depot: Depot, url: str, tmp_path: Path) -> None:
    options = ("--to", url, "--prefix", "unique_", "--tolerance", "5")
    assert load(depot, tmp_path, *options).code == 0
    client = client_of(url)
    theirs: Any = {"code__key": {"S": "_code 0007"}, "shelf": {"N": "77"}, "nr": {"N": "7"}}
    client.put_item(TableName="unique_parts_code_unique", Item=theirs)
    done = load(depot, tmp_path, *options, "--restart")
    assert "parts_code_unique: 140 rows = 138 items + 2 rejected" in done.out
    assert "another item has this unique key already" in (tmp_path / "rejects.jsonl").read_text()
    kept = client.get_item(TableName="unique_parts_code_unique", Key={"code__key": {"S": "_code 0007"}})["Item"]
    assert kept["shelf"] == {"N": "77"}


def test_what_of_a_dump_cannot_be_read_is_counted_and_told(depot: Depot, url: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.sql"
    broken.write_text(depot.dump.read_text() + "INSERT INTO `makers` VALUES (6,'six'),(7,'seven',NULL);\n")
    done = ddbmig(*words(depot, tmp_path, "--to", url, "--prefix", "broken_", "--data", broken))
    assert "makers: 6 rows = 6 items" in done.out
    assert "broken.sql:" in done.out
    assert "5 rows amiss" in done.out
    assert "rows with another number of values than columns" in (tmp_path / "rejects.jsonl").read_text()


@pytest.mark.parametrize(("more", "said"), [
    ([], "name where the rows are; expected --mysql URL, or --data DUMP"),
    (["--mysql", "mysql://root:hunter2@127.0.0.1/depot"], "a password in the URL is refused"),
    (["--data", "nowhere.sql"], "nowhere.sql: no such file"),
    (["--mysql", "mysql://root@127.0.0.1:1/depot"], "nothing answers there"),
])  # fmt: skip
def test_one_line_says_what_is_wrong_with_the_source(
    depot: Depot, url: str, tmp_path: Path, more: list[str], said: str
) -> None:
    done = ddbmig(*words(depot, tmp_path, "--to", url, *more))
    assert done.code == 2
    assert said in done.err
    assert "hunter2" not in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "load.sqlite").exists()


@pytest.mark.parametrize(("change", "said"), [
    ("ALTER TABLE makers DROP COLUMN city", "lacks a column of the snapshot (makers.city)"),
    ("ALTER TABLE makers ADD COLUMN since DATE", "has a column that the snapshot lacks (makers.since)"),
    ("ALTER TABLE slots MODIFY tag INT", "a column has another type than in the snapshot (slots.tag)"),
    ("DROP TABLE visits", "the server has no such table (visits)"),
])  # fmt: skip
def test_a_server_that_has_changed_since_the_snapshot_is_not_loaded(
    mariadb: Server, depot: Depot, url: str, tmp_path: Path, change: str, said: str
) -> None:
    database = "changed_depot"
    statements = (depot.folder / "schema.sql").read_text().split(";\n")
    mariadb.run([f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database}"])
    mariadb.run([*filter(str.strip, statements), change], database)
    address = f"mysql://root@127.0.0.1:{mariadb.port}/{database}"
    done = ddbmig(*words(depot, tmp_path, "--to", url, "--prefix", "changed_", "--mysql", address))
    assert done.code == 2
    assert said in done.err
    mariadb.run([f"DROP DATABASE {database}"])


def test_a_contract_with_mistakes_is_not_loaded(depot: Depot, url: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(depot.contract.read_text().replace('"source_column": "city"', '"source_column": "town"'))
    done = ddbmig("load", wrong, "--snapshot", depot.snapshot, "--data", depot.dump, "--to", url, "--state", tmp_path)
    assert done.code == 2
    assert "makers has no column town" in done.err


def test_an_endpoint_beyond_this_machine_is_priced_and_waits_for_its_confirmation(depot: Depot, tmp_path: Path) -> None:
    address = "https://dynamodb.eu-west-1.amazonaws.com"
    done = load(depot, tmp_path, "--to", address)
    assert done.code == 2
    lines = done.err.splitlines()
    assert lines[0].startswith("dynamodb.eu-west-1.amazonaws.com: about ")
    assert lines[0].endswith(" write request units")
    assert lines[1].startswith("About $0.00 on demand in eu-west-1, storage apart")
    assert lines[2] == f"ddbmig: this endpoint is not on this machine ({address}); add --yes-this-is-not-local if " \
                       "tables may be created and filled there"  # fmt: skip


@pytest.mark.slow
def test_local_keeps_its_tables_and_the_load_can_go_on(depot: Depot, tmp_path: Path, dynamodb_local: Engine) -> None:
    assert dynamodb_local
    first = load(depot, tmp_path, "--to", "local", "--tolerance", "4")
    assert first.code == 0, first.err
    assert (tmp_path / "dynamodb-local" / "shared-local-instance.db").is_file()
    assert load(depot, tmp_path, "--to", "local", "--tolerance", "4").out == first.out
