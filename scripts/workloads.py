"""Run `ddbmig analyze --approve all` on each recorded application, and measure it.

Each must end with exit code 0 in under 20 minutes, on a slow machine too, and 2 GiB. Memory is that of the whole tree
of processes, Java included, seen ten times a second; CPU time is that of the command without the engine it kills at its
end.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

APPLICATIONS = ("oscar_mysql97", "wordpress_mysql57", "tpcc_mysql97", "sysbench_ps_mysql57")
MAX_SECONDS = 1_200
MAX_MIB = 2048
INPUTS = {"--schema": "schema.sql", "--slow-log": "slow.log.gz", "--general-log": "general.log.gz",
          "--data": "data.sql.gz"}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One application's figures."""

    name: str
    exit_code: int
    wall_s: float
    cpu_s: float
    peak_mib: float

    @property
    def held(self) -> bool:
        """Whether it ended well within the limits."""
        return self.exit_code == 0 and self.wall_s < MAX_SECONDS and self.peak_mib < MAX_MIB


def analyze(folder: Path, out: Path) -> Run:
    """Run the command on one application; its output goes to `analyze.log` in the output's folder."""
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    options = [word for option, name in INPUTS.items() for word in (option, str(folder / name))]
    ddbmig = str(Path(sys.executable).with_name("ddbmig"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [ddbmig, "analyze", *options, "--approve", "all", "--out", str(out)]
    begin = time.monotonic()
    with out.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        peak = _wait(process, begin + MAX_SECONDS)
    wall = time.monotonic() - begin
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
    return Run(folder.name, process.returncode, wall, cpu, peak)


def _wait(process: subprocess.Popen[bytes], end: float) -> float:
    """Wait for the process, or kill it at the end of its time; gives the peak memory of its tree in MiB."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, tree_bytes(process.pid))
        if time.monotonic() > end:
            process.kill()
        time.sleep(0.1)
    return peak / 1024**2


def tree_bytes(root: int) -> int:
    """Resident memory of a process and all its descendants, from /proc; pages they share are counted for each."""
    parents, resident = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # the process may have ended meanwhile
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            parents[int(stat.parent.name)] = int(fields[1])
            resident[int(stat.parent.name)] = int(fields[21]) * resource.getpagesize()
    tree = {root}
    while more := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return sum(resident.get(pid, 0) for pid in tree)


def main() -> int:
    """0 where all applications held the limits, or none is here."""
    corpus = Path(os.environ.get("DDBMIG_CORPUS") or Path.cwd().parent / "shared" / "data")
    folder = corpus / "workloads"
    if not folder.is_dir():
        print("SKIPPED: the recorded applications are not here (set DDBMIG_CORPUS to their folder)")
        return 0
    print(f"{'application':22} {'exit':>4} {'wall s':>8} {'CPU s':>8} {'peak MiB':>9}")
    runs = []
    for name in APPLICATIONS:
        run = analyze(folder / name, Path("build") / "workloads" / name)
        runs.append(run)
        verdict = "" if run.held else f"  FAILED, see build/workloads/{name}.log"
        print(
            f"{name:22} {run.exit_code:4} {run.wall_s:8.1f} {run.cpu_s:8.1f} {run.peak_mib:9.0f}{verdict}", flush=True
        )
    print(f"{sum(run.held for run in runs)} of {len(runs)} within {MAX_SECONDS} s and {MAX_MIB} MiB")
    return not all(run.held for run in runs)


if __name__ == "__main__":
    sys.exit(main())
