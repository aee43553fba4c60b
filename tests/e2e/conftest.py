"""A real cluster: `make e2e` starts it, builds the image and runs these tests.

Without one they are skipped, with one line that says so.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator

import pytest

from cluster import Cluster
from runs import Lab


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
