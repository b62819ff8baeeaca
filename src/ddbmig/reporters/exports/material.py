"""What hand-over files are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ddbmig.model.assessment import Assessment
from ddbmig.model.contract import Contract
from ddbmig.model.design import Alternative, Capacity
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.reporters.exports.origin import Origin
from ddbmig.reporters.exports.structures import Table, tables_of

Structure = tuple[str, str | None]
"""Name of a table, and of its GSI."""


@dataclass(frozen=True)
class Peak:
    """Request units that a table (its GSIs apart) or a GSI is expected to take in a second at the peak."""

    reads: float = 0.0
    writes: float = 0.0


@dataclass(frozen=True)
class Material:
    """The chosen alternative, its contract, and the values they rest on."""

    origin: Origin
    snapshot: Snapshot
    assessment: Assessment
    alternative: Alternative
    contract: Contract
    peaks: Mapping[Structure, Peak]
    region: str
    """The Region of AWS whose prices the bill has."""
    validation: Validation | None = None
    """What stage 4 found of this design; None where it has not run it as it is now."""

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The tables of the contract."""
        return tables_of(self.contract)

    @cached_property
    def capacity(self) -> Mapping[Structure, Capacity]:
        """What is provisioned; empty on demand."""
        return {(one.table, one.index): one for one in self.alternative.cost.capacity}

    def throughput(self, table: str, index: str | None) -> dict[str, dict[str, int]]:
        """The ProvisionedThroughput of a table or GSI; one unit each where nothing is known of it."""
        held = self.capacity.get((table, index))
        reads, writes = (held.read_units, held.write_units) if held else (1, 1)
        return {"ProvisionedThroughput": {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes}}
