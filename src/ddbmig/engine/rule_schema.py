"""JSON Schema of a rule file: as much of what `rule_reader` demands as a schema can say, for editors.

What the schema refuses the reader refuses too. The conditions themselves, and which facts they may use, only the reader
checks.
"""

from collections.abc import Mapping
from typing import Any, get_args

from ddbmig.engine.expressions import MAX_LENGTH, MAX_NUMBER
from ddbmig.engine.facts import BY_PHASE, PHASES, FactDefinition
from ddbmig.engine.rule import OPTIONS, SEVERITIES, STATUSES, GroupKind
from ddbmig.engine.rule_reader import MAX_POINTS, OPTIONAL, REQUIRED, RULE_ID, TITLE
from ddbmig.model.assessment import Phase

Schema = dict[str, Any]

LOOKS_AT: Mapping[Phase, str] = {
    "relationship": "child columns that name a parent table, by a foreign key or by how statements join",
    "table": "a MySQL table",
    "pattern": "an access pattern: one template of statements with its calls",
    "alternative": "a complete design, before one is chosen",
    "index": "a GSI of an alternative",
    "validation": "the run of the chosen design in stage 4",
    "waiver": "an entry of waivers.yaml, in the gate",
}
"""What a rule of each phase is evaluated on."""

WORDS: Schema = {"type": "string", "pattern": r"\S"}
"""A text that says something."""
_PARAM_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"
_CONDITION: Schema = {
    **WORDS, "maxLength": MAX_LENGTH, "description": "One condition, e.g. reads.joint_share > params.joint_share.",
}  # fmt: skip
_GROUPS: Mapping[GroupKind, str] = {
    "all": "Every condition holds; an earlier line may guard a later one.", "any": "At least one condition holds.",
    "not": "The condition does not hold.",
}  # fmt: skip
_NUMBER: Schema = {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
_KINDS: Mapping[str, Schema] = {
    "number": {"type": "number"}, "bool": {"type": "boolean"}, "text": {"type": "string"},
    "list": {"type": "array", "items": {"type": "string"}},
}  # fmt: skip
_MEANINGS: Mapping[str, str] = {
    "id": "Explicit and stable: capital letters and three digits, such as ACME001; a prefix of your own.",
    "title": "Lower-case words joined by -; reads well after \u201callow\u201d.",
    "applies_to": "What the rule looks at, which decides the facts there are: "
                  + "; ".join(f"{phase}: {meaning}" for phase, meaning in LOOKS_AT.items()) + ".",
    "status": "A finding of a rule in preview does not fail the gate.",
    "since": "The version with which this status came; needed for preview and deprecated.",
    "params": "Numbers, texts or lists of texts that ddbmig.yaml may set otherwise; conditions name them params.NAME.",
    "when": "The conditions; each that held is one line of evidence.",
    "score": "Points for or against each option where the rule fires; only on relationships, and not with severity.",
    "severity": "Makes a finding where the rule fires; not together with score.",
    "forbids": "Options that are out whatever the points; only with severity: error on a relationship.",
    "because": "What a reader is told; {fact} and {fact:percent} stand for values (percent, bytes, number, text).",
    "why": "What goes wrong where the rule fires.",
    "instead": "What to do about it.",
    "source": "Where the rule comes from: a guide, a handbook, an incident.",
    "warning": "A text that reports quote word by word.",
    "mandatory": "true: packs and projects can raise the rule, but neither lower nor switch it off.",
    "tests": "The rule's own tests, at least one that fires and one that is silent.",
}  # fmt: skip


def rule_schema() -> Schema:
    """The JSON Schema (2020-12) of a rule file, without `$schema`."""
    return {
        "title": "A rule of ddbmig",
        "description": "What it looks at, when it fires, what it says, why, what to do instead, and its own tests.",
        "type": "object",
        "properties": {key: {"description": _MEANINGS[key], **_shapes()[key]} for key in (*REQUIRED, *OPTIONAL)},
        "required": list(REQUIRED),
        "additionalProperties": False,
        "oneOf": [{"required": ["score"]}, {"required": ["severity"]}],
        "allOf": [*_demands(), *(_facts_given(phase) for phase in PHASES)],
        "$defs": {"when": _when()} | {_facts_of(phase): _given(phase) for phase in PHASES},
    }


def fact_description(fact: FactDefinition) -> str:
    """What a fact means, its unit, where it is measured and whether it may be missing, in one line."""
    unit = f"; unit: {fact.unit}" if fact.unit else ""
    missing = "; may be missing" if fact.may_be_missing else ""
    return f"{fact.meaning}{unit}; measured: {fact.measured}{missing}"


def _shapes() -> Mapping[str, Schema]:
    """The form of each key's value."""
    options: Schema = {"enum": list(OPTIONS)}
    points = {"type": "integer", "minimum": -MAX_POINTS, "maximum": MAX_POINTS}
    return {
        **dict.fromkeys(("why", "instead", "source", "because", "warning", "since"), WORDS),
        "id": {"type": "string", "pattern": _padded(RULE_ID.pattern)},
        "title": {"type": "string", "pattern": _padded(TITLE.pattern)},
        "applies_to": {"enum": list(PHASES)},
        "status": {"enum": list(STATUSES)},
        "severity": {"enum": list(SEVERITIES)},
        "mandatory": {"type": "boolean"},
        "params": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": _PARAM_NAME},
            "additionalProperties": {"oneOf": [_NUMBER, {"type": "string"}, {**_KINDS["list"], "minItems": 1}]},
        },
        "when": {"$ref": "#/$defs/when"},
        "score": {
            "type": "object",
            "properties": dict.fromkeys(OPTIONS, points),
            "additionalProperties": False,
            "not": {"additionalProperties": {"const": 0}},
        },
        "forbids": {"oneOf": [options, {"type": "array", "minItems": 1, "items": options}]},
        "tests": {"type": "array", "items": _test(), "allOf": [_some_test("fires"), _some_test("silent")]},
    }


def _padded(pattern: str) -> str:
    """The reader takes white space away at both ends, such as the line end of a block of text."""
    return rf"^\s*({pattern})\s*$"


def _when() -> Schema:
    itself = {"$ref": "#/$defs/when"}
    several: Schema = {"type": "array", "minItems": 1, "items": itself}
    shapes = {"all": several, "any": several, "not": {"oneOf": [itself, {**several, "maxItems": 1}]}}
    return {
        "description": "A condition, or a group of them: all, any or not, nested.",
        "oneOf": [
            _CONDITION,
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "properties": {kind: {"description": _GROUPS[kind], **shapes[kind]} for kind in get_args(GroupKind)},
                "additionalProperties": False,
            },
        ],
    }


def _test() -> Schema:
    given = {"type": "object", "description": "Facts by name; those left out are missing."}
    expect = {"enum": ["fires", "silent"], "description": "What the rule is to do with these facts."}
    return {
        "type": "object",
        "properties": {"given": given, "expect": expect},
        "required": ["given", "expect"],
        "additionalProperties": False,
    }


def _some_test(expect: str) -> Schema:
    return {"contains": {"type": "object", "properties": {"expect": {"const": expect}}, "required": ["expect"]}}


def _demands() -> list[Schema]:
    """What one key demands of others."""
    return [
        _if_then({"required": ["score"]}, _has("applies_to", "relationship")),
        _if_then({"required": ["forbids"]}, {"allOf": [_has("applies_to", "relationship"), _has("severity", "error")]}),
        _if_then(_has("status", "preview", "deprecated"), {"required": ["since"]}),
    ]


def _facts_given(phase: Phase) -> Schema:
    given = {"given": {"$ref": f"#/$defs/{_facts_of(phase)}"}}
    return _if_then(_has("applies_to", phase), {"properties": {"tests": {"items": {"properties": given}}}})


def _if_then(condition: Schema, demand: Schema) -> Schema:
    return {"if": condition, "then": demand}


def _has(key: str, *values: str) -> Schema:
    return {"properties": {key: {"enum": list(values)}}, "required": [key]}


def _facts_of(phase: Phase) -> str:
    return f"facts_of_{phase}"


def _given(phase: Phase) -> Schema:
    facts = BY_PHASE[phase].values()
    return {"properties": {fact.name: _fact(fact) for fact in facts}, "additionalProperties": False}


def _fact(fact: FactDefinition) -> Schema:
    closed = {"enum": list(fact.values)} if fact.values else _KINDS[fact.kind]
    return {"description": fact_description(fact), **closed}
