"""Where credentials for AWS come from, by executor; and that they are nowhere else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from argosy.compiler import Request, compile, phases
from argosy.compiler.describe import describe
from argosy.compiler.errors import SettingsError
from argosy.compiler.integrate import context
from argosy.runtime import credentials
from argosy.runtime.aws import KEYS, Aws
from argosy.runtime.errors import NodeError
from argosy.runtime.executors.base import Executor
from argosy.runtime.integrations import aws as integrations
from argosy.runtime.registry import integration, make

SECRET = "never-to-be-seen"  # noqa: S105 (it is no secret)
PAIRS = [("run_log_store", "s3"), ("catalog", "s3"), ("secrets", "aws-secrets-manager")]
NEEDED = {"bucket": "b"}, {"bucket": "b"}, {"secret_id": "s"}
EACH = pytest.mark.parametrize(
    ("kind", "provider", "needed"),
    [(*pair, needed) for pair, needed in zip(PAIRS, NEEDED, strict=True)],
)


class Container(Executor):
    executor_type = "local-container"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(credentials, "_taken", {})
    for module, name in (
        (integrations, "CREDENTIALS"),
        (integrations, "CONFIG"),
        (credentials, "FOLDER"),
    ):
        monkeypatch.setattr(module, name, str(tmp_path / "container" / name))


def write(path: Path, text: str = "x") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def traverse(executor: Any, kind: str, provider: str, config: dict[str, Any]) -> Aws:
    service: Aws = make(kind, {"type": provider, "config": config})
    found = integration(executor, service)
    found.validate(steps=["a"])
    found.configure_for_traversal(steps=["a"])
    return service


def execute(executor: Any, travelled: Aws) -> Aws:
    """The service in the place of execution, made anew."""
    kind, provider = travelled.service_type, travelled.service_provider
    service: Aws = make(kind, {"type": provider, "config": travelled.config})
    integration(executor, service).configure_for_execution()
    return service


@EACH
def test_here_credentials_are_where_aws_has_them(kind: str, provider: str, needed: Any) -> None:
    executor = make("executor", {"type": "local"})
    service = traverse(executor, kind, provider, needed)
    assert service.config == make(kind, {"type": provider, "config": needed}).config
    assert not execute(executor, service).keys


@EACH
def test_a_library_that_is_not_there_is_missed_before_the_first_step(
    kind: str, provider: str, needed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for executor in (make("executor", {"type": "local"}), Container()):
        with pytest.raises(NodeError, match=r"pip install 'argosy\[aws\]'"):
            traverse(executor, kind, provider, needed)


@EACH
def test_a_container_has_the_keys_of_the_environment_as_files(
    kind: str, provider: str, needed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, f"{SECRET} {name}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    executor = Container()
    service = traverse(executor, kind, provider, needed)
    assert [*executor.secret_files.values()] == [*KEYS]
    assert not executor.volumes
    assert not executor.environment
    assert service.config["region"] == "eu-west-1"
    assert SECRET not in str(service.config)
    for file, variable in executor.secret_files.items():
        write(Path(credentials.FOLDER) / file, os.environ[variable])
    assert execute(executor, service).keys == {name: f"{SECRET} {name}" for name in KEYS}


@EACH
def test_a_container_has_awss_files(
    kind: str, provider: str, needed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "home" / ".aws" / "credentials")
    settings = write(tmp_path / "home" / ".aws" / "config")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    executor = Container()
    service = traverse(executor, kind, provider, needed)
    assert executor.volumes == {
        file: {"bind": integrations.CREDENTIALS, "mode": "ro"},
        settings: {"bind": integrations.CONFIG, "mode": "ro"},
    }
    assert service.config["profile"] == "mine"
    launcher = execute(executor, service)
    assert launcher.config["credentials_file"] is None, "the launcher sees the files as they are"
    write(Path(integrations.CREDENTIALS))
    write(Path(integrations.CONFIG))
    inside = execute(executor, service)
    assert inside.config["credentials_file"] == integrations.CREDENTIALS
    assert inside.config_file == integrations.CONFIG


def test_a_container_gets_the_file_that_is_named_before_the_environments_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEYS[0], "k")
    executor = Container()
    config = {"bucket": "b", "credentials_file": str(tmp_path / "mine")}
    with pytest.raises(NodeError, match=r"no AWS credentials file .*mine"):
        traverse(executor, "catalog", "s3", config)
    write(tmp_path / "mine")
    traverse(executor, "catalog", "s3", config)
    assert [*executor.volumes] == [str(tmp_path / "mine")]
    assert not executor.secret_files


def test_without_any_a_container_has_the_role_of_this_machine() -> None:
    executor = Container()
    traverse(executor, "catalog", "s3", {"bucket": "b"})
    assert not executor.volumes
    with pytest.raises(NodeError, match="no AWS credentials file"):
        traverse(executor, "catalog", "s3", {"bucket": "b", "profile": "mine"})


@EACH
def test_a_pod_has_the_keys_of_a_secret_object(
    kind: str, provider: str, needed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = make("executor", {"type": "argo", "config": {"image": "i"}})
    config = {**needed, "credentials_secret": "s3", "credentials_keys": {KEYS[1]: "secret"}}
    service = traverse(executor, kind, provider, config)
    names = [credentials.name_of(kind, name) for name in KEYS[:2]]
    assert executor.secret_environment == {
        names[0]: ("s3", KEYS[0]),
        names[1]: ("s3", "secret"),
    }
    environment = {names[0]: "k", names[1]: SECRET, "HOME": "/"}
    credentials.take(environment)
    assert environment == {"HOME": "/"}, "no process of the user's inherits them"
    assert execute(executor, service).keys == {KEYS[0]: "k", KEYS[1]: SECRET}


@EACH
def test_a_pod_may_have_the_role_of_its_service_account(
    kind: str, provider: str, needed: Any
) -> None:
    executor = make("executor", {"type": "argo", "config": {"image": "i"}})
    service = traverse(executor, kind, provider, needed)
    assert not executor.secret_environment
    assert not execute(executor, service).keys


@pytest.mark.parametrize(
    ("config", "options", "said"),
    [
        ({"profile": "mine"}, {}, "profile is of this machine.* credentials_secret: my-secret"),
        ({"credentials_file": "/x"}, {}, "credentials_file is of this machine"),
        ({}, {"env": {KEYS[1]: SECRET}}, f"env has {KEYS[1]}, which everyone"),
        ({"credentials_keys": {"SECRET": "x"}}, {}, "'SECRET'; it is a mapping of AWS_ACCESS"),
        ({"credentials_keys": {KEYS[0]: "x"}}, {}, "of the Secret object credentials_secret"),
    ],
)
def test_what_no_pod_can_use_is_said(
    config: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    executor = make("executor", {"type": "argo", "config": {"image": "i", **options}})
    with pytest.raises(NodeError, match=said) as caught:
        traverse(executor, "catalog", "s3", {"bucket": "b", **config})
    assert SECRET not in str(caught.value)


def test_a_credentials_file_in_a_claim_is_in_every_pod() -> None:
    options = {"image": "i", "claims": {"shared": "/shared"}}
    executor = make("executor", {"type": "argo", "config": options})
    config = {"bucket": "b", "credentials_file": "/shared/aws", "profile": "mine"}
    assert traverse(executor, "catalog", "s3", config).config["profile"] == "mine"


ARGO = f"""
executor: {{type: argo, config: {{image: i}}}}
run_log_store: {{type: s3, config: {{bucket: b, credentials_secret: s3}}}}
catalog:
  type: s3
  config: {{bucket: b, credentials_secret: s3, credentials_keys: {{{KEYS[0]}: id}}}}
secrets: {{type: aws-secrets-manager, config: {{secret_id: s}}}}
"""


def request(tmp_path: Path, configuration: str) -> Request:
    steps = "{a: {type: task, command: x.y, secrets: [S]}, b: {type: task, command: x.y}}"
    definition = write(tmp_path / "p.yaml", f"dag: {{steps: {steps}}}")
    return Request(definition, (write(tmp_path / "c.yaml", configuration),))


def test_every_pod_has_the_keys_of_its_stores_by_reference(tmp_path: Path) -> None:
    compilation = compile(request(tmp_path, ARGO))
    workflow = compilation.manifests[0].data
    templates = [t for t in workflow["spec"]["templates"] if "container" in t]
    assert len(templates) == 2, "the steps', and the exit handler's"
    for template in templates:
        found = {e["name"]: e["valueFrom"]["secretKeyRef"] for e in template["container"]["env"]
                 if "secretKeyRef" in e.get("valueFrom", {})}  # fmt: skip
        assert found == {
            "ARGOSY_CREDENTIAL_RUN_LOG_STORE_AWS_ACCESS_KEY_ID": {"name": "s3", "key": KEYS[0]},
            "ARGOSY_CREDENTIAL_RUN_LOG_STORE_AWS_SECRET_ACCESS_KEY": {"name": "s3", "key": KEYS[1]},
            "ARGOSY_CREDENTIAL_CATALOG_AWS_ACCESS_KEY_ID": {"name": "s3", "key": "id"},
            "ARGOSY_CREDENTIAL_CATALOG_AWS_SECRET_ACCESS_KEY": {"name": "s3", "key": KEYS[1]},
        }


@pytest.mark.parametrize("executor", ["local", "argo, config: {image: i}"])
def test_keys_in_a_configuration_are_refused_and_not_shown(tmp_path: Path, executor: str) -> None:
    section = f"catalog: {{type: s3, config: {{bucket: b, aws_secret_access_key: {SECRET}}}}}"
    wrong = request(tmp_path, f"executor: {{type: {executor}}}\n{section}")
    with pytest.raises(SettingsError, match="keys do not belong in a configuration") as caught:
        compile(wrong, until=phases.integrate)
    assert "c.yaml:2:" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_environments_keys_are_in_no_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEYS[0], "k")
    monkeypatch.setenv(KEYS[1], SECRET)
    for configuration in (ARGO, ARGO.replace("argo, config: {image: i}", "local")):
        compilation = compile(request(tmp_path, configuration), until=phases.lower)
        shown = f"{describe(compilation)}{context(compilation)}{compilation.manifests}"
        assert SECRET not in shown


def test_a_magnus_configuration_is_read(tmp_path: Path) -> None:
    magnus = """
mode: {type: local}
run_log: {type: s3, config: {s3_bucket: b, aws_profile: p, use_credentials: false}}
catalog: {type: s3, config: {s3_bucket: b, aws_credentials_file: /c}}
secrets: {type: aws-secrets-manager, config: {secret_arn: "arn:aws:x", region: eu-west-1}}
"""
    found = compile(request(tmp_path, magnus), until=phases.integrate)
    assert found.run_log_store.config["bucket"] == "b"
    assert found.run_log_store.config["profile"] == "p"
    assert found.catalog.config["credentials_file"] == "/c"
    given = {name: found.secrets.config[name] for name in ("secret_id", "region")}
    assert given == {"secret_id": "arn:aws:x", "region": "eu-west-1"}
