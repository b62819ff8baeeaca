"""What only people know: the application, its team and the road ahead; and the scope of the migration."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from ddbmig.model.assessment import Severity
from ddbmig.model.base import Value
from ddbmig.model.gate import FailOn

Represents = Literal["average", "peak"] | Annotated[int, Field(ge=1)]
"""What the log stands for: an average span, the peak, or a number of calls a month."""


class Requirement(Value):
    """A declared latency requirement for the statements on one table (or `*` for all)."""

    table: str = "*"
    """A table's id or name; `*` for all."""
    p99_ms: float
    """The 99th percentile that is allowed, in milliseconds."""
    p95_ms: float | None = None
    """The 95th percentile that is allowed, in milliseconds."""


class Context(Value):
    """The application's context. None means: not answered; the report then shows the assumption that is used."""

    lifecycle: Literal["early", "growing", "mature"] | None = None
    """Stage of the application's life: settled requirements favour copies, moving ones separate tables."""
    team_expertise: Literal["none", "some", "expert"] | None = None
    """The team's experience with DynamoDB."""
    owners: Mapping[str, str] = {}
    """Table name -> the service or team that owns it."""
    security_contexts: Mapping[str, str] = {}
    """Table name -> security context, e.g. `pii`."""
    requirements: tuple[Requirement, ...] = ()
    """Declared latencies, held against what the slow log measured."""
    growth_percent_per_month: float | None = None
    """Growth of the data, in percent of itself a month."""
    analytics_required: bool | None = None
    """Whether people ask the data questions that nobody knows beforehand."""
    performance_critical: bool | None = None
    """Whether latency matters for the application as a whole."""
    strong_consistency: tuple[str, ...] = ()
    """Tables that must change together or be read strongly."""
    roadmap: str = ""
    """What is planned, in a sentence or two."""
    pain_points: tuple[str, ...] = ()
    """What hurts today."""
    migration_drivers: tuple[str, ...] = ()
    """Why to migrate at all."""
    mysql_cost_per_month_usd: float | None = None
    """Today's bill, for the break-even."""


class Workload(Value):
    """How to read the rates of the logs."""

    represents: Represents | None = None
    """`average` (assumed where nothing is said), `peak`, or a number of calls a month."""


Mode = Literal["on-demand", "provisioned"]
TableClass = Literal["standard", "standard-ia"]


class Pricing(Value):
    """Where and how DynamoDB is billed, and what a month and a GB are in the sums."""

    region: str = "us-east-1"
    """An AWS region of the price file."""
    mode: Mode = "on-demand"
    """`on-demand` pays for each request, `provisioned` for capacity held ready by the hour."""
    table_class: TableClass = "standard"
    """Of every table and its indexes: `standard-ia` has cheaper storage and dearer requests."""
    target_utilisation: float = Field(default=0.70, gt=0, le=1)
    """Share of provisioned capacity that the peak is to use; the rest is headroom."""
    month_hours: Literal[720, 730, 732] = 730
    """Hours of a month: 730 is a twelfth of a year, 720 are 30 days, 732 are 30.5 days."""
    gigabyte: Literal["2^30", "10^9"] = "2^30"
    """Bytes of the GB that storage is priced by."""
    file: str | None = None
    """A price file in place of the shipped one, relative to the folder of ddbmig.yaml."""

    @property
    def seconds_per_month(self) -> int:
        """The month of all rates and bills."""
        return self.month_hours * 3600

    @property
    def gigabyte_bytes(self) -> int:
        """The GB of all bills, in bytes."""
        return 1 << 30 if self.gigabyte == "2^30" else 10**9


class Scope(Value):
    """Glob patterns over table ids and names (`schema.table`, or `table`). Empty `include` means every table."""

    include: tuple[str, ...] = ()
    """Only these tables."""
    exclude: tuple[str, ...] = ()
    """All but these tables."""
    stay_on_mysql: tuple[str, ...] = ()
    """Tables that go on living in MySQL: the report treats them as another system."""


class Inputs(Value):
    """Where the project's inputs are, relative to the folder of ddbmig.yaml."""

    schema_files: tuple[str, ...] = ()
    """DDL, as `mysqldump --no-data` writes it."""
    slow_logs: tuple[str, ...] = ()
    """Slow query logs: times and rows. Files, folders of rotated logs, or globs."""
    general_logs: tuple[str, ...] = ()
    """General query logs: calls and their order. Files, folders of rotated logs, or globs."""
    data: tuple[str, ...] = ()
    """Rows, as `mysqldump --no-create-info` writes them."""
    snapshots: tuple[str, ...] = ()
    """What `ddbmig collect` wrote: statistics and statements of a server (one file)."""
    queries: tuple[str, ...] = ()
    """Globs over .sql files with the application's statements: findings on an access pattern then point at them."""


class Tolerance(Value):
    """How much of the input may stay un-understood before the exit code says so."""

    statements_not_understood: float = Field(default=0.05, ge=0, le=1)
    """Share of the logs' statements."""


class RuleOverride(Value):
    """What is set otherwise than a rule's own file says."""

    enabled: StrictBool = True
    """`false` switches the rule off; who did so stands in every report of the gate."""
    severity: Severity | None = None
    params: Mapping[str, StrictInt | StrictFloat | StrictStr | tuple[StrictStr, ...]] = {}
    """Other values for the params that the rule has."""
    mandatory: Literal[True] | None = None
    """From here on the rule can be raised, but neither lowered nor switched off."""


class PackFile(Value):
    """pack.yaml: what a pack sets on the rules of the packs before it, and on its own."""

    description: str = ""
    rules: Mapping[str, RuleOverride] = {}
    """By rule id."""


class Gate(Value):
    """How `ddbmig check` decides."""

    fail_on: FailOn = "error"
    """The lightest severity that fails the gate."""
    new_only: bool = False
    """Findings of the baseline do not fail the gate."""
    baseline: str = "baseline.json"
    """Relative to the folder of ddbmig.yaml."""
    waivers: str = "waivers.yaml"
    """Relative to the folder of ddbmig.yaml."""


Audience = Literal["executive", "engineer"]


Writer = Literal["templates", "anthropic"]


class TokenPrice(Value):
    """What a model costs, in US dollars a million tokens."""

    input: float = Field(default=0, ge=0)
    output: float = Field(default=0, ge=0)


class Narrative(Value):
    """How a language model is asked for prose. It is asked by `ddbmig narrate` only."""

    by: Writer = "templates"
    """`templates` are our own words; `anthropic` asks a model of Anthropic's API, but not where CI is set."""

    audience: Audience = "engineer"
    """An executive is spared the relationships one by one."""
    model: str = "claude-sonnet-5-5"
    """A model of Anthropic's API."""
    max_output_tokens: int = Field(default=4000, ge=256, le=32_000)
    """The longest answer that is paid for, per section, thinking included."""
    pseudonyms: bool = False
    """Whether names of tables, columns and indexes are replaced before anything is sent."""
    budget_usd: float = Field(default=1.0, ge=0)
    """What one run may cost; no call is made that might cost more than is left."""
    budget_tokens: int = Field(default=500_000, ge=0)
    """Tokens that one run may take, in and out."""
    seconds: float = Field(default=180.0, gt=0, le=3600)
    """The longest that one answer may take."""
    price: TokenPrice | None = None
    """Of a model that models.yaml does not list, or of other terms."""


RECOMMENDED = "ddbmig:recommended"
"""The pack that ships with the product."""


class ProjectConfig(Value):
    """ddbmig.yaml."""

    inputs: Inputs = Inputs()
    """What is read."""
    context: Context = Context()
    """What only people know."""
    workload: Workload = Workload()
    """What the logs stand for."""
    pricing: Pricing = Pricing()
    """Where and how DynamoDB is billed."""
    scope: Scope = Scope()
    """Which tables are migrated."""
    tolerance: Tolerance = Tolerance()
    """How much may stay un-understood."""
    extends: tuple[str, ...] = (RECOMMENDED,)
    """Rule packs, later ones over earlier ones: `ddbmig:recommended`, `pkg:NAME` (an installed package), or a folder
    relative to that of ddbmig.yaml (`./rules/`)."""
    rules: Mapping[str, RuleOverride] = {}
    """Overrides by rule id."""
    gate: Gate = Gate()
    """How `ddbmig check` decides."""
    narrative: Narrative = Narrative()
    """How a language model is asked for prose."""
    out: str = "migration"
    """Where values and reports are written, relative to the folder of ddbmig.yaml."""
