"""What a container is made with: its name, its mounts, its user's home, its limits."""

from __future__ import annotations

import io
import os
import posixpath
import re
import tarfile
from collections.abc import Iterable, Mapping
from typing import Any

HOME, ROOTS_HOME = "/home/argosy", "/root"
RANDOM = 4
"""Bytes that keep apart the containers of one step."""


def host_config(
    client: Any, spec: Mapping[str, Any], volumes: Mapping[str, Any], tmpfs: Mapping[str, str]
) -> Any:
    """The limits, devices, network and mounts that `spec` asks for, with `volumes` for its own."""
    from docker.types import DeviceRequest, Mount

    given: dict[str, Any] = {}
    if memory := spec["resources"].get("memory"):
        given |= {"mem_limit": memory, "memswap_limit": memory}  # without any swap
    if cpus := spec["resources"].get("cpus"):
        given["nano_cpus"] = int(cpus * 1e9)
    if spec["network"]:
        given["network_mode"] = spec["network"]
    if spec["gpus"]:
        given["device_requests"] = [DeviceRequest(**gpu_request(spec["gpus"]))]
    mounts = [
        Mount(
            mount["bind"],
            source,
            type="bind" if os.path.isabs(source) else "volume",
            read_only=mount["mode"] == "ro",
        )
        for source, mount in volumes.items()
    ]
    # With an init process: the first process of a container hears no signal by default.
    return client.create_host_config(init=True, mounts=mounts, tmpfs=dict(tmpfs), **given)


def home_of(user: str, environment: Mapping[str, str], binds: Iterable[str]) -> str:
    """The home of a user that the image need not know, who could write nowhere else; empty where
    the image's own will do. What is mounted in root's is meant for whoever the user is."""
    if not numeric(user) or user.partition(":")[0] == "0" or "HOME" in environment:
        return ""
    return ROOTS_HOME if any(within(bind, ROOTS_HOME) for bind in binds) else HOME


def home_mount(home: str, user: str, binds: Iterable[str]) -> dict[str, str]:
    """The tmpfs at `home`, unless something is mounted there."""
    if not home or home in map(posixpath.normpath, binds):
        return {}
    uid, _, gid = user.partition(":")
    return {home: f"rw,exec,mode=0700,uid={uid},gid={gid or 0}"}


def owned_folder(path: str, user: str) -> tuple[str, bytes]:
    """The parent of the folder at `path`, and an archive to unpack there that makes the folder
    the user's: a step writes to its working folder, which in most images is root's."""
    parent, name = posixpath.split(posixpath.normpath(path))
    uid, _, gid = user.partition(":")
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, int(uid), int(gid or 0)
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(entry)
    return parent, data.getvalue()


def numeric(user: str) -> bool:
    return bool(re.fullmatch(r"[0-9]+(:[0-9]+)?", user))


def within(path: str, folder: str) -> bool:
    """
    >>> within("/a/b", "/a"), within("/ab", "/a")
    (True, False)
    """
    path, folder = posixpath.normpath(path), posixpath.normpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def gpu_request(gpus: str) -> dict[str, Any]:
    """As `docker run --gpus` reads it.

    >>> gpu_request("all"), gpu_request("GPU-a,GPU-b")["device_ids"]
    ({'count': -1, 'capabilities': [['gpu']]}, ['GPU-a', 'GPU-b'])
    """
    gpu = {"capabilities": [["gpu"]]}
    if gpus == "all":
        return {"count": -1, **gpu}
    if gpus.isdigit():
        return {"count": int(gpus), **gpu}
    return {"device_ids": gpus.removeprefix("device=").split(","), **gpu}


def container_name(run: str, path: str) -> str:
    """What people see in `docker ps`.

    >>> container_name("demo-1", "a%20b/0")[:-8]
    'argosy-demo-1-a_20b.0-'
    """
    shown = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{run}-{path.replace('/', '.')}")
    return f"argosy-{shown[:120]}-{os.urandom(RANDOM).hex()}"
