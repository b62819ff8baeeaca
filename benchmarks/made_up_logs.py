"""Query logs of a made-up application, from a seed, for the benchmarks: hundreds of templates, every literal another.

Sixty tables with one foreign key each, 64 connections, 2,000 statements a second. A third of the work is transactions;
there are IN lists, rows of many values, long texts with quotes and newlines in them, N+1 runs, and hot customers.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

Kind = Literal["slow", "general"]
TABLES, CONNECTIONS, PACE_US = 60, 64, 500
BEGIN = datetime(2026, 11, 22, 10, tzinfo=UTC)
HEADER = (
    "/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:\n"
    "Tcp port: 3306  Unix socket: /tmp/m.sock\nTime                 Id Command    Argument\n"
)
WORDS = [
    "order",
    "it's",
    "blue",
    'a "quoted" word',
    "line\nbreak",
    "naïve",
    "back\\slash",
    "# Time: 1",
    "x",
    "shipment",
]
COLUMNS = ["name", "state", "total", "created_at", "note", "ref_id"]


@dataclass(frozen=True)
class Asked:
    """One statement of the made-up application and the rows it sends."""

    sql: str
    rows: int = 1


def write_log(path: Path, kind: Kind, size: int, seed: int) -> int:
    """Write a log of about `size` bytes; the number of events in it."""
    notation = _slow if kind == "slow" else _general
    written, events, now = 0, 0, BEGIN
    with path.open("w", encoding="utf-8") as out:
        written += out.write(HEADER if kind == "slow" else HEADER + _connects())
        for connection, asked in _traffic(random.Random(seed)):
            now += timedelta(microseconds=PACE_US)
            written += out.write(notation(now, connection, asked, events))
            events += 1
            if written >= size:
                return events + (CONNECTIONS if kind == "general" else 0)
    raise AssertionError("the traffic never ends")


def _connects() -> str:
    at = f"{BEGIN:%Y-%m-%dT%H:%M:%S.%f}Z"
    return "".join(f"{at}\t{8 + n:5} Connect\tapp@10.0.0.{n} on shop using TCP/IP\n" for n in range(CONNECTIONS))


def _slow(now: datetime, connection: int, asked: Asked, number: int) -> str:
    use = "use shop;\n" if number == 0 else ""
    took = (number * 7919 % 9973) ** 2 % 40_000 + 40
    return (
        f"# Time: {now:%Y-%m-%dT%H:%M:%S.%f}Z\n# User@Host: app[app] @  [10.0.0.{connection}]  Id: {8 + connection:5}\n"
        f"# Query_time: 0.{took:06}  Lock_time: 0.000002 Rows_sent: {asked.rows}  Rows_examined: {asked.rows * 3}\n"
        f"{use}SET timestamp={int(now.timestamp())};\n{asked.sql};\n"
    )


def _general(now: datetime, connection: int, asked: Asked, _number: int) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%S.%f}Z\t{8 + connection:5} Query\t{asked.sql}\n"


def _traffic(rng: random.Random) -> Iterator[tuple[int, Asked]]:
    """(connection, statement), the connections taking turns at random, each in the order of its own work."""
    scripts: list[list[Asked]] = [[] for _ in range(CONNECTIONS)]
    while True:
        connection = int(rng.random() * CONNECTIONS)
        if not scripts[connection]:
            scripts[connection] = _work(rng)[::-1]
        yield connection, scripts[connection].pop()


def _work(rng: random.Random) -> list[Asked]:
    """What one request asks: a read, a transaction, or one query with a query for each of its rows."""
    table = min(int(rng.expovariate(0.06)), TABLES - 1)
    kind = rng.random()
    if kind < 0.25:
        return [Asked("BEGIN", 0), _read(rng, table), *(_write(rng, table) for _ in range(rng.randint(1, 3))),
                Asked("COMMIT", 0)]  # fmt: skip
    if kind < 0.32:
        rows = rng.randint(2, 12)
        outer = Asked(f"SELECT id, name FROM t{table:02}_list WHERE ref_id = {_id(rng)} ORDER BY id LIMIT {rows}", rows)
        return [outer, *(Asked(f"SELECT * FROM t{table:02}_line WHERE parent_id = {_id(rng)}") for _ in range(rows))]
    return [_read(rng, table)]


def _read(rng: random.Random, table: int) -> Asked:
    return rng.choice(_READS)(rng, f"t{table:02}_item")


def _write(rng: random.Random, table: int) -> Asked:
    return rng.choice(_WRITES)(rng, f"t{table:02}_item")


def _id(rng: random.Random) -> int:
    return int(rng.paretovariate(1.1)) if rng.random() < 0.5 else int(rng.random() * 5_000_000)


def _text(rng: random.Random) -> str:
    words = " ".join(rng.choice(WORDS) for _ in range(int(rng.expovariate(0.15)) + 1))
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _many(rng: random.Random) -> str:
    return ", ".join(str(_id(rng)) for _ in range(rng.randint(1, 30)))


_ALL = ", ".join(f"`t`.`{column}`" for column in ("id", *COLUMNS))
_Maker = Callable[[random.Random, str], Asked]
_READS: list[_Maker] = [
    lambda rng, t: Asked(f"SELECT {_ALL} FROM `{t}` `t` WHERE `t`.`id` = {_id(rng)} LIMIT 1"),
    lambda rng, t: Asked(f"SELECT {_ALL} FROM `{t}` `t` WHERE `t`.`id` IN ({_many(rng)})", 7),
    lambda rng, t: Asked(f"SELECT COUNT(*) FROM {t} WHERE ref_id = {_id(rng)} AND state <> 'done'"),
    lambda rng, t: Asked(f"SELECT {_ALL} FROM `{t}` `t` INNER JOIN `{t}_kind` `k` ON (`t`.`ref_id` = `k`.`id`) WHERE "
                         f"(`k`.`name` = {_text(rng)} AND `t`.`total` > {rng.random() * 999:.2f}) "
                         f"ORDER BY `t`.`created_at` DESC LIMIT 20 OFFSET {20 * int(rng.random() * 5)}", 20),
    lambda rng, t: Asked(f"/* app:web */ SELECT id, name FROM {t} WHERE created_at BETWEEN '2026-11-01 00:00:00' AND "
                         f"'2026-11-{rng.randint(2, 28):02} 00:00:00' AND state IN ('new', 'open', 'paid')", 12),
]  # fmt: skip
_WRITES: list[_Maker] = [
    lambda rng, t: Asked(f"UPDATE `{t}` SET `state` = {_text(rng)}, `total` = {rng.random() * 999:.2f} "
                         f"WHERE `{t}`.`id` = {_id(rng)}", 0),
    lambda rng, t: Asked(f"INSERT INTO `{t}` (`name`, `state`, `total`, `created_at`, `note`, `ref_id`) VALUES " +
                         ", ".join(f"({_text(rng)}, 'new', {rng.random() * 999:.2f}, NOW(), {_text(rng)}, {_id(rng)})"
                                   for _ in range(rng.choice((1, 1, 1, 5)))), 0),
    lambda rng, t: Asked(f"DELETE FROM {t} WHERE ref_id = {_id(rng)} AND state = 'gone'", 0),
]  # fmt: skip
