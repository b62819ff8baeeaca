"""Rule, pack, configuration and waiver files with mistakes, and command lines with them: read from `broken/*.yaml`.

A file is a list of cases of one kind, which its name begins with. A case has a `name`, what is wrong, and `says`: every
message, one line each. What is wrong is an `edit` of the good file of its kind (old text -> new text), a whole `text`,
or the `words` of options. `big: [word, times]` stands for BIG in it; `bytes: true` reads U+0080 to U+00FF as bytes.
Those with `command: true` are also run by the command line; a rule is loaded alone, with `over: true` over the
built-in pack.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ddbmig.config import assignments, configure
from ddbmig.engine.rule_tests import run_rule_tests
from ddbmig.engine.rulebook import load_rules
from ddbmig.engine.waivers import read_waivers
from ddbmig.model.errors import DdbmigError, RuleError, UsageError
from ddbmig.outputs import outputs_of
from ddbmig.packs import read_packs
from ddbmig.project import open_project, read_text, rules_in_force

FOLDER = Path(__file__).parent / "broken"
KINDS = {"rule": "rules/rule.yaml", "pack": "rules/pack.yaml", "config": "ddbmig.yaml", "waivers": "waivers.yaml"}
"""Where the file of a kind lies in a project."""
GOOD = {kind: (FOLDER / "good" / Path(path).name).read_text("utf-8") for kind, path in KINDS.items()}
WITH_RULES = "extends: [ddbmig:recommended, ./rules]\n"


@dataclass(frozen=True)
class Case:
    """One file or command line with its mistakes."""

    kind: str
    name: str
    data: bytes
    words: tuple[str, ...]
    environment: dict[str, str]
    says: tuple[str, ...]
    by_command: bool
    over_built_in: bool = False

    def write(self, project: Path) -> None:
        """Put the file where it belongs in the folder of a project."""
        if self.kind in KINDS:
            path = project / KINDS[self.kind]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(self.data)


def cases() -> list[Case]:
    """All cases, in the order of the files."""
    return [
        _case(path.stem.partition("_")[0], case)
        for path in sorted(FOLDER.glob("*.yaml"))
        for case in yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
    ]


def _case(kind: str, case: dict[str, Any]) -> Case:
    text = case.get("text", GOOD.get(kind, ""))
    for old, new in case.get("edit", {}).items():
        assert text.count(old) == 1, f"{case['name']}: {old!r} stands {text.count(old)} times in the good file"
        text = text.replace(old, new)
    word, times = case.get("big", ("", 0))
    text = text.replace("BIG", word * times)
    return Case(
        kind, case["name"], text.encode("latin-1" if case.get("bytes") else "utf-8"), tuple(case.get("words", ())),
        case.get("environment", {}), tuple(case["says"]), case.get("command", False), case.get("over", False),
    )  # fmt: skip


def load(case: Case, project: Path) -> None:
    """Read what is wrong as the product does. Raises the one error of usage and rules."""
    case.write(project)
    if case.kind == "rule":
        built_in = ("ddbmig:recommended",) if case.over_built_in else ()
        failures = run_rule_tests(load_rules(read_packs((*built_in, "./rules"), project)))
        if failures:
            raise RuleError(failures)
    elif case.kind == "waivers":
        read_waivers("waivers.yaml", read_text(project / "waivers.yaml"))
    elif case.kind == "output":
        outputs_of([word for word in case.words if word != "--json"], as_json="--json" in case.words)
    elif case.kind == "set":
        configure(None, assignments(case.words, case.environment))
    else:
        if case.kind == "pack":
            (project / "ddbmig.yaml").write_text(WITH_RULES)
        rules_in_force(open_project(project, None))


def mistakes_of(error: UsageError) -> list[DdbmigError]:
    """All that an error stands for, in its order."""
    return list(error.mistakes) if isinstance(error, RuleError) else [error]
