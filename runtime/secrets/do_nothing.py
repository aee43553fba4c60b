"""No secrets."""

from __future__ import annotations

from argosy.runtime.errors import NodeError
from argosy.runtime.service import Secrets


class DoNothingSecrets(Secrets):
    service_provider = "do-nothing"

    def get(self, name: str) -> str:
        raise NodeError(
            f"secret '{name}': this run has no secrets; configure a provider, as in: "
            "secrets: {type: env}"
        )
