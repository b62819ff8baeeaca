"""Clients that run a plan call by call.

A plan is a function of the answers to its calls. So a client is moved on by one call by running its plan anew, with the
answers that it had, to the first call that is new: no thread, no chance.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from ddbmig.model.design import TableDesign
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan, ReadCall
from ddbmig.validators.evaluate import Params
from ddbmig.validators.execute import AUTO_KEYS, PlanResult, run_plan
from ddbmig.validators.operations import ConditionFailed, ItemWrite, Operations

T = TypeVar("T")


class _Paused(Exception):
    """The client has made the one call that it may make."""


class Stepping(Operations):
    """One client that runs a plan a call at a time, on the operations that it is mixed with."""

    def begin(self, name: str, pattern: AccessPattern, plan: Plan, params: Params, next_keys: AUTO_KEYS) -> None:
        """Take a plan up; nothing is called yet."""
        self.name, self.finished, self.answer = name, False, PlanResult(0)
        self.trace: list[str] = []
        self._pattern, self._plan, self._params, self._next_keys = pattern, plan, params, next_keys
        self._answers: list[Any] = []
        self._named: list[bool] = []
        """Of each answer, whether its call has a name."""
        self._position, self._called = 0, False
        self._single = False
        """Whether the last call was one write that is no transaction."""

    def advance(self) -> str | None:
        """Make one more call; gives its name, or None where the plan has come to its end without one."""
        self._position, self._called = 0, False
        before = len(self.trace)
        try:
            self.answer = run_plan(self, self._pattern, self._plan, self._params, dict(self._next_keys))
            self.finished = True
        except _Paused:
            pass
        return self.trace[-1] if len(self.trace) > before else None

    def repeat(self) -> str | None:
        """Make the last call once more, as the SDK does where its answer got lost; gives its name, or None where that
        changes nothing: a read, or a transaction, of which the SDK repeats the ClientRequestToken."""
        if not self._single:
            return None
        del self._answers[-1], self._named[-1]
        while self._named and not self._named[-1]:  # its looks at the items are made anew, too
            del self._answers[-1], self._named[-1]
        self.finished = False
        called = self.advance()
        return None if called is None else f"{called}, again"

    def _answer(self, name: str | None, perform: Callable[[], T]) -> T:
        """The answer that the call had, or a new one; a look without a name belongs to the call after it."""
        if self._position < len(self._answers):
            answer = self._answers[self._position]
        elif self._called:
            raise _Paused
        else:
            answer = _tried(perform)
            self._answers.append(answer)
            self._named.append(name is not None)
            if name is not None:
                self._called, self._single = True, False
                self.trace.append(f"{self.name}: {name}")
        self._position += 1
        if isinstance(answer, ConditionFailed):
            raise answer
        return cast(T, answer)

    def get(self, table: TableDesign, key: Mapping[str, Any], consistent: bool) -> dict[str, Any] | None:
        look = super().get
        return self._answer(f"GetItem {table.name}", lambda: look(table, key, consistent))

    def batch_get(self, table: TableDesign, keys: list[dict[str, Any]], consistent: bool) -> list[dict[str, Any]]:
        look = super().batch_get
        return self._answer(f"BatchGetItem {table.name}", lambda: look(table, keys, consistent))

    def pages(
        self, call: ReadCall, condition: str, names: Mapping[str, str], values: Mapping[str, Any], limit: int | None
    ) -> list[dict[str, Any]]:
        look, place = super().pages, call.table + (f"/{call.index}" if call.index else "")
        return self._answer(f"{call.op} {place}", lambda: look(call, condition, names, values, limit))

    def peek(self, table: TableDesign, key: Mapping[str, Any]) -> dict[str, Any] | None:
        look = super().peek
        return self._answer(None, lambda: look(table, key))

    def write(self, writes: list[ItemWrite]) -> None:
        make = super().write
        made = self._called
        self._answer(_written(writes), lambda: make(writes))
        self._single = self._single or (self._called and not made and len(writes) == 1)


def _tried(perform: Callable[[], Any]) -> Any:
    try:
        return perform()
    except ConditionFailed as failed:
        return failed


def _written(writes: list[ItemWrite]) -> str:
    """What a write is called: its actions and tables."""
    words = []
    for one in writes:
        put_or_update = "UpdateItem" if one.condition == "exists" else "PutItem"
        words.append(f"{'DeleteItem' if one.after is None else put_or_update} {one.table.name}")
    return words[0] if len(words) == 1 else f"TransactWriteItems ({', '.join(words)})"
