"""Secrets of the cluster: each named one is a variable of the pod, put there by a `secretKeyRef`.

The variable's name is ours, so that the runtime can take it out before the user's code starts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar

from argosy.runtime import credentials
from argosy.runtime.errors import NodeError
from argosy.runtime.service import Option, Secrets

PREFIX = "ARGOSY_SECRET_"
WAY_OUT = """\
name the Secret object that has it as a key:
  secrets:
    type: kubernetes
    config:
      secret: my-secret            # for every secret that `objects` leaves out
      objects: {%s: my-secret}     # or my-secret/key, where the key has another name"""


class KubernetesSecrets(Secrets):
    service_provider = "kubernetes"
    options: ClassVar[Mapping[str, Option]] = {
        "secret": Option("string", "", "the Secret object whose keys are the secrets' names"),
        "objects": Option(
            "mapping", {}, "a secret's name to the object, or object/key, that has it"
        ),
    }

    def get(self, name: str) -> str:
        found = os.environ.get(PREFIX + name, credentials.held(PREFIX + name))
        if found is not None:
            return found
        object_name, key = self.reference(name)
        if "KUBERNETES_SERVICE_HOST" not in os.environ:
            raise NodeError(
                f"secret '{name}' is given to pods only; on this machine name another provider "
                "in one more -c file: secrets: {type: env, config: null}"
            )
        raise NodeError(
            f"secret '{name}' is not in this pod, which should have it from key '{key}' of "
            f"Secret '{object_name}'; render the manifests again"
        )

    def reference(self, name: str) -> tuple[str, str]:
        """The Secret object and the key in it that hold the secret `name`."""
        found = self.config["objects"].get(name, self.config["secret"])
        if not isinstance(found, str) or not found:
            raise NodeError(f"secret '{name}' has no place in the cluster; {WAY_OUT % name}")
        object_name, _, key = found.partition("/")
        return object_name, key or name

    def withdraw(self, environment: dict[str, str]) -> None:
        for name in [*environment]:
            if name.startswith(PREFIX):
                del environment[name]
