"""Check that requirements.lock is what pyproject.toml asks for.

The lock is compiled again starting from itself, so that a newer version in the index is no difference: only a
requirement that was added, removed or tightened is.
"""

import difflib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path("requirements.lock")
COMPILE = (
    "uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --generate-hashes"
    " --no-annotate --no-header --no-emit-index-url --quiet"
)


def main() -> int:
    """0 where nothing differs; else prints the difference."""
    with tempfile.TemporaryDirectory() as scratch:
        again = Path(scratch) / LOCK.name
        shutil.copy(LOCK, again)
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, *COMPILE.split()[1:], "--output-file", str(again)], check=True, stdout=subprocess.DEVNULL)
        old, new = LOCK.read_text().splitlines(), again.read_text().splitlines()
    difference = list(difflib.unified_diff(old, new, LOCK.name, "what pyproject.toml asks for", lineterm="", n=0))
    print("\n".join(difference) if difference else f"{LOCK.name} is current")
    if difference:
        print(f"to renew it: {COMPILE} --output-file {LOCK}")
    return bool(difference)


if __name__ == "__main__":
    sys.exit(main())
