"""The first process of a pod that runs a whole pipeline: it starts the launcher and waits for it.

It alone has the pod's secrets in its environment, where no other process may read them: the
launcher is told them, with the plan, on its stdin, and each step's process is told its own. As the
first process of its container it also takes leave of those whose parents are gone.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from argosy.runtime import credentials
from argosy.runtime.context import comparing, parsed
from argosy.runtime.errors import NodeError
from argosy.runtime.secrets.kubernetes import PREFIX
from argosy.runtime.signals import STOPPING

from .local import LAUNCHER
from .local.process import exit_status

OURS = "ARGOSY_"
PLAN = "ARGOSY_PLAN"
"""A plan that is too long for one variable goes on in ARGOSY_PLAN_1 and so on."""
PR_SET_DUMPABLE = 4


def run(environment: Mapping[str, str]) -> int:
    """Runs the plan in `environment` to its end; gives the exit status."""
    told = told_to(environment)
    if told["secrets"]:
        hide()
    kept = {name: value for name, value in environment.items() if not name.startswith(OURS)}
    kept["ARGOSY_ORIGIN"] = json.dumps(told["origin"])
    reader, writer = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    launcher = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", LAUNCHER, "--attached"],
        kept,
        file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0)],
        setsigmask=(),
    )
    for number in STOPPING:
        signal.signal(number, lambda received, _: os.kill(launcher, received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    os.close(reader)
    with suppress(BrokenPipeError), open(writer, "wb", closefd=False) as pipe:
        pipe.write(json.dumps(told, separators=(",", ":")).encode() + b"\n")
    # The pipe stays open: its end would tell the launcher that nobody waits any more.
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == launcher:
            return exit_status(os.waitstatus_to_exitcode(status))


def told_to(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the launcher is told: the plan, the run, and the pod's secrets."""
    context = parsed(environment, "ARGOSY_CONFIG")
    origin = {
        "job": environment.get("ARGOSY_JOB", ""),
        "namespace": environment.get("ARGOSY_NAMESPACE", ""),
        "uid": environment.get("ARGOSY_JOB_UID", ""),
    }
    if not origin["uid"]:
        raise NodeError("ARGOSY_JOB_UID is not set: a whole pipeline runs in a pod of a Job")
    pipeline = (context.get("pipeline") or {}).get("name", "")
    workers = environment.get("ARGOSY_WORKERS", "")
    by_name, ignore_code = comparing(environment)
    return {
        **plan_in(environment),
        "run": f"{quote(pipeline, safe='')}-{origin['uid'][:8]}",
        "context": context,
        "arguments": parsed(environment, "ARGOSY_ARGUMENTS"),
        "origin": origin,
        "pod": environment.get("ARGOSY_POD", ""),
        "pod_uid": environment.get("ARGOSY_POD_UID", ""),
        "workers": int(workers) if workers.isdigit() else None,
        "resume": environment.get("ARGOSY_RESUME") or None,
        "by_name": by_name,
        "ignore_code": ignore_code,
        "git": parsed(environment, "ARGOSY_GIT"),
        "secrets": {
            name: value
            for name, value in environment.items()
            if name.startswith((PREFIX, credentials.PREFIX))
        },
    }


def plan_in(environment: Mapping[str, str]) -> dict[str, Any]:
    """The plan's `graphs` and `final`; packed, it is base64 of the zlib of its JSON, under `z`."""
    parts = [environment.get(PLAN, "")]
    while more := environment.get(f"{PLAN}_{len(parts)}"):
        parts.append(more)
    found = parsed({PLAN: "".join(parts)}, PLAN)
    try:
        if "z" in found:
            found = json.loads(zlib.decompress(base64.b64decode(found["z"], validate=True)))
        return {"graphs": found["graphs"], "final": found["final"]}
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        reason = f"{type(error).__name__}: {error}"
        raise NodeError(f"{PLAN} is no plan ({reason}); `argosy render` writes it") from error


def hide() -> None:
    """Keeps every process of this user from reading this one's memory and environment."""
    if sys.platform != "linux":
        return
    try:
        import ctypes
    except ImportError as error:
        raise NodeError(
            "secrets cannot be kept from steps that do not ask for them, for Python's ctypes is "
            "not in this image; it is in every usual build of Python"
        ) from error
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
