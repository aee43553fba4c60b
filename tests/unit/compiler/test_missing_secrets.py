"""Secrets that a pipeline names are looked for before a run on this machine starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from argosy.compiler import Request, compile, phases
from argosy.compiler.checks.missing_secret import missing_secrets

DEFINITION = """\
dag:
  steps:
    a: {type: task, command: m.f, secrets: [ONE, TWO]}
    b: {type: task, command: m.f, secrets: {TWO: VARIABLE}}
    c: {type: task, command: m.f, secrets: [TWO, THREE]}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ONE", "TWO", "THREE"):
        monkeypatch.delenv(name, raising=False)
    Path("p.yaml").write_text(DEFINITION)


def found(configuration: str) -> list[tuple[str, str]]:
    Path("c.yaml").write_text(configuration)
    compilation = compile(Request("p.yaml", ("c.yaml",)), until=phases.lower)
    return [(str(one.at), one.message) for one in missing_secrets(compilation)]


def test_each_secret_that_is_missing_is_named_with_its_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONE", "1")
    wrong = found("secrets: env")
    assert [at for at, _ in sorted(wrong)] == ["p.yaml:3:50", "p.yaml:5:50"]
    messages = dict(wrong)
    assert "secret 'TWO' is not there: set TWO" in messages["p.yaml:3:50"]
    assert "(named by steps 'a' and 2 more)" in messages["p.yaml:3:50"]
    assert "(named by step 'c')" in messages["p.yaml:5:50"]


def test_nothing_is_wrong_where_all_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ONE", "TWO", "THREE"):
        monkeypatch.setenv(name, "")
    assert found("secrets: env") == []


@pytest.mark.parametrize("executor", ["local", "local-container, config: {image: i}"])
def test_a_secrets_file(executor: str) -> None:
    pytest.importorskip("dotenv")
    Path(".env").write_text("ONE=1\nTHREE=3\n")
    wrong = found(f"executor: {{type: {executor}}}\nsecrets: dotenv")
    assert [message.partition(":")[0] for _, message in wrong] == ["secret 'TWO' is not there"]


def test_secrets_of_pods_are_not_looked_for_here() -> None:
    config: Any = "executor: {type: argo, config: {image: i}}\n"
    assert found(config + "secrets: {type: kubernetes, config: {secret: s}}") == []
