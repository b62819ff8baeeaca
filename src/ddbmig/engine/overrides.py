"""What packs, ddbmig.yaml, the environment and options set otherwise than the rules' own files, one setting after the
other: later ones win, but a mandatory rule can only be raised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from ddbmig.engine.expressions import MAX_NUMBER
from ddbmig.engine.rule import SEVERITIES, Origin, ParamValue, Rule
from ddbmig.engine.rule_reader import kind_of
from ddbmig.engine.strict_yaml import MAX_MISTAKES, Node, Place, lines_of
from ddbmig.engine.typed_yaml import plain
from ddbmig.engine.wording import closest, visible
from ddbmig.model.context import RuleOverride
from ddbmig.model.errors import UsageError

SettingValue = bool | ParamValue


@dataclass(frozen=True)
class Spot:
    """Where one word of a setting stands, and the line of the file."""

    origin: Origin
    source: str | None = None


@dataclass(frozen=True)
class Setting:
    """One key of one rule: `enabled`, `severity`, `mandatory` or `params.NAME`, and who set it."""

    rule: str
    key: str
    value: SettingValue
    rule_at: Spot
    key_at: Spot
    value_at: Spot

    @property
    def origin(self) -> Origin:
        """Who set the value."""
        return self.value_at.origin

    def mistake(self, message: str, expected: str | None = None, hint: str | None = None) -> UsageError:
        """What is wrong with the value."""
        return self._mistake(self.value_at, f"rules.{self.rule}.{self.key}", message, expected, hint)

    def unknown_rule(self, hint: str | None) -> UsageError:
        """That there is no such rule."""
        return self._mistake(self.rule_at, f"rules.{self.rule}", "no such rule", None, hint)

    def unknown_param(self, hint: str | None) -> UsageError:
        """That the rule has no such param."""
        return self._mistake(self.key_at, f"rules.{self.rule}.{self.key}", "no such param", None, hint)

    def _mistake(
        self, spot: Spot, subject: str, message: str, expected: str | None, hint: str | None
    ) -> UsageError:  # fmt: skip
        at = spot.origin
        return UsageError(message, at.file, at.line, at.column, visible(subject), expected, hint, spot.source)


def settings_in(file: str, rules: Node | None, text: str | None) -> tuple[Setting, ...]:
    """The settings of a `rules:` mapping; `text` is that of the file, None for no file. Entries that are not of the
    right shape are left out: whoever checks the whole file tells it."""
    lines = lines_of(text) if text else []

    def spot(place: Place) -> Spot:
        if text is None:
            return Spot(Origin(file))
        return Spot(Origin(file, place.line, place.column), lines[place.line - 1] if place.line <= len(lines) else None)

    found = []
    for rule, entry, rule_at in _items(rules):
        for key, node, key_at in _items(entry) if _is_sound(entry) else []:
            for name, value, name_at in _items(node) if key == "params" else [(key, node, key_at)]:
                path = f"params.{name}" if key == "params" else name
                found.append(Setting(rule, path, _value(value), spot(rule_at), spot(name_at), spot(value.place)))
    return tuple(found)


def _items(node: Node | None) -> list[tuple[str, Node, Place]]:
    mapping = node.value if node is not None and isinstance(node.value, Mapping) else {}
    return [(key, value, node.keys[key]) for key, value in mapping.items()] if node is not None else []


def _is_sound(entry: Node) -> bool:
    try:
        RuleOverride.model_validate(plain(entry), strict=True)
    except ValidationError:
        return False
    return True


def _value(node: Node) -> SettingValue:
    if isinstance(node.value, tuple):
        return tuple(str(item.value) for item in node.value)
    return node.value if not isinstance(node.value, Mapping) else ""


@dataclass
class Overriding:
    """Rules while settings are applied to them: those in force, and those switched off with who did it."""

    rules: dict[str, Rule]
    off: dict[str, tuple[Rule, Origin]]
    mistakes: list[UsageError]
    told: set[tuple[str, str]] = field(default_factory=set)
    """Unknown rules that have been told, by file and id."""

    def apply(self, setting: Setting) -> None:
        """Apply one setting; a mistake changes nothing, and after very many of them nobody looks on."""
        if len(self.mistakes) >= MAX_MISTAKES:
            return
        rule = self.rules.get(setting.rule) or self.off.get(setting.rule, (None,))[0]
        if rule is None:
            self._unknown(setting)
            return
        wrong = list(_wrong(rule, setting))
        self.mistakes += wrong
        if not wrong:
            self._set(rule, setting)

    def _unknown(self, setting: Setting) -> None:
        if (setting.origin.file, setting.rule) not in self.told:
            self.told.add((setting.origin.file, setting.rule))
            hint = closest(setting.rule, [*self.rules, *self.off]) or "see: ddbmig rules list"
            self.mistakes.append(setting.unknown_rule(hint))

    def _set(self, rule: Rule, setting: Setting) -> None:
        if setting.key == "enabled":
            self.rules.pop(rule.id, None)
            self.off.pop(rule.id, None)
            if setting.value:
                self.rules[rule.id] = rule
            else:
                self.off[rule.id] = (rule, setting.origin)
            return
        changed = replace(_changed(rule, setting), overridden={**rule.overridden, setting.key: setting.origin})
        if rule.id in self.rules:
            self.rules[rule.id] = changed
        else:
            self.off[rule.id] = (changed, self.off[rule.id][1])


def _changed(rule: Rule, setting: Setting) -> Rule:
    if setting.key == "mandatory":
        return replace(rule, mandatory=True)
    if setting.key == "severity":
        severity = next(known for known in SEVERITIES if known == setting.value)
        return replace(rule, severity=severity)
    name = setting.key.removeprefix("params.")
    if isinstance(setting.value, bool):
        raise TypeError("a param is no truth value")  # kept out by the shape of the file
    return replace(rule, params={**rule.params, name: setting.value})


def _wrong(rule: Rule, setting: Setting) -> Iterator[UsageError]:
    if setting.key == "severity":
        yield from _wrong_severity(rule, setting)
    elif setting.key == "enabled" and rule.mandatory and not setting.value:
        yield setting.mistake("this rule is mandatory and cannot be switched off", "true")
    elif setting.key.startswith("params."):
        yield from _wrong_param(rule, setting)


def _wrong_severity(rule: Rule, setting: Setting) -> Iterator[UsageError]:
    rank: dict[object, int] = {name: index for index, name in enumerate(SEVERITIES)}
    if rule.severity is None:
        yield setting.mistake("this rule scores and has no severity", hint="change its params, or switch it off")
    elif rule.forbids and setting.value != "error":
        yield setting.mistake("a rule that forbids an option is an error", "error", "switch it off: enabled: false")
    elif rule.mandatory and rank[setting.value] < rank[rule.severity]:
        yield setting.mistake("this rule is mandatory and cannot be lowered", f"at least {rule.severity}")


def _wrong_param(rule: Rule, setting: Setting) -> Iterator[UsageError]:
    name, value = setting.key.removeprefix("params."), setting.value
    if name not in rule.params:
        known = f"known: {', '.join(rule.params)}" if rule.params else "this rule has no params"
        yield setting.unknown_param(closest(name, rule.params) or known)
    elif rule.mandatory:
        yield setting.mistake("this rule is mandatory: its params stay", hint="ask the owners of the pack")
    elif kind_of(value) != kind_of(rule.params[name]):
        yield setting.mistake("this param has another type", f"a {kind_of(rule.params[name])}")
    elif value == ():
        yield setting.mistake("an empty list", "- text, one at least")
    elif isinstance(value, int | float) and abs(value) > MAX_NUMBER:
        yield setting.mistake("this number is too large", f"at most {MAX_NUMBER:,.0f}")
