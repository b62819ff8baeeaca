"""Write src/ddbmig/validators/dynamodb-local.lock: what Maven brings for the roots below, with SHA-256.

Run it to move to another version: edit BOM and ROOTS, run `.venv/bin/python scripts/lock_dynamodb_local.py`, commit.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ddbmig.validators.dynamodb_local import LOCK_FILE, Artifact, Lock, copy_by_maven

BOM = "software.amazon.awssdk:bom:pom:2.54.15"  # the POM of 3.3.1 names an SDK that is not on every mirror
ROOTS = (
    "software.amazon.dynamodb:DynamoDBLocal:jar:3.3.1",
    "io.github.ganadist.sqlite4java:libsqlite4java-osx-aarch64:dylib:1.0.392",  # Apple Silicon
)
HEADER = """\
# AWS's DynamoDB Local for `mvn dependency:copy-dependencies`: `bom` and `root` are what Maven is asked for, the other
# lines are every file it must bring, with its SHA-256. Written by scripts/lock_dynamodb_local.py; do not edit.
"""


def coordinates(project: Path, mvn: str) -> list[str]:
    """Every resolved `group:artifact:type:version` of the pom in a folder, sorted."""
    listing = project / "list.txt"
    subprocess.run([mvn, "-B", "-q", "dependency:list", f"-DoutputFile={listing}"], cwd=project, check=True)
    found = re.findall(r"([\w.-]+:[\w.-]+:[\w.-]+:[\w.-]+):(?:compile|runtime)\b", listing.read_text())
    return sorted(found)


def main() -> None:
    """Resolve, copy, hash, write."""
    mvn = shutil.which("mvn")
    if mvn is None:
        raise SystemExit("needs Maven (mvn)")
    asked = Lock(Artifact.parse(BOM), tuple(map(Artifact.parse, ROOTS)), {})
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "new"
        copy_by_maven(mvn, asked.pom(), folder)
        lines = [f"bom {BOM}", *(f"root {root}" for root in ROOTS)]
        for coordinate in coordinates(Path(scratch) / "project", mvn):
            content = (folder / Artifact.parse(coordinate).file_name).read_bytes()
            lines.append(f"{hashlib.sha256(content).hexdigest()} {coordinate}")
    LOCK_FILE.write_text(HEADER + "\n".join(lines) + "\n")
    print(f"{LOCK_FILE.name}: {len(lines) - 1 - len(ROOTS)} files")


if __name__ == "__main__":
    main()
