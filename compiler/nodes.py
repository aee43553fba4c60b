"""NODE: a leaf of the graph as the JSON that travels to where it runs.

`argosy.runtime.node` reads it; the protocol (docs/runtime.md) says what each member means.
"""

from __future__ import annotations

from typing import Any

from argosy.runtime.approval import too_late

from .flow import Flow, Reading, round_end
from .graph import ITERATION, Approval, Conditional, Fail, Loop, Node, Task, join_path


def node_json(path: str, node: Node, flow: Flow) -> dict[str, Any]:
    """NODE of a task or a `fail` node."""
    found = _leaf(path, flow.rank[path], flow.readings[path])
    spec = node.spec
    if isinstance(spec, Fail):
        return {**found, "type": "fail", **_given(message=spec.message)}
    if not isinstance(spec, Task):
        raise TypeError(f"{path} is no leaf of the graph")
    runs = {"argv": list(spec.argv)} if spec.argv else {"command": spec.command}
    return {
        **found,
        **runs,
        **_given(
            command_type=spec.command_type if spec.command_type != "python" else None,
            image=spec.image,
            returns=list(spec.returns),
            get=list(spec.get),
            put=list(spec.put),
            secrets=dict(spec.secrets),
            env=dict(spec.env),
            timeout=spec.timeout,
            also=list(flow.also.get(path, ())),
            notebook_output_path=spec.notebook_output_path,
            output_cell_tag=spec.output_cell_tag,
            kept=spec.kept,
        ),
        **_ending(path, flow),
    }


def control_json(path: str, rank: str, reading: Reading, flow: Flow) -> dict[str, Any]:
    """NODE of a control: it reads, merges, and writes the state at `path`."""
    return {**_leaf(path, rank, reading), "type": "control", **_ending(path, flow)}


def no_match_json(path: str, node: Node, flow: Flow) -> dict[str, Any]:
    """NODE that fails a conditional which no value matched."""
    if not isinstance(node.spec, Conditional):
        raise TypeError(f"{path} is no conditional")
    return {
        **_leaf(path, flow.rank[path], flow.readings[path]),
        "type": "fail",
        "parameter": node.spec.parameter,
        "values": list(node.spec.values.values()),
    }


def late_json(path: str, node: Node, flow: Flow) -> dict[str, Any]:
    """NODE that fails an approval which nobody gave in time."""
    if not isinstance(node.spec, Approval) or node.spec.timeout is None:
        raise TypeError(f"{path} is no approval with a timeout")
    message = too_late(node.spec.timeout)
    return {**_leaf(path, flow.rank[path], Reading(())), "type": "fail", "message": message}


def exhausted_json(path: str, node: Node, flow: Flow) -> dict[str, Any]:
    """NODE that fails a loop which no round has ended; its KEY is that of the last round."""
    if not isinstance(node.spec, Loop):
        raise TypeError(f"{path} is no loop")
    last = round_end(node.spec.branch, join_path(path, ITERATION))
    return {
        **_leaf(path, flow.rank[path], Reading((last,))),
        "type": "fail",
        "parameter": node.spec.break_on,
        "rounds": node.spec.max_iterations,
    }


def _ending(path: str, flow: Flow) -> dict[str, Any]:
    """The member that says that the node ends a round of a loop."""
    ending = flow.endings.get(path)
    return {} if ending is None else {"ends": {"loop": ending.loop, "on": ending.parameter}}


def _leaf(path: str, rank: str, reading: Reading) -> dict[str, Any]:
    found: dict[str, Any] = {"step": path, "rank": rank}
    if reading.sources:
        found["from"] = list(reading.sources)
    return found


def _given(**members: Any) -> dict[str, Any]:
    """The members that say something."""
    return {key: value for key, value in members.items() if value}
