"""The logs' mix made again: what is drawn, what is counted, and what fails."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from shop import shop, shop_rows

from ddbmig.model.context import Context, Requirement
from ddbmig.model.replay import Replay
from ddbmig.model.snapshot import Snapshot
from ddbmig.validators.engines import open_engine
from ddbmig.validators.evaluate import NotEvaluated
from ddbmig.validators.execute import run_plan
from ddbmig.validators.replay import Replayer, check
from ddbmig.validators.source import SourceRows
from ddbmig.validators.validate import SEED, _Validation, read_data
from design_builder import design_world

SHOP = shop()
DESIGN = design_world(SHOP).alternative("faithful")
PLANS = {plan.pattern: plan for plan in DESIGN.plans}
COUNT = 60


@pytest.fixture(scope="module")
def run() -> Iterator[_Validation]:
    with open_engine("moto") as engine:
        run = _Validation(SHOP, DESIGN, engine, read_data(SHOP, shop_rows(), SourceRows(SHOP.tables)))
        try:
            run.create()
            run.load()
            yield run
        finally:
            run.drop()


def replayed(run: _Validation, snapshot: Snapshot = SHOP, count: int = COUNT) -> Replay:
    return Replayer(snapshot, PLANS, run.operations, run.data.source, run.references, SEED).replay(count)


def test_statements_are_drawn_by_their_calls_and_counted(run: _Validation) -> None:
    found = replayed(run)
    verdict = check(found)
    assert (found.statements, found.refused, found.not_run) == (COUNT, {}, ())
    assert found.runs == COUNT
    assert (verdict.verdict, f"{COUNT} statements" in verdict.evidence) == ("passed", True)
    assert all(PLANS[one.pattern].steps for one in found.patterns)
    assert all(one.trips[0] <= one.trips[1] <= one.trips[2] for one in found.patterns)
    reads = [one for one in found.patterns if not one.write_units]
    writes = [one for one in found.patterns if one.write_units]
    assert reads
    assert writes
    assert all(one.read_units >= 0.5 * one.trips[0] for one in reads)


def test_only_what_the_logs_call_is_drawn(run: _Validation) -> None:
    silent = SHOP.digest.templates[0]
    called = next(t for t in SHOP.digest.templates if any(p.template == t.id for p in SHOP.patterns
                                                          if not PLANS[p.id].routed) and t is not silent)  # fmt: skip
    templates = tuple(t.model_copy(update={"calls": int(t is called)}) for t in SHOP.digest.templates)
    one_kind = SHOP.model_copy(update={"digest": SHOP.digest.model_copy(update={"templates": templates})})
    found = replayed(run, one_kind, 5)
    assert {next(p.template for p in SHOP.patterns if p.id == one.pattern) for one in found.patterns} == {called.id}
    nothing = tuple(t.model_copy(update={"calls": 0}) for t in SHOP.digest.templates)
    empty = SHOP.model_copy(update={"digest": SHOP.digest.model_copy(update={"templates": nothing})})
    assert check(replayed(run, empty, 5)).verdict == "not analysed"


def test_what_dynamodb_refuses_fails(run: _Validation, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def throttled(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 2:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "Query")
        return run_plan(*given)

    monkeypatch.setattr("ddbmig.validators.replay.run_plan", throttled)
    found = replayed(run, count=20)
    assert found.refused == {"ThrottlingException": 10}
    verdict = check(found)
    assert verdict.verdict == "failed"
    assert "10 refused" in verdict.evidence
    assert verdict.evidence.endswith("first refusal: ThrottlingException")


def test_more_round_trips_than_the_declared_latency_has_time_for_fail(run: _Validation) -> None:
    def required(ms: float) -> Replay:
        context = Context(requirements=(Requirement(p99_ms=ms),))
        return replayed(run, SHOP.model_copy(update={"context": context}))

    assert check(required(1_000)).verdict == "passed"
    found = required(15)
    late = [one for one in found.patterns if one.late]
    assert late
    assert {one.pattern for one in late} == {one.pattern for one in found.patterns if one.trips[1] > 1}
    assert check(found).verdict == "failed"
    assert late[0].pattern in check(found).evidence.split("may be later")[1]


def test_what_cannot_be_run_is_named(run: _Validation, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise NotEvaluated("no such function")

    monkeypatch.setattr("ddbmig.validators.replay.run_plan", fails)
    found = replayed(run, count=5)
    assert found.not_run
    assert (found.runs, check(found).verdict) == (0, "not analysed")
