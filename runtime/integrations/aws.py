"""Integrations of the providers that are AWS's: where their credentials come from, by executor.

On this machine AWS's own files and variables are used as they are. No key is ever in a manifest, in
a container's variables, or in the configuration that travels to where a node runs.
"""

from __future__ import annotations

import os
from typing import Any

from argosy.runtime import credentials
from argosy.runtime.aws import EXTRA, KEYS, credentials_file
from argosy.runtime.errors import NodeError

from .base import BaseIntegration
from .cluster import within

CREDENTIALS, CONFIG = "/run/argosy/aws/credentials", "/run/argosy/aws/config"
"""Where a container finds AWS's files."""


class LocalAws(BaseIntegration):
    mode_type = "local"

    def configure_for_traversal(self, **kwargs: Any) -> None:
        from importlib.util import find_spec

        if find_spec("botocore") is None:  # better said now than when the first step has run
            raise NodeError(f"the {self.service.title} needs a library; {EXTRA}")


class LocalS3RunLog(LocalAws):
    service_type = "run-log-store"
    service_provider = "s3"


class LocalS3Catalog(LocalAws):
    service_type = "catalog"
    service_provider = "s3"


class LocalAwsSecrets(LocalAws):
    service_type = "secrets"
    service_provider = "aws-secrets-manager"


class ContainerAws(LocalAws):
    """A container gets the keys of this machine's environment in files that only it sees, else
    AWS's files, read-only. Without either it is left to the role that this machine has."""

    mode_type = "local-container"

    def configure_for_traversal(self, **kwargs: Any) -> None:
        super().configure_for_traversal(**kwargs)
        config = self.service.config
        for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            config["region"] = config["region"] or os.environ.get(variable)
        if KEYS[0] in os.environ and not config["profile"] and not config["credentials_file"]:
            for variable in KEYS:
                if variable in os.environ:
                    file = credentials.name_of(self.service.service_type, variable)
                    self.executor.secret_files[file] = variable
            return
        config["profile"] = config["profile"] or os.environ.get("AWS_PROFILE")
        self._mount_files(config["profile"])

    def _mount_files(self, profile: str | None) -> None:
        settings = os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
        files = {
            credentials_file(self.service.config["credentials_file"]): CREDENTIALS,
            os.path.abspath(os.path.expanduser(settings)): CONFIG,
        }
        found = {file: bind for file, bind in files.items() if os.path.isfile(file)}
        if self.service.config["credentials_file"] or (profile and not found):
            self.service.get_aws_credentials_file()  # which says what is not there
        for file, bind in found.items():
            # What is mounted already is where another integration wants it.
            self.executor.volumes.setdefault(file, {"bind": bind, "mode": "ro"})

    def configure_for_execution(self, **kwargs: Any) -> None:
        """Uses what is there: the launcher has the log open too, and sees this machine's files."""
        config = self.service.config
        self.service.keys = credentials.given(self.service.service_type, KEYS, credentials.FOLDER)
        if os.path.isfile(CONFIG):
            self.service.config_file = CONFIG
        if os.path.isfile(CREDENTIALS):
            config["credentials_file"] = CREDENTIALS
        elif config["credentials_file"] and not os.path.isfile(config["credentials_file"]):
            config["credentials_file"] = None


class ContainerS3RunLog(ContainerAws):
    service_type = "run-log-store"
    service_provider = "s3"


class ContainerS3Catalog(ContainerAws):
    service_type = "catalog"
    service_provider = "s3"


class ContainerAwsSecrets(ContainerAws):
    service_type = "secrets"
    service_provider = "aws-secrets-manager"


class ClusterAws(BaseIntegration):
    """A pod gets keys from a Secret object that the options name, else it has the role of its
    service account. Every pod has the keys, as each one reads and writes the run log."""

    mode_type = "cluster"

    def configure_for_traversal(self, **kwargs: Any) -> None:
        self._refuse_files()
        self._refuse_variables()
        config, kind = self.service.config, self.service.service_type
        keys = {KEYS[0]: KEYS[0], KEYS[1]: KEYS[1], **config["credentials_keys"]}
        unknown = [name for name in keys if name not in KEYS]
        if unknown:
            raise NodeError(
                f"credentials_keys has '{unknown[0]}'; it is a mapping of {', '.join(KEYS)} to the "
                "keys of the Secret object"
            )
        if not config["credentials_secret"]:
            if config["credentials_keys"]:
                raise NodeError("credentials_keys are of the Secret object credentials_secret")
            return
        for variable, key in keys.items():
            secret = (config["credentials_secret"], str(key))
            self.executor.secret_environment[credentials.name_of(kind, variable)] = secret

    def _refuse_files(self) -> None:
        """This machine's files are in no pod; those in a claim are."""
        config, mounts = self.service.config, self.executor.claims.values()
        file = config["credentials_file"]
        if file and any(within(file, mount) for mount in mounts):
            return
        for name in ("credentials_file", "profile"):
            if config[name]:
                raise NodeError(
                    f"{name} is of this machine, and a pod does not see it; name a Secret object "
                    f"whose keys are {KEYS[0]} and {KEYS[1]} by credentials_secret: my-secret, or "
                    "leave all of them out where the service account of the pods has a role"
                )

    def _refuse_variables(self) -> None:
        for name in KEYS[1:]:
            if name in self.executor.environment:
                raise NodeError(
                    f"the executor's env has {name}, which everyone who sees the manifest would "
                    "know; name a Secret object that has it by credentials_secret: my-secret"
                )

    def configure_for_execution(self, **kwargs: Any) -> None:
        self.service.keys = credentials.given(self.service.service_type, KEYS)


class ClusterS3RunLog(ClusterAws):
    service_type = "run-log-store"
    service_provider = "s3"


class ClusterS3Catalog(ClusterAws):
    service_type = "catalog"
    service_provider = "s3"


class ClusterAwsSecrets(ClusterAws):
    service_type = "secrets"
    service_provider = "aws-secrets-manager"
