"""The run log in the cluster, on an API server that is a dictionary."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from argosy.runtime import retry
from argosy.runtime.alternatives import by_statuses
from argosy.runtime.cluster import Api, Direct, Pod, Response
from argosy.runtime.context import Context
from argosy.runtime.end import close
from argosy.runtime.entries import State, written
from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.retry import TryAgainError
from argosy.runtime.run_logs.kubernetes import KubernetesRunLog, label_of, name_of
from argosy.runtime.state import Reader, write

OWNER = {"workflow": "churn-x", "namespace": "team", "uid": "1a2b"}


class Server(Api):
    """ConfigMaps by name. `answers` are given first: a status, or headers with one."""

    namespace = "team"

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.answers: list[Any] = []
        self.requests: list[tuple[str, str]] = []

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Response:
        self.requests.append((method, path))
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, Response) else Response(answer, {}, b"busy")
        url = urlsplit(path)
        name = url.path.removeprefix("/api/v1/namespaces/team/configmaps").strip("/")
        if method == "GET" and not name:
            return self.listed(parse_qs(url.query))
        if method in ("GET", "DELETE") and name not in self.objects:
            return Response(404, {}, b"{}")
        if method == "DELETE":
            del self.objects[name]
            return Response(200, {}, b"{}")
        if method == "GET":
            return Response(200, {}, json.dumps(self.objects[name]).encode())
        return self.written(name, json.loads(body or b""), headers)

    def written(self, name: str, given: Any, headers: Mapping[str, str]) -> Response:
        name = name or given["metadata"]["name"]
        old = self.objects.get(name, {"metadata": {"resourceVersion": "0", "ownerReferences": []}})
        wanted = given["metadata"].pop("resourceVersion", None)
        version = old["metadata"]["resourceVersion"]
        if wanted not in (None, version):
            return Response(409, {}, b'{"message": "the object has been modified"}')
        owners = [*old["metadata"]["ownerReferences"], *given["metadata"]["ownerReferences"]]
        by_uid = {one["uid"]: one for one in owners}
        if "strategic" in headers["Content-Type"]:
            given = old
        given["metadata"]["ownerReferences"] = list(by_uid.values())
        given["metadata"]["resourceVersion"] = str(int(version) + 1)
        self.objects[name] = given
        return Response(200, {}, b"{}")

    def listed(self, query: Mapping[str, list[str]]) -> Response:
        """Pages of one."""
        label, equals, value = query["labelSelector"][0].partition("=")
        found = [
            {"metadata": one["metadata"]}
            for one in self.objects.values()
            if not equals or one["metadata"]["labels"][label] == value
        ]
        at = int(query.get("continue", ["0"])[0])
        more = str(at + 1) if at + 1 < len(found) else ""
        page = {"items": found[at : at + 1] or None, "metadata": {"continue": more}}
        return Response(200, {}, json.dumps(page).encode())


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def store(server: Server, monkeypatch: pytest.MonkeyPatch) -> KubernetesRunLog:
    monkeypatch.setattr(retry, "SHORTEST", 0.0)
    found = KubernetesRunLog()
    found.api, found.owner = server, OWNER
    return found


@pytest.mark.parametrize(
    ("owner", "kind"),
    [
        (OWNER, ("argoproj.io/v1alpha1", "Workflow", "churn-x", "1a2b")),
        ({"job": "churn-1", "namespace": "n", "uid": "3c"}, ("batch/v1", "Job", "churn-1", "3c")),
    ],
)
def test_an_object_is_a_config_map_that_goes_with_what_runs_it(
    store: KubernetesRunLog, server: Server, owner: dict[str, str], kind: tuple[str, ...]
) -> None:
    store.owner = owner
    data = bytes(range(256))
    store.put("runs/churn-1/run.json", data)
    (found,) = server.objects.values()
    assert found["metadata"]["name"] == name_of("runs/churn-1/run.json")
    assert found["metadata"]["annotations"] == {"argosy.dev/key": "runs/churn-1/run.json"}
    assert found["metadata"]["labels"]["argosy.dev/run"] == "churn-1"
    (reference,) = found["metadata"]["ownerReferences"]
    assert tuple(reference[name] for name in ("apiVersion", "kind", "name", "uid")) == kind
    assert store.get("runs/churn-1/run.json") == data
    assert store.get("runs/churn-1/other.json") is None


def test_a_list_is_of_a_runs_label_and_comes_in_pages(
    store: KubernetesRunLog, server: Server
) -> None:
    for key in ("runs/a-1/run.json", "runs/a-1/steps/x", "runs/a-12/run.json", "blobs/ff"):
        store.put(key, b"")
    assert store.list("runs/a-1/") == ["runs/a-1/run.json", "runs/a-1/steps/x"]
    assert store.list("runs/a-1/s") == ["runs/a-1/steps/x"]
    assert len(store.list("runs/a-1")) == 3
    assert len(store.list("")) == 4
    assert store.list("blobs/") == ["blobs/ff"]
    assert store.list("runs/none/") == []


def test_names_and_labels_are_what_kubernetes_takes() -> None:
    runs = ["churn-1a2b3c4d", "x" * 70, "größer%2Fkleiner-1", "-a", "a-", ""]
    labels = [label_of(run) for run in runs]
    assert labels[0] == "churn-1a2b3c4d"
    assert len(set(labels)) == len(runs)
    assert all(len(label) <= 63 for label in labels)
    assert len(name_of("x" * 1000)) <= 63


def test_an_append_that_another_came_before_is_done_again(
    store: KubernetesRunLog, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append("a", b"one")
    read = store._read
    others = [b"two"]

    def late(key: str) -> Any:
        found = read(key)
        if others:
            other = KubernetesRunLog()
            other.api, other.owner = server, OWNER
            other.append(key, others.pop())
        return found

    monkeypatch.setattr(store, "_read", late)
    store.append("a", b"three")
    monkeypatch.undo()
    assert store.get("a") == b"onetwothree"


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_what_may_go_well_the_next_time_is_tried_again(
    store: KubernetesRunLog, server: Server, status: int
) -> None:
    server.answers = [status, TryAgainError("reset"), status]
    store.put("a", b"x")
    assert store.get("a") == b"x"


def test_the_server_says_how_long_to_wait(
    store: KubernetesRunLog, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BUDGET", 0)
    server.answers = [Response(429, {"Retry-After": "3600"}, b'{"message": "too many requests"}')]
    with pytest.raises(ServiceError, match=r"cannot write a: status 429: too many .* \(tried"):
        store.put("a", b"x")


def test_a_right_that_is_missing_is_said(store: KubernetesRunLog, server: Server) -> None:
    server.answers = [403]
    with pytest.raises(ServiceError, match=r"cannot read a: .*`configmaps: create, get, list"):
        store.get("a")
    assert len(server.requests) == 1


def test_an_object_over_the_limit_is_refused_with_the_ways_out(store: KubernetesRunLog) -> None:
    store.put("blobs/a", b"x" * (1 << 20))
    with pytest.raises(NodeError, match=r"1,048,576 bytes, and blobs/a has 1,048,577; .* catalog"):
        store.put("blobs/a", b"x" * ((1 << 20) + 1))


def test_a_run_ends_whose_parameters_are_larger_than_an_object(
    store: KubernetesRunLog, capfd: pytest.CaptureFixture[str]
) -> None:
    context = Context("churn-1", {})
    context.__dict__["run_log_store"] = store
    made = {name: written("a", "0", name * 600_000) for name in "xy"}
    state = State({**made, "z": written("a", "0", 1)}, {})
    write(Reader(store, "churn-1", {}, by_statuses({})), ["a"], "1-a", state)
    store.put("runs/churn-1/steps/a/1-a.json", b'{"status": "succeeded"}')
    close(context, "succeeded", [], ["a"])
    (end,) = store.list("runs/churn-1/end/")
    found = json.loads(store.get(end) or b"")
    assert (found["status"], found["parameters"]) == ("succeeded", {"z": 1})
    assert "recorded without x, y" in capfd.readouterr().err


def test_what_a_run_goes_on_from_stays_for_as_long_as_that(
    store: KubernetesRunLog, server: Server
) -> None:
    store.put("blobs/a", b"x")
    store.owner = {"workflow": "later", "uid": "ff"}
    store.keep(["blobs/a"])
    (found,) = server.objects.values()
    assert [owner["uid"] for owner in found["metadata"]["ownerReferences"]] == ["1a2b", "ff"]
    assert store.get("blobs/a") == b"x"


def test_a_place_that_is_no_pod_says_so(tmp_path: Any) -> None:
    with pytest.raises(NodeError, match="no service account here"):
        Pod({}, str(tmp_path))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nServer: x\r\nConte"])
def test_an_answer_that_was_cut_is_none(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            client.recv(1 << 16)
            client.sendall(answer)
            client.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(TryAgainError, match="the API server gives no answer"):
            Direct("127.0.0.1", listener.getsockname()[1], None).send("GET", "/")
        thread.join()
