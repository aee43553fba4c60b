"""Secrets of AWS: the members of one secret there, which is a JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from argosy.runtime.aws import OPTIONS, Aws
from argosy.runtime.errors import NodeError
from argosy.runtime.service import Option, Secrets
from argosy.runtime.suggestions import nearest


class AwsSecretsManager(Aws, Secrets):
    service_provider = "aws-secrets-manager"
    extra = "aws"
    api = "secretsmanager"
    permissions = "secretsmanager:GetSecretValue, and kms:Decrypt where a key of your own is used"
    options: ClassVar[Mapping[str, Option]] = {
        "secret_id": Option("string", None, "the secret's ARN or name; its JSON has all secrets"),
        "version_id": Option("string", None, "of the secret; none: the current version"),
        "version_stage": Option("string", None, "a label of a version; none: AWSCURRENT"),
        **OPTIONS,
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        if not self.config["secret_id"]:
            raise NodeError(
                "secrets 'aws-secrets-manager' has no secret_id; give the ARN or the name of one: "
                "secrets: {type: aws-secrets-manager, config: {secret_id: my-secret}}"
            )

    def get(self, name: str) -> str:
        try:
            value = self.values[name]
        except KeyError:
            known = nearest(name, self.values)
            raise NodeError(f"{self._what} has no member '{name}'; {known}") from None
        return value if isinstance(value, str) else json.dumps(value)

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """All members, asked for once a process."""
        config = self.config
        asked = {
            "SecretId": config["secret_id"],
            "VersionId": config["version_id"],
            "VersionStage": config["version_stage"],
        }
        given = {name: value for name, value in asked.items() if value}
        answer = self.call(f"read {self._what}", lambda aws: aws.get_secret_value(**given))
        try:
            found = json.loads(answer.get("SecretString", ""))
        except ValueError:  # its message and its document may show what is secret
            found = None
        if not isinstance(found, dict):
            raise NodeError(
                f"{self._what} is not a JSON object whose members are the secrets: "
                'store {"NAME": "value"} in it'
            )
        return found

    @property
    def _what(self) -> str:
        return f"secret {self.config['secret_id']}"
