"""The grammar of a MySQL table definition: columns, keys, foreign keys and table options, over sqlglot's tokens.

Only sqlglot's lexer is used: its trees drop or refuse what we must keep (FLOAT UNSIGNED, SRID, display widths, the text
of generated columns, functional key parts). A word that is not understood is noted and the rest is read all the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import sqlglot
from sqlglot import TokenType
from sqlglot.errors import TokenError

from ddbmig.analyzers.sqlscript import place_in
from ddbmig.model.location import Location
from ddbmig.model.schema import Column

KeyKind = Literal["primary", "unique", "index", "fulltext", "spatial"]
TableName = tuple[str | None, str]
"""Schema (None where the DDL names none) and name."""


class Unread(Exception):
    """A definition that is not understood at all; the message holds no literal."""


class Token(NamedTuple):
    """`kind`: word, name (quoted), string, number, literal (b'', x'') or mark. A word's `text` is as written."""

    kind: str
    text: str
    start: int
    end: int


_KINDS = {
    TokenType.IDENTIFIER: "name",
    TokenType.STRING: "string",
    TokenType.NUMBER: "number",
    TokenType.NATIONAL_STRING: "string",
    TokenType.BIT_STRING: "literal",
    TokenType.HEX_STRING: "literal",
}


def tokenize(sql: str) -> list[Token]:
    """The tokens of one statement, comments apart. Raises Unread where sqlglot's lexer fails."""
    try:
        # A verb that sqlglot has no grammar for (RENAME) would swallow its statement if nothing stood before it.
        found = sqlglot.tokenize("(" + sql, read="mysql")[1:]
    except TokenError as error:
        raise Unread("a quote or comment is not closed") from error
    tokens: list[Token] = []
    for token in found:
        start, end = token.start - 1, token.end
        kind = _KINDS.get(token.token_type)
        if kind:
            tokens.append(Token(kind, token.text, start, end))
        elif sql[start].isalnum() or sql[start] in "_$":
            tokens.extend(_words(sql[start:end], start))
        else:
            tokens.append(Token("mark", sql[start:end], start, end))
    return tokens


def _words(text: str, start: int) -> Iterator[Token]:
    """sqlglot joins `PRIMARY KEY` and the like into one token; here each word is one."""
    at = 0
    for word in text.split():
        at = text.index(word, at)
        yield Token("word", word, start + at, start + at + len(word))
        at += len(word)


@dataclass
class Cursor:
    """A place in the tokens of a statement. Notes are (place, message) of what was passed over."""

    sql: str
    tokens: Sequence[Token]
    start: Location
    """Where `sql` begins."""
    notes: list[tuple[Location, str]] = field(default_factory=list)
    at: int = 0

    def place(self) -> Location:
        """The place of the next token."""
        return place_in(self.sql, self.peek().start, self.start)

    def first_place(self) -> Location:
        """The place of this cursor's first token."""
        return place_in(self.sql, self.tokens[0].start if self.tokens else 0, self.start)

    def part(self, start: int, end: int) -> "Cursor":
        """A cursor over some of the tokens; its notes join this one's."""
        return Cursor(self.sql, self.tokens[start:end], self.start, self.notes)

    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def peek(self, ahead: int = 0) -> Token:
        """The next token; an empty mark at the end."""
        index = self.at + ahead
        return self.tokens[index] if index < len(self.tokens) else Token("mark", "", len(self.sql), len(self.sql))

    def next(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def word(self, ahead: int = 0) -> str:
        """The next token in upper case if it is an unquoted word or a mark, else an empty text."""
        token = self.peek(ahead)
        return token.text.upper() if token.kind in ("word", "mark") else ""

    def accept(self, *words: str) -> bool:
        """Pass these words if they come next."""
        if all(self.word(index) == word for index, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def one_of(self, *words: str) -> str:
        """Pass and return the next word if it is one of these, else return an empty text."""
        return self.next().text.upper() if self.word() and self.word() in words else ""

    def note(self, message: str) -> None:
        self.notes.append((self.place(), message))

    def identifier(self) -> str:
        token = self.next()
        if token.kind not in ("word", "name", "string", "number"):
            raise Unread("a name is missing")
        return token.text

    def table_name(self) -> TableName:
        first = self.identifier()
        return (first, self.identifier()) if self.accept(".") else (None, first)

    def group(self) -> "Cursor":
        """A cursor over what is inside the parentheses that come next."""
        if not self.accept("("):
            raise Unread("a parenthesis is missing")
        start, depth = self.at, 1
        while depth and not self.done():
            depth += {"(": 1, ")": -1}.get(self.word(), 0)
            self.at += 1
        if depth:
            raise Unread("a parenthesis is not closed")
        return self.part(start, self.at - 1)

    def items(self) -> "list[Cursor]":
        """The rest, split at the commas outside of parentheses."""
        parts, depth, start = [], 0, self.at
        for index in range(self.at, len(self.tokens)):
            token = self.tokens[index]
            if token.kind == "mark":
                depth += {"(": 1, ")": -1}.get(token.text, 0)
                if token.text == "," and depth == 0:
                    parts.append(self.part(start, index))
                    start = index + 1
        if start < len(self.tokens):
            parts.append(self.part(start, len(self.tokens)))
        return parts

    def text(self) -> str:
        """The SQL of all tokens of this cursor, as written, white space folded."""
        return " ".join(self.sql[self.tokens[0].start : self.tokens[-1].end].split()) if self.tokens else ""


@dataclass(frozen=True)
class ColumnDefinition:
    """A column and the constraints that stand beside it."""

    column: Column
    primary: bool = False
    unique: bool = False


@dataclass(frozen=True)
class KeyDefinition:
    """A key; `columns` are its plain columns, prefixes and directions dropped."""

    kind: KeyKind
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ForeignKeyDefinition:
    """A foreign key as written."""

    name: str
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    on_delete: str
    on_update: str


Definition = ColumnDefinition | KeyDefinition | ForeignKeyDefinition | None
"""None: something that bears no structure (a CHECK)."""


def definition(cursor: Cursor) -> Definition:
    """One item of a CREATE TABLE body. Raises Unread."""
    return _constraint(cursor) if _is_constraint(cursor) else column_definition(cursor)


def _is_constraint(cursor: Cursor) -> bool:
    """Whether the item begins with a word that MySQL reserves for keys and constraints."""
    word, following = cursor.word(), cursor.word(1)
    if word in ("FULLTEXT", "SPATIAL", "VECTOR"):
        return word != "VECTOR" or following in ("KEY", "INDEX")
    if word == "PERIOD":
        return following == "FOR"
    return word in ("CONSTRAINT", "PRIMARY", "UNIQUE", "KEY", "INDEX", "FOREIGN", "CHECK")


def _constraint(cursor: Cursor) -> Definition:
    name = ""
    if cursor.accept("CONSTRAINT") and cursor.word() not in ("PRIMARY", "UNIQUE", "FOREIGN", "CHECK"):
        name = cursor.identifier()
    word = cursor.one_of("PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK")
    if word == "CHECK":
        return None
    if word == "FOREIGN":
        return _foreign_key(cursor, name)
    if not word:
        if not cursor.accept("PERIOD"):
            cursor.note(f"not understood: {cursor.word()}")
        return None
    kinds: dict[str, KeyKind] = {
        "PRIMARY": "primary", "UNIQUE": "unique", "FULLTEXT": "fulltext", "SPATIAL": "spatial"
    }  # fmt: skip
    cursor.one_of("KEY", "INDEX")
    cursor.accept("IF", "NOT", "EXISTS")
    return key_parts(cursor, kinds.get(word, "index"), name)


def key_parts(cursor: Cursor, kind: KeyKind, name: str = "") -> KeyDefinition | None:
    """`[name] [USING method] (parts)`; None where no plain column is left."""
    if cursor.word() not in ("(", "USING"):
        name = cursor.identifier()
    if cursor.accept("USING"):
        cursor.next()
    columns: list[str] = []
    for part in cursor.group().items():
        if part.word() == "(":
            part.note(f"key {name or kind} has a functional part; only the plain columns before it are kept")
            kind = "index" if kind == "unique" else kind
            break
        columns.append(part.identifier())
        if part.word() == "(" and kind in ("unique", "primary"):
            part.note(f"key {name or kind} is unique over a prefix of column {columns[-1]}, not over the whole value")
    return KeyDefinition(kind, name, tuple(columns)) if columns else None


def _foreign_key(cursor: Cursor, name: str) -> ForeignKeyDefinition:
    cursor.accept("KEY")
    cursor.accept("IF", "NOT", "EXISTS")
    if cursor.word() != "(":
        index_name = cursor.identifier()
        name = name or index_name
    columns = tuple(part.identifier() for part in cursor.group().items())
    if not cursor.accept("REFERENCES"):
        raise Unread("a foreign key without REFERENCES")
    parent = cursor.table_name()
    parent_columns = tuple(part.identifier() for part in cursor.group().items()) if cursor.word() == "(" else ()
    actions = _reference_actions(cursor)
    return ForeignKeyDefinition(name, columns, parent, parent_columns, actions["DELETE"], actions["UPDATE"])


def _reference_actions(cursor: Cursor) -> dict[str, str]:
    actions = {"DELETE": "RESTRICT", "UPDATE": "RESTRICT"}
    while not cursor.done():
        if cursor.accept("MATCH"):
            cursor.next()
        elif cursor.accept("ON"):
            event, action = cursor.next().text.upper(), cursor.next().text.upper()
            actions[event] = f"{action} {cursor.next().text.upper()}" if action in ("SET", "NO") else action
        else:
            break
    return actions


# --- columns ---

_TWO_WORDS = {
    ("DOUBLE", "PRECISION"): "double",
    ("CHARACTER", "VARYING"): "varchar",
    ("CHAR", "VARYING"): "varchar",
    ("LONG", "VARCHAR"): "mediumtext",
    ("LONG", "VARBINARY"): "mediumblob",
    ("NATIONAL", "CHAR"): "nchar",
    ("NATIONAL", "CHARACTER"): "nchar",
    ("NATIONAL", "VARCHAR"): "nvarchar",
    ("NCHAR", "VARCHAR"): "nvarchar",
    ("NCHAR", "VARYING"): "nvarchar",
}
_SYNONYMS = {
    "integer": "int", "int1": "tinyint", "int2": "smallint", "int3": "mediumint", "int4": "int", "int8": "bigint",
    "middleint": "mediumint", "dec": "decimal", "numeric": "decimal", "fixed": "decimal", "number": "decimal",
    "real": "double", "float4": "float", "float8": "double", "character": "char", "varcharacter": "varchar",
    "long": "mediumtext", "geomcollection": "geometrycollection",
}  # fmt: skip
TEXT_TYPES = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
BINARY_COLLATION = "binary"
"""What a column declared `VARCHAR(n) BINARY` has until its character set is known."""
_FRACTION_TYPES = frozenset({"decimal", "float", "double"})
_TIME_TYPES = frozenset({"time", "datetime", "timestamp"})


def column_definition(cursor: Cursor) -> ColumnDefinition:
    """`name type attributes`. Raises Unread where there is no type."""
    name = cursor.identifier()
    if cursor.done():
        raise Unread("a column without a type")
    fields = _data_type(cursor)
    attributes = _Attributes(cursor, fields, name)
    attributes.read()
    fields = {"nullable": True, **fields}
    return ColumnDefinition(Column.model_validate({"name": name, **fields}), attributes.primary, attributes.unique)


def _data_type(cursor: Cursor) -> dict[str, object]:
    """The type and its arguments, in MySQL's own names."""
    pair = (cursor.word(), cursor.word(1))
    if pair in _TWO_WORDS:
        cursor.at += 2
        name = _TWO_WORDS[pair]
        if name == "nchar":
            name = "nvarchar" if cursor.accept("VARYING") else name
    else:
        name = cursor.identifier().lower()
    fields = _typed(_SYNONYMS.get(name, name))
    if cursor.word() == "(":
        _arguments(cursor.group(), fields)
    if fields["type"] == "decimal":
        fields = {"precision": 10, "scale": 0, **fields}
    if fields["type"] in ("char", "binary", "bit"):
        fields = {"length": 1, **fields}
    return fields


def _typed(name: str) -> dict[str, object]:
    """What the name of a type alone says."""
    if name in ("bool", "boolean"):
        return {"type": "tinyint", "length": 1}
    if name in ("nchar", "nvarchar"):
        return {"type": name[1:], "charset": "utf8mb3"}
    if name == "serial":
        return {"type": "bigint", "unsigned": True, "nullable": False, "auto_increment": True}
    return {"type": name}


def _arguments(group: Cursor, fields: dict[str, object]) -> None:
    kind = fields["type"]
    if kind in ("enum", "set"):
        fields["values"] = tuple(token.text for token in group.tokens if token.kind == "string")
        return
    numbers = [int(token.text) for token in group.tokens if token.kind == "number" and token.text.isdigit()]
    if not numbers:
        return
    if kind == "float" and len(numbers) == 1:
        # FLOAT(p) only chooses between FLOAT and DOUBLE.
        fields["type"] = "double" if numbers[0] > 24 else "float"
    elif kind in _FRACTION_TYPES:
        fields |= {"precision": numbers[0], "scale": numbers[1] if len(numbers) > 1 else 0}
    else:
        fields["precision" if kind in _TIME_TYPES else "length"] = numbers[0]


class _Attributes:
    """Reads what follows a column's type into `fields`."""

    def __init__(self, cursor: Cursor, fields: dict[str, object], name: str) -> None:
        self.cursor = cursor
        self.fields = fields
        self.name = name
        self.primary = False
        self.unique = fields.get("auto_increment") is True

    def read(self) -> None:
        flags: dict[str, Callable[[], None]] = {
            "NOT": self._not, "NULL": self._nothing, "DEFAULT": self._default, "ON": self._on_update,
            "AUTO_INCREMENT": lambda: self._set(auto_increment=True, nullable=False), "UNIQUE": self._unique,
            "PRIMARY": self._primary, "KEY": self._primary_word, "COMMENT": self._comment, "COLLATE": self._collate,
            "CHARACTER": self._charset, "CHAR": self._charset, "CHARSET": self._charset_name,
            "ASCII": lambda: self._set(charset="latin1"), "UNICODE": lambda: self._set(charset="ucs2"),
            "BYTE": self._byte, "BINARY": lambda: self._set(collation=BINARY_COLLATION),
            "UNSIGNED": lambda: self._set(unsigned=True), "ZEROFILL": lambda: self._set(unsigned=True),
            "GENERATED": self._generated_always, "AS": self._generated,
            "CONSTRAINT": self._constraint, "CHECK": self._check, "REFERENCES": self._references,
            "SERIAL": self._serial_default, "WITHOUT": self._two_more, "WITH": self._two_more,
            **dict.fromkeys(("SIGNED", "VIRTUAL", "STORED", "PERSISTENT", "VISIBLE", "INVISIBLE", "ENFORCED"),
                            self._nothing),
            **dict.fromkeys(("COLUMN_FORMAT", "STORAGE", "SRID", "REF_SYSTEM_ID", "ENGINE_ATTRIBUTE", "COMPRESSED",
                             "SECONDARY_ENGINE_ATTRIBUTE"), self._option),
        }  # fmt: skip
        while not self.cursor.done():
            word = self.cursor.word()
            if word not in flags:
                self.cursor.note(f"column {self.name}: not understood: {word or self.cursor.peek().kind}")
                return
            self.cursor.next()
            flags[word]()

    def _set(self, **fields: object) -> None:
        self.fields |= fields

    def _nothing(self) -> None:
        return None

    def _not(self) -> None:
        if self.cursor.accept("NULL"):
            self._set(nullable=False)
        else:
            self.cursor.one_of("ENFORCED", "SECONDARY", "VISIBLE")

    def _default(self) -> None:
        token = self.cursor.peek()
        if token.text == "(":
            self._set(default=self.cursor.group().text())
        elif token.kind == "word" and token.text.startswith("_") and self.cursor.peek(1).kind in ("string", "literal"):
            self.cursor.next()
            self._set(default=self.cursor.next().text)
        elif token.kind == "string":
            self._set(default=self.cursor.next().text)
        elif not self.cursor.accept("NULL"):
            self._set(default=self._expression())

    def _expression(self) -> str:
        """A number with its sign, a bit literal, or a function with or without parentheses, as written."""
        start = self.cursor.at
        while self.cursor.word() in ("-", "+"):
            self.cursor.next()
        self.cursor.next()
        if self.cursor.word() == "(":
            self.cursor.group()
        return self.cursor.part(start, self.cursor.at).text()

    def _on_update(self) -> None:
        self.cursor.accept("UPDATE")
        self._expression()

    def _unique(self) -> None:
        self.cursor.accept("KEY")
        self.unique = True

    def _primary(self) -> None:
        self.cursor.accept("KEY")
        self._primary_word()

    def _primary_word(self) -> None:
        self.primary = True
        self._set(nullable=False)

    def _comment(self) -> None:
        self._set(comment=self.cursor.next().text)

    def _collate(self) -> None:
        self.cursor.accept("=")
        self._set(collation=self.cursor.identifier())

    def _charset(self) -> None:
        self.cursor.accept("SET")
        self._charset_name()

    def _charset_name(self) -> None:
        self.cursor.accept("=")
        charset = self.cursor.identifier()
        if charset.lower() == "binary":
            self._byte()
        else:
            self._set(charset=charset)

    def _byte(self) -> None:
        binary = {"char": "binary", "varchar": "varbinary"}
        kind = str(self.fields["type"])
        self._set(type=binary.get(kind, kind.replace("text", "blob")))

    def _generated_always(self) -> None:
        self.cursor.accept("ALWAYS")

    def _generated(self) -> None:
        if self.cursor.accept("ROW"):
            self._set(generated=f"ROW {self.cursor.next().text.upper()}")
        else:
            self._set(generated=self.cursor.group().text())

    def _constraint(self) -> None:
        if self.cursor.word() not in ("CHECK", "UNIQUE", "PRIMARY"):
            self.cursor.next()

    def _check(self) -> None:
        """MariaDB's JSON is LONGTEXT with `CHECK (json_valid(column))`; any other CHECK bears no structure."""
        inside = self.cursor.group()
        if inside.accept("JSON_VALID", "(") and inside.next().text == self.name and self.fields["type"] == "longtext":
            self._set(type="json", charset=None, collation=None)

    def _references(self) -> None:
        message = "an inline REFERENCES is ignored, as MySQL before 9.0 does; declare FOREIGN KEY (…) REFERENCES …"
        self.cursor.note(f"column {self.name}: {message}")
        self.cursor.table_name()
        if self.cursor.word() == "(":
            self.cursor.group()
        _reference_actions(self.cursor)

    def _serial_default(self) -> None:
        if self.cursor.accept("DEFAULT", "VALUE"):
            self.unique = True
            self._set(nullable=False, auto_increment=True)

    def _option(self) -> None:
        """`OPTION [=] value`; COMPRESSED may stand alone."""
        if self.cursor.accept("=") or self.cursor.peek(-1).text.upper() != "COMPRESSED":
            self.cursor.next()

    def _two_more(self) -> None:
        self.cursor.accept("SYSTEM", "VERSIONING")


# --- table options ---


@dataclass
class TableOptions:
    """What stands behind the body of CREATE TABLE, or in ALTER TABLE."""

    engine: str | None = None
    charset: str | None = None
    collation: str | None = None
    comment: str = ""
    auto_increment: int | None = None
    partition_by: str | None = None


def table_options(cursor: Cursor, options: TableOptions) -> None:
    """Read `NAME [=] value …` and PARTITION BY into `options`; options without meaning for us are passed over."""
    while not cursor.done():
        if cursor.accept("PARTITION", "BY"):
            options.partition_by = _partition_method(cursor)
            return
        if cursor.one_of("AS", "SELECT", "IGNORE", "REPLACE"):
            cursor.note("columns that come from a SELECT are not known")
            return
        cursor.accept("DEFAULT")
        name = cursor.next().text.upper()
        if name == "CHARACTER":
            cursor.accept("SET")
        cursor.accept("=")
        _set_option(options, name, cursor)


def _set_option(options: TableOptions, name: str, cursor: Cursor) -> None:
    if name in ("WITH", "WITHOUT", ","):
        cursor.accept("SYSTEM", "VERSIONING")
        return
    value = cursor.group().text() if cursor.word() == "(" else cursor.next().text
    if name in ("ENGINE", "TYPE"):
        options.engine = value
    elif name == "AUTO_INCREMENT":
        options.auto_increment = int(value) if value.isdigit() else None
    elif name in ("CHARSET", "CHARACTER"):
        options.charset = value
    elif name == "COLLATE":
        options.collation = value
    elif name == "COMMENT":
        options.comment = value


def _partition_method(cursor: Cursor) -> str:
    """`RANGE (expression)`, `LINEAR HASH (expression)` and so on; the partitions' bounds are data and stay out."""
    start = cursor.at
    while not cursor.done() and cursor.word() != "(":
        cursor.next()
    if not cursor.done():
        cursor.group()
    return cursor.part(start, cursor.at).text()
