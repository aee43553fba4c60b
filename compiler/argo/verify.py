"""Verify: what was rendered is what the engine takes.

Fields and types against the schema (../manifests/verify.py), names and references (references.py),
and the limits and the size budget (limits.py). An object with a wrong type is not looked at
further.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ManifestError, Problem
from ..manifests.verify import check_object_name, field_faults, objects_of, problem
from ..schema.faults import Fault, Place, place_of
from ..schema.versions import ARGO
from .checks import version_of
from .limits import check_argo_4, check_limits
from .references import check_references
from .size import STORED_SPECS, Size, size_of

if TYPE_CHECKING:
    from ..compilation import Compilation
    from ..manifests.objects import Manifest

Object = Mapping[str, Any]
APPLY_BYTES = 262_144
"""The annotations of an object; `kubectl apply` keeps the object as it applied it in one."""


def verify(compilation: Compilation) -> Compilation:
    """Adds warnings. Raises ManifestError with all problems of all files."""
    applied = [manifest for manifest in compilation.manifests if manifest.applied]
    objects = objects_of(compilation)
    version = version_of(compilation.settings.executor.config)
    found = problems(objects, version, None if compilation.request.templates else compilation.size)
    warnings = [] if found else cautions(objects)
    if found or (warnings and version == "4"):
        raise ManifestError(found or warnings)
    warnings += too_large_to_apply(compilation.files, applied)
    return compilation._replace(warnings=(*compilation.warnings, *warnings))


def problems(
    objects: Iterable[Object], version: str = ARGO, size: Size | None = None
) -> list[Problem]:
    """Every problem of these objects, in their order, for a version of Argo. `size`: that of the
    workflow, where it is known."""
    return [problem(obj, fault) for obj in objects for fault in faults_of(obj, version, size)]


def cautions(objects: Iterable[Object]) -> list[Problem]:
    """What the full CRDs of Argo 4 refuse, and others do not; of objects without a problem."""
    return [
        problem(obj, fault)
        for obj in objects
        for spec, at, _ in specs_of(obj)
        for fault in check_argo_4(spec, at)
    ]


def too_large_to_apply(files: Mapping[str, str], applied: Iterable[Manifest]) -> list[Problem]:
    """The objects that `kubectl apply` cannot write into their own annotation."""
    hint = "kubectl apply --server-side takes any; with Argo CD, ServerSideApply=true"
    sizes = [(one.data, len(files.get(one.file, ""))) for one in applied]
    return [
        problem(data, Fault((), f"has {size:,} bytes; `kubectl apply` takes {APPLY_BYTES:,}", hint))
        for data, size in sizes
        if size > APPLY_BYTES
    ]


def faults_of(obj: Object, version: str, size: Size | None) -> list[Fault]:
    found = field_faults(obj, version)
    if found:
        return found
    found = list(check_object_name(obj))
    for spec, at, copies in specs_of(obj):
        known = size if "templates" in spec else None  # a schedule's has none
        found += check_references(spec, at)
        found += check_limits(spec, at, known or size_of(spec, copies))
    return found


def specs_of(obj: Object) -> Iterator[tuple[Object, Place, int]]:
    """The workflow's spec that an object holds, its place, and how often the Workflow that runs
    it holds it."""
    match obj["kind"]:
        case "Workflow":
            yield obj["spec"], place_of("spec"), 1
        case "WorkflowTemplate" | "ClusterWorkflowTemplate":
            yield obj["spec"], place_of("spec"), STORED_SPECS
        case "CronWorkflow":
            yield obj["spec"]["workflowSpec"], place_of("spec", "workflowSpec"), 1
