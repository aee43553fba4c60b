"""Secrets from a file of `NAME=value` lines, as python-dotenv reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import StringIO
from typing import Any, ClassVar

from argosy.runtime import reading
from argosy.runtime.errors import NodeError
from argosy.runtime.service import Option, Secrets, project

MAX_BYTES = 1 << 20


class DotenvSecrets(Secrets):
    service_provider = "dotenv"
    extra = "dotenv"
    options: ClassVar[Mapping[str, Option]] = {
        "location": Option("string", ".env", "the file; a relative one is in the working folder"),
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._here = project()
        self._values: Mapping[str, str | None] | None = None

    def get(self, name: str) -> str:
        if self._values is None:
            self._values = read(self.path)
        value = self._values.get(name)
        if value is None:
            raise NodeError(f"secret '{name}' is not there: add a line {name}=... to {self.path}")
        return value

    @property
    def path(self) -> str:
        return os.path.join(self._here, os.path.expanduser(self.config["location"]))


def read(path: str) -> Mapping[str, str | None]:
    try:
        from dotenv import dotenv_values  # an extra, and 10 ms
    except ImportError as error:
        raise NodeError(
            "the secrets provider 'dotenv' needs a library: pip install 'argosy[dotenv]'"
        ) from error
    try:
        data = reading.read(path, MAX_BYTES)
        # A password may hold ${...}, and then means it.
        return dotenv_values(stream=StringIO(data.decode("utf-8")), interpolate=False)
    except (OSError, ValueError) as error:  # no text, or a path with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise NodeError(
            f"cannot read the secrets file {path}: {reason}; "
            "secrets: {type: dotenv, config: {location: ...}} says where it is"
        ) from error
