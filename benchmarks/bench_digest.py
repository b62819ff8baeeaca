"""How fast query logs are read, beside pt-query-digest (percona-toolkit) on the same file in the same run.

    make bench-digest            100 MB of each kind
    MB=500 make bench-digest

The logs are made up from a seed (`made_up_logs`). Each reader runs in a process of its own; CPU seconds are those of
the process and its children, memory is the largest of them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_up_logs import Kind, write_log

SEED = 1
MEGABYTES = int(os.environ.get("MB", "100"))
_READ = "from ddbmig.cli import main; main()"


def measure(command: list[str]) -> tuple[float, float, int]:
    """CPU seconds, wall seconds, and peak MiB of a command. Raises CalledProcessError where it fails."""
    watch = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)"
    )
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", watch, *command], check=True, capture_output=True, text=True)
    cpu, mib = done.stdout.split()
    return float(cpu), time.monotonic() - begin, int(mib)


def main() -> None:
    """Print one row per kind of log and reader."""
    peer = shutil.which("pt-query-digest")
    if peer is None:
        sys.exit("pt-query-digest is missing: apt-get install percona-toolkit")
    print(f"{MEGABYTES} MB of each kind, seed {SEED}, {os.cpu_count()} cores")
    print("| log | reader | MB per CPU s | CPU s | wall s | peak MiB | × pt-query-digest |")
    print("|---|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        kinds: tuple[Kind, ...] = ("slow", "general")
        for kind in kinds:
            log = Path(folder) / f"{kind}.log"
            write_log(log, kind, MEGABYTES * 1_000_000, SEED)
            _rows(kind, log, peer)
            log.unlink()


def _rows(kind: Kind, log: Path, peer: str) -> None:
    megabytes = log.stat().st_size / 1e6
    ours = [sys.executable, "-c", _READ, "digest", str(log), "-o", str(log.with_suffix(".json"))]
    commands = {
        "pt-query-digest": [peer, "--type", "genlog" if kind == "general" else "slowlog", str(log)],
        "ddbmig, 1 job": [*ours, "--jobs", "1"],
        "ddbmig, 2 jobs": [*ours, "--jobs", "2"],
    }
    base = 0.0
    for reader, command in commands.items():
        cpu, wall, mib = measure(command)
        base = base or cpu
        print(f"| {kind} | {reader} | {megabytes / cpu:.1f} | {cpu:.1f} | {wall:.1f} | {mib} | {base / cpu:.1f} |")


if __name__ == "__main__":
    main()
