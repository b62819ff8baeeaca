"""Check the product as a stranger gets it: the wheel, in an empty environment with the run-time dependencies only.

Builds the wheel, compares its data files with the source tree, installs it beside the locked versions and their
hashes, and runs the command from a folder that is not the checkout.
"""

import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

SOURCE = Path("src")
UV = str(Path(sys.executable).with_name("uv"))
COMPILE = "pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.11"


def run(*command: str, cwd: str | Path = ".") -> str:
    """The standard output of a command; ends the check with its output where it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel of this checkout."""
    run(UV, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder), ".")
    return next(folder.glob("*.whl"))


def check_contents(wheel: Path) -> int:
    """Every file of the package is in the wheel. Returns how many are no Python."""
    packed = set(zipfile.ZipFile(wheel).namelist())
    tracked = run("git", "ls-files", str(SOURCE)).splitlines()
    missing = sorted({str(Path(path).relative_to(SOURCE)) for path in tracked} - packed)
    if missing:
        raise SystemExit(f"not in the wheel: {', '.join(missing)}")
    return sum(not path.endswith(".py") for path in tracked)


def install(wheel: Path, folder: Path) -> Path:
    """The `ddbmig` command of a fresh environment."""
    environment, requirements = folder / "environment", folder / "runtime.txt"
    run(UV, *COMPILE.split(), "--generate-hashes", "--quiet", "--output-file", str(requirements))
    run(UV, "venv", "--quiet", "--python", sys.executable, str(environment))
    python = str(environment / "bin" / "python")
    run(UV, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(requirements))
    run(UV, "pip", "install", "--quiet", "--python", python, "--no-deps", str(wheel))
    return environment / "bin" / "ddbmig"


def main() -> None:
    """Build, compare, install, run."""
    version = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build(Path(scratch))
        data = check_contents(wheel)
        command = str(install(wheel, Path(scratch)))
        if version not in run(command, "--version", cwd=scratch):
            raise SystemExit(f"the installed wheel does not say version {version}")
        run(command, "--help", cwd=scratch)
    print(f"{wheel.name}: {data} data files, installs and runs with run-time dependencies only")


if __name__ == "__main__":
    main()
