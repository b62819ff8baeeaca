"""Anthropic's Messages API: one request, streamed, tried again where the server is busy, counted against a budget.

The only module that imports `anthropic`, and only when somebody is asked. The key comes from ANTHROPIC_API_KEY, the
address from ANTHROPIC_BASE_URL where that is set.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ddbmig.model.errors import UsageError
from ddbmig.model.progress import Progress, silent
from ddbmig.narrative.budget import Budget, tokens_at_most

if TYPE_CHECKING:
    from anthropic import Anthropic, APIError

KEY = "ANTHROPIC_API_KEY"
TRIES = 4
LONGEST_PAUSE = 30.0
"""Seconds that are waited before another try, whatever the server asks for."""
MOST_CHARACTERS = 100_000
"""Of one answer; what streams on is not read."""
_NOT_OURS = {401: "the key is refused", 403: "the key may not use this model", 404: "there is no such model",
             400: "the request is refused", 402: "the account cannot pay", 413: "the request is too large"}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What came: text, the arguments of a tool that was called, and why it ended."""

    text: str
    stop: str
    """`end_turn`, `tool_use`, `max_tokens`, `refusal`, …; empty where the answer was not read to its end."""
    tool: str = ""
    arguments: str = ""
    """JSON, as it was streamed."""


class Unanswered(Exception):
    """No answer came, for a reason that may be gone next time."""


@dataclass
class Asking:
    """Whether and how a model is asked."""

    may_ask: bool = True
    """False: only answers that are kept are used."""
    progress: Progress = silent
    tell: Callable[[str], None] = silent
    """Told what it may cost before the first call."""
    pause: Callable[[float], None] = time.sleep


@dataclass
class Client:
    """Asks a model within a budget."""

    anthropic: "Anthropic"
    budget: Budget
    seconds: float
    """The longest that one answer may take."""
    asking: Asking

    def close(self) -> None:
        """Let go of the connection."""
        self.anthropic.close()

    def ask(self, body: Mapping[str, Any], what: str) -> Answer:
        """One answer. Raises Unanswered, and UsageError where no further request could do better."""
        for tried in range(1, TRIES + 1):
            if why := self.budget.why_not(tokens_at_most(body), body["max_tokens"]):
                raise Unanswered(why)
            wait = self._once(body, what)
            if isinstance(wait, Answer):
                return wait
            reason, seconds = wait
            if tried < TRIES:
                self.asking.progress(f"{what}: {reason}; waiting")
                self.asking.pause(min(LONGEST_PAUSE, seconds if seconds is not None else 0.5 * 2**tried))
        raise Unanswered(f"{reason}, {TRIES} times")

    def _once(self, body: Mapping[str, Any], what: str) -> Answer | tuple[str, float | None]:
        """An answer; or why there is none yet, and the seconds to wait where the server says so."""
        import anthropic

        http = _http_library()
        reading = _Reading(body["max_tokens"], time.monotonic() + self.seconds)
        try:
            with self.anthropic.messages.create(stream=True, timeout=self.seconds, **body) as stream:
                for event in stream:
                    if not reading.read(event):
                        break
                    self._show(reading, what)
            return reading.answer()
        except anthropic.APIStatusError as error:
            if error.status_code in _NOT_OURS:
                kind = error.type or "error"
                raise UsageError(_NOT_OURS[error.status_code], subject=f"HTTP {error.status_code}, {kind}",
                                 hint=f"check {KEY} and narrative.model") from None  # fmt: skip
            return f"the server answers {error.type or error.status_code}", _retry_after(error)
        except (anthropic.APITimeoutError, TimeoutError, http.TimeoutException):
            return f"no answer within {self.seconds:g} seconds", None
        except (anthropic.APIError, http.HTTPError, OSError, ValueError):
            return "the connection broke", None
        finally:
            if reading.begun:
                self.budget.spend(*reading.taken())

    def _show(self, reading: "_Reading", what: str) -> None:
        if len(reading.text) - reading.shown >= 400:
            reading.shown = len(reading.text)
            self.asking.progress(f"{what}: {reading.shown} characters")


@dataclass
class _Reading:
    """An answer while it streams."""

    most_tokens: int
    until: float
    begun: bool = False
    text: str = ""
    tool: str = ""
    arguments: str = ""
    stop: str = ""
    input_tokens: int = 0
    output_tokens: int | None = None
    shown: int = 0

    def read(self, event: Any) -> bool:
        """Take one event; False where nothing more is wanted. Raises TimeoutError."""
        if time.monotonic() > self.until:
            raise TimeoutError
        if event.type == "message_start":
            self.begun = True
            usage = event.message.usage
            cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
            self.input_tokens = usage.input_tokens + cached
        elif event.type == "content_block_start" and event.content_block.type == "tool_use":
            self.tool = "" if self.tool else event.content_block.name  # a second call makes the answer none
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            self.text += event.delta.text
        elif event.type == "content_block_delta" and event.delta.type == "input_json_delta":
            self.arguments += event.delta.partial_json
        elif event.type == "message_delta":
            self.stop = event.delta.stop_reason or ""
            self.output_tokens = event.usage.output_tokens
        return len(self.text) + len(self.arguments) <= MOST_CHARACTERS

    def answer(self) -> Answer:
        """What was read. Raises ValueError where the stream ended before the answer did."""
        whole = len(self.text) + len(self.arguments) <= MOST_CHARACTERS
        if whole and not self.stop:
            raise ValueError("the stream ended early")
        return Answer(self.text, self.stop if whole else "", self.tool, self.arguments)

    def taken(self) -> tuple[int, int]:
        """Tokens in and out; of an answer that was not read to its end, as many as it may have had."""
        return self.input_tokens, self.most_tokens if self.output_tokens is None else self.output_tokens


def _http_library() -> Any:
    """What the installed anthropic speaks HTTP with: in the middle of a stream its errors come as they are."""
    try:
        return import_module("httpx2")
    except ImportError:
        return import_module("httpx")


def _retry_after(error: "APIError") -> float | None:
    response = getattr(error, "response", None)
    try:
        return max(0.0, float(response.headers["retry-after"])) if response is not None else None
    except (KeyError, ValueError):
        return None


def open_client(budget: Budget, seconds: float, asking: Asking) -> Client:
    """A client with the key of the environment. Raises UsageError where the key or the package is missing."""
    key = os.environ.get(KEY)
    if not key:
        raise UsageError(f"{KEY} is not set", hint="set it to ask a model, or leave --narrative anthropic out")
    try:
        import anthropic
    except ImportError as error:
        raise UsageError("the package anthropic is not installed", hint="pip install 'ddbmig[llm]'") from error
    # Our own tries are counted against the budget; a redirect would carry the facts to somebody else.
    http = anthropic.DefaultHttpxClient(follow_redirects=False)
    return Client(anthropic.Anthropic(api_key=key, max_retries=0, http_client=http), budget, seconds, asking)


def arguments_of(answer: Answer, tool: str) -> dict[str, Any] | None:
    """The arguments of the call of a tool; None where the answer is no such call."""
    if answer.stop != "tool_use" or answer.tool != tool:
        return None
    try:
        found = json.loads(answer.arguments)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
