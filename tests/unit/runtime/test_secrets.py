"""Where secrets come from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from argosy.runtime.errors import NodeError
from argosy.runtime.secrets.do_nothing import DoNothingSecrets
from argosy.runtime.secrets.dotenv import DotenvSecrets
from argosy.runtime.secrets.env import EnvSecrets
from argosy.runtime.secrets.kubernetes import KubernetesSecrets


def test_env_adds_its_prefix_and_suffix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DB_URL_SECRET", "x")
    secrets = EnvSecrets({"prefix": "APP_", "suffix": "_SECRET"})
    assert secrets.get("DB_URL") == "x"
    with pytest.raises(NodeError, match="set APP_OTHER_SECRET in the environment"):
        secrets.get("OTHER")


def test_env_takes_its_own_variables_out() -> None:
    environment = {"APP_DB": "x", "DB": "y"}
    EnvSecrets({"prefix": "APP_"}).withdraw(environment)
    assert environment == {"DB": "y"}
    EnvSecrets().withdraw(environment)
    assert environment == {"DB": "y"}, "without a prefix nothing says what a secret is"
    EnvSecrets({"names": ["DB", "OTHER"]}).withdraw(environment)
    assert not environment


def test_dotenv_reads_a_value_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "s.env").write_text("A='p${HOME}w#1'\nexport B=two words\n")
    secrets = DotenvSecrets({"location": str(tmp_path / "s.env")})
    assert (secrets.get("A"), secrets.get("B")) == ("p${HOME}w#1", "two words")
    with pytest.raises(NodeError, match="add a line C="):
        secrets.get("C")


def test_dotenv_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NodeError, match=r"cannot read the secrets file .*\.env"):
        DotenvSecrets().get("A")
    monkeypatch.setitem(sys.modules, "dotenv", None)
    with pytest.raises(NodeError, match=r"pip install 'argosy\[dotenv\]'"):
        DotenvSecrets().get("A")


def test_kubernetes_knows_which_object_has_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = KubernetesSecrets(
        {"secret": "all", "objects": {"DB_URL": "db", "TOKEN": "api/token.txt"}}
    )
    assert secrets.reference("DB_URL") == ("db", "DB_URL")
    assert secrets.reference("TOKEN") == ("api", "token.txt")
    assert secrets.reference("OTHER") == ("all", "OTHER")
    monkeypatch.setenv("ARGOSY_SECRET_DB_URL", "x")
    assert secrets.get("DB_URL") == "x"
    with pytest.raises(NodeError, match=r"given to pods only; .* secrets: {type: env"):
        secrets.get("OTHER")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(NodeError, match="key 'OTHER' of Secret 'all'"):
        secrets.get("OTHER")


def test_kubernetes_without_an_object_shows_the_lines_to_add() -> None:
    with pytest.raises(NodeError, match=r"objects: \{DB_URL: my-secret\}"):
        KubernetesSecrets().reference("DB_URL")


def test_no_secrets_says_what_to_configure() -> None:
    with pytest.raises(NodeError, match=r"secrets: \{type: env\}"):
        DoNothingSecrets().get("A")
