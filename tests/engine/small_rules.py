"""Small rules on tables and relationships, for tests of what is done with rules."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from ddbmig.engine.overrides import Setting, settings_in
from ddbmig.engine.rule import Rule
from ddbmig.engine.rulebook import Pack, Rulebook, load_rules
from ddbmig.engine.strict_yaml import read_yaml
from ddbmig.packs import recommended

WIDE: Mapping[str, Any] = {
    "id": "TT001", "title": "wide-table", "applies_to": "table", "status": "stable", "when": "table.columns > 20",
    "severity": "warning", "because": "{table.columns}", "why": "It is wide.", "instead": "Split it.",
    "source": "a test", "tests": [
        {"given": {"table.columns": 21}, "expect": "fires"},
        {"given": {"table.columns": 20}, "expect": "silent"},
    ],
}  # fmt: skip
KEYLESS: Mapping[str, Any] = {
    **WIDE, "id": "TT002", "title": "keyless-table", "when": "not table.has_primary_key", "because": "no key",
    "severity": "error", "tests": [
        {"given": {"table.has_primary_key": False}, "expect": "fires"},
        {"given": {"table.has_primary_key": True}, "expect": "silent"},
    ],
}  # fmt: skip


def text_of(rule: Mapping[str, Any], **changed: Any) -> str:
    """The file of a rule with some keys set otherwise; None leaves a key out."""
    keys = {key: value for key, value in {**rule, **changed}.items() if value is not None}
    return yaml.safe_dump(keys, sort_keys=False)


def book_of(*texts: str, settings: str = "", waiver_rules: bool = False) -> Rulebook:
    """The rules of some files under `settings`, the text of a `rules:` mapping; with those on waivers if asked for."""
    built_in = tuple(file for file in recommended().files if "/WA" in file[0]) if waiver_rules else ()
    files = tuple((f"r{number}.yaml", text) for number, text in enumerate(texts))
    return load_rules([Pack("ddbmig:test", (*files, *built_in))], settings_of(settings))


def settings_of(text: str) -> Iterable[Setting]:
    """The settings of a text that holds a `rules:` mapping's content."""
    return settings_in("ddbmig.yaml", read_yaml("ddbmig.yaml", text)[0] if text else None, text)


def rule_of(rule: Mapping[str, Any] = WIDE, **changed: Any) -> Rule:
    """One rule, loaded."""
    (found,) = book_of(text_of(rule, **changed)).rules
    return found
