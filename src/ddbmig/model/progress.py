"""How what runs long tells how far it is: by a sentence, and by counts where there are such."""

from collections.abc import Iterable, Iterator, Sized
from typing import Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)


class Progress(Protocol):
    """Hears what is being done. It never decides anything, and nothing of it is kept."""

    def __call__(self, text: str, done: int = 0, of: int = 0) -> None:
        """`text` begins a step, or goes on with it: `done` of `of` units of any kind; `of` 0 is not known."""


def silent(text: str, done: int = 0, of: int = 0) -> None:
    """A progress that nobody hears."""


class _Many(Iterable[T_co], Sized, Protocol[T_co]):
    """What can be counted before it is gone through."""


def stepwise(progress: Progress, text: str, things: "_Many[T_co]") -> Iterator[T_co]:
    """The things one by one; told before the first and after each."""
    of = len(things)
    for number, one in enumerate(things):
        progress(text, number, of)
        yield one
    progress(text, of, of)
