"""kustomize's configuration, held to the schema: no place that is not there, and none left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from argosy.compiler.argo.kustomize import IMAGES, NAMES, PATHS, configuration
from argosy.compiler.schema.fields import load

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
"""Fields that nothing but `extra` and templates of the engine's own lead to; locks are looked at by
themselves."""


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


def test_of_the_engines_own_templates_the_places_in_use_are_added() -> None:
    secret = {"name": "own", "key": "k"}
    web = {"http": {"url": "x", "headers": [{"name": "A", "valueFrom": {"secretKeyRef": secret}}]}}
    bucket = {"data": {"source": {"artifactPaths": {"s3": {"accessKeySecret": secret}}}}}
    tasks = [{"name": "a", "inline": web}, {"name": "b", "template": "web"}]
    templates = [
        web,
        bucket,
        {"steps": [[{"name": "a", "inline": web}]]},
        {"dag": {"tasks": tasks}},
    ]
    (found,) = (
        [field["path"] for field in one["fieldSpecs"] if field["path"] not in PATHS["Secret"]]
        for one in configuration("WorkflowTemplate", {"templates": templates})["nameReference"]
        if one["kind"] == "Secret"
    )
    header = "http/headers/valueFrom/secretKeyRef/name"
    assert found == [
        f"spec/templates/dag/tasks/inline/{header}",
        "spec/templates/data/source/artifactPaths/s3/accessKeySecret/name",
        f"spec/templates/{header}",
        f"spec/templates/steps/inline/{header}",
    ]
