"""The page of prose: a section is our own text, or a marked block that says which model wrote it from which facts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ddbmig.model.context import Audience
from ddbmig.narrative.sections import Section
from ddbmig.reporters.markdown import Markup, code, heading, joined
from ddbmig.reporters.pages import page, paragraph, section

_TITLES: Mapping[Audience, str] = {"executive": "The migration in brief", "engineer": "The migration explained"}
_CODE = re.compile(r"`([^`\n]*)`")


@dataclass(frozen=True)
class Prose:
    """What stands in a section: a model's answer that the guard has taken, or none and why there is none."""

    section: Section
    model: str = ""
    input: str = ""
    """SHA-256 of what the model was sent."""
    answer: str = ""
    """Empty: our own text stands there."""
    why: str = ""
    """Why a model that was asked did not write the section."""


def narrative_page(audience: Audience, proses: Iterable[Prose]) -> str:
    """The page as Markdown."""
    intro = paragraph(
        "Explanations of the saved analysis for one kind of reader. The stages' own reports decide; nothing reads this "
        "page, and no approval names it."
    )
    return page(heading(1, _TITLES[audience]), intro, *map(_section, proses))


def _section(one: Prose) -> Markup:
    title = one.section.facts.title
    if one.answer:
        return section(title, _block(one))
    why = paragraph("{} did not write this section: {}. This is our own text.", one.model, one.why) if one.why else ""
    return section(title, *filter(None, (one.section.template, why)))


def _block(one: Prose) -> Markup:
    """The marks are comments: they do not show, and no answer can hold one."""
    begin = f"<!-- ddbmig:prose model={one.model} input={one.input} -->\n"
    said = "*Written by {} from facts {} and checked against them; not part of what is approved.*"
    credit = paragraph(said, one.model, one.input[:12])
    return Markup(f"{begin}\n{as_markdown(one.answer)}\n{credit}\n<!-- /ddbmig:prose -->\n")


def as_markdown(answer: str) -> Markup:
    """An answer as paragraphs of text and names: whatever else it may hold is escaped."""
    paragraphs = [part for part in re.split(r"\n\s*\n", answer.strip()) if part.strip()]
    return Markup("\n".join(f"{_inline(part)}\n" for part in paragraphs))


def _inline(part: str) -> Markup:
    pieces = _CODE.split(" ".join(part.split()))
    return joined(*(code(piece) if number % 2 else piece for number, piece in enumerate(pieces) if piece))
