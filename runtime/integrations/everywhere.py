"""Integrations that are the same for every executor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from argosy.runtime.errors import NodeError

from .base import BaseIntegration


class DoNothingCatalogs(BaseIntegration):
    service_type = "catalog"
    service_provider = "do-nothing"

    def validate(self, *, steps: Iterable[str] = (), **kwargs: Any) -> None:
        refuse(
            steps,
            "read or keep data, and there is no catalog",
            "catalog: {type: file-system, config: {location: /data/catalog}}",
        )


class DoNothingSecrets(BaseIntegration):
    service_type = "secrets"
    service_provider = "do-nothing"

    def validate(self, *, steps: Iterable[str] = (), **kwargs: Any) -> None:
        here = self.executor.executor_type in ("local", "local-container")
        example = "{type: env}" if here else "{type: kubernetes, config: {secret: my-secret}}"
        refuse(steps, "ask for a secret, and there is no provider of any", f"secrets: {example}")


class Databases(BaseIntegration):
    service_type = "run-log-store"
    service_provider = "db"

    def validate(self, **kwargs: Any) -> None:
        self.service.check()

    def configure_for_traversal(self, *, provider: Any = None, **kwargs: Any) -> None:
        asked = [*self.service.asked().values()]
        if asked and provider is not None and provider.service_provider == "do-nothing":
            raise NodeError(
                f"run log 'db' asks for secret '{asked[0]}', and there is no provider of any; add "
                "to the configuration, for one: secrets: {type: env}"
            )


def refuse(steps: Iterable[str], what: str, lines: str) -> None:
    """Raises NodeError where any step asks."""
    if names := sorted(steps):
        raise NodeError(
            f"these steps {what}: {', '.join(names)}; add to the configuration: {lines}"
        )
