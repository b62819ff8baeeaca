"""The project: ddbmig.yaml, what people decided, where values and reports are kept, and how they are written.

Everything that is written goes to a temporary file beside its place first and is renamed: a reader, or a run that is
cut off, never sees half a file.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from ddbmig.config import CONFIG, Assignment, Configuration, assignments, configure, on_rules
from ddbmig.engine.prices import prices_of, read_price_list
from ddbmig.engine.rulebook import Rulebook, load_rules
from ddbmig.engine.strict_yaml import decoded, yaml_text
from ddbmig.engine.typed_yaml import by_place, read_model
from ddbmig.model.base import Value
from ddbmig.model.context import ProjectConfig
from ddbmig.model.errors import DdbmigError, RuleError, UsageError
from ddbmig.model.prices import Prices
from ddbmig.packs import read_packs

DECISIONS = "decisions.yaml"
APPROVALS = "approvals.jsonl"
PRICES = "prices.yaml"
"""The price file that ships with the engine."""
KEY_FILE = ".ddbmig-key"
DEFAULT = "default"
"""What `design` in decisions.yaml says where the engine's own choice is taken."""
FIXED_KEY = b"ddbmig: no project"
"""Keys the hashes of values where there is no project: such hashes are pseudonymous, not anonymous."""


class Flag(Value):
    """A choice that a person hands over."""

    resolve: Literal["model"]
    """`model`: a language model takes one of the options."""


class Decisions(Value):
    """decisions.yaml: a person's decisions."""

    design: str = DEFAULT
    """The alternative to carry on with."""
    choices: Mapping[str, str | Flag] = {}
    """Relationship id -> option, or `resolve: model`."""

    @property
    def taken(self) -> dict[str, str]:
        """The options that the person took."""
        return {key: told for key, told in self.choices.items() if isinstance(told, str)}

    @property
    def flagged(self) -> tuple[str, ...]:
        """The choices that are handed to a model."""
        return tuple(sorted(key for key, told in self.choices.items() if isinstance(told, Flag)))


@dataclass(frozen=True)
class Project:
    """Where one analysis lives: `folder` holds ddbmig.yaml, decisions and approvals; `out` the values and reports."""

    folder: Path
    out: Path
    configuration: Configuration
    is_project: bool

    @property
    def config(self) -> ProjectConfig:
        """What is in force of ddbmig.yaml, the environment and options."""
        return self.configuration.config

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
        text = read_text(self.decisions_file)
        return read_model(self.decisions_file.name, text, Decisions).value

    def decide(self, *, design: str | None = None, choice: tuple[str, str | Flag] | None = None) -> None:
        """Write one decision into decisions.yaml, keeping the others. Comments of the file are not kept."""
        known = self.decisions()
        choices = dict(known.choices) | (dict([choice]) if choice else {})
        lines = ["# Decisions of people; `ddbmig choose` writes here.", f"design: {yaml_text(design or known.design)}"]
        if choices:
            lines.append("choices:")
            lines += [f"  {yaml_text(key)}: {_as_yaml(choices[key])}" for key in sorted(choices)]
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


def _as_yaml(told: str | Flag) -> str:
    return yaml_text(told) if isinstance(told, str) else f"{{resolve: {told.resolve}}}"


def new_key() -> str:
    """A key for a project that is just being made."""
    return _key_of(())


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


def open_project(folder: Path | None, out: Path | None, options: Sequence[str] = ()) -> Project:
    """The project in `folder` (it must hold ddbmig.yaml), or in the working folder where that holds one; else an
    analysis without a project, kept in `out`.

    `options` are `key=value` texts over ddbmig.yaml. Raises UsageError where there is no ddbmig.yaml, RuleError where
    it is not understood.
    """
    given = assignments(options)
    if folder is None and Path(CONFIG).is_file():
        folder = Path()
    if folder is None:
        target = out or Path("migration")
        return Project(folder=target, out=target, configuration=configure(None, given), is_project=False)
    if ":/" in str(folder):  # not repeated: it may hold a password
        raise UsageError("a URL stands where a folder is expected", hint="give a server with --mysql URL")
    path = folder / CONFIG
    if not path.exists():
        raise UsageError(
            f"no {CONFIG} in this folder", file=str(folder), hint="name the inputs: --schema, --slow-log, …"
        )
    text = read_text(path)
    try:
        found = configure(text, given)
    except RuleError as error:
        raise RuleError(by_place((*error.mistakes, *_mistakes_on_rules(folder, text, given)))) from error
    return Project(folder=folder, out=out or folder / found.config.out, configuration=found, is_project=True)


def _mistakes_on_rules(folder: Path, text: str, given: Sequence[Assignment]) -> tuple[DdbmigError, ...]:
    """What else is wrong with a configuration that has mistakes: the packs and rules that it names."""
    sound = on_rules(text, given)
    try:
        load_rules(read_packs(sound.config.extends, folder, sound.origins.get("extends")), sound.settings)
    except RuleError as error:
        return error.mistakes
    return ()


def rules_in_force(project: Project) -> Rulebook:
    """The rules of the project's packs under its settings. Raises RuleError with every mistake in them."""
    found = project.configuration
    return load_rules(read_packs(found.config.extends, project.folder, found.origins.get("extends")), found.settings)


def write_file(path: Path, data: bytes | Iterable[bytes], mode: int = 0o644) -> None:
    """Replace a file as a whole, by bytes or many pieces of them: written beside its place, flushed to disk, renamed.

    Raises UsageError where it cannot be written; what was there before is then still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(descriptor, "wb") as stream:
                stream.writelines([data] if isinstance(data, bytes) else data)
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


def price_file(project: Project) -> tuple[str, str]:
    """Name and text of the price file: the one that `pricing.file` names, else the shipped one.

    Raises UsageError where the named one cannot be read.
    """
    named = project.config.pricing.file
    if named is None:
        return PRICES, resources.files("ddbmig.engine").joinpath(PRICES).read_text("utf-8")
    path = (project.folder if project.is_project else Path()) / named
    if not path.is_file():
        raise UsageError("no such file", file=str(path), subject="pricing.file", hint="name another, or leave it out")
    return named, read_text(path)


def read_prices(project: Project) -> Prices:
    """The prices of the project's region under its terms.

    Raises RuleError for a price file with mistakes, UsageError where it cannot be read or lacks a price of the terms.
    """
    return prices_of(read_price_list(*price_file(project)), project.config.pricing)


def read_text(path: Path) -> str:
    """A file's text. Raises UsageError where it is not UTF-8, with the place, or cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", file=str(path), hint="check its permissions") from error
    return decoded(str(path), data)


def file_sha(path: Path) -> str:
    """SHA-256 of a file, or `missing`. Raises UsageError where it cannot be read."""
    if not path.is_file():
        return "missing"
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UsageError("cannot be read", file=str(path), hint="check its permissions") from error
