"""An Argo controller of the tests' own beside the cluster's, which looks after one namespace, and
there after the workflows that carry its label; and Argo servers. They go with the tests."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from cluster import Cluster
from processes import free_port

LABEL = "workflows.argoproj.io/controller-instanceid"


class Controller(NamedTuple):
    """`id` is the value of the label, `metrics` the URL that shows them."""

    id: str
    metrics: str

    def measured(self) -> dict[str, float]:
        """What it shows Prometheus: values by the name with the labels, as they stand there."""
        with urllib.request.urlopen(self.metrics, timeout=10) as answer:  # noqa: S310
            text = answer.read().decode()
        lines = (line for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@contextmanager
def controller(
    cluster: Cluster, id: str, config: Mapping[str, Any], log: Path, **environment: str
) -> Iterator[Controller]:
    """One with these members of its configuration, which is in a ConfigMap of its id's name, and
    variables beside the tests' own."""
    port = free_port()
    whole = {
        "instanceID": id,
        "executor": {"imagePullPolicy": "IfNotPresent"},
        "metricsConfig": {"enabled": True, "port": port, "secure": False},
        "telemetryConfig": {"enabled": False},
        **config,
    }
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": id}}
    cluster.create({**config_map, "data": {"config": json.dumps(whole)}})
    version = re.search(r"v\d+\.\d+\.\d+", cluster.run("argo", "version", "--short"))
    assert version
    command = ["workflow-controller", "--namespaced", "--namespace", cluster.namespace]
    command += ["--configmap", id, "--executor-image", f"localhost/argoexec:{version[0]}"]
    command += ["--kubeconfig", os.environ["KUBECONFIG"]]
    variables = {"LEADER_ELECTION_DISABLE": "true", "DEFAULT_REQUEUE_TIME": "1s", **environment}
    found = Controller(id, f"http://127.0.0.1:{port}/metrics")
    with started(command, log, found.measured, **variables):
        yield found


@contextmanager
def argo_server(cluster: Cluster, log: Path, *options: str) -> Iterator[str]:
    """The URL of an Argo server of a namespace that asks for a token."""
    port = free_port()
    command = ["argo", "server", "--auth-mode", "client", "--secure=false", "--port", str(port)]
    command += ["--namespaced", "--managed-namespace", cluster.namespace, *options]
    answers = partial(socket.create_connection, ("127.0.0.1", port), 1)
    with started(command, log, lambda: answers().close()):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def started(
    command: list[str], log: Path, answers: Callable[[], object], **environment: str
) -> Iterator[None]:
    """A process, once `answers` raises no OSError, until it is left."""
    with log.open("wb") as out:
        own = {**os.environ, **environment}
        process = subprocess.Popen(command, stdout=out, stderr=out, env=own)
    until = time.monotonic() + 60
    try:
        while True:
            try:
                answers()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
