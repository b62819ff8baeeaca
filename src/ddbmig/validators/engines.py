"""Which DynamoDB a design is run on: one door to a named endpoint, a container, the jar, or moto.

`auto` takes the first that can be had, in this order; whatever only moto can answer for is marked as such.
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, urlsplit

from ddbmig.model.errors import DdbmigError, UsageError
from ddbmig.validators import docker_engine, dynamodb_local, java_server
from ddbmig.validators.run_tables import PREFIX, own_tables
from ddbmig.validators.signals import unwinding
from ddbmig.validators.unavailable import EngineUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Choice = Literal["auto", "endpoint", "docker", "jar", "moto"]
Kind = Literal["endpoint", "docker", "jar", "moto"]
REGION = "us-east-1"
KEY = "ddbmig"
"""For the key and its secret: DynamoDB Local wants credentials and checks none."""
CREATING = "tables may be created and filled there"
"""What the confirmation of an endpoint beyond this machine allows."""
GET_REAL = "install Java 17 and Maven, or start Docker, or name one with --endpoint"


@dataclass(frozen=True)
class Engine:
    """A DynamoDB that answers now. `marked` is the warning for every report page where it is not the real thing."""

    name: str
    kind: Kind
    client: "DynamoDBClient"
    marked: str | None = None
    prefix: str = PREFIX
    """Begins the names of the tables that are made there. A server of our own has a database for us alone."""


@dataclass(frozen=True)
class Availability:
    """Whether a kind of engine can be had on this machine; `detail` says what it would be, or how to get it."""

    kind: Kind
    available: bool
    detail: str
    named: bool = False
    """It is an endpoint that was asked about."""


@contextmanager
def open_engine(
    choice: Choice, *, endpoint: str | None = None, allow_remote: bool = False, cache: Path | None = None
) -> Iterator[Engine]:
    """Open an engine for the length of a `with` block; whatever was started for it is stopped after it.

    `auto` with a named `endpoint` means that endpoint. Endpoints beyond this machine need `allow_remote`; they get
    the credentials and the region of the environment, all others get dummies. `cache` is the folder for fetched
    files (default: `dynamodb_local.cache_folder()`).

    Raises UsageError where the chosen engine cannot be had (EngineUnavailable), where an endpoint is not named, not
    allowed or does not answer, and where a fetched file is not what its lock says.
    """
    folder = cache or dynamodb_local.cache_folder()
    choice = settled(choice, endpoint, allow_remote)
    with ExitStack() as stack:
        stack.enter_context(unwinding())
        if choice == "endpoint":
            yield _endpoint(stack, endpoint, allow_remote, folder)
        elif choice == "auto":
            yield _first(stack, folder)
        else:
            yield _OPENERS[choice](stack, folder)


def settled(choice: Choice, endpoint: str | None, allow_remote: bool) -> Choice:
    """The choice that the options of `open_engine` come to; asks nobody.

    Raises UsageError where they contradict each other, or where the endpoint is not named, no address or not allowed.
    """
    if choice == "auto" and endpoint:
        choice = "endpoint"
    if endpoint and choice != "endpoint":
        raise UsageError(f"an endpoint is named, but the engine is to be {choice}", hint="leave one of the two out")
    if choice == "endpoint":
        _allowed(endpoint, allow_remote)
    return choice


@contextmanager
def local_tables(folder: Path, cache: Path | None = None) -> Iterator[str]:
    """Run DynamoDB Local on the tables that it keeps in a folder, for the length of a `with` block; gives its URL.

    Raises EngineUnavailable where it cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    java = java_server.find_java()
    installation = dynamodb_local.install(cache or dynamodb_local.cache_folder())
    with unwinding(), java_server.running(installation, java, folder) as url:
        yield url


def checked_endpoint(endpoint: str, allow_remote: bool, purpose: str) -> str:
    """The address of an endpoint that has answered; `purpose` is what the confirmation allows, as in `_allowed`.

    Raises UsageError where it is no address, is beyond this machine and not allowed, or does not answer.
    """
    url, local = _allowed(endpoint, allow_remote, purpose)
    _check_answers(url, local)
    return url


def client_of(url: str, **settings: Any) -> "DynamoDBClient":
    """A client of a checked endpoint: with dummy credentials on this machine, with the environment's beyond it."""
    local = is_loopback(urlsplit(url).hostname or "")
    return _local_client(url, **settings) if local else _remote_client(url, **settings)


@dataclass(frozen=True)
class Health:
    """What `ddbmig doctor` found, in the order in which `auto` looks for an engine."""

    engines: tuple[Availability, ...]

    @property
    def auto(self) -> Kind | None:
        """What `auto` takes; None where there is nothing at all."""
        return next((one.kind for one in self.engines if one.available and one.kind != "endpoint"), None)

    @property
    def real(self) -> bool:
        """Whether designs can be run on a real DynamoDB Local, or on the endpoint that was asked about."""
        asked = any(one.available and one.named for one in self.engines)
        return asked or self.auto in ("docker", "jar")

    @property
    def advice(self) -> str:
        """One sentence: what stage 4 runs on, or what is missing."""
        if self.real and self.auto not in ("docker", "jar"):
            return "Stage 4 runs on the endpoint where it is named."
        if self.real:
            return f"Stage 4 runs on the {self.auto} engine unless --engine says otherwise."
        only = "only moto, a simulation, can be had" if self.auto else "no engine can be had"
        return f"No real DynamoDB: {only}; {GET_REAL}."

    def data(self) -> dict[str, Any]:
        """All of it as plain data, for JSON."""
        engines = [{"kind": one.kind, "available": one.available, "detail": one.detail} for one in self.engines]
        return {"engines": engines, "auto": self.auto, "real": self.real, "advice": self.advice}


def examine(endpoint: str | None = None, allow_remote: bool = False, cache: Path | None = None) -> Health:
    """What `open_engine` could open here, and whether a named endpoint answers. Starts and fetches nothing.

    Raises UsageError for an endpoint that is no address, or not allowed.
    """
    folder = cache or dynamodb_local.cache_folder()
    return Health(
        (
            _endpoint_health(endpoint, allow_remote),
            _probe("docker", _docker_detail),
            _probe("jar", lambda: _jar_detail(folder)),
            _probe("moto", _moto_version),
        )
    )


def _endpoint_health(endpoint: str | None, allow_remote: bool) -> Availability:
    if endpoint is None:
        return Availability("endpoint", True, "any address that speaks DynamoDB: --endpoint URL")
    url, local = _allowed(endpoint, allow_remote)

    def detail() -> str:
        _check_answers(url, local)
        return f"{url} answers as DynamoDB"

    return replace(_probe("endpoint", detail), named=True)


def _first(stack: ExitStack, folder: Path) -> Engine:
    """The first engine that can be had; moto bears the reasons why it is not another."""
    reasons = []
    for kind in ("docker", "jar"):
        try:
            return _OPENERS[kind](stack, folder)
        except EngineUnavailable as unavailable:
            reasons.append(f"{kind}: {unavailable.message}")
    return _moto(stack, "; ".join(reasons))


def _docker(stack: ExitStack, _: Path) -> Engine:
    version, url = stack.enter_context(docker_engine.running())
    return Engine(f"DynamoDB Local {version} (docker)", "docker", _private_client(url))


def _jar(stack: ExitStack, folder: Path) -> Engine:
    java = java_server.find_java()
    installation = dynamodb_local.install(folder)
    url = stack.enter_context(java_server.running(installation, java))
    return Engine(f"DynamoDB Local {installation.version} (jar)", "jar", _private_client(url))


def _moto(stack: ExitStack, reasons: str = "it was asked for") -> Engine:
    version = _moto_version()
    from moto import mock_aws  # an extra, and heavy

    stack.enter_context(_no_profile())
    stack.enter_context(mock_aws())
    marked = f"Run on moto, a simulation, not on DynamoDB Local ({reasons}). To get the real one: {GET_REAL}."
    return Engine(f"moto {version} (in-process)", "moto", _local_client(None), marked)


@contextmanager
def _no_profile() -> Iterator[None]:
    """Hide the user's AWS profile: moto's own sessions would look for it, and fail where it is not."""
    names = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


_OPENERS: dict[str, Callable[[ExitStack, Path], Engine]] = {
    "docker": _docker,
    "jar": _jar,
    "moto": lambda stack, _: _moto(stack),
}


def _endpoint(stack: ExitStack, endpoint: str | None, allow_remote: bool, folder: Path) -> Engine:
    """The engine behind a named address, once it has answered; our tables there go when the stack unwinds."""
    url, local = _allowed(endpoint, allow_remote)
    _check_answers(url, local)
    client = _local_client(url) if local else _remote_client(url)
    prefix = stack.enter_context(own_tables(client, folder))
    return Engine(f"endpoint {url}", "endpoint", client, prefix=prefix)


def _allowed(endpoint: str | None, allow_remote: bool, purpose: str = CREATING) -> tuple[str, bool]:
    """The address of an endpoint, and whether it is this machine's. Raises UsageError where it must not be used."""
    if not endpoint:
        raise UsageError("the engine is to be an endpoint, but none is named", hint="name it with --endpoint URL")
    parts = _address(endpoint)
    url = f"{parts.scheme}://{parts.netloc}"
    local = is_loopback(parts.hostname or "")
    if not local and not allow_remote:
        hint = f"add --yes-this-is-not-local if {purpose}"
        raise UsageError("this endpoint is not on this machine", subject=url, hint=hint)
    return url, local


def _address(endpoint: str) -> SplitResult:
    """The parts of an http(s) address without user, path and query. Never repeats what may hold a password."""
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.path not in {"", "/"} or parts.query:
        raise UsageError("the endpoint is no plain address", expected="http://HOST:PORT or https://HOST")
    return parts


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name: localhost, 127.0.0.0/8 or ::1. Asks no name server."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _check_answers(url: str, local: bool) -> None:
    """List tables once, without patience."""
    from botocore.exceptions import BotoCoreError, ClientError

    impatient: dict[str, Any] = {"connect_timeout": 5, "read_timeout": 15, "retries": {"total_max_attempts": 1}}
    try:
        client = _local_client(url, **impatient) if local else _remote_client(url, **impatient)
        client.list_tables(Limit=1)
    except (BotoCoreError, ClientError) as error:
        refused = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        hint = "start it, or check address, credentials and region"
        raise UsageError(f"the endpoint does not answer as DynamoDB ({refused})", subject=url, hint=hint) from error


def _private_client(url: str) -> "DynamoDBClient":
    """A client of a server we have started.

    DynamoDB Local listens on every address of the machine and checks no credentials, but each access key has a
    database of its own: a key nobody knows keeps the loaded rows from the neighbours.
    """
    return _local_client(url, secrets.token_hex(10))


def _local_client(url: str | None, key: str = KEY, **settings: Any) -> "DynamoDBClient":
    """A client with dummy credentials that reads neither the user's AWS profile nor proxy settings."""
    import boto3
    import botocore.session

    nothing = dict.fromkeys(("profile", "config_file", "credentials_file", "ca_bundle"), (None, None, None, None))
    session = boto3.session.Session(key, key, botocore_session=botocore.session.Session(session_vars=nothing))
    return session.client("dynamodb", endpoint_url=url, region_name=REGION, config=_config(proxies={}, **settings))


def _remote_client(url: str, **settings: Any) -> "DynamoDBClient":
    """A client with the credentials of the environment; the region is the address's own, else the environment's."""
    import boto3

    session = boto3.session.Session()
    region = region_of(url) or session.region_name or REGION
    return session.client("dynamodb", endpoint_url=url, region_name=region, config=_config(**settings))


def region_of(url: str) -> str | None:
    """The region that the address of an endpoint of AWS names."""
    found = re.search(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:vpce\.)?(?:amazonaws|api\.aws)", url)
    return found[1] if found else None


def _config(**settings: Any) -> Any:
    from botocore.config import Config

    merged: dict[str, Any] = {"retries": {"mode": "standard"}, "max_pool_connections": 16} | settings
    return Config(**merged)


def _probe(kind: Kind, detail: Callable[[], str]) -> Availability:
    try:
        return Availability(kind, True, detail())
    except DdbmigError as error:
        return Availability(kind, False, "; ".join(filter(None, (error.message, error.hint))))


def _docker_detail() -> str:
    with docker_engine.daemon() as client:
        here = docker_engine.has_image(client)
    return f"{docker_engine.IMAGE} {'is here' if here else 'would be pulled'}"


def _jar_detail(folder: Path) -> str:
    java = java_server.find_java()
    by = "by Maven" if dynamodb_local.maven() else "from AWS"
    state = "in the cache" if dynamodb_local.installed(folder) else f"to be fetched {by} on first use"
    return f"DynamoDB Local {dynamodb_local.read_lock().version}, {state}; Java {java.major} ({java.origin})"


def _moto_version() -> str:
    try:
        import moto  # an extra
    except ImportError as error:
        fact = "the Python package moto is not installed"
        raise EngineUnavailable(fact, hint="pip install 'ddbmig[local]'") from error
    return moto.__version__
