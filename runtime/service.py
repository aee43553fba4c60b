"""The three services that a run uses, and how each declares what it can be told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import NodeError, ServiceError
from .suggestions import nearest

if TYPE_CHECKING:
    from typing import ClassVar

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "mapping": (dict,),
    "text or number": (str, int, float),
    "text or list": (str, list),
    "list or mapping": (list, dict),
}


PROJECT = "ARGOSY_PROJECT"
"""The variable that names the project's directory, in a process whose working directory is a copy
of it."""


def project() -> str:
    """The project's directory, which relative paths of the configuration are relative to."""
    return os.environ.get(PROJECT) or os.getcwd()


class Option(NamedTuple):
    """`type` is one of TYPES; a default of `None` says that the option may be left out."""

    type: str
    default: Any
    doc: str


def configure(
    what: str,
    options: Mapping[str, Option],
    given: Mapping[str, Any] | None,
    refused: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """The declared options with what is given for them. Raises NodeError for an unknown one, for
    a value of another type, and for one of `refused`, which says why."""
    config = {name: copy(option.default) for name, option in options.items()}
    for name, value in (given or {}).items():
        if name in refused:
            raise NodeError(f"{what} takes no '{name}': {refused[name]}")
        if name not in options:
            raise NodeError(f"{what} has no option '{name}'; {nearest(name, options)}")
        wanted = options[name].type
        wrong_number = isinstance(value, bool) and wanted.endswith(("integer", "number"))
        if value is None:
            continue
        if wrong_number or not isinstance(value, TYPES[wanted]):
            raise NodeError(
                f"option '{name}' of {what} is {value!r}, which is no {wanted}: {options[name].doc}"
            )
        config[name] = value
    return config


def copy(default: Any) -> Any:
    """A default that nobody else has in hand."""
    return default.copy() if isinstance(default, (dict, list)) else default


def no_secrets(name: str) -> str:
    raise NodeError(f"secret '{name}' cannot be had here: no secrets provider is open")


class Service:
    """What the three have in common. `config` is what travels to where a node runs: the declared
    options, as the configuration and the integrations left them."""

    service_type: ClassVar[str] = ""
    service_provider: ClassVar[str] = ""
    options: ClassVar[Mapping[str, Option]] = {}
    extra: ClassVar[str] = ""
    """The extra of Argosy that is to be installed where it is used."""
    refused: ClassVar[Mapping[str, str]] = {}
    """Options that it will never have, and why: their values must not even be shown."""

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        what = f"the {self.service_type.replace('_', ' ')} '{self.service_provider}'"
        self.config = configure(what, self.options, config, self.refused)
        self.secret: Callable[[str], str] = no_secrets
        """Gives a secret's value by its name: set by who opens a run log store or a catalog."""

    def asked(self) -> Mapping[str, str]:
        """The names of the secrets that it needs itself, by what each is to it."""
        return {}

    def shown(self) -> Mapping[str, Any]:
        """The configuration as people may see it."""
        return self.config


class RunLogStore(Service):
    """Whole objects by key; no locks, no exclusive create. Every method raises ServiceError."""

    service_type = "run_log_store"

    def put(self, key: str, data: bytes) -> None:
        """Creates or replaces an object; a reader sees the old or the new one, never a part."""
        raise NotImplementedError

    def get(self, key: str) -> bytes | None:
        """The object, or `None` where there is none."""
        raise NotImplementedError

    def list(self, prefix: str) -> list[str]:
        """Every key that begins with `prefix`, sorted."""
        raise NotImplementedError

    def list_runs(self) -> Sequence[str]:
        """Every key of the runs. Those of the steps of a run that has an end may be missing, where
        a provider can do without looking for them."""
        return self.list("runs/")

    def append(self, key: str, data: bytes) -> None:
        """Adds to the end of an object, which it creates where there is none."""
        raise NotImplementedError

    def delete(self, key: str) -> None:
        """Deletes an object, where there is one. Only `argosy runs rm` asks for it; a provider
        that cannot does without."""
        raise ServiceError(f"the run log '{self.service_provider}' cannot delete")

    def keep(self, keys: Iterable[str]) -> None:
        """Sees to it that objects of an earlier run stay for as long as those of this one."""

    def pack(self, run: str) -> None:
        """Keeps the objects of a run that has ended in less space, where a provider can."""

    def release(self) -> None:
        """Lets go of what others may need, a connection: nothing is written for a while."""

    def close(self) -> None:
        """The run that it was opened for is over."""


class Catalog(Service):
    """Files by the SHA-256 of their content, in hexadecimal."""

    service_type = "catalog"

    def put(self, sha: str, path: str) -> None:
        """Keeps the file at `path`, whose content has the hash `sha`."""
        raise NotImplementedError

    def get(self, sha: str, path: str) -> None:
        """Writes the file with the hash `sha` at `path`, whole or not at all."""
        raise NotImplementedError

    def delete(self, sha: str) -> None:
        """Deletes a file, where there is one, as a run log does."""
        raise ServiceError(f"the catalog '{self.service_provider}' cannot delete")


class Secrets(Service):
    """Secrets by name."""

    service_type = "secrets"

    def get(self, name: str) -> str:
        """The secret's value. Raises NodeError where there is none of that name."""
        raise NotImplementedError

    def withdraw(self, environment: dict[str, str]) -> None:
        """Takes out of a process's environment what only this provider should see."""
