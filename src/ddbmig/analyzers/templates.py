"""The text of a template -> its syntax tree, with every placeholder numbered in text order."""

import re
from typing import Literal

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from ddbmig.model.placeholders import number_placeholders

InsertMode = Literal["insert", "ignore", "replace", "upsert"]

_SELECT_MODIFIERS = re.compile(
    r"^(\(*\s*SELECT)((?:\s+(?:ALL|DISTINCT|DISTINCTROW|HIGH_PRIORITY|STRAIGHT_JOIN|SQL_SMALL_RESULT|SQL_BIG_RESULT"
    r"|SQL_BUFFER_RESULT|SQL_NO_CACHE|SQL_CACHE|SQL_CALC_FOUND_ROWS)\b)+)",
    re.I,
)
_WRITE_MODIFIERS = re.compile(
    r"^(INSERT|REPLACE|UPDATE|DELETE)((?:\s+(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|QUICK)\b)+)", re.I
)
_TOLERANT = re.compile(r"^(UPDATE|DELETE)\s+IGNORE\b", re.I)
_REPLACE = re.compile(r"^REPLACE\b(?:\s+INTO\b)?", re.I)


class NotParsed(Exception):
    """The template is no statement that the parser understands."""


def template_text(node: exp.Expr) -> str:
    """The SQL of a part of the tree, as template text: its placeholders are `?` again."""
    return re.sub(r":p\d+\b", "?", node.sql("mysql"))


def parse_template(sql: str) -> tuple[exp.Expr, int]:
    """The tree of one template and its number of placeholders.

    Modifiers that change neither the rows nor the columns of the result are left out first, because the parser does
    not know all their combinations; REPLACE is read as the INSERT that it extends. Raises NotParsed.
    """
    text, count = number_placeholders(sql.strip())
    text = _SELECT_MODIFIERS.sub(lambda match: match[1] + (" DISTINCT" if "distinct" in match[2].lower() else ""), text)
    text = _TOLERANT.sub(r"\1", _WRITE_MODIFIERS.sub(r"\1", text))
    text = _REPLACE.sub("INSERT INTO", text)
    try:
        trees = parse(text, dialect="mysql")
    except (SqlglotError, RecursionError) as error:
        raise NotParsed from error
    if len(trees) != 1 or trees[0] is None or isinstance(trees[0], exp.Command):
        raise NotParsed
    return trees[0], count


def insert_mode(sql: str, tree: exp.Expr) -> InsertMode:
    """How an INSERT or REPLACE treats a row whose key is there already."""
    if _REPLACE.match(sql.strip()):
        return "replace"
    if tree.args.get("conflict"):
        return "upsert"
    return "ignore" if tree.args.get("ignore") else "insert"
