"""User text on its way through the engine."""

import json

from hypothesis import given
from hypothesis import strategies as st

from argosy.compiler.argo.text import node_text, safe_json
from argosy.runtime.node import LIMIT, expand

EVIL = [
    "{{workflow.name}}",
    "{{=1+1}}",
    "$(id)",
    "$HOME",
    "}}",
    "{",
    "\\{",
    '"',
    "\\",
    "\u2028",
    "\x7f",
    "🎈",
]
texts = st.lists(st.sampled_from([*EVIL, "a", " "]) | st.text(max_size=3)).map("".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_json_decodes_to_the_same_and_holds_nothing_that_is_replaced(value: object) -> None:
    text = safe_json(value)
    assert json.loads(text) == value
    assert text.isascii()
    for special in ("{{", "}}", "$", "\x7f"):
        assert special not in text


def test_plain_nodes_stay_readable() -> None:
    node = {"step": "a", "from": ["b"], "command": "churn.extract"}
    assert node_text(node) == '{"step":"a","from":["b"],"command":"churn.extract"}'


def test_a_node_too_long_for_an_argument_travels_packed() -> None:
    node = {"step": "a%7B", "command": "echo {{x}} " * LIMIT}
    text = node_text(node)
    assert len(text) < LIMIT
    assert "{{" not in text
    assert expand(json.loads(text)) == node
