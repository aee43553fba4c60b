"""Names: valid, the same every time, and no two alike."""

import re

from hypothesis import given
from hypothesis import strategies as st

from argosy.compiler.manifests.names import RESERVED, Names, label_value, slug, task_name

RFC_1123 = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


@given(st.text())
def test_a_task_name_is_valid_and_no_word_of_an_expression(text: str) -> None:
    name = task_name(text)
    assert RFC_1123.fullmatch(name)
    assert name not in RESERVED
    assert name == task_name(text)


@given(st.text())
def test_a_label_value_is_valid(text: str) -> None:
    assert LABEL.fullmatch(label_value(text))


def test_a_name_that_is_valid_stays_as_it_is() -> None:
    assert task_name("extract-2") == "extract-2"
    assert label_value("Train_2.b") == "Train_2.b"


def test_a_long_name_is_cut_and_told_from_others_by_a_hash() -> None:
    one, two = task_name("a" * 80), task_name("a" * 81)
    assert len(one) == len(two) == 63
    assert one != two
    assert slug("x" * 60, limit=52).startswith("x" * 43 + "-")


@given(st.lists(st.text(), unique=True))
def test_names_beside_each_other_differ_in_any_order(texts: list[str]) -> None:
    found = Names().take_all(texts)
    assert len(set(found.values())) == len(texts)
    assert found == Names().take_all(reversed(texts))


def test_a_hash_goes_to_those_that_are_not_their_own_name() -> None:
    found = Names().take_all(["Train model", "train-model", "TRAIN MODEL", "test"])
    assert found["train-model"] == "train-model"
    assert found["test"] == "test"
    assert re.fullmatch(r"train-model-[0-9a-f]{8}", found["Train model"])
    assert found["Train model"] != found["TRAIN MODEL"]


def test_what_is_taken_is_not_given_again() -> None:
    names = Names(["noop"])
    assert names.take("noop") != "noop"
    assert [names.take("a"), names.take("a")][0] == "a"
    assert len({names.take("a") for _ in range(5)}) == 5
    assert [names.count("run") for _ in range(3)] == ["run", "run-2", "run-3"]
