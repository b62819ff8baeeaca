"""`ddbmig narrate --narrative anthropic`: the real client against a server on this machine that speaks the API."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from adversarial import ANSWERS, answer_of

from ddbmig import narrating
from ddbmig.narrative.client import Asking
from ddbmig.project import open_project
from messages_api import MessagesApi, Reply, messages_api
from small_shop import Done, contents, ddbmig, write_shop

REFUSED = "its answers were refused, the last one because"
GOOD = "The facts of the section speak for themselves."


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with all six stages."""
    folder: Path = write_shop(tmp_path_factory.mktemp("model") / "shop")
    assert ddbmig("analyze", folder, "--engine", "moto", "--approve", "all").code == 0
    return folder


@pytest.fixture
def shop(analysed: Path) -> Iterator[Path]:
    """The same without pages and kept answers."""
    yield analysed
    for path in sorted((analysed / "migration").glob("*arrative*/*")) + sorted((analysed / "migration").glob("N*.md")):
        path.unlink()


@contextmanager
def asked(replies: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MessagesApi]:
    with messages_api(replies) as api, monkeypatch.context() as patch:
        patch.setenv("ANTHROPIC_API_KEY", "a key of tests")
        patch.setenv("ANTHROPIC_BASE_URL", api.url)
        patch.delenv("CI", raising=False)
        patch.setattr(Asking, "__init__", _without_pauses(Asking.__init__))
        yield api


def _without_pauses(made: Callable[..., None]) -> Callable[..., None]:
    def init(self: Asking, *given: Any, **named: Any) -> None:
        made(self, *given, **named)
        self.pause = lambda _: None

    return init


def narrate(shop: Path, *words: str) -> Done:
    return ddbmig("narrate", shop, "--narrative", "anthropic", *words)


def page_of(shop: Path, audience: str = "engineer") -> str:
    return (shop / "migration" / f"Narrative.{audience}.md").read_text()


def structure(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("#")]


# --- the way that goes well ---


def test_a_model_writes_the_sections_and_the_page_says_so(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked([Reply(GOOD)], monkeypatch) as api:
        done = narrate(shop)
    assert done.code == 0, done.err
    assert len(api.requests) == 6
    assert all(one["stream"] and one["model"] == "claude-sonnet-5-5" for one in api.requests)
    page = page_of(shop)
    assert page.count(GOOD) == page.count("<!-- ddbmig:prose model=claude-sonnet-5-5 input=") == 6
    assert page.count("Written by claude-sonnet-5-5 from facts") == page.count("<!-- /ddbmig:prose -->") == 6
    assert "6 sections by the model, 0 in our own words." in done.out
    assert "Spent: 6,000 tokens in and 600 out, $0.0180." in done.out
    assert "6 sections to ask claude-sonnet-5-5 for: at most " in done.err
    assert "the budget is $1.00" in done.err


def test_what_is_sent_is_what_the_dry_run_shows(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [one["request"] for one in json.loads(ddbmig("narrate", shop, "--dry-run").out)]
    with asked([Reply(GOOD)], monkeypatch) as api:
        narrate(shop)
    assert [{key: one[key] for key in shown[0]} for one in api.requests] == shown
    assert {key for one in api.requests for key in one} == {*shown[0], "stream"}


def test_a_second_run_makes_no_call_and_writes_the_same(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked([Reply(GOOD)], monkeypatch) as api:
        narrate(shop)
        page = page_of(shop)
        assert narrate(shop).out.splitlines()[1] == "Spent: 0 tokens in and 0 out, $0.0000."
        assert len(api.requests) == 6
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert narrate(shop).code == 0  # nor does it need a key
    assert page_of(shop) == page


def test_pseudonyms_are_sent_and_names_come_back(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def about(body: dict[str, Any]) -> Reply:
        facts = json.loads(facts_in(body))
        return Reply(f"Here `{facts['about']}` is spoken of." if "about" in facts else GOOD)

    with asked(about, monkeypatch) as api:
        assert narrate(shop, "--pseudonyms").code == 0
    assert "order_lines" not in json.dumps(api.requests)
    assert "Here `order_lines.order_id->orders.id` is spoken of." in page_of(shop)
    assert "table_" not in page_of(shop)


# --- the ways that do not ---


SHOWN = [case for case in ANSWERS if not case.get("holds_in_the_shop")]


@pytest.mark.parametrize("cases", [SHOWN[n : n + 3] for n in range(0, len(SHOWN), 3)],
                         ids=lambda cases: ", ".join(case["name"] for case in cases))  # fmt: skip
def test_no_adversarial_answer_changes_the_page_but_for_its_remark(
    cases: list[dict[str, Any]], shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the three sections is answered by a case of its own, twice."""
    ddbmig("narrate", shop, "--audience", "executive")
    before, ours = contents(shop), page_of(shop, "executive")

    def adversary(body: dict[str, Any]) -> Reply:
        section = json.loads(facts_in(body))["section"]
        return Reply(answer_of(cases[("summary", "trade-offs", "risks").index(section) % len(cases)]))

    with asked(adversary, monkeypatch) as api:
        done = narrate(shop, "--audience", "executive")
    assert done.code == 0, done.err
    assert len(api.requests) == 6
    page = page_of(shop, "executive")
    assert structure(page) == structure(ours)
    remarks = [line for line in page.splitlines() if line not in ours.splitlines()]
    assert len(remarks) == 3
    assert all("did not write this section" in line and "This is our own text." in line for line in remarks)
    after = contents(shop)
    assert [name for name in before if after[name] != before[name]] == ["migration/Narrative.executive.md"]


def facts_in(body: dict[str, Any]) -> str:
    content = body["messages"][0]["content"]
    return content if isinstance(content, str) else str(content[0]["text"])


def test_a_refused_answer_is_asked_for_once_more_with_the_reason(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first_wrong(body: dict[str, Any]) -> Reply:
        return Reply("It costs $99 a month." if isinstance(body["messages"][0]["content"], str) else GOOD)

    with asked(first_wrong, monkeypatch) as api:
        done = narrate(shop, "--audience", "executive")
    assert "3 sections by the model, 0 in our own words." in done.out
    said = json.loads(api.requests[1]["messages"][0]["content"][1]["text"])
    assert said["refused_answer"] == "It costs $99 a month."
    assert said["refused_because"].startswith("“$99” is no number of the facts")


@pytest.mark.parametrize(("reply", "calls", "why"), [
    (Reply(status=429, kind="rate_limit_error"), 4, "the server answers rate_limit_error, 4 times"),
    (Reply(status=529, kind="overloaded_error"), 4, "the server answers overloaded_error, 4 times"),
    (Reply(status=500), 4, "the server answers api_error, 4 times"),
    (Reply(GOOD, breaks="overloaded_error"), 4, "the server answers overloaded_error, 4 times"),
    (Reply(GOOD, events=4), 4, "the connection broke, 4 times"),
    (Reply(GOOD, wait=0.4), 4, "no answer within 0.3 seconds, 4 times"),
    (Reply("", stop="refusal"), 1, "the model declined"),
    (Reply(GOOD, stop="max_tokens"), 2, f"{REFUSED} the answer was cut off (max_tokens)"),
    (Reply("", tool="approve", arguments="{}", stop="tool_use"), 2, f"{REFUSED} the answer was cut off (tool_use)"),
], ids=str)  # fmt: skip
def test_what_fails_is_told_and_the_page_is_ours(
    reply: Reply, calls: int, why: str, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asked([reply], monkeypatch) as api:
        done = narrate(shop, "--audience", "executive", "--set", f"narrative.seconds={0.3 if reply.wait else 60}")
    assert done.code == 0, done.err
    assert len(api.requests) == 3 * calls
    assert page_of(shop, "executive").replace("\\", "").count(f"did not write this section: {why}.") == 3
    assert done.err.count(f": {why}\n") == 3


def test_a_busy_server_is_asked_again_and_what_failed_is_not_kept(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = [Reply(status=529, kind="overloaded_error"), Reply(status=429, kind="rate_limit_error"), Reply(GOOD)]
    with asked(busy, monkeypatch) as api:
        done = narrate(shop, "--audience", "executive")
    assert len(api.requests) == 5
    assert "3 sections by the model" in done.out
    with asked([Reply(status=529, kind="overloaded_error")], monkeypatch):
        narrate(shop)
    with asked([Reply(GOOD)], monkeypatch) as api:
        narrate(shop)
    assert len(api.requests) == 6


def test_the_server_says_how_long_to_wait(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    project = open_project(shop, None)
    busy = [Reply(status=429, headers={"retry-after": "7"}), Reply(status=429, headers={"retry-after": "9000"}),
            Reply(status=529), Reply(GOOD)]  # fmt: skip
    with asked(busy, monkeypatch):
        asking = Asking()
        asking.pause = waited.append
        narrating.write_by_model(project, "executive", False, asking)
    assert waited == [7.0, 30.0, 4.0]


@pytest.mark.parametrize(("status", "kind", "said"), [
    (401, "authentication_error", "the key is refused (HTTP 401, authentication_error)"),
    (403, "permission_error", "the key may not use this model"),
    (404, "not_found_error", "there is no such model"),
    (400, "invalid_request_error", "the request is refused"),
])  # fmt: skip
def test_what_no_retry_can_help_ends_with_one_line_and_writes_nothing(
    status: int, kind: str, said: str, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(shop)
    with asked([Reply(status=status, kind=kind)], monkeypatch) as api:
        done = narrate(shop)
    assert (done.code, len(api.requests)) == (2, 1)
    assert said in done.err
    assert "a key of tests" not in done.err
    assert contents(shop) == before


def test_two_megabytes_are_not_read_to_their_end(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked([Reply("a" * 2_000_000)], monkeypatch):
        start = time.monotonic()
        done = narrate(shop, "--audience", "executive")
    assert time.monotonic() - start < 20
    assert done.err.count("longer than 4000 characters") == 3


# --- money ---


def test_no_call_is_made_that_might_cost_more_than_is_left(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst case of a call is some 4,000 tokens out for $0.04; so $0.10 pays for two of 3,900 and 100 tokens."""
    with asked([Reply(GOOD, tokens=(1000, 3900))], monkeypatch) as api:
        done = narrate(shop, "--set", "narrative.budget_usd=0.10")
        assert len(api.requests) == 2
        assert "2 sections by the model, 4 in our own words." in done.out
        assert done.err.count("the budget of $0.1 does not reach so far") == 4
        narrate(shop, "--set", "narrative.budget_tokens=10", "--set", "narrative.audience=executive")
        assert len(api.requests) == 2


def test_a_stream_that_breaks_counts_as_the_most_it_may_have_cost(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked([Reply(GOOD, events=4)], monkeypatch) as api:
        done = narrate(shop, "--set", "narrative.budget_usd=0.10")
    assert len(api.requests) == 2
    assert "Spent: 2,000 tokens in and 8,000 out, $0.0840." in done.out


def test_a_model_without_a_price_is_not_asked(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked([Reply(GOOD)], monkeypatch) as api:
        done = narrate(shop, "--set", "narrative.model=claude-unheard-of")
        assert (done.code, api.requests) == (2, [])
        assert "no price is known for this model (claude-unheard-of); expected claude-fable-5-2, " in done.err
        told = ("--set", "narrative.price.input=1", "--set", "narrative.price.output=2")
        assert narrate(shop, "--set", "narrative.model=claude-unheard-of", *told).code == 0
    assert {one["model"] for one in api.requests} == {"claude-unheard-of"}


# --- who is asked when ---


def test_without_a_key_nothing_is_written(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    before = contents(shop)
    done = narrate(shop)
    assert done.code == 2
    assert (
        done.err == "ddbmig: ANTHROPIC_API_KEY is not set; set it to ask a model, or leave --narrative anthropic out\n"
    )
    assert contents(shop) == before


def test_in_ci_a_configuration_alone_asks_nobody(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked([Reply(GOOD)], monkeypatch) as api:
        monkeypatch.setenv("CI", "true")
        done = ddbmig("narrate", shop, "--set", "narrative.by=anthropic")
        assert (done.code, api.requests) == (0, [])
        assert "it is not asked in CI unless the command says --narrative anthropic" in done.err
        monkeypatch.setenv("CI", "")
        assert ddbmig("narrate", shop, "--set", "narrative.by=anthropic").code == 0
        assert len(api.requests) == 6
        monkeypatch.setenv("CI", "true")
        assert narrate(shop, "--audience", "executive").code == 0
        assert len(api.requests) == 9


def test_a_kept_answer_that_was_edited_is_held_against_the_facts_again(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asked([Reply(GOOD)], monkeypatch) as api:
        narrate(shop)
        for path in (shop / "migration" / "narrative").glob("*.json"):
            path.write_text(path.read_text().replace(GOOD, "It is guaranteed to cost $1 a month."))
        done = narrate(shop)
        assert len(api.requests) == 6
    assert "0 sections by the model, 6 in our own words." in done.out
    assert "guaranteed to cost" not in page_of(shop)


def test_nothing_that_is_hashed_or_approved_changes_whether_a_model_is_off_on_or_failing(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All values, reports and the ledger byte for byte; and the stages are run anew to the same approvals."""
    before = contents(shop)
    for replies in ([Reply(GOOD)], [Reply("It costs $99 a month.")], [Reply(status=529)]):
        with asked(replies, monkeypatch):
            assert narrate(shop).code == 0
        found = {name: data for name, data in contents(shop).items() if "arrative" not in name}
        assert found == before
        done = ddbmig("analyze", shop, "--engine", "moto")
        assert done.code == 0, done.err
        assert {name: data for name, data in contents(shop).items() if "arrative" not in name} == before


def test_analyze_explains_its_result_where_it_is_asked_to(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(shop)
    with asked([Reply(GOOD)], monkeypatch) as api:
        done = ddbmig("analyze", shop, "--engine", "moto", "--narrative", "anthropic")
    assert done.code == 0, done.err
    assert len(api.requests) == 6
    assert "6 sections by the model, 0 in our own words." in done.out
    assert {name: data for name, data in contents(shop).items() if "arrative" not in name} == before


@pytest.mark.parametrize("replies", [[Reply(GOOD)], [Reply(status=529)]], ids=["on", "failing"])
def test_stages_that_are_made_anew_with_a_model_are_as_without(
    replies: list[Reply], analysed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read back here: six stages from the inputs to the contract, the prose in the same command."""
    anew = write_shop(tmp_path / "shop")
    with asked(replies, monkeypatch) as api:
        done = ddbmig("analyze", anew, "--engine", "moto", "--approve", "all", "--narrative", "anthropic")
        assert done.code == 0, done.err
        assert api.requests
    made, known = ({name: data for name, data in contents(folder).items() if "arrative" not in name}
                   for folder in (anew, analysed))  # fmt: skip
    assert made.keys() == known.keys()
    assert [name for name in made if made[name] != known[name]] == []
    assert {"migration/migrationContract.json", "migration/design.json", "migration/state.json"} <= made.keys()
