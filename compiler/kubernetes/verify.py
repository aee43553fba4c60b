"""Verify: what was rendered is what Kubernetes takes: fields and types against the schema, names,
and what a pod can be started with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ManifestError
from ..manifests.limits import check_container
from ..manifests.verify import check_object_name, field_faults, objects_of, problem
from ..schema.faults import Fault, Place, place_of

if TYPE_CHECKING:
    from ..compilation import Compilation

OBJECT_BYTES = 1 << 20
"""etcd takes 1.5 MiB in one request; who owns which field of an object needs some of that."""


def verify(compilation: Compilation) -> Compilation:
    """Raises ManifestError with all problems of all files."""
    found = [
        problem(obj, fault)
        for obj in objects_of(compilation)
        for fault in (field_faults(obj) or [*check_object_name(obj), *limits(obj), *size(obj)])
    ]
    if found:
        raise ManifestError(found)
    return compilation


def limits(obj: Mapping[str, Any]) -> Iterator[Fault]:
    """What no program can be started with."""
    for spec, place in pods_of(obj):
        for field in ("initContainers", "containers"):
            for index, container in enumerate(spec.get(field, ())):
                yield from check_container(container, ((place, field), index))


def pods_of(obj: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Place]]:
    """The specification of the pods that an object starts, and its place."""
    match obj["kind"]:
        case "CronJob":
            job = obj["spec"]["jobTemplate"]["spec"]
            place = place_of("spec", "jobTemplate", "spec", "template", "spec")
        case "Job":
            job, place = obj["spec"], place_of("spec", "template", "spec")
        case _:
            return
    yield job["template"]["spec"], place


def size(obj: Mapping[str, Any]) -> Iterator[Fault]:
    found = len(json.dumps(obj, separators=(",", ":")))
    if found > OBJECT_BYTES:
        yield Fault(
            place_of("spec"),
            f"has {found:,} bytes, most of them the plan of the pipeline; the limit of an object's"
            f" size is {OBJECT_BYTES:,}",
            "put long commands in scripts, or make two pipelines of it",
        )
