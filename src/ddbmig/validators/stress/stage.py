"""What stage 4 simulates of the chosen design, and the verdicts on the guide's lines that follow from it.

The traffic of the logs, ten and a hundred times of it, each also with one key that everybody asks for; and what strains
the GSIs: half the capacity that they need, and being filled while the traffic goes on.
"""

from ddbmig.model.design import Alternative
from ddbmig.model.scenario import Celebrity, Scenario, Throughput
from ddbmig.model.simulation import IndexRoom, Run, Simulation
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Check
from ddbmig.validators.stress.limits import NEW_ON_DEMAND
from ddbmig.validators.stress.partitions import WRITES_PER_PARTITION
from ddbmig.validators.stress.remedies import TOLERATED, cure
from ddbmig.validators.stress.runs import run, traffic_at

SEED = 20_261_122
SCALES = (1, 10, 100)
"""Times the traffic of the logs."""
CELEBRITY = 0.2
"""Share of the calls that one key takes: assumed, to see what a celebrity would do."""
MINUTES = 60
HOT, INDEXES = "Hot partition simulation", "GSI throttling scenarios"
"""The guide's lines."""


def simulate(snapshot: Snapshot, alternative: Alternative) -> Simulation:
    """All runs, and what cures the first scale that throttles, with and without the celebrity."""
    runs, cures = [], []
    for share in (0.0, CELEBRITY):
        throttled = False
        for scale in SCALES:
            scenario = _scenario(scale, share)
            found = run(snapshot, alternative, scenario)
            runs.append(found)
            if found.worst > TOLERATED and not throttled:
                cures.append(cure(snapshot, alternative, scenario, found))
                throttled = True
    rooms = _rooms(snapshot, alternative)
    strained = [run(snapshot, alternative, one) for one in _strained(snapshot, alternative)] if rooms else []
    return Simulation(seed=SEED, minutes=MINUTES, mode=snapshot.pricing.mode, runs=tuple(runs),
                      index_runs=tuple(strained), indexes=rooms, cures=tuple(cures))  # fmt: skip


def checks(found: Simulation) -> tuple[Check, Check]:
    """The verdicts: a line fails where the traffic of the logs itself is throttled."""
    if not any(one.offered for one in found.runs):
        nothing = "no plan makes a call at a known rate: nothing to simulate"
        return _unknown(HOT, nothing), _unknown(INDEXES, nothing)
    today = found.at(1)
    failed = today is not None and today.worst > TOLERATED
    hot = Check(name=HOT, verdict="failed" if failed else "passed", evidence=_hot_evidence(found))
    if not found.indexes:
        return hot, Check(name=INDEXES, verdict="passed", evidence="no write of the logs maintains a GSI")
    refused = [one for one in (today, *found.index_runs) if one and one.scale == 1 and _counts(one)]
    return hot, Check(name=INDEXES, verdict="failed" if refused else "passed", evidence=_index_evidence(found))


def _counts(one: Run) -> bool:
    """Whether GSIs refuse writes of a run that must go well: not one in which they were given too little."""
    return one.name != HALF and any(share > TOLERATED for share in one.cascade.values())


def _unknown(name: str, why: str) -> Check:
    return Check(name=name, verdict="not analysed", evidence=why)


HALF, FILLING = "every GSI holds half of what it needs", "every GSI is filled within the hour"


def _scenario(scale: float, celebrity: float) -> Scenario:
    name = f"×{scale:g}" + (f", one key takes {celebrity * 100:.0f} %" if celebrity else "")
    return Scenario(name=name, scale=scale, seed=SEED, minutes=MINUTES,
                    celebrity=Celebrity(share=celebrity) if celebrity else None)  # fmt: skip


def _strained(snapshot: Snapshot, alternative: Alternative) -> tuple[Scenario, Scenario]:
    """The scenarios in which all GSIs are short of capacity, and in which all are being filled."""
    plain = _scenario(1, 0.0)
    traffic = traffic_at(snapshot, alternative, plain)
    asked = dict(zip((place.name for place in traffic.places), traffic.units().tolist(), strict=True))
    names = [name for name in asked if "/" in name]
    halved = {name: Throughput(reads=max(1.0, asked[name][0]), writes=max(1.0, asked[name][1] / 2)) for name in names}
    half = {"name": HALF, "mode": "provisioned", "capacity": halved, "auto_scaling": False}
    return (plain.model_copy(update=half),
            plain.model_copy(update={"name": FILLING, "backfill_minutes": dict.fromkeys(names, MINUTES)}))  # fmt: skip


def _rooms(snapshot: Snapshot, alternative: Alternative) -> tuple[IndexRoom, ...]:
    """How much more each written GSI bears: its hottest key one partition's writes, all of it what a new one serves."""
    traffic = traffic_at(snapshot, alternative, _scenario(1, 0.0))
    hottest, units = traffic.most_written(), traffic.units()
    rooms = []
    for place in traffic.places:
        key, writes = hottest.get(place.number, ("", 0.0))
        total = float(units[place.number, 1])
        if "/" in place.name and total:
            share = writes / WRITES_PER_PARTITION
            scale = min(1 / share if share else float("inf"), NEW_ON_DEMAND.writes / total)
            rooms.append(
                IndexRoom(structure=place.name, key=key, key_share=round(share, 6), from_scale=round(scale, 3))
            )
    return tuple(sorted(rooms, key=lambda room: (room.from_scale, room.structure)))


# --- sentences ---


def _hot_evidence(found: Simulation) -> str:
    """What the runs showed, scale by scale."""
    plain = ", ".join(f"×{one.scale:g} {_said(one)}" for one in found.runs if not one.celebrity)
    famous = ", ".join(f"×{one.scale:g} {_said(one)}" for one in found.runs if one.celebrity)
    return (f"{found.minutes} minutes of the logs' traffic simulated on new {found.mode} tables; calls throttled: "
            f"{plain}; with one key that takes {CELEBRITY * 100:.0f} % of the calls: {famous}")  # fmt: skip


def _said(one: Run) -> str:
    if one.worst <= TOLERATED:
        return "none" if not one.throttled else "under 0.1 %"
    causes = [cause for pattern in one.patterns for cause in pattern.causes]
    worst = max(causes, key=lambda cause: (cause.calls, cause.structure))
    return f"{one.share * 100:.1f} % (most by {worst.structure})"


def _index_evidence(found: Simulation) -> str:
    narrow = found.indexes[0]
    key = f", whose hottest key takes {narrow.key_share * 100:.1f} % of a partition's writes" if narrow.key else ""
    lines = [f"the narrowest of {len(found.indexes)} written GSIs is {narrow.structure}{key}: from about "
             f"×{narrow.from_scale:.3g} of the logs' traffic on it refuses writes of its table"]  # fmt: skip
    for one in found.index_runs:
        share = max(one.cascade.values(), default=0.0)
        refused = (
            f"up to {share * 100:.1f} % of a GSI's writes refused at its table"
            if share > TOLERATED
            else "no write refused"
        )
        lines.append(f"{one.name}: {refused}")
    return "; ".join(lines)
