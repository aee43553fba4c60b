"""What can be asked of a cluster, and the client that asks an API server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from argosy.runtime.cluster import Api
from argosy.runtime.retry import TryAgainError
from argosy.runtime.run_logs.kubernetes import APPLY, KEYS_ONLY, PAGE

from .errors import Asked, NoClusterError, NotFoundError
from .exchange import PLAIN, SILENT, Json, exchange, lines, watching
from .resources import POD_LOG, Resource, resource_of

WATCHED = 60
"""Seconds after which a watch begins anew: a connection that died unnoticed costs no more."""
MANAGER = "argosy"
"""Who manages the fields that `apply` sets."""
MERGE = {"Content-Type": "application/merge-patch+json"}
MAIN = "main"
"""The container that runs a step, in every pod of ours."""


class Client:
    """One namespace of a cluster. Objects are JSON as the cluster has them; every method raises
    ClusterError."""

    namespace: str
    place: str
    """Where it leads, for messages."""

    def get(self, resource: Resource, name: str) -> Json:
        """The object. Raises NotFoundError where there is none."""
        raise NotImplementedError

    def find(self, resource: Resource, name: str) -> Json | None:
        """The object; `None` where there is none."""
        try:
            return self.get(resource, name)
        except NotFoundError:
            return None

    def list(self, resource: Resource, selector: str = "", brief: bool = False) -> list[Json]:
        """All objects with these labels. `brief`: their metadata is enough."""
        raise NotImplementedError

    def watch(self, resource: Resource, name: str) -> Iterator[Json]:
        """The object as it is, and again at each change, for as long as it is there; ends, by a
        NotFoundError, when it has been deleted."""
        raise NotImplementedError

    def create(self, resource: Resource, body: Mapping[str, Any]) -> Json:
        """Creates an object; what became of it. Raises ConflictError where the name is taken."""
        raise NotImplementedError

    def apply(
        self,
        body: Mapping[str, Any],
        *,
        dry: bool = False,
        force: bool = False,
        manager: str = MANAGER,
    ) -> Json:
        """Server-side apply; what became of the object, or with `dry` would become of it. Raises
        ConflictError where others manage the same fields, unless `force` takes them over."""
        raise NotImplementedError

    def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Json:
        """A JSON merge patch; what became of the object."""
        raise NotImplementedError

    def delete(self, resource: Resource, name: str) -> None:
        """Deletes an object and, in the background, all that it owns."""
        raise NotImplementedError

    def logs(
        self, pod: str, follow: bool = False, last: int | None = None, owner: str = ""
    ) -> Iterator[bytes]:
        """The lines that a pod's step has written, or the `last` of them, and with `follow` those
        that it will. `owner` is the workflow that the pod is of."""
        raise NotImplementedError


class Cluster(Client):
    """An API server."""

    def __init__(self, api: Api, place: str) -> None:
        self._api = api
        self.namespace = api.namespace
        self.place = place

    def get(self, resource: Resource, name: str) -> Json:
        return self._send(self._asked("get", resource, name), "GET")

    def list(self, resource: Resource, selector: str = "", brief: bool = False) -> list[Json]:
        asked = self._asked("list", resource)
        query = {"labelSelector": selector, "limit": str(PAGE), "continue": ""}
        found: list[Json] = []
        while True:
            page = self._send(asked, "GET", query, headers=KEYS_ONLY if brief else PLAIN)
            found += page.get("items") or ()
            query["continue"] = page["metadata"].get("continue") or ""
            if not query["continue"]:
                return found

    def watch(self, resource: Resource, name: str) -> Iterator[Json]:
        asked = self._asked("watch", resource, name)
        return watching(asked, lambda: self._changes(asked))

    def _changes(self, asked: Asked) -> Iterator[Json]:
        """The object, and its changes until the server ends the watch."""
        found = self.get(asked.resource, asked.name)
        yield found
        query = {
            "watch": "1",
            "fieldSelector": f"metadata.name={asked.name}",
            "resourceVersion": found["metadata"]["resourceVersion"],
            "timeoutSeconds": str(WATCHED),
        }
        path = f"{asked.resource.path(self.namespace)}?{urlencode(query)}"
        for line in lines(self._api, asked, path, SILENT):
            event = json.loads(line)
            if event["type"] == "DELETED":
                raise NotFoundError(f"{asked} has been deleted")
            if event["type"] == "ERROR":  # it has forgotten that version
                return
            yield event["object"]

    def create(self, resource: Resource, body: Mapping[str, Any]) -> Json:
        asked = self._asked("create", resource, body["metadata"].get("name", ""))
        path = resource.path(self.namespace)
        return exchange(self._api, asked, "POST", path, body)

    def apply(
        self,
        body: Mapping[str, Any],
        *,
        dry: bool = False,
        force: bool = False,
        manager: str = MANAGER,
    ) -> Json:
        asked = self._asked("patch", resource_of(body), body["metadata"]["name"])
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        if dry:
            query["dryRun"] = "All"
        return self._send(asked, "PATCH", query, body, APPLY)

    def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Json:
        return self._send(self._asked("patch", resource, name), "PATCH", body=patch, headers=MERGE)

    def delete(self, resource: Resource, name: str) -> None:
        body = {"propagationPolicy": "Background"}
        self._send(self._asked("delete", resource, name), "DELETE", body=body)

    def logs(
        self, pod: str, follow: bool = False, last: int | None = None, owner: str = ""
    ) -> Iterator[bytes]:
        asked = self._asked("get", POD_LOG, pod)
        query = {"container": MAIN, "follow": "true" if follow else "false"}
        if last is not None:
            query["tailLines"] = str(last)
        path = f"{POD_LOG.path(self.namespace, pod)}?{urlencode(query)}"
        try:
            yield from lines(self._api, asked, path)
        except TryAgainError as fault:
            raise NoClusterError(f"the output of pod '{pod}' broke off: {fault}") from fault

    def _asked(self, verb: str, resource: Resource, name: str = "") -> Asked:
        return Asked(verb, resource, name, self.namespace)

    def _send(
        self,
        asked: Asked,
        method: str,
        query: Mapping[str, str] = {},
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] = PLAIN,
    ) -> Json:
        given = {name: value for name, value in query.items() if value}
        path = asked.resource.path(self.namespace, asked.name)
        return exchange(
            self._api, asked, method, f"{path}?{urlencode(given)}" if given else path, body, headers
        )
