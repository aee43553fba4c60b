"""What can be asked of a cluster, and the client that asks an API server."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
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


class Client(ABC):
    """One namespace of a cluster. Objects are JSON as the cluster has them; every method raises
    ClusterError. What differs from one server to another are the paths, and how an answer that is
    read line by line wraps what it says."""

    def __init__(self, api: Api, place: str) -> None:
        """`place`: where it leads, for messages."""
        self._api = api
        self.namespace = api.namespace
        self.place = place

    @abstractmethod
    def _path(self, resource: Resource, name: str = "") -> str:
        """Where the server has one object, or all of them."""

    @abstractmethod
    def _path_of_changes(self, resource: Resource, name: str) -> str:
        """Where it tells of an object as it is, and then of its changes."""

    @abstractmethod
    def _path_of_output(self, pod: str, owner: str, options: Mapping[str, str]) -> str:
        """Where it has the output of a pod's container; `options` are Kubernetes'."""

    @abstractmethod
    def _event(self, line: bytes) -> Json:
        """The event that a line of changes tells: {type, object}."""

    @abstractmethod
    def _written(self, line: bytes) -> bytes:
        """What the container has written, of a line of output."""

    @abstractmethod
    def list(self, resource: Resource, selector: str = "", brief: bool = False) -> list[Json]:
        """All objects with these labels. `brief`: their metadata is enough."""

    @abstractmethod
    def create(self, resource: Resource, body: Mapping[str, Any]) -> Json:
        """Creates an object; what became of it. Raises ConflictError where the name is taken."""

    @abstractmethod
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

    @abstractmethod
    def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Json:
        """A JSON merge patch; what became of the object."""

    @abstractmethod
    def delete(self, resource: Resource, name: str) -> None:
        """Deletes an object and, in the background, all that it owns."""

    def get(self, resource: Resource, name: str) -> Json:
        """The object. Raises NotFoundError where there is none."""
        return self._send("get", resource, name, "GET", self._path(resource, name))

    def find(self, resource: Resource, name: str) -> Json | None:
        """The object; `None` where there is none."""
        try:
            return self.get(resource, name)
        except NotFoundError:
            return None

    def watch(self, resource: Resource, name: str) -> Iterator[Json]:
        """The object as it is, and again at each change, for as long as it is there; ends, by a
        NotFoundError, when it has been deleted."""
        asked = self._asked("watch", resource, name)
        return watching(asked, lambda: self._changes(asked))

    def _changes(self, asked: Asked) -> Iterator[Json]:
        """The object, and its changes until the server ends the watch. Which version they come
        after is not said: of an object that has not changed for long the server forgets it."""
        found = self.get(asked.resource, asked.name)
        yield found
        for line in lines(
            self._api, asked, self._path_of_changes(asked.resource, asked.name), SILENT
        ):
            event = self._event(line)
            if event.get("type") == "DELETED":
                raise NotFoundError(f"{asked} has been deleted")
            if event.get("type") == "ERROR" or "object" not in event:
                return
            before, found = found, event["object"]
            if found != before:  # it begins with what is there
                yield found

    def logs(
        self, pod: str, follow: bool = False, last: int | None = None, owner: str = ""
    ) -> Iterator[bytes]:
        """The lines that a pod's step has written, or the `last` of them, and with `follow` those
        that it will. `owner` is the workflow that the pod is of."""
        options = {"container": MAIN, "follow": "true" if follow else "false"}
        if last is not None:
            options["tailLines"] = str(last)
        asked = self._asked("get", POD_LOG, pod)
        try:
            for line in lines(self._api, asked, self._path_of_output(pod, owner, options)):
                yield self._written(line)
        except TryAgainError as fault:
            raise NoClusterError(f"the output of pod '{pod}' broke off: {fault}") from fault

    def _asked(self, verb: str, resource: Resource, name: str = "") -> Asked:
        return Asked(verb, resource, name, self.namespace)

    def _send(
        self,
        verb: str,
        resource: Resource,
        name: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] = PLAIN,
    ) -> Json:
        """The answer to a request, which is a `verb` of RBAC's."""
        asked = self._asked(verb, resource, name)
        return exchange(self._api, asked, method, path, body, headers)


class Cluster(Client):
    """An API server."""

    def _path(self, resource: Resource, name: str = "") -> str:
        return resource.path(self.namespace, name)

    def _path_of_changes(self, resource: Resource, name: str) -> str:
        query = {
            "watch": "1",
            "fieldSelector": f"metadata.name={name}",
            "timeoutSeconds": str(WATCHED),
        }
        return f"{self._path(resource)}?{urlencode(query)}"

    def _path_of_output(self, pod: str, owner: str, options: Mapping[str, str]) -> str:
        return f"{self._path(POD_LOG, pod)}?{urlencode(options)}"

    def _event(self, line: bytes) -> Json:
        found: Json = json.loads(line)
        return found

    def _written(self, line: bytes) -> bytes:
        return line

    def list(self, resource: Resource, selector: str = "", brief: bool = False) -> list[Json]:
        headers = KEYS_ONLY if brief else PLAIN
        query = {"labelSelector": selector, "limit": str(PAGE), "continue": ""}
        found: list[Json] = []
        while True:
            given = {name: value for name, value in query.items() if value}
            path = f"{self._path(resource)}?{urlencode(given)}"
            page = self._send("list", resource, "", "GET", path, headers=headers)
            found += page.get("items") or ()
            query["continue"] = page["metadata"].get("continue") or ""
            if not query["continue"]:
                return found

    def create(self, resource: Resource, body: Mapping[str, Any]) -> Json:
        name = body["metadata"].get("name", "")
        return self._send("create", resource, name, "POST", self._path(resource), body)

    def apply(
        self,
        body: Mapping[str, Any],
        *,
        dry: bool = False,
        force: bool = False,
        manager: str = MANAGER,
    ) -> Json:
        resource, name = resource_of(body), body["metadata"]["name"]
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        if dry:
            query["dryRun"] = "All"
        path = f"{self._path(resource, name)}?{urlencode(query)}"
        return self._send("patch", resource, name, "PATCH", path, body, APPLY)

    def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Json:
        path = self._path(resource, name)
        return self._send("patch", resource, name, "PATCH", path, patch, MERGE)

    def delete(self, resource: Resource, name: str) -> None:
        body = {"propagationPolicy": "Background"}
        self._send("delete", resource, name, "DELETE", self._path(resource, name), body)
