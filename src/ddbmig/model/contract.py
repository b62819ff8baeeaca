"""The migration contract: the guide's format, and the optional fields for what the plain format cannot say."""

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import RootModel

from ddbmig.model.base import Value
from ddbmig.model.errors import InputError

Encoding = Literal["string", "integer", "decimal", "float", "iso8601_date", "iso8601_datetime", "time", "year", "bool",
                   "base64", "binary", "json", "set", "enum", "bit", "row_digest", "collated"]  # fmt: skip
"""The closed list of ways a MySQL value becomes a DynamoDB value; ddbmig.model.encodings defines each."""


class JoinColumns(Value):
    """`local_column` of the entry's source table equals `source_column` of `source_table`."""

    local_column: str | tuple[str, ...]
    source_column: str | tuple[str, ...]
    source_table: str | None = None

    @property
    def local_columns(self) -> tuple[str, ...]:
        """The columns of the entry's source table."""
        return _listed(self.local_column)

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The columns of the joined table, in the order of the local ones."""
        return _listed(self.source_column)


def _listed(columns: str | tuple[str, ...]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else columns


class ContractAttribute(Value):
    """One attribute of an item and where its value comes from."""

    type: Literal["S", "N", "B", "BOOL", "L", "M", "SS", "NS"]
    source_table: str
    source_column: str
    denormalized: bool | None = None
    justification: str | None = None
    join: JoinColumns | tuple[JoinColumns, ...] | None = None
    template: str | None = None
    value: str | None = None
    fields: Mapping[str, str] | None = None
    encoding: Encoding | None = None

    @property
    def plain(self) -> bool:
        """Whether it keeps a column of the entry's own table as it is, by itself."""
        kept = self.template is None and self.value is None and self.encoding != "row_digest"
        return kept and not self.denormalized


class ContractGsi(Value):
    """A GSI of a table entry. A key of several attributes names the first, and lists them all."""

    name: str
    pk: str
    sk: str | None = None
    pk_attributes: tuple[str, ...] | None = None
    sk_attributes: tuple[str, ...] | None = None


class Enforces(Value):
    """The unique key that a look-up table enforces."""

    table: str
    unique_key: str


class ContractEntry(Value):
    """One table, or (informative) one GSI."""

    table: str
    type: Literal["Table", "GSI"]
    source_table: str
    pk: str
    sk: str | None = None
    gsis: tuple[ContractGsi, ...] | None = None
    attributes: Mapping[str, ContractAttribute]
    satisfies: tuple[str, ...] = ()
    estimated_item_size_bytes: int
    entity: str | None = None
    filter: str | None = None
    pk_attributes: tuple[str, ...] | None = None
    """The attributes of a GSI's partition key where it has several; `pk` is the first of them."""
    sk_attributes: tuple[str, ...] | None = None
    base_table: str | None = None
    projection: Literal["ALL", "KEYS_ONLY", "INCLUDE"] | None = None
    projected_attributes: tuple[str, ...] | None = None
    enforces: Enforces | None = None


class Contract(RootModel[tuple[ContractEntry, ...]]):
    """The whole of migrationContract.json."""


_NOT_NULL = r"`((?:[^`]|``)+)` IS NOT NULL"
_FILTER = re.compile(rf"\s*{_NOT_NULL}(?:\s+AND\s+{_NOT_NULL})*\s*")


def required_columns(predicate: str | None) -> tuple[str, ...]:
    """The columns of an entry's filter, which has the form `a` IS NOT NULL AND `b` IS NOT NULL.

    Raises InputError for another form.
    """
    if predicate is None:
        return ()
    if not _FILTER.fullmatch(predicate):
        raise InputError("a filter of the contract is not understood", subject=predicate,
                         expected="`column` IS NOT NULL, joined by AND")  # fmt: skip
    return tuple(name.replace("``", "`") for name in re.findall(_NOT_NULL, predicate))
