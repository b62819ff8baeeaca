"""Holds prose against the facts it was written from: what is not in them does not pass.

The answer is data from outside: whatever it says, it can only be kept or refused. What each rule looks at, and what no
rule can see, is explained in docs/how-prose-is-guarded.md.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ddbmig.narrative.facts import Facts
from ddbmig.narrative.quantities import (
    NUMBER,
    Quantity,
    is_unit_or_period,
    periods,
    quantities,
    stands_for,
    unit_and_period,
)
from ddbmig.narrative.words import (
    ELSEWHERE,
    ITSELF,
    OPTIMAL,
    ORDINARY,
    OUTCOMES,
    PROVED,
    QUANTITY_WORD,
    SMALL_WORDS,
    STRONG,
    VOCABULARY,
)

LONGEST = 4000
"""Characters of a section's prose."""
_PLAIN = "–—…“”‘’×−±\u00a0"
"""What may stand in prose beyond ASCII, besides what the facts themselves hold."""
_MARKUP = re.compile(r"[<>\[\]{}*_#|~\\=^]|^\s*(?:[-+] |\d+[.)] )|!\[|```", re.MULTILINE)
_LINK = re.compile(r"(?i)\b(?:https?|ftp|mailto|www)\b\s*[:.]|\w@\w|\w\.(?:com|org|net|io|dev|ai)\b")
_CODE = re.compile(r"`([^`\n]*)`")
_MARK, _FIRST = "\ue000", 0xE100
"""Stand, in a text that is looked at, for a name: the mark, then the name's number."""
_MOST_NAMES = 0xF8FF - _FIRST
_NAME = re.compile(f"{_MARK}([\ue100-\uf8ff])")
_PLAIN_NAME = re.compile(r"[A-Za-z][\w.$,>-]*")
_IDENTIFIER = re.compile(
    r"\w*[A-Za-z]\w*(?:_\w+|[./:]\w+|->\w+)[\w./:>-]*|\b[a-z]+[A-Z]\w*|\b[A-Za-z]+\d\w*|\b\d+[A-Za-z_]+\d\w*"
)
_CAPITAL = re.compile(r"\b[A-Z][\w'’-]*")
_OF_KIND = re.compile(r"\b([A-Za-z][\w-]*)\s+(?:table|index|GSI|attribute|column)\b")
_CASE = re.compile(r"(?i)\b(?:best|worst)[- ](?=cases?\b)")
_NOT = re.compile(r"(?i)\bnot(?: yet| been| all)?\s+$")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\ue000$])|\n+")
_CLAUSE = re.compile(r"[;:—]|,(?!\d)|\b(?:while|whereas|but|and|against|than|compared)\b")


@dataclass(frozen=True)
class Refusal:
    """Why prose is not taken."""

    code: str
    """The rule: empty, long, characters, markup, link, itself, name, outcome, quantity, certainty, number, unit or
    subject."""
    reason: str
    """One sentence for the model and for people."""


@dataclass(frozen=True)
class _Known:
    """A number of the facts."""

    quantity: Quantity
    of: str


def refusal(prose: str, facts: Facts) -> Refusal | None:
    """Why the prose may not stand for the facts; None where it may."""
    return next(_refusals(prose, facts), None)


def _refusals(prose: str, facts: Facts) -> Iterator[Refusal]:
    """Rules in the order in which they rely on each other: what is no plain text is not read on."""
    if not prose.strip():
        yield Refusal("empty", "the answer is empty")
        return
    if len(prose) > LONGEST:
        yield Refusal("long", f"the answer is longer than {LONGEST} characters")
        return
    evidence = _Evidence(facts)
    for rule in (_characters, _markup, _itself, _names, _outcomes, _quantity_words, _certainty, _numbers):
        yield from rule(prose, evidence)


class _Evidence:
    """Facts made ready to hold prose against."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.names = tuple(sorted(facts.names, key=lambda name: (-len(name), name)))[:_MOST_NAMES]
        self.numbers = {name: n for n, name in enumerate(self.names)}
        self.text = "\n".join(facts.texts())
        by_length = "|".join(map(re.escape, (name for name in self.names if not _is_a_word_of_ours(name))))
        self._any_name = re.compile(rf"(?<![\w$])(?:{by_length or '(?!)'})(?![\w$])")
        self.said = self._any_name.sub(lambda found: self._mark(found[0]), self.text)
        """What we say: the texts with a mark for every name, so that no name makes a claim."""

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word that stands in the facts, in small letters; those of names apart."""
        return frozenset(re.findall(r"[\w'’-]+", _CASE.sub("", _NAME.sub(" ", self.said)).lower()))

    @cached_property
    def known(self) -> tuple[_Known, ...]:
        """Every number of the facts."""
        found = []
        for figure in self.facts.figures:
            unit, period = unit_and_period(figure.unit)
            found.append(_Known(Quantity(str(figure.value), figure.value, unit, period, 0), figure.of))
        for one in self.facts.statements:
            sentences = _sentences(self._any_name.sub(_MARK, one.text))
            found += [_Known(number, one.of) for sentence in sentences for number in quantities(sentence)]
        return tuple(found)

    def masked(self, text: str) -> str:
        """A text in which each name of the facts is one mark, whether it is set as code or not."""
        marked = _CODE.sub(lambda span: self._mark(span[1]) if span[1] in self.numbers else span[0], text)
        return self._plain_names.sub(lambda found: self._mark(found[0]), marked) if self.numbers else marked

    def _mark(self, name: str) -> str:
        return f"{_MARK}{chr(_FIRST + self.numbers[name])}"

    @cached_property
    def _plain_names(self) -> re.Pattern[str]:
        """Names that can be told in running text; one that looks like a number or a claim cannot."""
        plain = [re.escape(name) for name in self.names if _PLAIN_NAME.fullmatch(name) and not _is_a_word_of_ours(name)]
        return re.compile(rf"(?<![\w$`.])(?:{'|'.join(plain) or '(?!)'})(?![\w$`])")

    def named(self, text: str) -> list[str]:
        """The names in a masked text."""
        return [self.names[ord(found[1]) - _FIRST] for found in _NAME.finditer(text)]


def _is_a_word_of_ours(name: str) -> bool:
    """Whether a name is a word that the rules look for; such a name counts as one only where it is set as code."""
    words = (QUANTITY_WORD, STRONG, PROVED, OPTIMAL, *map(re.compile, OUTCOMES.values()))
    small = name.lower()
    return small in SMALL_WORDS or is_unit_or_period(small) or any(word.fullmatch(name) for word in words)


def _sentences(text: str) -> list[str]:
    return [part for part in _SENTENCE.split(text) if part.strip()]


def _quoted(text: str) -> str:
    shown = _NAME.sub("name", text)
    return f"“{' '.join(shown.split())[:60]}”"


# --- form ---


def _characters(prose: str, evidence: _Evidence) -> Iterator[Refusal]:
    for one in prose:
        if one.isascii() and (one.isprintable() or one == "\n"):
            continue
        if one in _PLAIN or (one in evidence.text and unicodedata.category(one)[0] == "L"):
            continue
        yield Refusal("characters", f"the character U+{ord(one):04X} is not plain text")
        return


def _markup(prose: str, _evidence: _Evidence) -> Iterator[Refusal]:
    outside = _CODE.sub("", prose)
    if "`" in outside or "``" in prose:
        yield Refusal("markup", "a backtick is not closed, or there are several in a row")
    elif found := _MARKUP.search(outside):
        yield Refusal("markup", f"there is markup: {_quoted(found[0])}; only plain paragraphs and `names` are taken")
    elif found := _LINK.search(prose):
        yield Refusal("link", f"there is an address: {_quoted(found[0])}")


def _itself(prose: str, _evidence: _Evidence) -> Iterator[Refusal]:
    if found := ITSELF.search(_CODE.sub("", prose)):
        yield Refusal("itself", f"the text speaks of itself or of its instructions: {_quoted(found[0])}")


# --- names ---


def _names(prose: str, evidence: _Evidence) -> Iterator[Refusal]:
    masked = evidence.masked(prose)
    for span in _CODE.finditer(masked):
        yield _no_name(span[1])
        return
    for found in (*_IDENTIFIER.finditer(masked), *ELSEWHERE.finditer(masked)):
        if found[0].strip(".:") not in evidence.text or ELSEWHERE.fullmatch(found[0]):
            yield _no_name(found[0])
            return
    for sentence in _sentences(masked):
        yield from _capitals(sentence, evidence)
    for found in _OF_KIND.finditer(masked):
        word = found[1].lower()
        if word not in ORDINARY and word not in evidence.words:
            yield _no_name(found[0])
            return


def _capitals(sentence: str, evidence: _Evidence) -> Iterator[Refusal]:
    """Proper names: capitals that no sentence begins with."""
    for found in _CAPITAL.finditer(sentence):
        word = re.sub(r"['’]s$", "", found[0])
        if sentence[: found.start()].strip(' “"(') and word not in VOCABULARY and word.lower() not in evidence.words:
            yield _no_name(found[0])
            return


def _no_name(said: str) -> Refusal:
    return Refusal("name", f"{_quoted(said)} is no name in the facts")


def _outcomes(prose: str, evidence: _Evidence) -> Iterator[Refusal]:
    """An outcome of a relationship may be spoken of only where the facts have it."""
    for outcome, pattern in OUTCOMES.items():
        word = re.compile(rf"(?i)\b(?:{pattern})\b")
        if (found := word.search(_NAME.sub(" ", evidence.masked(prose)))) and not word.search(
            _NAME.sub(" ", evidence.said)
        ):
            yield Refusal("outcome", f"{_quoted(found[0])} says {outcome}, which is not in the facts")
            return


# --- claims ---


def _quantity_words(prose: str, evidence: _Evidence) -> Iterator[Refusal]:
    for found in QUANTITY_WORD.finditer(evidence.masked(prose)):
        yield Refusal("quantity", f"{_quoted(found[0])} is a quantity in words; write figures of the facts in digits")
        return


def _certainty(prose: str, evidence: _Evidence) -> Iterator[Refusal]:
    certain = evidence.facts.certain
    for sentence in _sentences(evidence.masked(prose)):
        for found in STRONG.finditer(_CASE.sub("", sentence)):
            if not set(found[0].lower().split()) <= evidence.words:
                yield _too_sure(found[0])
                return
        for found in OPTIMAL.finditer(sentence):
            if "optimal" not in certain and not _NOT.search(sentence[: found.start()]):
                yield _too_sure(found[0])
                return
        for found in PROVED.finditer(sentence):
            counted = "proved in part" in certain and any(one.unit == "access patterns" for one in quantities(sentence))
            if not ("proved" in certain or counted or _NOT.search(sentence[: found.start()])):
                yield _too_sure(found[0])
                return


def _too_sure(said: str) -> Refusal:
    return Refusal("certainty", f"{_quoted(said)} is surer than the facts, none of which says so")


# --- numbers ---


def _numbers(prose: str, evidence: _Evidence) -> Iterator[Refusal]:
    """Every number must be one of the facts, in its unit and period, and of what the clause names."""
    subjects = [evidence.facts.about] if evidence.facts.about else []
    owners = {one.of for one in evidence.known if one.of}
    for sentence in _sentences(evidence.masked(prose)):
        spoken = periods(sentence)
        if left := re.search(r"\S*\d\S*", NUMBER.sub(" ", _IDENTIFIER.sub(" ", sentence))):
            yield Refusal("number", f"{_quoted(left[0])} is no number of the facts")
            return
        clauses = [0, *(found.end() for found in _CLAUSE.finditer(sentence))]
        for number in quantities(sentence):
            start = max(at for at in clauses if at <= number.at)
            end = min((at for at in clauses if at > number.at), default=len(sentence))
            here = [name for name in evidence.named(sentence[start:end]) if name in owners]
            here += ["MySQL"] * ("MySQL" in owners and "MySQL" in sentence[start:end])
            before = [name for name in evidence.named(sentence[:start]) if name in owners]
            subjects = sorted(set(here)) or before[-1:] or subjects
            if refused := _held(number, spoken, subjects, evidence.known):
                yield refused
                return
        subjects = [name for name in evidence.named(sentence) if name in owners][-1:] or subjects


def _held(number: Quantity, spoken: set[str], subjects: list[str], known: Iterable[_Known]) -> Refusal | None:
    shown = _quoted(number.shown)
    if number.value is None:
        return Refusal("number", f"{shown} is no number of the facts")
    same = [one for one in known if one.quantity.value is not None
            and stands_for(number.value, one.quantity.value, one.quantity.unit)]  # fmt: skip
    if not same:
        return Refusal("number", f"{shown} is no number of the facts, rounded or not")
    fitting = [one for one in same if _fits(number, spoken, one.quantity)]
    if not fitting:
        units = sorted({_with_period(one.quantity) for one in same})
        said = _with_period(number)
        return Refusal("unit", f"{shown} is said in {said}; the facts have that number in {', '.join(units)}")
    if len(set(subjects)) > 1 and all(one.of for one in fitting):
        return Refusal("subject", f"{shown} stands beside several names; give each its own clause")
    if not any(not one.of or one.of in subjects for one in fitting):
        return Refusal("subject", f"{shown} does not belong to what the clause names; name what it belongs to")
    return None


def _fits(number: Quantity, spoken: set[str], known: Quantity) -> bool:
    if number.unit != known.unit:
        return False
    return number.period == known.period or (not number.period and known.period in spoken)


def _with_period(one: Quantity) -> str:
    unit = one.unit or "no unit"
    return f"{unit} a {one.period}" if one.period else unit
