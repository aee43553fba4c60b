"""A real cluster: `make e2e` starts it, builds the image and runs these tests.

Without one they are skipped, with one line that says so.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy.runtime.secrets.aws_secrets_manager import AwsSecretsManager
from cluster import IMAGE, PYTHON, Cluster
from examples import argosy
from matrix import Matrix, Services
from postgres import server, there
from runs import Lab
from s3_bucket import bucket


def reachable() -> bool:
    """Whether `kubectl` has a cluster with Argo's resources in it, and the image to test."""
    try:
        done = subprocess.run(
            ["kubectl", "--request-timeout=5s", "get", "crd", "workflows.argoproj.io"],
            check=False,
            capture_output=True,
        )
    except FileNotFoundError:
        return False
    return done.returncode == 0


@pytest.fixture(scope="session", autouse=True)
def _cluster_is_there() -> None:
    if not os.environ.get("KUBECONFIG") or not reachable():
        pytest.skip("no cluster: `make e2e` starts one")


@pytest.fixture(scope="session")
def new_cluster(_cluster_is_there: None) -> Iterator[Callable[[], Cluster]]:
    """Makes namespaces, which go with all that is in them."""
    made: list[Cluster] = []

    def make() -> Cluster:
        found = Cluster(f"argosy-e2e-{uuid.uuid4().hex[:6]}")
        found.kubectl("create", "namespace", found.namespace)
        made.append(found)
        return found

    yield make
    for found in made:
        found.kubectl("delete", "namespace", found.namespace, "--wait=false")


@pytest.fixture(scope="session")
def cluster(new_cluster: Callable[[], Cluster]) -> Cluster:
    """A namespace for this session."""
    return new_cluster()


@pytest.fixture(scope="session")
def lab(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Where small pipelines run here and on the cluster."""
    return Lab(cluster, tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="session")
def runtime(_cluster_is_there: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image that brings the runtime into others, in the cluster."""
    folder, name = tmp_path_factory.mktemp("runtime"), "localhost/argosy-runtime:test"
    done = argosy("image", "--base", PYTHON, "-o", str(folder), cwd=folder)
    assert done.returncode == 0, done.stderr
    load = str(Path(os.environ.get("CLUSTER", "../shared/cluster")) / "load")
    build = ["docker", "build", "--quiet", "--network", "host", "--tag", name, str(folder)]
    for command in (build, [load, name]):
        environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
    return name


@pytest.fixture(scope="session")
def services(_cluster_is_there: None) -> Iterator[Services]:
    """Every server that the matrix needs, beside the cluster; of AWS's, moto's stands in for
    Secrets Manager alone."""
    inspect = ["docker", "image", "inspect", IMAGE]
    if not there():
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    if (
        not os.environ.get("DOCKER_HOST")
        or subprocess.run(inspect, check=False, capture_output=True).returncode
    ):
        pytest.skip(f"no Docker engine with the image {IMAGE}: `make e2e` makes it")
    moto = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    # With what is written otherwise in a URL, and nothing that a shell or a .env file would read.
    key = f"{secrets.token_hex(12)}+/%&{secrets.token_hex(4)}"
    with bucket() as store, server(secrets.token_hex(12)) as database:
        moto.start()
        host, port = moto.get_host_and_port()
        at = f"http://{host}:{port}"
        manager = {"secret_id": "matrix", "region": "eu-west-1", "endpoint_url": at}
        of_aws = AwsSecretsManager(manager)
        of_aws.keys = store.keys
        of_aws.client.create_secret(Name="matrix", SecretString=json.dumps({"SIGNING_KEY": key}))
        s3 = {name: store.config[name] for name in ("bucket", "endpoint_url", "region")}
        yield Services(key, database.url, store.keys, s3, manager)
        moto.stop()


@pytest.fixture(scope="session")
def matrix(
    new_cluster: Callable[[], Cluster],
    services: Services,
    tmp_path_factory: pytest.TempPathFactory,
) -> Matrix:
    """The runs of the matrix, which start when their outcomes are asked for."""
    return Matrix(tmp_path_factory.mktemp("matrix"), new_cluster(), services)
