"""SQL text -> template: the statement with every literal replaced by `?`, in one canonical spacing.

A statement is cut into tokens by one regular expression; its literals are masked, and what remains (the *shape*) is
looked up in a bounded cache. Only a shape not seen before is parsed. The template is a function of the shape alone, so
the cache can never change a result.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from ddbmig.model.digest import Verb

MAX_TEMPLATE_CHARS: Final = 64 * 1024
"""Templates longer than this are not kept; their statements are counted as `TOO_LONG`."""
LONG_STATEMENT_BYTES: Final = 1024 * 1024
"""From here on repeated rows and list members are cut out before the statement is tokenised."""
TOO_LONG: Final = "not analysed: statement too long"

_MAX_TOKENISED_BYTES: Final = 8 * 1024 * 1024
_MAX_DEPTH: Final = 200
"""Lists inside deeper parentheses are not folded: looking for them takes time proportional to the depth."""
_CACHE_SHAPES: Final = 20_000
_CACHE_BYTES: Final = 32 * 1024 * 1024

_STRING = rb"'(?:[^'\\]++|\\.|'')*+(?:'|\\?\Z)"
_DOUBLE = rb'"(?:[^"\\]++|\\.|"")*+(?:"|\\?\Z)'
_NUMBER = rb"(?:0[xX][0-9a-fA-F]++|0b[01]++|(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)(?![\w$\x80-\xff])"
_TOKENS = rb"""
\s*+(
  (?:`(?:[^`]|``)*+(?:`|\Z)\.?+)++                      # quoted identifier, with its qualifiers
 |[A-Za-z_$@\x80-\xff][\w$@.\x80-\xff]*+\(?              # word, with the parenthesis of a call
 |%(string)s
 |%(double)s
 |[01]\s*+(?:=|<>|!=)\s*+[01](?![\w$.\x80-\xff])         # 1=1: may be a constant condition
 |%(number)s
 |[0-9][\w$.\x80-\xff]*+                                 # identifier that starts with a digit
 |/\*M?!\d*+                                            # start of conditional SQL
 |/\*.*?(?:\*/|\Z)
 |\*/
 |--(?=\s|\Z)[^\n]*+
 |\#[^\n]*+
 |[<>=!:|&^]++
 |->>?
 |\S
)"""
_QUOTED_NAME = rb'(?:"(?:[^"]|"")*+(?:"|\Z)\.?+)++'
_PARTS = {b"string": _STRING, b"number": _NUMBER}
_LEX = re.compile(_TOKENS % {**_PARTS, b"double": _DOUBLE}, re.VERBOSE | re.DOTALL)
_LEX_ANSI = re.compile(_TOKENS % {**_PARTS, b"double": _QUOTED_NAME}, re.VERBOSE | re.DOTALL)
_IS_NUMBER = re.compile(_NUMBER)

_LITERAL = rb"(?:" + _STRING + rb"|" + _DOUBLE + rb"|[+-]?" + _NUMBER + rb"|NULL\b|DEFAULT\b)"
_MEMBERS = _LITERAL + rb"(?:\s*+,\s*+" + _LITERAL + rb")*+"
_FIELD = rb"(?:" + _LITERAL + rb"|TRUE\b|FALSE\b|_?\w++\s*+" + _STRING + rb"|\w++\((?:" + _MEMBERS + rb")?+\s*+\))"
_ROW = rb"\(\s*+" + _FIELD + rb"(?:\s*+,\s*+" + _FIELD + rb")*+\s*+\)"
_MANY_ROWS = re.compile(rb"(" + _ROW + rb")(?:\s*+,\s*+" + _ROW + rb")++", re.DOTALL | re.IGNORECASE)
_MANY_MEMBERS = re.compile(
    rb"(\bIN\s*+\(\s*+" + _LITERAL + rb")(?:\s*+,\s*+" + _LITERAL + rb")++", re.DOTALL | re.IGNORECASE
)
_ONE_ROW = re.compile(_ROW, re.DOTALL | re.IGNORECASE)
_ONE_LITERAL = re.compile(_LITERAL, re.DOTALL | re.IGNORECASE)

_KEEP, _STRING_KIND, _DIGIT, _SLASH, _DASH, _HASH, _DOT, _NAME = range(8)
_KINDS = bytearray(256)
for _byte in b"0123456789":
    _KINDS[_byte] = _DIGIT
for _text, _kind in ((b"'", _STRING_KIND), (b'"', _STRING_KIND), (b"/", _SLASH), (b"-", _DASH), (b"#", _HASH),
                     (b".", _DOT)):  # fmt: skip
    _KINDS[_text[0]] = _kind
_KINDS_ANSI = bytearray(_KINDS)
_KINDS_ANSI[ord('"')] = _NAME

MASK_STRING: Final = b"'"
MASK_NUMBER: Final = b"0"

_SPACED = frozenset({
    "ALL", "AND", "ANY", "AS", "BETWEEN", "BY", "CASE", "DISTINCT", "DIV", "ELSE", "EXISTS", "FROM", "HAVING",
    "IN", "INTERVAL", "INTO", "IS", "JOIN", "LIKE", "MOD", "NOT", "ON", "OR", "OVER", "REGEXP", "RETURN", "RLIKE",
    "SELECT", "SET", "SOME", "THEN", "UNION", "USING", "VALUES", "VALUE", "WHEN", "WHERE", "XOR", "OFFSET",
    "LIMIT",
})  # fmt: skip
"""Keywords that are no function although a parenthesis may follow at once; after them `-` is a sign."""
_BOOLEAN_START = frozenset({"WHERE", "AND", "OR", "XOR", "ON", "NOT", "HAVING", "WHEN", "SELECT"})
_ARITHMETIC = frozenset(["+", "-", "*", "/", "%", "^", "&", "|", "<<", ">>", "DIV", "MOD", "=", "<", ">", "<=", ">="])
_TYPED = frozenset(["DATE", "TIME", "TIMESTAMP"])
_SERVER_WIDE = ("GLOBAL", "PERSIST", "@@GLOBAL.", "@@PERSIST")
_AS_ALIAS = frozenset([b"AS", b"as", b"As"])
_QUERY_STARTS = frozenset([b"SELECT", b"WITH", b"INSERT", b"REPLACE", b"UPDATE", b"DELETE", b""])
"""First words (empty: a parenthesis) of statements in which a string after AS is the name of a column."""

_NO_PATTERN: tuple[tuple[Verb, str, tuple[str, ...]], ...] = (
    ("show", "metadata (SHOW, DESCRIBE, EXPLAIN)", ("SHOW", "DESC", "DESCRIBE", "EXPLAIN", "HELP")),
    ("transaction", "transaction control",
     ("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA", "END")),
    ("ddl", "schema change", ("CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "IMPORT")),
    ("admin", "administration",
     ("LOCK", "UNLOCK", "USE", "KILL", "FLUSH", "ANALYZE", "OPTIMIZE", "CHECK", "CHECKSUM", "REPAIR", "GRANT", "REVOKE",
      "RESET", "PURGE", "CHANGE", "STOP", "SHUTDOWN", "RESTART", "INSTALL", "UNINSTALL", "CACHE", "BINLOG", "CLONE")),
    ("admin", "prepared statement control", ("PREPARE", "EXECUTE", "DEALLOCATE")),
    ("set", "session setting", ("SET",)),
)  # fmt: skip
"""Statements that can be no access pattern: verb, named reason, first words."""
_VERBS: dict[str, tuple[Verb, str]] = {
    "SELECT": ("select", ""),
    "INSERT": ("insert", ""),
    "REPLACE": ("replace", ""),
    "UPDATE": ("update", ""),
    "DELETE": ("delete", ""),
    "CALL": ("call", ""),
    **{word: (verb, reason) for verb, reason, words in _NO_PATTERN for word in words},
}
"""First word -> verb, and why such a statement can be no access pattern (empty: it may be one)."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One literal of the statement (by its ordinal) and the placeholder it went into."""

    literal: int
    placeholder: int
    negative: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """What all statements of one shape have in common.

    `reason` says why it can be no access pattern, empty if it may be one. `control` is what it does to a transaction:
    its first words in upper case (`ROLLBACK TO`), empty for other statements. `fixed` are placeholders whose value the
    shape itself holds. `limit` and `offset` are the ordinals of the outermost LIMIT's literals.
    """

    sql: str
    verb: Verb
    reason: str = ""
    control: str = ""
    slots: tuple[Slot, ...] = ()
    fixed: tuple[tuple[int, bytes], ...] = ()
    list_length: int = 0
    limit: int | None = None
    offset: int | None = None


OWN_MARK: Final = "/* ddbmig */ "
"""Every statement that ddbmig sends to a server begins so: it is none of the application's."""
OWN: Final = "ddbmig's own reading"
OWN_MARK_BYTES: Final = OWN_MARK.encode()
OWN_STATEMENT: Final = Template("", "other", OWN)


@dataclass(slots=True)
class _Item:
    """A token of the template; `members` are the literals of a placeholder."""

    text: str
    members: list[tuple[int, bool]] = field(default_factory=list)
    value: bytes | None = None
    string: bool = False
    index: int = -1

    @property
    def upper(self) -> str:
        return self.text.upper()

    @property
    def is_placeholder(self) -> bool:
        return self.text == "?"


class Normalizer:
    """Turns statements into templates. Results do not depend on what was seen before; only the speed does."""

    def __init__(self) -> None:
        self._cache: dict[bytes, Template] = {}
        self._cached_bytes = 0

    def normalize(self, sql: bytes, *, ansi_quotes: bool = False) -> tuple[Template, list[bytes], int]:
        """The template of `sql`, its literals as written, and how many members were cut out of a long statement."""
        if sql.startswith(OWN_MARK_BYTES):
            return OWN_STATEMENT, [], 0
        cut = 0
        if len(sql) > LONG_STATEMENT_BYTES:
            sql, cut = _shorten(sql)
            if len(sql) > _MAX_TOKENISED_BYTES:
                return Template("", "other", TOO_LONG), [], 0
        shape, literals = _shape(sql, ansi_quotes)
        key = b"\n".join(shape)
        template = self._cache.get(key)
        if template is None:
            template = _parse(shape)
            self._remember(key, template)
        return template, literals, cut

    def _remember(self, key: bytes, template: Template) -> None:
        if len(self._cache) >= _CACHE_SHAPES or self._cached_bytes > _CACHE_BYTES:
            self._cache.clear()
            self._cached_bytes = 0
        self._cache[key] = template
        self._cached_bytes += len(key) + 64 * len(template.slots)


def literal_value(literal: bytes, negative: bool = False) -> bytes:
    """The value a literal stands for, as text: `'5'` and `5` are the same value, as they are to an indexed column."""
    if literal[:1] in (b"'", b'"'):
        quote = literal[:1]
        text = literal[1:-1] if literal.endswith(quote) and len(literal) > 1 else literal[1:]
        if b"\\" in text or quote in text:
            text = _ESCAPED.sub(_unescape, text)
        return text
    return b"-" + literal if negative else literal


_ESCAPED = re.compile(rb"\\(.)|''|\"\"", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"0": b"\0", b"b": b"\b", b"Z": b"\x1a"}


def _unescape(match: re.Match[bytes]) -> bytes:
    """MySQL's string escapes (reference manual, "String Literals")."""
    character: bytes | None = match.group(1)
    if character is None:
        return match.group(0)[:1]
    return _ESCAPES.get(character, character)


def _shorten(sql: bytes) -> tuple[bytes, int]:
    """Cut the repeated rows and list members of a long statement; also says how many rows or members there were."""
    most = 0

    def rows(match: re.Match[bytes]) -> bytes:
        nonlocal most
        most = max(most, sum(1 for _ in _ONE_ROW.finditer(match.group(0))))
        return match.group(1)

    def members(match: re.Match[bytes]) -> bytes:
        nonlocal most
        most = max(most, sum(1 for _ in _ONE_LITERAL.finditer(match.group(0))))
        return match.group(1)

    return _MANY_MEMBERS.sub(members, _MANY_ROWS.sub(rows, sql)), most


def _shape(sql: bytes, ansi_quotes: bool) -> tuple[list[bytes], list[bytes]]:
    """Tokens with literals masked and comments dropped, and the literals. This loop runs for every event."""
    kinds = _KINDS_ANSI if ansi_quotes else _KINDS
    shape: list[bytes] = []
    literals: list[bytes] = []
    for token in (_LEX_ANSI if ansi_quotes else _LEX).findall(sql):
        kind = kinds[token[0]]
        if kind == _KEEP:
            shape.append(token)
        elif kind == _STRING_KIND:
            if shape and shape[-1] in _AS_ALIAS and shape[0].upper().rstrip(b"(") in _QUERY_STARTS:
                shape.append(b"`" + token[1:-1].replace(b"`", b"``") + b"`")
            else:
                shape.append(MASK_STRING)
                literals.append(token)
        elif (kind == _DIGIT and (token.isdigit() or _IS_NUMBER.fullmatch(token))) or (kind == _DOT and len(token) > 1):
            shape.append(MASK_NUMBER)
            literals.append(token)
        elif kind == _NAME:
            shape.append(token.replace(b"`", b"``").replace(b'"', b"`"))
        elif not _is_comment(token, kind):
            shape.append(token)
    return shape, literals


def _is_comment(token: bytes, kind: int) -> bool:
    if kind == _SLASH:
        return token.startswith(b"/*") and not token.startswith((b"/*!", b"/*M!"))
    return kind == _HASH or (kind == _DASH and token.startswith(b"--"))


def _parse(shape: list[bytes]) -> Template:
    """The template of a shape."""
    items = _items(shape)
    while items and items[-1].text == ";":
        items.pop()
    verb, reason, control = _classify(items)
    items, length = _collapse(items) if _depth(items) <= _MAX_DEPTH else (items, 0)
    limit, offset = _limit(items)
    index = 0
    for item in items:
        if item.is_placeholder:
            item.index = index
            index += 1
    sql = _render(items)
    if len(sql) > MAX_TEMPLATE_CHARS:
        sql, reason = "", reason or TOO_LONG
    return Template(
        sql=sql,
        verb=verb,
        reason=reason,
        control=control,
        slots=tuple(Slot(literal, item.index, negative) for item in items for literal, negative in item.members),
        fixed=tuple((item.index, item.value) for item in items if item.value is not None),
        list_length=length,
        limit=limit,
        offset=offset,
    )


def _items(shape: list[bytes]) -> list[_Item]:
    """Masked tokens -> items: literals with their prefix, sign and neighbours joined, constant conditions decided."""
    items: list[_Item] = []
    ordinal = 0
    for position, token in enumerate(shape):
        if token in (MASK_STRING, MASK_NUMBER):
            _add_literal(items, ordinal, token == MASK_STRING)
            ordinal += 1
        elif token[:1] in b"01" and (b"=" in token or b"<" in token):
            following = shape[position + 1] if position + 1 < len(shape) else b""
            _add_comparison(items, token, following)
        elif token.startswith((b"/*!", b"/*M!")) or token == b"*/":
            continue
        else:
            _add_word(items, token)
    return items


def _add_word(items: list[_Item], token: bytes) -> None:
    text = token.decode("utf-8", "backslashreplace")
    if text.startswith("`") and not text.rstrip(".").endswith("`"):
        text = "`?`"  # the name was never closed: it may hold anything
    if len(text) > 1 and text.endswith("(") and text[:-1].upper() in _SPACED:
        items.extend((_Item(text[:-1]), _Item("(")))
    else:
        items.append(_Item(text))


def _add_literal(items: list[_Item], ordinal: int, string: bool) -> None:
    """Append a placeholder; a charset or type prefix, a sign and an adjacent string become part of it."""
    previous = items[-1] if items else None
    negative = False
    if string and previous is not None:
        if previous.string:
            return  # 'a' 'b' is one string to MySQL; its first part stands for it
        if previous.upper in ("N", "X", "B") or previous.upper in _TYPED or _is_introducer(previous.text):
            items.pop()
    elif previous is not None and previous.text in ("-", "+") and _sign_follows(items[:-1]):
        negative = previous.text == "-"
        items.pop()
    items.append(_Item("?", [(ordinal, negative)], string=string))


def _is_introducer(text: str) -> bool:
    """`_utf8mb4'…'`: a known prefix of a character set, so that a column alias such as `_x` is none."""
    return text.lower().startswith(("_utf8", "_latin", "_binary", "_ascii", "_ucs2", "_utf16", "_utf32", "_cp", "_gb",
                                    "_big5", "_sjis", "_koi8", "_euc"))  # fmt: skip


def _sign_follows(items: list[_Item]) -> bool:
    """Whether a `-` here is a sign: after nothing, an operator, a parenthesis, a comma or a keyword."""
    if not items:
        return True
    last = items[-1]
    if last.is_placeholder or last.text == ")":
        return False
    if last.text.endswith("("):
        return True
    if last.text[0].isalnum() or last.text[0] in "_$@`\\" or ord(last.text[0]) > 127:
        return last.upper in _SPACED
    return last.text != "*" or len(items) > 1


def _add_comparison(items: list[_Item], token: bytes, following: bytes) -> None:
    """`1=1` alone is a constant condition whose truth matters and stays; inside arithmetic it is two literals."""
    previous = items[-1] if items else None
    starts = previous is None or previous.text.endswith(("(", ",")) or previous.upper in _BOOLEAN_START
    starts = starts or (previous is not None and previous.text in ("&&", "||"))
    if starts and following.decode("latin-1").upper() not in _ARITHMETIC:
        items.append(_Item(" ".join(token.decode("ascii").split())))
        return
    items.append(_Item("?", value=token[:1]))
    items.append(_Item(token[1:-1].decode("ascii").strip()))
    items.append(_Item("?", value=token[-1:]))


def _classify(items: list[_Item]) -> tuple[Verb, str, str]:
    """Verb, the reason why it is no access pattern, and what it does to a transaction."""
    words = [item.upper.rstrip("(") for item in items[:6] if item.text != "("]
    if not words:
        return "other", "comment only", ""
    first = words[0]
    if first == "WITH":
        return _with_verb(items), "", ""
    verb, reason = _VERBS.get(first, ("other", ""))
    if first == "START" and "TRANSACTION" not in words:
        return "admin", "administration", ""
    if verb == "transaction":
        return verb, reason, "ROLLBACK TO" if first == "ROLLBACK" and "TO" in words else " ".join(words[:3])
    if verb == "set" and words[1:2] and words[1].startswith(_SERVER_WIDE):
        return verb, "server setting", ""
    return verb, reason, ""


def _with_verb(items: list[_Item]) -> Verb:
    """WITH … SELECT, or an UPDATE or DELETE that a common table expression leads in."""
    depth = 0
    for item in items:
        depth += item.text.count("(") if item.text.endswith("(") else -(item.text == ")")
        if depth == 0 and item.upper == "UPDATE":
            return "update"
        if depth == 0 and item.upper == "DELETE":
            return "delete"
        if depth == 0 and item.upper == "SELECT":
            return "select"
    return "select"


def _depth(items: list[_Item]) -> int:
    """How deep parentheses are nested."""
    depth = deepest = 0
    for item in items:
        depth += 1 if item.text.endswith("(") else -1 if item.text == ")" else 0
        deepest = max(deepest, depth)
    return deepest


def _collapse(items: list[_Item]) -> tuple[list[_Item], int]:
    """Fold IN lists, VALUES rows and FIELD() arguments into one member each; also the longest list that was folded."""
    out: list[_Item] = []
    longest = 0
    position = 0
    while position < len(items):
        item = items[position]
        out.append(item)
        position += 1
        word = item.upper
        opens = position < len(items) and items[position].text == "("
        if word == "IN" and opens:
            folded, position, length = _fold_list(items, position)
        elif word in ("VALUES", "VALUE") and opens:
            folded, position, length = _fold_rows(items, position)
            if not folded:  # the function of an ON DUPLICATE KEY UPDATE
                out[-1] = _Item(item.text + "(")
                position += 1
        elif word == "FIELD(":
            folded, position, length = _fold_arguments(items, position)
        else:
            continue
        out.extend(folded)
        longest = max(longest, length)
    return out, longest


def _closing(items: list[_Item], start: int) -> int:
    """Position of the parenthesis that closes the one opened before `start`; the end if there is none."""
    depth = 1
    for position in range(start, len(items)):
        text = items[position].text
        if text.endswith("("):
            depth += 1
        elif text == ")":
            depth -= 1
            if depth == 0:
                return position
    return len(items)


def _fold_list(items: list[_Item], start: int) -> tuple[list[_Item], int, int]:
    """`(1, 2, 3)` -> `(?)`; `((1, 2), (3, 4))` -> `((?, ?))`; anything else stays and is looked into later."""
    end = _closing(items, start + 1)
    inner = items[start + 1 : end]
    if inner and all(item.is_placeholder == (at % 2 == 0) and item.text in "?," for at, item in enumerate(inner)):
        merged = _Item("?", [member for item in inner for member in item.members], inner[0].value)
        return [items[start], merged, *items[end : end + 1]], end + 1, (len(inner) + 1) // 2
    if inner and inner[0].text == "(":
        folded, position, length = _fold_rows(items, start + 1)
        if position == end:
            return [items[start], *folded, *items[end : end + 1]], end + 1, length
    return [], start, 0


def _fold_rows(items: list[_Item], start: int) -> tuple[list[_Item], int, int]:
    """`(…), (…), …` -> the first row, whose placeholders take the literals that stand alone in the same place."""
    if not _holds_literal(items, start):
        return [], start, 0
    end = _closing(items, start + 1)
    first = items[start : end + 1]
    columns = _columns(first[1:-1])
    count = 1
    while end + 2 < len(items) and items[end + 1].text == "," and items[end + 2].text == "(":
        row_start = end + 2
        end = _closing(items, row_start + 1)
        count += 1
        for own, other in zip(columns, _columns(items[row_start + 1 : end]), strict=False):
            if len(own) == len(other) == 1 and own[0].is_placeholder and other[0].is_placeholder:
                own[0].members.extend(other[0].members)
    return first, min(end + 1, len(items)), count


def _holds_literal(items: list[_Item], start: int) -> bool:
    """Whether this is a row of an INSERT and not `VALUES(column)` of an ON DUPLICATE KEY UPDATE, or a subquery."""
    inner = items[start + 1 : start + 2]
    end = _closing(items, start + 1)
    more = end + 2 < len(items) and items[end + 1].text == "," and items[end + 2].text == "("
    single_name = end == start + 2 and not inner[0].is_placeholder and inner[0].upper not in ("NULL", "DEFAULT")
    return bool(inner) and inner[0].upper != "SELECT" and (more or not single_name)


def _columns(row: list[_Item]) -> list[list[_Item]]:
    """The items of a row, split at its own commas."""
    columns: list[list[_Item]] = [[]]
    depth = 0
    for item in row:
        if item.text == "," and depth == 0:
            columns.append([])
            continue
        depth += 1 if item.text.endswith("(") else -1 if item.text == ")" else 0
        columns[-1].append(item)
    return columns


def _fold_arguments(items: list[_Item], start: int) -> tuple[list[_Item], int, int]:
    """`FIELD(id, 3, 1, 2)` -> `FIELD(id, ?)`: an order given as a list has no length of its own."""
    end = _closing(items, start)
    columns = _columns(items[start:end])
    if len(columns) < 2 or not all(len(column) == 1 and column[0].is_placeholder for column in columns[1:]):
        return [], start, 0
    merged = _Item("?", [member for column in columns[1:] for member in column[0].members])
    return [*columns[0], _Item(","), merged], end, len(columns) - 1


def _limit(items: list[_Item]) -> tuple[int | None, int | None]:
    """Ordinals of the row count and the offset of the LIMIT outside all parentheses."""
    depth = 0
    found: tuple[int | None, int | None] = (None, None)
    for position, item in enumerate(items):
        depth += 1 if item.text.endswith("(") else -1 if item.text == ")" else 0
        if depth or item.upper != "LIMIT":
            continue
        following = [*items[position + 1 : position + 4], _Item(""), _Item(""), _Item("")]
        first, second = _literal(following[0]), _literal(following[2])
        if following[1].text == ",":
            found = (second, first)
        elif following[1].upper == "OFFSET":
            found = (first, second)
        else:
            found = (first, None)
    return found


def _literal(item: _Item) -> int | None:
    return item.members[0][0] if item.members else None


def _render(items: list[_Item]) -> str:
    """One canonical spacing: a space between tokens, none inside parentheses, before commas or around dots."""
    parts: list[str] = []
    before = ""
    for item in items:
        text = item.text
        tight = text in (",", ")", ";", ".") or before.endswith(("(", ".", "@")) or not before
        parts.append(text if tight else " " + text)
        before = text
    return "".join(parts)
