"""Integrations of the local-container executor: what a container needs so that a provider works
in it, whose files and variables are this machine's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from argosy.runtime.errors import NodeError

from .base import BaseIntegration

DOTENV = "/run/argosy/dotenv"
"""Where a container finds the secrets file."""


class ContainerBuffered(BaseIntegration):
    mode_type = "local-container"
    service_type = "run-log-store"
    service_provider = "buffered"

    def validate(self, **kwargs: Any) -> None:
        raise NodeError(
            "run log 'buffered' ends with the process that has it, and each step is a container of "
            "its own; leave out the section, or use run_log_store: {type: file-system}"
        )


class ContainerFileSystem(BaseIntegration):
    """The folder is at the same place in the container, so that one location serves both."""

    mode_type = "local-container"
    service_provider = "file-system"

    def configure_for_traversal(self, **kwargs: Any) -> None:
        location = os.path.abspath(os.path.expanduser(self.service.config["location"]))
        self.service.config["location"] = location
        self.executor.volumes[location] = {"bind": location, "mode": "rw"}


class ContainerFileSystemRunLog(ContainerFileSystem):
    service_type = "run-log-store"


class ContainerFileSystemCatalog(ContainerFileSystem):
    service_type = "catalog"


class ContainerEnvSecrets(BaseIntegration):
    """A value goes to the containers whose steps ask for it, in a file: the engine shows a
    container's variables to whoever may ask it."""

    mode_type = "local-container"
    service_type = "secrets"
    service_provider = "env"

    def configure_for_traversal(self, *, secrets: Iterable[str] = (), **kwargs: Any) -> None:
        from argosy.runtime.secrets.env import file_of

        for name in secrets:
            self.executor.secret_files[file_of(name)] = self.service.variable(name)

    def configure_for_execution(self, **kwargs: Any) -> None:
        from argosy.runtime.credentials import FOLDER

        self.service.folder = FOLDER


class ContainerDotenvSecrets(BaseIntegration):
    """What travels is where the file is on this machine: the launcher, which may need a secret of
    the run log's own, reads it there."""

    mode_type = "local-container"
    service_type = "secrets"
    service_provider = "dotenv"

    def configure_for_traversal(self, *, secrets: Iterable[str] = (), **kwargs: Any) -> None:
        file = os.path.abspath(self.service.path)
        if [*secrets]:  # else the file need not be there
            self.executor.volumes[file] = {"bind": DOTENV, "mode": "ro"}
        self.service.config["location"] = file

    def configure_for_execution(self, **kwargs: Any) -> None:
        self.service.config["location"] = DOTENV


class ContainerKubernetesSecrets(BaseIntegration):
    mode_type = "local-container"
    service_type = "secrets"
    service_provider = "kubernetes"

    def validate(self, **kwargs: Any) -> None:
        raise NodeError(
            "secrets 'kubernetes' are given to pods only; in a container on this machine use "
            "secrets: {type: env} or {type: dotenv}"
        )
