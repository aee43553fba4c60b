"""The pod that Argo sends the requests of `http` templates from, and asks plugins in: one for a
run, with the run's own account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def asked(templates: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any of these templates is the agent's, on its own or inline."""
    return any(_asks(template) for template in templates)


def _asks(template: Mapping[str, Any]) -> bool:
    tasks = chain(template.get("dag", {}).get("tasks", ()), *template.get("steps", ()))
    inline = (task["inline"] for task in tasks if "inline" in task)
    return any(kind in template for kind in KINDS) or asked(inline)
