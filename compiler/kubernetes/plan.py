"""The local plan as a pod gets it: in its own variables, so that a run needs nothing that a later
version of the pipeline could take away from it."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

from argosy.runtime.executors.pod import PLAN

from ..flow import Flow
from ..graph import Graph, Retry
from ..plan import local_plan
from .options import Options
from .text import safe_json

Json = dict[str, Any]
PART = 100 * 1024
"""Bytes of a variable: Linux takes 128 KiB for one, its name included."""
DEFAULTS: Mapping[str, Any] = {
    "incoming": [],
    "on": "all",
    "handled": False,
    "asks": [],
    "inherits": False,
}
"""What the launcher takes for a member that a node does not have; for any other it is None."""


def plan_of(graph: Graph, flow: Flow, base: Options, steps: Mapping[str, Options]) -> Json:
    """The plan, with the options of the steps in it; `steps` has those that override any."""
    plan = local_plan(graph, flow)
    for inner in plan["graphs"].values():
        inner["nodes"] = [_node(node, base, steps) for node in inner["nodes"]]
    return plan


def _node(node: Json, base: Options, steps: Mapping[str, Options]) -> Json:
    """A node with what its options say, and without what goes without saying."""
    found = {key: value for key, value in node.items() if DEFAULTS.get(key) != value}
    if node["kind"] != "task":
        return found
    options = steps.get(node["path"], base)
    content = dict(node["node"])
    if options.timeout:
        content.setdefault("timeout", options.timeout)
    own = {k: v for k, v in options.pod.env.items() if base.pod.env.get(k) != v}
    if own:
        content["env"] = {**own, **content.get("env", {})}
    retry = Retry(**node["retry"]) if node["retry"] else options.attempts
    found |= {"node": content, "retry": retry._asdict()}
    if retry.max_attempts == 1:
        del found["retry"]
    return found


def variables(plan: Json) -> dict[str, str]:
    """The variables that hold a plan: a node a line, or packed where it is long."""
    text = _lines(plan)
    if len(text) > PART:
        packed = zlib.compress(safe_json(plan).encode(), 9)
        text = safe_json({"z": base64.b64encode(packed).decode()})
    parts = [text[start : start + PART] for start in range(0, len(text), PART)]
    return {f"{PLAN}_{n}" if n else PLAN: part for n, part in enumerate(parts)}


def _lines(plan: Json) -> str:
    graphs = []
    for path, graph in plan["graphs"].items():
        join = f'"join":{safe_json(graph["join"])},\n' if "join" in graph else ""
        nodes = ",\n".join(map(safe_json, graph["nodes"]))
        graphs.append(f'{safe_json(path)}:{{{join}"nodes":[\n{nodes}\n]}}')
    inner = ",\n".join(graphs)
    return f'{{"final":{safe_json(plan["final"])},"graphs":{{\n{inner}\n}}}}'
