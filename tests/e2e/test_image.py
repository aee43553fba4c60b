"""The image that the other tests run in."""

from __future__ import annotations

import json

from cluster import IMAGE, Cluster


def test_the_image_starts_in_a_pod_with_argosy_and_the_examples(cluster: Cluster) -> None:
    program = "import os, argosy.runtime; print(sorted(os.listdir('.')))"
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", program],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "image"},
        "spec": {"containers": [container], "restartPolicy": "Never"},
    }
    cluster.kubectl("create", "-f", "-", input=json.dumps(pod))
    cluster.kubectl(
        "wait", "pod/image", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s"
    )
    assert "[" in cluster.kubectl("logs", "image")
