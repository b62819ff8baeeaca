"""A bill taken apart: its parts, put together again, are the bill. What the page does with them is tested there."""

from decimal import Decimal

import pytest

from ddbmig.engine.costs import load_of, monthly_cost
from design_builder import PRICES
from html_material import ELSEWHERE, small_levers, small_world


def test_parts_of_a_month_are_those_of_the_bill() -> None:
    _, assessment, design = small_world()
    chosen, levers = design.alternative(design.chosen), small_levers()
    bill = monthly_cost(chosen.tables, chosen.plans, load_of(assessment.patterns), PRICES)
    scanned = sum(scan.month * scan.read_units for scan in levers.scans)
    months = [(one.index, one.month) for one in levers.structures]
    assert scanned > 0
    reads = sum(month.reads_of_reads + month.reads_of_writes for _, month in months) + scanned
    assert reads == pytest.approx(bill.read_request_units)
    assert sum(month.writes for _, month in months) == pytest.approx(bill.write_request_units)
    assert sum(month.writes for index, month in months if index) == pytest.approx(bill.index_write_units)
    assert bill.transaction_units > 0
    assert sum(month.transactions for _, month in months) == pytest.approx(bill.transaction_units)
    assert (levers.storage_gib, levers.index_storage_gib) == (bill.storage_gib, bill.index_storage_gib)


def test_terms_are_those_with_every_price_of_a_bill() -> None:
    found = [(one.region, one.mode, one.read_usd) for one in small_levers().terms]
    assert found == [
        ("us-east-1", "on-demand", Decimal("0.000000125")),
        ("us-east-1", "provisioned", Decimal("0.0949")),
        ("eu-west-1", "on-demand", Decimal("0.00000015625")),
        ("eu-west-1", "provisioned", Decimal("0.118625")),
    ]
    assert ELSEWHERE.terms.region == "eu-west-1"
