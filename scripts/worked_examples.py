"""The worked examples of docs/explanation, computed by the code that makes the bills and the verdicts.

A page marks the place: what stands between `<!-- computed: NAME -->` and `<!-- end -->` is written by
`generate_docs.py`, and compared by its `--check`.
"""

import re
from collections.abc import Callable, Mapping
from importlib.resources import files

from ddbmig.engine.bill import conventions, formulas, mode_break_even
from ddbmig.engine.capacity import (
    average_query_units,
    index_write_units,
    read_units,
    transactional_write_units,
    write_units,
)
from ddbmig.engine.costs import STORAGE_OVERHEAD, Load, cost_by_mode, monthly_cost
from ddbmig.engine.prices import prices_of, read_price_list
from ddbmig.engine.rule import OPTIONS
from ddbmig.engine.scoring import MARGIN, verdict
from ddbmig.engine.wording import dollars, number
from ddbmig.model.context import Pricing
from ddbmig.model.contract import ContractAttribute
from ddbmig.model.design import IndexDesign, TableDesign
from ddbmig.model.encodings import item_size
from ddbmig.model.errors import UsageError
from ddbmig.model.plan import Estimate, Plan, ReadCall, Transaction, WriteCall
from ddbmig.model.prices import Prices
from ddbmig.reporters.markdown import code, code_block, table

PLACE = re.compile(r"(<!-- computed: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
BOOK = {"book_id": 42, "title": "Moby Dick", "price": 12, "active": True}
"""An item whose size is added up."""
ROW, ENTRY, IN_A_LIST = 400, 60, 20
"""The worked bill: bytes of an item and of an index entry, items that one Query finds."""
ITEMS = 2_000_000
CALLS = {"get a book": 10e6, "list a category": 3e6, "sell a book": 1e6}
PEAK = {"get a book": 40.0, "list a category": 12.0, "sell a book": 4.0}


def filled(page: str) -> str:
    """A page with its computed parts as the code computes them. Raises UsageError for a name that is none of ours."""

    def computed(place: re.Match[str]) -> str:
        if place[2] not in EXAMPLES:
            raise UsageError("no such worked example", subject=place[2], expected=", ".join(EXAMPLES))
        return f"{place[1]}\n{EXAMPLES[place[2]]()}\n{place[3]}"

    return PLACE.sub(computed, page)


# --- units ---


def size() -> str:
    """The bytes of one item, attribute by attribute."""
    rows = [
        (code(f"{name} = {value!r}"), str(len(name)), str(item_size({name: value}) - len(name)))
        for name, value in BOOK.items()
    ]
    total = ("the item", "", str(item_size(BOOK)))
    return table(("attribute", "bytes of the name", "bytes of the value"), [*rows, total], {1, 2})


def reads() -> str:
    """Read units by what is read."""
    sizes = (200, 4096, 4097, 10_000)
    rows = [(number(one), number(read_units(one, False)), number(read_units(one, True))) for one in sizes]
    headers = ("bytes read", "units, eventually consistent", "units, strongly consistent")
    return table(headers, rows, {0, 1, 2})


def writes() -> str:
    """Write units of the item, alone and in a transaction."""
    rows = [
        (what, "–" if before is None else number(before), "–" if after is None else number(after),
         number(write_units(before, after)), number(transactional_write_units(before, after)))
        for what, before, after in (
            ("insert", None, 400), ("insert", None, 1025), ("update that shortens", 2500, 300), ("delete", 2500, None),
        )
    ]  # fmt: skip
    return table(("write", "bytes before", "bytes after", "units", "units in a transaction"), rows, {1, 2, 3, 4})


def index_writes() -> str:
    """Write units of one index entry."""
    short = {"category": "sea", "book_id": 1}
    cases: tuple[tuple[str, Mapping[str, object] | None, Mapping[str, object] | None], ...] = (
        ("the item has no category", None, None),
        ("the item gets one", None, short),
        ("what the index holds stays as it is", short, short),
        ("an attribute that the index projects changes", {**short, "price": 1}, {**short, "price": 2}),
        ("the category changes", short, {**short, "category": "land"}),
    )
    rows = [(what, number(index_write_units(before, after, ("category",)))) for what, before, after in cases]
    return table(("the write", "units of the index"), rows, {1})


# --- a bill ---


def _prices(mode: str = "on-demand") -> Prices:
    name = "prices.yaml"
    shipped = files("ddbmig.engine").joinpath(name).read_text("utf-8")
    return prices_of(read_price_list(name, shipped), Pricing.model_validate({"region": "us-east-1", "mode": mode}))


def _design() -> tuple[TableDesign, ...]:
    name = ContractAttribute(type="S", source_table="books", source_column="category", encoding="string")
    index = IndexDesign(name="by_category", partition=("category",), projection="KEYS_ONLY", entries=ITEMS,
                        entry_bytes=ENTRY)  # fmt: skip
    return (
        TableDesign(name="books", source_table="books", role="entity", pk="book_id", indexes=(index,), items=ITEMS,
                    attributes={"book_id": name, "category": name}, item_bytes=ROW),
    )  # fmt: skip


def _read(op: str, units: float, index: str | None = None) -> ReadCall:
    estimate = {"calls": 1, "items": 1, "read_units": units}
    return ReadCall.model_validate({"op": op, "table": "books", "index": index, "ref": 0, "estimate": estimate})


def _plans() -> tuple[Plan, ...]:
    alone, doubled = write_units(ROW, ROW), transactional_write_units(ROW, ROW)
    estimate = Estimate(calls=1, items=1, write_units=doubled, transaction_units=doubled - alone)
    sale = WriteCall(op="UpdateItem", table="books", source="books", ref=0, purpose="base item", estimate=estimate)
    listed = average_query_units(IN_A_LIST, ENTRY, consistent=False)
    return (
        Plan(pattern="get a book", steps=(_read("GetItem", read_units(ROW, consistent=False)),)),
        Plan(pattern="list a category", steps=(_read("Query", listed, "by_category"),)),
        Plan(pattern="sell a book", steps=(Transaction(writes=(sale,)),)),
    )


LOAD = Load(CALLS, PEAK)


def traffic() -> str:
    """The calls and units of the worked bill."""
    rows = [
        (plan.pattern, number(CALLS[plan.pattern]), number(PEAK[plan.pattern]), what, number(units))
        for plan, what, units in zip(
            _plans(),
            (
                f"GetItem of {ROW} bytes",
                f"Query of {IN_A_LIST} entries of {ENTRY} bytes",
                f"update of {ROW} bytes, twice",
            ),
            (read_units(ROW, False), average_query_units(IN_A_LIST, ENTRY, False), transactional_write_units(ROW, ROW)),
            strict=True,
        )
    ]
    headers = ("access pattern", "calls a month", "in the busiest second", "call", "units of a call")
    return table(headers, rows, {1, 2, 4})


def bill() -> str:
    """The month on demand, part by part."""
    prices = _prices()
    return code_block("\n".join(formulas(monthly_cost(_design(), _plans(), LOAD, prices), prices)) + "\n", "text")


def storage() -> str:
    """How the bytes of the bill add up."""
    item, entry = ROW + STORAGE_OVERHEAD, ENTRY + STORAGE_OVERHEAD
    lines = (
        f"items: {number(ITEMS)} × ({ROW} + {STORAGE_OVERHEAD}) bytes = {number(ITEMS * item)} bytes",
        f"entries: {number(ITEMS)} × ({ENTRY} + {STORAGE_OVERHEAD}) bytes = {number(ITEMS * entry)} bytes",
    )
    return code_block("\n".join(lines) + "\n", "text")


def provisioned() -> str:
    """The same month with capacity for the peak."""
    prices = _prices("provisioned")
    return code_block("\n".join(formulas(monthly_cost(_design(), _plans(), LOAD, prices), prices)) + "\n", "text")


def modes() -> str:
    """The month in every mode and table class that has prices."""
    found = cost_by_mode(_design(), _plans(), LOAD, _prices())
    rows = [(f"{cost.mode}, {cost.table_class}", dollars(cost.total_usd)) for cost in found]
    lines = "".join(f"- {line}\n" for line in mode_break_even(found, _prices()))
    return table(("mode and table class", "a month"), rows, {1}) + "\n" + lines


def said() -> str:
    """What every bill says of itself."""
    return "".join(f"- {line}\n" for line in conventions(_prices()))


# --- scores ---


def verdicts() -> str:
    """Points, and the verdict that follows."""
    cases = (
        ({"separate": 35, "denormalize": 25, "embed": -65, "collocate": -25}, ()),
        ({"separate": 20, "denormalize": 35, "embed": 0, "collocate": 0}, ()),
        ({"separate": 0, "denormalize": 55, "embed": -20, "collocate": -10}, ("denormalize",)),
        ({"separate": 0, "denormalize": 0, "embed": 0, "collocate": 0}, ()),
    )
    rows = []
    for points, forbidden in cases:
        result, margin = verdict(points, forbidden)
        rows.append((*(str(points[option]) for option in OPTIONS), ", ".join(forbidden) or "–", str(margin), result))
    return table((*OPTIONS, "forbidden", "margin", "verdict"), rows, set(range(len(OPTIONS))) | {len(OPTIONS) + 1})


def margin() -> str:
    """The margin that decides."""
    return f"A margin of {MARGIN} points or more decides.\n"


EXAMPLES: Mapping[str, Callable[[], str]] = {
    "size": size, "reads": reads, "writes": writes, "index-writes": index_writes, "traffic": traffic,
    "storage": storage, "bill": bill, "provisioned": provisioned,
    "modes": modes, "conventions": said, "verdicts": verdicts, "margin": margin,
}  # fmt: skip
