"""The specification of the one pod."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..manifests.container import container_of, others_of, pod_of
from ..manifests.inject import inject
from ..options.pod import PodOptions

Json = dict[str, Any]
MAIN = "main"
GRACE = 60
"""Seconds from SIGTERM to SIGKILL: the launcher gives its steps 15, and then writes how they and
the run have ended, to a store that may not answer at once."""


def pod_spec(options: PodOptions, account: str, env: Iterable[Json]) -> Json:
    """What the options make of a pod with these variables of ours before its own."""
    found: Json = {"restartPolicy": "Never", "terminationGracePeriodSeconds": GRACE}
    if account:
        found["serviceAccountName"] = account
    if options.image_pull_secrets:
        found["imagePullSecrets"] = [{"name": name} for name in options.image_pull_secrets]
    found |= pod_of(options)
    before = others_of(options, options.init_containers)
    beside = others_of(options, options.sidecars)
    if before or beside:
        # A sidecar of Kubernetes is an init container that goes on.
        beside = [{**container, "restartPolicy": "Always"} for container in beside]
        found["initContainers"] = [*beside, *before]
    container = {"name": MAIN, **container_of(options, ["run"], env)}
    inject(found, container, options.runtime)
    found["containers"] = [container]
    return found


def from_field(name: str, path: str) -> Json:
    """A variable that says something of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
