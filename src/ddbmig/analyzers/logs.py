"""Any files of query logs -> one digest: which kind each is, and digests that were saved before."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ddbmig.analyzers.digest import by_time, combine, merge
from ddbmig.analyzers.files import not_a_log, open_input
from ddbmig.analyzers.general_log import GeneralLog
from ddbmig.analyzers.log_files import log_files
from ddbmig.analyzers.log_reader import LogReader, read_log
from ddbmig.analyzers.slow_log import SlowLog
from ddbmig.model.digest import Digest
from ddbmig.model.errors import UsageError

Reading = Callable[[str, int, int], None]
"""Hears of a file's name, how many of its bytes have been read, and how many it has."""


def read_logs(paths: Sequence[Path], *, key: bytes, jobs: int = 1, reading: Reading = lambda *_: None) -> Digest:
    """The digest of slow and general logs, plain or compressed, of folders and globs too.

    Logs of one kind are put in the order of their times, and the two kinds laid over each other. Raises UsageError or
    InputError for a file that is none.
    """
    kinds: dict[type[LogReader], list[Digest]] = {SlowLog: [], GeneralLog: []}
    for path in files_of(paths):
        kind = kind_of(path)
        meter = partial(_tell, reading, path)
        kinds[kind].append(read_log(kind, path, path.name, key, jobs=jobs, progress=meter))
    slow, general = (merge(by_time(digests)) if digests else None for digests in kinds.values())
    return combine(general, slow)


def _tell(reading: Reading, path: Path, done: int) -> None:
    reading(path.name, done, path.stat().st_size)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files that paths stand for (see log_files). Raises UsageError where nothing is left."""
    found = [path for path in log_files(paths) if not path.is_dir()]
    if not found:
        raise UsageError("no log given", hint="name log files, or a folder that holds some")
    return found


def kind_of(path: Path) -> type[LogReader]:
    """What a log is, by its first megabyte. Raises InputError where it is neither."""
    with open_input(path) as opened:
        head = b"\n" + next(opened.chunks(), b"")
    if SlowLog.first_border(head) >= 0:
        return SlowLog
    if GeneralLog.first_border(head) >= 0:
        return GeneralLog
    raise not_a_log(path, "slow or general", head[1:4096])


def is_saved(path: Path) -> bool:
    """Whether a file looks like a digest that was saved, and not like a log."""
    with open_input(path) as opened:
        return next(opened.chunks(), b"").startswith(b"{")


def merge_saved(paths: Sequence[Path]) -> Digest:
    """The digest of parts that were saved apart, in the order of their times. Raises InputError or VersionError."""
    return merge(by_time([Digest.from_file(path) for path in paths]))
