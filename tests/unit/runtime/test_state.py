"""What a node reads: every kind of source, what a map leaves, and how a state is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime import layout
from argosy.runtime.alternatives import Records, by_statuses, statuses
from argosy.runtime.blobs import LARGE
from argosy.runtime.entries import Entries, State, map_variable
from argosy.runtime.errors import NodeError, ServiceError, TaskError
from argosy.runtime.run_logs.file_system import FileSystemRunLog
from argosy.runtime.state import Reader, write

RUN = "r-1"


class Log:
    """A run log that is written by hand."""

    def __init__(self, folder: Path) -> None:
        self.store = FileSystemRunLog({"location": str(folder)})

    def wrote(self, instance: str, rank: str, *entering: str, **values: Any) -> None:
        """The state of a step that read `entering` and set `values`."""
        reader = self.reader()
        state = reader.read(entering, ())
        made: Entries = {
            name: {"value": value, "by": instance, "rank": rank} for name, value in values.items()
        }
        self.leave(instance, State({**state.parameters, **made}, state.catalog))

    def kept(self, instance: str, rank: str, **files: str) -> None:
        """The state of a step that put files, whose hashes are given."""
        entries: Entries = {
            f"{name}.csv": {"sha256": sha, "size": 1, "by": instance, "rank": rank}
            for name, sha in files.items()
        }
        self.leave(instance, State({}, entries))

    def leave(self, instance: str, state: State, status: str = "succeeded") -> None:
        write(self.reader(), [instance], f"a-{instance}", state)
        record = json.dumps({"status": status}).encode()
        self.store.put(layout.record_key(RUN, instance, f"a-{instance}"), record)

    def reader(self, ended: str = "", **arguments: Any) -> Reader:
        return Reader(self.store, RUN, arguments, by_statuses(statuses(ended)), patience=())

    def values(
        self, *sources: Any, key: tuple[str, ...] = (), ended: str = "", **arguments: Any
    ) -> Any:
        reader = self.reader(ended, **arguments)
        state = reader.read(sources, key)
        return {name: reader.value(entry) for name, entry in sorted(state.parameters.items())}


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_nothing_is_read_from_no_source(log: Log) -> None:
    assert log.values() == {}


def test_arguments_are_the_lowest(log: Log) -> None:
    log.wrote("a", "0", rate=2)
    assert log.values("", "a", rate=1, other="x") == {"other": "x", "rate": 2}
    assert log.values("a", "", rate=1, other="x") == {"other": "x", "rate": 2}


def test_the_higher_rank_wins_as_numbers(log: Log) -> None:
    log.wrote("nine", "9.1", x=9)
    log.wrote("ten", "10", x=10)
    assert log.values("nine", "ten") == log.values("ten", "nine") == {"x": 10}


def test_what_was_read_is_known_by_its_attempt(log: Log) -> None:
    log.wrote("a", "0")
    reader = log.reader(rate=1)
    reader.read(["", "a", "a"], ())
    assert reader.reads == {"a": "a-a", "": reader.reads[""]}
    other = log.reader(rate=2)
    other.read([""], ())
    assert other.reads[""] != reader.reads[""], "other arguments are another attempt"


def test_a_state_that_must_be_there_is_waited_for(log: Log, monkeypatch: Any) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            log.wrote("late", "0", x=1)

    monkeypatch.setattr("argosy.runtime.blobs.time.sleep", sleep)
    reader = Reader(log.store, RUN, {}, by_statuses({}))
    assert reader.read(["late"], ()).parameters["x"]["value"] == 1
    assert len(pauses) == 2
    with pytest.raises(ServiceError, match="'never' is not in the run log"):
        reader.read(["never"], ())
    assert 3 < sum(pauses) < 10


@pytest.mark.parametrize(
    ("status", "outcome", "read"),
    [
        ("Succeeded", "ok", True),
        ("Failed", "ok", False),
        ("Omitted", "ok", False),
        ("Skipped", "ok", False),
        ("Failed", "failed", True),
        ("Error", "failed", True),
        ("Succeeded", "failed", False),
        ("Omitted", "failed", False),
    ],
)
def test_an_alternative_is_read_where_it_ended_so(
    log: Log, status: str, outcome: str, read: bool
) -> None:
    log.wrote("b", "1", x=1)
    source = {"if": "b", "is": outcome, "from": ["b"]}
    assert log.values(source, ended=f"a=Failed b={status}") == ({"x": 1} if read else {})


def test_an_engine_that_does_not_say_is_wrong(log: Log) -> None:
    with pytest.raises(NodeError, match="does not say how 'b' ended"):
        log.values({"if": "b", "is": "ok", "from": ["b"]}, ended="a=Failed")
    with pytest.raises(NodeError, match="path=Status"):
        statuses("b")


def test_an_unknown_source_is_refused(log: Log) -> None:
    with pytest.raises(NodeError, match="does not know"):
        log.values({"while": "b"})


ITEM = {"item": "region", "on": "regions", "depth": 0, "in": ["extract"]}


def test_an_item_shadows_and_is_known_as_one(log: Log) -> None:
    log.wrote("extract", "0", regions=["eu", "us"], region="all")
    reader = log.reader()
    state = reader.read([ITEM], ("1",))
    assert state.parameters["region"]["value"] == "us"
    assert map_variable(state, reader.value) == {"region": "us"}


def test_items_of_nested_maps_come_in_order(log: Log) -> None:
    inner = {
        "item": "a",
        "on": "ys",
        "depth": 1,
        "in": [{"item": "z", "on": "zs", "depth": 0, "in": [""]}],
    }
    reader = log.reader(ys=[1, 2], zs=[["x"], ["y"]])
    found = map_variable(reader.read([inner], ("1", "0")), reader.value)
    assert found == {"z": ["y"], "a": 1}
    assert list(found) == ["z", "a"]


@pytest.mark.parametrize(
    ("regions", "said"),
    [("eu", 'is "eu", not a list'), (["eu"], "item 1 .* has 1"), (None, "is null, not a list")],
)
def test_an_item_of_no_list_is_refused(log: Log, regions: Any, said: str) -> None:
    log.wrote("extract", "0", regions=regions)
    with pytest.raises(NodeError, match=said):
        log.values(ITEM, key=("1",))


def test_a_map_over_what_is_not_there_says_what_is(log: Log) -> None:
    log.wrote("extract", "0", region=1)
    with pytest.raises(NodeError, match="'regions', which is not there; did you mean 'region'"):
        log.values(ITEM, key=("0",))


ROUND = {"round": "i", "depth": 1, "in": ["a"], "last": "m/*/l/*/b"}


def test_a_round_reads_what_the_one_before_it_left(log: Log) -> None:
    log.wrote("a", "0", x="before", i="mine")
    log.wrote("m/4/l/0/b", "1.4.0.0.0", x="first", i=0)
    assert log.values(ROUND, key=("4", "0")) == {"x": "before", "i": 0}
    assert log.values(ROUND, key=("4", "1", "7")) == {"x": "first", "i": 1}
    unnamed = {**ROUND, "round": None}
    assert log.values(unnamed, key=("4", "0")) == {"x": "before", "i": "mine"}
    reader = log.reader()
    assert map_variable(reader.read([ROUND], ("4", "1")), reader.value) == {"i": 1}


def test_the_index_of_a_round_is_as_short_as_that_of_the_first(log: Log) -> None:
    log.wrote("a", "0", x=1)
    for number in range(3):
        entering = log.reader().read([ROUND], ("4", str(number)))
        assert entering.parameters["i"]["rank"] == "0.0"
        log.leave(f"m/4/l/{number}/b", entering)


def test_after_a_loop_its_index_is_what_it_was_before(log: Log) -> None:
    log.wrote("a", "0", x="before", i="mine")
    log.wrote("l", "1.3.0", x="after", i=3)
    source = {"loop": "i", "in": ["a"], "out": ["l"]}
    assert log.values(source) == {"x": "after", "i": "mine"}
    log.wrote("a", "0", x="before")
    assert log.values(source) == {"x": "after"}


def mapped(**more: Any) -> dict[str, Any]:
    source = {"map": "m", "rank": "1", "on": "xs", "as": "x", "in": ["a"], "out": ["m/*/b"]}
    return {**source, "reduce": {}, "names": [], **more}


def iterations(log: Log, *written: dict[str, Any]) -> None:
    """A map `m` after `a`, whose step `b` wrote these."""
    log.wrote("a", "0", xs=list(range(len(written))), x="parent's", kept="parent's")
    for index, values in enumerate(written):
        entering = {"item": "x", "on": "xs", "depth": 0, "in": ["a"]}
        state = log.reader().read([entering], (str(index),))
        at, rank = f"m/{index}/b", f"1.{index}.0"
        made = {name: {"value": value, "by": at, "rank": rank} for name, value in values.items()}
        log.leave(at, State({**state.parameters, **made}, {}))


@pytest.mark.parametrize(
    ("reducer", "expected"),
    [("list", [3, None, 5]), ("sum", 8), ("max", 5), ("last", 5), ("json:dumps", "[3, null, 5]")],
)
def test_a_map_reduces_what_was_written_inside(log: Log, reducer: str, expected: Any) -> None:
    iterations(log, {"n": 3}, {}, {"n": 5})
    found = log.values(mapped(reduce={"n": reducer}))
    assert found == {"kept": "parent's", "n": expected, "x": "parent's", "xs": [0, 1, 2]}


def test_what_is_reduced_is_the_maps(log: Log) -> None:
    iterations(log, {"n": 1})
    entry = log.reader().read([mapped()], ()).parameters["n"]
    assert (entry["by"], entry["rank"]) == ("m", "1")


def test_an_item_that_is_overwritten_inside_does_not_leave(log: Log) -> None:
    iterations(log, {"x": "changed"})
    assert log.values(mapped())["x"] == "parent's"


def test_a_parameter_that_is_overwritten_inside_is_a_list(log: Log) -> None:
    iterations(log, {"kept": 1}, {})
    assert log.values(mapped())["kept"] == [1, None]


def test_an_empty_map_gives_what_is_declared(log: Log) -> None:
    iterations(log)
    reduce = {"s": "sum", "m": "max", "l": "last", "f": "json:dumps"}
    found = log.values(mapped(names=["rows"], reduce=reduce))
    assert found == {"kept": "parent's", "x": "parent's", "xs": [], "rows": [], "s": 0, "f": "[]"}


@pytest.mark.parametrize(
    ("reducer", "values", "said"),
    [
        ("sum", ["a", "b"], r"reduced by sum: .*\[\"a\", \"b\"\]"),
        ("max", [1, "b"], "reduced by max"),
        ("sum", [True, 1], "reduced by sum"),
        ("json:loads", [1], "reducer json:loads failed on parameter 'n': TypeError"),
    ],
)
def test_what_cannot_be_reduced_is_said(
    log: Log, reducer: str, values: list[Any], said: str
) -> None:
    iterations(log, *({"n": value} for value in values))
    with pytest.raises(TaskError, match=said):
        log.values(mapped(reduce={"n": reducer}))


def test_nested_maps_nest_their_lists(log: Log) -> None:
    outer = {"item": "o", "on": "os", "depth": 0, "in": [""]}
    inner = {"item": "i", "on": "is", "depth": 1, "in": [outer]}
    arguments: Any = {"os": ["a", "b"], "is": [1, 2, 3]}
    for first in range(2):
        for second in range(3):
            key = (str(first), str(second))
            state = log.reader(**arguments).read([inner], key)
            at, rank = f"m/{first}/n/{second}/b", f"0.{first}.0.{second}.0"
            made = {"v": {"value": f"{first}{second}", "by": at, "rank": rank}}
            log.leave(at, State({**state.parameters, **made}, {}))
    after = {
        "map": "m/*/n",
        "rank": "0.*.0",
        "on": "is",
        "as": "i",
        "in": [outer],
        "out": ["m/*/n/*/b"],
    }
    whole = {"map": "m", "rank": "0", "on": "os", "as": "o", "in": [""], "out": [after]}
    found = log.values(whole, **arguments)
    assert found == {**arguments, "v": [["00", "01", "02"], ["10", "11", "12"]]}


def test_files_of_iterations_have_their_index_and_their_own_name_where_all_agree(log: Log) -> None:
    log.wrote("a", "0", xs=[1, 2])
    log.kept("m/0/b", "1.0.0", same="s", different="d0", one="o")
    log.kept("m/1/b", "1.1.0", same="s", different="d1")
    catalog = log.reader().read([mapped()], ()).catalog
    assert {name: entry["sha256"] for name, entry in catalog.items()} == {
        "same.csv": "s",
        "m/0/same.csv": "s",
        "m/1/same.csv": "s",
        "m/0/different.csv": "d0",
        "m/1/different.csv": "d1",
        "one.csv": "o",
        "m/0/one.csv": "o",
    }
    assert {(entry["by"], entry["rank"]) for entry in catalog.values()} == {("m", "1")}


def test_objects_of_iterations_become_a_list_of_objects(log: Log) -> None:
    log.wrote("a", "0", xs=[1, 2])
    entry = {"blob": "abc", "size": 3, "pickle": True, "by": "m/1/b", "rank": "1.1.0"}
    log.leave("m/0/b", State({}, {}))
    log.leave("m/1/b", State({"o": entry}, {}))
    found = log.reader().read([mapped()], ()).parameters["o"]
    assert found["objects"] == [None, {"blob": "abc", "size": 3, "pickle": True}]
    with pytest.raises(TaskError, match="which sum cannot reduce"):
        log.reader().read([mapped(reduce={"o": "sum"})], ())


def test_a_scoped_dag_sees_and_gives_what_it_names(log: Log) -> None:
    log.wrote("a", "0", x=1, y=2)
    assert log.values({"only": ["x", "none"], "in": ["a"]}) == {"x": 1}
    log.leave(
        "sub/b",
        State(
            {
                "x": {"value": 10, "by": "sub/b", "rank": "1.0"},
                "z": {"value": 3, "by": "sub/b", "rank": "1.0"},
                "w": {"value": 4, "by": "subtle/b", "rank": "0.0"},
            },
            {"f": {"sha256": "s", "size": 1, "by": "sub/b", "rank": "1.0"}},
        ),
    )
    after = {"dag": "sub", "rank": "1", "in": ["a"], "out": ["sub/b"], "outputs": ["z", "w"]}
    assert log.values(after) == {"x": 1, "y": 2, "z": 3}, "w was written elsewhere"
    assert log.values({**after, "outputs": None}) == {"x": 10, "y": 2, "z": 3}
    assert list(log.reader().read([after], ()).catalog) == ["f"]


def test_large_values_are_blobs(log: Log) -> None:
    large, small = "é" * LARGE, "x" * (LARGE - 2)
    log.wrote("a", "0", large=large, small=small, many=list(range(LARGE)))
    entries = json.loads(log.store.get(layout.state_key(RUN, "a")) or b"")["parameters"]
    assert "value" not in entries["large"]
    assert entries["large"]["size"] == 6 * LARGE + 2
    assert entries["small"]["value"] == small
    assert log.values("a") == {"large": large, "many": list(range(LARGE)), "small": small}
    state = log.reader().read(["a"], ())
    log.leave("b", state)
    assert len(log.store.list("blobs/")) == 2, "passing a blob on does not write it again"


def test_a_damaged_blob_is_not_read(log: Log) -> None:
    log.wrote("a", "0", large="x" * LARGE)
    (key,) = log.store.list("blobs/")
    log.store.put(key, b'"other"')
    with pytest.raises(ServiceError, match="damaged"):
        log.values("a")


def test_an_empty_map_that_the_engine_skipped_is_a_success(log: Log) -> None:
    iterations(log)
    source = {"if": "m", "is": "ok", "from": [mapped(names=["rows"])]}
    assert log.values(source, ended="m=Skipped")["rows"] == []


# Without an engine, the records decide.


def chosen(log: Log, *sources: Any) -> list[bool]:
    records = Records(log.store, RUN)
    records.reader = log.reader()
    return [records.says(source, ()) for source in sources]


def test_records_say_which_of_several_ended_well(log: Log) -> None:
    log.leave("b", State({}, {}))
    log.store.put(layout.record_key(RUN, "c/d", "1"), b'{"status": "succeeded"}')
    log.store.put(layout.record_key(RUN, "c/d", "2"), b'{"status": "failed"}')
    alternatives = [{"if": step, "is": "ok", "from": [step]} for step in ("b", "c", "e")]
    assert chosen(log, *alternatives) == [True, False, False]
    failed = [{"if": step, "is": "failed", "from": [""]} for step in ("b", "c", "e")]
    assert chosen(log, *failed) == [False, True, False]
    inner = {"if": "x", "is": "ok", "from": alternatives}
    assert chosen(log, inner, {**inner, "from": alternatives[1:]}) == [True, False]


def test_records_look_into_maps(log: Log) -> None:
    iterations(log, {"n": 1}, {"n": 2})
    source = {"if": "m", "is": "ok", "from": [mapped()]}
    assert chosen(log, source) == [True]
    log.leave("m/1/b", State({}, {}), "failed")
    assert chosen(log, source) == [False]
