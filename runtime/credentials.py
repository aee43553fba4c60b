"""What services prove themselves with where a node runs, and, where one pod runs all steps, the
steps' secrets: values that an integration has had put there under names of ours. They are kept
here, and no process of the user's inherits them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping

PREFIX = "ARGOSY_CREDENTIAL_"
FOLDER = "/run/argosy/secrets"
"""Where a container has them as files."""

NO_KEY = "AWS_ACCESS_KEY_ID"
"""Only says whose a key is."""
INHERITED = "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
"""A step on this machine has these of who runs it, for code of its own that goes to AWS."""

_taken: dict[str, str] = {}
_hidden: set[str] = set()


def name_of(kind: str, variable: str) -> str:
    """What the `variable` of one service is called, in an environment or as a file.

    >>> name_of("catalog", "AWS_ACCESS_KEY_ID")
    'ARGOSY_CREDENTIAL_CATALOG_AWS_ACCESS_KEY_ID'
    """
    return f"{PREFIX}{kind.upper()}_{variable}"


def take(environment: MutableMapping[str, str]) -> None:
    """Takes them out of the environment of this process."""
    for name in [name for name in environment if name.startswith(PREFIX)]:
        _taken[name] = environment.pop(name)


def hold(values: Mapping[str, str]) -> None:
    """Keeps what the process that started this one had taken out of its environment."""
    _taken.update(values)


def held(name: str) -> str | None:
    """The value that is kept under a name of ours, where there is one."""
    return _taken.get(name)


def forget() -> None:
    """What a process does before the user's code runs in it."""
    _taken.clear()


def given(kind: str, variables: Iterable[str], folder: str = "") -> Mapping[str, str]:
    """Those of one service's variables that are here: taken from the environment, or each in a file
    in `folder`."""
    found = {}
    for variable in variables:
        name = name_of(kind, variable)
        path = os.path.join(folder, name)
        if name in _taken:
            found[variable] = _taken[name]
        elif folder and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                found[variable] = file.read()
    hide(value for variable, value in found.items() if variable != NO_KEY)
    return found


def hide(values: Iterable[str]) -> None:
    """Has values masked that nobody may see in what a step prints."""
    _hidden.update(values)


def hidden(environment: Mapping[str, str]) -> list[str]:
    """All such values, those that a process with this environment inherits among them."""
    return [*_hidden, *(environment[name] for name in INHERITED if name in environment)]
