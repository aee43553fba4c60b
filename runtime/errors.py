"""Every error of execution, and the exit status that each one is.

ArgosyError
├── NodeError            2    the node or the configuration is wrong: trying again cannot help
│   └── PluginError      2    a plugin is missing, or is not what it says
├── TaskError            1    the user's code failed
├── ServiceError         3    a run log store, catalog or secrets provider failed
│   └── UnreadableError  3    one object of a run log is not what can be read there
├── TaskTimeout        124    the step's own timeout passed
└── StoppedError     128+n    the signal n ended the step
"""

from __future__ import annotations


def writable(text: str) -> str:
    r"""Text that UTF-8 can hold: a lone surrogate, as in the name of a file that is not UTF-8, is
    written as Python writes it.

    >>> print(writable("caf\udce9.csv"))
    caf\udce9.csv
    """
    return text.encode(errors="backslashreplace").decode()


class ArgosyError(Exception):
    """What went wrong, where, and what to do, in one message for the user."""

    exit_status = 2

    def __init__(self, message: str = "") -> None:
        super().__init__(writable(message))


class NodeError(ArgosyError):
    exit_status = 2


class PluginError(NodeError):
    pass


class TaskError(ArgosyError):
    exit_status = 1


class ServiceError(ArgosyError):
    exit_status = 3


class UnreadableError(ServiceError):
    pass


class TaskTimeout(ArgosyError):
    exit_status = 124


class StoppedError(ArgosyError):
    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_status = 128 + number
