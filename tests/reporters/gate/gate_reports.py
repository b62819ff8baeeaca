"""Gate reports made by hand: one with every kind of finding and hostile names, and one that has nothing to say.

The values are plausible; nobody computes them from each other.
"""

from ddbmig.model.assessment import Finding, Phase, Severity
from ddbmig.model.gate import GateReport, RuleSummary, SwitchedOff, Violation
from ddbmig.model.location import Location

IMAGE = '<img src=x onerror="alert(1)">'
"""HTML that runs."""
LINES = "books\n::error::I am a command\r\n| not | a | row |"
"""Line breaks, and what would begin such a line."""
ESCAPED = "\x1b[31mred\x1b[0m\x01\x00\x7f\x9b\u202egnp.exe"
"""Escape codes, NUL and other controls, reversed text."""
ASTRAL = "𝕭𝖔𝖔𝖐𝖘 📚"
"""Outside of the basic plane."""
TICKS = "``` a `b` `` c|d\\|e"
ENCODED = "100 %0A::set-output name=x::y,z:%25 ##[error]no ##vso[task.complete]no"
"""What would be another text, or a command, if it were unescaped or left as it is."""
LINKED = "[here](https://elsewhere.example/){0} & {author_id}#{isbn} &lt;b>"
FILE = "sql/my tables: ä,ö & 100%.sql"
WARNING = (
    "Warning: GSI throttling will affect the entire base table. Consider dedicated capacity or alternative design."
)


def rule(
    rule_id: str,
    title: str,
    applies_to: Phase,
    severity: Severity | None = "warning",
    pack: str = "ddbmig:recommended",
    status: str = "stable",
) -> RuleSummary:
    """A rule that was in force."""
    texts = {"why": f"Why {title} matters.\nIt takes two lines.\n", "instead": f"Do without {title}.\n"}
    given = {"id": rule_id, "title": title, "applies_to": applies_to, "status": status, "severity": severity}
    score = {} if severity else {"denormalize": 30}
    return RuleSummary.model_validate(
        {**given, **texts, "score": score, "source": "guide: Anti-Patterns, 1", "pack": pack}
    )


RULES = (
    rule("AC001", "table-has-owner", "table", "error", "acme-rules"),
    rule("AP001", "row-over-item-limit", "table", "error"),
    rule("AP002", "row-over-item-target", "table"),
    rule("AP009", "generic-index-name", "index", "info"),
    rule("DM003", "high-read-correlation", "relationship", None),
    rule("PR001", "few-partition-keys", "pattern"),
    rule("PR012", "rows-without-identity", "table", "error"),
    rule("PR018", "results-differ", "validation", "error"),
    rule("PR030", "order-not-kept", "pattern", "error", status="preview"),
    rule("PW001", "gsi-throttling-cascade", "index"),
    rule("PW003", "entity-boundary-violation", "relationship", status="deprecated"),
)


def violation(rule_id: str, subject: str, message: str, location: Location | None = None, **rest: object) -> Violation:
    """A finding of one of `RULES`; what is no field of the finding is one of the violation."""
    by = next(one for one in RULES if one.id == rule_id)
    texts = {"rule": by.id, "title": by.title, "severity": by.severity, "subject": subject, "message": message}
    own = {name: rest.pop(name) for name in ("because", "facts", "instead", "warning") if name in rest}
    given = {"applies_to": by.applies_to, "standing": "open", "fails": False, "location": location}
    return Violation.model_validate({**given, **rest, "finding": Finding.model_validate({**texts, **own})})


VIOLATIONS = (
    violation(
        "AP001", "documents", "the largest row has 512,000 bytes, and an item holds 409,600",
        Location(file="schema.sql", line=40, column=5), standing="waived",
        because=("item.bytes_max is 500 KB (> 400 KB)",), facts={"item.bytes_max": 512000.0},
        note="waived by A. Owner until 2027-03-31: the archive | moves to S3",
    ),
    violation(
        "PR012", LINES, "two rows of the table can be the same", Location(file="schema.sql", line=1), fails=True,
        because=("table.has_primary_key is false", "table.rows is 1,200 (>= 1)"),
        facts={"table.has_primary_key": False, "table.rows": 1200},
        instead="Add a primary key, or say which columns make a row unique. Without one no item can be addressed, and "
        "a second load writes every row again.",
    ),
    violation(
        "PR012", IMAGE, f"columns {TICKS} repeat", Location(file=FILE, line=7, column=3), fails=True,
        because=(f"table.columns is {ESCAPED}",), facts={"table.columns": ("a", "b\n")}, instead="Add a primary key.",
    ),
    violation(
        "PR030", f"select {ASTRAL}", "rows come back in another order",
        Location(file="queries/top.sql", line=3, column=9), because=("pattern.ordered is true",),
        note="the rule is in preview",
    ),
    violation("AP002", ESCAPED, "rows grow over 100 KB in 12 months.", Location(file="schema.sql", line=40, column=5),
              standing="known", note="in the baseline"),
    violation(
        "PR001", ENCODED, "80 % of 1,200 calls ask for 3 values", because=("keys.distinct is 3 (< 100)",),
        label=f"select books by {TICKS} | {IMAGE}",
        facts={"keys.distinct": 3.0, "pattern.calls": 1200.0}, instead="Shard the key.",
    ),
    violation(
        "PW001", "orders/orders_by_status", "90 % of the table's writes reach an index with 4 values", warning=WARNING,
        because=("index.write_share is 90 % (>= 50 %)", "index.partition_cardinality is 4 (< 100)"),
        facts={"index.write_share": 0.9, "index.partition_cardinality": 4}, instead="Spread the index's partition key.",
    ),
    violation("PW003", "orders.book_id->books.id", LINKED, Location(file="schema.sql", line=22, column=3),
              standing="known", note="in the baseline"),
    violation("AP009", "orders/gsi1", "the index is called gsi1", instead="Name an index after what it answers."),
)  # fmt: skip
FAILED = GateReport(
    version="0.1.0", passed=False, fail_on="error", new_only=True, rules=RULES,
    switched_off=(SwitchedOff(rule="PR008", title="too-many-gsis", by="ddbmig.yaml:12"),
                  SwitchedOff(rule="AC002", title="table-has-|-owner", by="rules/acme.yaml:3 <b>")),
    evaluated={"table": 18, "relationship": 24, "pattern": 1075, "index": 13, "waiver": 1},
    not_evaluated=("1 rule on the validation had nothing to look at: approve stage 3 and run `ddbmig analyze`.",),
    notes=(f"The text of 2 queries was not found in the repository: {IMAGE}.",),
    violations=VIOLATIONS,
)  # fmt: skip
PASSED = GateReport(version="0.1.0", passed=True, fail_on="warning", evaluated={"table": 2}, rules=RULES[:1])
REPORTS = {"failed": FAILED, "passed": PASSED}
