"""One door to DynamoDB, whatever stands behind it."""

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ddbmig.model.errors import UsageError
from ddbmig.validators import docker_engine, dynamodb_local, engines, java_server
from ddbmig.validators.engines import Engine, examine, is_loopback, open_engine
from ddbmig.validators.unavailable import EngineUnavailable


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> java_server.Java:
        raise EngineUnavailable("there is no Java")

    monkeypatch.setattr(java_server, "find_java", missing)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port nobody listens on: bound, not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def create_table(engine: Engine) -> str:
    """A table with a GSI of two hash and two range attributes; its name."""
    name = f"engines-{uuid.uuid4().hex}"
    engine.client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "a", "b", "c", "d")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_a_b",
                "KeySchema": [
                    {"AttributeName": "a", "KeyType": "HASH"},
                    {"AttributeName": "b", "KeyType": "HASH"},
                    {"AttributeName": "c", "KeyType": "RANGE"},
                    {"AttributeName": "d", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return name


@pytest.mark.engine
def test_an_index_may_have_keys_of_several_attributes(dynamodb_local: Engine) -> None:
    table, client = create_table(dynamodb_local), dynamodb_local.client
    for number in range(3):
        item = {"pk": f"p{number}", "a": "x", "b": "y", "c": f"c{number}", "d": "z"}
        client.put_item(TableName=table, Item={key: {"S": value} for key, value in item.items()})
    found = client.query(
        TableName=table,
        IndexName="by_a_b",
        KeyConditionExpression="#a = :a AND #b = :b AND #c > :c",
        ExpressionAttributeNames={"#a": "a", "#b": "b", "#c": "c"},
        ExpressionAttributeValues={":a": {"S": "x"}, ":b": {"S": "y"}, ":c": {"S": "c0"}},
    )
    assert [item["pk"]["S"] for item in found["Items"]] == ["p1", "p2"]


@pytest.mark.engine
def test_the_jar_is_named_with_its_version(dynamodb_local: Engine) -> None:
    assert dynamodb_local.name == f"DynamoDB Local {dynamodb_local_version()} (jar)"
    assert dynamodb_local.kind == "jar"
    assert dynamodb_local.marked is None


def dynamodb_local_version() -> str:
    return dynamodb_local.read_lock().version


@pytest.mark.engine
def test_neighbours_do_not_see_what_is_loaded(dynamodb_local: Engine) -> None:
    table = create_table(dynamodb_local)
    assert table in dynamodb_local.client.list_tables()["TableNames"]
    with open_engine("endpoint", endpoint=dynamodb_local.client.meta.endpoint_url) as neighbour:
        assert table not in neighbour.client.list_tables()["TableNames"]


@pytest.mark.engine
def test_a_named_loopback_endpoint_is_used_by_auto(dynamodb_local: Engine) -> None:
    url = dynamodb_local.client.meta.endpoint_url
    with open_engine("auto", endpoint=url) as engine:
        assert (engine.kind, engine.name, engine.marked) == ("endpoint", f"endpoint {url}", None)
        engine.client.list_tables()


@pytest.mark.usefixtures("no_docker", "no_java")
def test_auto_falls_back_to_moto_and_says_why(tmp_path: Path) -> None:
    with open_engine("auto", cache=tmp_path) as engine:
        create_table(engine)
    assert engine.kind == "moto"
    assert engine.name.startswith("moto ")
    assert engine.marked is not None
    assert "docker: no Docker daemon answers; jar: there is no Java" in engine.marked
    assert engines.GET_REAL in engine.marked
    assert "\n" not in engine.marked
    assert str(tmp_path) not in engine.marked


def test_moto_ignores_the_profile_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "a-profile-that-is-not-there")
    with open_engine("moto") as engine:
        create_table(engine)
    assert engine.marked is not None
    assert os.environ["AWS_PROFILE"] == "a-profile-that-is-not-there"


@pytest.mark.usefixtures("no_docker", "no_java")
@pytest.mark.parametrize(("choice", "reason"), [("docker", "no Docker daemon answers"), ("jar", "there is no Java")])
def test_a_chosen_engine_is_not_replaced_by_another(choice: engines.Choice, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=reason), open_engine(choice, cache=tmp_path):
        pass


@pytest.mark.usefixtures("no_docker")
def test_a_damaged_cache_stops_auto(tmp_path: Path) -> None:
    lock = dynamodb_local.read_lock()
    folder = dynamodb_local._maven_folder(tmp_path, lock)
    folder.mkdir()
    for name in lock.files:
        (folder / name).write_bytes(b"something else")
    with pytest.raises(UsageError, match=r"has SHA-256 [0-9a-f]{12}…; expected") as raised:
        open_engine("auto", cache=tmp_path).__enter__()
    assert not isinstance(raised.value, EngineUnavailable)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (None, "none is named"),
        ("ftp://localhost:1", "no plain address"),
        ("localhost:8000", "no plain address"),
        ("http://", "no plain address"),
        ("http://localhost:0", "no plain address"),
        ("http://localhost:99999", "no plain address"),
        ("http://localhost:8000/path", "no plain address"),
        ("http://localhost:8000?x=1", "no plain address"),
        ("http://user:secret@localhost:8000", "no plain address"),
        ("http://[::1", "no plain address"),
        ("http://dynamodb.example:8000", "not on this machine"),
        ("https://dynamodb.eu-west-1.amazonaws.com", "not on this machine"),
    ],
)
def test_endpoints_that_are_refused(endpoint: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised, open_engine("endpoint", endpoint=endpoint):
        pass
    assert "secret" not in str(raised.value)


def test_an_endpoint_that_does_not_answer(silent_port: int) -> None:
    url = f"http://127.0.0.1:{silent_port}"
    with pytest.raises(UsageError, match="does not answer as DynamoDB"), open_engine("endpoint", endpoint=url):
        pass


def test_an_endpoint_that_is_something_else() -> None:
    class Greeting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Greeting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(UsageError, match="does not answer as DynamoDB"), open_engine("auto", endpoint=url):
            pass
        server.shutdown()


def test_an_endpoint_beside_another_choice() -> None:
    with (
        pytest.raises(UsageError, match="the engine is to be moto"),
        open_engine("moto", endpoint="http://localhost:1"),
    ):
        pass


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104 - it is refused
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("", False),
    ],
)
def test_what_is_this_machine(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://dynamodb.eu-west-1.amazonaws.com", "eu-west-1"),
        ("https://dynamodb.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("https://123456789012.ddb.ap-south-1.amazonaws.com", "ap-south-1"),
        ("https://vpce-1.dynamodb.us-east-2.vpce.amazonaws.com", "us-east-2"),
        ("https://dynamodb.eu-central-1.api.aws", "eu-central-1"),
        ("https://store.example", "ca-central-1"),
    ],
)
def test_a_remote_endpoint_is_signed_for_its_region(url: str, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-environment")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ca-central-1")
    client = engines._remote_client(url)
    assert client.meta.region_name == region


@pytest.mark.usefixtures("no_docker", "no_java")
def test_what_is_available_says_how_to_get_the_rest(tmp_path: Path) -> None:
    health = examine(cache=tmp_path)
    found = {each.kind: (each.available, each.detail) for each in health.engines}
    assert (health.real, health.auto) == (False, "moto")
    assert health.advice.startswith("No real DynamoDB: only moto, a simulation, can be had; install Java 17")
    assert list(found) == ["endpoint", "docker", "jar", "moto"]
    assert found["docker"] == (False, "no Docker daemon answers; start Docker")
    assert found["jar"] == (False, "there is no Java")
    assert found["moto"][0] is True


def test_available_fetches_nothing(tmp_path: Path) -> None:
    examine(cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_docker", "no_java")
@pytest.mark.engine
def test_an_endpoint_that_answers_is_a_real_one(dynamodb_local: Engine, silent_port: int, tmp_path: Path) -> None:
    url = dynamodb_local.client.meta.endpoint_url
    found = examine(url, cache=tmp_path)
    assert (found.engines[0].available, found.engines[0].detail) == (True, f"{url} answers as DynamoDB")
    assert (found.real, found.advice) == (True, "Stage 4 runs on the endpoint where it is named.")
    silent = examine(f"http://127.0.0.1:{silent_port}", cache=tmp_path)
    assert (silent.engines[0].available, silent.real) == (False, False)
    with pytest.raises(UsageError, match="this endpoint is not on this machine"):
        examine("https://dynamodb.example.com", cache=tmp_path)


@pytest.mark.parametrize(("installed", "real", "auto"), [((), False, None), (("moto",), False, "moto"),
                                                         (("jar", "moto"), True, "jar"),
                                                         (("docker", "jar"), True, "docker")])  # fmt: skip
def test_what_stage_4_would_run_on(installed: tuple[str, ...], real: bool, auto: str | None) -> None:
    kinds: tuple[engines.Kind, ...] = ("endpoint", "docker", "jar", "moto")
    found = engines.Health(
        tuple(engines.Availability(kind, kind in ("endpoint", *installed), "a detail") for kind in kinds)
    )
    assert (found.real, found.auto) == (real, auto)
    assert found.data() == {
        "engines": [{"kind": one.kind, "available": one.available, "detail": "a detail"} for one in found.engines],
        "auto": auto, "real": real, "advice": found.advice,
    }  # fmt: skip


def test_where_a_container_may_answer() -> None:
    settings = {
        "Ports": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}]},
        "Networks": {"bridge": {"IPAddress": "172.17.0.2"}, "none": {"IPAddress": ""}},
    }
    assert docker_engine.addresses(settings, "127.0.0.1") == [("127.0.0.1", 32768), ("172.17.0.2", 8000)]
    assert docker_engine.addresses({"Ports": {}, "Networks": None}, "127.0.0.1") == []


@pytest.mark.parametrize(
    ("docker_host", "host"),
    [("", None), ("unix:///run/docker.sock", None), ("tcp://docker:2375", "docker"), ("ssh://me@far", "far")],
)
def test_where_the_daemon_is(docker_host: str, host: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", docker_host)
    assert docker_engine.remote_host() == host
