"""The JSON Schema of a rule file and the loader: what the schema refuses the loader refuses."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ddbmig.engine.facts import CATALOGUE, PHASES
from ddbmig.engine.rule import OPTIONS, SEVERITIES, STATUSES
from ddbmig.engine.rule_reader import OPTIONAL, REQUIRED, read_rule
from ddbmig.engine.rule_schema import rule_schema
from ddbmig.packs import recommended

SCHEMA = rule_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
FILES = dict(recommended().files)
RULES = [yaml.safe_load(text) for text in FILES.values()]

SCORING = """\
id: ACME001
title: read-together
applies_to: relationship
status: stable
params: {share: 0.7}
when:
  all:
    - is_set(reads.joint_share)
    - reads.joint_share > params.share
    - not: reads.calls_per_day < 100
score: {denormalize: +30}
because: "{reads.joint_share:percent} of reads touch both"
why: Two requests for one answer.
instead: Read both with one request.
source: our handbook
tests:
  - {given: {reads.joint_share: 0.71, reads.calls_per_day: 100}, expect: fires}
  - {given: {reads.joint_share: 0.70, reads.calls_per_day: 100}, expect: silent}
"""
FINDING = SCORING.replace("score: {denormalize: +30}", "severity: error\nforbids: [embed]")
"""The same as a finding."""

MISTAKES = {
    "unknown key": ("applies_to:", "aplies_to:"),
    "missing key": ("why: Two requests for one answer.\n", ""),
    "blank text": ("why: Two requests for one answer.", 'why: " "'),
    "id without digits": ("id: ACME001", "id: ACME"),
    "id in lower case": ("id: ACME001", "id: acme001"),
    "title in words": ("title: read-together", "title: Read together"),
    "wrong phase": ("applies_to: relationship", "applies_to: relation"),
    "wrong status": ("status: stable", "status: done"),
    "preview since never": ("status: stable", "status: preview"),
    "no params": ("params: {share: 0.7}", "params: {}"),
    "param that is no name": ("params: {share: 0.7}", "params: {share: 0.7, a-b: 1}"),
    "param with a letter beyond ASCII": ("params: {share: 0.7}", "params: {share: 0.7, größe: 1}"),
    "param without a value": ("params: {share: 0.7}", "params: {share: []}"),
    "param too large": ("params: {share: 0.7}", "params: {share: 1000000000000000000}"),
    "param that is a truth value": ("params: {share: 0.7}", "params: {share: true}"),
    "unknown group": ("  all:", "  al:"),
    "two groups": ("  all:", '  any: ["reads.calls_per_day > 1"]\n  all:'),
    "empty group": ("    - not: reads.calls_per_day < 100", "    - any: []"),
    "condition that is a number": ("    - not: reads.calls_per_day < 100", "    - 3"),
    "condition too long": ("reads.calls_per_day < 100", "reads.calls_per_day < 100" + " + 1" * 80),
    "not of two": ("not: reads.calls_per_day < 100", "not: [reads.calls_per_day < 1, reads.calls_per_day < 2]"),
    "unknown option": ("denormalize: +30", "denormalise: +30"),
    "points beyond the limit": ("denormalize: +30", "denormalize: +101"),
    "points that are no whole number": ("denormalize: +30", "denormalize: 1.5"),
    "no points": ("denormalize: +30", "denormalize: 0"),
    "neither score nor severity": ("score: {denormalize: +30}\n", ""),
    "score and severity": ("score: {denormalize: +30}", "score: {denormalize: +30}\nseverity: error"),
    "wrong severity": ("score: {denormalize: +30}", "severity: fatal"),
    "forbids with a warning": ("score: {denormalize: +30}", "severity: warning\nforbids: embed"),
    "forbids nothing": ("score: {denormalize: +30}", "severity: error\nforbids: []"),
    "forbids an unknown option": ("score: {denormalize: +30}", "severity: error\nforbids: [embedd]"),
    "mandatory in words": ("score:", 'mandatory: "yes"\nscore:'),
    "score on a table": ("applies_to: relationship", "applies_to: table"),
    "tests that are no list": (SCORING.partition("tests:")[2], " none\n"),
    "no silent test": ("expect: silent", "expect: fires"),
    "wrong expectation": ("expect: silent", "expect: quiet"),
    "unknown key of a test": ("expect: silent", "expects: silent"),
    "unknown fact in given": ("{reads.joint_share: 0.71", "{reads.join_share: 0.71"),
    "text for a number": ("{reads.joint_share: 0.71", "{reads.joint_share: many"),
    "list for a number": ("{reads.joint_share: 0.71", "{reads.joint_share: [a]"),
    "number for a truth value": ("{reads.joint_share: 0.71", "{cardinality.declared: 1, reads.joint_share: 0.71"),
    "text for a list": ("{reads.joint_share: 0.71", "{copies.names: name, reads.joint_share: 0.71"),
    "outside of the closed list": ("{reads.joint_share: 0.71", "{context.lifecycle: old, reads.joint_share: 0.71"),
}
"""What is wrong -> what stands in the good rule and what is put there."""
SCORING_ONLY = {name for name, (old, _) in MISTAKES.items() if "denormalize" in old} | {
    "score on a table", "mandatory in words"
}  # fmt: skip
BY_READER_ONLY = {
    "unknown fact in a condition": ("reads.joint_share > params.share", "reads.join_share > params.share"),
    "unguarded fact": ("    - is_set(reads.joint_share)\n", ""),
    "unused param": ("params: {share: 0.7}", "params: {share: 0.7, other: 1}"),
}
"""What a schema cannot say."""


def verdicts(text: str) -> tuple[bool, bool]:
    """Whether the schema and the loader take a rule file."""
    return VALIDATOR.is_valid(yaml.safe_load(text)), read_rule("rule.yaml", text)[0] is not None


def test_it_is_a_schema_with_a_sentence_for_every_key() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert list(SCHEMA["properties"]) == [*REQUIRED, *OPTIONAL]
    assert all(shape["description"].endswith(".") for shape in SCHEMA["properties"].values())


def test_every_fact_is_described_in_its_phase() -> None:
    for fact in CATALOGUE:
        described = SCHEMA["$defs"][f"facts_of_{fact.applies_to}"]["properties"][fact.name]
        assert described["description"].startswith(fact.meaning)
        assert ("may be missing" in described["description"].split("; ")) is fact.may_be_missing


@pytest.mark.parametrize("name", FILES)
def test_every_built_in_rule_validates(name: str) -> None:
    assert verdicts(FILES[name]) == (True, True)


@pytest.mark.parametrize("text", [SCORING, FINDING, FINDING.replace("[embed]", "embed"),
                                  SCORING.replace("status: stable", 'status: preview\nsince: "1.2"'),
                                  SCORING.replace("id: ACME001", "id: |\n  ACME001")])  # fmt: skip
def test_good_rules_validate(text: str) -> None:
    assert verdicts(text) == (True, True)


@pytest.mark.parametrize("name", MISTAKES)
def test_both_refuse_a_mistake(name: str) -> None:
    old, new = MISTAKES[name]
    for good in (SCORING, FINDING) if old in FINDING and name not in SCORING_ONLY else (SCORING,):
        assert old in good
        assert verdicts(good.replace(old, new, 1)) == (False, False)


@pytest.mark.parametrize("name", BY_READER_ONLY)
def test_what_only_the_loader_sees(name: str) -> None:
    old, new = BY_READER_ONLY[name]
    assert old in SCORING
    assert verdicts(SCORING.replace(old, new, 1)) == (True, False)


# --- whatever is in a file ---


WORDS = [*REQUIRED, *OPTIONAL, *PHASES, *STATUSES, *SEVERITIES, *OPTIONS, "all", "any", "not", "fires", "silent",
         "given", "expect", "ACME001", " ACME001 ", "a-title", "", " ", "größe", "a b", "table.rows > 1",
         *(fact.name for fact in CATALOGUE[:40])]  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from(WORDS), st.booleans(), st.integers(-120, 120), st.sampled_from([0.5, -3.25]), st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
)


def containers(data: Any) -> Iterator[Any]:
    """The mappings and lists of some data, itself first."""
    if isinstance(data, dict | list):
        yield data
        for inner in data.values() if isinstance(data, dict) else data:
            yield from containers(inner)


@st.composite
def changed_rules(draw: st.DrawFn) -> Any:
    """A built-in rule with one to three values taken away, put in another's place, or added."""
    data = deepcopy(draw(st.sampled_from(RULES)))
    for _ in range(draw(st.integers(1, 3))):
        inside = draw(st.sampled_from(list(containers(data))))
        keys: list[Any] = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        change = draw(st.sampled_from(["take", "replace", "add"]))
        if change == "add" or not keys:
            value = draw(VALUES)
            inside.update({draw(st.sampled_from(WORDS)): value}) if isinstance(inside, dict) else inside.append(value)
        elif change == "take":
            del inside[draw(st.sampled_from(keys))]
        else:
            inside[draw(st.sampled_from(keys))] = draw(VALUES)
    return data


@given(changed_rules())
def test_what_the_schema_refuses_the_loader_refuses(data: Any) -> None:
    by_schema, by_loader = verdicts(json.dumps(data))
    assert by_schema or not by_loader
