"""The price file, read strictly, and the prices of one region under the terms of `pricing` in ddbmig.yaml."""

from collections.abc import Iterable, Iterator, Mapping

from ddbmig.engine.strict_yaml import Node, Place, part_of, read_yaml
from ddbmig.engine.typed_yaml import check_model, in_order
from ddbmig.model.context import Pricing
from ddbmig.model.errors import DdbmigError, RuleError, UsageError
from ddbmig.model.prices import PRICE_NAMES, REQUESTS, PriceList, Prices


def read_price_list(file: str, text: str) -> PriceList:
    """The prices of a file. Raises RuleError with every mistake, each with its place."""
    tree, surprises = read_yaml(file, text)
    listed = part_of(tree, "prices")
    nodes = listed.value if listed is not None and isinstance(listed.value, tuple) else ()
    wrong: list[DdbmigError] = [*_empty(file, nodes), *_twice(file, nodes)]
    try:
        found = check_model(file, tree, PriceList, surprises, text).value
        if not wrong:
            return found
    except RuleError as error:
        wrong += error.mistakes
    raise RuleError(in_order([mistake for mistake in wrong if isinstance(mistake, UsageError)], surprises, text))


def _empty(file: str, nodes: Iterable[Node]) -> Iterator[UsageError]:
    for node in nodes:
        if isinstance(node.value, Mapping) and not node.value.keys() & set(PRICE_NAMES):
            yield UsageError("an entry without any price", file, node.place.line, node.place.column,
                             expected=f"one or more of {', '.join(PRICE_NAMES)}")  # fmt: skip


def _twice(file: str, nodes: Iterable[Node]) -> Iterator[UsageError]:
    first: dict[tuple[str, str, str], Place] = {}
    for node in nodes:
        region, table_class = part_of(node, "region"), part_of(node, "table_class")
        if region is None or table_class is None:
            continue
        for name in PRICE_NAMES:
            if (at := node.keys.get(name)) is None:
                continue
            before = first.setdefault((str(region.value), str(table_class.value), name), at)
            if before is not at:
                yield UsageError("this price is there twice", file, at.line, at.column,
                                 f"{name} of {region.value}, {table_class.value}",
                                 hint=f"the first is in line {before.line}")  # fmt: skip


def prices_of(listed: PriceList, pricing: Pricing) -> Prices:
    """What the file knows of the region of `pricing`, under its terms.

    Raises UsageError where a price that a month's bill takes is not known, saying what there is.
    """
    there = {entry.region: _of_region(listed, pricing, entry.region) for entry in listed.prices}
    terms = (pricing.mode, pricing.table_class)
    found = there.get(pricing.region)
    if found is not None and terms in found.billable():
        return found
    regions = ", ".join(sorted(region for region, prices in there.items() if terms in prices.billable()))
    hint = "set pricing in ddbmig.yaml, or name a file that has the price with pricing.file"
    if found is None:
        raise UsageError(f"no prices for region {pricing.region}", expected=regions or None, hint=hint)
    missing = [name for name in (*REQUESTS[pricing.mode], "storage_gb_month") if found.find(name) is None]
    ways = " or ".join(" with ".join(way) for way in found.billable())
    raise UsageError(
        f"the price file has no {' and no '.join(missing)} of {pricing.region}", subject=" with ".join(terms),
        expected=f"{ways}, which is priced there" if ways else regions or None, hint=hint,
    )  # fmt: skip


def _of_region(listed: PriceList, pricing: Pricing, region: str) -> Prices:
    terms = pricing.model_copy(update={"region": region})
    return Prices(terms=terms, entries=tuple(entry for entry in listed.prices if entry.region == region))
