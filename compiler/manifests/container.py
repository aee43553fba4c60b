"""A pod's options as fields of Kubernetes: its own, and those of its containers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..options.pod import PodOptions
from ..settings import merge
from .names import Names

Json = dict[str, Any]
RESTRICTED_POD: Json = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED: Json = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""What a pod, and each container of it, must say by the Pod Security Standard `restricted`."""
TMP = "/tmp"  # noqa: S108 (a container's own)
FIELDS = {
    "node_selector": "nodeSelector",
    "tolerations": "tolerations",
    "affinity": "affinity",
    "topology_spread": "topologySpreadConstraints",
    "priority_class": "priorityClassName",
    "runtime_class": "runtimeClassName",
    "host_aliases": "hostAliases",
    "dns_policy": "dnsPolicy",
    "dns_config": "dnsConfig",
}
"""Options that a pod has as they are."""


def container_of(options: PodOptions, arguments: list[str], env: Iterable[Json]) -> Json:
    """The container that runs Argosy, without a name; `env`: what it has beside the options'."""
    found: Json = {"image": options.image}
    if options.image_pull_policy:
        found["imagePullPolicy"] = options.image_pull_policy
    found |= {"command": list(options.command), "args": arguments}
    found["env"] = [*env, *_variables(options)]
    if options.env_from:
        found["envFrom"] = list(options.env_from)
    if options.resources:
        found["resources"] = {name: dict(given) for name, given in options.resources.items()}
    if context := _security(options):
        found["securityContext"] = context
    mounts: list[Any] = [
        {"name": volume, "mountPath": options.claims[claim].mount_path}
        for claim, volume in claim_volumes(options).items()
    ]
    mounts += options.volume_mounts
    if _needs_tmp(options):
        mounts.append({"name": "argosy-tmp", "mountPath": TMP})
    if mounts:
        found["volumeMounts"] = mounts
    return found


def pod_of(options: PodOptions) -> Json:
    """The fields of the pod around it, but its account and its other containers."""
    found: Json = {}
    for name, field in FIELDS.items():
        if value := getattr(options, name):
            found[field] = list(value) if isinstance(value, tuple) else value
    if options.termination_grace_period is not None:
        found["terminationGracePeriodSeconds"] = math.ceil(options.termination_grace_period)
    restricted = RESTRICTED_POD if options.security else {}
    if context := merge(restricted, options.pod_security_context):
        found["securityContext"] = context
    volumes: list[Any] = [
        {"name": volume, "persistentVolumeClaim": {"claimName": claim}}
        for claim, volume in claim_volumes(options).items()
    ]
    volumes += options.volumes
    if _needs_tmp(options):
        volumes.append({"name": "argosy-tmp", "emptyDir": {}})
    if volumes:
        found["volumes"] = volumes
    return found


def others_of(options: PodOptions, containers: Iterable[Mapping[str, Any]]) -> list[Json]:
    """Containers beside Argosy's, with what the pod's security asks of each, and what the API
    server would fill in."""
    found = []
    for given in containers:
        container = dict(given)
        if options.security:
            container["securityContext"] = merge(RESTRICTED, given.get("securityContext", {}))
        if ports := given.get("ports"):
            container["ports"] = [{"protocol": "TCP", **port} for port in ports]
        found.append(container)
    return found


def from_secret(name: str, secret: str, key: str) -> Json:
    """A variable that Kubernetes fills from a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def claim_volumes(options: PodOptions) -> dict[str, str]:
    """The volume of each claim, by the claim's name."""
    return Names(volume["name"] for volume in options.volumes).take_all(options.claims)


def _variables(options: PodOptions) -> list[Json]:
    needed = {"HOME": TMP, "TMPDIR": TMP} if _needs_tmp(options) else {}
    return [
        {"name": name, "value": value} if isinstance(value, str) else {"name": name, **value}
        for name, value in {**needed, **options.env}.items()
    ]


def _security(options: PodOptions) -> Any:
    return merge(RESTRICTED if options.security else {}, options.security_context)


def _needs_tmp(options: PodOptions) -> bool:
    """Whether the container has no place to write to but those that it mounts."""
    return bool(options.security_context.get("readOnlyRootFilesystem")) and not any(
        mount["mountPath"].rstrip("/") == TMP for mount in options.volume_mounts
    )
