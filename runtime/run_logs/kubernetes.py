"""A run log in the cluster: one ConfigMap an object, which goes when its workflow or Job goes.

A ConfigMap is called by a hash of its key; the key itself is an annotation, and a label has the run
that it is of. Writing is server-side apply, so that creating and replacing are one request that can
be sent again. What several runs name, a blob, is owned by each of them.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

from argosy.runtime.cluster import Api, RefusedError, Response, fault, reach
from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.retry import retry
from argosy.runtime.service import Option, RunLogStore

LARGEST = 1 << 20
"""Bytes of data that a ConfigMap takes: Kubernetes' own limit."""

RUN = "argosy.dev/run"
KEY = "argosy.dev/key"
MEMBER = "object"
PAGE = 500
OWNERS: Mapping[str, Mapping[str, str]] = {
    "workflow": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"},
    "job": {"apiVersion": "batch/v1", "kind": "Job"},
}
"""What a run's objects go with, by the member of its origin that has the name of it."""
KEYS_ONLY = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
JSON = {"Content-Type": "application/json"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
MERGE = {"Content-Type": "application/strategic-merge-patch+json"}
TOO_LARGE = (
    "a ConfigMap takes {limit:,} bytes, and {key} has {size:,}; hand large data over through the "
    "catalog, or keep the run log elsewhere: run_log_store: {{type: file-system}} with a claim, "
    "s3 or db"
)
NEEDS = "configmaps: create, get, list, patch"

Result = TypeVar("Result")


class KubernetesRunLog(RunLogStore):
    """`owner` is what a run's objects go with, {workflow or job, namespace, uid}, and `api` the
    cluster: what opens the store in a pod sets both. The command reads through kubeconfig."""

    service_provider = "kubernetes"
    options: ClassVar[Mapping[str, Option]] = {
        "namespace": Option(
            "string", None, "where `argosy runs` looks; none: the executor's, then the context's"
        ),
        "context": Option("string", None, "the context of the kubeconfig that it looks with"),
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self.owner: Mapping[str, str] = {}
        self.api: Api | None = None

    def put(self, key: str, data: bytes) -> None:
        self._call("write", key, lambda: self._apply(key, data))

    def get(self, key: str) -> bytes | None:
        found = self._call("read", key, lambda: self._read(key))
        return None if found is None else data_of(found)

    def list(self, prefix: str) -> list[str]:
        keys = self._call("list", prefix, lambda: self._keys(prefix))
        return sorted(key for key in keys if key.startswith(prefix))

    def append(self, key: str, data: bytes) -> None:
        self._call("append to", key, lambda: self._append(key, data))

    def delete(self, key: str) -> None:
        self._call("delete", key, lambda: self._send("DELETE", name_of(key)))

    def keep(self, keys: Iterable[str]) -> None:
        """Has the objects stay for as long as what owns this run does."""
        body = json.dumps({"metadata": {"ownerReferences": self._owners()}}).encode()
        for name, key in ((name_of(key), key) for key in keys):
            self._call("keep", key, partial(self._send, "PATCH", name, body, MERGE))

    def _apply(self, key: str, data: bytes, version: str | None = None) -> None:
        body = json.dumps(self._object(key, data, version)).encode()
        # A manager of each run's own: another run's ownership of a blob stays as it is.
        query = {"fieldManager": f"argosy-{self.owner.get('uid', '')}", "force": "true"}
        self._send("PATCH", f"{name_of(key)}?{urlencode(query)}", body, APPLY)

    def _read(self, key: str) -> dict[str, Any] | None:
        answer = self._send("GET", name_of(key))
        found: dict[str, Any] | None = None if answer is None else json.loads(answer.body)
        return found

    def _append(self, key: str, data: bytes) -> None:
        """Fails with a conflict where another append came between, and is then tried again."""
        found = self._read(key)
        if found is None:
            self._send("POST", "", json.dumps(self._object(key, data)).encode(), JSON)
        else:
            self._apply(key, data_of(found) + data, found["metadata"]["resourceVersion"])

    def _keys(self, prefix: str) -> Iterable[str]:
        kind, _, rest = prefix.partition("/")
        run, slash, _ = rest.partition("/")
        selector = f"{RUN}={label_of(run)}" if kind == "runs" and slash else RUN
        query = {"labelSelector": selector, "limit": str(PAGE), "continue": ""}
        found = []
        while True:
            answer = self._send("GET", f"?{urlencode(query)}", headers=KEYS_ONLY)
            page = json.loads(answer.body if answer else b"{}")
            for item in page.get("items") or ():  # of metadata alone it is null where there is none
                found.append(item["metadata"]["annotations"][KEY])
            query["continue"] = page.get("metadata", {}).get("continue", "")
            if not query["continue"]:
                return found

    def _object(self, key: str, data: bytes, version: str | None = None) -> dict[str, Any]:
        if len(data) > LARGEST:
            raise NodeError(TOO_LARGE.format(key=key, size=len(data), limit=LARGEST))
        kind, _, rest = key.partition("/")
        run = rest.partition("/")[0] if kind == "runs" else ""
        metadata: dict[str, Any] = {
            "name": name_of(key),
            "labels": {RUN: label_of(run), "app.kubernetes.io/managed-by": "argosy"},
            "annotations": {KEY: key},
            "ownerReferences": self._owners(),
        }
        if version:
            metadata["resourceVersion"] = version
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "binaryData": {MEMBER: binascii.b2a_base64(data, newline=False).decode()},
        }

    def _owners(self) -> Sequence[Mapping[str, str]]:
        for member, kind in OWNERS.items():
            if member in self.owner:
                return [{**kind, "name": self.owner[member], "uid": self.owner["uid"]}]
        return []

    def _send(
        self, method: str, name: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Response | None:
        """The answer; `None` where what is read or deleted is not there. `name` may be a query."""
        if self.api is None:
            self.api = reach(self.config["context"], self.config["namespace"])
        path = f"/api/v1/namespaces/{self.api.namespace}/configmaps"
        separator = "/" if name and name[0] != "?" else ""
        answer = self.api.send(method, f"{path}{separator}{name}", body, headers)
        if answer.status == 404 and method in ("GET", "DELETE"):
            return None
        if answer.status >= 400:
            raise fault(answer, NEEDS)
        return answer

    def _call(self, verb: str, key: str, call: Callable[[], Result]) -> Result:
        what = f"run log 'kubernetes': cannot {verb} {key}"
        try:
            return retry(call, what)
        except RefusedError as error:
            raise ServiceError(f"{what}: {error}") from error


def data_of(found: Mapping[str, Any]) -> bytes:
    return binascii.a2b_base64(found.get("binaryData", {}).get(MEMBER, ""))


def name_of(key: str) -> str:
    """What the ConfigMap of a key is called.

    >>> name_of("runs/a-1/run.json")
    'argosy-3900a92a19eb1fe53e180c714b89a4462163571c'
    """
    return f"argosy-{digest(key)[:40]}"


def label_of(run: str) -> str:
    """A run's id as the value of a label, which takes 63 plain characters.

    >>> label_of("churn-1a2b3c4d"), label_of("")
    ('churn-1a2b3c4d', '')
    """
    if len(run) <= 63 and re.fullmatch(r"([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?", run, re.ASCII):
        return run
    return f"run-{digest(run)[:40]}"


def digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
