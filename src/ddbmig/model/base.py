"""What every value shares: frozen, closed, and one canonical JSON form."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from ddbmig.model.errors import InputError, VersionError


class Value(BaseModel):
    """A frozen value; unknown fields are refused. Collections are tuples, or mappings written with sorted keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical_json(data: Any) -> bytes:
    """The one JSON text of `data`: sorted keys, UTF-8, no NaN, one trailing newline. Same value, same bytes."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def sha256(data: bytes) -> str:
    """Hex SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


class Document(Value):
    """A value that is kept in a file of its own and carries the version of its shape."""

    SCHEMA_VERSION: ClassVar[int]
    PROVENANCE: ClassVar[Mapping[str, Any]] = {}
    """Fields that say where the value came from, as pydantic's `exclude`; not part of what a person approves."""

    schema_version: int

    def to_bytes(self) -> bytes:
        """Canonical JSON of the whole value."""
        return canonical_json(self.model_dump(mode="json"))

    def decision_hash(self) -> str:
        """SHA-256 of the decision content: the value without its provenance. This is what an approval names."""
        return sha256(canonical_json(self.model_dump(mode="json", exclude=dict(self.PROVENANCE))))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a saved value.

        Raises VersionError when it was written under another SCHEMA_VERSION, InputError when it is no such value.
        """
        name = cls.__name__
        try:
            data = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read this {name} value", file=str(path), hint="run the stage again") from error
        found = data.get("schema_version") if isinstance(data, dict) else None
        if found != cls.SCHEMA_VERSION:
            raise VersionError(
                f"{name} value has schema_version {found!r}",
                file=str(path),
                expected=f"schema_version {cls.SCHEMA_VERSION}",
                hint="run the stage again with this version of ddbmig",
            )
        try:
            return cls.model_validate_json(json.dumps(data))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InputError(
                f"not a {name} value: {first['msg']}", file=str(path), subject=where, hint="run the stage again"
            ) from error
