"""The nearest of the known names."""

from __future__ import annotations

import time

from argosy.runtime.suggestions import closest, nearest


def test_the_names_nearest_to_the_word_are_listed_first() -> None:
    names = [f"x{letter}" for letter in "abcdefghijk"]
    shown = nearest("qqqxk", names)
    assert shown.startswith("known: xk, ")
    assert shown.endswith(" and 1 more")


def test_no_more_than_ten_names_are_listed() -> None:
    assert nearest("q", map(str, range(10))) == "known: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert nearest("q", map(str, range(11))) == "known: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 1 more"


def test_a_word_of_any_length_takes_no_time() -> None:
    begin = time.process_time()
    assert closest("x" * 10_000_000, ["x" * 10_000_000]) == ""
    assert len(nearest("x" * 10_000_000, ["y" * 10_000_000] * 3)) < 200
    assert nearest("x", (f"name{n}" for n in range(100_000))).endswith(" and 99,990 more")
    assert time.process_time() - begin < 1
