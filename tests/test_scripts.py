"""The helpers behind make."""

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def test_memory_is_that_of_the_whole_tree(repository: Path) -> None:
    tree_bytes: Callable[[int], int] = runpy.run_path(str(repository / "scripts" / "workloads.py"))["tree_bytes"]
    hungry = "x = b'1' * 50_000_000; print(flush=True); input()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}], start_new_session=True)"
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert tree_bytes(process.pid) > 50_000_000
        process.communicate(b"\n")
    assert tree_bytes(process.pid) == 0


def test_without_the_corpus_the_workloads_say_so(repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(repository / "scripts" / "workloads.py")],
        env={"DDBMIG_CORPUS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "SKIPPED")
