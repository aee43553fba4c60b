"""Secrets of AWS, on moto's server: AWS itself is nowhere to be had."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from argosy.runtime.aws import KEYS
from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.secrets.aws_secrets_manager import AwsSecretsManager

VALUE = "never-to-be-seen"
ROLE = "arn:aws:iam::123456789012:role/reader"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client that makes secrets. What was made is gone afterwards."""
    from botocore.session import Session

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(KEYS[0], "key")
    monkeypatch.setenv(KEYS[1], "secret")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    client = Session().create_client(
        "secretsmanager", region_name="eu-west-1", endpoint_url=address
    )
    yield client
    for found in client.list_secrets()["SecretList"]:
        client.delete_secret(SecretId=found["ARN"], ForceDeleteWithoutRecovery=True)


def provider(address: str, **config: Any) -> AwsSecretsManager:
    return AwsSecretsManager({"secret_id": "churn", "endpoint_url": address, **config})


def test_the_members_of_a_secret_are_secrets(aws: Any, address: str) -> None:
    members = {"DB_URL": VALUE, "PORT": 5432, "TLS": True, "more": {"a": [1]}}
    arn = aws.create_secret(Name="churn", SecretString=json.dumps(members))["ARN"]
    for secret_id in ("churn", arn):
        secrets = provider(address, secret_id=secret_id)
        assert secrets.get("DB_URL") == VALUE
        assert secrets.get("PORT") == "5432"
        assert secrets.get("TLS") == "true"
        assert json.loads(secrets.get("more")) == {"a": [1]}
    with pytest.raises(NodeError, match="has no member 'DB_URI'; did you mean 'DB_URL'") as error:
        secrets.get("DB_URI")
    assert VALUE not in str(error.value)


def test_a_secret_is_asked_for_once_a_process(aws: Any, address: str) -> None:
    aws.create_secret(Name="churn", SecretString='{"A": "1"}')
    secrets = provider(address)
    assert secrets.get("A") == "1"
    aws.put_secret_value(SecretId="churn", SecretString='{"A": "2"}')
    assert secrets.get("A") == "1"
    assert provider(address).get("A") == "2"


def test_a_version_can_be_held_to(aws: Any, address: str) -> None:
    first = aws.create_secret(Name="churn", SecretString='{"A": "1"}')["VersionId"]
    aws.put_secret_value(SecretId="churn", SecretString='{"A": "2"}')
    assert provider(address, version_id=first).get("A") == "1"
    assert provider(address, version_stage="AWSPREVIOUS").get("A") == "1"
    assert provider(address, version_stage="AWSCURRENT").get("A") == "2"


@pytest.mark.parametrize("text", [VALUE, f'["{VALUE}"]', f'{{"A": {VALUE}'])
def test_what_is_no_object_is_refused_and_not_shown(aws: Any, address: str, text: str) -> None:
    aws.create_secret(Name="churn", SecretString=text)
    with pytest.raises(NodeError, match="secret churn is not a JSON object whose") as error:
        provider(address).get("A")
    assert VALUE not in str(error.value)


def test_a_role_is_assumed(aws: Any, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.create_secret(Name="churn", SecretString='{"A": "1"}')
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
    secrets = provider(address, role_arn=ROLE, role_session_seconds=900)
    assert secrets.get("A") == "1"
    frozen = secrets.client._request_signer._credentials.get_frozen_credentials()
    assert frozen.access_key != "key"
    assert frozen.token, "the credentials are those of the role"


def test_keys_that_were_handed_over_are_used(
    aws: Any, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.create_secret(Name="churn", SecretString='{"A": "1"}')
    monkeypatch.delenv(KEYS[0])
    monkeypatch.delenv(KEYS[1])
    secrets = provider(address)
    secrets.keys = {KEYS[0]: "handed", KEYS[1]: "over"}
    assert secrets.get("A") == "1"


def test_what_is_wrong_is_said(aws: Any, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NodeError, match="has no secret_id; give the ARN"):
        AwsSecretsManager({})
    with pytest.raises(ServiceError, match=r"cannot read secret churn: .* correct `secret_id`"):
        provider(address).get("A")
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(NodeError, match="must specify a region"):
        provider(address).get("A")
