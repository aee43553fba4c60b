"""kustomize's configuration, held to the schema: no place that is not there, and none left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from argosy.compiler.argo.kustomize import IMAGES, PATHS
from argosy.compiler.schema.fields import load

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
NOT_WRITTEN = (
    *("templateDefaults", "steps", "http", "outputs", "hooks", "executor", "synchronization"),
    *(
        "archiveLocation",
        "artifact",
        "artifacts",
        "artifactGC",
        "inline",
        "data",
        "volumeClaimTemplates",
        "rbd",
    ),
)
"""Fields that nothing but `extra` leads to; locks are looked at by themselves."""


def places(type_: str, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every place that names an object or has an image, as (kind, path)."""
    types = load()["types"]
    type_ = type_.strip("[]{}!")
    if type_ in NAMES:
        kind, member = NAMES[type_]
        yield kind, "/".join((*path, member))
        return
    for name, of in types.get(type_, {}).items():
        at = (*path, name)
        if name in NOT_WRITTEN or len(at) > 9:
            continue
        if name == "image" and of.strip("!") == "str":
            yield "image", "/".join(at)
        elif name == "serviceAccountName":
            yield "ServiceAccount", "/".join(at)
        else:
            yield from places(of, at)


def there(path: str) -> bool:
    """Whether the schema has such a place in a WorkflowTemplate."""
    type_: Any = "argo.WorkflowTemplate"
    for name in path.split("/"):
        type_ = load()["types"].get(type_.strip("[]{}!"), {}).get(name)
        if type_ is None:
            return False
    return True


def test_every_place_is_one_of_the_schemas() -> None:
    listed = [*IMAGES, *(path for paths in PATHS.values() for path in paths)]
    assert [path for path in listed if not there(path)] == []
    assert len(set(listed)) == len(listed)


def test_no_place_that_is_written_to_is_left_out() -> None:
    listed = {(kind, path) for kind, paths in PATHS.items() for path in paths}
    listed |= {("image", path) for path in IMAGES}
    assert set(places("argo.WorkflowTemplate")) - listed == set()
