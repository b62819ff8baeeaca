"""The tables of the page, which can be sorted and filtered: every row, the heaviest first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ddbmig.model.design import Alternative, IndexDesign, TableDesign
from ddbmig.model.plan import Plan
from ddbmig.reporters.html.material import Material
from ddbmig.reporters.html.numbers import Figure, count, dollars, fact, measured, name, names, share, size, word
from ddbmig.reporters.html.proof import status_of
from ddbmig.reporters.markdown import visible
from ddbmig.reporters.relations import JOINT_READS, option_text

SHORT = 15
"""Rows that are shown before somebody asks for all."""


@dataclass(frozen=True)
class Column:
    """A column: its heading, and whether it holds numbers."""

    title: str
    numeric: bool


@dataclass(frozen=True)
class Grid:
    """A table with an id that is unique in the page."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Figure, ...], ...]


def anchors(kind: str, keys: Sequence[str]) -> dict[str, str]:
    """Ids in the page for things whose names nobody trusts."""
    return {key: f"{kind}-{place}" for place, key in enumerate(keys, 1)}


def pattern_anchors(material: Material) -> dict[str, str]:
    """The ids of access patterns, by weight."""
    return anchors("pattern", material.weights.by_calls(material.weights.patterns))


def relationship_anchors(material: Material) -> dict[str, str]:
    """The ids of relationships, by weight."""
    return anchors("relationship", [one.relationship.id for one in material.relationships])


def subject(material: Material) -> Callable[[str], Figure]:
    """How the subject of a finding is shown: a pattern by its name, with the way to its details."""
    patterns, relationships = pattern_anchors(material), relationship_anchors(material)

    def shown(key: str) -> Figure:
        if key in patterns:
            return word(material.weights.patterns[key].name, patterns[key], key)
        return name(key, relationships.get(key, ""))

    return shown


def grid(key: str, title: str, columns: str, rows: Sequence[tuple[Figure, ...]]) -> Grid:
    """A grid whose columns are written `name, #calls`: `#` marks numbers.

    Raises ValueError for a row of another width: a report never loses a cell silently.
    """
    headings = [heading.strip() for heading in columns.split(",")]
    if any(len(row) != len(headings) for row in rows):
        raise ValueError(f"a row of the table {key} has another width than its heading")
    found = tuple(Column(heading.removeprefix("#"), heading.startswith("#")) for heading in headings)
    return Grid(key, title, found, tuple(rows))


# --- access patterns and relationships ---


def pattern_grid(material: Material) -> Grid:
    """All access patterns with what they cost and what was proved of them."""
    plans = {plan.pattern: plan for plan in material.chosen.plans} if material.chosen else {}
    rates = {one.pattern: one for one in material.assessment.patterns} if material.assessment else {}
    results = {one.pattern: one for one in material.validation.patterns} if material.validation else {}
    weights, links, rows = material.weights, pattern_anchors(material), []
    for key, link in links.items():
        rate, plan, pattern = rates.get(key), plans.get(key), weights.patterns[key]
        monthly = count(rate.calls_per_month, f"calls a month; {material.rates_source}", 0) if rate else Figure("–", -1)
        rows.append((
            word(pattern.name, link, key), word(pattern.kind), count(weights.calls[key], "calls in the logs; measured"),
            monthly, *_units(plan), word(status_of(results.get(key))[0]),
        ))  # fmt: skip
    columns = "access pattern, kind, #logged calls, #calls a month, #round trips, #RRU, #WRU, stage 4"
    return grid("patterns-table", "All access patterns", columns, rows)


def _units(plan: Plan | None) -> tuple[Figure, ...]:
    if plan is None:
        return (Figure("–", -1),) * 3
    if plan.routed:
        return (word("routed", about=", ".join(plan.routed)), Figure("–", -1), Figure("–", -1))
    about = "request units of one call; estimated from average sizes"
    return (count(plan.round_trips, "sequential calls"), count(plan.read_units, about),
            count(plan.write_units, about))  # fmt: skip


def relationship_grid(material: Material) -> Grid:
    """All relationships with their verdict and what became of it."""
    links, decisions, rows = relationship_anchors(material), material.decisions, []
    for one in material.relationships:
        related, decision = one.relationship, decisions.get(one.relationship.id)
        rows.append((
            name(related.id, links[related.id]), word(related.cardinality), fact(one.facts.get(JOINT_READS)),
            word(one.verdict), count(one.margin, "points between the best and the second option"),
            word(decision.outcome if decision else "–"), word(_evidence(one.relationship.evidence[0].kind)),
        ))  # fmt: skip
    columns = "relationship, kind, #joint reads a day, verdict, #margin, built as, known by"
    return grid("relationships-table", "All relationships", columns, rows)


def _evidence(kind: str) -> str:
    return {"declared": "foreign key", "join": "a join", "naming": "its name"}[kind]


# --- the design ---


def alternative_grid(material: Material) -> Grid:
    """The alternatives side by side."""
    rows = []
    for one in material.design.alternatives if material.design else ():
        about, cost = material.rates_source, one.cost
        parts = (cost.reads_usd, cost.writes_usd, cost.index_writes_usd, cost.transactions_usd,
                 cost.storage_usd + cost.index_storage_usd)  # fmt: skip
        rows.append((
            name(one.id), *(dollars(part, about) for part in (cost.total_usd, *parts)),
            count(len(one.tables)), count(sum(len(table.indexes) for table in one.tables)),
            share(one.routed_calls_share), count(one.round_trips_average), count(len(one.violates)),
        ))  # fmt: skip
    columns = ("design, #total, #reads, #writes, #index writes, #transactions, #storage, #tables, #GSIs, #routed,"
               "#round trips, #rules violated")  # fmt: skip
    return grid("alternatives-table", f"Alternatives: US dollars a month{material.mark}", columns, rows)


def table_grid(material: Material) -> Grid:
    """The DynamoDB tables of the chosen design."""
    rows = [_table_row(material, one) for one in _tables(material, material.chosen)]
    columns = "table, from, partition key, sort key, role, #attributes, #GSIs, #items, #item size, #logged calls"
    return grid("tables-table", "Tables", columns, rows)


def _tables(material: Material, chosen: Alternative | None) -> list[TableDesign]:
    calls = material.weights.table_calls
    found = chosen.tables if chosen else ()
    return sorted(found, key=lambda one: (one.role != "entity", -calls.get(one.source_table, 0), one.name))


def _table_row(material: Material, one: TableDesign) -> tuple[Figure, ...]:
    known = material.snapshot.statistics.get(one.source_table)
    rows, bytes_of = (known.rows, known.item_bytes) if known else (None, None)
    return (
        name(one.name), name(one.source_table), name(_key(one, one.pk)), name(_key(one, one.sk) if one.sk else "–"),
        word("rows" if one.role == "entity" else "look-up"), count(len(one.attributes)), count(len(one.indexes)),
        count(one.items, f"items; {measured(rows).about}", 0),
        size(one.item_bytes, f"average of the items; rows: {measured(bytes_of).about}"),
        count(material.weights.table_calls.get(one.source_table, 0), "calls in the logs that touch it; measured"),
    )  # fmt: skip


def _key(table: TableDesign, attribute: str) -> str:
    found = table.attributes.get(attribute)
    made_of = found.template if found and found.template is not None else found.value if found else None
    return f"{attribute} = {made_of}" if made_of else attribute


def index_grid(material: Material) -> Grid:
    """The GSIs of the chosen design."""
    rows = [_index_row(material, table, index)
            for table in _tables(material, material.chosen) for index in table.indexes]  # fmt: skip
    columns = "index, table, partition key, sort key, projection, #entries, #entry size, asked for by"
    return grid("indexes-table", "Global secondary indexes", columns, rows)


def _index_row(material: Material, table: TableDesign, index: IndexDesign) -> tuple[Figure, ...]:
    known = material.weights.patterns
    because = "; ".join(visible(known[key].name if key in known else key) for key in index.because)
    return (
        name(index.name), name(table.name), names(index.partition), names(index.sort), word(index.projection),
        count(index.entries, "entries", 0), size(index.entry_bytes, "average of the entries"), word(because or "–"),
    )  # fmt: skip


# --- judgement ---


def finding_grid(material: Material) -> Grid:
    """The findings of all stages."""
    shown = subject(material)
    rows = [(word(f"{one.rule} {one.title}"), Figure(one.severity, ("error", "warning", "info").index(one.severity)),
             shown(one.subject), word(one.message, about="; ".join(map(visible, one.because))),
             word(one.instead or "–")) for one in material.findings]  # fmt: skip
    return grid("findings-table", "Findings", "finding, severity, object, what, instead", rows)


def choice_grid(material: Material) -> Grid:
    """The choices that a person may take, those on heavy relationships first."""
    source = material.design or material.assessment
    links = relationship_anchors(material)
    rank = {key: place for place, key in enumerate(links)}
    listed = sorted(source.choices if source else (), key=lambda one: (rank.get(one.id, len(rank)), one.id))
    rows = [(name(one.id, links.get(one.id, "")), word(", ".join(option_text(one, option) for option in one.options)),
             word(one.chosen or f"{one.default} (default)"), word(one.why or "–")) for one in listed]  # fmt: skip
    return grid("choices-table", "Choices", "choice, options, goes on with, why", rows)


def assumption_grid(material: Material) -> Grid:
    """What nobody told us."""
    assumptions = material.assessment.assumptions if material.assessment else ()
    rows = [(name(one.name), word(one.assumed), word(one.moves)) for one in assumptions]
    return grid("assumptions-table", "Assumed, because nobody told us", "what, assumed, what it moves", rows)


def risk_grid(material: Material) -> Grid:
    """The risks with what helps."""
    risks = material.analysis.risks if material.analysis else ()
    rows = [(word(one.risk), word(one.raised_by), word(one.mitigation)) for one in risks]
    return grid("risks-table", "Risks", "risk, raised by, what helps", rows)


def check_grid(material: Material) -> Grid:
    """The checks of stage 4."""
    checks = material.validation.checks if material.validation else ()
    rows = [(word(one.name), word(one.verdict), word(one.evidence)) for one in checks]
    return grid("checks-table", "Checks on a running DynamoDB", "check, verdict, evidence", rows)


def effort_grid(material: Material) -> Grid:
    """Work in person-days."""
    efforts = material.analysis.efforts if material.analysis else ()
    rows = [(word(one.name), count(one.low_days, "person-days; assumed per thing"),
             count(one.high_days, "person-days; assumed per thing"), word(one.formula)) for one in efforts]  # fmt: skip
    return grid("effort-table", "Work in the first year, person-days", "what, #low, #high, made of", rows)
