"""One difference between two values of a kind, as a person reads it."""

from ddbmig.model.base import Value


class Change(Value):
    """One difference. `before` or `after` is None where the subject is new or gone."""

    subject: str
    """`books`, `books.isbn`, `books/books_by_year`."""
    what: str
    """`table`, `attribute`, `key`, `verdict`, …; empty where the subject says it."""
    before: str | None = None
    after: str | None = None

    because: tuple[str, ...] = ()
    """What moved it, where that is known."""

    def __str__(self) -> str:
        """One line: `+` is new, `-` is gone, `~` is another."""
        why = f" because {'; '.join(self.because)}" if self.because else ""
        what = f"{self.what} " if self.what else ""
        if self.before is None:
            return f"+ {what}{self.subject}: {self.after}{why}"
        if self.after is None:
            return f"- {what}{self.subject}: {self.before}{why}"
        return f"~ {self.subject}: {what}{self.before} -> {self.after}{why}"
