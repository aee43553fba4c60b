"""The objects around a workflow: what is applied with it, and what kustomize needs to know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from ..options.pod import Claim, PodOptions
from ..settings import merge
from . import agent
from .kustomize import configuration
from .names import CONTROLLER, MAX_NAME, PIPELINE, label_value, task_name
from .options import Options
from .workflow import cron_of

Json = dict[str, Any]
ARGO = "argoproj.io/v1alpha1"
CLUSTER = "ClusterWorkflowTemplate"
"""Has no namespace; what runs from it does, with the account and the role beside it."""
RBAC = "rbac.authorization.k8s.io/v1"
VERSION = "argosy.dev/version"
"""A label: which version of the pipeline a WorkflowTemplate is, and a workflow and its pods began
with. Accounts, roles and claims have none: they outlive a version, and would differ by it alone."""
RESULTS = {
    "apiGroups": ["argoproj.io"],
    "resources": ["workflowtaskresults"],
    "verbs": ["create", "patch"],
}
"""What Argo's executor needs in every pod."""
KEPT = {
    "argocd.argoproj.io/sync-options": "Prune=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""What keeps GitOps controllers from deleting a claim, and the data with it; and a ConfigMap that
is rendered no more, while runs that began with it go on."""


class Manifest(NamedTuple):
    """One file: the Jinja template (`argo/<template>.yaml.j2`) and what it is filled with, which is
    the object itself. `applied`: it goes to the cluster; kustomize's own files do not."""

    file: str
    template: str
    data: Mapping[str, Any]
    applied: bool = True


class Identity(NamedTuple):
    """What a pipeline's objects have in common. `labels` find all of them, and no others."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    version: str = ""

    def labels_of_version(self) -> dict[str, str]:
        """The labels of what is of one version."""
        return {**self.labels, VERSION: self.version}

    def metadata(self, name: str = "", annotations: Mapping[str, str] | None = None) -> Json:
        """The metadata of the object `name`; the pipeline's own where that is ''."""
        found: Json = {"name": name or self.name}
        if self.namespace:
            found["namespace"] = self.namespace
        found["labels"] = dict(self.labels)
        if annotations:
            found["annotations"] = dict(annotations)
        return found


def identity(pipeline: str, environment: str, namespace: str, limit: int = MAX_NAME) -> Identity:
    """The identity of the objects of a pipeline of this name in an environment, whose own names
    take at most `limit` characters."""
    labels = {
        "app.kubernetes.io/name": task_name(pipeline, limit),
        "app.kubernetes.io/managed-by": "argosy",
        PIPELINE: label_value(pipeline),
    }
    if environment:
        labels["argosy.dev/environment"] = environment
    name = task_name(" ".join(filter(None, (pipeline, environment))), limit)
    return Identity(name, namespace, labels)


def version_of(spec: Json, templates: str | None) -> str:
    """A short hash of what is run, and of the team's own Jinja templates."""
    found = sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode())
    for path in sorted(Path(templates).rglob("*.j2")) if templates else ():
        found.update(path.read_bytes())
    return found.hexdigest()[:10]


def versioned(of: Identity, spec: Json, templates: str | None) -> tuple[Identity, Json]:
    """Both with the version of the workflow. Workflows and pods have it too: they keep what they
    began with when a newer one is applied."""
    of = of._replace(version=version_of(spec, templates))
    marked = {
        part: merge(spec.get(part) or {}, {"labels": {VERSION: of.version}})
        for part in ("workflowMetadata", "podMetadata")
    }
    return of, {**spec, **marked}


def account_name(of: Identity, pod: PodOptions) -> str:
    """The service account of the pipeline's pods."""
    account = pod.service_account
    return account.name or (of.name if account.create else "")


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
    asks = options.pod.service_account.create and agent.asked(spec["templates"])
    if options.pod.service_account.create:
        allowed = [RESULTS, *rules, *(agent.RULES if asks else ())]
        found.extend(access(of, options.pod, allowed, token=asks))
    found.extend(claims(of, options.pod))
    return [
        *found,
        kustomization(of, found, configurations=["kustomizeconfig.yaml"]),
        Manifest(
            "kustomizeconfig.yaml",
            "kustomizeconfig",
            configuration(kind, spec, token=asks),
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


def access(
    of: Identity, pod: PodOptions, rules: Sequence[Json], token: bool = False
) -> list[Manifest]:
    """The service account, its role where there are `rules` for one, and with `token` the Secret
    that Kubernetes keeps one in."""
    account, name = pod.service_account, account_name(of, pod)
    metadata = of.metadata(name)
    own = of.metadata(name, account.annotations)
    own["labels"] |= account.labels
    body: Json = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": own}
    found = [Manifest("serviceaccount.yaml", "serviceaccount", body)]
    if token:
        secret = _token(of, name)
        body["secrets"] = [{"name": secret["metadata"]["name"]}]
        found.append(Manifest("secret.yaml", "secret", secret))
    if not rules:
        return found
    subject = {"kind": "ServiceAccount", "name": name}
    if of.namespace:
        subject["namespace"] = of.namespace
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    role = {"kind": "Role", "metadata": metadata, "rules": list(rules)}
    binding = {"kind": "RoleBinding", "metadata": metadata, "roleRef": reference}
    return [
        *found,
        Manifest("role.yaml", "role", {"apiVersion": RBAC, **role}),
        Manifest(
            "rolebinding.yaml",
            "rolebinding",
            {"apiVersion": RBAC, **binding, "subjects": [subject]},
        ),
    ]


def _token(of: Identity, account: str) -> Json:
    metadata = of.metadata(f"{account}.service-account-token", {agent.ACCOUNT: account})
    type_ = "kubernetes.io/service-account-token"
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": type_}


def claims(of: Identity, pod: PodOptions) -> list[Manifest]:
    """The volume claims that are rendered."""
    return [
        Manifest(f"claim-{name}.yaml", "claim", _claim(of, name, claim))
        for name, claim in pod.claims.items()
        if claim.create
    ]


def _claim(of: Identity, name: str, claim: Claim) -> Json:
    spec: Json = {"accessModes": [claim.access_mode]}
    if claim.storage_class:
        spec["storageClassName"] = claim.storage_class
    spec["resources"] = {"requests": {"storage": claim.size}}
    metadata = of.metadata(name, KEPT)
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def kustomization(of: Identity, resources: Iterable[Manifest], **more: Any) -> Manifest:
    """What kustomize is told; `more` are other members of it."""
    data = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    body: Json = {**data, "resources": [manifest.file for manifest in resources], **more}
    body["labels"] = [{"pairs": dict(of.labels), "includeSelectors": False}]
    if of.namespace:
        body["namespace"] = of.namespace
    return Manifest("kustomization.yaml", "kustomization", body, applied=False)
