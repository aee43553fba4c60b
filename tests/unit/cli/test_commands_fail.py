"""Every command, given input that is wrong: a message and an exit status, and no traceback."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import argosy
from argosy.compiler.cli import COMMANDS
from examples import argosy as command

WRONG = {
    "init": ["taken"],
    "check": ["missing.yaml"],
    "graph": ["missing.yaml"],
    "plan": ["missing.yaml"],
    "image": ["-e", "nothing"],
    "render": ["p.yaml", "-c", "wrong.yaml"],
    "diff": ["p.yaml", "-c", "wrong.yaml", "--dir", "."],
    "apply": ["p.yaml", "-c", "wrong.yaml"],
    "run": ["p.yaml", "-c", "wrong.yaml"],
    "submit": ["p.yaml", "-c", "wrong.yaml"],
    "watch": ["latest", "-c", "wrong.yaml"],
    "stop": ["latest", "-c", "wrong.yaml"],
    "retry": ["latest", "-c", "wrong.yaml"],
    "runs": ["-c", "wrong.yaml"],
    "show": ["latest", "-c", "wrong.yaml"],
    "logs": ["latest", "-c", "wrong.yaml"],
    "get": ["latest", "-c", "wrong.yaml"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_error_is_a_message_and_no_traceback(name: str, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "pipeline.yaml").touch()
    (tmp_path / "p.yaml").write_text("dag: {steps: {a: {type: stub}}}")
    (tmp_path / "wrong.yaml").write_text("run_log_store: {type: nowhere}")
    found = command(name, *WRONG[name], cwd=tmp_path)
    assert found.returncode == (2 if name == "diff" else 1)
    assert found.stdout == ""
    assert "error: " in found.stderr
    assert "Traceback" not in found.stderr


def packages() -> list[ModuleType]:
    found = pkgutil.walk_packages(argosy.__path__, "argosy.")
    return [importlib.import_module(info.name) for info in found if info.ispkg]


def test_no_module_takes_the_place_of_a_function_of_its_package() -> None:
    """The attribute of a package that a submodule is called like is the module, once it is
    imported, whatever the package had defined."""
    for package in packages():
        source = Path(str(package.__file__)).read_text()
        for info in pkgutil.iter_modules(package.__path__):
            assert f"\ndef {info.name}(" not in source, f"{package.__name__}.{info.name}"
            assert f"\nclass {info.name}(" not in source, f"{package.__name__}.{info.name}"
