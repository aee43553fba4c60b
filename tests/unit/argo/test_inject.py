"""The runtime put into pods whose image has none, and the image that brings it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from definitions import steps
from examples import argosy
from lowered import spec

RUN = "type: task, command: a.b"
BOX = "type: task, command_type: container, image: 'box:1', command: /box"
INJECT = {"runtime": {"inject": True, "image": "runtime:1"}, "image_pull_policy": "Never"}


def templates(found: Any) -> dict[str, Any]:
    return {one["name"]: one for one in found["templates"] if "container" in one}


def env(container: Any) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in container["env"]}


def test_every_pod_gets_it_before_it_starts() -> None:
    found = templates(
        spec(steps(f"a: {{{RUN}}}"), config={**INJECT, "env": {"PYTHONPATH": "/app"}})
    )
    assert {*found} == {"run-arguments", "end"}
    for template in found.values():
        (before,) = template["initContainers"]
        container = template["container"]
        assert (before["image"], before["imagePullPolicy"]) == ("runtime:1", "Never")
        assert before["command"] == ["cp", "-R", "/opt/argosy/.", "/argosy-runtime"]
        assert container["image"] != before["image"]
        assert env(container)["PYTHONPATH"] == "/app:/argosy-runtime/lib"
        (own,) = (m for m in container["volumeMounts"] if m["name"] == "argosy-runtime")
        assert own == {"name": "argosy-runtime", "mountPath": "/argosy-runtime", "readOnly": True}
        assert {"name": "argosy-runtime", "emptyDir": {}} in template["volumes"]


def test_a_step_may_have_its_own() -> None:
    over = {"a": {**INJECT, "runtime": {"inject": False, "image": "runtime:1"}}}
    found = templates(spec(steps(f"a: {{{RUN}}}\nb: {{{RUN}}}"), config=INJECT, steps=over))
    with_it = {name: "initContainers" in template for name, template in found.items()}
    assert with_it == {"run-arguments-own": False, "run-arguments": True, "end": True}


def test_beside_a_container_of_the_users_the_image_that_brings_it_runs() -> None:
    found = templates(spec(steps(f"a: {{{BOX}}}"), config=INJECT))["run-container-arguments"]
    (before,), (task,) = found["initContainers"], found["sidecars"]
    assert [before["image"], found["container"]["image"], task["image"]] == [
        *(["runtime:1"] * 2),
        "box:1",
    ]
    assert "argosy-runtime" not in [mount["name"] for mount in task["volumeMounts"]]
    assert "PYTHONPATH" not in env(task)


@pytest.mark.parametrize("extra", ["", "aws"])
def test_the_image_is_built_of_a_file_and_this_very_runtime(tmp_path: Path, extra: str) -> None:
    options = ["-e", extra] if extra else []
    done = argosy("image", *options, "--base", "python:3.12-slim", "-o", "image", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "image"
    text = (folder / "Dockerfile").read_text()
    assert "FROM python:3.12-slim\n" in text
    assert ("boto3" in text) == bool(extra)
    assert argosy("image", *options, "--base", "python:3.12-slim", cwd=tmp_path).stdout == text
    # As a pod has it: the folder alone, on Python's path.
    (folder / "lib").mkdir()
    (folder / "argosy").rename(folder / "lib" / "argosy")
    (folder / "extras").mkdir()
    (folder / "extras" / "an_extra.py").write_text("print('found last')")
    given = {"PYTHONPATH": str(folder / "lib"), "ARGOSY_EXTRAS": str(folder / "extras")}
    program = "import argosy.runtime.extras as e; e.find(); import an_extra; print(e.__file__)"
    found = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={**os.environ, **given},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout.split("\n")[:2] == [
        "found last",
        str(folder / "lib/argosy/runtime/extras.py"),
    ]


def test_it_writes_over_nothing_but_its_own(tmp_path: Path) -> None:
    assert argosy("image", "-o", ".", cwd=tmp_path).returncode == 0
    assert argosy("image", "-o", ".", "-e", "db", cwd=tmp_path).returncode == 0
    (tmp_path / "Dockerfile").write_text("FROM mine\n")
    refused = argosy("image", "-o", ".", cwd=tmp_path)
    assert (refused.returncode, (tmp_path / "Dockerfile").read_text()) == (1, "FROM mine\n")
    assert "is already there, and not of `argosy image`" in refused.stderr
    unknown = argosy("image", "-e", "awz", cwd=tmp_path)
    assert (unknown.returncode, "there are: dotenv, aws, db" in unknown.stderr) == (1, True)
