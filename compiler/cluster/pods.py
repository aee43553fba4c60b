"""Why a pod does not start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STARTING = frozenset(("ContainerCreating", "PodInitializing"))
"""Reasons of a container that waits as every container does at first."""


def trouble(pod: Mapping[str, Any]) -> str:
    """What keeps a pod from running, such as an image that cannot be pulled; empty where nothing
    does.

    >>> waiting = {"reason": "ErrImagePull", "message": "not found"}
    >>> trouble({"status": {"containerStatuses": [{"state": {"waiting": waiting}}]}})
    'ErrImagePull: not found'
    """
    return next(_troubles(pod.get("status") or {}), "")


def _troubles(status: Mapping[str, Any]) -> Iterator[str]:
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield _told(condition)
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind) or ():
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting and waiting.get("reason") not in STARTING:
                yield _told(waiting)


def _told(state: Mapping[str, Any]) -> str:
    parts = (state.get("reason"), state.get("message"))
    return ": ".join(" ".join(str(part).split()) for part in parts if part)
