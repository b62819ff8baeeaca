"""The project: ddbmig.yaml, what people decided, where values and reports are kept, and how they are written.

Everything that is written goes to a temporary file beside its place first and is renamed: a reader, or a run that is
cut off, never sees half a file.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ddbmig.engine.strict_yaml import Node, read_yaml
from ddbmig.model.base import Value
from ddbmig.model.context import ProjectConfig
from ddbmig.model.design import Prices
from ddbmig.model.errors import RuleError, UsageError

Model = TypeVar("Model", bound=Value)

CONFIG = "ddbmig.yaml"
DECISIONS = "decisions.yaml"
APPROVALS = "approvals.jsonl"
KEY_FILE = ".ddbmig-key"
DEFAULT = "default"
"""What `design` in decisions.yaml says where the engine's own choice is taken."""
_PYDANTIC = "Input should be "
_PLAIN_WORDS: Mapping[str, tuple[str, str | None]] = {
    "tuple_type": ("not a list", "[a, b]"),
    "model_type": ("not a mapping", "key: value lines below it"),
    "mapping_type": ("not a mapping", "key: value lines below it"),
    "int_parsing": (f"{_PYDANTIC}a whole number", None),
    "missing": ("this key is missing", None),
}
"""Pydantic's kinds of error whose own words speak of Python: message and what is expected."""
FIXED_KEY = b"ddbmig: no project"
"""Keys the hashes of values where there is no project: such hashes are pseudonymous, not anonymous."""


class Decisions(Value):
    """decisions.yaml: a person's decisions."""

    design: str | None = None
    """The alternative to carry on with; None: the engine's default."""
    choices: Mapping[str, str] = {}
    """Relationship id -> option."""


@dataclass(frozen=True)
class Project:
    """Where one analysis lives: `folder` holds ddbmig.yaml, decisions and approvals; `out` the values and reports."""

    folder: Path
    out: Path
    config: ProjectConfig
    is_project: bool

    @property
    def decisions_file(self) -> Path:
        """Beside ddbmig.yaml, or in the output folder where there is no project."""
        return self.folder / DECISIONS

    @property
    def approvals_file(self) -> Path:
        """Beside ddbmig.yaml, or in the output folder where there is no project."""
        return self.folder / APPROVALS

    def decisions(self) -> Decisions:
        """What people decided. Raises RuleError for a file that is not understood."""
        if not self.decisions_file.exists():
            return Decisions()
        return _read_model(self.decisions_file, Decisions)

    def decide(self, *, design: str | None = None, choice: tuple[str, str] | None = None) -> None:
        """Write one decision into decisions.yaml, keeping the others. Comments of the file are not kept."""
        known = self.decisions()
        choices = dict(known.choices) | (dict([choice]) if choice else {})
        wanted = design or known.design
        lines = ["# Decisions of people; `ddbmig choose` writes here.", f"design: {_scalar(wanted or DEFAULT)}"]
        if choices:
            lines.append("choices:")
            lines += [f"  {_scalar(key)}: {_scalar(choices[key])}" for key in sorted(choices)]
        write_file(self.decisions_file, ("\n".join(lines) + "\n").encode())

    def hash_key(self, inputs: Iterable[Path] = ()) -> bytes:
        """The key of the hashes of values: a file per project that is not to be committed; without one a fixed key.

        The key is made once from the content of `inputs`: the same inputs give the same bytes in another clone too,
        and who has not seen the inputs cannot make it. Writes nothing: see `keep_key`.
        """
        if not self.is_project:
            return FIXED_KEY
        path = self.folder / KEY_FILE
        return path.read_bytes().strip() if path.is_file() else _key_of(inputs).encode()

    def keep_key(self, key: bytes) -> None:
        """Write the key of a project beside ddbmig.yaml, where it has none yet."""
        path = self.folder / KEY_FILE
        if self.is_project and not path.exists():
            write_file(path, key + b"\n", mode=0o600)
            self._ignore_key()

    def _ignore_key(self) -> None:
        ignore = self.folder / ".gitignore"
        lines = ignore.read_text().splitlines() if ignore.exists() else []
        if KEY_FILE not in lines:
            write_file(ignore, ("\n".join([*lines, KEY_FILE]) + "\n").encode())


def _key_of(inputs: Iterable[Path]) -> str:
    """A key out of the bytes of some files, which stands in no value: values hold their plain SHA-256 only.

    Without files it is a random one. What is no file is passed over: who reads it as an input says so.
    """
    paths = sorted((path for path in inputs if path.is_file()), key=lambda path: path.name)
    key = hashlib.blake2b(b"" if paths else secrets.token_bytes(16), digest_size=16, person=b"ddbmig-key")
    for path in paths:
        try:
            with path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    key.update(block)
        except OSError as error:
            raise UsageError("cannot be read", file=str(path), hint="check its permissions") from error
    return key.hexdigest()


def open_project(folder: Path | None, out: Path | None) -> Project:
    """The project in `folder` (it must hold ddbmig.yaml), or an analysis without one, kept in `out`.

    Raises UsageError where there is no ddbmig.yaml, RuleError where it is not understood.
    """
    if folder is None:
        target = out or Path("migration")
        return Project(folder=target, out=target, config=ProjectConfig(), is_project=False)
    if ":/" in str(folder):  # not repeated: it may hold a password
        raise UsageError("a URL stands where a folder is expected", hint="give a server with --mysql URL")
    path = folder / CONFIG
    if not path.exists():
        raise UsageError(
            f"no {CONFIG} in this folder", file=str(folder), hint="name the inputs: --schema, --slow-log, …"
        )
    config = _read_model(path, ProjectConfig)
    return Project(folder=folder, out=out or folder / config.out, config=config, is_project=True)


def _read_model(path: Path, model: type[Model]) -> Model:
    """A strict YAML file as a value: every mistake with its line and, for a misspelt key, a suggestion."""
    tree, mistakes = read_yaml(path.name, _text(path))
    if mistakes:
        raise RuleError(mistakes)
    data = _plain(tree) if tree is not None else {}
    if not isinstance(data, dict):
        raise UsageError("not a mapping", file=path.name, line=1, expected="key: value lines")
    if data.get("design") == DEFAULT:
        data["design"] = None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = [_mistake(path.name, tree, model, e["loc"], e["type"], e["msg"]) for e in error.errors()]
        raise RuleError(_one_per_place(found)) from error


def _one_per_place(mistakes: list[UsageError]) -> tuple[UsageError, ...]:
    """A value that could have been several things is one mistake: its parts are joined."""
    found: dict[tuple[int | None, int | None], UsageError] = {}
    for mistake in mistakes:
        place = (mistake.line, mistake.column)
        before = found.get(place)
        found[place] = replace(before, expected=f"{before.expected}, or {mistake.expected}") if before else mistake
    return tuple(found.values())


def _mistake(
    file: str, tree: Node | None, model: type[Value], loc: tuple[int | str, ...], kind: str, message: str
) -> UsageError:
    """One of pydantic's errors with its place in the file; `loc` also holds parts that name a type, not a key."""
    node, place, names = tree, None, []
    for part in loc:
        if node is not None and isinstance(node.value, Mapping) and part in node.value:
            place = node.keys.get(str(part), node.place)
            node = node.value[str(part)]
        elif node is not None and isinstance(node.value, tuple) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            place = node.place
        elif kind != "missing":
            break
        names.append(str(part))
    hint = None
    if kind == "extra_forbidden":
        message = "unknown key"
        close = get_close_matches(names[-1], _fields(model, loc[:-1]), 1)
        hint = f"did you mean {close[0]}?" if close else None
    message, expected = _PLAIN_WORDS.get(kind, (message, None))
    if message.startswith(_PYDANTIC):
        message, expected = "this value is not allowed", message.removeprefix(_PYDANTIC)
    return UsageError(
        message, file, place.line if place else 1, place.column if place else 1, ".".join(names), expected, hint
    )


def _fields(model: type[Value], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that are known at a place of a value's shape."""
    current: Any = model
    for part in loc:
        fields = getattr(current, "model_fields", {})
        if part not in fields:
            return []
        current = fields[str(part)].annotation
    return sorted(getattr(current, "model_fields", {}))


def _plain(node: Node) -> Any:
    if isinstance(node.value, Mapping):
        return {key: _plain(value) for key, value in node.value.items()}
    return [_plain(item) for item in node.value] if isinstance(node.value, tuple) else node.value


def _scalar(text: str) -> str:
    """A text as a double-quoted YAML scalar."""
    return json.dumps(text, ensure_ascii=False)


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace a file as a whole: written beside its place, flushed to disk, renamed.

    Raises UsageError where it cannot be written; what was there before is then still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        fact = f"cannot be written ({error.strerror})"
        raise UsageError(
            fact, file=str(path), hint="make room or change its permissions, or name another --out"
        ) from error


def check_writable(folder: Path) -> None:
    """Raise UsageError where files could not be made in a folder that may not be there yet. Changes nothing."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise UsageError("is a file", file=str(there), expected="a folder", hint="name another folder with --out")
    if not os.access(there, os.W_OK | os.X_OK):
        hint = "change its permissions, or name another folder with --out"
        raise UsageError("nothing can be written in this folder", file=str(there), hint=hint)


def read_prices(region: str) -> Prices:
    """The on-demand prices of a region from the shipped, dated file. Raises UsageError for an unknown region."""
    tree, mistakes = read_yaml("prices.yaml", resources.files("ddbmig.engine").joinpath("prices.yaml").read_text())
    if mistakes or tree is None:
        raise RuleError(mistakes)
    data = _plain(tree)
    if region not in data["regions"]:
        raise UsageError(f"no prices for region {region}", expected=", ".join(sorted(data["regions"])),
                         hint="set pricing.region in ddbmig.yaml")  # fmt: skip
    return Prices(region=region, as_of=data["as_of"], source=data["source"], **data["regions"][region])


def read_rule_files(config: ProjectConfig, folder: Path) -> list[tuple[str, str]]:
    """(name, text) of the rules in force: the built-in pack, then the packs that ddbmig.yaml names."""
    pack = resources.files("ddbmig.rules").joinpath("recommended")
    files = [(f"ddbmig:recommended/{entry.name}", entry.read_text(encoding="utf-8"))
             for entry in sorted(pack.iterdir(), key=lambda e: e.name) if entry.name.endswith(".yaml")]  # fmt: skip
    for name in config.rule_packs:
        found = sorted((folder / name).glob("*.yaml"))
        if not found:
            raise UsageError("a rule pack holds no .yaml file", file=name, hint="see rule_packs in ddbmig.yaml")
        files += [(f"{name.rstrip('/')}/{path.name}", _text(path)) for path in found]
    return files


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("cannot be read as UTF-8 text", file=str(path), hint="save it as UTF-8") from error


def file_sha(path: Path) -> str:
    """SHA-256 of a file, or `missing`. Raises UsageError where it cannot be read."""
    if not path.is_file():
        return "missing"
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UsageError("cannot be read", file=str(path), hint="check its permissions") from error
