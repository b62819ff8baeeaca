"""Rule packs: the built-in one, those of installed packages, and an organisation's folders. Data only: no code runs."""

from collections.abc import Iterator
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from ddbmig.engine.rule import Origin
from ddbmig.engine.rulebook import BUILT_IN, Pack
from ddbmig.engine.wording import closest
from ddbmig.model.context import RECOMMENDED
from ddbmig.model.errors import UsageError

ENTRY_POINTS = "ddbmig.rules"
"""The group under which an installed package names the folder of its rules, as `package` or `package.folder`."""
PACKAGE = "pkg:"
_SUFFIXES = (".yaml", ".yml")


def recommended() -> Pack:
    """The pack that ships with the product."""
    folder = resources.files("ddbmig.rules").joinpath("recommended")
    return Pack(RECOMMENDED, tuple(_texts(folder, RECOMMENDED)))


def read_packs(references: tuple[str, ...], folder: Path, origin: Origin | None = None) -> tuple[Pack, ...]:
    """The packs that `extends` names, in its order; folders are relative to `folder`.

    Raises UsageError, at `origin`, for a pack that is not there or holds no rules.
    """
    try:
        if not references:
            raise UsageError("no rule pack: every gate would be passed", expected=f"extends: [{RECOMMENDED}, …]")
        for reference in references:
            if references.count(reference) > 1:
                raise UsageError("this rule pack is named twice", subject=reference)
        return tuple(_pack(reference, folder) for reference in references)
    except UsageError as error:
        if origin is not None and error.file is None:
            error.file, error.line, error.column = origin.file, origin.line, origin.column
        raise


def _pack(reference: str, folder: Path) -> Pack:
    if reference == RECOMMENDED:
        return recommended()
    if reference.startswith(BUILT_IN):
        raise UsageError("no such built-in rule pack", subject=reference, expected=RECOMMENDED)
    if reference.startswith(PACKAGE):
        place, name = _installed(reference), reference
    else:
        place, name = folder / reference, Path(reference).as_posix()
    if not place.is_dir():
        near = closest(reference, [RECOMMENDED])
        raise UsageError("no such rule pack", subject=reference, hint=near or "a pack is a folder of .yaml files")
    files = tuple(_texts(place, name))
    if not files:
        raise UsageError("a rule pack holds no .yaml file", subject=reference)
    return Pack(name, files)


def _texts(folder: Traversable, name: str) -> Iterator[tuple[str, str]]:
    """(name, text) of every YAML file below a folder, in the order of their names."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _texts(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(_SUFFIXES):
            try:
                yield f"{name}/{entry.name}", entry.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                hint = "save it as UTF-8"
                raise UsageError("cannot be read as UTF-8 text", f"{name}/{entry.name}", hint=hint) from error


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
        raise UsageError("no installed package offers these rules", subject=reference, hint=hint)
    package, *folders = found[wanted].split(".")
    spec = find_spec(package)
    for location in spec.submodule_search_locations or () if spec else ():
        return Path(location).joinpath(*folders)
    raise UsageError(
        "the package of these rules is no folder", subject=reference, expected="a package with .yaml files"
    )
