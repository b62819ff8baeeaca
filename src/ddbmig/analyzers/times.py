"""The time stamps of logs as whole microseconds since 1970, UTC."""

import re
from datetime import UTC, datetime

_ISO = re.compile(rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:?\d\d)?$")
_SHORT = re.compile(rb"(\d\d)(\d\d)(\d\d) +(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,6}))?$")


def microseconds(seconds: bytes, fraction: bytes | None) -> int:
    """Digits before and after the point -> microseconds; digits beyond the sixth are dropped."""
    return int(seconds) * 1_000_000 + (int(fraction[:6].ljust(6, b"0")) if fraction else 0)


class Clock:
    """Parses time stamps; remembers the last second, since logs repeat it."""

    def __init__(self) -> None:
        self._last: tuple[bytes, bytes] = (b"", b"")
        self._last_second = 0

    def parse(self, text: bytes) -> tuple[int, bool] | None:
        """Microseconds, and whether the text named its zone. None where it is no time.

        Knows `2026-11-22T13:55:46.640616Z` (or with an offset; MySQL 5.7 and later) and `261122  9:12:04` (local
        time; 5.6 and MariaDB), which is read as UTC.
        """
        iso = _ISO.match(text)
        if iso is not None:
            return self._iso(iso)
        short = _SHORT.match(text)
        if short is None:
            return None
        year, month, day, hour, minute, second = (int(part) for part in short.groups()[:6])
        try:
            when = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None
        return int(when.timestamp()) * 1_000_000 + microseconds(b"0", short.group(7)), False

    def _iso(self, match: re.Match[bytes]) -> tuple[int, bool] | None:
        zone = match.group(4) or b"Z"
        stamp = (match.group(1) + match.group(2), zone)
        if stamp != self._last:
            text = f"{match.group(1).decode()}T{match.group(2).decode()}{zone.decode()}"
            try:
                self._last_second = int(datetime.fromisoformat(text).timestamp())
            except ValueError:
                return None
            self._last = stamp
        return self._last_second * 1_000_000 + microseconds(b"0", match.group(3)), match.group(4) is not None
