"""Statements to plans, each case of data/plans/*.yaml: the calls, the client's steps and the GSIs that came to be."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from design_builder import World, design_world, plan_of, show_indexes, show_plan, snapshot_of

FILES = sorted((Path(__file__).parent / "data" / "plans").glob("*.yaml"))
CASES = [(world, case) for world in (yaml.safe_load(file.read_text()) for file in FILES) for case in world["cases"]]


def world_of(world: dict[str, Any], case: dict[str, Any]) -> World:
    """A case's world: `calls` of its own statement and `calls_beside` of the others, a million where nothing is said;
    `groups` of its own where the number of rows that share a value matters to it."""
    given = {key: case[key] for key in ("list_length", "limit", "offsets") if key in case}
    beside = case.get("beside", ())
    calls = {case["sql"]: case.get("calls", 1_000_000), **dict.fromkeys(beside, case.get("calls_beside", 1_000_000))}
    return World(schema=world["schema"], rows=world["rows"], groups={**world["groups"], **case.get("groups", {})},
                 statements=[case["sql"], *beside], calls=calls, **given)  # fmt: skip


@pytest.mark.parametrize(("world", "case"), CASES, ids=[case["sql"][:100] for _, case in CASES])
def test_plan(world: dict[str, Any], case: dict[str, Any]) -> None:
    snapshot = snapshot_of(world_of(world, case))
    design = design_world(snapshot)
    name = case.get("alternative", "faithful")
    plan = plan_of(design, snapshot, case["sql"], name)
    assert show_plan(plan) == case.get("plan", [f"routed: {case.get('routed')}"])
    used = {structure.split("/")[0] for structure in plan.uses}
    tables = [table for table in design.alternative(name).tables if table.name in used]
    assert show_indexes(tables) == case.get("indexes", [])
    for field in ("read_units", "write_units", "index_write_units", "transaction_units", "round_trips"):
        if field in case:
            assert getattr(plan, field) == pytest.approx(case[field])
