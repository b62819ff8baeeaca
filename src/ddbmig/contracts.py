"""`ddbmig contract`: a contract that a person may have edited, checked, compared, and shown with real rows."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ddbmig.analyzers.snapshot import Sources
from ddbmig.engine.contract_check import contract_mistakes, lost_columns
from ddbmig.engine.contract_reader import ContractFile, read_contract
from ddbmig.engine.strict_yaml import decoded
from ddbmig.engine.wording import closest
from ddbmig.loaders.items import ItemBuilder, Row
from ddbmig.model.contract import Contract
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import DdbmigError, InputError, RuleError, UsageError
from ddbmig.model.snapshot import Snapshot
from ddbmig.project import Project
from ddbmig.workflow import STAGES, to_analyze


@dataclass(frozen=True)
class Checked:
    """What a check found: mistakes, and columns whose values the contract leaves behind, which may be meant."""

    file: str
    entries: int
    mistakes: tuple[DdbmigError, ...]
    lost: tuple[str, ...] = ()

    def data(self) -> dict[str, Any]:
        """What `--json` prints."""
        mistakes = [mistake.data() for mistake in self.mistakes]
        return {"file": self.file, "entries": self.entries, "mistakes": mistakes, "lost": list(self.lost)}


def contract_file(project: Project, given: Path | None) -> Path:
    """The file that is named, else the project's own. Raises UsageError where there is none."""
    path = given or project.out / STAGES[5].value
    if not path.is_file():
        hint = "check the path" if given else f"first: {to_analyze(project)}"
        raise UsageError("no such contract", file=str(path), hint=hint)
    return path


def saved_snapshot(project: Project, given: Path | None) -> Snapshot:
    """The snapshot that is named, else the project's own. Raises UsageError where there is none."""
    path = given or project.out / STAGES[0].value
    if not path.is_file():
        raise UsageError("no snapshot to hold the contract against", file=str(path),
                         hint=f"name one by --snapshot, or first: {to_analyze(project)}")  # fmt: skip
    return Snapshot.from_file(path)


def check(path: Path, snapshot: Snapshot) -> Checked:
    """Everything that is wrong with a contract. Raises InputError where the file is no JSON."""
    read, mistakes = _read(path)
    if read is None:
        return Checked(str(path), 0, mistakes)
    found = contract_mistakes(read, snapshot.tables, snapshot.statistics)
    return Checked(str(path), len(read.contract.root), found, lost_columns(read, snapshot.tables))


def well_formed(path: Path) -> Contract:
    """The contract of a file. Raises RuleError with all mistakes of its form, InputError where it is no JSON."""
    read, mistakes = _read(path)
    if read is None:
        raise RuleError(mistakes)
    return read.contract


def _read(path: Path) -> tuple[ContractFile | None, tuple[DdbmigError, ...]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError("cannot read this contract", str(path), hint="check the path") from error
    return read_contract(str(path), decoded(str(path), data))


def preview(
    contract: Contract, snapshot: Snapshot, sources: Sources, table: str | None, rows: int
) -> dict[str, list[dict[str, Any]]]:
    """The first items of each table, or of one, as the loader would write them, in DynamoDB JSON.

    Raises UsageError for a table that the contract does not have, or where no rows are given.
    """
    from boto3.dynamodb.types import TypeSerializer  # heavy

    from ddbmig.validators.source import SourceRows
    from ddbmig.validators.validate import read_data

    entries = {entry.table: entry for entry in contract.root if entry.type == "Table"}
    if table is not None and table not in entries:
        raise UsageError(f"the contract has no table {table}", hint=closest(table, entries))
    found = sources.data_rows(snapshot.tables)
    if found is None:
        raise UsageError("no rows to show", hint="name a dump by --data, or in ddbmig.yaml")
    source, serializer = read_data(snapshot, found, SourceRows(snapshot.tables)).source, TypeSerializer()

    def parent(table_id: str, columns: tuple[str, ...], values: tuple[Cell, ...]) -> Row | None:
        return source.match(table_id, dict(zip(columns, values, strict=True)))

    shown: dict[str, list[dict[str, Any]]] = {}
    for name, entry in entries.items() if table is None else [(table, entries[table])]:
        builder = ItemBuilder(entry, snapshot.tables)
        items = (builder.item(row, parent) for row in source.rows(entry.source_table) if builder.applies(row))
        shown[name] = [
            {key: serializer.serialize(value) for key, value in sorted(item.items())} for item in islice(items, rows)
        ]
    return shown
