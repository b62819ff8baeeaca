"""The tables of one run on an endpoint that others use too: no other run has their names, and they are removed.

Each run has a token, which its tables carry and which names a file in the cache. The run holds a lock on that file as
long as it lives; a file that nobody holds is of a run that was killed, and the next run removes what it left behind.
Runs of other machines have no file here and are left alone.
"""

import fcntl
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ddbmig.model.errors import UsageError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "ddbmig_validation_"
"""Begins the name of every table that a validation makes."""
RUNS = "runs"
"""The folder of the cache that holds a file for each run on a shared endpoint."""
_OF_A_RUN = re.compile(rf"{PREFIX}([0-9a-f]{{8}})_")


@contextmanager
def own_tables(client: "DynamoDBClient", cache: Path) -> Iterator[str]:
    """A prefix for table names that no other run has. Whatever carries it is removed after the `with` block.

    First removes what killed runs of this machine left on the endpoint. Raises UsageError where the cache cannot be
    written.
    """
    token, folder = secrets.token_hex(4), cache / RUNS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = (folder / token).open("wb")
    except OSError as error:
        fact = f"ddbmig's cache cannot be written ({error.strerror})"
        raise UsageError(fact, hint="make room, or name another folder in DDBMIG_CACHE") from error
    prefix = f"{PREFIX}{token}_"
    with held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            _remove_leftovers(client, folder)
            yield prefix
        finally:
            _remove(client, prefix, folder / token)


def _remove_leftovers(client: "DynamoDBClient", folder: Path) -> None:
    """Remove the tables here of runs that have a file but no longer hold it."""
    tokens = {found[1] for name in _tables(client) if (found := _OF_A_RUN.match(name))}
    for token in sorted(tokens):
        file = folder / token
        if file.exists() and _is_free(file):
            _remove(client, f"{PREFIX}{token}_", file)


def _is_free(file: Path) -> bool:
    with file.open("rb") as other:
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _remove(client: "DynamoDBClient", prefix: str, file: Path) -> None:
    """Remove the tables of a run, then its file; this stays where a table cannot be removed yet."""
    busy = False
    for name in [name for name in _tables(client) if name.startswith(prefix)]:
        try:
            client.delete_table(TableName=name)
        except client.exceptions.ResourceNotFoundException:
            continue
        except client.exceptions.ResourceInUseException:  # it is still being created, or already being removed
            busy = True
    if not busy:
        file.unlink(missing_ok=True)


def _tables(client: "DynamoDBClient") -> Iterator[str]:
    for page in client.get_paginator("list_tables").paginate():
        yield from page["TableNames"]
