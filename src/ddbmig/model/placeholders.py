"""The placeholders of a template: every `?` outside of quotes, numbered in text order."""

import re

# What is quoted is kept; a typed literal (DATE '…') is a literal like any other; then the placeholders themselves.
_PLACEHOLDER = re.compile(
    r"""`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|(?:\b(?:DATE|TIME|TIMESTAMP)\s*)?\?""", re.I
)


def number_placeholders(sql: str) -> tuple[str, int]:
    """`sql` with its n-th `?` written `:p<n>`, counted from 0, and how many there are."""
    count = 0

    def name(match: re.Match[str]) -> str:
        nonlocal count
        if not match[0].endswith("?") or match[0][0] in "`'\"":
            return match[0]
        count += 1
        return f":p{count - 1}"

    return _PLACEHOLDER.sub(name, sql), count
