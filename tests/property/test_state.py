"""The state merge: it does not matter in which order steps run, or states are read."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from argosy.runtime.alternatives import by_statuses
from argosy.runtime.entries import Entries, State, merge
from argosy.runtime.output import Masker
from argosy.runtime.reduce import reduced
from argosy.runtime.state import Reader, write
from argosy.runtime.tasks.environment import parse
from argosy.runtime.values import dump, equal
from support.memory import Memory

NAMES = "abc"
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@st.composite
def graphs(draw: Callable[[Any], Any]) -> list[tuple[list[int], str]]:
    """Steps in the order of the definition: what each comes after, and the names that it sets."""
    count = draw(st.integers(1, 7))
    return [
        (
            draw(st.lists(st.integers(0, index - 1), unique=True)) if index else [],
            draw(st.text(NAMES, max_size=2)),
        )
        for index in range(count)
    ]


def run(graph: Sequence[tuple[list[int], str]], order: Sequence[int]) -> Memory:
    """The run log after the steps have run in this order."""
    store = Memory()
    for step in order:
        before, names = graph[step]
        reader = Reader(store, "r", {"a": "argument"}, by_statuses({}), patience=())
        sources = [f"s{one}" for one in before] or [""]
        random.shuffle(sources)
        state = reader.read(sources, ())
        made: Entries = {
            name: {"value": step, "by": f"s{step}", "rank": str(step)} for name in names
        }
        write(reader, [f"s{step}"], "attempt", State({**state.parameters, **made}, {}))
    return store


def some_topological_order(graph: Sequence[tuple[list[int], str]], seed: int) -> list[int]:
    choice = random.Random(seed)  # noqa: S311 - a test's
    done: list[int] = []
    while len(done) < len(graph):
        ready = [
            step
            for step, (before, _) in enumerate(graph)
            if step not in done and all(one in done for one in before)
        ]
        done.append(choice.choice(ready))
    return done


@given(graphs(), st.integers())
def test_any_topological_order_gives_the_state_of_the_local_one(
    graph: list[tuple[list[int], str]], seed: int
) -> None:
    local = run(graph, range(len(graph)))
    other = run(graph, some_topological_order(graph, seed))
    reader = [Reader(store, "r", {}, by_statuses({}), patience=()) for store in (local, other)]
    for step in range(len(graph)):
        one, two = (each.read([f"s{step}"], ()) for each in reader)
        assert one.parameters == two.parameters


@given(graphs())
def test_the_last_writer_before_a_step_is_the_one_it_sees(
    graph: list[tuple[list[int], str]],
) -> None:
    """What a step sees is what running its ancestors one after the other would leave."""
    store = run(graph, range(len(graph)))
    reader = Reader(store, "r", {}, by_statuses({}), patience=())
    for step in range(len(graph)):
        ancestors, left = {step}, [step]
        while left:
            for one in graph[left.pop()][0]:
                if one not in ancestors:
                    ancestors.add(one)
                    left.append(one)
        expected: dict[str, Any] = {"a": "argument"}
        for one in sorted(ancestors):
            expected.update(dict.fromkeys(graph[one][1], one))
        found = reader.read([f"s{step}"], ()).parameters
        assert {name: entry["value"] for name, entry in found.items()} == expected


entries = st.dictionaries(
    st.sampled_from(NAMES),
    st.lists(st.integers(0, 12), min_size=1, max_size=3).map(
        # An entry is known by its rank: one step, at one place, writes a name once.
        lambda rank: {"value": rank, "by": "x", "rank": ".".join(map(str, rank))}
    ),
)


@given(st.lists(st.builds(State, entries, entries, entries), min_size=1, max_size=5), st.randoms())
def test_merging_is_the_same_in_any_order_and_grouping(
    states: list[State], shuffler: random.Random
) -> None:
    expected = merge(states)
    shuffled = [*states]
    shuffler.shuffle(shuffled)
    assert merge(shuffled) == expected
    middle = len(states) // 2
    parts = [part for part in (states[:middle], states[middle:]) if part]
    assert merge([merge(part) for part in parts]) == expected
    assert merge([expected, *states]) == expected


@given(
    st.lists(st.dictionaries(st.sampled_from(NAMES), st.integers()), max_size=6),
    st.dictionaries(st.sampled_from(NAMES), st.integers()),
)
def test_a_map_gives_one_place_to_each_iteration_and_passes_the_rest(
    written: list[dict[str, int]], outside: dict[str, int]
) -> None:
    entering = State(
        {name: {"value": value, "by": "s", "rank": "0"} for name, value in outside.items()}, {}
    )
    iterations = [
        State(
            {
                **entering.parameters,
                **{
                    name: {"value": value, "by": f"m/{index}/s", "rank": f"1.{index}.0"}
                    for name, value in values.items()
                },
            },
            {},
        )
        for index, values in enumerate(written)
    ]
    source = {"map": "m", "rank": "1", "as": "item", "names": ["c"], "reduce": {"b": "sum"}}
    left = reduced(source, (), entering, iterations, lambda entry: entry["value"]).parameters
    values = {name: entry["value"] for name, entry in left.items()}
    expected = dict(outside)
    for name in {"b", "c"}.union(*written):
        places = [one.get(name) for one in written]
        expected[name] = places if name != "b" else sum(one for one in places if one is not None)  # type: ignore[assignment]
    assert values == expected


# Values on their way through a process.


@given(json_values)
def test_what_is_written_as_json_comes_back_through_a_shell(value: Any) -> None:
    text = value if isinstance(value, str) else dump(value)
    found = parse(text)
    assert equal(found, value) or isinstance(value, str) or "e" in text.lower()


@given(st.text())
def test_a_text_is_taken_as_json_only_where_that_loses_nothing(text: str) -> None:
    found = parse(text)
    if not isinstance(found, (str, list, dict)):
        assert dump(found) == text.strip()


@given(
    st.lists(st.text("abc\n", min_size=1, max_size=6), min_size=1, max_size=3),
    st.text("abc\n", max_size=60),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_masking_is_the_same_wherever_the_stream_is_cut(
    secrets: list[str], text: str, cuts: list[int]
) -> None:
    whole = Masker(secrets)
    expected = whole.feed(text.encode()) + whole.end()
    pieces, masker, start = [], Masker(secrets), 0
    for cut in [*sorted(cuts), len(text)]:
        pieces.append(masker.feed(text[start:cut].encode()))
        start = max(start, cut)
    assert b"".join([*pieces, masker.end()]) == expected
    assert Masker(secrets).text(text).encode() == expected
    shown = expected.split(b"***")
    for secret in secrets:
        if secret.strip():
            assert all(secret.strip().encode() not in part for part in shown)
