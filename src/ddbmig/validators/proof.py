"""The proof of one access pattern: its plan and its SQL run with the same parameters, and compared.

A read is compared row by row as SQL promises; a write by the items that it leaves. Sampled writes stay, so that the
data moves on as it would; the first one and the boundary ones around it are undone on both sides. The first difference
ends a pattern's runs; from it simpler parameter sets are tried as long as they still differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ddbmig.engine.statement import conjuncts
from ddbmig.loaders.endpoint import refusal
from ddbmig.model.condition import AnyOf
from ddbmig.model.errors import InputError
from ddbmig.model.pattern import AccessPattern
from ddbmig.model.plan import Plan
from ddbmig.model.schema import Schema
from ddbmig.model.validation import Difference, PatternResult
from ddbmig.validators.agreement import disagreement
from ddbmig.validators.boundaries import Case, boundary_cases, described, simpler
from ddbmig.validators.evaluate import NotEvaluated
from ddbmig.validators.execute import AUTO_KEYS, PlanResult, run_plan
from ddbmig.validators.operations import Meter, Operations
from ddbmig.validators.outputs import Answer, Rows, order_outputs, outputs_of
from ddbmig.validators.sampling import References, Sample, Sampler
from ddbmig.validators.sql_side import NotRun, Refused, SqlSide
from ddbmig.validators.state import State, undo_writes

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

RUNS = 3
"""Sampled parameter sets per pattern."""
ATTEMPTS = 8
"""Samples that are taken for one run where SQL refuses the ones before."""
SIMPLER = 40
"""Simpler parameter sets that are tried after a difference."""
SPELLING = "text that differs from a row's in case, accents or trailing blanks only is found by SQL, not by its key"
REFUSED = "DynamoDB refuses {}: {}"


@dataclass
class _Seen:
    """What the runs of one pattern showed so far."""

    runs: int = 0
    boundary_runs: int = 0
    rows_sql: int = 0
    rows_plan: int = 0
    limits: list[str] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Trial:
    """One run on both sides: the rows of each, and in what they differ."""

    rows_sql: int
    rows_plan: int
    what: str | None = None
    finds_more: bool = False
    """Whether the plan found more rows than SQL."""


class Proof:
    """Proves patterns of one design, one after the other, on one state of the data."""

    def __init__(
        self, schema: Schema, source: SqlSide, operations: Operations, state: State, references: References, seed: int
    ) -> None:
        self._schema, self._source, self._operations, self._state = schema, source, operations, state
        self._references, self._seed = references, seed
        self._keys: AUTO_KEYS = {}

    def prove(self, pattern: AccessPattern, plan: Plan) -> PatternResult:
        """Run a pattern's plan beside its SQL."""
        result = PatternResult(pattern=pattern.id, status="not proved", runs=0, rows_sql=0, rows_plan=0)
        if plan.routed:
            return result.model_copy(update={"status": "routed", "reason": plan.routed[0], "why": plan.detail})
        runs = _Runs(self, pattern, plan)
        return runs.result(result)

    # --- one run ---

    def sampler(self, pattern: AccessPattern) -> Sampler:
        """The seeded sampler of a pattern's parameters."""
        return Sampler(pattern, self._schema, self._source, self._seed, self._references)

    def cases(self, pattern: AccessPattern, sampler: Sampler, base: Sample) -> Iterator[Case]:
        """The boundary cases around a sampled set."""
        return boundary_cases(pattern, self._schema, self._source, sampler, base)

    def differences(self, pattern: AccessPattern) -> tuple[str, ...]:
        """What the SQL side may do otherwise than MySQL on this pattern."""
        return self._source.differences(pattern)

    def seed_of(self, pattern: AccessPattern) -> str:
        """What the random numbers of a pattern start from."""
        return f"{self._seed}:{pattern.id}"

    def metered(self) -> Meter:
        """A new meter for the operations that follow."""
        self._operations.meter = Meter()
        return self._operations.meter

    def trial(self, pattern: AccessPattern, plan: Plan, params: Sample, *, keep: bool = False) -> Trial:
        """Run once on both sides. A write stays only with `keep`, and only if both sides agree.

        Raises NotRun, Refused, NotEvaluated, InputError and botocore's ClientError; both sides are then as before.
        """
        if pattern.kind == "select":
            return self._read(pattern, plan, params)
        table = pattern.refs[0].table
        self._state.watch(table)
        self._operations.written.clear()
        self._source.begin()
        kept = False
        try:
            trial = self._write(pattern, plan, params)
            kept = keep and trial.what is None
            return trial
        finally:
            if kept:
                self._source.keep()
                self._state.keep(table)
            else:
                self._source.undo()
                undo_writes(self._operations, self._operations.written)
                self._state.undo()

    def _read(self, pattern: AccessPattern, plan: Plan, params: Sample) -> Trial:
        answer = self._source.answer(pattern, params)
        found = run_plan(self._operations, pattern, plan, params, self._keys)
        outputs, order = outputs_of(pattern, self._schema), order_outputs(pattern, self._schema)
        what = disagreement(answer, Rows(found.values, found.keys), outputs, order)
        return Trial(answer.count, found.rows, what, found.rows > answer.count)

    def _write(self, pattern: AccessPattern, plan: Plan, params: Sample) -> Trial:
        self._note_next_keys(pattern)
        answer = self._source.answer(pattern, params)
        self._note_given_key(pattern, answer)
        found = run_plan(self._operations, pattern, plan, params, self._keys)
        strays = self._state.compare(pattern.refs[0].table, self._operations.written)
        what = "; ".join(s.described() for s in strays) or _counted(pattern, answer, found)
        return Trial(answer.count, found.rows, what, found.rows > answer.count)

    def _note_next_keys(self, pattern: AccessPattern) -> None:
        """The AUTO_INCREMENT values that SQL is about to give, so that the plan gives the same."""
        table = self._schema.table(pattern.refs[0].table)
        for column in table.columns:
            if column.auto_increment and pattern.kind == "insert":
                self._keys[(table.id, column.name)] = self._source.largest(table.id, column.name)

    def _note_given_key(self, pattern: AccessPattern, answer: Answer) -> None:
        """A server's counter goes on where an INSERT was undone: the plan gives the value that SQL has given."""
        table = self._schema.table(pattern.refs[0].table)
        for column in table.columns:
            if column.auto_increment and pattern.kind == "insert" and answer.generated:
                self._keys[(table.id, column.name)] = answer.generated - 1


def _counted(pattern: AccessPattern, answer: Answer, found: PlanResult) -> str | None:
    """Whether both sides say the same of how many rows changed; MySQL counts a replaced row twice."""
    sql, plan = (min(n, 1) if pattern.kind == "insert" else n for n in (answer.count, found.rows))
    return None if sql == plan else f"{answer.count} rows changed by SQL, {found.rows} by the plan"


class _Runs:
    """The runs of one pattern."""

    def __init__(self, proof: Proof, pattern: AccessPattern, plan: Plan) -> None:
        self.proof, self.pattern, self.plan = proof, pattern, plan
        self.sampler, self.seen, self.meter = proof.sampler(pattern), _Seen(), proof.metered()

    def result(self, empty: PatternResult) -> PatternResult:
        """All runs, and what they come to."""
        difference: Difference | None = None
        try:
            why = ""
            for _ in range(RUNS):
                difference = self._sampled() or self._boundaries()
                if difference is not None:
                    break
        except (NotRun, NotEvaluated, Refused) as error:
            why = str(error)
        return self._judged(empty, why, difference)

    def _judged(self, empty: PatternResult, why: str, difference: Difference | None) -> PatternResult:
        seen = self.seen
        update: Mapping[str, object] = {
            "runs": seen.runs, "boundary_runs": seen.boundary_runs, "rows_sql": seen.rows_sql,
            "rows_plan": seen.rows_plan, "limits": tuple(dict.fromkeys(seen.limits)),
            "untried": tuple(dict.fromkeys(seen.untried)), "why": why,
        }  # fmt: skip
        result = empty.model_copy(update=update)
        doubts = self.proof.differences(self.pattern)
        if difference is not None and doubts:
            return result.model_copy(update={"why": f"the two sides differ where the SQL side may: {doubts[0]}"})
        if difference is not None:
            return result.model_copy(update={"status": "mismatched", "why": difference.what, "difference": difference})
        if why:
            return result
        if not seen.rows_sql and AnyOf() not in conjuncts(self.pattern.where):
            return result.model_copy(update={"why": "no sampled parameters found a row, and no rows prove nothing"})
        return result.model_copy(update={"status": "proved"})

    # --- sampled ---

    def _sampled(self) -> Difference | None:
        """One sampled set; another one where SQL refuses it. Raises Refused where it refuses all."""
        for attempt in range(ATTEMPTS):
            self.base = self.sampler.sample()
            try:
                trial = self._attempt(self.base, keep=self.seen.runs > 0)
            except Refused:
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            break
        self.seen.runs += 1
        self.seen.rows_sql += trial.rows_sql
        self.seen.rows_plan += trial.rows_plan
        return None if trial.what is None else self._smallest(Case("sampled parameters", self.base, "sampled"), trial)

    def _attempt(self, params: Sample, *, keep: bool = False) -> Trial:
        """A trial in which DynamoDB's refusal is a difference."""
        from botocore.exceptions import ClientError  # heavy

        try:
            return self.proof.trial(self.pattern, self.plan, params, keep=keep)
        except ClientError as error:
            return Trial(0, 0, _refused(error))
        except InputError as error:
            return Trial(0, 0, str(error))

    # --- boundaries ---

    def _boundaries(self) -> Difference | None:
        """The boundary cases around the first sampled set."""
        if self.seen.runs != 1:
            return None
        for case in self.proof.cases(self.pattern, self.sampler, self.base):
            difference = self._boundary(case)
            if difference is not None:
                return difference
        return None

    def _boundary(self, case: Case) -> Difference | None:
        from botocore.exceptions import ClientError  # heavy

        try:
            trial = self.proof.trial(self.pattern, self.plan, case.params)
        except (NotRun, Refused, NotEvaluated) as error:
            self.seen.untried.append(f"{case.name}: {error}")
            return None
        except ClientError as error:
            self.seen.limits.append(REFUSED.format(case.name, _refused(error)))
            return None
        except InputError as error:
            self.seen.limits.append(f"{case.name}: {error.message}")
            return None
        self.seen.boundary_runs += 1
        if trial.what is None:
            return None
        if case.kind == "spelling" and not trial.finds_more:
            self.seen.limits.append(SPELLING)
            return None
        return self._smallest(case, trial)

    # --- the smallest difference ---

    def _smallest(self, case: Case, trial: Trial) -> Difference:
        """Simpler sets as long as one still differs."""
        tried, found, what = 0, case, trial.what or ""
        progress = True
        while progress and tried < SIMPLER:
            progress = False
            for params in simpler(found, self.pattern, self.base):
                tried += 1
                still = self._still_differs(params)
                if still is not None:
                    found, what, progress = replace(found, params=params), still, True
                    break
                if tried >= SIMPLER:
                    break
        return Difference(
            case=case.name,
            run=self.seen.runs,
            seed=self.proof.seed_of(self.pattern),
            parameters=described(found.params, self.pattern.params),
            what=what,
        )

    def _still_differs(self, params: Sample) -> str | None:
        try:
            return self._attempt(params).what
        except (NotRun, Refused, NotEvaluated):
            return None


def _refused(error: "ClientError") -> str:
    return refusal(error) or f"DynamoDB answers {error.response.get('Error', {}).get('Code', 'an error')}"
