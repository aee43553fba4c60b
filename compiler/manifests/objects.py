"""The objects around what runs: what is applied with it, and what kustomize is told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from ..options.pod import Claim, PodOptions
from .names import (
    ENVIRONMENT,
    MANAGED_BY,
    MAX_NAME,
    PIPELINE,
    VERSION,
    label_value,
    task_name,
)

Json = dict[str, Any]
RBAC = "rbac.authorization.k8s.io/v1"
KEPT = {
    "argocd.argoproj.io/sync-options": "Prune=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}
"""What keeps GitOps controllers from deleting a claim, and the data with it; and a ConfigMap that
is rendered no more, while runs that began with it go on."""
FIRST = "ServiceAccount", "Secret", "Role", "RoleBinding", "PersistentVolumeClaim", "ConfigMap"
LAST = "CronWorkflow", "CronJob"
"""Kinds that are applied before all others, and after: a run that starts finds what it needs."""


def place(kind: str) -> int:
    """Where objects of a kind stand in the order in which objects are applied."""
    return FIRST.index(kind) if kind in FIRST else len(FIRST) + (kind in LAST)


class Manifest(NamedTuple):
    """One file: the Jinja template (`ENGINE/<template>.yaml.j2`) and what it is filled with, which
    is the object itself. `applied`: it goes to the cluster; kustomize's own files do not."""

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
        MANAGED_BY: "argosy",
        PIPELINE: label_value(pipeline),
    }
    if environment:
        labels[ENVIRONMENT] = environment
    name = task_name(" ".join(filter(None, (pipeline, environment))), limit)
    return Identity(name, namespace, labels)


def version_of(spec: Json, templates: str | None) -> str:
    """A short hash of what is run, and of the team's own Jinja templates."""
    found = sha256(json.dumps(spec, sort_keys=True, separators=(",", ":")).encode())
    for path in sorted(Path(templates).rglob("*.j2")) if templates else ():
        found.update(path.read_bytes())
    return found.hexdigest()[:10]


def account_name(of: Identity, pod: PodOptions) -> str:
    """The service account of the pipeline's pods."""
    account = pod.service_account
    return account.name or (of.name if account.create else "")


def access(
    of: Identity, pod: PodOptions, rules: Sequence[Json], token: bool = False
) -> list[Manifest]:
    """The service account, its role where there are `rules` for one, and with `token` the Secret
    that Kubernetes puts one into."""
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
    of_account = {"kubernetes.io/service-account.name": account}
    metadata = of.metadata(f"{account}.service-account-token", of_account)
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
    """What kustomize is told; `more` are other members of it. It keeps the order of the resources:
    of kinds that it does not know it would put a CronWorkflow before its WorkflowTemplate."""
    data = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    files = [one.file for one in sorted(resources, key=lambda one: place(one.data["kind"]))]
    body: Json = {**data, "resources": files, "sortOptions": {"order": "fifo"}, **more}
    body["labels"] = [{"pairs": dict(of.labels), "includeSelectors": False}]
    if of.namespace:
        body["namespace"] = of.namespace
    return Manifest("kustomization.yaml", "kustomization", body, applied=False)
