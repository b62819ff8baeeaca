"""A small database for tests of loading: every way in which a row has no item, or an incomplete one, is in it once.

`write_depot` makes a folder with the snapshot, the contract and a dump; `Depot.into` puts the rows into a server.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddbmig.analyzers.snapshot import Sources, build_snapshot
from ddbmig.model.context import ProjectConfig
from servers import Server

DATABASE = "depot"
SCHEMA = """\
CREATE TABLE `makers` (
  `id` int NOT NULL,
  `name` varchar(40) DEFAULT NULL,
  `city` varchar(40) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `parts` (
  `shelf` smallint NOT NULL,
  `nr` decimal(8,0) NOT NULL,
  `maker_id` int DEFAULT NULL,
  `code` varchar(40) NOT NULL,
  `rate` double DEFAULT NULL,
  `body` longtext,
  `raw` varbinary(20) DEFAULT NULL,
  `made` datetime(3) DEFAULT NULL,
  PRIMARY KEY (`shelf`,`nr`),
  UNIQUE KEY `by_code` (`code`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `visits` (
  `page` varchar(20) DEFAULT NULL,
  `ms` int DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE `slots` (
  `kind` enum('late','early') NOT NULL,
  `nr` int NOT NULL,
  `tag` varchar(20) DEFAULT NULL,
  PRIMARY KEY (`kind`,`nr`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
"""
PARTS = 140
ORPHAN, SAME_CODE, LARGE, BEYOND = 130, 131, 132, 133
"""Numbers of the rows that are not as the others."""
SECRET = "sesame-of-a-customer"
"""Stands in the rows that are rejected."""


def _part(nr: int) -> str:
    maker = 99 if nr == ORPHAN else "NULL" if nr % 7 == 0 else nr % 5 + 1
    code = "'code fi'" if nr == SAME_CODE - 1 else "'code \ufb01'" if nr == SAME_CODE else f"'code {nr:04}'"
    rate = "1e300" if nr == BEYOND else f"{nr}.25"
    body = f"REPEAT('{SECRET} ', 25000)" if nr == LARGE else f"'body of {nr} with \\'quotes\\' and é'"
    return f"({nr % 3},{nr},{maker},{code},{rate},{body},0x{nr:04X},'2026-01-02 03:04:05.{nr:03}')"


def rows_sql() -> str:
    """The rows as INSERT statements; REPEAT stands for a long text."""
    makers = ",".join(f"({n},'Maker {n}',{'NULL' if n == 3 else repr(f'City {n}')})" for n in range(1, 6))
    slots = ",".join(f"('{kind}',{n},'{SECRET}')" for kind in ("early", "late") for n in range(20))
    visits = ",".join(["('/',1)", "('/',1)", "('/a',NULL)", "('/',1)", *(f"('/p',{n})" for n in range(30))])
    values = {"parts": ",\n".join(map(_part, range(1, PARTS + 1))), "makers": makers, "visits": visits, "slots": slots}
    return "".join(f"INSERT INTO `{table}` VALUES {rows};\n" for table, rows in values.items())


def _plain(table: str, column: str, kind: str = "S", **more: Any) -> dict[str, Any]:
    return {"type": kind, "source_table": table, "source_column": column, **more}


def _copied(column: str) -> dict[str, Any]:
    join = {"local_column": "maker_id", "source_column": "id"}
    return _plain("makers", column, denormalized=True, justification="shown with every part", join=join)


def _entry(table: str, source: str, pk: str, attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    entry = {"table": table, "type": "Table", "source_table": source, "pk": pk, "sk": None, "attributes": attributes}
    return {**entry, "satisfies": [], "estimated_item_size_bytes": 100, **more}


def contract() -> list[dict[str, Any]]:
    """A table for each, look-up items for the code, a GSI, and two copies of the maker."""
    key = _plain("parts", "code", template="_{code}", encoding="collated")
    parts = {
        "shelf": _plain("parts", "shelf", "N"), "nr": _plain("parts", "nr", "N"),
        "maker_id": _plain("parts", "maker_id", "N"), "code": _plain("parts", "code"),
        "rate": _plain("parts", "rate", "N"), "body": _plain("parts", "body"), "raw": _plain("parts", "raw", "B"),
        "made": _plain("parts", "made", encoding="iso8601_datetime"),
        "maker_name": _copied("name"), "maker_city": _copied("city"),
    }  # fmt: skip
    of_code = {"code__key": key, "shelf": parts["shelf"], "nr": parts["nr"]}
    visits = {"digest": _plain("visits", "page", encoding="row_digest"), "page": _plain("visits", "page"),
              "ms": _plain("visits", "ms", "N")}  # fmt: skip
    slots = {"kind": _plain("slots", "kind"), "nr": _plain("slots", "nr", "N"), "tag": _plain("slots", "tag")}
    makers = {"id": _plain("makers", "id", "N"), "name": _plain("makers", "name"), "city": _plain("makers", "city")}
    gsi = [{"name": "parts_by_maker", "pk": "maker_id", "sk": "made"}]
    by_maker = {name: parts[name] for name in ("maker_id", "made", "shelf", "nr")}
    return [
        _entry("makers", "makers", "id", makers),
        _entry("parts", "parts", "shelf", parts, sk="nr", gsis=gsi),
        _entry("parts_by_maker", "parts", "maker_id", by_maker, sk="made", type="GSI", base_table="parts",
               projection="KEYS_ONLY"),
        _entry("parts_code_unique", "parts", "code__key", of_code,
               enforces={"table": "parts", "unique_key": "by_code"}),
        _entry("parts_of_makers", "parts", "nr", {"nr": parts["nr"], "shelf": parts["shelf"], "made": parts["made"]},
               sk="shelf", filter="`maker_id` IS NOT NULL"),
        _entry("slots", "slots", "kind", slots, sk="nr"),
        _entry("visits", "visits", "digest", visits),
    ]  # fmt: skip


@dataclass(frozen=True)
class Depot:
    """The folder, and what stands in it."""

    folder: Path

    @property
    def contract(self) -> Path:
        return self.folder / "contract.json"

    @property
    def snapshot(self) -> Path:
        return self.folder / "snapshot.json"

    @property
    def dump(self) -> Path:
        return self.folder / "data.sql"

    def into(self, server: Server, database: str = DATABASE) -> None:
        """Put tables and rows into a new database."""
        server.run([f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database} CHARACTER SET utf8mb4"])
        statements = (self.folder / "schema.sql").read_text() + rows_sql()
        with server.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute("SET NAMES utf8mb4")
            for statement in statements.split(";\n"):
                if statement.strip():
                    cursor.execute(statement)


def write_depot(folder: Path) -> Depot:
    """Write schema, dump, snapshot and contract."""
    folder.mkdir(parents=True, exist_ok=True)
    depot = Depot(folder)
    (folder / "schema.sql").write_text(SCHEMA)
    literal = f"'{f'{SECRET} ' * 25000}'"
    depot.dump.write_text(rows_sql().replace(f"REPEAT('{SECRET} ', 25000)", literal))
    schema = Sources(schema_files=[(folder / "schema.sql", "schema.sql")])
    depot.snapshot.write_bytes(build_snapshot(schema, ProjectConfig()).to_bytes())
    depot.contract.write_text(json.dumps(contract(), indent=1))
    return depot
