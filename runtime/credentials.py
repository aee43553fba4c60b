"""What services prove themselves with where a node runs: values that an integration has had put
there under names of ours. They are kept here, and no process of the user's inherits them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, MutableMapping

PREFIX = "ARGOSY_CREDENTIAL_"
FOLDER = "/run/argosy/secrets"
"""Where a container has them as files."""

NO_KEY = "_AWS_ACCESS_KEY_ID"
"""Ends the name of what only says whose a key is."""
INHERITED = "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
"""A step on this machine has these of who runs it, for code of its own that goes to AWS."""

_taken: dict[str, str] = {}


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
                found[variable] = _taken[name] = file.read()
    return found


def hidden(environment: Mapping[str, str]) -> list[str]:
    """The values that nobody may see in what a step prints."""
    ours = (value for name, value in _taken.items() if not name.endswith(NO_KEY))
    return [*ours, *(environment[name] for name in INHERITED if name in environment)]
