"""What packs, ddbmig.yaml, the environment and options set otherwise than the rules' own files, one setting after the
other: later ones win, but a mandatory rule can only be raised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ddbmig.engine.rule import SEVERITIES, Origin, ParamValue, Rule
from ddbmig.engine.rule_reader import kind_of
from ddbmig.engine.strict_yaml import Node
from ddbmig.engine.typed_yaml import line_of
from ddbmig.engine.wording import closest
from ddbmig.model.errors import UsageError

SettingValue = bool | ParamValue


@dataclass(frozen=True)
class Setting:
    """One key of one rule: `enabled`, `severity`, `mandatory` or `params.NAME`, and who set it."""

    rule: str
    key: str
    value: SettingValue
    origin: Origin
    source: str | None = None
    """The line of the file."""

    def mistake(self, message: str, expected: str | None = None, hint: str | None = None) -> UsageError:
        """What is wrong with this setting, at its place."""
        subject = f"rules.{self.rule}.{self.key}"
        at = self.origin
        return UsageError(message, at.file, at.line, at.column, subject, expected, hint, self.source)


def settings_in(file: str, rules: Node | None, text: str | None) -> tuple[Setting, ...]:
    """The settings of a `rules:` mapping whose shape has been checked; `text` is that of the file, None for no file."""
    found = []
    for rule, entry in _items(rules):
        for key, node in _items(entry):
            inner = _items(node) if key == "params" else [(key, node)]
            for name, value in inner:
                path = f"params.{name}" if key == "params" else name
                place = value.place
                origin = Origin(file) if text is None else Origin(file, place.line, place.column)
                found.append(Setting(rule, path, _value(value), origin, line_of(text or "", place.line)))
    return tuple(found)


def _items(node: Node | None) -> list[tuple[str, Node]]:
    return list(node.value.items()) if node is not None and isinstance(node.value, Mapping) else []


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

    def apply(self, setting: Setting) -> None:
        """Apply one setting; a mistake changes nothing."""
        rule = self.rules.get(setting.rule) or self.off.get(setting.rule, (None,))[0]
        if rule is None:
            known = closest(setting.rule, [*self.rules, *self.off])
            self.mistakes.append(setting.mistake("no such rule", hint=known))
            return
        wrong = list(_wrong(rule, setting))
        self.mistakes += wrong
        if not wrong:
            self._set(rule, setting)

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
    name = setting.key.removeprefix("params.")
    if name not in rule.params:
        known = f"known: {', '.join(rule.params)}" if rule.params else "this rule has no params"
        yield setting.mistake("no such param", hint=closest(name, rule.params) or known)
    elif rule.mandatory:
        yield setting.mistake("this rule is mandatory: its params stay")
    elif kind_of(setting.value) != kind_of(rule.params[name]):
        yield setting.mistake("this param has another type", f"a {kind_of(rule.params[name])}")
