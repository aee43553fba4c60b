"""What runs are started from, as it is applied, and how it differs from what is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..manifests.names import VERSION
from .client import Client
from .errors import ClusterError, NotFoundError
from .prune import selector
from .resources import Resource, resource_of

Json = dict[str, Any]


def applied(client: Client, rendered: Json) -> Json:
    """The template of runs that is applied: of the rendered one's name, or else the pipeline's only
    one, as an overlay that gives names a prefix leaves it. Raises NotFoundError."""
    resource, name = resource_of(rendered), rendered["metadata"]["name"]
    found = client.find(resource, name)
    others = [found] if found else []
    others = others or client.list(resource, selector(rendered["metadata"]["labels"]))
    if len(others) == 1:
        return {**others[0], "kind": resource.kind}  # an Argo server leaves that out
    raise _not_applied(resource, name, client.namespace, others)


def version_warnings(client: Client, rendered: Mapping[str, Any]) -> list[str]:
    """Says where what is applied is of another version."""
    ours = rendered["metadata"]["labels"].get(VERSION)
    theirs = applied(client, dict(rendered))["metadata"].get("labels", {}).get(VERSION)
    if ours == theirs or not ours:
        return []
    return [
        f"the {rendered['kind']} that is applied is version {theirs or '(none)'}, and the "
        f"definition is {ours}: the run is of what is applied; `argosy apply` brings it up "
        "to date"
    ]


def _not_applied(resource: Resource, name: str, namespace: str, others: list[Json]) -> ClusterError:
    place = f" in namespace '{namespace}'" if resource.namespaced else ""
    if others:
        names = ", ".join(one["metadata"]["name"] for one in others)
        return NotFoundError(
            f"there is no {resource.kind} '{name}'{place}, and several are of this pipeline "
            f"({names}); give the configuration of the one that is meant"
        )
    return NotFoundError(
        f"there is no {resource.kind} '{name}'{place}; is it applied? `argosy apply FILE -c ...` "
        "does that, or your GitOps controller"
    )
