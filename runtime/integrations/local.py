"""Integrations of the local executor. What is not here works as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from argosy.runtime.errors import NodeError

from .base import BaseIntegration


class LocalBuffered(BaseIntegration):
    mode_type = "local"
    service_type = "run-log-store"
    service_provider = "buffered"

    def configure_for_traversal(self, **kwargs: Any) -> None:
        import logging  # 8 ms, and not on the way to a step

        logging.getLogger("argosy").warning(
            "run log 'buffered' is lost when the run ends; 'file-system' keeps it"
        )


class LocalKubernetesRunLog(BaseIntegration):
    mode_type = "local"
    service_type = "run-log-store"
    service_provider = "kubernetes"

    def validate(self, **kwargs: Any) -> None:
        raise NodeError(
            "run log 'kubernetes' is written by pods only; here use run_log_store: "
            "{type: file-system}"
        )


class LocalEnvSecrets(BaseIntegration):
    """A step's process inherits this one's environment, less what another step asks for."""

    mode_type = "local"
    service_type = "secrets"
    service_provider = "env"

    def configure_for_traversal(self, *, secrets: Iterable[str] = (), **kwargs: Any) -> None:
        self.service.config["names"] = sorted({*self.service.config["names"], *secrets})


class LocalKubernetesSecrets(BaseIntegration):
    mode_type = "local"
    service_type = "secrets"
    service_provider = "kubernetes"

    def validate(self, **kwargs: Any) -> None:
        raise NodeError(
            "secrets 'kubernetes' are given to pods only; on this machine use "
            "secrets: {type: env} or {type: dotenv}"
        )
