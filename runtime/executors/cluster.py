"""What the engines in a cluster have in common: steps run in pods, and what integrations may change
is what a pod takes. Their options are checked where they are compiled for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .base import Executor


class ClusterExecutor(Executor):
    """`family`: an integration for `cluster` is for all of them."""

    family = "cluster"
    unsupported: ClassVar[Mapping[str, str]] = {
        "volumes": "a pod cannot see a folder of the machine that compiles; use claims",
        "secret_files": "use secret_environment",
        "network": "a pod's network is the cluster's",
        "user": "set a securityContext in the image or the cluster's policy",
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        variables = mapping(self.config, "env").items()
        self.environment.update((k, v) for k, v in variables if not isinstance(v, dict))
        self.labels.update(mapping(self.config, "labels"))
        self.annotations.update(mapping(self.config, "annotations"))
        for name, claim in mapping(self.config, "claims").items():
            mount = claim.get("mount_path") if isinstance(claim, dict) else claim
            if isinstance(mount, str):
                self.claims[name] = mount
        account = self.config.get("service_account")
        named = account.get("name") if isinstance(account, dict) else account
        self.service_account = named if isinstance(named, str) else None


def mapping(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The option where it is a mapping. Anything else is a problem that compiling shows."""
    value = config.get(name)
    return dict(value) if isinstance(value, dict) else {}
