"""Rendered objects on their way into a cluster: what would become of each, and making it so.

Server-side apply, each object under the manager `argosy`: fields that others set stay theirs, and
one that is rendered no more goes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..diff.fields import Change, changes
from ..manifests.names import ENVIRONMENT, PIPELINE
from ..manifests.objects import place
from .client import MANAGER, Client
from .errors import ConflictError
from .resources import resource_of

Json = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SERVERS = {
    "managedFields",
    "resourceVersion",
    "uid",
    "generation",
    "creationTimestamp",
    "selfLink",
}
"""Members of an object's metadata that are the API server's."""
CONTROLLERS = re.compile(r'"(argocd-[^"]*|kustomize-controller|helm-controller|flux[^"]*)"')


class Planned(NamedTuple):
    """An object: as it is rendered, as it is in the cluster (None: not there), and as the cluster
    says it would be after it has been applied."""

    rendered: Json
    live: Json | None
    result: Json

    def changes(self) -> tuple[Change, ...]:
        """What applying it would change."""
        return tuple(changes(content(self.live or {}), content(self.result)))

    @property
    def title(self) -> str:
        return f"{self.rendered['kind']} '{self.rendered['metadata']['name']}'"

    def others(self) -> list[str]:
        """Who else applies the object on the server."""
        return [manager for manager in _appliers(self.live) if manager != MANAGER]

    @property
    def action(self) -> str:
        """created, configured or unchanged."""
        if self.live is None:
            return "created"
        return "configured" if self.changes() else "unchanged"


def in_order(objects: Iterable[Json]) -> list[Json]:
    """The objects in the order in which they are applied."""
    return sorted(objects, key=lambda obj: place(obj["kind"]))


def planned(client: Client, rendered: Json, *, force: bool = False, own: bool = True) -> Planned:
    """What would become of an object. Raises ConflictError where others have set fields of it,
    unless by `force` they would be taken over.

    `own`: Argosy would apply it; else whoever does, a GitOps controller say, of whose fields those
    would go that are rendered no more.
    """
    live = client.find(resource_of(rendered), rendered["metadata"]["name"])
    manager = MANAGER if own else _manager(live)
    result = client.apply(rendered, dry=True, force=force, manager=manager)
    if live and (rest := leftovers(live, rendered)):
        result = _without(result, rest)
    return Planned(rendered, live, result)


def apply(client: Client, rendered: Json, live: Json | None, *, force: bool = False) -> None:
    """Applies an object that is in the cluster as `live`."""
    client.apply(rendered, force=force)
    if live and (rest := leftovers(live, rendered)):
        client.patch(resource_of(rendered), rendered["metadata"]["name"], rest)


def leftovers(live: Json, rendered: Json) -> Json:
    """The merge patch that removes what a client-side `kubectl apply` has set and is rendered no
    more: nobody owns it in a way that server-side apply knows of."""
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return {}
    before = json.loads(text)
    before.get("metadata", {}).pop("namespace", None)
    others: Json = {"annotations": {}, "labels": {}}  # where others have some too
    after = {**rendered, "metadata": {**others, **rendered["metadata"]}}
    found = _missing(before, after, live)
    found.setdefault("metadata", {}).setdefault("annotations", {})[LAST_APPLIED] = None
    return found


def _missing(before: Any, after: Any, live: Any) -> Json:
    """The merge patch that removes from `live` what `before` has and `after` has not."""
    if not all(isinstance(one, dict) for one in (before, after, live)):
        return {}
    found: Json = {}
    for key in before.keys() & live.keys():
        if key not in after:
            found[key] = None
        elif inner := _missing(before[key], after[key], live[key]):
            found[key] = inner
    return found


def _without(value: Json, patch: Json) -> Json:
    """`value` after a merge patch that only removes."""
    found = {key: item for key, item in value.items() if patch.get(key, ...) is not None}
    for key, inner in patch.items():
        if inner is not None and key in found:
            found[key] = _without(found[key], inner)
    return found


def content(obj: Json) -> Json:
    """An object without what the API server and controllers say of it."""
    found = {key: value for key, value in obj.items() if key != "status"}
    metadata = {k: v for k, v in obj.get("metadata", {}).items() if k not in SERVERS}
    annotations = {k: v for k, v in metadata.pop("annotations", {}).items() if k != LAST_APPLIED}
    if annotations:
        metadata["annotations"] = annotations
    return {**found, "metadata": metadata} if metadata else found


def _manager(live: Json | None) -> str:
    """Who applies the object: Argosy, or the first other one."""
    appliers = _appliers(live)
    return MANAGER if MANAGER in appliers or not appliers else appliers[0]


def _appliers(live: Json | None) -> list[str]:
    """Who applies an object by server-side apply."""
    entries = live["metadata"].get("managedFields") or () if live else ()
    return [
        str(entry["manager"])
        for entry in entries
        if entry.get("operation") == "Apply" and not entry.get("subresource")
    ]


def refuse_strangers(found: Iterable[Planned]) -> None:
    """Raises ConflictError for an object that is there and is another pipeline's, or nobody's."""
    for one in found:
        if one.live is None:
            continue
        there = one.live["metadata"].get("labels") or {}
        ours = one.rendered["metadata"]["labels"]
        if all(there.get(label) == ours.get(label) for label in (PIPELINE, ENVIRONMENT)):
            continue
        owner = there.get(PIPELINE)
        in_environment = there.get(ENVIRONMENT)
        whose = f"of the pipeline '{owner}'" if owner else "not made by Argosy"
        whose += f" in {in_environment}" if in_environment else ""
        raise ConflictError(
            f"{one.title} is there already, and {whose}\n  = give one of them another name, or a "
            "namespace of its own; --force-conflicts takes it over"
        )


def explained(error: ConflictError) -> ConflictError:
    """With the way out, by who has set the fields."""
    way = "--force-conflicts sets them back"
    if CONTROLLERS.search(str(error)):
        way = "a GitOps controller would set them again: change what it applies, in its repository"
    return ConflictError(f"{error}\n  = nothing was applied; others have set these fields: {way}")
