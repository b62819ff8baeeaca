"""`ddbmig load --export`: the parts hold the items that a load into DynamoDB writes, and the same bytes every time."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ddbmig.analyzers.zstd import ZstandardStream
from ddbmig.load_parts import MOST_PARTS
from ddbmig.load_sources import chunk_rows
from ddbmig.loaders.dynamodb_json import checksum, item_text, wire_item
from ddbmig.validators.engines import Engine, client_of
from depot import SECRET, Depot, write_depot
from small_shop import Done, ddbmig

TABLES = ("makers", "parts", "parts_code_unique", "parts_of_makers", "slots", "visits")


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory) -> Depot:
    return write_depot(tmp_path_factory.mktemp("depot"))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part has seven items at most."""
    monkeypatch.setattr("ddbmig.load_sources.CHUNK_ROWS", 7)


def load(depot: Depot, state: Path, *more: str | Path) -> Done:
    options = ("--snapshot", depot.snapshot, "--data", depot.dump, "--state", state, "--tolerance", "4")
    return ddbmig("load", depot.contract, *options, "--jobs", "1", *more)


def unpacked(part: Path) -> bytes:
    if part.suffix == ".gz":
        return gzip.decompress(part.read_bytes())
    with part.open("rb") as stored:
        return ZstandardStream(stored).readall() or b""


def items_of(folder: Path) -> list[str]:
    """The texts of the items of a table's parts, sorted."""
    lines = [line for part in folder.glob("data/*") for line in unpacked(part).splitlines()]
    return sorted(item_text(wire_item(json.dumps(json.loads(line)["Item"]))) for line in lines)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.engine
@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_parts_hold_the_items_that_a_load_into_dynamodb_writes(
    depot: Depot, dynamodb_local: Engine, tmp_path: Path, compression: str
) -> None:
    url, prefix = str(dynamodb_local.client.meta.endpoint_url), f"beside_{compression}_"
    into = load(depot, tmp_path / "into", "--to", url, "--prefix", prefix)
    done = load(depot, tmp_path / "state", "--export", tmp_path / "parts", "--compression", compression)
    assert (done.code, done.err) == (0, "")
    assert done.out.replace(str(tmp_path / "state"), str(tmp_path / "into")).startswith(into.out)
    assert done.out.splitlines()[-1] == f"The parts are in {tmp_path / 'parts'}, with import-table.json for each table"
    for table in TABLES:
        pages = client_of(url).get_paginator("scan").paginate(TableName=prefix + table)
        there = sorted(item_text(item) for page in pages for item in page["Items"])
        assert items_of(tmp_path / "parts" / table) == there
        totals = json.loads((tmp_path / "parts" / table / "totals.json").read_bytes())
        sums = sum(checksum(text.encode()) for text in there) % 2**64
        assert (totals["items"], totals["checksum"]) == (len(there), f"{sums:016x}")
        parts = list((tmp_path / "parts" / table / "data").iterdir())
        assert totals["objects"] == len(parts)
        assert totals["object_bytes"] == sum(part.stat().st_size for part in parts)
        assert max(len(unpacked(part).splitlines()) for part in parts) <= 7
    assert SECRET not in str(sorted(files(tmp_path / "parts")))


def test_the_bytes_are_the_same_with_more_processes_and_from_a_second_run(depot: Depot, tmp_path: Path) -> None:
    for number, jobs in enumerate(("1", "2")):
        done = load(depot, tmp_path / f"state{number}", "--export", tmp_path / str(number), "--jobs", jobs)
        assert done.code == 0, done.err
    found = files(tmp_path / "0")
    assert found == files(tmp_path / "1")
    again = load(depot, tmp_path / "state0", "--export", tmp_path / "0")
    assert (again.code, files(tmp_path / "0")) == (0, found)


def test_items_of_neighbouring_rows_are_not_side_by_side(depot: Depot, tmp_path: Path) -> None:
    load(depot, tmp_path / "state", "--export", tmp_path / "parts")
    first = next((tmp_path / "parts" / "slots" / "data").glob("*-000000000001.json.gz"))
    numbers = [int(json.loads(line)["Item"]["nr"]["N"]) for line in unpacked(first).splitlines()]
    assert sorted(numbers) == list(range(7))
    assert numbers != sorted(numbers)
    names = sorted(path.name for path in (tmp_path / "parts" / "parts" / "data").iterdir())
    assert [name.partition("-")[2] for name in names] != sorted(name.partition("-")[2] for name in names)


def checked_request(folder: Path) -> Mapping[str, Any]:
    """A request, held against the parameters that the AWS SDK knows."""
    from botocore.session import get_session
    from botocore.validate import ParamValidator

    request: dict[str, Any] = json.loads((folder / "import-table.json").read_bytes())
    shape: Any = get_session().get_service_model("dynamodb").operation_model("ImportTable").input_shape
    assert not (report := ParamValidator().validate(request, shape)).has_errors(), report.generate_report()
    known = set(shape.members["TableCreationParameters"].members)
    assert set(request["TableCreationParameters"]) <= known
    return request


def test_the_request_of_a_table_makes_it_as_the_load_would(depot: Depot, tmp_path: Path) -> None:
    options = ("--prefix", "shop_", "--s3", "s3://moving/2026/", "--compression", "zstd")
    assert load(depot, tmp_path / "state", "--export", tmp_path / "parts", *options).code == 0
    request = checked_request(tmp_path / "parts" / "shop_parts")
    assert request["S3BucketSource"] == {"S3Bucket": "moving", "S3KeyPrefix": "2026/shop_parts/data/"}
    assert (request["InputFormat"], request["InputCompressionType"]) == ("DYNAMODB_JSON", "ZSTD")
    made = request["TableCreationParameters"]
    assert (made["TableName"], made["BillingMode"]) == ("shop_parts", "PAY_PER_REQUEST")
    assert [key["AttributeName"] for key in made["KeySchema"]] == ["shelf", "nr"]
    (index,) = made["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == ("parts_by_maker", {"ProjectionType": "KEYS_ONLY"})
    assert (
        "GlobalSecondaryIndexes" not in checked_request(tmp_path / "parts" / "shop_makers")["TableCreationParameters"]
    )


def test_without_a_bucket_the_request_says_where_its_name_goes(depot: Depot, tmp_path: Path) -> None:
    load(depot, tmp_path / "state", "--export", tmp_path / "parts")
    source = checked_request(tmp_path / "parts" / "makers")["S3BucketSource"]
    assert source == {"S3Bucket": "BUCKET", "S3KeyPrefix": "makers/data/"}


def test_what_a_stopped_load_left_beyond_its_mark_is_taken_away(depot: Depot, tmp_path: Path) -> None:
    assert load(depot, tmp_path / "state", "--export", tmp_path / "parts").code == 0
    found = files(tmp_path / "parts")
    stray = tmp_path / "parts" / "parts" / "data" / "0a0b0c-000000000999.json.gz"
    stray.write_bytes(b"of rows that are gone")
    assert load(depot, tmp_path / "state", "--export", tmp_path / "parts").code == 0
    assert files(tmp_path / "parts") == found


def test_parts_of_another_load_are_not_mixed_with_ours(depot: Depot, tmp_path: Path) -> None:
    assert load(depot, tmp_path / "1", "--export", tmp_path / "parts").code == 0
    found = files(tmp_path / "parts")
    done = load(depot, tmp_path / "2", "--export", tmp_path / "parts")
    assert (done.code, files(tmp_path / "parts")) == (2, found)
    assert "the folder holds parts that this load did not write; remove them, or name another folder with" in done.err
    assert load(depot, tmp_path / "1", "--export", tmp_path / "parts", "--restart").code == 0
    assert files(tmp_path / "parts") == found


@pytest.mark.parametrize(("more", "said"), [
    ([], "name where the items go; expected --to local|URL, or for files --export FOLDER"),
    (["--to", "local", "--export", "parts"], "name where the items go; expected"),
    (["--export", "parts", "--s3", "moving/2026"], "no address of S3 (moving/2026); expected s3://bucket"),
    (["--export", "parts", "--s3", "s3://"], "no address of S3 (s3://); expected s3://bucket"),
])  # fmt: skip
def test_one_line_says_what_is_wrong_with_the_ends(
    depot: Depot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = load(depot, tmp_path / "state", *more)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err
    assert not (tmp_path / "parts").exists()


def test_tables_of_any_number_of_rows_fit_into_one_request() -> None:
    for rows in (0, 10**6, 10**9, 10**10):
        for size in (0, 200, 400_000):
            assert rows / chunk_rows(size, rows) < MOST_PARTS
