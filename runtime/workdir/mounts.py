"""Mount namespaces and overlay mounts, by the C library. Linux only."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Sequence

NEW_MOUNTS, NEW_USERS = 0x00020000, 0x10000000
BIND, RECURSIVE, SLAVE = 0x1000, 0x4000, 0x80000
CAPABILITIES = 0x20080522
"""The version of the kernel's structure that `capset` takes."""

_library = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class Overlay:
    """Directories laid over one another, to be mounted at the path of the lowest.

    `lower` has them from the top, unchanged by what happens above; `upper` receives all changes,
    and `work`, on the same file system, is the kernel's. What is mounted, or kept, below the
    lowest stays as it is: `kept` names these paths. With `users` the mount is made in a user
    namespace of its own, as a user without privileges must; `options` are of the mount.
    """

    def __init__(
        self,
        lower: Sequence[str],
        upper: str,
        work: str,
        kept: Iterable[str],
        users: bool,
        options: str,
    ) -> None:
        self.lower = lower
        self.upper = upper
        self.work = work
        self.kept = kept
        self.users = users
        self.options = options

    def enter(self) -> None:
        """Mounts it for this process and those that it starts, and makes it the working directory.
        Raises OSError. This process must have a single thread."""
        target = self.lower[-1]
        namespaces(self.users)
        # Opened in this namespace: the kernel takes nothing that is mounted in another.
        layers = [os.open(path, os.O_PATH) for path in (*self.lower, self.upper, self.work)]
        kept = {path: os.open(path, os.O_PATH) for path in self.kept}
        try:
            # A descriptor's path has nothing in it that the list of options could be cut at.
            *lower, upper, work = map(descriptor_path, layers)
            options = f"lowerdir={':'.join(lower)},upperdir={upper},workdir={work}{self.options}"
            mount("overlay", target, "overlay", 0, options)
            for path, descriptor in kept.items():
                mount(descriptor_path(descriptor), path, None, BIND | RECURSIVE, None)
        finally:
            for descriptor in (*layers, *kept.values()):
                os.close(descriptor)
        os.chdir(target)
        if self.users:
            drop_capabilities()


def descriptor_path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def namespaces(users: bool) -> None:
    """Gives this process mounts of its own; with `users`, by a user namespace in which its user
    and group are who they are."""
    user, group = os.geteuid(), os.getegid()
    check(_library.unshare(NEW_MOUNTS | (NEW_USERS if users else 0)), "unshare")
    if users:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{user} {user} 1")
        write("/proc/self/gid_map", f"{group} {group} 1")
    else:
        mount("none", "/", None, RECURSIVE | SLAVE, None)


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    data = None if options is None else os.fsencode(options)
    check(_library.mount(*texts, ctypes.c_ulong(flags), data), f"mount {target}")


def drop_capabilities() -> None:
    """Takes from this process what its user namespace gave it beyond what the user has."""
    nothing = (ctypes.c_uint32 * 6)()
    check(_library.capset(ctypes.byref(_Header(CAPABILITIES, 0)), nothing), "capset")


def write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
