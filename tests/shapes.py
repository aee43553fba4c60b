"""Steps as tests write them that run definitions: in shell, as data."""

from __future__ import annotations

from typing import Any

Steps = dict[str, dict[str, Any]]


def does(command: str = "true", **fields: Any) -> dict[str, Any]:
    return {"type": "task", "command_type": "shell", "command": command, **fields}


def sets(assignment: str, then: str = "true", **fields: Any) -> dict[str, Any]:
    """A step that sets a parameter to what a shell makes of the assignment."""
    name = assignment.partition("=")[0]
    return does(f"export ARGOSY_PRM_{assignment}\n{then}", returns=[name], **fields)


def fails(**fields: Any) -> dict[str, Any]:
    return does("exit 1", **fields)


def over(on: str, item: str, steps: Steps, **fields: Any) -> dict[str, Any]:
    branch = {"steps": steps}
    return {"type": "map", "iterate_on": on, "iterate_as": item, "branch": branch, **fields}


def parallel(branches: dict[str, Steps], **fields: Any) -> dict[str, Any]:
    graphs = {name: {"steps": steps} for name, steps in branches.items()}
    return {"type": "parallel", "branches": graphs, **fields}


def choice(parameter: str, branches: dict[str, Steps], **fields: Any) -> dict[str, Any]:
    return {**parallel(branches, **fields), "type": "conditional", "parameter": parameter}


def dag(steps: Steps, **fields: Any) -> dict[str, Any]:
    return {"type": "dag", "branch": {"steps": steps}, **fields}


def approval(**fields: Any) -> dict[str, Any]:
    return {"type": "approval", **fields}


def loop(break_on: str, most: int, steps: Steps, **fields: Any) -> dict[str, Any]:
    """Rounds of `steps`; `index` is what the round's number is called."""
    found = {"type": "loop", "break_on": break_on, "max_iterations": most}
    if "index" in fields:
        found["iterate_as"] = fields.pop("index")
    return {**found, "branch": {"steps": steps}, **fields}
