"""The facts of tables, against a shop small enough to count by hand."""

import pytest

from ddbmig.engine.table_facts import table_facts
from ddbmig.model.context import Context
from ddbmig.model.digest import Digest
from fact_shop import LOG, SCHEMA, STATISTICS, digest, shop


def test_a_table_and_its_columns() -> None:
    facts = table_facts(shop(), "book")
    expected = {
        "table.name": "book", "table.engine": None, "table.charset": None, "table.owner": None,
        "table.security_context": None, "table.has_primary_key": True, "table.primary_key_columns": 1,
        "table.columns": 4, "table.column_names": ("id", "title", "author_id", "tags"),
        "table.column_types": ("int", "json"), "table.unique_keys": 0, "table.columns_to_transform": ("tags",),
        "table.rows": 100, "table.rows_measured": True, "table.item_bytes_average": 200, "table.item_bytes_max": 400,
        "table.growth_percent_per_month": None, "keys.least_index_cardinality": None, "keys.cardinality": 100,
    }  # fmt: skip
    assert {name: facts[name].value for name in expected} == expected


def test_names_that_an_organisation_has_rules_on() -> None:
    described = [
        one.model_copy(update={"id": f"shop.{one.id}", "engine": "InnoDB", "charset": "utf8mb4"})
        for one in SCHEMA.tables
    ]
    context = Context(
        owners={"book": "catalogue"}, security_contexts={"shop.book": "public"}, growth_percent_per_month=3
    )
    schema = SCHEMA.model_copy(update={"tables": tuple(described)})
    facts = table_facts(shop(context, tables=schema), "shop.book")
    expected = {
        "table.name": "book", "table.engine": "InnoDB", "table.charset": "utf8mb4", "table.owner": "catalogue",
        "table.security_context": "public", "table.growth_percent_per_month": 3,
    }  # fmt: skip
    assert {name: facts[name].value for name in expected} == expected
    assert facts["table.owner"].confidence == "high"


def test_the_traffic_of_a_table() -> None:
    evidence = shop()
    facts = table_facts(evidence, "orders")
    per_call = evidence.rates.factor / (730 / 24)
    assert facts["writes.per_day"].value == pytest.approx(20 * per_call)
    assert facts["reads.per_day"].value == pytest.approx(30 * per_call)
    peak = evidence.rate_of["Qo2"].peak_per_second
    assert (facts["writes.peak_per_second"].value, facts["writes.peak_per_second"].confidence) == (peak, "high")
    assert facts["keys.least_index_cardinality"].value == 3
    # only the look-up gives the key at a placeholder whose values were counted; the update gives a state there
    assert (facts["keys.top_share"].value, facts["keys.top_share"].confidence) == (0.5, "medium")
    assert facts["writes.hot_key_per_second"].value is None
    assert facts["time.minute_ratio"].value is None
    assert table_facts(evidence, "book")["time.minute_ratio"].value == 2.5


def test_the_busiest_second_is_an_average_where_the_source_tells_no_seconds() -> None:
    flat = tuple(one.model_copy(update={"peak_second_calls": 0}) for one in shop().snapshot.digest.templates)
    facts = table_facts(shop(digest=digest(templates=flat)), "orders")
    assert facts["writes.peak_per_second"].confidence == "medium"


def test_a_row_count_that_was_assumed_tells_no_distinct_values() -> None:
    rows = STATISTICS["orders"].rows.model_copy(update={"source": "assumed"})
    orders = STATISTICS["orders"].model_copy(update={"rows": rows})
    facts = table_facts(shop(statistics={"orders": orders}), "orders")
    assert (facts["table.rows"].value, facts["table.rows"].confidence) == (200, "low")
    assert facts["table.rows_measured"].value is False
    assert facts["keys.cardinality"].value is None


def test_schema_changes() -> None:
    some = digest(sources=(LOG.model_copy(update={"skipped": {"schema change": 2}}),))
    assert table_facts(shop(digest=some), "book")["evolution.schema_changes"].value == 2
    assert table_facts(shop(), "book")["evolution.schema_changes"].value == 0
    assert table_facts(shop(digest=Digest()), "book")["evolution.schema_changes"].value is None
