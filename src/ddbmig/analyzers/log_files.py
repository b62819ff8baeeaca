"""What a user names -> log files: a file, a folder of rotated logs, or a glob that no shell expanded."""

import re
from collections.abc import Iterable
from glob import glob
from pathlib import Path
from typing import Final

_ROTATED: Final = re.compile(
    r"(?P<log>.+?)(?:\.(?P<number>\d{1,3})|[-._](?P<date>\d{4}-?\d\d-?\d\d[\d.T_-]*))?(?:\.(?:gz|bz2|xz|zst))?"
)


def log_files(paths: Iterable[Path]) -> list[Path]:
    """The files that paths stand for, each once, rotated ones from the oldest to the newest.

    A folder stands for its files but hidden ones, a glob for what matches it. A path that stands for nothing is kept:
    whoever opens it says what is wrong with it.
    """
    found = (file for path in paths for file in sorted(_files(path), key=_age) or [path])
    return list({file.absolute(): file for file in found}.values())


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")]
    if path.exists():
        return [path]
    return [file for file in map(Path, glob(str(path))) if file.is_file()]


def _age(path: Path) -> tuple[str, str, bool, str, int, str]:
    """Sorts the logs of a folder by name, and one log's files by age: logrotate numbers up from the newest, dates grow,
    and the file without a suffix is being written."""
    parts = _ROTATED.fullmatch(path.name)
    log, number, date = parts.group("log", "number", "date") if parts else (path.name, None, None)
    return str(path.parent), log, not (number or date), date or "", -int(number or 0), path.name
