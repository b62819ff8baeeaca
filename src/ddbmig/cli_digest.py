"""`ddbmig digest`: logs to a digest that can be kept, merged, and given in place of the logs."""

import os
import sys
import time
from pathlib import Path

import click

from ddbmig.cli_options import PATH

_MERGE = "merge"


@click.command(short_help="Read query logs into a digest file.")
@click.argument("logs", nargs=-1, required=True, type=PATH, metavar="LOG...")
@click.option("-o", "--output", required=True, type=PATH, help="The file to write.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes that read (default: one for each core).")
@click.option("--project", "folder", type=PATH, help="Folder that holds ddbmig.yaml: its key hashes the values.")
def digest(logs: tuple[Path, ...], output: Path, jobs: int | None, folder: Path | None) -> None:
    """Read query logs (files, folders or globs, plain or compressed) into a digest without literal values.

    `ddbmig digest merge A.json B.json -o C.json` joins digests that were made apart.
    """
    from ddbmig.analyzers.logs import files_of, merge_saved, read_logs
    from ddbmig.cli_options import check_exist
    from ddbmig.project import open_project, write_file

    merging = logs[0] == Path(_MERGE)
    paths = logs[1:] if merging else logs
    if merging:
        check_exist(paths)
        found = merge_saved(paths)
    else:
        files = files_of(paths)
        check_exist(files)
        key = open_project(folder, None).hash_key(files)
        found = read_logs(files, key=key, jobs=jobs or os.cpu_count() or 1, reading=_Meter().show)
    write_file(output, found.to_bytes())
    calls = sum(template.calls for template in found.templates)
    click.echo(f"{output}: {len(found.templates):,} templates, {calls:,} calls, {len(found.problems)} problems")


class _Meter:
    """Tells somebody at a terminal how fast a log is read and how long it will take."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._name = ""

    def show(self, name: str, done: int, size: int) -> None:
        """Write over the line before; nothing where no terminal is."""
        if not sys.stderr.isatty():
            return
        if name != self._name:
            self._name, self._since = name, time.monotonic()
        rate = done / max(time.monotonic() - self._since, 1e-3)
        left = (size - done) / max(rate, 1)
        share = done / max(size, 1)
        click.echo(f"\r{name}: {share:.0%}, {rate / 1e6:.0f} MB/s, {left:.0f} s left ", nl=False, err=True)
        if done >= size:
            click.echo("", err=True)
