"""A Workflow as Argo keeps it: which of its nodes are steps that no pod of ours runs.

The task of such a step has the step's path as an argument that no template takes: so it is in the
specification, and in nobody's way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .cluster import Api, RefusedError, fault
from .errors import ServiceError
from .layout import ITERATION, fill, indexes
from .retry import retry

Json = Mapping[str, Any]
STEP = "argosy-step"
STOPPED = re.compile(r"with strategy|exit code 143\b")
"""What Argo says of a node that ended as its workflow was stopped: its pod got SIGTERM, or none was
made."""
NEEDS = "workflows (argoproj.io): get"
LONGEST = 242
"""Characters of a pod's name before the hash (the engine's util.GeneratePodName)."""


def fetch(api: Api, name: str) -> Json:
    """A Workflow of the namespace. Raises ServiceError."""
    what = f"cannot read workflow {name}"

    def ask() -> Json:
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{api.namespace}/workflows/{name}"
        answer = api.send("GET", path)
        if answer.status != 200:
            raise fault(answer, NEEDS)
        found: Json = json.loads(answer.body)
        return found

    try:
        return retry(ask, what)
    except RefusedError as error:
        raise ServiceError(f"{what}: {error}") from error


def templates_of(workflow: Json) -> dict[str, Json]:
    """Its templates by name, wherever they came from."""
    return {template["name"]: template for template in spec_of(workflow).get("templates", ())}


def spec_of(workflow: Json) -> Json:
    """The specification that runs: of a template, once Argo has taken it over, in the status."""
    stored: Json = (workflow.get("status") or {}).get("storedWorkflowTemplateSpec") or {}
    return stored if stored.get("templates") else workflow.get("spec") or {}


def nodes_of(status: Json) -> Mapping[str, Json] | None:
    """The engine's nodes by id; None where Argo keeps them in a database of its own."""
    found: Mapping[str, Json] = status.get("nodes") or {}
    if not found and status.get("compressedNodes"):
        import base64  # few workflows are so large
        import gzip

        found = json.loads(gzip.decompress(base64.b64decode(status["compressedNodes"])))
    return None if not found and status.get("offloadNodeStatusVersion") else found


def step_of(arguments: Json) -> str:
    """The path among the arguments of a task; '' where there is none."""
    for argument in arguments.get("parameters") or ():
        if argument["name"] == STEP:
            return str(argument.get("value") or "")
    return ""


def key_of(node: Json) -> tuple[str, ...]:
    """The indexes of the iterations that a node is in."""
    return indexes(_key(node))


def items_of(node: Json) -> list[str]:
    """What tells people which items they are of, `` where nothing does."""
    return [part.partition("-")[2] for part in _key(node).split("/")]


def _key(node: Json) -> str:
    for parameter in (node.get("inputs") or {}).get("parameters") or ():
        if parameter["name"] == "key":
            return str(parameter.get("value") or "")
    return ""


def steps_without_pods(workflow: Json) -> Iterator[tuple[str, Json]]:
    """The instance and the node of each step that no pod of ours ran."""
    called = {
        (name, task["name"]): path
        for name, template in templates_of(workflow).items()
        for task in (template.get("dag") or {}).get("tasks") or ()
        if (path := step_of(task.get("arguments") or {}))
    }
    nodes = nodes_of(workflow.get("status") or {})
    if nodes is None:
        raise ServiceError("Argo keeps the nodes of this workflow in its database")
    for node in nodes.values():
        boundary = nodes.get(node.get("boundaryID", ""), {})
        path = called.get((boundary.get("templateName", ""), node.get("displayName", "")), "")
        key = key_of(boundary)
        if path and path.split("/").count(ITERATION) == len(key):
            yield fill(path, key), node


def stopped(message: str) -> bool:
    """Whether the message of a node that failed says that its workflow was stopped.

    >>> stopped("workflow shutdown with strategy:  Stop"), stopped("main: Error (exit code 1)")
    (True, False)
    """
    return STOPPED.search(message) is not None


def pod_name(node: Json) -> str:
    """What Argo calls the pod of a node, if it has one: the workflow's name, the template's, and
    the hash in the node's id."""
    name, _, digits = node["id"].rpartition("-")
    template = (node.get("templateRef") or {}).get("template") or node.get("templateName", "")
    return "-".join([f"{name}-{template}"[:LONGEST], digits])
