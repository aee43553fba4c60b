"""How executors, services and integrations are found, and what is refused when they are."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime import registry
from argosy.runtime.errors import NodeError, PluginError
from argosy.runtime.executors.base import Executor
from argosy.runtime.integrations import BaseIntegration
from argosy.runtime.integrations.base import kind_of
from argosy.runtime.registry import BUILT_IN, find, integration, integrations, make
from plugins import WORD_FOR_WORD

SWIFT = """
from argosy.runtime.service import Catalog, RunLogStore, Option

class Swift(RunLogStore):
    service_provider = "swift"
    options = {"bucket": Option("string", None, "where")}
    def put(self, key, data): ...
    def get(self, key): ...
    def list(self, prefix): return []
    def append(self, key, data): ...
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes a module, and gives its name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def make_module(text: str) -> str:
        name = f"plugin_{len(made)}_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{name}.py").write_text(text)
        made.append(name)
        return name

    yield make_module
    for name in made:
        sys.modules.pop(name, None)
    find.cache_clear()


@pytest.mark.parametrize("kind", ["executor", "run_log_store", "catalog", "secrets"])
def test_what_ships_is_what_the_table_says(kind: str) -> None:
    for name in BUILT_IN[kind]:
        cls = find(kind, name)
        named = cls.executor_type if kind == "executor" else cls.service_provider
        assert named == name
        assert kind in ("executor", getattr(cls, "service_type", None))


def test_the_integrations_that_ship_are_for_what_they_are_called() -> None:
    for name, target in BUILT_IN["integration"].items():
        executor, service, provider = name.split(".")
        cls = registry.load(target, "a test")
        registry.verify_integration(cls, "ours")
        assert (cls.mode_type or "any", cls.service_provider) == (executor, provider)
        assert kind_of(cls) == service


def test_an_unknown_provider_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(PluginError, match="no run log store 'file-sytem'; did you mean 'file-"):
        find("run_log_store", "file-sytem")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"locatoin": "x"}, "no option 'locatoin'; did you mean 'location'"),
        ({"location": 3}, "which is no string"),
        ({"sync": "yes"}, "which is no boolean"),
    ],
)
def test_an_option_that_is_wrong_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(NodeError, match=said):
        make("run_log_store", {"type": "file-system", "config": config})


def test_a_service_of_a_plugin_is_found(plugin: Any) -> None:
    name = plugin(SWIFT)
    store = make("run_log_store", {"type": "swift", "config": {"bucket": "b"}}, (name,))
    assert store.config == {"bucket": "b"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def get(self, key)", "def fetch(self, key)", r"does not implement get\(self, key\)"),
        ("def put(self, key, data)", "def put(self, key)", r"put has another signature: put\(self"),
    ],
)
def test_a_service_is_verified(plugin: Any, old: str, new: str, said: str) -> None:
    name = plugin(SWIFT.replace(old, new))
    with pytest.raises(PluginError, match=said) as caught:
        find("run_log_store", "swift", (name,))
    assert name in str(caught.value)


def test_a_service_of_an_entry_point_is_found(plugin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    name = plugin(SWIFT)
    point = EntryPoint("swift", f"{name}:Swift", "argosy.run_log_stores")
    monkeypatch.setattr(registry, "entry_points", lambda kind: iter([point]))
    assert find("run_log_store", "swift").service_provider == "swift"


def test_the_documented_plugin_works_word_for_word(
    plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = plugin(WORD_FOR_WORD)
    credentials = tmp_path / "credentials"
    credentials.touch()
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    executor = Executor()
    executor.executor_type = "local-container"  # type: ignore[misc]
    store = make("run_log_store", {"type": "s3", "config": {"bucket": "b"}}, (name,))
    found = integration(executor, store, integrations([name], search=False))
    found.validate()
    found.configure_for_traversal()
    assert executor.volumes == {
        str(credentials.resolve()): {
            "bind": "/root/.aws/credentials",
            "mode": "ro",
        }
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("configure_for_traversal", "configure_for_transversal", "did you mean 'configure_for_tr"),
        ("(self, **kwargs)", "(self)", r"configure_for_traversal\(self, \*\*kwargs\)"),
        ("(self, **kwargs)", "(self, a, **kwargs)", r"configure_for_traversal\(self, \*\*kwargs\)"),
        ("'run-log-store'", "'log'", "'run-log-store', 'catalog' and 'secrets'"),
        ("service_provider = 's3'", "service_provider = 3", "service_provider is 3"),
        ("mode_type =", "executor_type = 'local'\n    mode_type =", "leave out one"),
    ],
)
def test_an_integration_is_verified(plugin: Any, old: str, new: str, said: str) -> None:
    name = plugin(WORD_FOR_WORD.replace(old, new))
    with pytest.raises(PluginError, match=said) as caught:
        integrations([name], search=False)
    assert name in str(caught.value)


def test_a_plugin_that_is_not_there_is_said_with_the_way_out() -> None:
    with pytest.raises(PluginError, match=r"cannot import no_such_plugin .* its image"):
        integrations(["no_such_plugin"], search=False)


def pair(mode: str | None, kind: str = "run-log-store", provider: str = "file-system") -> Any:
    body = {"mode_type": mode, "service_type": kind, "service_provider": provider}
    return type(f"For{mode}", (BaseIntegration,), body)


def test_the_nearest_integration_wins(caplog: pytest.LogCaptureFixture) -> None:
    executor = make("executor", {"type": "argo"})
    log = make("run_log_store", {"type": "file-system"})
    exact, family, every = pair("argo"), pair("cluster"), pair(None)
    ours = type(integration(executor, log))
    assert ours.__name__ == "ClusterFileSystemRunLog"
    assert type(integration(executor, log, [every])) is ours, "an exact pair wins"
    caplog.set_level(logging.INFO)
    for _ in range(3):
        assert type(integration(executor, log, [every, family, exact])) is exact
    assert len(caplog.messages) == 1
    kubernetes = make("executor", {"type": "kubernetes"})
    assert type(integration(kubernetes, log, [every, family, exact])) is family
    assert type(integration(kubernetes, log, [every, exact])) is ours
    local = make("executor", {"type": "local"})
    assert type(integration(local, log, [every, exact])) is every
    assert type(integration(local, log)) is BaseIntegration


def test_two_plugins_for_one_pair_are_an_error_that_names_both() -> None:
    executor = make("executor", {"type": "argo"})
    log = make("run_log_store", {"type": "file-system"})
    one, other = pair("argo"), pair("argo", "datastore")
    other.__name__ = "Other"
    with pytest.raises(PluginError, match=r"Forargo and .*Other"):
        integration(executor, log, [one, other])


DISTRIBUTION = "Metadata-Version: 2.1\nName: company-argosy\nVersion: 1.2\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Adds a distribution with these entry points."""
    monkeypatch.syspath_prepend(str(tmp_path))
    info = tmp_path / "company_argosy-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(DISTRIBUTION)
    caches = find.cache_clear, registry.extended.cache_clear

    def add(text: bytes) -> None:
        (info / "entry_points.txt").write_bytes(text)
        for clear in caches:
            clear()

    yield add
    for clear in caches:
        clear()


@pytest.mark.parametrize(
    ("kind", "target", "reason"),
    [
        ("catalog", "nothing_there:Swift", "cannot import nothing_there (ModuleNotFoundError"),
        ("executor", "broken_plugin:Swift", "cannot import broken_plugin (SystemExit: 3)"),
        ("secrets", "json:Swift", "module json has no 'Swift'"),
        ("run_log_store", "json:loads", "json:loads is not a class"),
    ],
)
def test_a_broken_entry_point_is_named_with_its_distribution(
    kind: str, target: str, reason: str, installed: Any, tmp_path: Path
) -> None:
    (tmp_path / "broken_plugin.py").write_text("raise SystemExit(3)")
    group = registry.GROUPS[kind]
    installed(f"[{group}]\nswift = {target}\n".encode())
    with pytest.raises(PluginError) as error:
        find(kind, "swift")
    origin = f"entry point 'swift' in {group} of the distribution company-argosy 1.2: "
    assert str(error.value).startswith(origin + reason)


def test_a_broken_integration_is_named_with_its_distribution(installed: Any) -> None:
    installed(b"[argosy.integrations]\nswift = nothing_there:Swift\n")
    with pytest.raises(PluginError, match=r"'swift' in argosy\.integrations of the distribution"):
        integrations()


@pytest.mark.parametrize("text", [b"[argosy.catalogs]\nno value\n", b"\xff[argosy.catalogs]\n"])
def test_entry_points_that_cannot_be_read_are_no_traceback(text: bytes, installed: Any) -> None:
    installed(text)
    with pytest.raises(PluginError):
        find("catalog", "swift")
