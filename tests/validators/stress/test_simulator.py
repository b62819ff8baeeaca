"""The partition simulator beside what AWS publishes of DynamoDB, and its laws of conservation."""

from dataclasses import replace

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbmig.model.scenario import Throughput
from ddbmig.validators.stress.limits import NEW_ON_DEMAND, Limits
from ddbmig.validators.stress.partitions import PARTITION_BYTES, Partitions, position
from ddbmig.validators.stress.simulator import CAUSES, PARTITION, TOTAL, Outcome, Simulation, Stream, Touch

PLENTY = Throughput(reads=120_000, writes=40_000)
HOUR = 3_600
GRID = (numpy.arange(1_024) + 0.5) / 1_024


def even(rate: float, write: bool = True, structure: int = 0, units: float = 1.0) -> Stream:
    """Calls that are spread evenly over the keys of a structure."""
    return Stream(rate, numpy.full(1_024, 1 / 1_024), (Touch(structure, units, write, structure + GRID),))


def on_keys(rate: float, keys: list[float], write: bool = True) -> Stream:
    """Calls that are spread evenly over a few keys of structure 0."""
    return Stream(rate, numpy.full(len(keys), 1 / len(keys)), (Touch(0, 1.0, write, numpy.array(keys)),))


def simulated(
    streams: list[Stream], shape: list[float], held: Throughput = NEW_ON_DEMAND, structures: int = 1,
    provisioned: bool = False, target: float | None = None,
) -> Outcome:  # fmt: skip
    limits = Limits([held] * structures, provisioned, target)
    return Simulation(streams, limits, [0.0] * structures, shape).run()


# --- what AWS publishes ---


def test_one_hot_key_never_gets_more_than_1000_writes_or_3000_reads_a_second_bp_partition_key_design() -> None:
    found = simulated([on_keys(5_000, [0.3])], [1.0] * HOUR, PLENTY)
    assert found.served[0] == pytest.approx(1_000 * HOUR)
    assert found.throttled[0, PARTITION + 1] == pytest.approx(4_000 * HOUR)
    reads = simulated([on_keys(5_000, [0.3], write=False)], [1.0] * 60, PLENTY)
    assert reads.served[0] == pytest.approx(3_000 * 60)


def test_split_for_heat_does_not_help_one_key_but_two_in_one_partition_blog_scaling_dynamodb_part_2() -> None:
    alone = simulated([on_keys(5_000, [0.3])], [1.0] * HOUR, PLENTY)
    assert alone.splits == [0]
    both = simulated([on_keys(2_000, [0.30001, 0.30002])], [1.0] * HOUR, PLENTY)
    assert both.splits == [1]
    assert both.throttled.sum() == pytest.approx(1_000 * 300)  # until the partition has been hot for five minutes


@pytest.mark.parametrize(("write", "rate"), [(True, 4_000), (False, 12_000)])
def test_a_new_on_demand_table_serves_4000_writes_or_12000_reads_warm_throughput_scenarios(
    write: bool, rate: int
) -> None:
    assert simulated([even(rate, write)], [1.0] * 60).throttled.sum() == 0
    over = simulated([even(2 * rate, write)], [1.0] * 60)
    assert over.throttled.sum() == pytest.approx(rate * 60)
    assert over.partitions == [4]


def test_a_new_on_demand_table_serves_both_at_once_warm_throughput_scenarios() -> None:
    assert simulated([even(4_000), even(12_000, False)], [1.0] * 60).throttled.sum() == 0


def test_doubling_within_30_minutes_is_served_and_more_is_throttled_on_demand_capacity_mode() -> None:
    half = HOUR // 2
    doubling = simulated([even(16_000)], [0.125] * half + [0.25] * half + [0.5] * half + [1.0] * half)
    assert doubling.throttled.sum() == 0
    assert doubling.held[0, 1] == 32_000
    leaping = simulated([even(16_000)], [0.25] * half + [1.0] * half)
    assert leaping.throttled.sum() == pytest.approx(8_000 * half)


def with_index(rate: float, index_keys: list[float]) -> Stream:
    """Writes spread evenly over table 0, each with an entry under one of a few keys of its GSI 1."""
    met = 1 + numpy.array(index_keys)[numpy.arange(1_024) % len(index_keys)]
    return Stream(rate, numpy.full(1_024, 1 / 1_024), (Touch(0, 1.0, True, GRID), Touch(1, 1.0, True, met)))


def test_a_gsi_of_low_cardinality_throttles_the_writes_of_its_table_gsi_throttling() -> None:
    found = simulated([with_index(6_000, [0.1, 0.6])], [1.0] * HOUR, PLENTY, structures=2)
    assert found.served[0] == pytest.approx(2_000 * HOUR)
    assert found.throttled[0, CAUSES + PARTITION + 1] == pytest.approx(4_000 * HOUR)
    assert found.throttled.sum() == pytest.approx(4_000 * HOUR)  # the table itself stops nothing


def test_reads_of_a_gsi_that_are_throttled_leave_the_table_alone_gsi_throttling() -> None:
    reads = Stream(9_000, numpy.ones(1), (Touch(1, 1.0, False, numpy.array([1.1])),))
    found = simulated([with_index(1_000, [0.1, 0.1001]), reads], [1.0] * 60, PLENTY, structures=2)
    assert found.throttled[0].sum() == 0
    assert found.served[1] == pytest.approx(3_000 * 60)


def test_a_gsi_with_less_provisioned_capacity_than_its_table_throttles_the_table_gsi_throttling() -> None:
    limits = Limits([Throughput(writes=1_000), Throughput(writes=400)], True, None)
    found = Simulation([with_index(1_000, list(GRID))], limits, [0.0, 0.0], [1.0] * 60).run()
    assert found.served[0] == pytest.approx(400 * 60)
    assert found.throttled[0, CAUSES + TOTAL + 1] == pytest.approx(600 * 60)


def test_300_seconds_of_unused_capacity_are_kept_burst_adaptive_capacity() -> None:
    held = Throughput(writes=100)
    found = simulated([even(200)], [0.0] * HOUR + [1.0] * 301, held, provisioned=True)
    assert found.throttled.sum() == pytest.approx(100)  # 300 s × 100 units over the 100 a second, then none is left
    hot = simulated([on_keys(1_200, [0.5])], [0.0] * HOUR + [1.0] * 10, Throughput(writes=1_000), provisioned=True)
    assert hot.served[0] == pytest.approx(1_000 * 10)  # a burst never lifts the limit of a partition


def test_a_hot_partition_takes_more_than_its_share_up_to_the_tables_total_burst_adaptive_capacity() -> None:
    found = simulated([on_keys(900, [0.3])], [1.0] * 60, Throughput(reads=3_000, writes=1_000), provisioned=True)
    assert found.partitions == [2]
    assert found.throttled.sum() == 0


def test_auto_scaling_follows_with_a_lag_and_comes_back_after_15_minutes() -> None:
    held = Throughput(writes=100)
    found = simulated([even(700)], [1.0] * 1_800, held, provisioned=True, target=0.7)
    lost = found.lost[:, 0]
    assert lost[:5] == pytest.approx(600 * 60)
    assert not lost[-1]
    assert found.held[0, 1] == 1_000
    back = simulated([even(700)], [1.0] * 1_800 + [0.05] * HOUR, held, provisioned=True, target=0.7)
    assert back.held[0, 1] == 100
    fixed = simulated([even(700)], [1.0] * 1_800, held, provisioned=True)
    assert fixed.held[0, 1] == 100


def test_a_partition_holds_10_gb_constraints() -> None:
    growing = replace(even(1_000), touches=(replace(even(1).touches[0], new_bytes=2**20),))
    limits = Limits([NEW_ON_DEMAND], False, None)
    simulation = Simulation([growing], limits, [39 * 2.0**30], [1.0] * 600)
    assert simulation.partitions.count(0) == 4
    found = simulation.run()
    assert found.partitions[0] > 4
    assert (simulation.partitions.bytes <= PARTITION_BYTES).all()
    assert simulation.partitions.bytes.sum() == pytest.approx(39 * 2.0**30 + 600_000 * 2**20)


# --- laws ---

KEYS = st.lists(st.floats(0, 0.999), min_size=1, max_size=12, unique=True)
RATES = st.floats(1, 20_000)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Stream], Limits, list[float]]:
    """Up to four streams over a table and its GSI, any limits and any shape of traffic."""
    streams = []
    for _ in range(draw(st.integers(1, 4))):
        keys = numpy.array(draw(KEYS))
        weights = numpy.array([draw(st.floats(0.01, 1)) for _ in keys])
        touches = [Touch(0, draw(st.floats(0.5, 20)), draw(st.booleans()), keys)]
        if draw(st.booleans()):
            touches.append(Touch(1, draw(st.floats(0.5, 5)), True, 1 + keys[::-1]))
        streams.append(Stream(draw(RATES), weights / weights.sum(), tuple(touches)))
    units = st.floats(1, 20_000)
    held = [Throughput(reads=draw(units), writes=draw(units)) for _ in range(2)]
    shape = [factor for factor in draw(st.lists(st.floats(0, 1), min_size=1, max_size=4)) for _ in range(120)]
    return streams, Limits(held, draw(st.booleans()), draw(st.sampled_from((None, 0.7)))), shape


@settings(max_examples=40, deadline=None)
@given(world=worlds())
def test_what_is_offered_is_served_or_throttled_and_no_partition_serves_above_its_limit(
    world: tuple[list[Stream], Limits, list[float]],
) -> None:
    streams, limits, shape = world
    found = Simulation(streams, limits, [0.0, 0.0], shape).run()
    assert found.offered == pytest.approx([stream.rate * sum(shape) for stream in streams])
    assert found.served + found.throttled.sum(axis=1) == pytest.approx(found.offered)
    assert found.served.min() >= 0
    assert found.top.max() <= 1 + 1e-6


@settings(max_examples=25, deadline=None)
@given(rate=RATES, others=KEYS, share=st.floats(0.1, 1), fewer=st.integers(1, 8), more=st.integers(1, 8))
def test_more_shards_never_throttle_more_of_the_same_writes_once_hot_partitions_are_split(
    rate: float, others: list[float], share: float, fewer: int, more: int
) -> None:
    """Before that, shards may meet in one partition by their hashes."""

    def lost(shards: int) -> float:
        keys = [position(1, f"hot#{n}") for n in range(shards)]
        streams = [on_keys(rate * share, keys), on_keys(rate * (1 - share), others)]
        return float(simulated(streams, [1.0] * HOUR, PLENTY).lost[-1].sum())

    assert lost(fewer + more) <= lost(fewer) + 1e-6 * rate


@given(keys=KEYS, counts=st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_every_key_has_one_partition_of_its_structure(keys: list[float], counts: list[int]) -> None:
    line = numpy.unique([structure + key for structure in range(len(counts)) for key in keys])
    partitions = Partitions(counts, [1.0] * len(counts), line, numpy.ones(len(line)))
    partitions.hot[:] = 300
    partitions.split_hot()
    assert (partitions.owner[partitions.of(line)] == numpy.floor(line)).all()
    assert partitions.bytes.sum() == pytest.approx(len(counts))
    assert (numpy.diff(partitions.bounds) > 0).all()
