"""What is computed is what the catalogue says: every fact, of its type, and missing where it may be."""

from ddbmig.engine.coaccess import rates
from ddbmig.engine.evidence import Evidence
from ddbmig.engine.facts import BY_PHASE, CATALOGUE
from ddbmig.engine.pattern_facts import pattern_facts
from ddbmig.engine.relationship_facts import relationship_facts
from ddbmig.engine.rule_reader import fits
from ddbmig.engine.table_facts import table_facts
from ddbmig.model.assessment import Fact
from ddbmig.model.context import Context
from ddbmig.model.digest import Digest
from ddbmig.model.snapshot import Snapshot
from fact_shop import PATTERNS, SCHEMA, WRITTEN, shop


def test_nothing_known_is_missing_not_zero() -> None:
    empty = Snapshot(tables=SCHEMA, digest=Digest())
    evidence = Evidence(snapshot=empty, rates=rates(empty))
    facts = relationship_facts(evidence, WRITTEN)
    for name, definition in BY_PHASE["relationship"].items():
        if definition.may_be_missing and name != "writes.fan_out_per_day":  # without updates nothing is rewritten
            assert facts[name].value is None, name
            assert facts[name].confidence == "low", name
    table = table_facts(evidence, "book")
    for name, definition in BY_PHASE["table"].items():
        if definition.may_be_missing:
            assert table[name].value is None, name


def test_every_fact_of_the_catalogue_is_computed_with_its_type() -> None:
    evidence = shop(Context(lifecycle="mature", team_expertise="some", growth_percent_per_month=1))
    sheets: list[tuple[str, dict[str, Fact]]] = [
        ("relationship", relationship_facts(evidence, WRITTEN)),
        ("table", table_facts(evidence, "line")),
        ("pattern", pattern_facts(evidence, PATTERNS[0])),
    ]
    for phase, facts in sheets:
        definitions = {definition.name: definition for definition in CATALOGUE if definition.applies_to == phase}
        assert list(facts) == sorted(definitions)
        for name, fact in facts.items():
            assert fact.value is None or fits(fact.value, definitions[name]), name
            assert fact.value is not None or definitions[name].may_be_missing, name
            assert fact.unit == definitions[name].unit
            assert fact.origin
