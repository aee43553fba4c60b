"""The objects around a workflow: what is applied with it, and what kustomize needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..manifests.names import VERSION
from ..manifests.objects import (
    KEPT,
    Identity,
    Manifest,
    access,
    claims,
    kustomization,
    version_of,
)
from ..settings import merge
from . import agent
from .kustomize import configuration
from .options import Options
from .workflow import cron_of

Json = dict[str, Any]
ARGO = "argoproj.io/v1alpha1"
CLUSTER = "ClusterWorkflowTemplate"
"""Has no namespace; what runs from it does, with the account and the role beside it."""
CONTROLLER = "workflows.argoproj.io/controller-instanceid"
"""The label of Argo's objects that says which of several controllers they are for."""
RESULTS = {
    "apiGroups": ["argoproj.io"],
    "resources": ["workflowtaskresults"],
    "verbs": ["create", "patch"],
}
"""What Argo's executor needs in every pod."""


def versioned(of: Identity, spec: Json, templates: str | None) -> tuple[Identity, Json]:
    """Both with the version of the workflow. Workflows and pods have it too: they keep what they
    began with when a newer one is applied."""
    of = of._replace(version=version_of(spec, templates))
    marked = {
        part: merge(spec.get(part) or {}, {"labels": {VERSION: of.version}})
        for part in ("workflowMetadata", "podMetadata")
    }
    return of, {**spec, **marked}


def manifests(
    of: Identity,
    options: Options,
    spec: Json,
    nodes: Mapping[str, Mapping[str, str]],
    rules: Iterable[Json],
    description: str,
) -> list[Manifest]:
    """Every file, the workflow first. `nodes`: the data of the ConfigMaps that it needs, by name;
    `rules`: what its pods must be allowed beside what Argo's executor must."""
    kind = "WorkflowTemplate" if options.kind == "CronWorkflow" else options.kind
    printable = "".join(c if c.isprintable() or c == "\n" else " " for c in description)
    shown = {"workflows.argoproj.io/description": printable} if description else None
    labels = of.labels_of_version() | _controller(options)
    metadata = {**of.metadata(annotations=shown), "labels": labels}
    if kind == CLUSTER:
        metadata.pop("namespace", None)
    body = {"apiVersion": ARGO, "kind": kind, "metadata": metadata, "spec": spec}
    found = [Manifest(f"{kind.lower()}.yaml", kind.lower(), body)]
    if options.schedules:
        found.append(Manifest("cronworkflow.yaml", "cronworkflow", _cron(of, options)))
    for name, data in nodes.items():
        found.append(Manifest(f"configmap-{name}.yaml", "configmap", _config_map(of, name, data)))
    asks = agent.rules_for(spec["templates"]) if options.pod.service_account.create else []
    if options.pod.service_account.create:
        found.extend(access(of, options.pod, [RESULTS, *rules, *asks], token=bool(asks)))
    found.extend(claims(of, options.pod))
    return [
        *found,
        kustomization(of, found, configurations=["kustomizeconfig.yaml"]),
        Manifest(
            "kustomizeconfig.yaml",
            "kustomizeconfig",
            configuration(kind, spec, token=bool(asks)),
            applied=False,
        ),
    ]


def _controller(options: Options) -> dict[str, str]:
    """The label that the runs have for one of several controllers: it looks for it at schedules
    too, its server at templates, and `argosy submit` takes it over."""
    given = options.workflow_metadata.get("labels") or {}
    return {CONTROLLER: given[CONTROLLER]} if CONTROLLER in given else {}


def _cron(of: Identity, options: Options) -> Json:
    scope = {"clusterScope": True} if options.kind == CLUSTER else {}
    spec = cron_of(options)
    spec["workflowSpec"] = {"workflowTemplateRef": {"name": of.name, **scope}}
    if options.priority is not None:  # that of a template is not looked at
        spec["workflowSpec"]["priority"] = options.priority
    metadata = {**of.metadata(), "labels": of.labels_of_version() | _controller(options)}
    return {"apiVersion": ARGO, "kind": "CronWorkflow", "metadata": metadata, "spec": spec}


def _config_map(of: Identity, name: str, data: Mapping[str, str]) -> Json:
    metadata = of.metadata(name, KEPT)
    metadata["labels"]["argosy.dev/part"] = "nodes"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "immutable": True,
        "data": dict(data),
    }
