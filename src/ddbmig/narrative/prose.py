"""Prose of one section by a model: asked once, once more with the reason where the guard refuses, and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ddbmig.model.base import Value
from ddbmig.narrative.client import Answer, Client, Unanswered
from ddbmig.narrative.facts import Facts
from ddbmig.narrative.guard import LONGEST, Refusal, refusal
from ddbmig.narrative.prompt import again

TRIES = 2
"""Answers that are asked for: the second with the reason why the first was refused."""


class Kept(Value):
    """An answer as it is kept, under the hash of what was sent."""

    input: str
    model: str
    answer: str = ""
    """As it came; empty where no answer was taken."""
    why: str = ""
    """Why none was taken."""


@dataclass(frozen=True)
class Outcome:
    """The answer that is taken, or why there is none."""

    answer: str = ""
    why: str = ""
    keep: bool = False
    """Whether asking again would be the same question answered the same way."""


def replayed(kept: Kept, facts: Facts) -> Outcome:
    """A kept answer, held against the facts anew: the file may have been edited, or the guard has learned."""
    if not kept.answer:
        return Outcome(why=kept.why or "no answer was taken")
    refused = refusal(kept.answer, facts)
    return Outcome(why=f"its kept answer is refused: {refused.reason}") if refused else Outcome(kept.answer)


def ask(client: Client, facts: Facts, body: Mapping[str, Any]) -> Outcome:
    """Ask for a section. Raises UsageError where no request can succeed."""
    asking, said = body, ""
    for _ in range(TRIES):
        try:
            answer = client.ask(asking, facts.section)
        except Unanswered as error:
            return Outcome(why=str(error))
        if answer.stop == "refusal":
            return Outcome(why="the model declined", keep=True)
        refused = _refused(answer, facts)
        if refused is None:
            return Outcome(answer.text.strip(), keep=True)
        said = refused.reason
        client.asking.progress(f"{facts.section}: refused, {said}")
        asking = again(body, answer.text if len(answer.text) <= LONGEST else "", said)
    return Outcome(why=f"its answers were refused, the last one because {said}", keep=True)


def _refused(answer: Answer, facts: Facts) -> Refusal | None:
    if answer.stop == "end_turn":
        return refusal(answer.text, facts)
    if answer.stop:
        return Refusal("cut", f"the answer was cut off ({answer.stop})")
    return Refusal("long", f"the answer is longer than {LONGEST} characters")
