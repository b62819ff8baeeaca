"""DynamoDB JSON, and the one text of an item: names in their order, numbers in one notation, no blanks.

Two equal items have equal texts, whether they were made from a row or read from an endpoint.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from decimal import Context, Decimal
from json.encoder import encode_basestring
from typing import Any

from ddbmig.model.encodings import MAX_DIGITS

_EXACT = Context(prec=MAX_DIGITS)
_PLACES = 60
"""Places of a number beyond which it is written with an exponent."""


def number_text(number: Decimal) -> str:
    """A number in one notation: plain digits without superfluous zeros, an exponent where there would be many."""
    if not number:
        return "0"
    trimmed = number.normalize(_EXACT)
    return format(trimmed, "f") if abs(trimmed.adjusted()) < _PLACES else format(trimmed, "E")


def value_text(value: Any) -> str:
    """The JSON of one value in boto3's Python types as encodings make them: str, Decimal or int, bytes, bool."""
    if isinstance(value, str):
        return '{"S":' + encode_basestring(value) + "}"
    if isinstance(value, bool):
        return '{"BOOL":true}' if value else '{"BOOL":false}'
    if isinstance(value, int):
        return f'{{"N":"{value}"}}'
    if isinstance(value, Decimal):
        return f'{{"N":"{number_text(value)}"}}'
    if isinstance(value, bytes):
        return f'{{"B":"{base64.b64encode(value).decode()}"}}'
    raise TypeError(f"{type(value).__name__} is no value that an encoding makes")


def item_text(item: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of an item in the form of botocore, e.g. of one that a Scan gave."""
    return "{" + ",".join(attribute_text(name, item[name]) for name in sorted(item)) + "}"


def attribute_text(name: str, value: Mapping[str, Any]) -> str:
    """The text of one attribute of an item in the form of botocore."""
    return f"{encode_basestring(name)}:{_wire_text(value)}"


def _wire_text(value: Mapping[str, Any]) -> str:
    ((kind, content),) = value.items()
    if kind == "S":
        return '{"S":' + encode_basestring(content) + "}"
    if kind == "N":
        return f'{{"N":"{content if content.isdigit() else number_text(Decimal(content))}"}}'
    if kind == "B":
        return f'{{"B":"{base64.b64encode(content).decode()}"}}'
    return json.dumps({kind: _plain(kind, content)}, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _plain(kind: str, content: Any) -> Any:
    """A value of a type that no encoding makes, in an order of its own; it differs from all that were loaded."""
    if kind == "L":
        return [_wire_text(member) for member in content]
    if kind == "M":
        return item_text(content)
    if kind == "BS":
        return sorted(base64.b64encode(member).decode() for member in content)
    return sorted(content) if kind in ("SS", "NS") else content


def wire_item(text: str | bytes) -> dict[str, Any]:
    """An item of DynamoDB JSON in the form that botocore sends: bytes in place of base64."""
    found: dict[str, Any] = json.loads(text)
    for name, value in found.items():
        if "B" in value:
            found[name] = {"B": base64.b64decode(value["B"])}
    return found


def checksum(text: bytes) -> int:
    """64 bits of an item's text. Sums of them modulo 2^64 do not depend on the order of items."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
