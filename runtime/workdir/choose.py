"""Decides, once for a run, what its steps have as working directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

from argosy.runtime import temporary
from argosy.runtime.executors.localhost import ISOLATED, SHARED
from argosy.runtime.patterns import RUNS

from .base import SharedWorkdirs, Workdirs
from .copies import CopyWorkdirs
from .overlay import Mounting, OverlayWorkdir, OverlayWorkdirs

PREFIX = "argosy-run-"
PROBE = ".argosy-probe"
VOLATILE = ",volatile"
"""Nothing is synced, as it is removed when the step ends."""
PRIVILEGED, UNPRIVILEGED = ",metacopy=off,redirect_dir=off", ",userxattr"
"""What changes is in the upper layer as a whole."""


def choose(wanted: str, project: str, say: Callable[[str], None]) -> Workdirs:
    """The working directories of a run that starts in `project`; `say` is told what to know."""
    if wanted == SHARED:
        return SharedWorkdirs()
    parent = parent_of(project)
    if parent is None:
        say(
            f"steps share the working directory {project}: no temporary directory is outside of "
            "it; start the run in a directory of its own, or set TMPDIR"
        )
        return SharedWorkdirs()
    temporary.sweep(PREFIX, parent)
    folder = temporary.make(PREFIX, parent)
    if wanted == ISOLATED:
        for mounting in mountings(project):
            if works(project, folder, mounting):
                return OverlayWorkdirs(project, folder, mounting)
    return CopyWorkdirs(project, folder, below(project), say)


def parent_of(project: str) -> str | None:
    """Where the private files of a run go: a directory outside of the project, on a disk where
    there is one, as steps may write much."""
    given = os.environ.get("TMPDIR")
    usual = ["/tmp", "/var/tmp"]  # noqa: S108 - what is made there is private
    if is_memory(usual[0]):
        usual.reverse()
    for folder in [given, *usual] if given else usual:
        path = os.path.realpath(folder)
        if os.access(path, os.W_OK | os.X_OK) and not within(path, project):
            return path
    return None


def within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def mountings(project: str) -> Iterator[Mounting]:
    """The ways in which the project could be mounted, the first that works being the best."""
    if sys.platform != "linux":
        return
    kept = below(project)
    stores = os.path.join(project, RUNS)
    if os.path.isdir(stores) and not os.path.islink(stores):
        kept.append(stores)
    for users in [False, True] if os.geteuid() == 0 else [True]:
        if users and others_files(project):
            return
        yield Mounting(kept, users, VOLATILE + (UNPRIVILEGED if users else PRIVILEGED))


def below(project: str) -> list[str]:
    """What is mounted below the project: steps share it, as they do a volume."""
    return [path for path, _ in mounts() if path != project and within(path, project)]


def others_files(project: str) -> bool:
    """Whether the project has files of another group: in a user namespace of its own nobody can
    change those. Looks at the first level only."""
    user, group = os.geteuid(), os.getegid()
    with os.scandir(project) as entries:
        found = [entry.stat(follow_symlinks=False) for entry in entries]
    return any(one.st_uid == user and one.st_gid != group for one in found)


def works(project: str, folder: str, mounting: Mounting) -> bool:
    """Whether a process can mount it so and write there, which another process tries."""
    workdirs = OverlayWorkdirs(project, folder, mounting)
    workdir = workdirs.open()
    try:
        pid = os.fork()
        if pid == 0:
            attempt(workdir)
        _, status = os.waitpid(pid, 0)
        return status == 0 and os.path.exists(os.path.join(workdir.outgoing, PROBE))
    finally:
        workdir.close()


def attempt(workdir: OverlayWorkdir) -> None:
    """The other process's life."""
    status = 1
    try:
        workdir.enter()
        os.close(os.open(PROBE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        status = 0
    finally:
        os._exit(status)


def is_memory(folder: str) -> bool:
    """Whether a directory is one that is kept in memory."""
    return any(path == folder and kind in ("tmpfs", "ramfs") for path, kind in mounts())


def mounts() -> list[tuple[str, str]]:
    """The path and the type of what is mounted in this process's namespace."""
    try:
        with open("/proc/self/mounts", "rb") as file:
            fields = [line.split() for line in file]
    except OSError:  # not Linux
        return []
    return [(unescaped(field[1]), os.fsdecode(field[2])) for field in fields]


def unescaped(path: bytes) -> str:
    """
    >>> unescaped(b"/a\\\\040b")
    '/a b'
    """
    head, *rest = path.split(b"\\")
    return os.fsdecode(head + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in rest))
