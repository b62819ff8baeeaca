"""The recorded applications: every statement is accounted for, and the counts are those taken when recording.

The recorder switched the logs on and off itself; its SET GLOBAL statements are in the logs (three in the general log,
one in the slow log) and not in stats.json.
"""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from log_notation import KEY, balanced

from ddbmig.analyzers.digest import combine
from ddbmig.analyzers.general_log import read_general_log
from ddbmig.analyzers.slow_log import read_slow_log
from ddbmig.model.digest import Digest

Recorded = tuple[dict[str, Any], Digest, Digest]
"""stats.json, general digest, slow digest of one application."""

CASES = ["oscar_mysql97", "wordpress_mysql57", "tpcc_mysql97", "sysbench_ps_mysql57"]
SECONDS = 60
VERBS = {"SELECT": "select", "INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}
REASONS = {
    "SET": "session setting", "SHOW": "metadata (SHOW, DESCRIBE, EXPLAIN)", "COMMIT": "transaction control",
    "BEGIN": "transaction control", "ROLLBACK": "transaction control", "SAVEPOINT": "transaction control",
    "RELEASE": "transaction control",
}  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def recorded(request: pytest.FixtureRequest, corpus: Path) -> Recorded:
    folder = corpus / "workloads" / request.param
    started = time.process_time()
    general = read_general_log(folder / "general.log.gz", key=KEY)
    slow = read_slow_log(folder / "slow.log.gz", key=KEY)
    assert time.process_time() - started < SECONDS
    return json.loads((folder / "stats.json").read_text()), general, slow


@pytest.mark.corpus
def test_every_statement_is_accounted_for(recorded: Recorded) -> None:
    stats, general, slow = recorded
    for digest in (general, slow):
        (source,) = digest.sources
        assert balanced(digest)
        assert source.statements - source.skipped["server setting"] == stats["statements"]
        assert not digest.problems
    assert general.sources[0].skipped["server setting"] == 3
    assert slow.sources[0].events == stats["slow"]["events"]


@pytest.mark.corpus
def test_verbs(recorded: Recorded) -> None:
    stats, general, slow = recorded
    expected: Counter[str] = Counter()
    for verb, calls in stats["verbs"].items():
        expected[VERBS.get(verb) or REASONS[verb]] += calls
    for digest in (general, slow):
        found = Counter(digest.sources[0].skipped)
        del found["server setting"]
        for template in digest.templates:
            found[template.verb] += template.calls
        assert found == expected


@pytest.mark.corpus
def test_the_logs_agree(recorded: Recorded) -> None:
    _, general, slow = recorded
    both = combine(general, slow)
    assert len(both.templates) == len(general.templates)
    assert all(template.calls == template.timed_calls for template in both.templates)
    assert sum(u.count for u in general.units if u.kind == "transaction") == sum(
        u.count for u in slow.units if u.kind == "transaction"
    )


@pytest.mark.corpus
def test_templates_are_few_and_parse(recorded: Recorded) -> None:
    import sqlglot

    stats, general, _ = recorded
    assert len(general.templates) <= stats["templates"]
    for template in general.templates:
        tree = sqlglot.parse_one(template.sql, dialect="mysql")
        assert not isinstance(tree, sqlglot.exp.Command)
        assert len(list(tree.find_all(sqlglot.exp.Placeholder))) == template.sql.count("?")
