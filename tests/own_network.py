"""Pods with a network of their own, in a test cluster that puts all others on the host's.

Of what is on the host's, such a pod reaches the API server alone, at the address that pods know it
by: without it, no step of Argo's can report how it ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster import Cluster
from proxy import Proxy, shut, to

NETWORK = {
    "cniVersion": "0.4.0",
    "name": "own",
    "plugins": [{"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.99.0.0/24"}}],
}
BINDING = ("mutatingadmissionpolicybinding", "host-network")
LABEL = "argosy.dev/own-network"
CLONE_NEWNET = 0x40000000  # sched.h
Address = tuple[str, int]


def networks() -> Path:
    """Where the test cluster's container runtime looks for the networks of pods, the first of which
    it takes."""
    return Path(os.environ["KUBECONFIG"]).parent / "cni"


def possible() -> bool:
    """Whether the cluster has the policy, and this process may give its pods a network, and enter
    it."""
    policy = Cluster("argo").kubectl("get", *BINDING, check=False)
    return os.geteuid() == 0 and networks().is_dir() and bool(policy)


@contextmanager
def own_network(cluster: Cluster) -> Iterator[None]:
    """For the pods of one namespace, which has none yet."""
    cluster.kubectl("label", "namespace", cluster.namespace, f"{LABEL}=true")
    others = {"matchExpressions": [{"key": LABEL, "operator": "DoesNotExist"}]}
    bind(cluster, {"namespaceSelector": others})
    network = networks() / "00-own.conflist"
    network.write_text(json.dumps(NETWORK))
    service = Cluster("default").get("service", "kubernetes")["spec"]
    address = (service["clusterIP"], service["ports"][0]["port"])
    ended = threading.Event()
    try:
        excepted(cluster)
        with to(*address) as proxy, ThreadPoolExecutor(1) as threads:
            watch = threads.submit(let_through, cluster, address, proxy, ended)
            try:
                yield
            finally:
                ended.set()
            watch.result()
    finally:
        network.unlink()
        bind(cluster, None)


def bind(cluster: Cluster, resources: dict[str, Any] | None) -> None:
    """Says for which resources the policy holds: all, or those that match."""
    change = json.dumps({"spec": {"matchResources": resources}})
    cluster.kubectl("patch", *BINDING, "--type", "merge", "-p", change)


def excepted(cluster: Cluster) -> None:
    """Waits until the API server has seen what the policy now says."""
    spec = {"containers": [{"name": "main", "image": "none"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "first"}, "spec": spec}
    make = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    until = time.monotonic() + 60
    while json.loads(cluster.kubectl(*make, input=json.dumps(pod)))["spec"].get("hostNetwork"):
        assert time.monotonic() < until, "the policy still holds for all namespaces"
        time.sleep(0.5)


def let_through(cluster: Cluster, address: Address, proxy: Proxy, ended: threading.Event) -> None:
    """Listens at the address in the network of each pod that comes, until it has ended."""
    listeners: dict[str, socket.socket] = {}
    while not ended.wait(0.2):
        pods = {pod["metadata"]["uid"] for pod in cluster.get("pods")["items"]}
        for uid in pods - set(listeners):
            network = network_of(uid)
            if network is not None:
                listeners[uid] = listen(network, address)
                proxy.accept(listeners[uid])
    for listener in listeners.values():
        shut(listener)
        listener.close()


def network_of(uid: str) -> Path | None:
    """The network of a pod's processes, once it has any."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if uid in (process / "cgroup").read_text():
                return process / "ns/net"
        except OSError:
            continue  # it has ended
    return None


def listen(network: Path, address: Address) -> socket.socket:
    """A listener in another network: a socket stays in the one that it was made in."""
    here = Path("/proc/thread-self/ns/net")
    with network.open() as there, here.open() as back:
        enter(there.fileno())
        try:
            return socket.create_server(address)
        finally:
            enter(back.fileno())


def enter(network: int) -> None:
    """Takes this thread, and no other, to a network."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(network, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
