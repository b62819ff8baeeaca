"""What hand-over files are made from, by hand: the application with the names that nobody should name anything."""

from dataclasses import replace

from ddbmig.engine.contract import contract_of
from ddbmig.model.contract import Contract, ContractAttribute, ContractEntry
from ddbmig.model.design import Capacity
from ddbmig.reporters.exports.material import Material, Peak
from ddbmig.reporters.exports.origin import Origin
from hand_made import ASSESSMENT, CHOSEN, INSERT, SELECT, SNAPSHOT, UPDATE

ORIGIN = Origin(alternative="rules", approval="a" * 64, contract="c" * 64)
CLAIMED = {one.id: one.name for one in (SELECT, INSERT, UPDATE)}
MATERIAL = Material(
    origin=ORIGIN,
    snapshot=SNAPSHOT,
    assessment=ASSESSMENT,
    alternative=CHOSEN,
    contract=contract_of(CHOSEN, CLAIMED),
    peaks={("books", None): Peak(3.0, 0.2), ("books", "books_by_author"): Peak(1.5, 0.0)},
    region="eu-central-1",
)
_STRUCTURES = (
    ("authors", None), ("books", None), ("books", "books_by_author"), ("books", "books_by_all"),
    ("books_isbn_unique", None),
)  # fmt: skip
_HELD = tuple(
    Capacity(table=table, index=index, peak_reads=1, peak_writes=1, read_units=number, write_units=number + 1)
    for number, (table, index) in enumerate(_STRUCTURES, 10)
)
_COST = CHOSEN.cost.model_copy(update={"mode": "provisioned", "table_class": "standard-ia", "capacity": _HELD})
PROVISIONED = replace(MATERIAL, alternative=CHOSEN.model_copy(update={"cost": _COST}))


def many_tables(number: int) -> Material:
    """A contract of so many tables, which no plan uses."""
    key = ContractAttribute(type="N", source_table="t", source_column="id")
    entries = tuple(
        ContractEntry(table=f"table_{n}", type="Table", source_table="t", pk="id", attributes={"id": key},
                      estimated_item_size_bytes=10)
        for n in range(number)
    )  # fmt: skip
    return replace(MATERIAL, contract=Contract(entries))
