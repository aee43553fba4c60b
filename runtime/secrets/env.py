"""Secrets from the environment of whoever runs the pipeline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar

from argosy.runtime.errors import NodeError
from argosy.runtime.service import Option, Secrets

PREFIX = "ARGOSY_SECRET_"
"""What the file of a secret that a step names begins with; a service's own has another name."""


class EnvSecrets(Secrets):
    service_provider = "env"
    options: ClassVar[Mapping[str, Option]] = {
        "prefix": Option("string", "", "what a secret's variable begins with, before its name"),
        "suffix": Option("string", "", "what a secret's variable ends with, after its name"),
        "names": Option("list", [], "more secrets that no step gets but those that name them"),
    }

    folder: str | None = None
    """Where an integration has each secret in a file instead, called as `file_of` says."""

    def get(self, name: str) -> str:
        try:
            if self.folder is None:
                return os.environ[self.variable(name)]
            return read(os.path.join(self.folder, file_of(name)))
        except (KeyError, FileNotFoundError):
            raise NodeError(
                f"secret '{name}' is not there: set {self.variable(name)} in the environment"
            ) from None
        except OSError as error:
            raise NodeError(
                f"cannot read secret '{name}': {error.filename}: {error.strerror}"
            ) from error

    def variable(self, name: str) -> str:
        """The variable that holds the secret `name`."""
        return f"{self.config['prefix']}{name}{self.config['suffix']}"

    def withdraw(self, environment: dict[str, str]) -> None:
        """Those that are known to be secrets: by their names, or by a prefix or a suffix."""
        for name in self.config["names"]:
            environment.pop(self.variable(name), None)
        prefix, suffix = self.config["prefix"], self.config["suffix"]
        if not prefix and not suffix:
            return
        for name in [*environment]:
            if name.startswith(prefix) and name.endswith(suffix) and name not in (prefix, suffix):
                del environment[name]


def file_of(name: str) -> str:
    """The file that a secret is handed over in.

    >>> file_of("db/url")
    'ARGOSY_SECRET_db%2Furl'
    """
    from urllib.parse import quote  # where secrets are files only

    return PREFIX + quote(name, safe="")


def read(path: str) -> str:
    """A value as the environment would have it, byte for byte."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()
