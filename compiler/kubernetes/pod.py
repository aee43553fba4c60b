"""The specification of the one pod."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..argo.names import Names
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
    if options.node_selector:
        found["nodeSelector"] = dict(options.node_selector)
    if options.tolerations:
        found["tolerations"] = [dict(toleration) for toleration in options.tolerations]
    names = Names().take_all(options.claims)
    if names:
        found["volumes"] = [
            {"name": name, "persistentVolumeClaim": {"claimName": claim}}
            for claim, name in names.items()
        ]
    found["containers"] = [_container(options, names, env)]
    return found


def _container(options: PodOptions, volumes: Mapping[str, str], env: Iterable[Json]) -> Json:
    container: Json = {"name": MAIN, "image": options.image}
    if options.image_pull_policy:
        container["imagePullPolicy"] = options.image_pull_policy
    container |= {"command": list(options.command), "args": ["run"]}
    if options.resources:
        container["resources"] = {k: dict(v) for k, v in options.resources.items()}
    if volumes:
        container["volumeMounts"] = [
            {"name": name, "mountPath": options.claims[claim].mount_path}
            for claim, name in volumes.items()
        ]
    own = ({"name": name, "value": value} for name, value in options.env.items())
    return {**container, "env": [*env, *own]}


def from_field(name: str, path: str) -> Json:
    """A variable that says something of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def from_secret(name: str, secret: str, key: str) -> Json:
    """A variable that Kubernetes fills from a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
