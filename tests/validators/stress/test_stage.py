"""What stage 4 simulates: faults are planted in made-up applications, and each is seen and named."""

from collections.abc import Mapping
from functools import cache

import pytest

from ddbmig.engine.review import validation_facts
from ddbmig.engine.rulebook import load_rules
from ddbmig.engine.scoring import find
from ddbmig.model.assessment import Finding
from ddbmig.model.design import Alternative
from ddbmig.model.digest import KeyValues
from ddbmig.model.scenario import Celebrity, Scenario, Throughput
from ddbmig.model.simulation import Simulation
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Check, Validation
from ddbmig.packs import recommended
from ddbmig.validators.stress import stage
from ddbmig.validators.stress.remedies import cure
from ddbmig.validators.stress.runs import run, traffic_at
from design_builder import World, design_world, snapshot_of, template_id

MONTH = 730 * 3_600
"""Calls a month of one call a second."""
SCHEMA = """
CREATE TABLE orders (id bigint NOT NULL AUTO_INCREMENT, customer_id int NOT NULL, status varchar(10) NOT NULL,
  total int NOT NULL, PRIMARY KEY (id), KEY by_status (status));
"""
BY_ID = "SELECT total FROM orders WHERE id = ?"
BY_STATUS = "SELECT id FROM orders WHERE status = ? LIMIT 10"
INSERT = "INSERT INTO orders (customer_id, status, total) VALUES (?, ?, ?)"
UPDATE = "UPDATE orders SET total = ? WHERE id = ?"
WARNING = (
    "Warning: GSI throttling will affect the entire base table. Consider dedicated capacity or alternative design."
)


def application(rates: Mapping[str, float], statuses: int = 10_000) -> tuple[Snapshot, Alternative]:
    """Orders with so many different statuses, evenly spread; statements with their calls a second."""
    world = World(SCHEMA, tuple(rates), rows={"orders": 1_000_000}, groups={"orders": {"status": statuses}},
                  calls={sql: int(rate * MONTH) for sql, rate in rates.items()})  # fmt: skip
    snapshot = snapshot_of(world)
    design = design_world(snapshot)
    return snapshot, design.alternative(design.chosen)


def with_hot_value(snapshot: Snapshot, sql: str, placeholder: int, share: float) -> Snapshot:
    """The same logs where one value takes a share of what one placeholder is given."""
    values = {str(placeholder): KeyValues(total=10_000, top={"cafe": int(share * 10_000)})}
    templates = tuple(
        one.model_copy(update={"values": values}) if one.id == template_id(sql) else one
        for one in snapshot.digest.templates
    )
    return snapshot.model_copy(update={"digest": snapshot.digest.model_copy(update={"templates": templates})})


def verdicts(found: Simulation) -> tuple[Check, Check]:
    return stage.checks(found)


def findings(found: Simulation) -> dict[str, Finding]:
    """What the rules of the phase `validation` say of it."""
    value = Validation(engine="none", alternative="x", seed=1, tables_created=0, indexes_created=0, simulation=found)
    return {one.rule: one for one in find(load_rules([recommended()]), "validation", "x", validation_facts(value))}


@cache
def calm() -> Simulation:
    return stage.simulate(*application({BY_ID: 20, BY_STATUS: 5, INSERT: 5}))


def test_a_calm_application_passes_and_raises_nothing() -> None:
    assert [check.verdict for check in verdicts(calm())] == ["passed", "passed"]
    assert findings(calm()) == {}
    assert all(one.offered == pytest.approx(one.served) for one in calm().runs)


def test_a_hot_key_at_the_logs_traffic_fails_the_line_and_is_cured_by_a_run_with_shards() -> None:
    snapshot, alternative = application({UPDATE: 3_000})
    found = stage.simulate(with_hot_value(snapshot, UPDATE, 1, 0.6), alternative)
    hot, _ = verdicts(found)
    assert hot.verdict == "failed"
    assert "orders" in hot.evidence
    today = found.at(1)
    assert today is not None
    assert 800 / 3_000 <= today.worst < 1.1 * 800 / 3_000  # 1,000 of its 1,800 are served; at first fewer of others
    (cause,) = today.patterns[0].causes
    assert (cause.structure, cause.reason) == ("orders", "TableWriteKeyRangeThroughputExceeded")
    assert today.structures[0].keys[0].key == "cafe"
    assert found.cures[0].cured
    (shards,) = [one for one in found.cures[0].remedies if one.kind == "shards"]
    warm = {one.structure: Throughput(reads=one.reads, writes=one.writes)
            for one in found.cures[0].remedies if one.kind == "warm throughput"}  # fmt: skip
    hot_snapshot = with_hot_value(snapshot, UPDATE, 1, 0.6)
    for fewer, cured in ((0, True), (1, False)):
        spread = {"orders": int(shards.amount) - fewer}
        scenario = Scenario(
            name="x", seed=stage.SEED, shards=spread if spread["orders"] > 1 else {}, warm_throughput=warm
        )
        assert (run(hot_snapshot, alternative, scenario).worst <= 0.001) == cured
    assert findings(found).keys() >= {"PR021", "PW007"}


@cache
def few_statuses() -> Simulation:
    return stage.simulate(*application({BY_STATUS: 5, INSERT: 3_500}, statuses=2))


def test_a_gsi_with_few_keys_refuses_writes_of_its_table_and_prints_the_guides_warning_with_its_figures() -> None:
    found = few_statuses()
    _, indexes = verdicts(found)
    assert indexes.verdict == "failed"
    today = found.at(1)
    assert today is not None
    assert {cause.reason for one in today.patterns for cause in one.causes} == {"IndexWriteKeyRangeThroughputExceeded"}
    (name,) = today.cascade
    assert today.cascade[name] == pytest.approx(1 - 2_000 / 3_500, abs=0.15)
    raised = findings(found)["PW006"]
    assert raised.warning == WARNING
    assert name in raised.message
    assert f"{today.cascade[name] * 100:.4g} %" in raised.message
    assert found.indexes[0].structure == name
    assert found.indexes[0].from_scale == pytest.approx(1_000 / 1_750, rel=0.01)


def test_the_scale_from_which_a_gsi_refuses_is_the_one_at_which_it_does() -> None:
    snapshot, alternative = application({BY_STATUS: 5, INSERT: 300}, statuses=2)
    (room,) = stage.simulate(snapshot, alternative).indexes
    for factor, refused in ((0.95, False), (2.1, True)):  # two statuses may meet in one partition until it is split
        scenario = Scenario(name="near", scale=room.from_scale * factor, minutes=60, shape="flat", seed=stage.SEED)
        late = run(snapshot, alternative, scenario)
        assert (late.share > 0.02) == refused


def test_gsis_with_half_of_what_they_need_refuse_writes() -> None:
    found = stage.simulate(*application({BY_ID: 2_000, BY_STATUS: 5, INSERT: 500}))
    half = next(one for one in found.index_runs if one.name == stage.HALF)
    (cause,) = half.patterns[0].causes
    assert cause.reason == "IndexWriteProvisionedThroughputExceeded"
    assert half.worst == pytest.approx(0.5, rel=0.01)
    assert verdicts(found)[1].verdict == "passed"  # that one is made to be short
    assert "half of what it needs" in verdicts(found)[1].evidence


def test_a_backfill_takes_the_room_of_live_writes() -> None:
    snapshot, alternative = application({BY_ID: 2_000, BY_STATUS: 5, INSERT: 3_000})
    (index,) = [one.name for table in alternative.tables for one in table.indexes]
    slow = Scenario(name="slow", minutes=30, shape="flat", backfill_minutes={f"orders/{index}": 30})
    fast = slow.model_copy(update={"backfill_minutes": {f"orders/{index}": 5}})
    assert run(snapshot, alternative, slow).cascade == {}
    assert run(snapshot, alternative, fast).cascade.keys() == {f"orders/{index}"}


def test_a_celebrity_meets_table_and_gsi_with_its_share_and_no_new_rows_own_key() -> None:
    snapshot, alternative = application({BY_STATUS: 5, INSERT: 2_000, BY_ID: 2_000}, statuses=20)
    scenario = Scenario(name="star", celebrity=Celebrity(share=0.3))
    traffic = traffic_at(snapshot, alternative, scenario)
    hottest = traffic.most_written()
    names = {place.number: place.name for place in traffic.places}
    assert [names[n].count("/") for n in hottest] == [1]
    ((key, units),) = hottest.values()
    assert key == "the celebrity"
    assert units == pytest.approx(600, rel=0.01)


def test_few_calls_make_no_hot_key() -> None:
    snapshot, alternative = application({UPDATE: 3_000})
    values = {"1": KeyValues(total=8, top={"aa": 2, "bb": 6})}
    template = snapshot.digest.templates[0].model_copy(update={"values": values})
    few = snapshot.model_copy(update={"digest": snapshot.digest.model_copy(update={"templates": (template,)})})
    found = run(few, alternative, Scenario(name="x"))
    assert found.structures[0].keys == ()


def test_the_units_of_the_traffic_are_those_of_the_plans() -> None:
    snapshot, alternative = application({BY_ID: 100, BY_STATUS: 5, INSERT: 50, UPDATE: 20})
    units = traffic_at(snapshot, alternative, Scenario(name="x")).units().sum(axis=0)
    rate = {"Q" + template_id(sql): n for sql, n in {BY_ID: 100, BY_STATUS: 5, INSERT: 50, UPDATE: 20}.items()}
    assert units[0] == pytest.approx(sum(rate[plan.pattern] * plan.read_units for plan in alternative.plans))
    assert units[1] == pytest.approx(sum(rate[plan.pattern] * plan.write_units for plan in alternative.plans))


@pytest.mark.parametrize("mode", ["on-demand", "provisioned"])
def test_too_much_traffic_is_cured_by_more_throughput_in_either_mode(mode: str) -> None:
    snapshot, alternative = application({BY_ID: 10, UPDATE: 100})
    scenario = Scenario.model_validate({"name": "sale", "scale": 90, "mode": mode})
    found = run(snapshot, alternative, scenario)
    cured = cure(snapshot, alternative, scenario, found)
    assert found.worst > 0.1
    assert cured.cured
    assert [(one.structure, one.kind) for one in cured.remedies] == [
        ("orders", "warm throughput" if mode == "on-demand" else "capacity")
    ]


def test_a_run_is_the_same_every_time() -> None:
    snapshot, alternative = application({BY_STATUS: 5, INSERT: 3_500}, statuses=2)
    assert stage.simulate(snapshot, alternative).model_dump_json() == few_statuses().model_dump_json()


def test_without_plans_nothing_is_claimed() -> None:
    snapshot, alternative = application({BY_ID: 10})
    found = stage.simulate(snapshot, alternative.model_copy(update={"plans": ()}))
    assert [check.verdict for check in verdicts(found)] == ["not analysed", "not analysed"]
    assert findings(found) == {}


def test_keys_that_are_asked_for_and_not_there_are_keys_too() -> None:
    values = KeyValues(total=1_000, top=dict.fromkeys(("aa", "bb", "cc"), 10))
    snapshot, alternative = application({BY_ID: 20_000})
    template = snapshot.digest.templates[0].model_copy(update={"values": {"0": values}})
    empty = {"orders": snapshot.statistics["orders"].model_copy(update={
        "rows": snapshot.statistics["orders"].rows.model_copy(update={"value": 0.0})})}  # fmt: skip
    digest = snapshot.digest.model_copy(update={"templates": (template,)})
    asked = snapshot.model_copy(update={"digest": digest, "statistics": empty})
    (stream,) = traffic_at(asked, alternative, Scenario(name="x")).streams
    assert len(stream.weights) == 100  # 3 + 970 ÷ 10 others, less the three that are no hotter than them
    assert max(stream.weights) == pytest.approx(0.01)


LOCKED = "SELECT total FROM orders WHERE id = ? FOR UPDATE"


@pytest.mark.parametrize(("sql", "kind"), [(BY_ID, "cache"), (LOCKED, "shards")])
def test_no_cache_is_advised_for_strongly_consistent_reads(sql: str, kind: str) -> None:
    snapshot, alternative = application({sql: 5_000})
    hot = with_hot_value(snapshot, sql, 0, 0.95)
    scenario = Scenario(name="x", scale=2)
    cured = cure(hot, alternative, scenario, run(hot, alternative, scenario))
    kinds = {one.kind for one in cured.remedies}
    assert kind in kinds
    assert not {"cache", "shards"} - {kind} & kinds
    assert cured.cured == (kind == "cache")  # copies of one item must all be read


def test_a_get_by_the_whole_key_asks_one_shard_and_a_query_asks_all() -> None:
    lines = """CREATE TABLE order_lines (order_id int NOT NULL, nr int NOT NULL, total int NOT NULL,
      PRIMARY KEY (order_id, nr));"""
    get, query = "SELECT total FROM order_lines WHERE order_id = ? AND nr = ?", (
        "SELECT total FROM order_lines WHERE order_id = ?")  # fmt: skip
    snapshot = snapshot_of(World(lines, (get, query), calls={get: 100 * MONTH, query: 100 * MONTH}))
    design = design_world(snapshot)
    alternative = design.alternative(design.chosen)
    plain, sharded = (
        traffic_at(snapshot, alternative, Scenario.model_validate({"name": "x"} | more)).streams
        for more in ({}, {"shards": {"order_lines": 4}})
    )
    before, after = ({n: s.rate for n, s in enumerate(streams)} for streams in (plain, sharded))
    assert sorted(after[n] / before[n] for n in before) == [1, 4]
