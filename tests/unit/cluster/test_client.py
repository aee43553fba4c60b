"""The client of a cluster, by a kubeconfig and by an Argo server, on servers that say what a test
wants."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from api_server import Answer, ApiServer, Sent, api_server, kubeconfig
from argosy.compiler.cluster import (
    Client,
    ClusterError,
    ConflictError,
    NoClusterError,
    NoSuchKindError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    Way,
    connect,
    exchange,
)
from argosy.compiler.cluster.resources import (
    CLUSTER_TEMPLATE,
    CONFIG_MAP,
    POD,
    WORKFLOW,
    WORKFLOW_TEMPLATE,
)
from argosy.runtime.cluster import KubeconfigError

WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/team/workflows"


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as found:
        yield found


@pytest.fixture
def client(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", server.url)))
    return connect(Way())


@pytest.fixture
def argo(server: ApiServer, tmp_path: Path) -> Client:
    (tmp_path / "token").write_text("Bearer s3cret\n")
    way = Way(server=f"{server.url}/argo/", namespace="team", token_file=str(tmp_path / "token"))
    return connect(way)


def workflow(version: str = "1", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "churn-x", "resourceVersion": version}, **more}


def status(code: int, message: str, **details: str) -> Answer:
    return code, {"kind": "Status", "message": message, "details": details}


# By a kubeconfig


def test_an_object_comes_from_where_the_context_leads(client: Client, server: ApiServer) -> None:
    server.answer = lambda sent: (200, workflow())
    assert client.get(WORKFLOW, "churn-x") == workflow()
    (sent,) = server.sent
    assert (sent.method, sent.path) == ("GET", f"{WORKFLOWS}/churn-x")
    assert sent.headers["authorization"] == "Bearer t0ken"
    assert client.place == "context 'here'"


def test_a_list_comes_in_pages(client: Client, server: ApiServer) -> None:
    pages = {"": ([{"a": 1}], "more"), "more": ([{"a": 2}], "")}

    def answer(sent: Sent) -> Answer:
        items, following = pages[sent.query.get("continue", "")]
        return 200, {"items": items, "metadata": {"continue": following}}

    server.answer = answer
    assert client.list(WORKFLOW, "a=b", brief=True) == [{"a": 1}, {"a": 2}]
    assert {sent.query["labelSelector"] for sent in server.sent} == {"a=b"}
    assert all("PartialObjectMetadataList" in sent.headers["accept"] for sent in server.sent)


def test_a_watch_gives_the_object_and_its_changes_and_begins_anew(
    client: Client, server: ApiServer
) -> None:
    """The server begins with the object as it is, and cannot go on; then the object is deleted."""
    streams = [
        [
            {"type": "ADDED", "object": workflow("1")},
            {"type": "MODIFIED", "object": workflow("2")},
            {"type": "ERROR", "object": {}},
        ],
        [{"type": "DELETED", "object": workflow("4")}],
    ]
    versions = iter(["1", "3"])

    def answer(sent: Sent) -> Answer:
        if "watch" not in sent.query:
            return 200, workflow(next(versions))
        return 200, streams.pop(0)

    server.answer = answer
    changes = client.watch(WORKFLOW, "churn-x")
    seen = [next(changes)["metadata"]["resourceVersion"] for _ in range(3)]
    assert seen == ["1", "2", "3"]
    with pytest.raises(NotFoundError, match="'churn-x' in namespace 'team' has been deleted"):
        next(changes)
    watches = [sent.query for sent in server.sent if "watch" in sent.query]
    assert len(watches) == 2
    assert {query["fieldSelector"] for query in watches} == {"metadata.name=churn-x"}
    assert not any("resourceVersion" in query for query in watches)  # an old one is refused


def test_applying_is_server_side_and_takes_nothing_over(client: Client, server: ApiServer) -> None:
    server.answer = lambda sent: (200, sent.body)
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert client.apply(body) == body
    client.apply(body, dry=True, force=True)
    first, second = server.sent
    assert (first.method, first.path) == ("PATCH", "/api/v1/namespaces/team/configmaps/a")
    assert first.headers["content-type"] == "application/apply-patch+yaml"
    assert first.query == {"fieldManager": "argosy", "force": "false"}
    assert second.query == {"fieldManager": "argosy", "force": "true", "dryRun": "All"}


def test_applying_takes_any_text(client: Client, server: ApiServer) -> None:
    """As YAML, which has no pairs of surrogates, and refuses what cannot be printed."""
    server.answer = lambda sent: (200, sent.body)
    data = {"text": "caf\u00e9 \U0001f389 \x00\x7f\u2028 \u65e5"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}
    assert client.apply(body) == body
    (sent,) = server.sent
    assert "\U0001f389" in sent.text
    assert yaml.safe_load(sent.text) == body


def test_creating_patching_and_deleting(client: Client, server: ApiServer) -> None:
    server.answer = lambda sent: (200, {})
    client.create(WORKFLOW, {"metadata": {"generateName": "a-"}})
    client.patch(WORKFLOW, "a", {"spec": {"shutdown": "Stop"}})
    client.delete(WORKFLOW, "a")
    assert [(sent.method, sent.path) for sent in server.sent] == [
        ("POST", WORKFLOWS),
        ("PATCH", f"{WORKFLOWS}/a"),
        ("DELETE", f"{WORKFLOWS}/a"),
    ]
    assert server.sent[1].headers["content-type"] == "application/merge-patch+json"


def test_output_comes_by_lines(client: Client, server: ApiServer) -> None:
    server.answer = lambda sent: (200, b"one\ntwo\n\nlast")
    assert list(client.logs("pod", follow=True)) == [b"one", b"two", b"", b"last"]
    assert server.sent[0].query == {"container": "main", "follow": "true"}


# What goes wrong


def test_a_right_that_is_missing_is_named(client: Client, server: ApiServer) -> None:
    server.answer = lambda sent: status(
        403,
        'workflows.argoproj.io is forbidden: User "system:serviceaccount:team:ci" cannot create '
        'resource "workflows" in API group "argoproj.io" in the namespace "team"',
    )
    with pytest.raises(NotAllowedError) as caught:
        client.create(WORKFLOW, {"metadata": {}})
    assert str(caught.value) == (
        "the account 'system:serviceaccount:team:ci' may not create workflows in namespace 'team'\n"
        "  = ask who runs the cluster for a Role with\n"
        "    - {apiGroups: ['argoproj.io'], resources: [workflows], verbs: [create]}"
    )
    with pytest.raises(NotAllowedError, match=r"resources: \[pods/log\], verbs: \[get\]"):
        list(client.logs("pod"))
    with pytest.raises(
        NotAllowedError, match=r"may not get ClusterWorkflowTemplate 'a'\n.*Cluster"
    ):
        client.get(CLUSTER_TEMPLATE, "a")


def test_a_refusal_of_an_admission_policy_is_no_missing_role(
    client: Client, server: ApiServer
) -> None:
    server.answer = lambda sent: status(403, 'pods "a" is forbidden: exceeded quota: small')
    with pytest.raises(NotAllowedError, match=r"refuses to create .*exceeded quota: small$"):
        client.create(POD, {"metadata": {"name": "a"}})


def test_an_account_that_is_not_known(client: Client, server: ApiServer) -> None:
    server.answer = lambda sent: status(401, "Unauthorized")
    with pytest.raises(NotAllowedError, match=r"does not know the account \(Unauthorized\)"):
        client.get(WORKFLOW, "a")


@pytest.mark.parametrize(
    "answer", [(404, b"404 page not found\n"), status(404, "the server could not find it")]
)
def test_a_cluster_without_argo(answer: Answer, client: Client, server: ApiServer) -> None:
    server.answer = lambda sent: answer
    for call in (lambda: client.get(WORKFLOW, "a"), lambda: client.list(WORKFLOW)):
        with pytest.raises(NoSuchKindError, match="no workflows: Argo Workflows is not installed"):
            call()


def test_an_object_that_is_not_there(client: Client, server: ApiServer) -> None:
    server.answer = lambda sent: status(404, 'workflows "a" not found', name="a", kind="workflows")
    with pytest.raises(NotFoundError, match="there is no Workflow 'a' in namespace 'team'"):
        client.get(WORKFLOW, "a")
    assert client.find(WORKFLOW, "a") is None
    server.answer = lambda sent: status(404, "-", name="team", kind="namespaces")
    with pytest.raises(NotFoundError, match="there is no namespace 'team'; --namespace names"):
        client.create(WORKFLOW, {"metadata": {}})


def test_others_that_manage_the_same_field(client: Client, server: ApiServer) -> None:
    server.answer = lambda sent: status(409, 'conflict with "kubectl": .spec.x')
    with pytest.raises(ConflictError, match=r"cannot patch ConfigMap 'a' .*kubectl"):
        client.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})


def test_a_port_where_nothing_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", url)))
    client = connect(Way())
    with pytest.raises(NoClusterError, match=r"cannot list workflows .*refused.*kubectl get --raw"):
        client.list(WORKFLOW)
    with pytest.raises(NoClusterError, match="the output of pod 'a' broke off"):
        list(client.logs("a"))


def test_a_server_that_is_not_well_is_asked_again_but_not_to_create(
    client: Client, server: ApiServer
) -> None:
    answers: list[Answer] = [(503, b"starting"), (200, workflow()), (503, b"starting")]
    server.answer = lambda sent: answers.pop(0)
    assert client.get(WORKFLOW, "churn-x")
    with pytest.raises(NoClusterError, match="status 503: starting"):
        client.create(WORKFLOW, {"metadata": {}})


def test_no_kubeconfig_and_no_such_context(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(KubeconfigError, match="KUBECONFIG names another one"):
        connect(Way())
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", server.url)))
    with pytest.raises(KubeconfigError, match=r"there.*`--context`"):
        connect(Way(context="there"))


# By an Argo server


def test_an_argo_server_has_other_paths(argo: Client, server: ApiServer) -> None:
    server.answer = lambda sent: (200, {"items": [workflow()]} if sent.query else sent.body or {})
    argo.get(WORKFLOW_TEMPLATE, "a")
    assert argo.list(WORKFLOW, "a=b") == [workflow()]
    assert argo.create(WORKFLOW, workflow()) == {"workflow": workflow()}
    argo.patch(WORKFLOW, "a", {"spec": {"shutdown": "Terminate"}})
    argo.get(CLUSTER_TEMPLATE, "a")
    assert [(sent.method, sent.path) for sent in server.sent] == [
        ("GET", "/argo/api/v1/workflow-templates/team/a"),
        ("GET", "/argo/api/v1/workflows/team"),
        ("POST", "/argo/api/v1/workflows/team"),
        ("PUT", "/argo/api/v1/workflows/team/a/terminate"),
        ("GET", "/argo/api/v1/cluster-workflow-templates/a"),
    ]
    assert {sent.headers["authorization"] for sent in server.sent} == {"Bearer s3cret"}


def test_an_argo_server_streams_results(argo: Client, server: ApiServer) -> None:
    def answer(sent: Sent) -> Answer:
        if sent.path.endswith("/log"):
            return 200, [{"result": {"content": "one", "podName": "p"}}]
        if "workflow-events" in sent.path:
            return 200, [{"result": {"type": "DELETED", "object": workflow()}}]
        return 200, workflow()

    server.answer = answer
    assert list(argo.logs("p", follow=True, owner="churn-x")) == [b"one"]
    assert server.sent[0].query["podName"] == "p"
    changes = argo.watch(WORKFLOW, "churn-x")
    assert next(changes) == workflow()
    with pytest.raises(NotFoundError):
        next(changes)


def test_an_argo_server_does_workflows_only(argo: Client) -> None:
    with pytest.raises(RefusedError, match=r"has no configmaps.*leave out --server"):
        argo.list(CONFIG_MAP)
    with pytest.raises(RefusedError, match="applies nothing; leave out --server"):
        argo.apply({})
    with pytest.raises(RefusedError, match="can stop a workflow"):
        argo.patch(WORKFLOW, "a", {"spec": {"suspend": True}})


@pytest.mark.parametrize(
    ("way", "message"),
    [
        (Way(server="argo.example.com"), "takes a URL"),
        (Way(server="https://me:secret@argo.example.com"), "must hold no password"),
        (Way(server="https://a.example.com"), "wants a token.*ARGO_TOKEN.*--token-file"),
        (Way(server="https://a.example.com", token_file="none"), "--token-file none: no such file"),  # noqa: S106
        (Way(server="https://a.example.com", ca_file="none"), "--ca-file none"),
    ],
)
def test_ways_that_lead_nowhere(way: Way, message: str) -> None:
    with pytest.raises(ClusterError, match=message) as caught:
        connect(way)
    assert "secret" not in str(caught.value)


def test_the_token_may_be_in_the_environment(
    server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGO_TOKEN", "Bearer abc")
    server.answer = lambda sent: (200, {})
    connect(Way(server=server.url)).list(WORKFLOW)
    assert server.sent[0].headers["authorization"] == "Bearer abc"
    assert server.sent[0].path == "/api/v1/workflows/default"
