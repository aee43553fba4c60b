"""The matrix that ships: every cell works, or says no with the way out."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime import credentials
from argosy.runtime.errors import NodeError
from argosy.runtime.executors.base import Executor
from argosy.runtime.registry import integration, make


def traverse(
    executor: Any, kind: str, name: str, config: dict[str, Any] | None = None, /, **asked: Any
) -> Any:
    """The service after both hooks of compiling."""
    service = make(kind, {"type": name, "config": config})
    found = integration(executor, service)
    found.validate(**asked)
    found.configure_for_traversal(**asked)
    return service


def argo(**config: Any) -> Any:
    return make("executor", {"type": "argo", "config": config})


def kubernetes(**config: Any) -> Any:
    return make("executor", {"type": "kubernetes", "config": config})


def local() -> Any:
    return make("executor", {"type": "local"})


def container() -> Any:
    return make("executor", {"type": "local-container", "config": {"image": "i"}})


@pytest.mark.parametrize(
    ("kind", "provider"),
    [
        ("run_log_store", "file-system"),
        ("catalog", "file-system"),
        ("catalog", "do-nothing"),
        ("secrets", "do-nothing"),
        ("secrets", "env"),
        ("secrets", "dotenv"),
    ],
)
def test_these_work_on_this_machine_as_they_are(kind: str, provider: str) -> None:
    service = traverse(local(), kind, provider)
    assert service.config == make(kind, {"type": provider}).config


def test_a_buffered_log_is_said_to_be_lost(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    traverse(local(), "run_log_store", "buffered")
    assert "lost when the run ends" in caplog.text


@pytest.mark.parametrize(
    ("executor", "kind", "provider", "said"),
    [
        (argo, "run_log_store", "buffered", "file-system with a claim"),
        (local, "run_log_store", "kubernetes", "run_log_store: {type: file-system}"),
        (argo, "secrets", "env", "secrets: {type: kubernetes"),
        (kubernetes, "run_log_store", "buffered", "file-system with a claim"),
        (kubernetes, "catalog", "file-system", "add one:\n  executor:\n    type: kubernetes"),
        (argo, "secrets", "dotenv", "secrets 'dotenv' .* secrets: {type: kubernetes"),
        (local, "secrets", "kubernetes", "secrets: {type: env}"),
        (container, "run_log_store", "buffered", "run_log_store: {type: file-system}"),
        (container, "secrets", "kubernetes", "secrets: {type: env}"),
    ],
)
def test_what_cannot_work_names_what_does(
    executor: Any, kind: str, provider: str, said: str
) -> None:
    with pytest.raises(NodeError, match=said):
        traverse(executor(), kind, provider)


@pytest.mark.parametrize("executor", [argo, kubernetes, local, container])
@pytest.mark.parametrize("kind", ["catalog", "secrets"])
def test_a_step_that_asks_for_nothing_to_give_is_an_error(executor: Any, kind: str) -> None:
    traverse(executor(), kind, "do-nothing", steps=[])
    with pytest.raises(NodeError, match=f"extract, train; .*{kind}: {{type: "):
        traverse(executor(), kind, "do-nothing", steps=["train", "extract"])


def test_the_only_claim_is_where_the_files_go() -> None:
    executor = argo(claims={"data": {"mount_path": "/mnt/data/", "create": True}})
    log = traverse(executor, "run_log_store", "file-system")
    catalog = traverse(executor, "catalog", "file-system")
    assert log.config == {"location": "/mnt/data/argosy", "sync": True}
    assert catalog.config["location"] == "/mnt/data/argosy/catalog"


@pytest.mark.parametrize(
    ("claims", "location", "said"),
    [
        ({}, None, "no claim; add one:\n  executor:\n    type: argo(.|\n)*claims:"),
        ({"a": "/a", "b": "/b"}, None, "name a folder there:\n  catalog: .*location: /a/argosy/"),
        ({"a": "/data"}, "/database/x", "/database/x is under no claim's mount, which are /data"),
        ({"a": "/data"}, "relative", "relative is under no claim's mount"),
    ],
)
def test_files_that_not_every_pod_sees_are_refused_with_the_lines_to_add(
    claims: dict[str, str], location: str | None, said: str
) -> None:
    with pytest.raises(NodeError, match=said):
        traverse(argo(claims=claims), "catalog", "file-system", {"location": location})


def test_a_folder_in_a_claim_is_kept() -> None:
    config = {"location": "/b/runs", "sync": False}
    log = traverse(argo(claims={"a": "/a", "b": "/b"}), "run_log_store", "file-system", config)
    assert log.config == config


def test_a_log_in_the_cluster_asks_for_its_rights_and_no_more() -> None:
    executor = argo()
    config = {"namespace": "team", "context": "mine"}
    log = traverse(executor, "run_log_store", "kubernetes", config)
    (rule,) = executor.rules
    assert (rule["resources"], rule["verbs"]) == (
        ["configmaps"],
        ["create", "get", "list", "patch"],
    )
    assert log.config == make("run_log_store", {"type": "kubernetes"}).config, "no pod needs it"
    executor = argo(claims={"a": "/a"})
    traverse(executor, "run_log_store", "file-system")
    assert executor.rules == []


def test_a_database_brings_its_secret_to_every_pod() -> None:
    executor = argo()
    provider = make("secrets", {"type": "kubernetes", "config": {"objects": {"DB_URL": "db/url"}}})
    log = traverse(executor, "run_log_store", "db", {"url_secret": "DB_URL"}, provider=provider)
    assert executor.secret_environment == {"ARGOSY_CREDENTIAL_RUN_LOG_STORE_URL": ("db", "url")}
    environment = {"ARGOSY_CREDENTIAL_RUN_LOG_STORE_URL": "postgresql://me:pw@host/db"}
    credentials.take(environment)
    integration(executor, log).configure_for_execution()
    assert log.credentials == {"URL": "postgresql://me:pw@host/db"}
    assert environment == {}, "the user's process never has it"
    credentials.take({"ARGOSY_CREDENTIAL_RUN_LOG_STORE_URL": "sqlite:///runs.db"})
    with pytest.raises(NodeError, match="SQLite is a file of one machine"):
        integration(executor, log).configure_for_execution()


@pytest.mark.parametrize(
    ("executor", "config", "said"),
    [
        (argo, {"url": "sqlite:///runs.db"}, "SQLite is a file of one machine"),
        (argo, {"url": "postgresql://me:pw@host/db"}, "would stand in the manifest; .*url_secret"),
        (argo, {"url": "postgresql://host/db?password=pw"}, "url_secret: DB_URL"),
        (argo, {"url": "postgresql://me@host/db", "password_secret": "P"}, "secret: my-secret"),
        (local, {}, "either url .* or url_secret"),
    ],
)
def test_a_database_that_steps_cannot_reach_is_refused(
    executor: Any, config: dict[str, str], said: str
) -> None:
    provider = make("secrets", {"type": "kubernetes"})
    with pytest.raises(NodeError, match=said):
        traverse(executor(), "run_log_store", "db", config, provider=provider)


class Container(Executor):
    """Made without an image, or a look for Docker."""

    executor_type = "local-container"


class Env:
    service_provider = "env"

    def variable(self, name: str) -> str:
        return f"MY_{name}"


def test_a_container_sees_the_folder_of_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    executor: Any = Container()
    log = traverse(executor, "run_log_store", "db", {"url": "sqlite:///log/runs.db"})
    folder = str(tmp_path / "log")
    assert executor.volumes == {folder: {"bind": folder, "mode": "rw"}}
    assert log.file == f"{folder}/runs.db"
    monkeypatch.chdir("/")
    assert make("run_log_store", {"type": "db", "config": log.config}).file == log.file


def test_a_container_gets_a_databases_url_as_a_file() -> None:
    executor: Any = Container()
    config = {"url_secret": "DB_URL"}
    log = make("run_log_store", {"type": "db", "config": config})
    log.secret = {"DB_URL": "postgresql://me:pw@localhost:5432/db"}.__getitem__
    integration(executor, log).configure_for_traversal(provider=Env())
    own = "ARGOSY_CREDENTIAL_RUN_LOG_STORE_URL"
    assert (executor.secret_files, executor.network) == ({own: "MY_DB_URL"}, "host")


@pytest.mark.parametrize(
    ("name", "config", "said"),
    [
        ("kubernetes", {}, "run_log_store: {type: file-system}"),
        ("db", {"url": "postgresql://me:pw@host/db"}, "Docker would show .*url_secret"),
    ],
)
def test_what_containers_cannot_use_names_what_they_can(
    name: str, config: dict[str, str], said: str
) -> None:
    with pytest.raises(NodeError, match=said):
        traverse(Container(), "run_log_store", name, config)


def test_a_secret_of_a_databases_own_needs_a_provider() -> None:
    provider = make("secrets", {"type": "do-nothing"})
    with pytest.raises(NodeError, match=r"asks for secret 'DB_URL', .* secrets: {type: env}"):
        traverse(local(), "run_log_store", "db", {"url_secret": "DB_URL"}, provider=provider)


def test_secrets_of_the_cluster_become_references() -> None:
    executor = argo()
    config = {"objects": {"DB_URL": "db/url"}, "secret": "all"}
    traverse(executor, "secrets", "kubernetes", config, secrets=["TOKEN"])
    assert executor.secret_environment == {
        "ARGOSY_SECRET_DB_URL": ("db", "url"),
        "ARGOSY_SECRET_TOKEN": ("all", "TOKEN"),
    }


def test_what_an_executor_cannot_use_is_an_error() -> None:
    executor = argo(claims={"a": "/a"}, labels={"team": "x"}, env={"A": "b"})
    executor.verify()
    assert (executor.labels, executor.environment) == ({"team": "x"}, {"A": "b"})
    executor.volumes["/home/me"] = {"bind": "/x", "mode": "ro"}
    with pytest.raises(NodeError, match=r"volumes .* use claims"):
        executor.verify()


def test_the_integration_is_the_same_where_a_node_runs() -> None:
    """At execution only what travelled is known: no claims, and the location is final."""
    service = make("catalog", {"type": "file-system", "config": {"location": "/mnt/argosy"}})
    found = integration(argo(), service)
    found.validate()
    found.configure_for_execution()
    assert service.config["location"] == "/mnt/argosy"


@pytest.mark.parametrize("kind", ["run_log_store", "catalog"])
def test_a_container_sees_the_files_at_their_own_place(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    executor = container()
    service = traverse(executor, kind, "file-system", {"location": "kept"})
    place = str(tmp_path / "kept")
    assert service.config["location"] == place
    assert executor.volumes == {place: {"bind": place, "mode": "rw"}}
    executor.verify()


def test_a_containers_secrets_are_files_for_the_steps_that_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = container()
    config = {"prefix": "APP_"}
    traverse(executor, "secrets", "env", config, secrets=["DB", "a/b"])
    files = {"ARGOSY_SECRET_DB": "APP_DB", "ARGOSY_SECRET_a%2Fb": "APP_a/b"}
    assert (executor.secret_files, executor.environment) == (files, {})
    monkeypatch.setattr("argosy.runtime.credentials.FOLDER", str(tmp_path))
    monkeypatch.setenv("APP_DB", "of the container, and not meant")
    (tmp_path / "ARGOSY_SECRET_a%2Fb").write_bytes(b"one\r\n")
    service = make("secrets", {"type": "env", "config": config})
    integration(container(), service).configure_for_execution()
    assert service.get("a/b") == "one\r\n"
    with pytest.raises(NodeError, match="'DB' is not there: set APP_DB"):
        service.get("DB")


def test_a_file_of_secrets_is_mounted_where_a_step_asks(tmp_path: Path) -> None:
    config = {"location": str(tmp_path / "my.env")}
    executor = container()
    service = traverse(executor, "secrets", "dotenv", config)
    assert service.config["location"] == config["location"]  # for the launcher, which reads it here
    integration(container(), service).configure_for_execution()
    assert service.config["location"].startswith("/run/")
    assert executor.volumes == {}
    traverse(executor, "secrets", "dotenv", config, secrets=["A"])
    assert executor.volumes == {
        str(tmp_path / "my.env"): {"bind": "/run/argosy/dotenv", "mode": "ro"}
    }


def test_what_a_container_cannot_use_is_an_error() -> None:
    executor = container()
    executor.secret_environment["A"] = ("x", "y")
    with pytest.raises(NodeError, match="use secret_files"):
        executor.verify()
