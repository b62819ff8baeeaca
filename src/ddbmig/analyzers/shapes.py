"""SQL text -> template by its raw shape, without tokenising: the text with its literals and comments cut out.

One regular expression splits a statement at its literals. The pieces between them, with the kind of each literal, are
looked up in a bounded cache. A raw shape not seen before is read by the Normalizer, and is kept only if that found the
same literals and no open quote: then every literal began outside of quotes, so any other statement of the same pieces
is read the same way. Literals that may be part of the template (`1=1`, a quoted alias) are looked up by their value.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from ddbmig.analyzers.events import QuoteState
from ddbmig.analyzers.normalize import LONG_STATEMENT_BYTES, OWN_MARK_BYTES, Normalizer, Template

_MAX_SHAPES: Final = 20_000
_MAX_BYTES: Final = 16 * 1024 * 1024
_MAX_VARIANTS: Final = 64

_REST: Final = (
    rb"(?:(?<=0)[xX][0-9a-fA-F]++|(?<=0)b[01]++|[0-9]*+(?:\.[0-9]*+)?(?:[eE][+-]?[0-9]++)?)(?![\w$\x80-\xff])"
)
_NUMBERS: Final = rb"|".join(rb"%d(?<![\w$@.`\x80-\xff]%d)" % (digit, digit) + _REST for digit in range(10))
_RAW: Final = re.compile(
    rb"('[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'|\"[^\"\\]*+(?:(?:\\.|\"\")[^\"\\]*+)*+\"|" + _NUMBERS +
    rb"|/\*(?!M?!)(?s:.*?)\*/|--(?=\s|\Z)[^\n]*+|#[^\n]*+)",
    re.DOTALL,
)  # fmt: skip
"""Every branch begins with a plain character, so that the engine skips all others in its quickest loop."""
_KIND = bytes(ord("0") if chr(byte).isdigit() else byte for byte in range(256))
_FIRST = itemgetter(0)
_COMMENTS: Final = b"/-#"
_COMPARISON = re.compile(rb"\s*+(?:=|<>|!=)\s*+\Z")
_ALIAS = re.compile(rb"\b[aA][sS]\s*+\Z")


@dataclass(slots=True)
class Shape:
    """A template, and where its values are among the literals of a raw shape: all in order, or as `picks` says."""

    template: Template
    picks: tuple[tuple[int, bool], ...] | None
    """Ordinal and sign per slot; None where the values are all literals in order."""
    placeholders: tuple[int, ...]
    limit: int = -1
    offset: int = -1


@dataclass(slots=True)
class _Entry:
    """What is known of a raw shape. Without `shape` and `variants` it has to be tokenised each time."""

    shape: Shape | None = None
    watch: tuple[int, ...] = ()
    variants: dict[tuple[bytes, ...], Shape] = field(default_factory=dict)


_TOKENISE: Final = _Entry()


class OpenQuote(Exception):
    """The statement ends inside a quote or a comment: where its event ends has to be looked into."""


class Shapes:
    """Finds the template of statements. What was seen before changes the speed and nothing else."""

    def __init__(self) -> None:
        self._normalizer = Normalizer()
        self._entries: dict[bytes, _Entry] = {}
        self._bytes = 0

    def find(self, sql: bytes) -> tuple[Shape, list[bytes]]:
        """The shape of a statement of ordinary quoting, and its literals. Raises OpenQuote."""
        if sql.startswith(OWN_MARK_BYTES):
            return self.tokenised(sql)
        parts = _RAW.split(sql)
        literals = parts[1::2]
        key = bytes(map(_FIRST, literals)).translate(_KIND) + b"\n" + b"\0".join(parts[::2])
        entry = self._entries.get(key)
        if entry is None:
            return self._learn(key, sql, parts)
        if entry.shape is not None:
            return entry.shape, literals
        if entry.watch:
            shape = entry.variants.get(tuple([literals[at] for at in entry.watch]))
            if shape is not None:
                return shape, literals
            return self._learn(key, sql, parts)
        return self.tokenised(sql)

    def tokenised(self, sql: bytes, *, ansi_quotes: bool = False) -> tuple[Shape, list[bytes]]:
        """The shape of a statement by its tokens. Raises OpenQuote."""
        state = QuoteState()
        state.feed(sql)
        if state.open:
            raise OpenQuote
        template, literals, _ = self._normalizer.normalize(sql, ansi_quotes=ansi_quotes)
        return _exact(template, literals)

    def exact(self, sql: bytes, ansi_quotes: bool) -> tuple[Shape, list[bytes], int]:
        """The shape of any statement, by its tokens; and how many members were cut out of a long one."""
        template, literals, cut = self._normalizer.normalize(sql, ansi_quotes=ansi_quotes)
        return *_exact(template, literals), cut

    def _learn(self, key: bytes, sql: bytes, parts: list[bytes]) -> tuple[Shape, list[bytes]]:
        shape, literals = self.tokenised(sql)
        if len(sql) > LONG_STATEMENT_BYTES:
            return shape, literals
        raw = parts[1::2]
        kept = [at for at, literal in enumerate(raw) if literal[0] not in _COMMENTS]
        watch = tuple(_watched(parts, kept))
        entry = self._entries.get(key)
        if entry is None:
            entry = self._remember(key, _Entry(watch=watch))
        ordinals = _ordinals(raw, kept, watch, literals)
        if ordinals is None or len(entry.variants) >= _MAX_VARIANTS:
            self._entries[key] = _TOKENISE
            return shape, literals
        found = _moved(shape, ordinals, len(raw))
        if watch:
            entry.variants[tuple([raw[at] for at in watch])] = found
        else:
            entry.shape = found
        return found, raw

    def _remember(self, key: bytes, entry: _Entry) -> _Entry:
        if len(self._entries) >= _MAX_SHAPES or self._bytes > _MAX_BYTES:
            self._entries.clear()
            self._bytes = 0
        self._entries[key] = entry
        self._bytes += len(key)
        return entry


def _watched(parts: Sequence[bytes], kept: Sequence[int]) -> list[int]:
    """Ordinals of literals that the template may hold as they are: both sides of a comparison, and after AS."""
    found = set()
    for at in kept:
        before, literal = parts[2 * at], parts[2 * at + 1]
        if literal[0] in b"'\"":
            if _ALIAS.search(before):
                found.add(at)
        elif at and _COMPARISON.match(before) and parts[2 * at - 1][0] not in b"'\"/-#":
            found.update((at - 1, at))
    return sorted(found)


def _ordinals(
    raw: Sequence[bytes], kept: Sequence[int], watch: Sequence[int], literals: Sequence[bytes]
) -> list[int] | None:
    """Which raw literal each token literal is; None where the two readings differ."""
    for candidate in (kept, [at for at in kept if at not in watch]):
        if [raw[at] for at in candidate] == list(literals):
            return list(candidate)
    return None


def _exact(template: Template, literals: list[bytes]) -> tuple[Shape, list[bytes]]:
    return _moved(_plain(template), range(len(literals)), len(literals)), literals


def _plain(template: Template) -> Shape:
    return Shape(
        template=template,
        picks=tuple((slot.literal, slot.negative) for slot in template.slots),
        placeholders=tuple(slot.placeholder for slot in template.slots),
        limit=-1 if template.limit is None else template.limit,
        offset=-1 if template.offset is None else template.offset,
    )


def _moved(shape: Shape, ordinals: Sequence[int], count: int) -> Shape:
    """The shape with its literals counted as `ordinals` says, among `count`."""
    template = shape.template
    picks = tuple((ordinals[slot.literal], slot.negative) for slot in template.slots)
    straight = picks == tuple((at, False) for at in range(count)) and not template.fixed
    return Shape(
        template=template,
        picks=None if straight else picks,
        placeholders=(*(slot.placeholder for slot in template.slots), *(at for at, _ in template.fixed)),
        limit=-1 if template.limit is None else ordinals[template.limit],
        offset=-1 if template.offset is None else ordinals[template.offset],
    )
