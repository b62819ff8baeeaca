"""What `ddbmig collect` says at its end."""

from collections.abc import Iterator

from ddbmig.model.snapshot import Snapshot
from ddbmig.reporters.markdown import visible

MOST_GAPS = 20
"""What a server did not tell is listed up to here; the snapshot holds the rest."""


def collected_lines(snapshot: Snapshot, copied: int) -> Iterator[str]:
    """The summary, a line each; texts of the server cannot move the cursor."""
    connection = snapshot.connection
    numbers = snapshot.statistics.values()
    sampled = sum(one.sample_rows is not None for one in numbers)
    rows = sum(one.rows.value for one in numbers)
    if connection is not None:
        yield f"MySQL {visible(connection.server_version)}, read on {connection.collected_on}"
    yield f"{len(numbers):,} tables, {rows:,.0f} rows; {sampled:,} tables sampled, the others read whole"
    calls = sum(template.calls for template in snapshot.digest.templates)
    origins = " and ".join(source.name for source in snapshot.digest.sources) or "no source: give logs to analyze"
    yield f"{calls:,} calls in {len(snapshot.patterns):,} access patterns, from {origins}"
    yield f"{copied:,} rows copied for stage 4: they are your users' data" if copied else "no rows copied"
    gaps = connection.not_told if connection else ()
    if gaps:
        yield f"{len(gaps):,} things the server did not tell:"
    for gap in gaps[:MOST_GAPS]:
        yield f"  {visible(gap)}"
    if len(gaps) > MOST_GAPS:
        yield f"  … and {len(gaps) - MOST_GAPS:,} more, in collected.json"
