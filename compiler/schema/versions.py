"""How the versions of Argo Workflows differ from schema.json, which is 3.7.

From the OpenAPI specifications of 3.6.15, 3.7.3 and 4.0.5 (api/openapi-spec/swagger.json of each).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

ARGO_VERSIONS = "3.6", "3.7", "4"
ARGO = "3.7"
"""The version that is meant where none is said."""


class Change(NamedTuple):
    """How a version differs from 3.7: `type.field` of what it lacks, the fields of types that it
    has beside, or with another type."""

    lacks: tuple[str, ...]
    has: Mapping[str, Mapping[str, str]]


PLUGIN = {"plugin": "argo.PluginArtifact"}
CHANGES = {
    "3.6": Change(
        (
            "argo.Backoff.cap",
            "argo.Mutex.database",
            "argo.SemaphoreRef.database",
            "argo.Template.annotations",
            "Lifecycle.stopSignal",
        ),
        {"argo.Template": {"priority": "int"}, "argo.WorkflowSpec": {"podPriority": "int"}},
    ),
    "4": Change(
        (
            "argo.CronWorkflowSpec.schedule",
            "argo.Synchronization.mutex",
            "argo.Synchronization.semaphore",
        ),
        {
            "argo.Cache": {"configMap": "LocalObjectReference!"},
            "argo.Artifact": PLUGIN,
            "argo.ArtifactLocation": PLUGIN,
            "argo.ArtifactPaths": PLUGIN,
            "argo.PluginArtifact": {
                "configuration": "str",
                "connectionTimeoutSeconds": "int",
                "key": "str!",
                "name": "str",
            },
        },
    ),
}


def fields_of(name: str, types: Mapping[str, Mapping[str, str]], version: str) -> dict[str, str]:
    """The fields of a type, which `types` has as 3.7 has it, in a version."""
    fields = types.get(name, {})
    if version == ARGO:
        return dict(fields)
    change = CHANGES[version]
    kept = {
        field: type_ for field, type_ in fields.items() if f"{name}.{field}" not in change.lacks
    }
    return {**kept, **change.has.get(name, {})}
