"""The local executor: one small process that walks a plan and forks each of its steps."""

LAUNCHER = (
    # Like -m, but without the working folder on the path: a module of the user's must not take the
    # place of one of Python's own in the launcher.
    "import sys; sys.path = [x for x in sys.path if x]; "
    "from argosy.runtime.executors.local.__main__ import main; main()"
)
"""The program that runs the plan on its stdin, for `python -c`."""
