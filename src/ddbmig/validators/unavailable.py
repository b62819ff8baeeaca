"""What the engines say when one of them cannot be had, so that `auto` can try the next one."""

from dataclasses import dataclass

from ddbmig.model.errors import UsageError


@dataclass
class EngineUnavailable(UsageError):
    """This engine cannot be had on this machine; another may. The message is the reason, the hint the way to get it.

    A file that is not what its lock says is no such case: that is a plain UsageError and stops the program.
    """
