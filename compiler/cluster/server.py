"""The client that asks an Argo server, which has workflows, their templates and their output, and
no other objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from argosy.runtime.cluster import Api

from .client import Client
from .errors import RefusedError
from .exchange import Json
from .resources import (
    CLUSTER_TEMPLATE,
    CRON_WORKFLOW,
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
        super().__init__(api, place)
        self._base = f"{base.rstrip('/')}/api/v1"

    def _path(self, resource: Resource, name: str = "") -> str:
        if resource not in PATHS:
            raise RefusedError(
                f"an Argo server has no {resource.full}, only workflows and their templates; "
                "leave out --server, and go by a kubeconfig"
            )
        parts = [self._base, PATHS[resource][0]]
        parts += [self.namespace] if resource.namespaced else []
        return "/".join([*parts, name] if name else parts)

    def _path_of_changes(self, resource: Resource, name: str) -> str:
        query = {"listOptions.fieldSelector": f"metadata.name={name}"}
        return f"{self._base}/workflow-events/{self.namespace}?{urlencode(query)}"

    def _path_of_output(self, pod: str, owner: str, options: Mapping[str, str]) -> str:
        query = {"podName": pod, **{f"logOptions.{name}": one for name, one in options.items()}}
        return f"{self._path(WORKFLOW, owner)}/log?{urlencode(query)}"

    def _event(self, line: bytes) -> Json:
        found: Json = json.loads(line).get("result", {})
        return found

    def _written(self, line: bytes) -> bytes:
        content: str = self._event(line).get("content", "")
        return content.encode()

    def list(self, resource: Resource, selector: str = "", brief: bool = False) -> list[Json]:
        query = {"listOptions.labelSelector": selector, "fields": BRIEF if brief else ""}
        path = f"{self._path(resource)}?{urlencode(query)}"
        return list(self._send("list", resource, "", "GET", path).get("items") or ())

    def create(self, resource: Resource, body: Mapping[str, Any]) -> Json:
        name, path = body["metadata"].get("name", ""), self._path(resource)
        return self._send("create", resource, name, "POST", path, {PATHS[resource][1]: body})

    def apply(self, body: Mapping[str, Any], **how: Any) -> Json:
        raise RefusedError(
            "an Argo server applies nothing; leave out --server, and go by a kubeconfig"
        )

    def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Json:
        end = ENDS.get(patch.get("spec", {}).get("shutdown", ""))
        if resource is not WORKFLOW or not end:
            raise RefusedError("an Argo server can stop a workflow, and change nothing else of it")
        body, path = {"name": name, "namespace": self.namespace}, self._path(resource, name)
        return self._send("patch", resource, name, "PUT", f"{path}/{end}", body)

    def delete(self, resource: Resource, name: str) -> None:
        self._send("delete", resource, name, "DELETE", self._path(resource, name))
