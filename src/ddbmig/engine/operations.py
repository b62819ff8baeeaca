"""What stores and operations of DynamoDB cost a month: the neutral half of the independent evaluator.

It knows tables, indexes and calls, not where they come from: a design of ours and a published one are priced alike. It
shares no code with `capacity` and `costs`, which it is there to check; its arithmetic is written anew from sections A4
to A6 and A8 of the DynamoDB facts. Sizes are averages, rounded as if every item had just that size.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Literal, get_args

from ddbmig.model.design import Capacity, Cost
from ddbmig.model.prices import Prices

KB = 1024
READ_BLOCK = 4 * KB
WRITE_BLOCK = KB
PAGE = KB * KB
"""Bytes at which a page of a Query or Scan ends; the item that reaches them still belongs to it (A6)."""
BILLED_BESIDES = 100
"""Bytes of storage billed for an item or index entry beyond its size (A4)."""
GIB = KB**3

Kind = Literal["get", "query", "scan", "put", "update", "delete"]
StoreId = tuple[str, str | None]
"""Name of the table; name of the index, or None for the table itself."""
Part = Literal["reads", "writes", "index writes", "transactions"]
"""Of a bill. `transactions` is what writes cost only because they are transactional."""
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True)
class Store:
    """A table, or one of its indexes, and what it holds."""

    table: str
    index: str | None
    items: float
    item_bytes: float
    """Average size, names included."""

    @property
    def id(self) -> StoreId:
        """What operations name it by."""
        return self.table, self.index


@dataclass(frozen=True)
class EntryWrites:
    """What writing one item does to one index of its table."""

    index: str
    writes: float
    """Entry writes per item: 1 to add, remove or change an entry, 2 to move it to another key; a share of them where
    only some items have an entry."""
    entry_bytes: float


@dataclass(frozen=True)
class Operation:
    """Calls of one kind that each execution of an access pattern makes.

    `get` is GetItem or BatchGetItem, where every item is rounded by itself; of `query` and `scan` the bytes read are
    added up. What an index costs to keep is said by the write (`entries`); an index is only read by name.
    """

    pattern: str
    table: str
    index: str | None
    kind: Kind
    times: float
    """Calls per execution."""
    items: float
    """Items read or written by a call."""
    item_bytes: float
    consistent: bool = False
    transactional: bool = False
    """Within TransactGetItems or TransactWriteItems."""
    entries: tuple[EntryWrites, ...] = ()
    step: int = 0
    """Its place in the pattern's sequence; operations with the same place go out at once."""


@dataclass(frozen=True)
class PatternUnits:
    """What one execution of an access pattern takes."""

    read_units: float
    write_units: float
    """With those of indexes and transactions."""
    index_write_units: float
    transaction_units: float
    round_trips: int
    """Sequential calls: calls that go out at once count once, each further page of a Query or Scan counts too."""


@dataclass(frozen=True)
class Priced:
    """A month's bill, and what each access pattern contributes, by its id."""

    cost: Cost
    patterns: Mapping[str, PatternUnits]


def price(
    stores: Sequence[Store],
    operations: Sequence[Operation],
    calls_per_month: Mapping[str, float],
    peak_per_second: Mapping[str, float],
    prices: Prices,
) -> Priced:
    """The month's bill of some stores and the operations on them, under the terms of `prices`.

    Both rates are by pattern. Raises KeyError for an operation on a store that is not there, and for a rate or a price
    that is not known.
    """
    charges = [charge for operation in operations for charge in _charges(operation)]
    month, peak = (_by_store(stores, charges, rate) for rate in (calls_per_month, peak_per_second))
    return Priced(_cost(stores, month, peak, prices), _by_pattern(calls_per_month, operations, charges))


# --- units (A5, A6) ---


@dataclass(frozen=True)
class _Charge:
    """Units that one execution of a pattern takes of a store."""

    pattern: str
    store: StoreId
    part: Part
    units: float


def _charges(operation: Operation) -> Iterator[_Charge]:
    """What an operation takes, part by part."""
    pattern, store, times = operation.pattern, (operation.table, operation.index), operation.times
    if operation.kind in ("get", "query", "scan"):
        yield _Charge(pattern, store, "reads", times * _read_units(operation))
        return
    written = times * operation.items
    base = written * _blocks(operation.item_bytes, WRITE_BLOCK)
    yield _Charge(pattern, store, "writes", base)
    if operation.transactional:
        yield _Charge(pattern, store, "transactions", base)
    for entry in operation.entries:
        units = written * entry.writes * _blocks(entry.entry_bytes, WRITE_BLOCK)
        yield _Charge(pattern, (operation.table, entry.index), "index writes", units)


def _read_units(operation: Operation) -> float:
    """Units of one reading call: strong reads pay a unit for each block, eventual ones half, transactional ones two."""
    size, items = operation.item_bytes, operation.items
    if operation.kind == "get":
        blocks = items * _blocks(size, READ_BLOCK)
    else:
        blocks = float(sum(_blocks(page, READ_BLOCK) for page in _pages(items, size)))
    return blocks * (2.0 if operation.transactional else 1.0 if operation.consistent else 0.5)


def _blocks(size: float, block: int) -> int:
    """Blocks begun, at least one: a call that finds nothing is charged too."""
    return max(1, ceil(size / block))


def _pages(items: float, size: float) -> Iterator[float]:
    """The bytes of each page that a Query or Scan of so many items reads; one empty page where there are none."""
    full = ceil(PAGE / size)
    left = items
    while left >= full:
        yield full * size
        left -= full
    if left or not items:
        yield left * size


# --- sums ---


def _by_store(
    stores: Sequence[Store], charges: Iterable[_Charge], rate: Mapping[str, float]
) -> dict[StoreId, dict[Part, float]]:
    """Units of every store by part, in the time that the rate is of."""
    found: dict[StoreId, dict[Part, float]] = {store.id: dict.fromkeys(PARTS, 0.0) for store in stores}
    for charge in charges:
        found[charge.store][charge.part] += rate[charge.pattern] * charge.units
    return found


def _by_pattern(
    patterns: Iterable[str], operations: Iterable[Operation], charges: Iterable[_Charge]
) -> dict[str, PatternUnits]:
    """What one execution of each pattern takes; nothing, where it has no operation."""
    units = {pattern: dict.fromkeys(PARTS, 0.0) for pattern in patterns}
    trips: dict[str, dict[int, int]] = {pattern: {} for pattern in units}
    for charge in charges:
        units[charge.pattern][charge.part] += charge.units
    for operation in operations:
        steps = trips[operation.pattern]
        steps[operation.step] = max(steps.get(operation.step, 0), _sequential_calls(operation))
    return {
        pattern: PatternUnits(
            read_units=of["reads"],
            write_units=of["writes"] + of["index writes"] + of["transactions"],
            index_write_units=of["index writes"],
            transaction_units=of["transactions"],
            round_trips=sum(trips[pattern].values()),
        )
        for pattern, of in units.items()
    }


def _sequential_calls(operation: Operation) -> int:
    """The pages of a Query or Scan: each needs the key where the one before it ended. Other calls need not wait."""
    return sum(1 for _ in _pages(operation.items, operation.item_bytes)) if operation.kind in ("query", "scan") else 1


# --- money (A8) ---


def _cost(
    stores: Sequence[Store],
    month: Mapping[StoreId, Mapping[Part, float]],
    peak: Mapping[StoreId, Mapping[Part, float]],
    prices: Prices,
) -> Cost:
    terms = prices.terms
    requests = {part: sum(units[part] for units in month.values()) for part in PARTS}
    if terms.mode == "on-demand":
        held: tuple[Capacity, ...] = ()
        paid = {part: Decimal(repr(float(units))) for part, units in requests.items()}
        read, write = (prices.usd(name) / 10**6 for name in ("read_per_million", "write_per_million"))
    else:
        held = tuple(_capacity(store, peak[store.id], terms.target_utilisation) for store in stores)
        paid = _held_by_part(held)
        read, write = (prices.usd(name) * terms.month_hours for name in ("read_unit_hour", "write_unit_hour"))
    stored, indexed = (
        sum(s.items * (s.item_bytes + BILLED_BESIDES) for s in stores if (s.index is not None) == of_index)
        for of_index in (False, True)
    )
    gigabyte = prices.usd("storage_gb_month") / terms.gigabyte_bytes
    return Cost(
        mode=terms.mode,
        table_class=terms.table_class,
        read_request_units=requests["reads"],
        write_request_units=requests["writes"] + requests["index writes"] + requests["transactions"],
        index_write_units=requests["index writes"],
        transaction_units=requests["transactions"],
        storage_gib=stored / GIB,
        index_storage_gib=indexed / GIB,
        capacity=held,
        reads_usd=_usd(paid["reads"] * read),
        writes_usd=_usd(paid["writes"] * write),
        index_writes_usd=_usd(paid["index writes"] * write),
        transactions_usd=_usd(paid["transactions"] * write),
        storage_usd=_usd(Decimal(repr(float(stored))) * gigabyte),
        index_storage_usd=_usd(Decimal(repr(float(indexed))) * gigabyte),
    )


def _capacity(store: Store, peak: Mapping[Part, float], utilisation: float) -> Capacity:
    """What a store holds for its busiest second; what transactions add is what would not be held without them."""
    written = peak["writes"] + peak["index writes"] + peak["transactions"]
    units = _whole_units(written, utilisation)
    return Capacity(
        table=store.table,
        index=store.index,
        peak_reads=peak["reads"],
        peak_writes=written,
        read_units=_whole_units(peak["reads"], utilisation),
        write_units=units,
        transaction_units=units - _whole_units(written - peak["transactions"], utilisation),
    )


def _whole_units(peak: float, utilisation: float) -> int:
    """Units a second to provision, so that the peak uses its share of them. Less than 1e-9 of a unit is noise."""
    return max(1, ceil(Decimal(f"{peak:.9f}") / Decimal(repr(utilisation))))


def _held_by_part(held: Iterable[Capacity]) -> dict[Part, Decimal]:
    """Provisioned units by the part of the bill that they stand in."""
    found: dict[Part, Decimal] = dict.fromkeys(PARTS, Decimal(0))
    for one in held:
        found["reads"] += one.read_units
        found["writes" if one.index is None else "index writes"] += one.write_units - one.transaction_units
        found["transactions"] += one.transaction_units
    return found


def _usd(amount: Decimal) -> Decimal:
    """An amount of money to a millionth of a dollar."""
    return amount.quantize(Decimal("0.000001"))
