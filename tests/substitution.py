"""What happens to a manifest's text on its way into a pod: Argo's passes, and the kubelet's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
GLOBALS = {"workflow.name": "REPLACED", "workflow.uid": "REPLACED", "pod.name": "REPLACED"}


def one_pass(part: Any, known: Mapping[str, str]) -> Any:
    """Argo replaces the tags that it knows in a part's JSON; what it puts there it escapes as a
    string in Go, and what it does not know it leaves. An expression it evaluates."""

    def value(match: re.Match[str]) -> str:
        tag = match[1].strip()
        if tag.startswith("="):
            return "EVALUATED"
        return json.dumps(known[tag])[1:-1] if tag in known else match[0]

    return json.loads(TAG.sub(value, json.dumps(part, ensure_ascii=False)))


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """The kubelet replaces `$(NAME)` where there is such a variable, and `$$` by `$`."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] is None else environment.get(match[1], match[0])

    return REFERENCE.sub(value, text)


def arguments(spec: Json, task: Json) -> list[str]:
    """The arguments that the pod of a task is started with."""
    given = one_pass(task, GLOBALS).get("arguments", {}).get("parameters", [])
    template = next(one for one in spec["templates"] if one["name"] == task["template"])
    known = {
        f"inputs.parameters.{p['name']}": p.get("value", "")
        for p in template["inputs"]["parameters"]
    }
    known |= {f"inputs.parameters.{p['name']}": p["value"] for p in given}
    for _ in range(3):  # more than there are, over what was replaced too
        template = one_pass(template, {**GLOBALS, **known})
    environment = {v["name"]: v.get("value", "") for v in template["container"]["env"]}
    return [expanded(one, environment) for one in template["container"]["args"]]


def pods(spec: Json) -> list[list[str]]:
    """The arguments of every pod of a user's, in the order of the file."""
    leaves = {one["name"] for one in spec["templates"] if "container" in one}
    return [
        arguments(spec, task)
        for template in spec["templates"]
        for task in template.get("dag", {}).get("tasks", ())
        if task["template"] in leaves
    ]
