"""An executor as integrations see it: attributes to read and to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from argosy.runtime.errors import NodeError

if TYPE_CHECKING:
    from typing import ClassVar


class Executor:
    """What runs nodes. `config` is its configuration, defaults not filled in.

    volumes              {source: {"bind": path, "mode": "ro" | "rw"}}
    environment          {name: value}, never a secret's value
    secret_environment   {name: (secret object, key)}
    secret_files         {file: variable of this machine's environment that has the value}; a file
                         called as `secrets.env.file_of` says is for the steps that name its secret
    claims               {claim name: mount path}
    service_account, labels, annotations    as the engine has them
    rules                [rule of a Role], for the service account that is rendered
    network, user        as Docker has them
    """

    executor_type: ClassVar[str] = ""
    family: ClassVar[str | None] = None
    """What an integration may name for `mode_type` to be for this executor and others like it."""
    unsupported: ClassVar[Mapping[str, str]] = {}
    """Attributes that mean nothing here, and what to use instead."""

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self.config: dict[str, Any] = dict(config or {})
        self.volumes: dict[str, dict[str, str]] = {}
        self.environment: dict[str, str] = {}
        self.secret_environment: dict[str, tuple[str, str]] = {}
        self.secret_files: dict[str, str] = {}
        self.claims: dict[str, str] = {}
        self.service_account: str | None = None
        self.labels: dict[str, str] = {}
        self.annotations: dict[str, str] = {}
        self.rules: list[dict[str, Any]] = []
        self.network: str | None = None
        self.user: str | None = None

    def verify(self) -> None:
        """Raises NodeError where an integration has changed something that means nothing here."""
        for name, instead in self.unsupported.items():
            if value := getattr(self, name):
                raise NodeError(
                    f"an integration set {name} ({value!r}), which executor "
                    f"'{self.executor_type}' cannot use: {instead}"
                )
