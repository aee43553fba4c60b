"""Graphs in parts: no DAG too long, no wait that the graph has not, the same outcome."""

from __future__ import annotations

import pytest

from argosy.compiler.errors import ManifestError
from argosy.compiler.graph import Graph
from definitions import chain, steps
from engine import Json
from lowered import compiled, most_tasks, order, spec

RUN = "type: task, command: a.b"


def lengths(found: Json) -> list[int]:
    return [len(template["dag"]["tasks"]) for template in found["templates"] if "dag" in template]


def fork(width: int, depth: int = 1) -> Graph:
    lines = [f"start: {{{RUN}}}"]
    for n in range(width):
        for d in range(depth):
            after = f"w{n}x{d - 1}" if d else "start"
            lines.append(f"w{n}x{d}: {{{RUN}, depends_on: [{after}]}}")
    ends = ", ".join(f"w{n}x{depth - 1}" for n in range(width))
    lines.append(f"stop: {{{RUN}, depends_on: [{ends}]}}")
    return steps("\n".join(lines))


def line(count: int, extra: str = "") -> Graph:
    return chain(
        "s0",
        "\n".join(
            f"s{n}: {{{RUN}, next: {f's{n + 1}' if n + 1 < count else 'success'}{extra}}}"
            for n in range(count)
        ),
    )


GRAPHS = {
    "a chain": line(40),
    "a chain whose every step may fail": line(40, ", on_failure: fail"),
    "a fork": fork(30),
    "a fork of chains": fork(6, 4),
    "a fork of long chains": fork(3, 20),
    "many that have nothing to do with each other": steps(
        "\n".join(f"s{n}: {{{RUN}}}" for n in range(40))
    ),
    "chains beside each other": steps(
        "\n".join(
            f"s{n}: {{{RUN}{f', depends_on: [s{n - 1}]' if n % 8 else ''}}}" for n in range(40)
        )
    ),
    "recovery in every group": steps(
        "\n".join(
            f"a{n}: {{{RUN}, on_failure: h{n}{f', depends_on: [a{n - 1}]' if n else ''}}}\n"
            f"h{n}: {{{RUN}}}"
            for n in range(12)
        )
    ),
    "maps over what the step before found": steps(
        "\n".join(
            f"a{n}: {{{RUN}{f', depends_on: [m{n - 1}]' if n else ''}}}\n"
            f"m{n}: {{type: map, iterate_on: xs{n}, iterate_as: x, depends_on: [a{n}],"
            f" branch: {{steps: {{x: {{{RUN}}}}}}}}}"
            for n in range(12)
        )
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_no_dag_is_too_long_and_no_wait_is_new(name: str) -> None:
    with most_tasks(5):
        found = spec(GRAPHS[name])
    assert max(lengths(found)) <= 5
    whole = spec(GRAPHS[name])
    assert len(lengths(whole)) == 1 or "maps" in name
    assert order(found) == order(whole)


def test_what_fits_stays_as_it_is() -> None:
    assert lengths(spec(line(199))) == [199]
    assert max(lengths(spec(line(201)))) <= 200


def test_what_cannot_be_split_stays_whole() -> None:
    """Each waits for two, no two for the same."""
    lines = [f"a{n}: {{{RUN}}}" for n in range(8)]
    lines += [f"b{n}: {{{RUN}, depends_on: [a{n}, a{(n + 1) % 8}]}}" for n in range(8)]
    with most_tasks(5):
        assert lengths(spec(steps("\n".join(lines)))) == [16]
    lines = [f"a{n}: {{{RUN}}}" for n in range(150)]
    lines += [f"b{n}: {{{RUN}, depends_on: [a{n}, a{(n + 1) % 150}]}}" for n in range(150)]
    (warning,) = compiled(steps("\n".join(lines)), until="verify").warnings
    assert "300 tasks in 'main', where the full CRDs of Argo 4 take 200" in warning.message
    assert "put some into a `dag`" in warning.hint
    with pytest.raises(ManifestError, match="300 tasks in 'main'"):
        compiled(steps("\n".join(lines)), {"argo_version": "4"}, until="verify")
