"""What kustomize does not know of Argo's objects: where they name others, and where images are.

Every place that Argosy writes to, or that an option leads to; a test holds the list to the schema.
Paths go through lists without an index.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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


def configuration(kind: str) -> Json:
    """kustomize's configuration for objects of that kind, and for CronWorkflows that start them."""

    def fields(paths: Iterable[str]) -> list[Json]:
        return [{"kind": kind, "path": path} for path in paths]

    names = [{"kind": name, "fieldSpecs": fields(paths)} for name, paths in PATHS.items()]
    if kind != "Workflow":
        path = "spec/templates/dag/tasks/templateRef/name"
        names.append({"kind": kind, "fieldSpecs": [OF_CRON, {"kind": kind, "path": path}]})
    return {"nameReference": names, "images": fields(IMAGES)}
