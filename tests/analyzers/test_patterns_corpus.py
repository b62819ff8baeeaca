"""The recorded applications: every call is a pattern or counted, and most patterns have a normal form."""

from pathlib import Path

import pytest

from ddbmig.analyzers.ddl import read_ddl
from ddbmig.analyzers.general_log import read_general_log
from ddbmig.analyzers.patterns import read_patterns

pytestmark = [pytest.mark.corpus, pytest.mark.slow]


@pytest.mark.parametrize("name", ["oscar_mysql97", "wordpress_mysql57", "tpcc_mysql97", "sysbench_ps_mysql57"])
def test_nine_of_ten_calls_have_a_normal_form(name: str, corpus: Path) -> None:
    folder = corpus / "workloads" / name
    digest = read_general_log(folder / "general.log.gz", key=b"corpus")
    schema = read_ddl([(folder / "schema.sql", "schema.sql")])
    patterns, skipped = read_patterns(digest, schema)
    calls = {template.id: template.calls for template in digest.templates}
    understood = sum(calls[pattern.template] for pattern in patterns)
    planned = sum(calls[pattern.template] for pattern in patterns if not pattern.unplanned)
    assert understood + sum(item.calls for item in skipped) == sum(calls.values())
    assert planned >= 0.9 * understood
    assert {item.reason for item in skipped} <= {"no table"}
    backwards = digest.model_copy(update={"templates": digest.templates[::-1]})
    assert read_patterns(backwards, schema) == (patterns, skipped)
