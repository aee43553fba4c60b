"""Integrations of the local-container executor with run logs that are no folder."""

from __future__ import annotations

import os
from typing import Any

from argosy.runtime import credentials
from argosy.runtime.errors import NodeError

from .base import BaseIntegration
from .everywhere import Databases


class ContainerKubernetesRunLog(BaseIntegration):
    mode_type = "local-container"
    service_type = "run-log-store"
    service_provider = "kubernetes"

    def validate(self, **kwargs: Any) -> None:
        raise NodeError(
            "run log 'kubernetes' is written by pods only; for containers on this machine use "
            "run_log_store: {type: file-system}"
        )


class ContainerDatabase(Databases):
    """SQLite's folder is at the same place in the container: beside the file it keeps its log. A
    server on this machine is reached through this machine's network."""

    mode_type = "local-container"

    def validate(self, **kwargs: Any) -> None:
        super().validate()
        if self.service.has_password(self.service.config["url"] or ""):
            raise NodeError(
                "run log 'db': Docker would show the password in its url to whoever asks; put the "
                "URL in a secret, and name it: run_log_store: {type: db, config: {url_secret: "
                "DB_URL}}"
            )

    def configure_for_traversal(self, *, provider: Any = None, **kwargs: Any) -> None:
        super().configure_for_traversal(provider=provider)
        file = self.service.file
        if file:
            folder = os.path.dirname(file)
            os.makedirs(folder, exist_ok=True)  # else Docker does, as root
            self.service.config["url"] = f"sqlite:///{file}"
            self.executor.volumes[folder] = {"bind": folder, "mode": "rw"}
        if self.service.is_here() and self.executor.network is None:
            self.executor.network = "host"
        if provider is not None and provider.service_provider == "env":
            for variable, name in self.service.asked().items():
                own = credentials.name_of("run_log_store", variable)
                self.executor.secret_files[own] = provider.variable(name)

    def configure_for_execution(self, **kwargs: Any) -> None:
        asked = self.service.asked()
        found = credentials.given("run_log_store", asked, credentials.FOLDER)
        self.service.credentials = found
