"""A patch of pods that counts attempts, where a step has one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.compiler import Request, compile, phases
from argosy.compiler.errors import SettingsError

PATCH = {"containers": [{"name": "main", "workingDir": "/work/{{retries}}"}]}


def integrate(folder: Path, config: dict[str, Any], **step: Any) -> None:
    steps = {"a": {"type": "task", "command": "m.f", **step}}
    (folder / "p.yaml").write_text(json.dumps({"dag": {"steps": steps}}))
    executor = {"type": "argo", "config": {"image": "i", "pod_spec_patch": PATCH, **config}}
    (folder / "c.yaml").write_text(json.dumps({"executor": executor}))
    request = Request(str(folder / "p.yaml"), (str(folder / "c.yaml"),))
    compile(request, until=phases.integrate)


def test_a_step_that_is_tried_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="step 'a' has no retry") as wrong:
        integrate(tmp_path, {})
    assert wrong.value.problems[0].at is not None


def test_steps_that_are_tried_again(tmp_path: Path) -> None:
    integrate(tmp_path, {"retry": 2})
    integrate(tmp_path, {}, retry=3)


def test_a_variable_that_argo_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"Argo has no variable 'worklow\.name'"):
        integrate(tmp_path, {"labels": {"run": "{{worklow.name}}"}, "retry": 2})
