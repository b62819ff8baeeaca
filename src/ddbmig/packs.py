"""Rule packs: the built-in one, those of installed packages, and an organisation's folders. Data only: no code runs."""

from collections.abc import Iterator
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from ddbmig.engine.rule import Origin
from ddbmig.engine.rulebook import BUILT_IN, Pack
from ddbmig.engine.strict_yaml import decoded
from ddbmig.engine.wording import closest, visible
from ddbmig.model.context import RECOMMENDED
from ddbmig.model.errors import DdbmigError, RuleError, UsageError

ENTRY_POINTS = "ddbmig.rules"
"""The group under which an installed package names the folder of its rules, as `package` or `package.folder`."""
PACKAGE = "pkg:"
_SUFFIXES = (".yaml", ".yml")


def recommended() -> Pack:
    """The pack that ships with the product."""
    folder = resources.files("ddbmig.rules").joinpath("recommended")
    return Pack(RECOMMENDED, _texts(folder, RECOMMENDED))


def read_packs(references: tuple[str, ...], folder: Path, origin: Origin | None = None) -> tuple[Pack, ...]:
    """The packs that `extends` names, in its order; folders are relative to `folder`.

    Raises RuleError, at `origin`, for packs that are not there, hold no rules or cannot be read: all of them at once.
    """
    packs, mistakes = list[Pack](), list[DdbmigError]()
    if not references:
        expected = f"extends: [{RECOMMENDED}, …]"
        mistakes.append(UsageError("no rule pack: every gate would be passed", expected=expected))
    for reference in references:
        try:
            pack = _pack(reference, folder)
            if pack.name in (other.name for other in packs):
                raise UsageError("this rule pack is named twice", subject=reference, hint="remove one of the two")
            packs.append(pack)
        except RuleError as error:
            mistakes += error.mistakes
        except UsageError as error:
            mistakes.append(error)
    for mistake in mistakes:
        if origin is not None and mistake.file is None:
            mistake.file, mistake.line, mistake.column = origin.file, origin.line, origin.column
    if mistakes:
        raise RuleError(tuple(mistakes))
    return tuple(packs)


def _pack(reference: str, folder: Path) -> Pack:
    if reference == RECOMMENDED:
        return recommended()
    if reference.startswith(BUILT_IN):
        raise UsageError("no such built-in rule pack", subject=visible(reference), expected=RECOMMENDED)
    if reference.startswith(PACKAGE):
        place, name = _installed(reference), reference
    else:
        place, name = folder / reference, Path(reference).as_posix()
    if not _is_folder(place):
        near = closest(reference, [RECOMMENDED]) or f"a pack is {RECOMMENDED}, pkg:NAME or a folder of .yaml files"
        raise UsageError("no such rule pack", subject=visible(reference), hint=near)
    files = _texts(place, name)
    if not files:
        raise UsageError("a rule pack holds no .yaml file", subject=reference, hint="`ddbmig rules new` writes one")
    return Pack(name, files)


def _is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except OSError:  # a name that is too long, or a folder that may not be looked into
        return False


def _texts(folder: Traversable, name: str) -> tuple[tuple[str, str], ...]:
    """(name, text) of every YAML file below a folder, in the order of their names. Raises RuleError where some cannot
    be read, with all of them."""
    texts, mistakes = list[tuple[str, str]](), list[UsageError]()
    for path, entry in _files(folder, name):
        try:
            texts.append((path, decoded(path, entry.read_bytes())))
        except OSError as error:
            mistakes.append(UsageError(f"cannot be read ({error.strerror})", path, hint="check its permissions"))
        except UsageError as error:
            mistakes.append(error)
    if mistakes:
        raise RuleError(tuple(mistakes))
    return tuple(texts)


def _files(folder: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(_SUFFIXES):
            yield f"{name}/{entry.name}", entry


def _installed(reference: str) -> Path:
    """The folder of an installed package's rules; found without importing the package.

    `pkg:NAME` is the name of an entry point of the group, or that of the distribution that has one.
    """
    wanted = reference.removeprefix(PACKAGE)
    found: dict[str, str] = {}
    for point in metadata.entry_points(group=ENTRY_POINTS):
        found[point.name] = point.value
        if point.dist is not None:
            found[point.dist.name] = point.value
    if wanted not in found:
        hint = closest(wanted, found) or (f"installed: {', '.join(sorted(found))}" if found else "pip install it first")
        raise UsageError("no installed package offers these rules", subject=visible(reference), hint=hint)
    package, *folders = found[wanted].split(".")
    spec = find_spec(package)
    for location in spec.submodule_search_locations or () if spec else ():
        return Path(location).joinpath(*folders)
    raise UsageError(
        "the package of these rules is no folder", subject=reference, expected="a package with .yaml files"
    )
