"""Objects of a pipeline that are rendered no more, and which of them can go."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from ..manifests.names import ENVIRONMENT, MANAGED_BY, PIPELINE
from .client import Client
from .errors import NoSuchKindError, NotAllowedError
from .resources import JOB, KINDS, WORKFLOW, Resource

RUNS = "Workflow", "Job", "Pod"
"""Kinds that are runs, or of one: they are history, and not what is rendered."""
GO_ALONG = ("Secret",)
"""Kinds that go with another: tokens, with their account. To list them is to read them all."""
USED = "ServiceAccount", "Role", "RoleBinding", "ConfigMap", "PersistentVolumeClaim"
"""Kinds that a run needs until it ends. It has a copy of its template."""
CLAIM = "PersistentVolumeClaim"
UNFINISHED = "workflows.argoproj.io/completed!=true"


class Stale(NamedTuple):
    """An object that is rendered no more. `kept`: why it stays, '' where nothing is against it."""

    resource: Resource
    name: str
    kept: str = ""


def selector(labels: Mapping[str, str]) -> str:
    """What finds the objects of a pipeline in its environment, and of no other.

    >>> selector({"argosy.dev/pipeline": "churn", "app.kubernetes.io/managed-by": "argosy"})
    'argosy.dev/pipeline=churn,app.kubernetes.io/managed-by=argosy,!argosy.dev/environment'
    """
    names = (PIPELINE, MANAGED_BY, ENVIRONMENT)
    return ",".join(f"{one}={labels[one]}" if one in labels else f"!{one}" for one in names)


def stale(
    client: Client,
    labels: Mapping[str, str],
    rendered: Collection[tuple[str, str]],
    warn: Callable[[str], object],
    *,
    claims: bool = False,
) -> list[Stale]:
    """What is rendered no more of the objects with the labels of a pipeline; `rendered` are those
    that are, by kind and name. `claims`: those may go too, and what is on them."""
    found = []
    chosen = selector(labels)
    for resource in KINDS.values():
        if resource.kind in (*RUNS, *GO_ALONG):
            continue
        try:
            objects = client.list(resource, chosen, brief=True)
        except NoSuchKindError:
            continue
        except NotAllowedError as error:
            warn(f"not looked for: {resource.full} ({str(error).splitlines()[0]})")
            continue
        found += [
            (resource, one["metadata"]["name"])
            for one in objects
            if (resource.kind, one["metadata"]["name"]) not in rendered
            and not one["metadata"].get("ownerReferences")
        ]
    runs = _runs(client, chosen) if found else []
    return [Stale(resource, name, _kept(resource, name, runs, claims)) for resource, name in found]


def _kept(resource: Resource, name: str, runs: Collection[tuple[str, str]], claims: bool) -> str:
    if resource.kind == CLAIM and not claims:
        return "it may hold data; --prune-claims deletes it"
    if not resource.namespaced:
        return "another namespace may run it; kubectl deletes it"
    if resource.kind not in USED:
        return ""
    using = next((run for run, text in runs if json.dumps(name) in text), "")
    return f"the run {using} uses it" if using else ""


def _runs(client: Client, chosen: str) -> list[tuple[str, str]]:
    """The runs that go on, and all that each was told."""
    found = []
    for resource, more in ((WORKFLOW, f",{UNFINISHED}"), (JOB, "")):
        try:
            objects = client.list(resource, chosen + more)
        except NoSuchKindError:
            continue
        for one in objects:
            status = one.get("status") or {}
            if not status.get("completionTime") and not status.get("finishedAt"):
                told: list[Any] = [one.get("spec"), status.get("storedWorkflowTemplateSpec")]
                found.append((str(one["metadata"]["name"]), json.dumps(told)))
    return found
