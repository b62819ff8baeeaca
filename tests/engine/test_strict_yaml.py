"""YAML without surprises."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ddbmig.engine.strict_yaml import Node, read_yaml


def plain(node: Node) -> object:
    if isinstance(node.value, tuple):
        return [plain(item) for item in node.value]
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    return node.value


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "there twice"),
        ("a: &x 1\nb: *x\n", 1, 4, "anchors"),
        ("a: &x 1\nb: *x\n", 2, 4, "aliases"),
        ("a: !!python/object/apply:os.system [x]\n", 1, 4, "tags"),
        ("a: !!str 1\n", 1, 4, "tags"),
        ("a: no\n", 1, 4, "bool"),
        ("a: Yes\n", 1, 4, "bool"),
        ("a: True\n", 1, 4, "bool"),
        ("on: 1\n", 1, 1, "bool"),
        ("a: 12:30\n", 1, 4, "int"),
        ("a: 010\n", 1, 4, "int"),
        ("a: 0x1F\n", 1, 4, "int"),
        ("a: 1_000\n", 1, 4, "int"),
        ("a: .5\n", 1, 4, "float"),
        ("a: .inf\n", 1, 4, "float"),
        ("a: 2026-11-22\n", 1, 4, "timestamp"),
        ("a: ~\n", 1, 4, "null"),
        ("a:\n", 1, 3, "null"),
        ("a: null\n", 1, 4, "null"),
        ("<<: {b: 1}\n", 1, 1, "merge"),
        ("1: b\n", 1, 1, "plain word"),
        ("? [a]\n: b\n", 1, 3, "plain word"),
        ("a: 1\n---\nb: 2\n", 2, 1, "more than one document"),
        ("[" * 40 + "]" * 40, 1, 31, "nested too deeply"),
        ("a: [1\n", 2, 1, "not YAML"),
        ("a: b: c\n", 1, 5, "not YAML"),
        ("", 1, 1, "empty"),
        ("a: \x00", 1, 4, "U+0000"),
        ("a: b\n\u202ec: d", 2, 1, "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("a: b\n\ufeffc: d", 2, 1, "U+FEFF"),
        ("a: 99999999999999999999\n", 1, 4, "18 digits"),
    ],
)
def test_surprises_are_refused_with_their_place(text: str, line: int, column: int, message: str) -> None:
    _, mistakes = read_yaml("x.yaml", text)
    found = [(m.line, m.column) for m in mistakes if message in m.message + str(m)]
    assert (line, column) in found, [str(m) for m in mistakes]
    assert all(m.file == "x.yaml" for m in mistakes)


def test_all_mistakes_are_found_at_once() -> None:
    _, mistakes = read_yaml("x.yaml", "a: no\nb: 12:30\na: 1\n")
    assert [m.line for m in mistakes] == [1, 2, 3]


def test_values_know_their_places() -> None:
    tree, mistakes = read_yaml("x.yaml", "a: {b: +30, c: 0.5}\nd:\n  - 'x'\n  - true\n")
    assert not mistakes
    assert tree is not None
    assert plain(tree) == {"a": {"b": 30, "c": 0.5}, "d": ["x", True]}
    assert isinstance(tree.value, dict)
    item = tree.value["d"].value[0]
    assert (item.place.line, item.place.column, item.inside.column) == (3, 5, 6)
    assert (tree.keys["d"].line, tree.keys["d"].column) == (2, 1)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_tree_or_mistakes(text: str) -> None:
    tree, mistakes = read_yaml("x.yaml", text)
    assert mistakes or isinstance(tree, Node)


# PyYAML itself does not read back what it dumps of the line breaks that only Unicode knows.
DUMPED = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"), max_size=9)


@settings(deadline=None)
@given(st.recursive(
    st.booleans() | st.integers(-10**9, 10**9) | DUMPED,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(DUMPED, inner, max_size=3), max_leaves=8,
))  # fmt: skip
def test_what_a_safe_dump_writes_is_read_as_it_was(value: object) -> None:
    tree, mistakes = read_yaml("x.yaml", yaml.dump(value, Dumper=NoAliases, allow_unicode=True))
    assert not mistakes
    assert tree is not None
    assert plain(tree) == value


class NoAliases(yaml.SafeDumper):
    """Writes equal lists twice instead of an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True
