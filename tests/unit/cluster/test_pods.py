"""Why a pod does not start."""

from __future__ import annotations

from typing import Any

import pytest

from argosy.compiler.cluster.pods import trouble


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


SCHEDULED = {"type": "PodScheduled", "status": "True"}
UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available:\n3 Insufficient cpu.",
}
PODS: dict[str, tuple[dict[str, Any], str]] = {
    "without a status": ({}, ""),
    "that runs": ({"containerStatuses": [{"state": {"running": {}}}]}, ""),
    "that is being made": ({"containerStatuses": [waiting("ContainerCreating")]}, ""),
    "that no node has room for": (
        {"conditions": [UNSCHEDULABLE]},
        "Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.",
    ),
    "whose image is not there": (
        {"conditions": [SCHEDULED], "containerStatuses": [waiting("ErrImagePull", "not found")]},
        "ErrImagePull: not found",
    ),
    "whose secret is not there": (
        {"containerStatuses": [waiting("CreateContainerConfigError", 'secret "s" not found')]},
        'CreateContainerConfigError: secret "s" not found',
    ),
    "whose init container cannot start": (
        {
            "initContainerStatuses": [waiting("ImagePullBackOff", "Back-off")],
            "containerStatuses": [waiting("PodInitializing")],
        },
        "ImagePullBackOff: Back-off",
    ),
}


@pytest.mark.parametrize("name", PODS)
def test_a_pod(name: str) -> None:
    status, expected = PODS[name]
    assert trouble({"status": status}) == expected
