"""The answers of data/: adversarial ones with the rule that refuses each, and the facts that they are held against."""

from pathlib import Path
from typing import Any

import yaml

from ddbmig.narrative.facts import Facts

DATA = Path(__file__).parent / "data"
FACTS = Facts.model_validate(yaml.safe_load((DATA / "facts.yaml").read_text()))
ANSWERS: list[dict[str, Any]] = yaml.safe_load((DATA / "answers.yaml").read_text())


def answer_of(case: dict[str, Any]) -> str:
    """The answer; a long one is written down as a part and how often it, or its last letter, comes."""
    answer = str(case["answer"])
    inside = answer[-1:] * (int(case.get("times_inside", 1)) - 1)
    return (answer + inside) * int(case.get("times", 1)) + str(case.get("after", ""))
