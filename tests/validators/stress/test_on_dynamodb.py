"""The items in memory are held against DynamoDB Local: every order of two clients' calls ends alike on both."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

import pytest
from test_interleavings import COUNT, DROP, INSERT, MOVE, PLACE, RAISE, SELL, application

from ddbmig.loaders.endpoint import create_table
from ddbmig.validators.engines import Engine, open_engine
from ddbmig.validators.operations import Operations
from ddbmig.validators.stress.made_up import Access, World
from ddbmig.validators.stress.memory import Item
from ddbmig.validators.stress.stepping import Stepping

pytestmark = pytest.mark.engine
MOST_CALLS = 40
"""More than any of these clients makes."""


class RemoteClient(Stepping, Operations):
    """A client on a running DynamoDB."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine("jar") as opened:
        yield opened


def ended(trace: list[str], items: Mapping[str, Iterable[Item]], clients: dict[str, Stepping]) -> tuple[Any, ...]:
    """What can be compared: the calls, the items, and what the clients were told."""
    told = [(client.finished, client.answer.rows, client.answer.values) for client in clients.values()]
    return trace, {table: sorted(repr(sorted(i.items())) for i in kept) for table, kept in items.items()}, told


def drive(order: str, clients: dict[str, Stepping]) -> list[str]:
    """Let the clients make their calls in an order; a small letter repeats the last one."""
    trace = []
    for name in order:
        client = clients[name.upper()]
        call = client.repeat() if name.islower() else None if client.finished else client.advance()
        trace += [call] if call else []
    return trace


ORDERS = ["A" * MOST_CALLS + "B" * MOST_CALLS, "A" + "B" * MOST_CALLS + "A" * MOST_CALLS,
          "AA" + "B" * MOST_CALLS + "A" * MOST_CALLS, "AaB" + "A" * MOST_CALLS + "B" * MOST_CALLS,
          "AAa" + "A" * MOST_CALLS + "B" * MOST_CALLS]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [(MOVE, MOVE), (INSERT, INSERT), (SELL, RAISE), (COUNT, COUNT), (PLACE, DROP), (MOVE, INSERT), (RAISE, DROP)],
)
def test_every_order_ends_as_on_dynamodb_local(engine: Engine, one: str, other: str) -> None:
    snapshot, alternative = application(*dict.fromkeys((one, other)))
    world, patterns = World(snapshot, alternative), {p.sql: p for p in snapshot.patterns}
    plans = {plan.pattern: plan for plan in alternative.plans}
    accesses = [Access(patterns[sql], plans[patterns[sql].id]) for sql in (one, other)]
    remote = Operations(engine.client, alternative.tables, world.builders, snapshot.tables, engine.prefix)
    for table in alternative.tables:
        create_table(engine.client, table, engine.prefix + table.name)
    try:
        for order, (a, b) in product(ORDERS, (accesses, accesses[::-1])):
            items = world.items()
            near: dict[str, Stepping] = {"A": world.client("A", a, 2, items), "B": world.client("B", b, 3, items)}
            expected = ended(drive(order, near), {name: kept.values() for name, kept in items.items()}, near)
            far = clients(world, remote, engine, (a, b))
            fill(remote, world)
            trace = drive(order, far)
            left = {table.name: list(remote.scan(table)) for table in alternative.tables}
            assert ended(trace, left, far) == expected
    finally:
        for table in alternative.tables:
            engine.client.delete_table(TableName=engine.prefix + table.name)


def clients(world: World, remote: Operations, engine: Engine, accesses: tuple[Access, Access]) -> dict[str, Stepping]:
    found: dict[str, Stepping] = {}
    for name, number, access in zip("AB", (2, 3), accesses, strict=True):
        client = RemoteClient(engine.client, world.alternative.tables, world.builders, world.schema, engine.prefix)
        world.begin(client, name, access, number)
        found[name] = client
    return found


def fill(remote: Operations, world: World) -> None:
    """The made-up rows, and nothing else."""
    for table in world.alternative.tables:
        for there in list(remote.scan(table)):
            key = {name: there[name] for name in table.keys}
            remote._client.delete_item(TableName=remote._prefix + table.name, Key=remote.wire(key))
        for item in world.items()[table.name].values():
            remote._client.put_item(TableName=remote._prefix + table.name, Item=remote.wire(item))
