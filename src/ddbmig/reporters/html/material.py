"""What the page is made of: the saved values, and what was worked out from them beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ddbmig.model.analysis import Analysis
from ddbmig.model.assessment import Assessment, Finding, RelationshipAssessment
from ddbmig.model.design import Alternative, Decision, Design
from ddbmig.model.explanation import Explanation
from ddbmig.model.levers import Levers
from ddbmig.model.snapshot import Snapshot
from ddbmig.model.validation import Validation
from ddbmig.reporters.relations import by_weight
from ddbmig.reporters.weights import Weights, weights_of


@dataclass(frozen=True)
class Material:
    """A stage that was not run is None."""

    snapshot: Snapshot
    assessment: Assessment | None = None
    design: Design | None = None
    validation: Validation | None = None
    analysis: Analysis | None = None
    explanations: Mapping[str, Explanation] | None = None
    """By relationship."""
    levers: Levers | None = None
    """Of the chosen alternative."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The stages that were not run, as `number title`."""
        stages = (
            ("2 (access patterns)", self.assessment),
            ("3 (data model)", self.design),
            ("4 (validation)", self.validation),
            ("5 (results)", self.analysis),
        )
        return tuple(stage for stage, value in stages if value is None)

    @cached_property
    def weights(self) -> Weights:
        """Logged calls of patterns and tables."""
        return weights_of(self.snapshot)

    @property
    def chosen(self) -> Alternative | None:
        """The alternative to carry on with."""
        return self.design.alternative(self.design.chosen) if self.design else None

    @cached_property
    def relationships(self) -> tuple[RelationshipAssessment, ...]:
        """Those read together most first."""
        return tuple(by_weight(self.assessment, self.weights)) if self.assessment else ()

    @cached_property
    def decisions(self) -> Mapping[str, Decision]:
        """What became of each relationship in the chosen design."""
        return {one.relationship: one for one in self.chosen.decisions} if self.chosen else {}

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all stages, errors first."""
        chosen = self.chosen
        values = (self.assessment, chosen, self.validation, self.analysis)
        found = [finding for value in values if value is not None for finding in value.findings]
        return tuple(sorted(found, key=lambda one: ("error", "warning", "info").index(one.severity)))

    @property
    def rates_source(self) -> str:
        """Where the rates come from, which every amount of money rests on."""
        if self.assessment is None:
            return ""
        rates = self.assessment.rates
        return f"rates {rates.source}: the log stands for {rates.represents}"

    @property
    def assumed_rates(self) -> bool:
        """Whether amounts of money rest on an assumption."""
        return self.assessment is not None and self.assessment.rates.source == "assumed"

    @property
    def mark(self) -> str:
        """What every amount of money bears that rests on assumed rates."""
        return " (assumed rates)" if self.assumed_rates else ""
