"""The migration contract of a design: one entry per table, one informative entry per GSI, in the guide's format."""

from collections.abc import Iterable, Mapping
from math import ceil

from ddbmig.model.contract import Contract, ContractAttribute, ContractEntry, ContractGsi, Encoding
from ddbmig.model.design import Alternative, IndexDesign, TableDesign
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.validation import Validation

PLAIN: frozenset[Encoding] = frozenset(("string", "enum", "integer", "decimal", "float", "year", "binary"))
"""Encodings that the DynamoDB type says by itself; the contract names the others only."""


NOT_PROVED = " (not proved)"
"""Ends the description of a pattern that stage 4 could not compare: the guide's format has no field to say so."""


def satisfied(patterns: Iterable[AccessPattern], validation: Validation) -> dict[str, str]:
    """By id the descriptions of the patterns that a contract may claim after stage 4.

    One that was disproved is not claimed; one that was neither proved nor disproved is, and marked.
    """
    status = {result.pattern: result.status for result in validation.patterns}
    return {
        pattern.id: pattern.name + ("" if status.get(pattern.id) == "proved" else NOT_PROVED)
        for pattern in patterns
        if status.get(pattern.id) != "mismatched"
    }


def contract_of(alternative: Alternative, claimed: Mapping[str, str]) -> Contract:
    """The contract of an alternative.

    `claimed` maps the ids of the patterns that may be claimed to their descriptions: see `satisfied`.
    """
    users = _users(alternative, claimed)
    entries: list[ContractEntry] = []
    for table in alternative.tables:
        entries.append(_table_entry(table, users.get(table.name, ())))
        entries.extend(
            _index_entry(table, index, users.get(f"{table.name}/{index.name}", ())) for index in table.indexes
        )
    return Contract(tuple(entries))


def _users(alternative: Alternative, claimed: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Per structure the descriptions of the patterns whose plans use it, sorted."""
    found: dict[str, set[str]] = {}
    for plan in alternative.plans:
        if plan.pattern in claimed and not plan.routed:
            for structure in plan.uses:
                found.setdefault(structure, set()).add(claimed[plan.pattern])
    return {structure: tuple(sorted(names)) for structure, names in found.items()}


def _table_entry(table: TableDesign, satisfies: Iterable[str]) -> ContractEntry:
    return ContractEntry(
        table=table.name,
        type="Table",
        source_table=table.source_table,
        pk=table.pk,
        sk=table.sk,
        gsis=tuple(_gsi(index) for index in table.indexes) or None,
        attributes=_published(table.attributes),
        satisfies=tuple(satisfies),
        estimated_item_size_bytes=ceil(table.item_bytes),
        filter=table.filter,
        enforces=table.enforces,
    )


def _gsi(index: IndexDesign) -> ContractGsi:
    return ContractGsi(
        name=index.name,
        pk=index.partition[0],
        sk=index.sort[0] if index.sort else None,
        pk_attributes=index.partition if len(index.partition) > 1 else None,
        sk_attributes=index.sort if len(index.sort) > 1 else None,
    )


def _index_entry(table: TableDesign, index: IndexDesign, satisfies: Iterable[str]) -> ContractEntry:
    whole = index.projection == "ALL"
    kept = list(table.attributes) if whole else [*index.keys, *table.keys, *index.projected]
    gsi = _gsi(index)
    return ContractEntry(
        table=index.name,
        type="GSI",
        source_table=table.source_table,
        pk=gsi.pk,
        sk=gsi.sk,
        pk_attributes=gsi.pk_attributes,
        sk_attributes=gsi.sk_attributes,
        attributes=_published({name: table.attributes[name] for name in dict.fromkeys(kept)}),
        satisfies=tuple(satisfies),
        estimated_item_size_bytes=ceil(index.entry_bytes),
        base_table=table.name,
        projection=index.projection,
        projected_attributes=index.projected or None,
    )


def _published(attributes: Mapping[str, ContractAttribute]) -> dict[str, ContractAttribute]:
    """The attributes with only the fields that they need."""
    return {
        name: attribute.model_copy(update={"encoding": None}) if attribute.encoding in PLAIN else attribute
        for name, attribute in attributes.items()
    }
