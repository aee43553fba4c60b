"""A shell task: a script that finds its parameters in the environment, and leaves them there."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping

from argosy.runtime.errors import NodeError, TaskError

SHELLS = ("bash", "sh")
USUAL_PATH = "/usr/local/bin:/usr/bin:/bin"

WITH_ENV = """\
__argosy_export() {
  \\command env -0 2>/dev/null ||
    "$__argosy_python" -I -S -c "$__argosy_dump"
}
"""
"""Prints what is exported, in any shell. `env` may not know `-0`."""
WITHIN = """\
__argosy_export() {
  case $BASH_VERSION in
    [1-4].*) \\command env -0 || "$__argosy_python" -I -S -c "$__argosy_dump"; return ;;
  esac
  for __argosy_name in "${!ARGOSY_PRM_@}" "${!MAGNUS_PRM_@}" \\
    "${!ARGOSY_TRACK_@}" "${!MAGNUS_TRACK_@}"
  do
    test -R "$__argosy_name" && continue
    case ${!__argosy_name@a} in
      *[aA]*) ;;
      *x*)
        test -z "${!__argosy_name+x}" ||
          \\builtin printf '%s=%s\\0' "$__argosy_name" "${!__argosy_name}"
        ;;
    esac
  done
  \\builtin printf 'ARGOSY_STEP_NAME=\\0'
} 2>/dev/null
"""
"""The same in bash, without another program, which would take longer than most of the rest: of what
is exported only what is looked at, and something in any case. From version 5 on."""
KEEP = """\
__argosy_keep() {
  __argosy_status=$?
  if test -z "$__argosy_kept"; then
    __argosy_kept=1
    test -z "$__argosy_assigning" ||
      \\printf %s "$__argosy_assigning" > "$ARGOSY_STEP_FOLDER/assigning"
    __argosy_export > "$ARGOSY_STEP_FOLDER/exported" || :
  fi
  return $__argosy_status
}
__argosy_kept=
__argosy_assigning=
__argosy_python=$1
__argosy_dump='import os, sys
for item in os.environb.items(): sys.stdout.buffer.write(b"=".join(item) + b"\\0")'
shift
trap __argosy_keep EXIT
"""
"""Keeps what is exported when the script ends, by its end or by `exit`."""
WATCH = """\
trap '{
  case $BASH_COMMAND in *_PRM_*)
    case $__argosy_assigning in
      *"$__argosy_end$BASH_COMMAND$__argosy_end"*) ;;
      *) __argosy_assigning+=$BASH_COMMAND$__argosy_end ;;
    esac ;;
  esac
} 2>/dev/null' DEBUG
__argosy_end=$'\\1'
__argosy_assigning=$__argosy_end
set -T
"""
"""Has bash keep each command that names a parameter before it runs, out of sight of `set -x`."""
END = "\1"
RUN = """\
. "$ARGOSY_STEP_FOLDER/command"
__argosy_keep
exit $?
"""


def prepare(command: str, folder: str) -> None:
    """Writes the script to where the wrapper looks: no user's text is in a process's arguments."""
    with open(os.path.join(folder, "command"), "w", encoding="utf-8", newline="") as file:
        file.write(command if command.endswith("\n") else command + "\n")


def become(shell: str, environment: Mapping[str, str], watched: bool) -> int:
    """Becomes the shell at the path `shell`. Does not return where that can be."""
    name = os.path.basename(shell)
    export = WITHIN if name == SHELLS[0] else WITH_ENV
    wrapper = f"{export}{KEEP}{WATCH if watched else ''}{RUN}"
    arguments = [name, "-c", wrapper, name, sys.executable]
    try:
        os.execve(shell, arguments, dict(environment))  # noqa: S606 - a shell was asked for
    except OSError as error:
        print(
            f"argosy: cannot start {shell}: {error.strerror}; the environment may be more than the "
            "system takes",
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


def unseen(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that bash hands on and no script can name, so that none changes them."""
    return {
        name: text
        for name, text in environment.items()
        if not (name.isascii() and name.isidentifier())
    }


def watches(shell: str, command: str, environment: Mapping[str, str]) -> bool:
    """Whether what a script assigns is known only by watching its commands: where it may give a
    parameter the value that it has."""
    if os.path.basename(shell) != "bash":
        return False
    from .assigned import may_assign

    return may_assign(command, environment)


def assigned(folder: str, shell: str, command: str) -> Collection[str]:
    """The parameters' variables that the script has assigned; where another shell than bash ran it,
    those that its text assigns. Only those that it may have given the value that they had."""
    from .assigned import by_command, by_text

    if os.path.basename(shell) != "bash":
        return by_text(command)
    try:
        with open(os.path.join(folder, "assigning"), encoding="utf-8", errors="replace") as file:
            return {name for one in file.read().split(END) for name in by_command(one)}
    except FileNotFoundError:
        return ()


def may_leave(command: str) -> bool:
    """Whether a script may export something that is looked at when it has ended."""
    from .assigned import may_leave

    return may_leave(command)


def not_kept() -> TaskError:
    return TaskError(
        "the script ended in a way that leaves no exported parameters: it set a trap of its own "
        "for EXIT and called exit, or replaced itself by exec; make that part a program of its own"
    )
