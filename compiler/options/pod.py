"""The options of a pod, whichever executor starts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .quantities import amount
from .readers import (
    Shaped,
    WrongValue,
    boolean,
    choice,
    dns_name,
    image,
    integer,
    label_key,
    label_value,
    listed,
    mapping,
    matching,
    plain,
    record,
    text,
    texts,
    wait,
)
from .resources import resources
from .table import Option, Table


class Claim(NamedTuple):
    """A volume claim, where it is mounted, and what it is where Argosy renders it."""

    mount_path: str
    create: bool = False
    size: str = ""
    storage_class: str | None = None
    access_mode: str = "ReadWriteMany"


class Account(NamedTuple):
    """A service account; '' is called as the pipeline is. `create`: rendered, with its role and
    with these labels and annotations."""

    name: str = ""
    create: bool = False
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}


class Runtime(NamedTuple):
    """Where a pod's runtime comes from: its image, or, with `inject`, the image `image`."""

    inject: bool = False
    image: str = ""


class PodOptions(NamedTuple):
    """What a pod is given, read. A variable of `env` is its text, or {valueFrom} as Kubernetes has
    it; members of lists and mappings without a type of ours are as Kubernetes has them."""

    image: str = ""
    image_pull_policy: str | None = None
    image_pull_secrets: tuple[str, ...] = ()
    command: tuple[str, ...] = ("python", "-m", "argosy.runtime")
    runtime: Runtime = Runtime()
    env: Mapping[str, str | Mapping[str, Any]] = {}
    env_from: Sequence[Mapping[str, Any]] = ()
    resources: Mapping[str, Any] = {}
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    service_account: Account = Account(create=True)
    security: str | None = None
    security_context: Mapping[str, Any] = {}
    pod_security_context: Mapping[str, Any] = {}
    claims: Mapping[str, Claim] = {}
    volumes: Sequence[Mapping[str, Any]] = ()
    volume_mounts: Sequence[Mapping[str, Any]] = ()
    init_containers: Sequence[Mapping[str, Any]] = ()
    sidecars: Sequence[Mapping[str, Any]] = ()
    node_selector: Mapping[str, str] = {}
    tolerations: Sequence[Mapping[str, Any]] = ()
    affinity: Mapping[str, Any] = {}
    topology_spread: Sequence[Mapping[str, Any]] = ()
    priority_class: str | None = None
    runtime_class: str | None = None
    termination_grace_period: float | None = None
    host_aliases: Sequence[Mapping[str, Any]] = ()
    dns_policy: str | None = None
    dns_config: Mapping[str, Any] = {}


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
    """A name, or {name, create, labels, annotations}; what has labels or annotations is created."""
    if not isinstance(value, Mapping):
        return Account(dns_name(value))
    known = {"labels": labels, "annotations": metadata}
    found = record({"name": dns_name, "create": boolean, **known})(value)
    decorated = bool(found.keys() & known.keys())
    if decorated and found.get("create") is False:
        hint = "leave create out, or set them where the account is made"
        raise WrongValue("is not created, and cannot get labels or annotations", hint)
    return Account(**{"create": decorated, **found})


def value_of(value: Any) -> str | Mapping[str, Any]:
    """A variable's text, or where it comes from."""
    if not isinstance(value, Mapping):
        return plain(value)
    found: Mapping[str, Any] = record({"valueFrom": Shaped("EnvVarSource")})(value)
    if not found.get("valueFrom"):
        hint = "{valueFrom: {configMapKeyRef: {name: settings, key: level}}}"
        raise WrongValue("is a mapping without 'valueFrom'", hint)
    return found


def runtime(value: Any) -> Runtime:
    """{inject, image}."""
    found = Runtime(**record({"inject": boolean, "image": image})(value))
    if found.inject and not found.image:
        hint = "runtime: {inject: true, image: ...}; `argosy image` writes what it is built of"
        raise WrongValue("needs 'image', that which has the runtime", hint)
    return found


toleration = record(
    {
        "key": text,
        "operator": choice("Exists", "Equal"),
        "value": plain,
        "effect": choice("NoSchedule", "PreferNoSchedule", "NoExecute"),
        "tolerationSeconds": integer,
    }
)
metadata = mapping(plain, label_key)
labels = mapping(label_value, label_key)

POD: Table = {
    "image": Option(
        image, "text", "container.image", "The image that steps run in; Argosy is in it.", True
    ),
    "image_pull_policy": Option(
        choice("Always", "IfNotPresent", "Never"),
        "a word",
        "container.imagePullPolicy",
        "When the image is pulled: Always, IfNotPresent or Never.",
        True,
        "Kubernetes'",
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
    "runtime": Option(
        runtime,
        "a mapping",
        "initContainers",
        "{inject: true, image}: the runtime is put into pods whose image has Python only.",
        True,
        "{inject: false}",
    ),
    "env": Option(
        mapping(value_of, variable),
        "a mapping",
        "container.env",
        "Variables of every pod: {NAME: text} or {NAME: {valueFrom: EnvVarSource}}.",
        True,
    ),
    "env_from": Option(
        Shaped("[EnvFromSource]"),
        "a list",
        "container.envFrom",
        "ConfigMaps and Secrets whose keys become variables.",
        True,
    ),
    "resources": Option(
        resources,
        "a mapping",
        "container.resources",
        "{limits, requests}, as Kubernetes has them.",
        True,
    ),
    "labels": Option(labels, "a mapping", "metadata.labels", "Labels of the pods.", True),
    "annotations": Option(
        metadata, "a mapping", "metadata.annotations", "Annotations of the pods.", True
    ),
    "service_account": Option(
        account,
        "text or a mapping",
        "serviceAccountName, ServiceAccount",
        "A name, or {name, create, labels, annotations} of one to render with its role; a cloud's"
        " workload identity is an annotation or a label here. A step gives a name.",
        True,
        "{create: true}",
        in_step=dns_name,
    ),
    "security": Option(
        choice("restricted"),
        "a word",
        "securityContext of the pod and of all its containers",
        "restricted: what the Pod Security Standard of that name asks for; security_context and"
        " pod_security_context merge over it.",
        True,
    ),
    "security_context": Option(
        Shaped("SecurityContext"),
        "a mapping",
        "container.securityContext",
        "Of the container that runs a step; with readOnlyRootFilesystem, /tmp is a volume, and HOME"
        " and TMPDIR are there.",
        True,
    ),
    "pod_security_context": Option(
        Shaped("PodSecurityContext"), "a mapping", "securityContext", "Of the pod.", True
    ),
    "claims": Option(
        mapping(claim, dns_name),
        "a mapping",
        "volumes, container.volumeMounts, PersistentVolumeClaim",
        "Volume claims: {name: mount path}, or {mount_path, create, size, storage_class, "
        "access_mode} to render one.",
        True,
    ),
    "volumes": Option(
        Shaped("[Volume]"), "a list", "volumes", "Volumes of any kind that Kubernetes has.", True
    ),
    "volume_mounts": Option(
        Shaped("[VolumeMount]"),
        "a list",
        "container.volumeMounts",
        "Where the step's container has volumes.",
        True,
    ),
    "init_containers": Option(
        Shaped("[argo.UserContainer]"),
        "a list",
        "initContainers",
        "Containers that end before the step begins; `mirrorVolumeMounts: true` gives one the"
        " step's mounts.",
        True,
    ),
    "sidecars": Option(
        Shaped("[argo.UserContainer]"),
        "a list",
        "sidecars",
        "Containers beside the step, stopped when it has ended.",
        True,
    ),
    "node_selector": Option(labels, "a mapping", "nodeSelector", "Labels of a node.", True),
    "tolerations": Option(
        listed(toleration), "a list", "tolerations", "Taints that pods tolerate.", True
    ),
    "affinity": Option(
        Shaped("Affinity"), "a mapping", "affinity", "To nodes, to pods and from pods.", True
    ),
    "topology_spread": Option(
        Shaped("[TopologySpreadConstraint]"),
        "a list",
        "podSpecPatch: topologySpreadConstraints",
        "How pods spread over nodes or zones.",
        True,
    ),
    "priority_class": Option(
        dns_name, "text", "priorityClassName", "Of pods, where the cluster is full.", True
    ),
    "runtime_class": Option(
        dns_name, "text", "podSpecPatch: runtimeClassName", "Such as gvisor.", True
    ),
    "termination_grace_period": Option(
        wait,
        "a duration",
        "podSpecPatch: terminationGracePeriodSeconds",
        "From asking a pod to stop to killing it.",
        True,
        "30s",
    ),
    "host_aliases": Option(
        Shaped("[HostAlias]"), "a list", "hostAliases", "Lines of /etc/hosts.", True
    ),
    "dns_policy": Option(
        choice("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        "a word",
        "spec.dnsPolicy",
        "ClusterFirst, ClusterFirstWithHostNet, Default or None.",
        default="Kubernetes'",
    ),
    "dns_config": Option(
        Shaped("PodDNSConfig"), "a mapping", "spec.dnsConfig", "Servers, searches and options."
    ),
}
"""Each becomes the field of `PodOptions` that has its name."""
