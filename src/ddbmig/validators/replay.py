"""Performance under load: the logs' mix of statements replayed on the engine, plan by plan.

What is kept is what every run of it shows: round trips, units, refusals. How fast the engine was is told on the way and
kept nowhere: it is the speed of an emulator on this machine, not of DynamoDB.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from ddbmig.loaders.endpoint import refusal
from ddbmig.model.errors import InputError
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan
from ddbmig.model.progress import Progress, silent, stepwise
from ddbmig.model.replay import ROUND_TRIP_MS, PatternReplay, Replay
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Check
from ddbmig.validators.evaluate import NotEvaluated
from ddbmig.validators.execute import AUTO_KEYS, run_plan
from ddbmig.validators.operations import Meter, Operations
from ddbmig.validators.sampling import References, Sampler
from ddbmig.validators.sql_side import NotRun, SqlSide

NAME = "Performance under load testing"
"""The guide's line."""
STATEMENTS = 400
"""Statements that are drawn."""
STATEMENTS_MOTO = 40
"""On moto, which takes ten times as long for each."""


@dataclass
class _Seen:
    """The runs of one pattern."""

    rows: int = 0
    trips: list[int] = field(default_factory=list)
    reads: float = 0.0
    writes: float = 0.0


class Replayer:
    """Replays the mix of one design. Only DynamoDB's side moves on: parameters come from the rows as they are."""

    def __init__(
        self, snapshot: Snapshot, plans: Mapping[str, Plan], operations: Operations, source: SqlSide,
        references: References, seed: int,
    ) -> None:  # fmt: skip
        self._snapshot, self._operations, self._source = snapshot, operations, source
        self._references, self._seed = references, seed
        self._plans = {key: plan for key, plan in plans.items() if not plan.routed}
        self._patterns = {pattern.id: pattern for pattern in snapshot.patterns}
        self._keys: AUTO_KEYS = {}
        self._seen: dict[str, _Seen] = {}
        self._refused: Counter[str] = Counter()
        self._not_run: set[str] = set()

    def replay(self, statements: int, progress: Progress = silent) -> Replay:
        """Draw so many statements by their calls in the logs, and run them one after the other."""
        drawn = self._drawn(statements)
        samplers = {key: self._sampler(self._patterns[key]) for key in sorted(set(drawn))}
        for key in stepwise(progress, "replaying the logs' mix of statements", drawn):
            self._run(self._patterns[key], self._plans[key], samplers[key])
        return Replay(
            seed=self._seed, statements=len(drawn), refused=dict(sorted(self._refused.items())),
            not_run=tuple(sorted(self._not_run)),
            patterns=tuple(self._told(key, self._seen[key]) for key in sorted(self._seen)),
        )  # fmt: skip

    def _drawn(self, statements: int) -> list[str]:
        calls = {template.id: template.calls for template in self._snapshot.digest.templates}
        weights = {key: calls.get(self._patterns[key].template, 0) for key in sorted(self._plans)}
        chosen = random.Random(f"{self._seed}:mix")  # noqa: S311  # a reproducible sample, not a secret
        return chosen.choices(list(weights), list(weights.values()), k=statements) if any(weights.values()) else []

    def _sampler(self, pattern: AccessPattern) -> Sampler:
        for column in self._snapshot.tables.table(pattern.refs[0].table).columns:
            if pattern.kind == "insert" and column.auto_increment:
                key = (pattern.refs[0].table, column.name)
                self._keys.setdefault(key, self._source.largest(*key))
        return Sampler(pattern, self._snapshot.tables, self._source, self._seed + 1, self._references)

    def _run(self, pattern: AccessPattern, plan: Plan, sampler: Sampler) -> None:
        from botocore.exceptions import ClientError  # heavy

        self._operations.meter = meter = Meter()
        try:
            found = run_plan(self._operations, pattern, plan, sampler.sample(), self._keys)
        except (NotRun, NotEvaluated, InputError):
            self._not_run.add(pattern.id)
            return
        except ClientError as error:
            self._refused[refusal(error) or error.response.get("Error", {}).get("Code", "an error")] += 1
            return
        seen = self._seen.setdefault(pattern.id, _Seen())
        seen.rows += found.rows
        seen.trips.append(found.trips)
        seen.reads += meter.predicted_reads
        seen.writes += meter.predicted_writes

    def _told(self, key: str, seen: _Seen) -> PatternReplay:
        plan, trips, runs = self._plans[key], sorted(seen.trips), len(seen.trips)
        required = self._snapshot.requirement_of(self._patterns[key])
        return PatternReplay(
            pattern=key, runs=runs, rows=seen.rows,
            trips=(trips[ceil(runs / 2) - 1], trips[ceil(runs * 0.99) - 1], trips[-1]), planned_trips=plan.round_trips,
            read_units=round(seen.reads / runs, 6), planned_read_units=plan.read_units,
            write_units=round(seen.writes / runs, 6), planned_write_units=plan.write_units,
            required_ms=required.p99_ms if required else None,
        )  # fmt: skip


def check(found: Replay) -> Check:
    """The verdict: a statement that DynamoDB refuses fails, and a pattern that may be later than is required."""
    if not found.runs:
        return Check(name=NAME, verdict="not analysed", evidence="no statement of the logs could be replayed")
    late = [one for one in found.patterns if one.late]
    refused = sum(found.refused.values())
    slowest = max(found.patterns, key=lambda one: (one.trips[1], one.pattern))
    runs = found.runs
    units = {
        name: sum(getattr(one, name) * one.runs for one in found.patterns) / runs
        for name in ("read_units", "planned_read_units", "write_units", "planned_write_units")
    }
    evidence = (
        f"{runs} statements in the logs' mix answered, {refused} refused; at most {slowest.trips[1]} round trips in "
        f"99 % of the runs of a pattern ({slowest.pattern}); {units['read_units']:.3g} RRU and "
        f"{units['write_units']:.3g} WRU a statement, where the bill takes {units['planned_read_units']:.3g} and "
        f"{units['planned_write_units']:.3g} of the same statements"
    )
    if late:
        evidence += (f"; by {ROUND_TRIP_MS:g} ms a round trip {len(late)} patterns may be later than is required: "
                     f"{', '.join(one.pattern for one in late)}")  # fmt: skip
    if found.refused:
        evidence += f"; first refusal: {next(iter(found.refused))}"
    return Check(name=NAME, verdict="failed" if refused or late else "passed", evidence=evidence)
