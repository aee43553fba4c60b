"""How a run log grows with a pipeline: what many states have in common is written once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime import layout
from argosy.runtime.alternatives import by_statuses
from argosy.runtime.blobs import LARGE
from argosy.runtime.entries import Entries, State, map_variable, written
from argosy.runtime.service import RunLogStore
from argosy.runtime.state import Reader, write
from argosy.runtime.tasks.environment import LargeValues

RUN = "r-1"


class Counted(RunLogStore):
    """A run log in memory that counts what is read and written."""

    service_provider = "counted"

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}
        self.puts: list[str] = []
        self.gets: list[str] = []

    def put(self, key: str, data: bytes) -> None:
        self.puts.append(key)
        self.objects[key] = data

    def get(self, key: str) -> bytes | None:
        self.gets.append(key)
        return self.objects.get(key)

    def list(self, prefix: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(prefix))

    @property
    def size(self) -> int:
        return sum(map(len, self.objects.values()))

    def reader(self, **arguments: Any) -> Reader:
        return Reader(self, RUN, arguments, by_statuses({}), patience=())

    def step(
        self, name: str, rank: str, *sources: Any, key: tuple[str, ...] = (), **values: Any
    ) -> None:
        """Does what a step does that reads the sources and sets the values."""
        reader = self.reader()
        entering = reader.read(sources, key)
        made: Entries = {one: written(name, rank, value) for one, value in values.items()}
        state = entering._replace(parameters={**entering.parameters, **made})
        write(reader, [name], f"a-{name}", state)

    def values(self, *sources: Any, key: tuple[str, ...] = ()) -> dict[str, Any]:
        reader = self.reader()
        entering = reader.read(sources, key).parameters
        return {name: reader.value(entry) for name, entry in entering.items()}


@pytest.fixture
def store() -> Counted:
    return Counted()


def chain(store: Counted, steps: int, characters: int) -> None:
    for number in range(steps):
        before = [f"s{number - 1}"] if number else []
        value = f"{number:0{characters}}"
        store.step(f"s{number}", str(number), *before, key=(), **{f"v{number}": value})


def test_large_values_of_a_chain_are_written_once_each(store: Counted) -> None:
    chain(store, 200, 20_000)
    assert len([key for key in store.puts if key.startswith("blobs/")]) <= 200 + 60
    values, rest = 200 * 20_002, store.size - 200 * 20_002
    assert rest < values / 2
    assert len(store.values("s199")) == 200


def test_small_values_of_a_chain_take_space_in_proportion_to_its_length(store: Counted) -> None:
    chain(store, 500, 10)
    half = store.size
    for number in range(500, 1_000):
        store.step(f"s{number}", str(number), f"s{number - 1}", key=(), **{f"v{number}": "x" * 10})
    assert store.size < 3 * half, "it was four times"
    assert store.size < 8_000_000
    found = store.values("s999")
    assert len(found) == 1_000
    assert (found["v0"], found["v999"]) == ("0" * 10, "x" * 10)


def test_a_state_of_few_values_is_read_at_once_and_written_at_once(store: Counted) -> None:
    chain(store, 100, 10)
    store.gets.clear()
    store.puts.clear()
    store.step("last", "100", "s99", x=1)
    assert store.gets == [layout.state_key(RUN, "s99")]
    assert store.puts == [layout.state_key(RUN, "last")]


def test_a_step_after_a_large_state_writes_only_what_is_new(store: Counted) -> None:
    chain(store, 1_000, 10)
    store.puts.clear()
    store.step("last", "1000", "s999", x=1)
    assert len(store.puts) <= 2


def test_a_value_that_is_set_again_leaves_most_parts_as_they_are(store: Counted) -> None:
    chain(store, 1_000, 10)
    store.puts.clear()
    store.step("last", "1000", "s999", v500="new")
    assert len(store.puts) <= 4
    assert store.values("last")["v500"] == "new"


def test_files_of_many_iterations_are_parts_of_a_state(store: Counted) -> None:
    files: Entries = {
        f"m/{n}/x": {"sha256": f"{n:064}", "size": 1, "by": "m", "rank": "1"} for n in range(5_000)
    }
    write(store.reader(), ["m"], "a-m", State({}, files))
    store.puts.clear()
    store.step("after", "2", "m", x=1)
    assert sum(len(store.objects[key]) for key in store.puts) < 40_000
    assert store.reader().read(["after"], ()).catalog == files
    assert max(map(len, store.objects.values())) < 100_000, "a ConfigMap takes 1 MiB"


ITEM = {"item": "x", "on": "xs", "depth": 0}


def test_an_iteration_names_the_list_that_its_map_is_over(store: Counted) -> None:
    store.step("a", "0", xs=list(range(10_000)))
    blobs = len(store.list("blobs/"))
    store.step("m/7/b", "1.7.0", {**ITEM, "in": ["a"]}, key=("7",))
    assert len(store.objects[layout.state_key(RUN, "m/7/b")]) < 400
    assert len(store.list("blobs/")) == blobs
    assert store.values("m/7/b")["x"] == 7


def test_a_large_item_is_written_once(store: Counted) -> None:
    items = [{"text": str(n) * LARGE} for n in range(5)]
    store.step("a", "0", xs=items)
    store.puts.clear()
    store.step("m/2/b", "1.2.0", {**ITEM, "in": ["a"]}, key=("2",))
    store.step("m/2/c", "1.2.1", "m/2/b", key=("2",))
    assert len([key for key in store.puts if key.startswith("blobs/")]) == 1
    reader = store.reader()
    assert map_variable(reader.read(["m/2/c"], ()), reader.value) == {"x": items[2]}


def test_a_large_argument_is_written_once(store: Counted) -> None:
    reader = store.reader(text="x" * 100_000)
    for name in "abc":
        write(reader, [name], f"a-{name}", reader.read([""], ()))
    assert len([key for key in store.puts if key.startswith("blobs/")]) == 1
    assert store.values("c") == {"text": "x" * 100_000}


def test_objects_of_many_iterations_are_named_by_one_hash(store: Counted) -> None:
    objects = [{"blob": f"{n:064}", "size": 9, "pickle": True} for n in range(1_000)]
    entry = {"objects": objects, "by": "m", "rank": "1"}
    write(store.reader(), ["m"], "a-m", State({"o": entry}, {}))
    store.step("after", "2", "m")
    assert len(store.objects[layout.state_key(RUN, "after")]) < 400
    reader = store.reader()
    assert reader.blobs.objects(reader.read(["after"], ()).parameters["o"]) == objects


def test_what_was_read_of_a_map_is_one_hash(store: Counted) -> None:
    source = {"map": "m", "rank": "1", "on": "xs", "as": "x", "in": ["a"], "out": ["m/*/b"]}
    store.step("a", "0", xs=[1, 2, 3])
    for number in range(3):
        store.step(f"m/{number}/b", f"1.{number}.0", {**ITEM, "in": ["a"]}, key=(str(number),))

    def reads() -> dict[str, str]:
        reader = store.reader()
        reader.read([source], ())
        return reader.reads

    before = reads()
    assert before.keys() == {"a", "m/"}
    document = json.loads(store.objects[layout.state_key(RUN, "m/1/b")])
    key = layout.state_key(RUN, "m/1/b")
    store.objects[key] = json.dumps({**document, "attempt": "other"}).encode()
    assert reads()["m/"] != before["m/"]


def test_a_state_of_the_format_before_is_read(store: Counted) -> None:
    """It holds values of up to 32 KiB, and has no parts."""
    entry = {"value": "x" * 20_000, "by": "a", "rank": "0"}
    old = {"attempt": "1-a", "parameters": {"x": entry}, "catalog": {}}
    store.objects[layout.state_key(RUN, "a")] = json.dumps(old).encode()
    store.step("b", "1", "a")
    assert store.values("b") == {"x": "x" * 20_000}
    assert len(store.objects[layout.state_key(RUN, "b")]) < 400


def test_a_large_value_is_in_one_file_for_all_steps_of_a_run(tmp_path: Path) -> None:
    common = tmp_path / "run"
    common.mkdir()
    texts: list[str] = []

    def text() -> str:
        texts.append("é")
        return "é"

    for step in "abc":
        (tmp_path / step).mkdir()
        large = LargeValues(str(tmp_path / step), str(common))
        path = Path(large.add(text, "hash"))
        large.write()
        assert path.read_text("utf-8") == "é"
        if step == "b":  # it may not, but root can
            path.chmod(0o644)
            path.write_text("of the step's own")
    assert len(texts) == 2
    assert not [*(tmp_path / "a").iterdir()]
