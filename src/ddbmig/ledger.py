"""The ledger of approvals, `approvals.jsonl`: which stage was approved as what, how, and with what note.

An entry names the hash of a stage's decision content; the latest entry of a stage counts. An entry without a hash
reopens the stage. A copy of each value as it was approved is kept beside the values, so that `ddbmig diff` can say what
has changed since.
"""

import json
from pathlib import Path

from ddbmig.model.base import Value
from ddbmig.model.errors import UsageError
from ddbmig.project import Project, write_file

KEPT = "approved"
"""Folder, beside the values, of their copies as approved."""


class Approval(Value):
    """One line of the ledger."""

    stage: int
    decision: str
    """Empty: the stage was reopened."""
    by: str = ""
    """The way it was given: `--approve`, `prompt`, `ddbmig approve`, `ddbmig reopen`."""
    note: str | None = None


def approved(project: Project, stage: int) -> str | None:
    """The decision hash that the latest approval of a stage names; None where it was never approved, or reopened.

    Raises UsageError for a damaged ledger.
    """
    latest = None
    for entry in _entries(project):
        if entry.stage == stage:
            latest = entry.decision
    return latest or None


def record_approval(project: Project, approval: Approval, value: str) -> None:
    """Append an approval, and keep a copy of the value (a file of the output folder) as it was approved."""
    _append(project, approval)
    keep_as_approved(project, value)


def keep_as_approved(project: Project, value: str) -> None:
    """Keep a copy of a value whose decision content is the approved one, where there is none of these bytes."""
    content, kept = (project.out / value).read_bytes(), as_approved(project, value)
    if not kept.is_file() or kept.read_bytes() != content:
        write_file(kept, content)


def record_reopening(project: Project, stage: int, note: str | None) -> None:
    """Append that a stage is open again."""
    _append(project, Approval(stage=stage, decision="", by="ddbmig reopen", note=note))


def as_approved(project: Project, value: str) -> Path:
    """Where the copy of a value as approved lies, if there is one."""
    return project.out / KEPT / value


def _append(project: Project, approval: Approval) -> None:
    known = project.approvals_file.read_bytes() if project.approvals_file.exists() else b""
    line = json.dumps(approval.model_dump(exclude_none=True), sort_keys=True, ensure_ascii=True)
    write_file(project.approvals_file, known + line.encode() + b"\n")


def _entries(project: Project) -> list[Approval]:
    if not project.approvals_file.exists():
        return []
    entries = []
    for number, line in enumerate(project.approvals_file.read_bytes().splitlines(), 1):
        try:
            entries.append(Approval.model_validate_json(line))
        except ValueError as error:
            raise UsageError("not an approval", file=str(project.approvals_file), line=number,
                             hint="restore the file from version control") from error  # fmt: skip
    return entries
