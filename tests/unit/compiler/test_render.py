"""Values in a manifest."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from argosy.compiler import source
from argosy.compiler.render import as_yaml

HARD = st.text("ab \"'\\\n\t{}:,#\u2028\x85\x7f\ufeff\N{GRINNING FACE}")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"a":"b"}', """'{"a":"b"}'"""),
        ("it's", '"it\'s"'),
        ('it\'s "so" \\', "'it''s \"so\" \\'"),
        ('a\n"b"c', r'"a\n\"b\"c"'),
        ('"\u2028"', r'"\"\u2028\""'),
    ],
)
def test_text_is_written_so_that_it_can_be_read(text: str, written: str) -> None:
    assert as_yaml(text) == written


@given(st.lists(HARD | st.text() | st.dictionaries(HARD, HARD)))
def test_every_reader_takes_a_value_for_the_same(value: list[object]) -> None:
    text = as_yaml(value)
    assert source.loads(text) == value
    assert yaml.safe_load(text) == value
