"""Secrets from the environment of whoever runs the pipeline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar

from argosy.runtime.errors import NodeError
from argosy.runtime.service import Option, Secrets


class EnvSecrets(Secrets):
    service_provider = "env"
    options: ClassVar[Mapping[str, Option]] = {
        "prefix": Option("string", "", "what a secret's variable begins with, before its name"),
        "suffix": Option("string", "", "what a secret's variable ends with, after its name"),
    }

    def get(self, name: str) -> str:
        variable = f"{self.config['prefix']}{name}{self.config['suffix']}"
        try:
            return os.environ[variable]
        except KeyError:
            raise NodeError(
                f"secret '{name}' is not there: set {variable} in the environment"
            ) from None

    def withdraw(self, environment: dict[str, str]) -> None:
        """With a prefix or a suffix, a variable's name says that it is a secret."""
        prefix, suffix = self.config["prefix"], self.config["suffix"]
        if not prefix and not suffix:
            return
        for name in [*environment]:
            if name.startswith(prefix) and name.endswith(suffix) and name not in (prefix, suffix):
                del environment[name]
