"""Which steps touch the same files."""

from __future__ import annotations

import pytest

from argosy.runtime.errors import ServiceError
from argosy.runtime.executors.local.turns import Files, overlap


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ("a.csv", "a.csv", True),
        ("a.csv", "b.csv", False),
        ("data", "data/a.csv", True),
        ("data", "data2/a.csv", False),
        ("data/*.csv", "data/a.csv", True),
        ("data/*.csv", "data/a.json", False),
        ("data/*", "data/a/b.csv", True),
        ("**/*.csv", "x/y.csv", True),
        ("a*", "b*", False),
        ("*.d", "x.d/file", True),
        (".", "anything", True),
    ],
)
def test_patterns_overlap_where_a_file_may_match_both(one: str, other: str, may: bool) -> None:
    assert overlap([one], [other]) is may
    assert overlap([other], [one]) is may


def files(get: str = "", put: str = "", **entering: str) -> Files:
    return Files([get] if get else [], [put] if put else [], lambda: entering)


def test_a_writer_meets_writers_and_readers_of_the_same() -> None:
    assert files(put="x").meet(files(put="x"))
    assert files(put="./x").meet(files(get="x"))
    assert files(get="x").meet(files(put="x"))
    assert not files(put="x").meet(files(put="y"))


def test_readers_meet_where_what_they_bring_differs() -> None:
    assert not files(get="x", x="1").meet(files(get="x", x="1"))
    assert files(get="x", x="1").meet(files(get="x", x="2"))
    assert not files(get="x", x="1").meet(files(get="y", x="2"))


def test_what_cannot_be_read_is_not_risked() -> None:
    def broken() -> dict[str, str]:
        raise ServiceError("no store")

    assert Files(["x"], [], broken).meet(files(get="x", x="1"))
