"""`python -m argosy.runtime exec NODE [KEY [ENDED]]`; `prepare`, which takes the same; `end`;
`run`."""

from __future__ import annotations

import os
import sys

from . import extras
from .errors import ArgosyError, NodeError

USAGE = """\
usage: python -m argosy.runtime exec NODE [KEY [ENDED]]    run one node
       python -m argosy.runtime prepare NODE [KEY [ENDED]] bring what its container finds
       python -m argosy.runtime end                        close the run
       python -m argosy.runtime run                        run the whole plan of a Job

The engine runs this in its pods; `argosy run` runs a pipeline here. docs/runtime.md has the rest.
"""


def main(arguments: list[str]) -> int:
    """Gives the exit status."""
    step_aside()
    extras.find()
    try:
        match arguments:
            case ["exec" | "prepare" as verb, node, *rest] if len(rest) <= 2:
                return run_node(verb, node, *rest)
            case ["end"]:
                return end_run()
            case ["run"]:
                return run_plan()
            case ["-h" | "--help"]:
                sys.stdout.write(USAGE)
                return 0
    except ArgosyError as error:
        sys.stderr.write(f"argosy: {error}\n")
        return error.exit_status
    sys.stderr.write(USAGE)
    return NodeError.exit_status


def run_node(verb: str, node: str, key: str = "", ended: str = "") -> int:
    from .attempt import attempt_number
    from .context import Context
    from .credentials import take
    from .execute import execute, prepare
    from .node import decode

    take(os.environ)
    act = execute if verb == "exec" else prepare
    decoded = decode(node, os.environ.get("ARGOSY_NODES", ""))
    context = Context.from_environment(os.environ)
    return act(decoded, key, ended, context, attempt_number(os.environ))


def end_run() -> int:
    from .credentials import take
    from .end import end

    take(os.environ)
    return end(os.environ)


def run_plan() -> int:
    from .executors.pod import run

    return run(os.environ)


def step_aside() -> None:
    """Puts the working folder, which `-m` puts first, last: a user's `json.py` is for the user's
    process, where it comes first again."""
    here = os.getcwd()
    if sys.path and sys.path[0] in ("", here):
        sys.path.append(sys.path.pop(0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
