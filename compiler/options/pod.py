"""The options of a pod, whichever executor starts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .quantities import amount
from .readers import (
    WrongValue,
    boolean,
    choice,
    dns_name,
    integer,
    label_key,
    listed,
    mapping,
    matching,
    plain,
    record,
    text,
    texts,
)
from .table import Option, Table


class Claim(NamedTuple):
    """A volume claim, where it is mounted, and what it is where Argosy renders it."""

    mount_path: str
    create: bool = False
    size: str = ""
    storage_class: str | None = None
    access_mode: str = "ReadWriteMany"


class Account(NamedTuple):
    """A service account; '' is called as the pipeline is. `create`: rendered, with its role."""

    name: str = ""
    create: bool = False


class PodOptions(NamedTuple):
    """What a pod is given, read."""

    image: str = ""
    image_pull_policy: str | None = None
    image_pull_secrets: tuple[str, ...] = ()
    command: tuple[str, ...] = ("python", "-m", "argosy.runtime")
    env: Mapping[str, str] = {}
    resources: Mapping[str, Any] = {}
    node_selector: Mapping[str, str] = {}
    tolerations: tuple[Mapping[str, Any], ...] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    claims: Mapping[str, Claim] = {}
    service_account: Account = Account(create=True)


path = matching(r"/[^:]*", "an absolute path in the container, without ':'")
variable = matching(r"(?!ARGOSY_)[-._A-Za-z][-._A-Za-z0-9]*", "names that Argosy sets are its own")


def claim(value: Any) -> Claim:
    """A mount path, or a claim to render."""
    if not isinstance(value, Mapping):
        return Claim(path(value))
    found = record(
        {
            "mount_path": path,
            "create": boolean,
            "size": amount,
            "storage_class": dns_name,
            "access_mode": choice("ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"),
        }
    )(value)
    if "mount_path" not in found:
        raise WrongValue("needs 'mount_path'", "where pods see it, such as /data")
    if found.get("create") and "size" not in found:
        raise WrongValue("needs 'size', as it is created", "such as size: 10Gi")
    return Claim(**found)


def account(value: Any) -> Account:
    """A name, or {name, create}."""
    if not isinstance(value, Mapping):
        return Account(dns_name(value))
    return Account(**record({"name": dns_name, "create": boolean})(value))


toleration = record(
    {
        "key": text,
        "operator": choice("Exists", "Equal"),
        "value": plain,
        "effect": choice("NoSchedule", "PreferNoSchedule", "NoExecute"),
        "tolerationSeconds": integer,
    }
)
resources = record({"limits": mapping(amount), "requests": mapping(amount)})

POD: Table = {
    "image": Option(
        text, "text", "container.image", "The image that steps run in; Argosy is in it.", True
    ),
    "image_pull_policy": Option(
        choice("Always", "IfNotPresent", "Never"),
        "a word",
        "container.imagePullPolicy",
        "When the image is pulled.",
        True,
        "as Kubernetes decides",
    ),
    "image_pull_secrets": Option(
        texts, "a list", "spec.imagePullSecrets", "Secrets that the image is pulled with."
    ),
    "command": Option(
        listed(text),
        "a list",
        "container.command",
        "What runs Argosy's runtime in the image.",
        True,
        "[python, -m, argosy.runtime]",
    ),
    "env": Option(
        mapping(plain, variable), "a mapping", "container.env", "Variables of every pod.", True
    ),
    "resources": Option(
        resources,
        "a mapping",
        "container.resources",
        "limits and requests, as Kubernetes has.",
        True,
    ),
    "node_selector": Option(
        mapping(plain, label_key), "a mapping", "nodeSelector", "Labels of a node.", True
    ),
    "tolerations": Option(
        listed(toleration), "a list", "tolerations", "Taints that pods tolerate.", True
    ),
    "labels": Option(
        mapping(plain, label_key), "a mapping", "metadata.labels", "Labels of the pods.", True
    ),
    "annotations": Option(
        mapping(plain, label_key), "a mapping", "metadata.annotations", "Annotations of pods.", True
    ),
    "claims": Option(
        mapping(claim, dns_name),
        "a mapping",
        "volumes, container.volumeMounts, PersistentVolumeClaim",
        "Volume claims: {name: mount path}, or {mount_path, create, size, storage_class, "
        "access_mode} to render one.",
        True,
    ),
    "service_account": Option(
        account,
        "text or a mapping",
        "serviceAccountName, ServiceAccount",
        "A name; by default one is rendered: {name, create}.",
        True,
        "{create: true}",
    ),
}
"""Each becomes the field of `PodOptions` that has its name."""
