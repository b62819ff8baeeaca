"""Where findings stand in the repository: the DDL statement, the query text, or the project's own file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ddbmig.analyzers.query_files import QueryPlaces, query_key
from ddbmig.model.assessment import Finding, Phase
from ddbmig.model.design import Alternative
from ddbmig.model.location import Location
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.schema import ForeignKey, Table
from ddbmig.model.snapshot import Snapshot


def source_root(start: Path) -> Path:
    """The folder that paths in reports are relative to: the nearest one from `start` upwards that holds `.git`; outside
    of a repository the working folder, where it holds `start`, else `start` itself."""
    start, here = start.resolve(), Path.cwd()
    repository = next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)
    return repository or (here if start.is_relative_to(here) else start)


def shown(path: Path, root: Path) -> str:
    """A path relative to the source root; of one outside of it only the name, since machines differ in the rest."""
    found = Path(os.path.abspath(path))
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else found.name


@dataclass(frozen=True)
class Places:
    """Looks up the place of a finding. `files` maps the names that the snapshot shows to paths in the repository."""

    snapshot: Snapshot
    files: Mapping[str, str]
    queries: QueryPlaces
    home: Location | None
    """Where that is shown which is about no statement: the first line of ddbmig.yaml, or of the schema."""
    alternative: Alternative | None = None
    _tables: Mapping[str, Table] = field(init=False, repr=False)
    _patterns: Mapping[str, AccessPattern] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tables", {table.id: table for table in self.snapshot.tables.tables})
        object.__setattr__(self, "_patterns", {pattern.id: pattern for pattern in self.snapshot.patterns})

    def of(self, phase: Phase, finding: Finding) -> Location | None:
        """The place of a finding; None where nothing is known that would help a reader."""
        if phase == "table":
            return self._table(finding.subject)
        if phase == "relationship":
            return self._relationship(finding.subject)
        if phase == "pattern":
            return self._pattern(finding.subject)
        if phase == "index" and self.alternative is not None:
            name = finding.subject.partition("/")[0]
            sources = [table.source_table for table in self.alternative.tables if table.name == name]
            return self._table(sources[0]) if sources else self.home
        return self.home

    def _table(self, table_id: str) -> Location | None:
        table = self._tables.get(table_id)
        return self._in_repository(table.at) if table else self.home

    def _relationship(self, subject: str) -> Location | None:
        """The foreign key where it is declared, else the child's statement."""
        child, _, rest = subject.partition("->")[0].rpartition(".")
        table = self._tables.get(child)
        if table is None:
            return self.home
        declared = [key.at for key in table.foreign_keys if _is(key, rest, subject) and key.at]
        return self._in_repository(declared[0]) if declared else self._table(child)

    def _pattern(self, pattern_id: str) -> Location | None:
        """The query text, else the statement of the first table that it asks for."""
        pattern = self._patterns.get(pattern_id)
        if pattern is None:
            return self.home
        known = self.queries.places.get(query_key(pattern.sql)) if self.queries.places else None
        return known or self._table(pattern.refs[0].table)

    def _in_repository(self, at: Location | None) -> Location | None:
        if at is None:
            return self.home
        return at.model_copy(update={"file": self.files.get(at.file, at.file)})


def _is(key: ForeignKey, columns: str, subject: str) -> bool:
    return ",".join(key.columns) == columns and subject.endswith(f"->{key.parent}.{','.join(key.parent_columns)}")


def files_by_name(files: Sequence[tuple[Path, str]], root: Path) -> dict[str, str]:
    """Name that the snapshot shows -> path in the repository; a name that two files share is left as it is."""
    names = [name for _, name in files]
    return {name: shown(path, root) for path, name in files if names.count(name) == 1}
