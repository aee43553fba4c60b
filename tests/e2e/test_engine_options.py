"""What needs more than a controller as it comes: one of this module's own shows Prometheus what it
measures and takes plugins, another keeps nodes in PostgreSQL; a bucket is there for logs and
artifacts. All workflows start together, by the command."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

import s3_bucket
from api_server import Answer, ApiServer, Sent, api_server
from argosy.compiler.argo.status import OFFLOADED as HIDDEN
from argosy.runtime.aws import KEYS
from argosy.runtime.run_logs.s3 import S3RunLog
from cluster import IMAGE, PYTHON, Cluster, phase
from controller import LABEL, Controller, argo_server, controller
from definitions import shell
from examples import argosy
from postgres import Server, server, there
from processes import free_port

SAID = "what-the-log-keeps"
MEASURES, OFFLOADS = "measures", "offloads"
Json = dict[str, Any]


def overrides(**options: Any) -> Json:
    return {"overrides": {"argo": options}}


def counter(name: str, **labels: str) -> Json:
    pairs = [{"key": key, "value": value} for key, value in labels.items()]
    return {"name": name, "help": "Ended.", "labels": pairs, "counter": {"value": "1"}}


KEPT = {
    "keeps": shell(f"echo {SAID}"),
    "drops": shell(f"echo {SAID}", **overrides(archive_logs=False)),
}
MEASURED = {
    "load": shell(
        "true",
        **overrides(metrics=[counter("argosy_e2e_steps", step="load", status="{{status}}")]),
    ),
    "fails": shell(
        "exit 1",
        on_failure="mend",
        depends_on=["load"],
        **overrides(metrics=[counter("argosy_e2e_steps", step="fails", status="{{status}}")]),
    ),
    "mend": shell("true"),
}
SECONDS = {
    "name": "argosy_e2e_seconds",
    "help": "How long it took.",
    "labels": [{"key": "workflow", "value": "{{workflow.name}}"}],
    "gauge": {"value": "{{workflow.duration}}", "realtime": False},
}
METRICS = [SECONDS, counter("argosy_e2e_runs", status="{{workflow.status}}")]
OFFLOADED = {
    "load": shell("true"),
    "train": shell("echo no data >&2; exit 3", depends_on=["load"]),
    "publish": shell("true", depends_on=["train"]),
}
PLUGIN = """
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
token = open("/var/run/argo/token").read().strip()
class Shouts(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = body["template"]["plugin"]["shout"]
        known = self.headers["Authorization"] == "Bearer " + token
        self.send_response(200 if known else 403)
        self.end_headers()
        outputs = {"parameters": [{"name": "loud", "value": asked["text"].upper()}]}
        node = {"phase": "Succeeded", "message": "shouted", "outputs": outputs}
        self.wfile.write(json.dumps({"node": node}).encode())
HTTPServer(("127.0.0.1", PORT), Shouts).serve_forever()
"""


WITH_X = {"inputs": {"parameters": [{"name": "x"}]}}
GIVEN_X = {"type": "argo", "arguments": {"x": {"parameter": "who"}}, "depends_on": ["who"]}
WHO = shell("export ARGOSY_PRM_who=me", returns=["who"])
LOUD = {
    "who": WHO,
    "shout": {
        **GIVEN_X,
        "template": {
            **WITH_X,
            "plugin": {"shout": {"text": "{{inputs.parameters.x}}"}},
            "outputs": {"parameters": [{"name": "loud", "valueFrom": {"supplied": {}}}]},
        },
        "returns": ["loud"],
    },
}


def asking(url: str, bucket: str) -> Json:
    """Steps that ask a URL and a bucket."""
    names = {"name": "names", "s3": {**bucket_of(bucket), "key": "given"}}
    return {
        "who": WHO,
        "web": {
            **GIVEN_X,
            "template": {**WITH_X, "http": {"url": f"{url}/hello/{{{{inputs.parameters.x}}}}"}},
            "returns": {"answer": "result"},
        },
        "data": {
            "type": "argo",
            "template": {
                "data": {
                    "source": {"artifactPaths": names},
                    "transformation": [{"expression": "filter(data, {# endsWith '.csv'})"}],
                }
            },
            "returns": {"files": "result"},
        },
        "uses": shell("true", depends_on=["web", "data"]),
    }


def bucket_of(name: str) -> Json:
    """The bucket, as Argo's artifacts have it."""
    endpoint = urlsplit(os.environ["ARGOSY_TEST_S3_ENDPOINT"])
    key = {"name": "s3-keys", "key": "access"}
    return {
        "endpoint": endpoint.netloc,
        "insecure": endpoint.scheme == "http",
        "region": "us-east-1",
        "bucket": name,
        "accessKeySecret": key,
        "secretKeySecret": {**key, "key": "secret"},
    }


class Place(NamedTuple):
    """`submitted`: what the command said of each pipeline's run."""

    cluster: Cluster
    folder: Path
    measures: Controller
    store: S3RunLog
    web: ApiServer
    submitted: dict[str, Json]

    def configure(self, name: str, **config: Any) -> None:
        base = {
            "image": IMAGE,
            "image_pull_policy": "IfNotPresent",
            "namespace": self.cluster.namespace,
        }
        executor = {"type": "argo", "config": {**base, **config}}
        (self.folder / f"{name}-argo.yaml").write_text(json.dumps({"executor": executor}))

    def define(self, name: str, steps: Mapping[str, Any]) -> None:
        definition = {"name": name, "dag": {"steps": steps}}
        (self.folder / f"{name}.yaml").write_text(json.dumps(definition))

    def start(
        self, name: str, steps: Mapping[str, Any], controller: str = "", **config: Any
    ) -> None:
        """Applies a pipeline and starts a run of it, for the cluster's controller or another."""
        self.define(name, steps)
        if controller:
            config["workflow_metadata"] = {"labels": {LABEL: controller}}
        self.configure(name, **config)
        self.argosy("apply", f"{name}.yaml", "-c", f"{name}-argo.yaml")
        told = self.argosy("submit", f"{name}.yaml", "-c", f"{name}-argo.yaml", "-o", "json")
        self.submitted[name] = json.loads(told)

    def argosy(self, *arguments: str, status: int = 0, **environment: str) -> str:
        done = argosy(*arguments, cwd=self.folder, **environment)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def workflow(self, name: str) -> str:
        return str(self.submitted[name]["workflow"])

    def left(self, name: str) -> Json:
        """The parameters that a run left."""
        run = self.submitted[name]["run"]
        found = json.loads(self.argosy("show", run, "-c", f"{name}-argo.yaml", "-o", "json"))
        return dict(found["parameters"])


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3RunLog]:
    """A bucket of this module's."""
    with s3_bucket.bucket() as found:
        yield found


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    if not there():
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    with server(secrets.token_hex(12)) as found:
        yield found


@pytest.fixture(scope="module")
def web() -> Iterator[ApiServer]:
    """What requests are sent to."""

    def answer(sent: Sent) -> Answer:
        return 200, {"path": sent.path, "body": sent.body}

    with api_server() as found:
        found.answer = answer
        yield found


def objects(bucket: S3RunLog, database: Server) -> list[Json]:
    """What the controller and the pipelines refer to."""
    url = urlsplit(database.url)
    given: list[tuple[str, str, Json, Json]] = [
        ("Secret", "database", {}, {"username": url.username, "password": url.password}),
        ("Secret", "s3-keys", {}, {"access": bucket.keys[KEYS[0]], "secret": bucket.keys[KEYS[1]]}),
        (
            "ConfigMap",
            "repositories",
            {},
            {"ours": json.dumps({"s3": bucket_of(bucket.config["bucket"])})},
        ),
        ("ConfigMap", "shout-executor-plugin", {"configmap-type": "ExecutorPlugin"}, plugin()),
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {
                "name": name,
                "labels": {f"workflows.argoproj.io/{key}": value for key, value in labels.items()},
            },
            "data" if kind == "ConfigMap" else "stringData": data,
        }
        for kind, name, labels, data in given
    ]


def plugin() -> Json:
    """A plugin that answers in capitals."""
    port = free_port()
    container = {
        "name": "shout",
        "image": PYTHON,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-u", "-c", PLUGIN.replace("PORT", str(port))],
        "ports": [{"containerPort": port}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi"},
        },
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000},
    }
    return {
        "sidecar.automountServiceAccountToken": "false",
        "sidecar.container": json.dumps(container),
    }


@pytest.fixture(scope="module")
def place(
    new_cluster: Callable[[], Cluster],
    tmp_path_factory: pytest.TempPathFactory,
    bucket: S3RunLog,
    database: Server,
    web: ApiServer,
) -> Iterator[Place]:
    """Everything, started."""
    cluster, folder = new_cluster(), tmp_path_factory.mktemp("engine")
    cluster.create(*objects(bucket, database))
    url = urlsplit(database.url)
    reference = {"name": "database", "key": "username"}
    postgresql = {
        "host": url.hostname,
        "port": url.port,
        "database": url.path.strip("/"),
        "tableName": "argo_workflows",
        "userNameSecret": reference,
        "passwordSecret": {**reference, "key": "password"},
    }
    persistence = {"nodeStatusOffLoad": True, "postgresql": postgresql}
    bucket.put("given/a.csv", b"1")
    bucket.put("given/b.txt", b"2")
    with (
        controller(cluster, MEASURES, {}, folder / "1.log", ARGO_EXECUTOR_PLUGINS="true") as own,
        controller(
            cluster,
            OFFLOADS,
            {"persistence": persistence},
            folder / "2.log",
            ALWAYS_OFFLOAD_NODE_STATUS="true",
        ),
    ):
        found = Place(cluster, folder, own, bucket, web, {})
        repository = {"configMap": "repositories", "key": "ours"}
        found.start("kept", KEPT, archive_logs=True, artifact_repository=repository)
        found.start("measured", MEASURED, MEASURES, metrics=METRICS)
        found.start("loud", LOUD, MEASURES)
        found.start("offloaded", OFFLOADED, OFFLOADS)
        notice = {"http": {"url": f"{web.url}/ended/{{{{workflow.status}}}}", "method": "PUT"}}
        notices = {"told": {"on": "success", "template": notice}}
        found.start("asking", asking(web.url, bucket.config["bucket"]), notifications=notices)
        yield found


@pytest.fixture(scope="module")
def ended(place: Place) -> dict[str, Json]:
    """The workflows by pipeline, once all of them have ended."""
    adopt(place.cluster, place.workflow("loud"))
    workflows = {name: place.workflow(name) for name in place.submitted}
    found = place.cluster.wait_all(workflows.values(), 240)
    return {name: found[workflow] for name, workflow in workflows.items()}


def adopt(cluster: Cluster, workflow: str) -> None:
    """Argo 3.7.3 forgets to label what its agent answers in, and so does not hear the answer
    (argo-workflows#15219)."""
    label = ("label", "workflowtaskset", workflow, f"{LABEL}={MEASURES}")
    until = time.monotonic() + 120
    while not cluster.kubectl(*label, check=False):
        assert time.monotonic() < until, cluster.report(workflow)
        time.sleep(1)


def succeeded(place: Place, ended: dict[str, Json], name: str) -> None:
    assert phase(ended[name]) == "Succeeded", place.cluster.report(place.workflow(name))


def test_logs_are_kept_in_the_bucket(place: Place, ended: dict[str, Json]) -> None:
    succeeded(place, ended, "kept")
    keys = place.store.list(f"{place.workflow('kept')}/")
    kept = {key: place.store.get(key) or b"" for key in keys if key.endswith("/main.log")}
    assert sum(SAID.encode() in text for text in kept.values()) == 1, kept
    assert len(kept) == 2, kept  # the step's, and that of the pod that closes the run


def test_prometheus_sees_what_steps_and_workflows_measure(
    place: Place, ended: dict[str, Json]
) -> None:
    succeeded(place, ended, "measured")
    found = place.measures.measured()
    seconds = found[f'argo_workflows_argosy_e2e_seconds{{workflow="{place.workflow("measured")}"}}']
    assert 1 < seconds < 240
    counted = {name: value for name, value in found.items() if "argosy_e2e" in name}
    assert {name: value for name, value in counted.items() if "seconds" not in name} == {
        'argo_workflows_argosy_e2e_steps{status="Succeeded",step="load"}': 1,
        'argo_workflows_argosy_e2e_steps{status="Failed",step="fails"}': 1,
        'argo_workflows_argosy_e2e_runs{status="Succeeded"}': 1,
    }


def test_a_request_and_a_bucket_answer(place: Place, ended: dict[str, Json]) -> None:
    succeeded(place, ended, "asking")
    found = place.left("asking")
    assert found["answer"] == {"path": "/hello/me", "body": None}
    assert found["files"] == ["given/a.csv"]
    assert ("PUT", "/ended/Succeeded") in {(one.method, one.path) for one in place.web.sent}


def test_a_plugin_answers(place: Place, ended: dict[str, Json]) -> None:
    succeeded(place, ended, "loud")
    assert place.left("loud") == {"who": "me", "loud": "ME"}


def test_only_who_asks_may_ask(place: Place, ended: dict[str, Json]) -> None:
    resources = {
        name: [rule["resources"][0] for rule in place.cluster.get("role", name)["rules"]]
        for name in ("asking", "measured")
    }
    asks = {"workflowtasksets", "workflowtasksets/status"}
    assert asks <= set(resources["asking"])
    assert not asks & set(resources["measured"])
    assert place.cluster.get("serviceaccount", "measured").get("secrets") is None


# Nodes in Argo's database

WAY = ("-c", "offloaded-argo.yaml")


def test_without_an_argo_server_the_run_log_tells_of_steps(
    place: Place, ended: dict[str, Json]
) -> None:
    assert "nodes" not in ended["offloaded"]["status"]
    run = place.submitted["offloaded"]["run"]
    lines = place.argosy("watch", run, *WAY, status=1).splitlines()
    assert HIDDEN in lines
    assert "train: failed after 0 s: exited with status 3" in lines
    assert "  | no data" in lines
    assert not [line for line in lines if "omitted" in line]
    assert place.argosy("logs", run, "train", *WAY).splitlines()[0] == "no data"
    (listed,) = (
        one for one in json.loads(place.argosy("runs", *WAY, "-o", "json")) if one["run"] == run
    )
    assert listed["status"] == "failed"


def test_an_argo_server_shows_all_steps_and_starts_runs(
    place: Place, ended: dict[str, Json]
) -> None:
    token = {"ARGO_TOKEN": operator(place.cluster), "KUBECONFIG": "/nowhere"}
    options = ("--configmap", OFFLOADS, "--namespace", place.cluster.namespace)
    with argo_server(place.cluster, place.folder / "server.log", *options) as url:
        way = (*WAY, "--server", url)
        old = place.submitted["offloaded"]["run"]
        told = place.argosy("watch", old, *way, status=1, **token)
        assert "publish: omitted" in told
        assert "database" not in told
        done = argosy("retry", old, *way, "--wait", "-o", "json", cwd=place.folder, **token)
        assert json.loads(done.stdout)["status"] == "failed"
        assert "train: failed" in done.stderr


def test_a_run_is_retried_and_waited_for(place: Place, ended: dict[str, Json]) -> None:
    place.define("offloaded", {**OFFLOADED, "train": shell("true", depends_on=["load"])})
    place.argosy("apply", "offloaded.yaml", *WAY)
    old = place.submitted["offloaded"]["run"]
    done = argosy("retry", old, *WAY, "--wait", "-o", "json", cwd=place.folder)
    assert done.returncode == 0, done.stderr
    assert "load: skipped" in done.stderr
    assert "publish: succeeded" in done.stderr


def operator(cluster: Cluster) -> str:
    """The token of an account that may do with Argo's objects what it wants."""
    name, rbac = "operator", "rbac.authorization.k8s.io"
    rules = [
        {"apiGroups": ["argoproj.io"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]},
    ]
    reference = {"apiGroup": rbac, "kind": "Role", "name": name}
    subject = {"kind": "ServiceAccount", "name": name}
    metadata = {"name": name}
    cluster.create(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": reference,
            "subjects": [subject],
        },
    )
    return cluster.kubectl("create", "token", name, "--duration=1h").strip()
