"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import argosy.compiler
import argosy.runtime


def modules(package: ModuleType) -> list[str]:
    """Those with examples."""
    root = Path(str(package.__file__)).parent
    return [
        ".".join((package.__name__, *path.relative_to(root).with_suffix("").parts))
        for path in sorted(root.rglob("*.py"))
        if ">>>" in path.read_text()
    ]


MODULES = {package.__name__: modules(package) for package in (argosy.compiler, argosy.runtime)}


def test_there_are_some() -> None:
    assert all(len(found) > 5 for found in MODULES.values())


@pytest.mark.parametrize("name", [name for found in MODULES.values() for name in found])
def test_examples_run(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0
