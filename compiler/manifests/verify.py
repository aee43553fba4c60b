"""What was rendered, held to the schema: fields and types, and the names of objects.

Our templates write the objects as `lower` made them, which tests hold them to; where a team's own
come first, the text is read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from argosy.runtime.suggestions import nearest

from ..errors import ManifestError, Position, Problem
from ..schema.faults import Fault, place_of, show
from ..schema.fields import check_fields, load
from ..schema.versions import ARGO

if TYPE_CHECKING:
    from ..compilation import Compilation

Object = Mapping[str, Any]
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
OBJECT_NAME = 253
NAME_LENGTHS = {
    "Workflow": 63,  # the name is a label of every pod
    "WorkflowTemplate": 63,
    "ClusterWorkflowTemplate": 63,
    "CronWorkflow": 52,  # its workflows' names get a time of 11 characters
    "CronJob": 52,  # likewise
    "Job": 63,  # the name is a label of its pods
}


def objects_of(compilation: Compilation) -> list[Object]:
    """The objects that go to the cluster. Raises ManifestError where a file is no YAML."""
    applied = [manifest for manifest in compilation.manifests if manifest.applied]
    if compilation.request.templates:
        return read_back({one.file: compilation.files[one.file] for one in applied})
    return [manifest.data for manifest in applied]


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


def field_faults(obj: Object, version: str = ARGO) -> list[Fault]:
    """What is wrong with the fields of an object of any kind, for a version of Argo."""
    if not isinstance(obj, dict):
        return [Fault((), "is no object", "a manifest is a mapping with `apiVersion` and `kind`")]
    kinds = load()["kinds"]
    type_ = kinds.get(kind := f"{obj.get('apiVersion')}/{obj.get('kind')}")
    if type_ is None:
        return [Fault(place_of("kind"), f"unknown kind '{kind}'", nearest(kind, kinds))]
    return sorted(check_fields(obj, type_, version), key=order)


def check_object_name(obj: Mapping[str, Any]) -> Iterator[Fault]:
    place = (((), "metadata"), "name")
    name = obj.get("metadata", {}).get("name", "")
    limit = NAME_LENGTHS.get(obj["kind"], OBJECT_NAME)
    if not name:
        yield Fault(place, "missing", "`kubectl apply` needs a name")
        return
    if not SUBDOMAIN.fullmatch(name):
        yield Fault(place, f"'{name}' is no name of an object", "use a-z, 0-9 and '-' (RFC 1123)")
    if len(name) > limit:
        yield Fault(
            place,
            f"'{name}' has {len(name)} characters; the limit of a {obj['kind']}'s name is {limit}",
            "give the pipeline a shorter `name`",
        )


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
