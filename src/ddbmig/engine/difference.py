"""In which structures one design differs from another, in words."""

from collections.abc import Iterator

from ddbmig.model.design import Alternative, IndexDesign, TableDesign


def differences(one: Alternative, other: Alternative) -> tuple[str, ...]:
    """What the other has or lacks, table by table; empty where both build the same."""
    before, after = ({table.name: table for table in found.tables} for found in (one, other))
    lines = [f"without the table {name}" for name in sorted(before.keys() - after.keys())]
    lines += [f"with the table {name}" for name in sorted(after.keys() - before.keys())]
    for name in sorted(before.keys() & after.keys()):
        lines += _of_table(before[name], after[name])
    return tuple(lines)


def said(one: Alternative, other: Alternative) -> str:
    """The differences in one phrase; where the tables are the same, only the plans can differ."""
    return ", ".join(differences(one, other)) or "with other plans on the same tables and GSIs"


def _of_table(one: TableDesign, other: TableDesign) -> Iterator[str]:
    if one.keys != other.keys:
        yield f"{one.name} is keyed by {_key(other)} instead of {_key(one)}"
    for name in [key for key in one.keys if key in other.keys]:
        was, now = one.source_columns(name), other.source_columns(name)
        if was != now:
            yield f"the key {name} of {one.name} is made of {', '.join(now)} instead of {', '.join(was)}"
    before, after = _copies(one), _copies(other)
    yield from (f"{one.name} without the copy {name}" for name in sorted(before - after))
    yield from (f"{one.name} with the copy {name}" for name in sorted(after - before))
    yield from _of_indexes(one, other)


def _of_indexes(one: TableDesign, other: TableDesign) -> Iterator[str]:
    before, after = ({index.name: index for index in found.indexes} for found in (one, other))
    for name in sorted(before.keys() - after.keys()):
        yield f"{one.name} without the GSI {name}"
    for name in sorted(after.keys() - before.keys()):
        yield f"{one.name} with the GSI {name}"
    for name in sorted(before.keys() & after.keys()):
        if before[name].keys != after[name].keys:
            was, now = (" + ".join(found[name].keys) for found in (before, after))
            yield f"the GSI {name} is keyed by {now} instead of {was}"
        was, now = _projection(before[name]), _projection(after[name])
        if was != now:
            yield f"the GSI {name} projects {now} instead of {was}"


def _key(table: TableDesign) -> str:
    return " + ".join(table.keys)


def _copies(table: TableDesign) -> set[str]:
    return {name for name, attribute in table.attributes.items() if attribute.denormalized}


def _projection(index: IndexDesign) -> str:
    return f"{index.projection} {', '.join(index.projected)}".rstrip()
