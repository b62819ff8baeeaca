"""How far a load has come: what it does, the place up to which each table is done, the counts, the rejected rows.

One SQLite file, readable by its owner only since it holds keys of rows. What is noted together becomes true together:
a load that is killed at any moment goes on from the last place that was noted.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from ddbmig.loaders.cells import cells_of, cells_text
from ddbmig.loaders.chunks import Reject, Tally
from ddbmig.model.encodings import Cell
from ddbmig.model.errors import UsageError

Mark = list[Cell]
"""The place in a source table up to which it is done: a key, or a number of rows."""
STATE = "load.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS marks (source TEXT PRIMARY KEY, mark TEXT NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tallies (entry TEXT PRIMARY KEY, tally TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rejects (id INTEGER PRIMARY KEY, reject TEXT NOT NULL);
"""
_SEEN = """
CREATE TABLE IF NOT EXISTS seen (entry TEXT, key BLOB, times INTEGER NOT NULL, PRIMARY KEY (entry, key)) WITHOUT ROWID
"""


class SeenKeys:
    """The keys of items that may not be distinct, by hashes of 128 bits, in a database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        self._db.execute(_SEEN)

    @classmethod
    @contextmanager
    def for_a_while(cls) -> Iterator[Self]:
        """In a temporary file, as far as memory does not hold them."""
        with closing(sqlite3.connect("", isolation_level=None)) as database:
            seen = cls(database)
            database.execute("BEGIN")
            yield seen

    def earlier(self, entry: str) -> Callable[[bytes], int]:
        """Counts the keys of an entry's items: how many there were before this one."""

        def count(key: bytes) -> int:
            digest = hashlib.blake2b(key, digest_size=16).digest()
            upsert = "INSERT INTO seen VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times"
            return int(self._db.execute(upsert, (entry, digest)).fetchone()[0]) - 1

        return count


class LoadState:
    """The state of one load in a folder; use it as a context manager.

    `identity` says what is loaded from where to where. Raises UsageError where the folder holds another load, where
    one is running, and where nothing can be written.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], *, restart: bool = False) -> None:
        self._file = folder / STATE
        self._identity = json.dumps(identity, sort_keys=True)
        self._open = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(self._file, isolation_level=None, timeout=0.1)
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("BEGIN EXCLUSIVE")
            for statement in (*_TABLES.split(";"), _SEEN):
                self._db.execute(statement)
            if restart:
                self._forget()
            known = self.fact("identity")
            if known is None:
                self.note("identity", self._identity)
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                hint = "wait for it, or name another folder with --state"
                raise UsageError("a load is running in this folder", file=str(folder), hint=hint) from error
            raise _no_state(self._file) from error
        except (sqlite3.DatabaseError, OSError) as error:
            raise _no_state(self._file) from error
        if known not in (None, self._identity):
            self._db.close()
            raise UsageError(
                f"holds the state of another load: {_differing(known, self._identity)}", file=str(self._file),
                hint="name another folder with --state, or forget that load with --restart",
            )  # fmt: skip

    def _forget(self) -> None:
        """Everything but whose tables those are that were made."""
        self._db.execute("DELETE FROM facts WHERE name <> 'target'")
        for name in ("marks", "tallies", "rejects", "seen"):
            self._db.execute(f"DELETE FROM {name}")  # noqa: S608  # names of ours

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    # --- facts ---

    def fact(self, name: str) -> str | None:
        """What was noted under a name."""
        found = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def note(self, name: str, value: str) -> None:
        """Note a fact, at once where nothing else is under way."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def begin(self, target: str) -> None:
        """From here on items may be written to this target."""
        self.note("target", target)
        self.note("begun", "")

    @property
    def begun(self) -> bool:
        """Whether items may have been written."""
        return self.fact("begun") is not None

    # --- progress ---

    def mark(self, source: str) -> tuple[Mark | None, int]:
        """Up to where a source table is done, and how many rows these are."""
        found = self._db.execute("SELECT mark, rows FROM marks WHERE source = ?", (source,)).fetchone()
        return (None, 0) if found is None else (cells_of(found[0]), int(found[1]))

    def add(self, entry: str, tally: Tally, rejects: Sequence[Reject]) -> None:
        """Count rows of an entry; true only with the next `commit`."""
        self._begin()
        total = json.dumps(asdict(self.tally(entry) + tally))
        self._db.execute("INSERT OR REPLACE INTO tallies VALUES (?, ?)", (entry, total))
        lines = ((json.dumps(reject._asdict()),) for reject in rejects)
        self._db.executemany("INSERT INTO rejects (reject) VALUES (?)", lines)

    def tally(self, entry: str) -> Tally:
        """What became of the rows of an entry so far."""
        found = self._db.execute("SELECT tally FROM tallies WHERE entry = ?", (entry,)).fetchone()
        return Tally() if found is None else Tally(**json.loads(found[0]))

    def earlier(self, entry: str) -> Callable[[bytes], int]:
        """Counts the keys of an entry's items: how many there were before this one; true only with `commit`."""
        count = SeenKeys(self._db).earlier(entry)

        def begun(key: bytes) -> int:
            self._begin()
            return count(key)

        return begun

    def commit(self, source: str, mark: Mark, rows: int) -> None:
        """Make true what was counted: the source table is done up to here, which is so many rows."""
        self._begin()
        self._db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (source, cells_text(mark), rows))
        self._db.execute("COMMIT")
        self._open = False

    def _begin(self) -> None:
        if not self._open:
            self._db.execute("BEGIN")
            self._open = True

    def rejects(self) -> Iterator[Reject]:
        """All rows that were rejected or are incomplete, in the order of the load."""
        for (line,) in self._db.execute("SELECT reject FROM rejects ORDER BY id"):
            yield Reject(**json.loads(line))


def _no_state(file: Path) -> UsageError:
    return UsageError("no state of a load can be kept here", file=str(file), hint="name another folder with --state")


def _differing(known: str, wanted: str) -> str:
    before, now = json.loads(known), json.loads(wanted)
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return f"another {' and another '.join(names)}"
