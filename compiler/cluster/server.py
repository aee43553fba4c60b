"""The client that asks an Argo server, which has workflows, their templates and their output, and
no other objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from argosy.runtime.cluster import Api
from argosy.runtime.retry import TryAgainError

from .client import MAIN, MANAGER, Client
from .errors import Asked, NoClusterError, NotFoundError, RefusedError
from .exchange import SILENT, Json, exchange, lines, watching
from .resources import (
    CLUSTER_TEMPLATE,
    CRON_WORKFLOW,
    POD_LOG,
    WORKFLOW,
    WORKFLOW_TEMPLATE,
    Resource,
)

PATHS = {
    WORKFLOW: ("workflows", "workflow"),
    WORKFLOW_TEMPLATE: ("workflow-templates", "template"),
    CLUSTER_TEMPLATE: ("cluster-workflow-templates", "template"),
    CRON_WORKFLOW: ("cron-workflows", "cronWorkflow"),
}
"""For each resource the name in the server's paths, and the member of a request that has one."""
ENDS = {"Stop": "stop", "Terminate": "terminate"}
BRIEF = "items.metadata"


class ArgoServer(Client):
    """One namespace, as the account of a token sees it. `base` is the path that the server is
    under, '' at the root."""

    def __init__(self, api: Api, place: str, base: str = "") -> None:
        self._api = api
        self._base = f"{base.rstrip('/')}/api/v1"
        self.namespace = api.namespace
        self.place = place

    def get(self, resource: Resource, name: str) -> Json:
        asked = Asked("get", resource, name, self.namespace)
        return exchange(self._api, asked, "GET", self._path(resource, name))

    def list(self, resource: Resource, selector: str = "", brief: bool = False) -> list[Json]:
        query = {"listOptions.labelSelector": selector, "fields": BRIEF if brief else ""}
        path = f"{self._path(resource)}?{urlencode(query)}"
        asked = Asked("list", resource, "", self.namespace)
        return list(exchange(self._api, asked, "GET", path).get("items") or ())

    def watch(self, resource: Resource, name: str) -> Iterator[Json]:
        asked = Asked("watch", resource, name, self.namespace)
        return watching(asked, lambda: self._changes(asked))

    def _changes(self, asked: Asked) -> Iterator[Json]:
        found = self.get(asked.resource, asked.name)
        yield found
        query = {
            "listOptions.fieldSelector": f"metadata.name={asked.name}",
            "listOptions.resourceVersion": found["metadata"]["resourceVersion"],
        }
        path = f"{self._base}/workflow-events/{self.namespace}?{urlencode(query)}"
        for line in lines(self._api, asked, path, SILENT):
            event = json.loads(line).get("result", {})
            if event.get("type") == "DELETED":
                raise NotFoundError(f"{asked} has been deleted")
            if "object" not in event:  # an error: of a version that is forgotten, mostly
                return
            yield event["object"]

    def create(self, resource: Resource, body: Mapping[str, Any]) -> Json:
        asked = Asked("create", resource, body["metadata"].get("name", ""), self.namespace)
        path = self._path(resource)
        return exchange(self._api, asked, "POST", path, {PATHS[resource][1]: body})

    def apply(
        self,
        body: Mapping[str, Any],
        *,
        dry: bool = False,
        force: bool = False,
        manager: str = MANAGER,
    ) -> Json:
        raise RefusedError(
            "an Argo server applies nothing; leave out --server, and go by a kubeconfig"
        )

    def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Json:
        end = ENDS.get(patch.get("spec", {}).get("shutdown", ""))
        if resource is not WORKFLOW or not end:
            raise RefusedError("an Argo server can stop a workflow, and change nothing else of it")
        asked = Asked("patch", resource, name, self.namespace)
        body = {"name": name, "namespace": self.namespace}
        return exchange(self._api, asked, "PUT", f"{self._path(resource, name)}/{end}", body)

    def delete(self, resource: Resource, name: str) -> None:
        asked = Asked("delete", resource, name, self.namespace)
        exchange(self._api, asked, "DELETE", self._path(resource, name))

    def logs(
        self, pod: str, follow: bool = False, last: int | None = None, owner: str = ""
    ) -> Iterator[bytes]:
        asked = Asked("get", POD_LOG, pod, self.namespace)
        query = {
            "podName": pod,
            "logOptions.container": MAIN,
            "logOptions.follow": "true" if follow else "false",
        }
        if last is not None:
            query["logOptions.tailLines"] = str(last)
        path = f"{self._path(WORKFLOW, owner)}/log?{urlencode(query)}"
        try:
            for line in lines(self._api, asked, path):
                yield json.loads(line).get("result", {}).get("content", "").encode()
        except TryAgainError as fault:
            raise NoClusterError(f"the output of pod '{pod}' broke off: {fault}") from fault

    def _path(self, resource: Resource, name: str = "") -> str:
        if resource not in PATHS:
            raise RefusedError(
                f"an Argo server has no {resource.full}, only workflows and their templates; "
                "leave out --server, and go by a kubeconfig"
            )
        parts = [self._base, PATHS[resource][0]]
        parts += [self.namespace] if resource.namespaced else []
        return "/".join([*parts, name] if name else parts)
