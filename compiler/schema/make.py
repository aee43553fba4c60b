"""Makes schema.json, the fields that the engine's objects have: `make schema` runs it.

The source is the `argo-workflows` models and, for what those lack, the `kubernetes` models, in the
versions of requirements/dev.txt: both know every field's name and type, and importing them costs
too much for each render.
The file holds `kinds`, {"apiVersion/kind": type}, and `types`, {type: {field: type of field}}. A
type of field is `str`, `int`, `float`, `bool`, `int|str`, `any`, another type's name, `[T]` for a
list and `{T}` for a mapping of strings; a `!` after it says that the field is required.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .fields import PATH

ROOTS = {
    "argoproj.io/v1alpha1/Workflow": "IoArgoprojWorkflowV1alpha1Workflow",
    "argoproj.io/v1alpha1/WorkflowTemplate": "IoArgoprojWorkflowV1alpha1WorkflowTemplate",
    "argoproj.io/v1alpha1/ClusterWorkflowTemplate": (
        "IoArgoprojWorkflowV1alpha1ClusterWorkflowTemplate"
    ),
    "argoproj.io/v1alpha1/CronWorkflow": "IoArgoprojWorkflowV1alpha1CronWorkflow",
    "v1/ConfigMap": "V1ConfigMap",
    "batch/v1/CronJob": "V1CronJob",
    "batch/v1/Job": "V1Job",
    "v1/PersistentVolumeClaim": "PersistentVolumeClaim",
    "v1/Secret": "V1Secret",
    "v1/ServiceAccount": "V1ServiceAccount",
    "rbac.authorization.k8s.io/v1/Role": "V1Role",
    "rbac.authorization.k8s.io/v1/RoleBinding": "V1RoleBinding",
}

PATCHED = ("V1PodSpec",)
"""What options hold to a type that no object of `ROOTS` has."""

NUMBER_OR_TEXT = {
    "EmptyDirVolumeSource.sizeLimit",
    "HTTPGetAction.port",
    "PodDisruptionBudgetSpec.maxUnavailable",
    "PodDisruptionBudgetSpec.minAvailable",
    "ResourceFieldSelector.divisor",
    "ResourceRequirements.limits",
    "ResourceRequirements.requests",
    "TCPSocketAction.port",
    "VolumeResourceRequirements.limits",
    "VolumeResourceRequirements.requests",
    "argo.Backoff.factor",
    "argo.ContainerSetRetryStrategy.retries",
    "argo.RetryStrategy.limit",
    "argo.Sequence.count",
    "argo.Sequence.end",
    "argo.Sequence.start",
    "argo.Template.activeDeadlineSeconds",
}
"""The models call these strings. The full CRDs say `x-kubernetes-int-or-string`."""

CORRECTED = {"argo.DAGTask.withItems": "[any]", "argo.WorkflowStep.withItems": "[any]"}
"""An item is any JSON value, where the models allow objects only."""

SCALARS = {
    "str": "str",
    "bytes": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "datetime": "str",
}


class Models:
    """The classes of both packages, read in one form."""

    def __init__(self) -> None:
        # An extra, which only this script needs.
        import argo_workflows.models
        import kubernetes.client.models

        self.argo = vars(argo_workflows.models)
        self.kubernetes = kubernetes.client.models

    def fields(self, name: str) -> Iterator[tuple[str, str, bool]]:
        """Every field of a class: its name in JSON, its type, and whether it is required."""
        if model := self.argo.get(name):
            yield from self._argo_fields(model)
        else:
            yield from self._kubernetes_fields(getattr(self.kubernetes, name))

    def _argo_fields(self, model: Any) -> Iterator[tuple[str, str, bool]]:
        positional = inspect.getfullargspec(inspect.unwrap(model.__init__)).args
        for attribute, types in model.openapi_types.items():
            required = attribute in positional
            yield model.attribute_map[attribute], self._argo_type(list(types)), required

    def _argo_type(self, types: list[Any]) -> str:
        match types:
            case [list() as inner]:
                return f"[{self._argo_type(inner)}]"
            case [dict() as inner]:
                ((_, values),) = inner.items()
                return f"{{{self._argo_type(list(values))}}}"
            case [one] if one.__base__.__name__ == "ModelSimple":
                return self._argo_type(list(one.openapi_types["value"]))
            case [one]:
                return "{any}" if one is dict else SCALARS.get(one.__name__, one.__name__)
        return "any"

    def _kubernetes_fields(self, model: Any) -> Iterator[tuple[str, str, bool]]:
        for attribute, name in model.attribute_map.items():
            required = model.model_fields[attribute].is_required()
            yield name, self._kubernetes_type(model.openapi_types[attribute]), required

    def _kubernetes_type(self, text: str) -> str:
        if inner := re.fullmatch(r"List\[(.*)\]", text):
            return f"[{self._kubernetes_type(inner[1])}]"
        if inner := re.fullmatch(r"Dict\[str, (.*)\]", text):
            return f"{{{self._kubernetes_type(inner[1])}}}"
        if text in SCALARS:
            return SCALARS[text]
        if text == "object":
            return "any"
        # What both packages have is taken from Argo's, so that one name means one thing.
        return short(text) if short(text) in self.argo else text


def short(name: str) -> str:
    """What the schema calls a class: Argo's own with a prefix, for some have a namesake."""
    name = name.replace("IoArgoprojWorkflowV1alpha1", "argo.")
    return re.sub(r"^(IoK8sApiPolicy|Core|Rbac)?V1(?=[A-Z])", "", name)


def make() -> dict[str, Any]:
    """The schema of every kind in `ROOTS`, of `PATCHED` and of all that they hold; without
    `status`, which no manifest has."""
    models = Models()
    types: dict[str, dict[str, str]] = {}
    waiting = [*ROOTS.values(), *PATCHED]
    while waiting:
        name = waiting.pop()
        if short(name) in types:
            continue
        fields = types[short(name)] = {}
        for field, type_, required in models.fields(name):
            if field == "status" and name in ROOTS.values():
                continue
            inner = type_.strip("[]{}")
            if inner not in (*SCALARS, "any"):
                waiting.append(inner)
            named = type_.replace(inner, short(inner))
            fields[field] = corrected(f"{short(name)}.{field}", named) + "!" * required
    return {"kinds": {kind: short(name) for kind, name in ROOTS.items()}, "types": types}


def corrected(place: str, type_: str) -> str:
    if place in NUMBER_OR_TEXT:
        return type_.replace("str", "int|str")
    return CORRECTED.get(place, type_)


def encode(schema: Mapping[str, Any]) -> str:
    """The file's text: one type a line, so that a change shows as one."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(fields, sort_keys=True)}"
        for name, fields in sorted(schema["types"].items())
    ]
    kinds = json.dumps(schema["kinds"], indent=1)
    return f'{{"kinds": {kinds},\n"types": {{\n' + ",\n".join(lines) + "\n}}\n"


if __name__ == "__main__":
    PATH.write_text(encode(make()), encoding="utf-8")
