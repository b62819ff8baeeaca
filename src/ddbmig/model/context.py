"""What only people know: the application, its team and the road ahead; and the scope of the migration."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ddbmig.model.base import Value

Represents = Literal["average", "peak"] | Annotated[int, Field(ge=1)]
"""What the log stands for: an average span, the peak, or a number of calls a month."""


class Requirement(Value):
    """A declared latency requirement for the statements on one table (or `*` for all)."""

    table: str = "*"
    p99_ms: float


class Context(Value):
    """The application's context. None means: not answered; the report then shows the assumption that is used."""

    lifecycle: Literal["early", "growing", "mature"] | None = None
    team_expertise: Literal["none", "some", "expert"] | None = None
    owners: Mapping[str, str] = {}
    """Table name -> the service or team that owns it."""
    security_contexts: Mapping[str, str] = {}
    """Table name -> security context, e.g. `pii`."""
    requirements: tuple[Requirement, ...] = ()
    growth_percent_per_month: float | None = None
    analytics_required: bool | None = None
    performance_critical: bool | None = None
    strong_consistency: tuple[str, ...] = ()
    """Tables that must change together or be read strongly."""
    roadmap: str = ""
    pain_points: tuple[str, ...] = ()
    migration_drivers: tuple[str, ...] = ()
    mysql_cost_per_month_usd: float | None = None


class Workload(Value):
    """How to read the rates of the logs."""

    represents: Represents | None = None


class Pricing(Value):
    """Where and how DynamoDB is billed."""

    region: str = "us-east-1"
    mode: Literal["on-demand"] = "on-demand"


class Scope(Value):
    """Glob patterns over table ids and names (`schema.table`, or `table`). Empty `include` means every table."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    stay_on_mysql: tuple[str, ...] = ()


class Inputs(Value):
    """Where the project's inputs are, relative to the folder of ddbmig.yaml."""

    schema_files: tuple[str, ...] = ()
    slow_logs: tuple[str, ...] = ()
    general_logs: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


class Tolerance(Value):
    """How much of the input may stay un-understood before the exit code says so."""

    statements_not_understood: float = Field(default=0.05, ge=0, le=1)
    """Share of the logs' statements."""


class ProjectConfig(Value):
    """ddbmig.yaml."""

    inputs: Inputs = Inputs()
    context: Context = Context()
    workload: Workload = Workload()
    pricing: Pricing = Pricing()
    scope: Scope = Scope()
    tolerance: Tolerance = Tolerance()
    rules: Mapping[str, Mapping[str, object]] = {}
    """Overrides by rule id: `enabled`, `severity`, `params`."""
    rule_packs: tuple[str, ...] = ()
    """Folders of an organisation's own rules."""
    out: str = "migration"
