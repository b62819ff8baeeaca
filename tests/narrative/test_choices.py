"""Choices handed to a model: asked once by a tool, recorded, replayed, shown in the diff; else the default stands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ddbmig.model.assessment import Assessment
from ddbmig.model.design import Design
from ddbmig.model.snapshot import Snapshot
from ddbmig.narrative.client import Asking
from ddbmig.project import open_project
from ddbmig.resolving import TOOL, resolve
from messages_api import MessagesApi, Reply, messages_api
from small_shop import Done, contents, ddbmig, write_shop

OPEN = "order_lines.order_id->orders.id"
REASON = "The rules give this option more points than the default."
SET = ("--set", "narrative.model=claude-sonnet-4-6")


def call(option: str, reason: str = REASON, **more: Any) -> Reply:
    return Reply(tool=TOOL, arguments=json.dumps({"option": option, "reason": reason, **more}), stop="tool_use")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop as far as stage 3, with nothing handed over."""
    folder: Path = write_shop(tmp_path_factory.mktemp("choices") / "shop")
    assert ddbmig("analyze", folder, "--approve", "2", *SET).code == 3
    return folder


@pytest.fixture
def shop(plain: Path, tmp_path: Path) -> Path:
    """The same with the open choice handed to a model."""
    folder = tmp_path / "shop"
    for name, data in contents(plain).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    done = ddbmig("choose", OPEN, "model", "--project", folder)
    assert done.code == 0, done.err
    assert "resolve: model" in (folder / "decisions.yaml").read_text()
    return folder


@contextmanager
def asked(replies: list[Reply], monkeypatch: pytest.MonkeyPatch) -> Iterator[MessagesApi]:
    with messages_api(replies) as api, monkeypatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "a key of tests")
        patch.setenv("ANTHROPIC_BASE_URL", api.url)
        patch.delenv("CI", raising=False)
        patch.setattr("ddbmig.narrative.client.LONGEST_PAUSE", 0.0)
        yield api


def analyze(folder: Path, *words: str) -> Done:
    return ddbmig("analyze", folder, *SET, *words)


def design(folder: Path) -> bytes:
    return (folder / "migration" / "design.json").read_bytes()


def chosen(folder: Path) -> str | None:
    (found,) = json.loads(design(folder))["choices"]
    option: str | None = found["chosen"]
    return option


def test_the_model_is_asked_once_and_its_option_is_taken(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked([call("embed")], monkeypatch) as api:
        done = analyze(shop)
        assert done.code == 3, done.err
        assert f"{OPEN}: embed by claude-sonnet-4-6" in " ".join(done.out.split())
        (request,) = api.requests
        assert chosen(shop) == "embed"
        first = design(shop)
        assert analyze(shop).code == 3
        (shop / "migration" / "design.json").unlink()
        assert analyze(shop, "--no-model").code == 3  # replayed
        assert (design(shop), len(api.requests)) == (first, 1)
    (tool,) = request["tools"]
    assert request["tool_choice"] == {"type": "tool", "name": TOOL, "disable_parallel_tool_use": True}
    assert set(tool["input_schema"]["properties"]["option"]["enum"]) == {
        "separate",
        "denormalize",
        "embed",
        "collocate",
    }
    facts = json.loads(request["messages"][0]["content"])
    told = {(one["of"], one["unit"]) for one in facts["figures"]}
    assert {("embed", "points"), ("embed", "USD a month"), ("separate", "USD a month")} <= told
    (record,) = json.loads((shop / "model_choices.json").read_text())
    assert (record["option"], record["model"], record["reason"]) == ("embed", "claude-sonnet-4-6", REASON)
    assert len(record["input"]) == 64


def test_the_diff_shows_who_decided_what_and_the_stage_waits_for_approval(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ddbmig("approve", "3", "--project", shop).code == 0
    with asked([call("embed")], monkeypatch):
        done = analyze(shop)
    assert "stage 3 (Data model) waits for your approval" in done.err
    shown = ddbmig("diff", "3", "--project", shop)
    assert shown.code == 0, shown.err
    assert "decided by claude-sonnet-4-6" in shown.out
    assert REASON in shown.out


@pytest.mark.parametrize("reply", [
    call("delete everything"), call("EMBED"), call(""), call("embed", extra=1), Reply("embed"), Reply(""),
    Reply(tool=TOOL, arguments="{", stop="tool_use"), Reply(tool=TOOL, arguments='["embed"]', stop="tool_use"),
    Reply(tool=TOOL, arguments='{"option": "embed"}', stop="tool_use"),
    Reply(tool=TOOL, arguments='{"option": ["embed"], "reason": "x"}', stop="tool_use"),
    Reply(tool=TOOL, arguments='{"option": "embed", "reason": 1}', stop="tool_use"),
    Reply(tool="approve", arguments='{"option": "embed", "reason": "x"}', stop="tool_use"),
    Reply(tool=TOOL, arguments='{"option": "embed", "reason": "x"}', stop="max_tokens"),
    Reply("", stop="refusal"),
], ids=lambda reply: f"{reply.stop} {reply.text}{reply.tool} {reply.arguments}"[:60])  # fmt: skip
def test_anything_but_an_offered_option_is_no_answer(reply: Reply, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, out = open_project(shop, None, SET[1:]), shop / "migration"
    values = (Snapshot.from_file(out / "snapshot.json"), Assessment.from_file(out / "assessment.json"),
              Design.from_file(out / "design.json"))  # fmt: skip
    with asked([reply], monkeypatch) as api:
        (found,) = resolve(project, values, project.decisions().flagged, Asking(may_ask=True))
        assert resolve(project, values, project.decisions().flagged, Asking(may_ask=False)) == (found,)
        assert len(api.requests) == 1
    assert (found.option, found.default, len(found.input)) == ("", "separate", 64)
    assert [found.model_dump(mode="json")] == json.loads((shop / "model_choices.json").read_text())


def test_no_answer_leaves_the_default(plain: Path, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked([call("delete everything")], monkeypatch):
        done = analyze(shop)
    assert done.code == 3, done.err
    assert f"{OPEN}: separate by claude-sonnet-4-6 (the default: no option came)" in " ".join(done.out.split())
    assert design(shop) == design(plain)


def test_what_fails_leaves_the_default_and_is_asked_again(
    plain: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asked([Reply(status=529)], monkeypatch):
        done = analyze(shop)
        assert "the default, since no model has answered yet" in " ".join(done.out.split())
    assert design(shop) == design(plain)
    assert not (shop / "model_choices.json").exists() or json.loads((shop / "model_choices.json").read_text()) == []
    with asked([call("embed")], monkeypatch):
        analyze(shop)
    assert chosen(shop) == "embed"


def test_without_a_model_a_choice_must_be_recorded(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(shop)
    for words, ci in ((("--no-model",), ""), ((), "true")):
        with asked([call("embed")], monkeypatch) as api:
            monkeypatch.setenv("CI", ci)
            done = analyze(shop, *words)
        assert (done.code, api.requests) == (2, [])
        assert f"this choice is handed to a model, and no answer to it is recorded ({OPEN})" in done.err
    assert contents(shop) == before


def test_a_model_that_cannot_be_forced_is_offered_the_tool(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked([call("embed")], monkeypatch) as api:
        analyze(shop, "--set", "narrative.model=claude-opus-5-5")
    (request,) = api.requests
    assert request["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert chosen(shop) == "embed"


def test_a_reason_beyond_the_facts_is_left_out_and_a_record_edited_to_another_option_is_none(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asked([call("embed", "It saves $99 a month, guaranteed.")], monkeypatch) as api:
        analyze(shop)
        (record,) = json.loads((shop / "model_choices.json").read_text())
        assert record["option"] == "embed"
        assert record["reason"].startswith("(the model's reason is left out: ")
        assert "guaranteed" not in record["reason"]
        (shop / "model_choices.json").write_text(json.dumps([{**record, "option": "drop"}]))
        analyze(shop)
        assert len(api.requests) == 2


MANDATORY = """\
id: ORG001
title: no-common-tables
applies_to: relationship
status: stable
since: "1"
mandatory: true
when:
  all:
    - default(reads.joint_share, -1) >= 0
severity: error
forbids: [collocate]
because: "no team may share a table, joint share {reads.joint_share}"
why: |
  The organisation has decided so.
instead: |
  Give each kind of item its table.
source: "own: no-common-tables"
tests:
  - {given: {reads.joint_share: 0.5}, expect: fires}
  - {given: {}, expect: silent}
"""


def test_what_a_mandatory_rule_forbids_is_no_option_for_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = write_shop(tmp_path / "shop")
    (folder / "rules").mkdir()
    (folder / "rules" / "ORG001.yaml").write_text(MANDATORY)
    config = folder / "ddbmig.yaml"
    config.write_text("extends: [ddbmig:recommended, ./rules]\n" + config.read_text())
    done = ddbmig("analyze", folder, "--approve", "2", *SET)
    assert done.code == 3, done.err
    assert ddbmig("choose", OPEN, "model", "--project", folder).code == 0
    with asked([call("collocate")], monkeypatch) as api:
        done = analyze(folder)
        assert done.code == 3, done.err
        (request,) = api.requests
    assert "collocate" not in request["tools"][0]["input_schema"]["properties"]["option"]["enum"]
    assert "embed" in request["tools"][0]["input_schema"]["properties"]["option"]["enum"]
    (record,) = json.loads((folder / "model_choices.json").read_text())
    assert (record["option"], record["reason"]) == ("", "the answer is an option that was not offered")
    assert chosen(folder) is None


def test_what_is_not_open_cannot_be_handed_over(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / "decisions.yaml").write_text('choices:\n  "books.author_id->authors.id": {resolve: model}\n')
    with asked([call("embed")], monkeypatch) as api:
        done = analyze(shop)
    assert (done.code, api.requests) == (2, [])
    assert "decisions.yaml hands a choice to a model that is not open (books.author_id->authors.id)" in done.err


def test_a_misspelt_flag_is_told_with_its_place(shop: Path) -> None:
    (shop / "decisions.yaml").write_text(f'choices:\n  "{OPEN}": {{resolve: modle}}\n')
    done = analyze(shop)
    assert done.code == 2
    assert "decisions.yaml:2:" in done.err
