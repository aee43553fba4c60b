"""A shell task: a script that finds its parameters in the environment, and leaves them there."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from argosy.runtime.errors import NodeError, TaskError

SHELLS = ("bash", "sh")
USUAL_PATH = "/usr/local/bin:/usr/bin:/bin"

WRAPPER = """\
__argosy_keep() {
  __argosy_status=$?
  if test -z "$__argosy_kept"; then
    __argosy_kept=1
    \\command env -0 > "$ARGOSY_STEP_FOLDER/exported" 2>/dev/null ||
      "$__argosy_python" -I -S -c "$__argosy_dump" > "$ARGOSY_STEP_FOLDER/exported" || :
  fi
  return $__argosy_status
}
__argosy_kept=
__argosy_python=$1
__argosy_dump='import os, sys
for item in os.environb.items(): sys.stdout.buffer.write(b"=".join(item) + b"\\0")'
shift
trap __argosy_keep EXIT
. "$ARGOSY_STEP_FOLDER/command"
__argosy_keep
exit $?
"""
"""Keeps what is exported when the script ends, by its end or by `exit`. `env` may not know `-0`."""


def prepare(command: str, folder: str) -> None:
    """Writes the script to where the wrapper looks: no user's text is in a process's arguments."""
    with open(os.path.join(folder, "command"), "w", encoding="utf-8", newline="") as file:
        file.write(command if command.endswith("\n") else command + "\n")


def become(shell: str, environment: Mapping[str, str]) -> int:
    """Becomes the shell at the path `shell`. Does not return where that can be."""
    name = os.path.basename(shell)
    arguments = [name, "-c", WRAPPER, name, sys.executable]
    try:
        os.execve(shell, arguments, dict(environment))  # noqa: S606 - a shell was asked for
    except OSError as error:
        print(
            f"argosy: cannot start {shell}: {error.strerror}; the parameters may be more than the "
            "system takes as environment",
            file=sys.stderr,
        )
    return TaskError.exit_status


def find_shell(environment: Mapping[str, str]) -> str:
    """The path of bash where there is one, else of sh. Raises NodeError where there is neither."""
    folders = (environment.get("PATH") or USUAL_PATH).split(os.pathsep)
    for name in SHELLS:
        for folder in folders:
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return path
    raise NodeError("there is neither bash nor sh here; a shell task needs one in its image")


def exported(folder: str) -> dict[str, str] | None:
    """The environment that the script left; `None` where it did not get to leave one."""
    try:
        with open(os.path.join(folder, "exported"), "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return None
    pairs = (line.partition(b"=") for line in data.split(b"\0") if line)
    found = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
    return found or None


def not_kept() -> TaskError:
    return TaskError(
        "the script ended in a way that leaves no exported parameters: it set a trap of its own "
        "for EXIT and called exit, or replaced itself by exec; make that part a program of its own"
    )
