"""The tables and GSIs of a contract, as DynamoDB is told of them when they are created."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ddbmig.model.contract import Contract, ContractEntry, ContractGsi

Projection = Literal["ALL", "KEYS_ONLY", "INCLUDE"]


@dataclass(frozen=True)
class Gsi:
    """One GSI; a key may have several attributes."""

    name: str
    partition: tuple[str, ...]
    sort: tuple[str, ...]
    projection: Projection
    projected: tuple[str, ...] = ()
    """Of INCLUDE: the attributes beside the keys."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The attributes of both keys."""
        return self.partition + self.sort


@dataclass(frozen=True)
class Table:
    """One table with its GSIs; `types` of all attributes that are a key of it or of a GSI."""

    name: str
    pk: str
    sk: str | None
    types: Mapping[str, str]
    gsis: tuple[Gsi, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The attributes of the primary key."""
        return (self.pk,) if self.sk is None else (self.pk, self.sk)


def key_schema(partition: Iterable[str], sort: Iterable[str]) -> list[dict[str, str]]:
    """A KeySchema; a key of several attributes repeats the element of its type."""
    found = [{"AttributeName": name, "KeyType": "HASH"} for name in partition]
    return [*found, *({"AttributeName": name, "KeyType": "RANGE"} for name in sort)]


def projection_of(gsi: Gsi) -> dict[str, Any]:
    """The Projection of a GSI."""
    return {"ProjectionType": gsi.projection} | ({"NonKeyAttributes": list(gsi.projected)} if gsi.projected else {})


def tables_of(contract: Contract) -> tuple[Table, ...]:
    """The tables in the contract's order; entries of one table are one."""
    entries: dict[str, list[ContractEntry]] = {}
    for entry in contract.root:
        if entry.type == "Table":
            entries.setdefault(entry.table, []).append(entry)
    indexes = {(entry.base_table, entry.table): entry for entry in contract.root if entry.type == "GSI"}
    return tuple(_table(name, found, indexes) for name, found in entries.items())


def _table(
    name: str, entries: list[ContractEntry], indexes: Mapping[tuple[str | None, str], ContractEntry]
) -> Table:  # fmt: skip
    first = entries[0]
    gsis = {gsi.name: _gsi(gsi, indexes.get((name, gsi.name))) for entry in entries for gsi in entry.gsis or ()}
    keys = {first.pk, *(() if first.sk is None else (first.sk,)), *(key for gsi in gsis.values() for key in gsi.keys)}
    types = {key: kind for entry in entries for key, kind in _types(entry) if key in keys}
    return Table(name, first.pk, first.sk, {key: types[key] for key in sorted(keys)}, tuple(gsis.values()))


def _types(entry: ContractEntry) -> Iterator[tuple[str, str]]:
    for name, attribute in entry.attributes.items():
        yield name, attribute.type


def _gsi(gsi: ContractGsi, entry: ContractEntry | None) -> Gsi:
    """A GSI; what it projects stands in its own entry, and is all where there is none."""
    return Gsi(
        name=gsi.name,
        partition=gsi.pk_attributes or (gsi.pk,),
        sort=gsi.sk_attributes or (() if gsi.sk is None else (gsi.sk,)),
        projection=(entry.projection if entry is not None else None) or "ALL",
        projected=(entry.projected_attributes if entry is not None else None) or (),
    )
