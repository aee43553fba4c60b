"""Verify: what was rendered is what the engine takes.

Fields and types against schema.json (../schema), names and references (references.py), and the
limits and the size budget (limits.py). Our templates write the objects as `lower` made them, which
tests hold them to; where a team's own come first, the text is read back. An object with a wrong
type is not looked at further.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from ..errors import ManifestError, Position, Problem, nearest
from ..schema.faults import Fault, Place, place_of, show
from ..schema.fields import check_fields, load
from ..schema.versions import ARGO
from .checks import version_of
from .limits import check_argo_4, check_limits
from .references import check_object_name, check_references
from .size import STORED_SPECS

if TYPE_CHECKING:
    from ..compilation import Compilation
    from .objects import Manifest

Object = Mapping[str, Any]
APPLY_BYTES = 262_144
"""The annotations of an object; `kubectl apply` keeps the object as it applied it in one."""


def verify(compilation: Compilation) -> Compilation:
    """Adds warnings. Raises ManifestError with all problems of all files."""
    applied = [manifest for manifest in compilation.manifests if manifest.applied]
    objects: list[Object] = [manifest.data for manifest in applied]
    if compilation.request.templates:
        objects = read_back({m.file: compilation.files[m.file] for m in applied})
    version = version_of(compilation.settings.executor.config)
    found = problems(objects, version)
    warnings = [] if found else cautions(objects)
    if found or (warnings and version == "4"):
        raise ManifestError(found or warnings)
    warnings += too_large_to_apply(compilation.files, applied)
    return compilation._replace(warnings=(*compilation.warnings, *warnings))


def read_back(files: Mapping[str, str]) -> list[Object]:
    """The objects in rendered text. Raises ManifestError where it is no YAML."""
    objects: list[Object] = []
    found: list[Problem] = []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for name, text in files.items():
        try:
            objects += yaml.load_all(text, Loader=loader)
        except yaml.MarkedYAMLError as error:
            found.append(not_yaml(name, error))
    if found:
        raise ManifestError(found)
    return objects


def not_yaml(file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    at = Position(file, mark.line, mark.column) if mark else None
    return Problem(f"what was rendered is no YAML: {error.problem}", at, "mend the template")


def problems(objects: Iterable[Object], version: str = ARGO) -> list[Problem]:
    """Every problem of these objects, in their order, for a version of Argo."""
    return [problem(obj, fault) for obj in objects for fault in faults_of(obj, version)]


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


def faults_of(obj: Object, version: str = ARGO) -> list[Fault]:
    if not isinstance(obj, dict):
        return [Fault((), "is no object", "a manifest is a mapping with `apiVersion` and `kind`")]
    kinds = load()["kinds"]
    type_ = kinds.get(kind := f"{obj.get('apiVersion')}/{obj.get('kind')}")
    if type_ is None:
        return [Fault(place_of("kind"), f"unknown kind '{kind}'", nearest(kind, kinds))]
    return sorted(check_fields(obj, type_, version), key=order) or [
        *check_object_name(obj),
        *(fault for spec, at, copies in specs_of(obj) for fault in check_spec(spec, at, copies)),
    ]


def check_spec(spec: Object, at: Place, copies: int) -> Iterator[Fault]:
    yield from check_references(spec, at)
    yield from check_limits(spec, at, copies)


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


def order(fault: Fault) -> list[tuple[int, str]]:
    """Sorts faults by place."""
    keys: list[tuple[int, str]] = []
    place = fault.place
    while place:
        place, key = place
        keys.append((key, "") if isinstance(key, int) else (-1, str(key)))
    return keys[::-1]


def problem(obj: Object, fault: Fault) -> Problem:
    title, where = "manifest", show(fault.place)
    if isinstance(obj, dict):
        metadata = obj.get("metadata")
        name = metadata.get("name", "") if isinstance(metadata, dict) else ""
        title = f"{obj.get('kind', 'object')} {name}".rstrip()
    return Problem(": ".join(filter(None, (title, where, fault.message))), hint=fault.hint)
