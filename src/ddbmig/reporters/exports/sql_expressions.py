"""The attributes of a contract as expressions of MySQL, as far as SQL can say them.

Each gives the value that the loader makes of the row (`model/encodings.py` defines it): a text for S, a number for N,
bytes for B, and NULL for an absent attribute. What SQL cannot say, or says otherwise for some values, is told.
"""

from dataclasses import dataclass

from ddbmig.model.contract import ContractAttribute
from ddbmig.model.encodings import (
    INTEGER_BITS,
    NUMBER_TYPES,
    TEXT_TYPES,
    encoding_for,
    ignores_case,
    ignores_trailing_blanks,
    template_parts,
)
from ddbmig.model.schema import Column, Table

MOST_DIGITS = 65
"""Of a DECIMAL in MySQL; what is shifted to be positive needs two digits more than its column."""
BEYOND_ASCII = "letters beyond ASCII lose case by MySQL's rules, and keep their accents"


@dataclass(frozen=True)
class SqlValue:
    """An expression; None where SQL has none. `loss`: for which values it differs, or why there is none."""

    sql: str | None
    loss: str | None = None


def quoted(name: str) -> str:
    """An identifier in backquotes."""
    return "`" + name.replace("`", "``") + "`"


def sql_text(value: str) -> str:
    """A text as a literal that means the same under every sql_mode."""
    if value.isascii() and value.isprintable() and not set(value) & set("'\\"):
        return f"'{value}'"
    return f"CONVERT(0x{value.encode('utf-8', 'replace').hex()} USING utf8mb4)"


def attribute_sql(attribute: ContractAttribute, table: Table, alias: str) -> SqlValue:
    """One attribute of a row of `table`, which the query calls `alias`."""
    if attribute.value is not None:
        return SqlValue(sql_text(attribute.value))
    if attribute.encoding == "row_digest":
        return SqlValue(None, "SHA-256 of the whole row, and a number where rows are equal")
    if attribute.template is not None:
        return _composed(attribute.template, table, alias)
    return column_sql(table.column(attribute.source_column), attribute.encoding, alias)


def column_sql(column: Column, encoding: str | None, alias: str) -> SqlValue:
    """A column as an attribute holds it."""
    name, encoding = f"{alias}.{quoted(column.name)}", encoding or encoding_for(column)
    match encoding:
        case "iso8601_date":
            return SqlValue(f"CAST({name} AS CHAR)")
        case "iso8601_datetime":
            return SqlValue(f"REPLACE({_moment(column, name)}, ' ', 'T')")
        case "time":
            return SqlValue(f"CAST({name} AS CHAR)")
        case "base64":
            return SqlValue(f"REPLACE(TO_BASE64({name}), CHAR(10 USING ascii), '')")
        case "string" if column.type not in TEXT_TYPES:
            return SqlValue(f"CAST({name} AS CHAR)")
        case "collated":
            return _collated(column, name)
        case "bool":
            return SqlValue(name, "0 and 1 stand for false and true")
        case _:
            return SqlValue(name)


def _moment(column: Column, name: str) -> str:
    """A DATETIME or TIMESTAMP as text; the latter in UTC, as dumps have it, whatever the session's time zone.

    UNIX_TIMESTAMP gives 0 for the zero date, and MySQL 5.7 for some NULLs too.
    """
    if column.type != "timestamp":
        return f"CAST({name} AS CHAR)"
    digits = column.precision or 0
    zero = "0000-00-00 00:00:00" + (f".{'0' * digits}" if digits else "")
    utc = f"CAST('1970-01-01 00:00:00' + INTERVAL UNIX_TIMESTAMP({name}) SECOND AS DATETIME({digits}))"
    return f"IF({name} IS NULL, NULL, IF(UNIX_TIMESTAMP({name}) = 0, '{zero}', CAST({utc} AS CHAR)))"


def _collated(column: Column, name: str) -> SqlValue:
    """A text in the form that is the same for all which its collation holds equal."""
    collation = column.collation or "_ci"
    text = f"CONVERT({name} USING utf8mb4)"
    if ignores_trailing_blanks(collation):
        text = f"TRIM(TRAILING ' ' FROM {text})"
    if not ignores_case(collation):
        return SqlValue(text)
    known = column.type in ("enum", "set") and all(value.isascii() for value in column.values)
    return SqlValue(f"LOWER({text})", None if known else BEYOND_ASCII)


# --- composed keys ---


def _composed(template: str, table: Table, alias: str) -> SqlValue:
    """A key composed of texts and columns; NULL where one of the columns is."""
    parts, losses = list[str](), list[str]()
    for text, name in template_parts(template):
        if text:
            parts.append(sql_text(text))
        if name is not None:
            found = _key_part(table.column(name), alias)
            if found.sql is None:
                return found
            parts.append(found.sql)
            losses += [found.loss] if found.loss else []
    return SqlValue(f"CONCAT({', '.join(parts)})", losses[0] if losses else None)


def _key_part(column: Column, alias: str) -> SqlValue:
    """A column inside of a key: its text sorts as its values do (`encodings.render_key_part`)."""
    name = f"{alias}.{quoted(column.name)}"
    if column.type in INTEGER_BITS:
        return SqlValue(_padded(name, 1 << INTEGER_BITS[column.type], 0 if column.unsigned else 2))
    if column.type == "decimal":
        return _decimal_part(column, name)
    if column.type in NUMBER_TYPES - {"year"}:
        return SqlValue(None, f"the bits of {column.name}, a floating-point number")
    match encoding_for(column):
        case "year":
            return SqlValue(f"LPAD({name}, 4, '0')")
        case "time":
            micros = f"IF({name} < '00:00:00', -1, 1) * MICROSECOND({name})"
            return SqlValue(_padded(f"(TRUNCATE(TIME_TO_SEC({name}), 0) * 1000000 + {micros})",
                                    2 * 839 * 3600 * 10**6, 2))  # fmt: skip
        case "bit":
            digits = 2 * -(-(column.length or 8) // 8)
            return SqlValue(f"LPAD(LOWER(HEX({name})), {digits}, '0')")
        case "binary":
            return SqlValue(f"LOWER(HEX({name}))")
        case "iso8601_date" | "iso8601_datetime" as encoding:
            return column_sql(column, encoding, alias)
        case _:
            found = _collated(column, name) if column.type in TEXT_TYPES else SqlValue(f"CAST({name} AS CHAR)")
            return SqlValue(f"REPLACE(REPLACE({found.sql}, '%', '%25'), '#', '%23')", found.loss)


def _decimal_part(column: Column, name: str) -> SqlValue:
    """The digits of a DECIMAL without its point."""
    precision = 10 if column.precision is None else column.precision
    if precision > MOST_DIGITS - 2:
        return SqlValue(None, f"{column.name} has more digits than MySQL can shift")
    digits = f"CAST(REPLACE(CAST({name} AS CHAR), '.', '') AS DECIMAL({MOST_DIGITS}))"
    return SqlValue(_padded(digits, 10**precision * (1 if column.unsigned else 2), 0 if column.unsigned else 2))


def _padded(number: str, values: int, divisor: int) -> str:
    """`number` of a type with so many values in digits of one width, shifted by half of them for a signed type."""
    shifted = f"CAST({number} AS DECIMAL({MOST_DIGITS})) + {values // divisor}" if divisor else number
    return f"LPAD({shifted}, {len(str(values - 1))}, '0')"
