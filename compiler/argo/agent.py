"""The pod that Argo sends the requests of `http` templates from, and asks plugins in: one for a
run, with the run's own account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

Json = dict[str, Any]
KINDS = "http", "plugin"
RULES: Sequence[Json] = (
    {"apiGroups": ["argoproj.io"], "resources": ["workflowtasksets"], "verbs": ["watch"]},
    {"apiGroups": ["argoproj.io"], "resources": ["workflowtasksets/status"], "verbs": ["patch"]},
)
"""What its account must be allowed (the engine's executor/agent.go). A token of it must be in a
Secret: the agent is the one pod that gets none of its own."""


def rules_for(templates: Iterable[Mapping[str, Any]]) -> list[Json]:
    """What the agent's account must be allowed for these templates: nothing where none is its."""
    asked = list(_asked(templates))
    names = sorted({name for template in asked for name in _secrets(template)})
    read = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": names, "verbs": ["get"]}
    return [*RULES, *([read] if names else [])] if asked else []


def _asked(templates: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The templates that are the agent's, on their own or inline."""
    for template in templates:
        if any(kind in template for kind in KINDS):
            yield template
        tasks = chain(template.get("dag", {}).get("tasks", ()), *template.get("steps", ()))
        yield from _asked(task["inline"] for task in tasks if "inline" in task)


def _secrets(template: Mapping[str, Any]) -> Iterator[str]:
    """The Secrets that a request's headers are taken from: the agent asks the API server."""
    for header in template.get("http", {}).get("headers", ()):
        if "valueFrom" in header:
            yield header["valueFrom"]["secretKeyRef"]["name"]
