"""How a MySQL value becomes a DynamoDB value and comes back; how it is written in a key; how many bytes it takes.

This is the one definition that the contract, the plans, the loader and the validators share. Values of MySQL are
cells: None, int, Decimal, float, str (dates and times as MySQL writes them) and bytes. A NULL is an absent attribute.
Sizes are byte-exact by the rules in section A4 of the project's DynamoDB facts.
"""

import base64
import hashlib
import re
import struct
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, Literal

from ddbmig.model.contract import Encoding
from ddbmig.model.errors import InputError
from ddbmig.model.schema import Column

Cell = None | int | Decimal | float | str | bytes
AttributeType = Literal["S", "N", "B", "BOOL", "SS"]

INTEGER_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
FLOAT_TYPES = frozenset({"float", "double"})
BINARY_TYPES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"})
MAX_DIGITS = 38
MAX_NUMBER = Decimal("9." + "9" * 37 + "E125")
MIN_NUMBER = Decimal("1E-130")

_WIDE = Context(prec=400)
"""Wide enough for every DECIMAL(65) and for the plain digits of every DOUBLE's repr."""

_FIXED: dict[str, Encoding] = {
    "decimal": "decimal",
    "float": "float",
    "double": "float",
    "date": "iso8601_date",
    "datetime": "iso8601_datetime",
    "timestamp": "iso8601_datetime",
    "time": "time",
    "year": "year",
    "json": "json",
    "set": "set",
    "enum": "enum",
    "bit": "bit",
    **dict.fromkeys(INTEGER_BITS, "integer"),
    **dict.fromkeys(BINARY_TYPES, "binary"),
}

_ATTRIBUTE_TYPE: dict[Encoding, AttributeType] = {
    "string": "S",
    "integer": "N",
    "decimal": "N",
    "float": "N",
    "iso8601_date": "S",
    "iso8601_datetime": "S",
    "time": "S",
    "year": "N",
    "bool": "BOOL",
    "base64": "S",
    "binary": "B",
    "json": "S",
    "set": "S",
    "enum": "S",
    "bit": "B",
    "row_digest": "S",
    "collated": "S",
}


def encoding_for(column: Column) -> Encoding:
    """The encoding that keeps every value of `column` without loss.

    TINYINT(1) stays a number, since MySQL's BOOL is an integer. DECIMAL beyond DynamoDB's 38 digits, the spatial types
    and types we do not know become strings (spatial values: binary).
    """
    if column.type == "decimal" and (column.precision or 10) > MAX_DIGITS:
        return "string"
    if column.type in SPATIAL_TYPES:
        return "binary"
    return _FIXED.get(column.type, "string")


SPATIAL_TYPES = frozenset({"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
                           "multipolygon", "geometrycollection", "geomcollection"})  # fmt: skip


def attribute_type(encoding: Encoding) -> AttributeType:
    """The DynamoDB type of an attribute with this encoding."""
    return _ATTRIBUTE_TYPE[encoding]


# --- cells to DynamoDB values and back ---


def encode(value: Cell, encoding: Encoding, column: Column | None = None) -> Any:
    """The DynamoDB value of a cell in boto3's Python types, or None for NULL: the attribute is then absent.

    With `column`, values as statements write them are accepted too: a date or a shorter fraction for a DATETIME(6), a
    number for a BIT(n). Raises InputError where DynamoDB has no such value.
    """
    if value is None:
        return None
    try:
        return _ENCODERS[encoding](value, column)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InputError(
            f"a value cannot be encoded as {encoding}",
            subject=column.name if column else None,
            expected=_EXPECTED.get(encoding, f"a value that fits {encoding}"),
            hint="declare the encoding `string` for the column, or correct the row",
        ) from error


def decode(value: Any, encoding: Encoding, column: Column | None = None) -> Cell:
    """The cell that `encode` was given. With `column`, a DECIMAL gets its declared scale and a number kept as a string
    becomes a number again."""
    if value is None:
        return None
    match encoding:
        case "integer" | "year" | "bool":
            return int(value)
        case "float":
            return float(value)
        case "decimal":
            return _with_scale(Decimal(value), column)
        case "iso8601_datetime":
            return str(value).replace("T", " ", 1)
        case "binary" | "bit":
            return bytes(value)
        case "base64":
            return base64.b64decode(value, validate=True)
        case "string":
            return _from_string(str(value), column)
        case _:
            return str(value)


def row_digest(cells: Sequence[Cell]) -> str:
    """The key of a row that has no key: SHA-256 (hex) of its cells in column order. Equal rows have equal digests."""
    digest = hashlib.sha256()
    for cell in cells:
        data = (
            cell if isinstance(cell, bytes) else b"" if cell is None else _text(cell, None).encode("utf-8", "replace")
        )
        digest.update(f"{type(cell).__name__}:{len(data)}:".encode() + data)
    return digest.hexdigest()


def _text(value: Cell, _column: Column | None) -> str:
    if isinstance(value, bytes):
        raise TypeError("bytes are not text")
    if isinstance(value, Decimal):
        return format(value, "f")
    return repr(value) if isinstance(value, float) else str(value)


def _integer(value: Any, _column: Column | None) -> Decimal:
    number = Decimal(value)
    if number != int(number):
        raise ValueError("not a whole number")
    return _number(number)


def _number(number: Decimal) -> Decimal:
    """`number` as DynamoDB keeps it: no superfluous zeros, at most 38 digits, within its range."""
    if not number:
        return Decimal(0)
    trimmed = number.normalize(_WIDE)
    if len(trimmed.as_tuple().digits) > MAX_DIGITS or not MIN_NUMBER <= abs(trimmed) <= MAX_NUMBER:
        raise ValueError("outside DynamoDB's numbers")
    whole = isinstance(exponent := trimmed.as_tuple().exponent, int) and exponent >= 0
    return Decimal(int(trimmed)) if whole and trimmed.adjusted() < MAX_DIGITS else trimmed


def _decimal(value: Any, _column: Column | None) -> Decimal:
    return _number(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))


def _float(value: Any, _column: Column | None) -> Decimal:
    return _number(Decimal(repr(float(value))))


def _datetime(value: Any, column: Column | None) -> str:
    day, _, clock = _text(value, None).replace("T", " ", 1).partition(" ")
    if column is None:
        return f"{day}T{clock or '00:00:00'}"
    whole, _, fraction = (clock or "00:00:00").partition(".")
    whole += ":00" * (2 - whole.count(":"))
    digits = column.precision or 0
    return f"{day}T{whole}" + (f".{fraction[:digits].ljust(digits, '0')}" if digits else "")


def _date(value: Any, _column: Column | None) -> str:
    return _text(value, None)[:10]


def _bool(value: Any, _column: Column | None) -> bool:
    if int(value) not in (0, 1):
        raise ValueError("neither 0 nor 1")
    return bool(int(value))


def _bytes(value: Any, column: Column | None) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(_bit_bytes(column), "big")
    data = value.encode() if isinstance(value, str) else bytes(value)
    return data.ljust(column.length or 1, b"\0") if column is not None and column.type == "binary" else data


def _bit_bytes(column: Column | None) -> int:
    return ((column.length if column else None) or 8) // -8 * -1


def _base64(value: Any, column: Column | None) -> str:
    return base64.b64encode(_bytes(value, column)).decode()


def _collated(value: Any, column: Column | None) -> str:
    return _text(value if column is None else collated(value, column), None)


_ENCODERS: dict[Encoding, Callable[[Any, Column | None], Any]] = {
    "string": _text,
    "integer": _integer,
    "decimal": _decimal,
    "float": _float,
    "iso8601_date": _date,
    "iso8601_datetime": _datetime,
    "time": _text,
    "year": _integer,
    "bool": _bool,
    "base64": _base64,
    "binary": _bytes,
    "json": _text,
    "set": _text,
    "enum": _text,
    "bit": _bytes,
    "row_digest": _text,
    "collated": _collated,
}

_EXPECTED: dict[Encoding, str] = {
    "integer": "a whole number",
    "decimal": "a number of at most 38 digits",
    "float": "0, or a number from 1E-130 to 9.99E+125",
    "bool": "0 or 1",
}


def _with_scale(number: Decimal, column: Column | None) -> Decimal:
    """The number as MySQL writes it: with all digits of the declared scale."""
    return number if column is None else number.quantize(Decimal(1).scaleb(-(column.scale or 0)), context=_WIDE)


def _from_string(text: str, column: Column | None) -> Cell:
    if column is None or column.type not in NUMBER_TYPES:
        return text
    if column.type in FLOAT_TYPES:
        return float(text)
    return Decimal(text) if column.type == "decimal" else int(text)


NUMBER_TYPES = frozenset({*INTEGER_BITS, *FLOAT_TYPES, "decimal", "year"})


# --- collations ---

TEXT_TYPES = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})


def collated(value: Cell, column: Column) -> Cell:
    """A value in a form that is the same for all values which the column's collation holds equal.

    Case is dropped for `_ci`, accents too where the collation does not say `_as_`, trailing blanks where it pads, as
    all do but those of MySQL 8 named `_0900_` and MariaDB's `_nopad_`. A column without a collation has a server's
    default, which drops all three. https://dev.mysql.com/doc/refman/8.4/en/charset-collation-names.html
    """
    if not isinstance(value, str) or column.type not in TEXT_TYPES:
        return value
    return _collation_key(value, column.collation or "_ci")


def is_collated(column: Column) -> bool:
    """Whether two texts that are not written alike may be equal to MySQL: then the text itself is no key."""
    collation = column.collation or "_ci"
    exact = collation == "binary" or ("_0900_" in collation and not ignores_case(collation))
    return column.type in TEXT_TYPES - {"enum", "set"} and not exact


@lru_cache(maxsize=65_536)
def _collation_key(text: str, collation: str) -> str:
    if ignores_trailing_blanks(collation):
        text = text.rstrip(" ")
    return plain_letters(text, accents="_as_" in collation) if ignores_case(collation) else text


def ignores_case(collation: str) -> bool:
    """Whether a collation holds upper and lower case equal."""
    return not collation.endswith(("_bin", "_cs", "binary"))


def ignores_trailing_blanks(collation: str) -> bool:
    """Whether a collation pads the shorter text with blanks before it compares."""
    return "_0900_" not in collation and "_nopad_" not in collation and collation != "binary"


def plain_letters(text: str, *, accents: bool = False) -> str:
    """Letters without case, and without accents unless they are kept; other characters as they are."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if accents or not unicodedata.combining(c)).casefold()


# --- keys ---

_FIELD = re.compile(r"\{([^{}]+)\}")
_CLOCK = re.compile(r"(-?)(\d+):(\d+)(?::(\d+))?(?:\.(\d{1,6}))?")


def render_key_part(value: Cell, column: Column) -> str:
    """The text of a cell inside a composed key. Empty for NULL.

    Text order is value order for numbers, dates, times and bytes: whole numbers and decimals are shifted to be
    non-negative (signed columns only) and padded to the width of the type; floats are the hex of their IEEE 754 bits,
    flipped for order; bytes are hex. Text is written as its collation compares it (see `collated`), so that equal texts
    give one key; it sorts by code point, with `%` and `#` written `%25` and `%23` so that a separator never occurs
    inside a part.
    """
    if value is None:
        return ""
    encoding = encoding_for(column)
    try:
        if column.type in INTEGER_BITS:
            return _padded(int(value), 1 << INTEGER_BITS[column.type], column.unsigned)
        if column.type == "decimal":
            precision = 10 if column.precision is None else column.precision
            scaled = Decimal(_text(value, None)).scaleb(column.scale or 0, _WIDE)
            return _padded(int(scaled), 10**precision * (1 if column.unsigned else 2), column.unsigned)
        if encoding == "float":
            return _float_bits(float(value))
        if encoding == "year":
            return f"{int(value):04d}"
        if encoding == "time":
            return _sortable_time(_text(value, None))
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InputError("a value does not fit its column's type", subject=column.name, expected=column.type) from error
    encoded = encode(collated(value, column), encoding, column)
    return encoded.hex() if isinstance(encoded, bytes) else escape_key_text(str(encoded))


def escape_key_text(text: str) -> str:
    """`text` with `%` and `#` percent-encoded."""
    return text.replace("%", "%25").replace("#", "%23")


def template_field(column: str) -> str:
    """`{column}` for a key template; braces and percent signs inside a name are percent-encoded."""
    return "{" + column.replace("%", "%25").replace("{", "%7B").replace("}", "%7D") + "}"


def template_columns(template: str) -> tuple[str, ...]:
    """The columns a key template names, in its order."""
    return tuple(_field_name(match[1]) for match in _FIELD.finditer(template))


def template_parts(template: str) -> tuple[tuple[str, str | None], ...]:
    """The template in its order as (text, column that follows it); None after the last text."""
    texts = _FIELD.split(template)
    columns = [_field_name(field) for field in texts[1::2]]
    return tuple(zip(texts[::2], [*columns, None], strict=True))


def render_template(template: str, parts: Mapping[str, str]) -> str:
    """`template` with each `{column}` replaced by its part, already rendered. Raises KeyError for a missing column."""
    return _FIELD.sub(lambda match: parts[_field_name(match[1])], template)


def render_key(template: str, row: Mapping[str, Cell], columns: Mapping[str, Column]) -> str:
    """The composed key of a row: every column of the template rendered by `render_key_part`."""
    names = template_columns(template)
    return render_template(template, {name: render_key_part(row[name], columns[name]) for name in names})


def _field_name(field: str) -> str:
    return field.replace("%7B", "{").replace("%7D", "}").replace("%25", "%")


def _padded(number: int, values: int, unsigned: bool) -> str:
    """`number` of a type with `values` values as digits of one width, shifted by half of them for a signed type."""
    shifted = number if unsigned else number + values // 2
    if not 0 <= shifted < values:
        raise ValueError("outside the type's range")
    return f"{shifted:0{len(str(values - 1))}d}"


def _float_bits(number: float) -> str:
    (bits,) = struct.unpack(">Q", struct.pack(">d", number + 0.0))
    return f"{bits ^ (0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else 1 << 63):016x}"


def _sortable_time(text: str) -> str:
    """Microseconds of a TIME (-838:59:59 … 838:59:59), shifted by 839 hours, in 13 digits."""
    if not (match := _CLOCK.fullmatch(text)):
        raise ValueError("not a TIME")
    sign, hours, minutes, seconds, fraction = match.groups()
    micros = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)) * 10**6 + int((fraction or "").ljust(6, "0"))
    return _padded(-micros if sign else micros, 2 * 839 * 3600 * 10**6, unsigned=False)


# --- sizes ---


def number_size(number: Decimal) -> int:
    """Bytes of an N: 1 + the pairs of digits it spans, counted from the decimal point, + 1 if negative; zero takes 1.

    Zeros that lead or trail the number do not count, but a pair is cut at the point: 12 is one pair, 120 is two.
    Equal to A4's formula on its examples, and to DynamoDB Local 3.3.1 where that formula is one byte short.
    """
    if not number:
        return 1
    sign, digits, exponent = number.normalize(_WIDE).as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("not a number of DynamoDB")
    return 2 + (exponent + len(digits) - 1) // 2 - exponent // 2 + sign


def size_of(value: Any) -> int:
    """Bytes of one DynamoDB value in boto3's Python types: str, Decimal or int, bytes, bool, None (the type NULL), list
    or tuple (L), mapping (M), set (SS, NS, BS)."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, Decimal | int):
        return number_size(Decimal(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return len(value)
    if isinstance(value, Mapping):
        return 3 + sum(1 + size_of(key) + size_of(member) for key, member in value.items())
    if isinstance(value, set | frozenset):
        return sum(size_of(member) for member in value)
    if isinstance(value, list | tuple):
        return 3 + sum(1 + size_of(member) for member in value)
    raise TypeError(f"{type(value).__name__} is no DynamoDB value")


def item_size(item: Mapping[str, Any]) -> int:
    """Bytes of an item: the UTF-8 names and the values of its attributes. At most 409,600 in DynamoDB."""
    return sum(size_of(name) + size_of(value) for name, value in item.items())
