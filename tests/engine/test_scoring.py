"""From facts to points, verdicts and findings; and that the built-in pack weighs the plain cases as the guide does."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbmig.engine.facts import BY_PHASE, PHASES, FactDefinition
from ddbmig.engine.rule import OPTIONS
from ddbmig.engine.rulebook import Rulebook, load_rules
from ddbmig.engine.scoring import MARGIN, assess, assess_relationships, evaluate, find, verdict
from ddbmig.model.assessment import EvidenceSource, Fact, FactValue, Phase, Rates, Relationship
from ddbmig.model.digest import Digest
from ddbmig.model.errors import UsageError
from ddbmig.model.schema import Schema, Table
from ddbmig.model.snapshot import Snapshot
from ddbmig.packs import recommended

PACK = load_rules([recommended()])
LINK = Relationship(
    id="line.order_id->orders.id", child="line", child_columns=("order_id",), parent="orders", parent_columns=("id",),
    cardinality="1:N", evidence=(EvidenceSource(kind="declared", detail="fk"),),
)  # fmt: skip
NOTHING: Mapping[str, FactValue] = {"bool": False, "number": 0, "text": "", "list": ()}
NO_TRAFFIC: Mapping[str, FactValue] = {
    name: NOTHING[fact.kind] for name, fact in BY_PHASE["relationship"].items() if not fact.may_be_missing
}
READ_WHOLE: Mapping[str, FactValue] = {
    "reads.joint_share": 0.85, "reads.calls_per_day": 9000, "reads.joint_calls_per_day": 7650,
    "reads.collection_share": 0.9, "updates.together_share": 0.8,
}  # fmt: skip
SMALL: Mapping[str, FactValue] = {
    "children.p99": 12, "children.max": 40, "children.bounded": True, "size.combined_bytes": 3000,
    "size.largest_bytes": 9000, "children.orphans": 0,
}  # fmt: skip
LARGE: Mapping[str, FactValue] = {
    "children.p99": 900, "children.max": 5000, "children.bounded": False, "size.combined_bytes": 200_000,
    "size.largest_bytes": 1_100_000, "children.orphans": 0,
}  # fmt: skip
NAME: Mapping[str, FactValue] = {
    "reads.joint_share": 0.5, "reads.calls_per_day": 9000, "reads.joint_calls_per_day": 4500,
    "reads.collection_share": 0.05, "copies.columns": 1, "copies.bytes": 20, "copies.names": ("name",),
}  # fmt: skip


def facts(*parts: Mapping[str, FactValue]) -> dict[str, Fact]:
    values = {**NO_TRAFFIC}
    for part in parts:
        values.update(part)
    return {name: Fact(value=value, unit="", source="measured", origin="test") for name, value in values.items()}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param((), "undecided", id="nothing known"),
        pytest.param((READ_WHOLE, SMALL), "embed", id="order lines: small, bounded, read and written with the order"),
        pytest.param((READ_WHOLE, LARGE), "collocate", id="many children, read with their parent"),
        pytest.param((NAME, SMALL), "denormalize", id="a join that only fetches a name"),
        pytest.param((NAME, LARGE), "denormalize", id="a name of a parent with very many children"),
        pytest.param((NAME, {"reads.joint_share": 0.9}), "denormalize", id="nearly always a name"),
        pytest.param((NAME, {"reads.joint_share": 0.2}), "undecided", id="a name, but seldom"),
        pytest.param((NAME, {"writes.amplification": 3.0}), "undecided", id="a name whose copies multiply the writes"),
        pytest.param(
            ({"reads.joint_share": 0.05, "reads.calls_per_day": 9000},), "separate", id="unrelated traffic"
        ),
        pytest.param((READ_WHOLE, SMALL, {"context.same_owner": False}), "embed|undecided", id="another team's data"),
        pytest.param(
            (READ_WHOLE, SMALL, {"context.same_security_context": False}), "separate", id="another security context"
        ),
        pytest.param((READ_WHOLE, SMALL, {"children.orphans": 3}), "collocate", id="rows without a parent"),
        pytest.param((READ_WHOLE, SMALL, {"cardinality.self_reference": True}), "collocate", id="a table of itself"),
    ],
)  # fmt: skip
def test_the_plain_cases(parts: tuple[Mapping[str, FactValue], ...], expected: str) -> None:
    result = assess(PACK, LINK, facts(*parts))
    assert result.verdict in expected.split("|"), (dict(result.points), [line.rule for line in result.ledger])
    for option in OPTIONS:
        assert result.points[option] == sum(line.points for line in result.ledger if line.option == option)


def test_an_unanswered_context_fires_no_rule_on_it() -> None:
    result = assess(PACK, LINK, facts(READ_WHOLE, SMALL))
    assert not {line.rule for line in result.ledger} & {"DM002", "DM004", "DM008", "DM009", "DM011", "DM012", "DM017"}


@pytest.mark.parametrize(
    ("points", "forbidden", "expected"),
    [
        ((0, 0, 0, 0), (), ("undecided", 0)),
        ((0, MARGIN, 0, 0), (), ("denormalize", MARGIN)),
        ((0, MARGIN - 1, 0, 0), (), ("undecided", MARGIN - 1)),
        ((0, 30, 50, 0), ("embed",), ("denormalize", 30)),
        ((-20, -5, -50, -60), (), ("denormalize", 15)),
        ((-20, 90, 80, 70), ("denormalize", "embed", "collocate"), ("separate", 0)),
        ((40, 90, 80, 70), ("denormalize", "embed", "collocate"), ("separate", 40)),
        ((1, 2, 3, 4), OPTIONS, ("undecided", 0)),
    ],
)
def test_a_verdict(points: tuple[int, ...], forbidden: tuple[str, ...], expected: tuple[str, int]) -> None:
    assert verdict(dict(zip(OPTIONS, points, strict=True)), forbidden) == expected


def test_what_is_forbidden_names_its_rule_and_is_told_as_a_finding() -> None:
    given_facts = facts(READ_WHOLE, LARGE)
    result = assess(PACK, LINK, given_facts)
    assert dict(result.forbidden) == {"embed": "AP003"}
    found = {finding.rule: finding for finding in find(PACK, "relationship", LINK.id, given_facts)}
    assert found["AP003"].severity == "info"
    assert found["AP003"].message.endswith("forbids: embed")
    assert "size.largest_bytes is 1,100,000 bytes (> 409,600 bytes)" in found["AP003"].because


def test_plain_values_of_a_caller_make_findings() -> None:
    supplied = {"alternative.copies": 3, "alternative.composed_keys": None, "alternative.max_gsis_per_table": 21}
    _, findings = evaluate(PACK, "alternative", "cheapest", supplied)
    assert [finding.rule for finding in findings] == ["PR008", "PR017", "PW004", "PW005"]
    assert findings[0].severity == "error"
    assert findings[2].subject == "cheapest"
    assert findings[2].warning.startswith("Warning: This denormalization")


def test_facts_outside_the_catalogue_are_refused() -> None:
    with pytest.raises(UsageError, match=r"did you mean alternative\.copies"):
        find(PACK, "alternative", "x", {"alternative.copied": 3})
    with pytest.raises(UsageError, match="another type"):
        find(PACK, "alternative", "x", {"alternative.copies": "three"})
    with pytest.raises(UsageError, match="not supplied"):
        find(PACK, "table", "x", {})


def test_a_schema_without_a_log_is_assessed_as_undecided_with_nothing_invented() -> None:
    tables = tuple(Table(id=name, schema_name="", name=name, columns=()) for name in ("line", "orders"))
    snapshot = Snapshot(tables=Schema(tables=tables), digest=Digest())
    rates = Rates(span_seconds=0, represents="average", source="assumed", factor=1)
    (result,) = assess_relationships(snapshot, [LINK], [], [], [], [], rates, PACK)
    assert (result.verdict, result.margin, result.ledger) == ("undecided", 0, ())


VALUES = {"number": st.integers(0, 10**7) | st.floats(0, 1e9), "bool": st.booleans(),
          "list": st.lists(st.text(max_size=4), max_size=4).map(tuple), "text": st.text(max_size=5)}  # fmt: skip


def value_of(fact: FactDefinition) -> st.SearchStrategy[object]:
    values: st.SearchStrategy[object] = st.sampled_from(fact.values) if fact.values else VALUES[fact.kind]
    return st.none() | values if fact.may_be_missing else values


@settings(deadline=None)
@given(st.data(), st.sampled_from(PHASES))
def test_the_pack_is_total_on_any_facts(data: st.DataObject, phase: Phase) -> None:
    drawn: dict[str, Any] = {name: data.draw(value_of(fact)) for name, fact in BY_PHASE[phase].items()}
    ledger, findings = evaluate(PACK, phase, "subject", drawn)
    again = evaluate(Rulebook(PACK.rules[::-1]), phase, "subject", drawn)
    assert sorted(line.rule for line in ledger) == sorted(line.rule for line in again[0])
    assert all(finding.because and finding.message and finding.instead for finding in findings)
