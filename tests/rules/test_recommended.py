"""The built-in pack: its own tests pass, and notice every change of a condition."""

import pytest

from ddbmig.engine.rule import Rule
from ddbmig.engine.rule_tests import mutants, run_rule_tests, survivors
from ddbmig.engine.rulebook import load_rules
from ddbmig.packs import recommended

PACK = recommended()
BOOK = load_rules([PACK])


def test_every_rule_passes_its_own_tests() -> None:
    assert run_rule_tests(BOOK) == ()


def test_a_file_holds_one_rule_and_is_named_after_it() -> None:
    names = [f"ddbmig:recommended/{rule.id}-{rule.title}.yaml" for rule in BOOK.rules]
    assert [name for name, _ in PACK.files] == names


def test_only_the_five_production_warnings_carry_one() -> None:
    warned = {rule.id: rule.warning for rule in BOOK.rules if rule.warning}
    assert sorted(warned) == ["PW001", "PW002", "PW003", "PW004", "PW005", "PW006", "PW007"]
    assert all(text.startswith("Warning: ") for text in warned.values())
    assert (warned["PW006"], warned["PW007"]) == (warned["PW001"], warned["PW002"])  # simulated, in the same words


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_the_tests_of_a_rule_notice_every_change_of_its_conditions(rule: Rule) -> None:
    assert any(True for _ in mutants(rule))
    assert [mutant.change for mutant in survivors(rule)] == []
