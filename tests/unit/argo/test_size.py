"""How large a workflow gets, with the numbers worked out by hand."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from argosy.compiler.argo.size import OBJECT_BYTES, copies_of, encoded, size_of

Json = dict[str, Any]


def workflow(*tasks: Json, **template: Any) -> Json:
    """A specification with one DAG whose tasks call a pod's template `run`."""
    dag = {"name": "main", "dag": {"tasks": list(tasks)}}
    return {"entrypoint": "main", "templates": [dag, {"name": "run", **template}]}


def task(name: str, *arguments: str, template: str = "run") -> Json:
    given = [{"name": f"n{place}", "value": value} for place, value in enumerate(arguments)]
    return {"name": name, "template": template, "arguments": {"parameters": given}}


def test_the_budget_of_a_workflow_is_900_kib() -> None:
    assert OBJECT_BYTES == 921_600


@pytest.mark.parametrize(("kind", "copies"), [("Workflow", 1), ("WorkflowTemplate", 2)])
def test_a_workflow_from_a_template_holds_the_specification_twice(kind: str, copies: int) -> None:
    assert copies_of(kind) == copies


def test_the_specification_counts_as_often_as_it_is_held() -> None:
    spec = workflow(task("a"))
    once, twice = size_of(spec, 1), size_of(spec, 2)
    assert once.spec == twice.spec == len(json.dumps(spec, separators=(",", ":")))
    assert twice.total - once.total == once.spec


def test_a_node_of_the_status_is_460_bytes_beside_its_arguments() -> None:
    # The DAG and the pod of its task; the argument is in the pod's node.
    assert size_of(workflow(task("a", "x" * 1000)), 1).status == 2 * 460 + 1000


def test_each_task_has_a_node() -> None:
    assert size_of(workflow(task("a"), task("b"), task("c")), 1).status == 4 * 460


def test_a_step_that_is_tried_again_has_a_node_for_each_try_and_one_over_them() -> None:
    found = size_of(workflow(task("a", "x" * 1000), retryStrategy={"limit": "2"}), 1)
    assert found.status == 3 * 460 + 2 * 1000


def test_defaults_are_arguments_too() -> None:
    inputs = {"parameters": [{"name": "key", "value": "x" * 100}]}
    assert size_of(workflow(task("a"), inputs=inputs), 1).status == 2 * 460 + 100


def test_what_is_too_large_counts_as_it_is_compressed() -> None:
    text = "x" * 500_000
    spec = workflow(task("a", text))
    # Held twice it is over the budget; two nodes of 110 bytes, and an argument that is nothing.
    found = size_of(spec, 2)
    assert 220 <= found.status < 220 + 2_000
    assert size_of(workflow(task("a", text[:300_000])), 1).status == 2 * 460 + 300_000


def test_what_is_compressed_is_stored_in_base64() -> None:
    # Of 16 letters, each takes 4 bits at least; base64 makes 4 bytes of 3.
    text = "".join(random.Random(0).choices("0123456789abcdef", k=500_000))  # noqa: S311
    assert 333_333 < size_of(workflow(task("a", text)), 2).status < 420_000


@pytest.mark.parametrize(("text", "size"), [("abc", 3), ("a&b", 8), ("<>", 12), ('"', 1)])
def test_three_characters_take_six_bytes_each(text: str, size: int) -> None:
    assert encoded(text) == size


def test_levels_and_tasks_are_those_of_the_deepest_and_the_longest() -> None:
    inner = {"name": "inner", "dag": {"tasks": [task("a"), task("b"), task("c")]}}
    spec = workflow(task("x"), task("y", template="inner"))
    spec["templates"].append(inner)
    found = size_of(spec, 1)
    assert (found.levels, found.tasks, found.templates) == (3, 3, 3)
    assert found.status == 6 * 460


def test_a_template_that_calls_itself_counts_once() -> None:
    spec = {
        "entrypoint": "loop",
        "templates": [{"name": "loop", "dag": {"tasks": [task("again", template="loop")]}}],
    }
    assert size_of(spec, 1).status == 2 * 460
