"""Random schemas, rows and statements: SQL on MariaDB beside the plans on DynamoDB Local.

A failure prints the schema, the rows and the statement, shrunk. DDBMIG_SEED repeats a run.
"""

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from random_applications import Application, Bound, applications
from two_sides import MariaDb, Outcome, run_application

from ddbmig.engine.rulebook import load_rules
from ddbmig.packs import recommended
from ddbmig.validators.engines import Engine
from servers import Server

SEED = int(os.environ.get("DDBMIG_SEED", "20261122"))
DESIGNS = 6
"""Designs that are proposed at most for a small application."""
MAX_ROUTED = 0.35
"""Share of the statements that may be routed; they are counted by reason and printed."""
RULES = load_rules([recommended()])
FOUND = yaml.safe_load((Path(__file__).parent / "data" / "differences.yaml").read_text())


@pytest.fixture(scope="module")
def maria(mariadb: Server) -> Iterator[MariaDb]:
    side = MariaDb(mariadb)
    yield side
    side.close()


def compare(examples: int, phases: tuple[Phase, ...], maria: MariaDb, engine: Engine, folder: Path) -> Outcome:
    """So many applications on both sides; what became of their statements."""
    outcome = Outcome()

    @seed(SEED)
    @settings(max_examples=examples, deadline=None, database=None, phases=phases,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(applications())
    def on_both_sides(application: Application) -> None:
        run_application(application, maria, engine, RULES, folder, outcome)

    try:
        on_both_sides()
    finally:
        print(f"seed {SEED}\n{outcome}")
    return outcome


@pytest.mark.server
@pytest.mark.engine
def test_a_hundred_random_statements(maria: MariaDb, dynamodb_local: Engine, tmp_path: Path) -> None:
    outcome = compare(8, (Phase.generate,), maria, dynamodb_local, tmp_path)
    assert outcome.compared.total() >= 100
    assert outcome.routed_share <= MAX_ROUTED


def sent(sql: str, values: list[Any]) -> Bound:
    """A statement of a case; its ORDER BY, if any, is by the first output."""
    kinds: dict[str, Literal["select", "insert", "update", "delete"]] = {
        "SELECT": "select", "INSERT": "insert", "REPLACE": "insert", "UPDATE": "update", "DELETE": "delete",
    }  # fmt: skip
    cells = tuple(Decimal(str(v)) if isinstance(v, float) else v for v in values)
    return Bound(sql, cells, kinds[sql.split(maxsplit=1)[0]], order=((0, False),) if "ORDER BY" in sql else ())


@pytest.mark.server
@pytest.mark.engine
@pytest.mark.parametrize("case", FOUND, ids=lambda case: case["name"])
def test_what_was_once_different(case: dict[str, Any], maria: MariaDb, dynamodb_local: Engine, tmp_path: Path) -> None:
    statements = tuple(sent(sql, values) for sql, values in case["statements"])
    for alternative in range(DESIGNS):
        outcome = Outcome()
        application = Application(case["schema"].strip().rstrip(";") + ";", tuple(case["rows"]), statements,
                                  alternative=alternative)  # fmt: skip
        run_application(application, maria, dynamodb_local, RULES, tmp_path, outcome)
        assert outcome.compared.total() == len(statements), str(outcome)


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.engine
def test_thousands_of_random_statements(maria: MariaDb, dynamodb_local: Engine, tmp_path: Path) -> None:
    outcome = compare(300, (Phase.generate, Phase.shrink), maria, dynamodb_local, tmp_path)
    assert outcome.compared.total() >= 3000
    assert outcome.routed_share <= MAX_ROUTED
