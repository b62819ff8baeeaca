"""The one error tree, and the one list of exit codes.

DdbmigError
├── UsageError            options, configuration, an unreachable server or a missing tool      exit 2
│   ├── RuleError         a rule file that cannot be used; holds every mistake of the file     exit 2
│   └── VersionError      a saved value written by another version of ddbmig                   exit 2
├── WaitingForApproval    a stage is not approved yet                                          exit 3
└── InputError            input that could not be understood, beyond tolerance                 exit 4
"""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a shell or a pipeline sees. Never depends on the output format."""

    DONE = 0
    """Done; of `ddbmig check`: the gate is passed."""
    GATE_FAILED = 1
    """The gate failed: `ddbmig check` has findings that nobody accepted, `ddbmig rules test` a test that fails, `ddbmig
    validate` a plan that answers otherwise than its SQL, `ddbmig contract check` a mistake, `ddbmig verify` a table
    that differs from its rows, or `ddbmig contract diff` a difference."""
    USAGE = 2
    """Options, configuration, a rule file, an unreachable server or a missing tool."""
    WAITING = 3
    """A stage waits for its approval, or the prompt was declined."""
    NOT_UNDERSTOOD = 4
    """Input that cannot be read, or is understood only in part, beyond the tolerance; of `ddbmig load`: more rows than
    that have no item, or an incomplete one."""
    BUG = 70
    """A bug of ddbmig."""
    INTERRUPTED = 130
    """Ctrl-C."""


_SHOWN = 110
"""Characters of a longer line that are shown round the place."""


@dataclass
class DdbmigError(Exception):
    """Something a user can act on: what is wrong, where, and the way out.

    `message` says the fact in one line; `file`, `line`, `column` and `subject` (the object's name) locate it;
    `expected` says what would have been right; `hint` says what to do; `source` is the line of the file, if at hand.
    """

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    subject: str | None = None
    expected: str | None = None
    hint: str | None = None
    source: str | None = None

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    @property
    def place(self) -> str:
        """`file:line:column`, as far as known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        """One line: place, fact, expectation, way out. What a terminal could obey in a name is escaped."""
        text = f"{self.place}: {self.message}" if self.place else self.message
        if self.subject:
            text += f" ({self.subject})"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.hint:
            text += f"; {self.hint}"
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))

    def data(self) -> dict[str, str | int]:
        """What is known of it, by name, for a script; never the line of the file."""
        return {
            field.name: value
            for field in fields(self)
            if field.name != "source" and (value := getattr(self, field.name)) is not None
        }

    def with_caret(self) -> str:
        """The one line, the line of the file that it speaks of, and a caret below the place."""
        if self.source is None or self.column is None or not self.source.strip():
            return str(self)
        start = max(0, self.column - _SHOWN // 2) if len(self.source) > _SHOWN else 0
        shown = "".join(c if c.isprintable() else " " for c in self.source[start : start + _SHOWN])
        return f"{self}\n    {shown}\n    {' ' * (self.column - 1 - start)}^"


class UsageError(DdbmigError):
    """Options, configuration, an unreachable server or a missing tool."""

    exit_code = ExitCode.USAGE


class VersionError(UsageError):
    """A saved value was written under another SCHEMA_VERSION."""


class WaitingForApproval(DdbmigError):
    """A stage waits for its user."""

    exit_code = ExitCode.WAITING


class InputError(DdbmigError):
    """Input that cannot be read, or is understood only in part beyond the tolerance."""

    exit_code = ExitCode.NOT_UNDERSTOOD


class RuleError(UsageError):
    """A rule or configuration file that cannot be used. `mistakes` holds every mistake, in file order."""

    def __init__(self, mistakes: "tuple[DdbmigError, ...]") -> None:
        first = mistakes[0]
        super().__init__(first.message, first.file, first.line, first.column, first.subject, first.expected, first.hint)
        self.mistakes = mistakes
