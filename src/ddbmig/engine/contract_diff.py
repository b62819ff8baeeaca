"""What changed between two contracts, in the words of the contract: tables, keys, indexes, attributes, patterns."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ddbmig.engine.wording import visible
from ddbmig.model.change import Change
from ddbmig.model.contract import Contract, ContractAttribute, ContractEntry, ContractGsi


def contract_changes(old: Contract, new: Contract) -> tuple[Change, ...]:
    """All differences between two contracts, by entry; the order of entries and of attributes is none."""
    return tuple(_paired("", "table", _by_name(old), _by_name(new), _entry_text, _entry_changes))


def _by_name(contract: Contract) -> dict[str, ContractEntry]:
    """Entries of type Table by name, and by entity where one table holds several; GSI entries only inform."""
    tables = [entry for entry in contract.root if entry.type == "Table"]
    return {entry.table + (f" ({entry.entity})" if entry.entity else ""): entry for entry in tables}


def _paired(
    within: str, what: str, old: Mapping[str, Any], new: Mapping[str, Any], text: Callable[[Any], str],
    changes: Callable[[str, Any, Any], Iterator[Change]],
) -> Iterator[Change]:  # fmt: skip
    for name in sorted(old.keys() | new.keys()):
        subject = within + visible(name)
        if name not in old:
            yield Change(subject=subject, what=what, after=text(new[name]))
        elif name not in new:
            yield Change(subject=subject, what=what, before=text(old[name]))
        else:
            yield from changes(subject, old[name], new[name])


def _entry_changes(subject: str, old: ContractEntry, new: ContractEntry) -> Iterator[Change]:
    yield from _field(subject, "source table", old.source_table, new.source_table)
    yield from _field(subject, "key", _key(old), _key(new))
    yield from _field(subject, "filter", old.filter or "none", new.filter or "none")
    gsis = [{gsi.name: gsi for gsi in entry.gsis or ()} for entry in (old, new)]
    yield from _paired(f"{subject}/", "GSI", gsis[0], gsis[1], _gsi_text,
                       lambda at, a, b: _field(at, "key", _gsi_text(a), _gsi_text(b)))  # fmt: skip
    yield from _paired(f"{subject}.", "attribute", old.attributes, new.attributes, _attribute_text, _attribute_changes)
    claimed = [dict.fromkeys(entry.satisfies, subject) for entry in (old, new)]
    yield from _paired("", "access pattern", claimed[0], claimed[1], str, lambda *_: iter(()))
    yield from _field(subject, "estimated item size",
                      f"{old.estimated_item_size_bytes:,} B", f"{new.estimated_item_size_bytes:,} B")  # fmt: skip


def _attribute_changes(subject: str, old: ContractAttribute, new: ContractAttribute) -> Iterator[Change]:
    was, now = (attribute.model_dump(mode="json", exclude_none=True) for attribute in (old, new))
    for name in sorted(was.keys() | now.keys()):
        yield from _field(subject, name, _plain(was.get(name)), _plain(now.get(name)))


def _field(subject: str, what: str, before: str, after: str) -> Iterator[Change]:
    if before != after:
        yield Change(subject=subject, what=what, before=before, after=after)


def _entry_text(entry: ContractEntry) -> str:
    return f"from {visible(entry.source_table)}, key {_key(entry)}, {len(entry.attributes)} attributes"


def _key(entry: ContractEntry) -> str:
    return visible(", ".join(name for name in (entry.pk, entry.sk) if name is not None))


def _gsi_text(gsi: ContractGsi) -> str:
    partition = gsi.pk_attributes or (gsi.pk,)
    sort = gsi.sk_attributes or ((gsi.sk,) if gsi.sk else ())
    return visible(" + ".join(partition) + (f", then {' + '.join(sort)}" if sort else ""))


def _attribute_text(attribute: ContractAttribute) -> str:
    copied = "copied from" if attribute.denormalized else "from"
    return f"{attribute.type} {copied} {visible(f'{attribute.source_table}.{attribute.source_column}')}"


def _plain(value: Any) -> str:
    """A field of an attribute as one line."""
    if isinstance(value, dict):
        return visible(", ".join(f"{key} {_plain(part)}" for key, part in sorted(value.items())))
    if isinstance(value, list):
        return visible(", ".join(_plain(part) for part in value))
    return "none" if value is None else visible(str(value))
