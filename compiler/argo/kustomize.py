"""What kustomize does not know of Argo's objects: where they name others, and where images are.

Every place that Argosy writes to, or that an option leads to; a test holds the list to the schema.
Of the engine's own templates those places that are in use. Paths go through lists without an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..schema.fields import load

Json = dict[str, Any]

CONTAINERS = "container", "script", "initContainers", "sidecars", "containerSet/containers"
"""Where a template has containers."""
CALLS = "spec/arguments", "spec/templates/inputs", "spec/templates/dag/tasks/arguments"
LIMITED = "spec", "spec/templates"
"""What can have volumes, accounts and semaphores."""
SEMAPHORE = "synchronization/semaphores/configMapKeyRef/name"

PATHS = {
    "ServiceAccount": [f"{at}/serviceAccountName" for at in LIMITED],
    "PersistentVolumeClaim": [f"{at}/volumes/persistentVolumeClaim/claimName" for at in LIMITED],
    "Secret": [
        "spec/imagePullSecrets/name",
        *(f"spec/templates/{at}/env/valueFrom/secretKeyRef/name" for at in CONTAINERS),
        *(f"spec/templates/{at}/envFrom/secretRef/name" for at in CONTAINERS),
        *(f"{at}/volumes/secret/secretName" for at in LIMITED),
        *(f"{at}/volumes/projected/sources/secret/name" for at in LIMITED),
    ],
    "ConfigMap": [
        *(f"spec/templates/{at}/env/valueFrom/configMapKeyRef/name" for at in CONTAINERS),
        *(f"spec/templates/{at}/envFrom/configMapRef/name" for at in CONTAINERS),
        *(f"{at}/volumes/configMap/name" for at in LIMITED),
        *(f"{at}/volumes/projected/sources/configMap/name" for at in LIMITED),
        *(f"{at}/parameters/valueFrom/configMapKeyRef/name" for at in CALLS),
        *(f"{at}/{SEMAPHORE}" for at in LIMITED),
        "spec/templates/memoize/cache/configMap/name",
        # Nodes that are apart: the argument that has their ConfigMap's name.
        "spec/templates/inputs/parameters/value",
        "spec/templates/dag/tasks/arguments/parameters/value",
        "spec/artifactRepositoryRef/configMap",
    ],
}
"""Where a workflow's template names an object, by its kind."""
IMAGES = [f"spec/templates/{at}/image" for at in CONTAINERS]
OF_CRON = {"kind": "CronWorkflow", "path": "spec/workflowSpec/workflowTemplateRef/name"}
OF_TOKEN = {"kind": "Secret", "path": "metadata/annotations/kubernetes.io\\/service-account.name"}
TOKEN_OF = {"kind": "ServiceAccount", "path": "secrets/name"}
"""Where the Secret of an account's token names the account, and that the Secret."""
NAMES = {
    "SecretKeySelector": ("Secret", "name"),
    "SecretVolumeSource": ("Secret", "secretName"),
    "SecretEnvSource": ("Secret", "name"),
    "SecretProjection": ("Secret", "name"),
    "ConfigMapKeySelector": ("ConfigMap", "name"),
    "ConfigMapVolumeSource": ("ConfigMap", "name"),
    "ConfigMapEnvSource": ("ConfigMap", "name"),
    "ConfigMapProjection": ("ConfigMap", "name"),
    "PersistentVolumeClaimVolumeSource": ("PersistentVolumeClaim", "claimName"),
}
"""Types of the schema whose values name an object: its kind, and the member with the name."""
OWN = "http", "data", "steps", "archiveLocation", "inputs", "outputs"
"""Where a template of the engine's own can name one too: requests, artifacts, templates inline."""


def configuration(kind: str, spec: Json, token: bool = False) -> Json:
    """kustomize's configuration for objects of that kind with this specification, for CronWorkflows
    that start them, and for the Secret of their account's `token`."""

    def fields(paths: Iterable[str]) -> list[Json]:
        return [{"kind": kind, "path": path} for path in paths]

    places = {name: list(paths) for name, paths in PATHS.items()}
    for name, path in sorted(set(_own(spec))):
        if path not in places[name]:
            places[name].append(path)
    names = [{"kind": name, "fieldSpecs": fields(paths)} for name, paths in places.items()]
    if token:
        names.append({"kind": "ServiceAccount", "fieldSpecs": [OF_TOKEN]})
        names.append({"kind": "Secret", "fieldSpecs": [TOKEN_OF]})
    if kind != "Workflow":
        path = "spec/templates/dag/tasks/templateRef/name"
        names.append({"kind": kind, "fieldSpecs": [OF_CRON, {"kind": kind, "path": path}]})
    return {"nameReference": names, "images": fields(IMAGES)}


def _own(spec: Json) -> Iterator[tuple[str, str]]:
    """The places of names in templates of the engine's own, each with the kind of its object."""
    for template in spec["templates"]:
        found = {part: template[part] for part in OWN if part in template}
        tasks = template.get("dag", {}).get("tasks", ())
        found["dag"] = {"tasks": [task for task in tasks if "inline" in task]}
        yield from _named(found, "argo.Template", "spec/templates")


def _named(value: Any, type_: str, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value:
            yield from _named(one, type_, path)
    elif isinstance(value, dict):
        type_ = type_.strip("[]!")
        if type_ in NAMES:
            kind, member = NAMES[type_]
            yield kind, f"{path}/{member}"
        known = load()["types"].get(type_, {})
        for name in value.keys() & known.keys():
            yield from _named(value[name], known[name], f"{path}/{name}")
