"""The options of a container: checked when compiling, merged in their order, shown by the plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from argosy.compiler import Request, compile, phases
from argosy.compiler.cli import argosy
from argosy.compiler.compilation import Compilation
from argosy.compiler.containers import container_plan
from argosy.compiler.errors import SettingsError
from argosy.runtime.errors import NodeError
from argosy.runtime.executors.container import LocalContainerExecutor

STEP = {"type": "task", "command": "a.b"}


def executor(**config: Any) -> LocalContainerExecutor:
    return LocalContainerExecutor({"image": "i", **config})


def compiled(
    folder: Path, config: Mapping[str, Any], steps: Mapping[str, Any], **services: Any
) -> Compilation:
    (folder / "p.yaml").write_text(json.dumps({"name": "P x", "dag": {"steps": steps}}))
    document = {"executor": {"type": "local-container", "config": config}, **services}
    (folder / "c.yaml").write_text(json.dumps(document))
    request = Request(str(folder / "p.yaml"), (str(folder / "c.yaml"),))
    return compile(request, until=phases.lower)


def test_what_is_left_out_has_its_default() -> None:
    assert executor().container() == {
        "image": "i",
        "command": ["python", "-m", "argosy.runtime"],
        "environment": {},
        "volumes": {},
        "network": None,
        "user": None,
        "working_dir": None,
        "pull_policy": "missing",
        "resources": {},
        "gpus": None,
    }


def test_each_option_has_one_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    found = executor(
        command="python3 -m 'a b'",
        user=1000,
        gpus=2,
        environment={"A": 1, "B": True},
        resources={"memory": "1.5Gi", "cpus": 2},
        volumes={"./data": {"bind": "/data", "mode": "ro"}, "~/x": "/x", "cache": "/cache"},
    ).container()
    assert found["command"] == ["python3", "-m", "a b"]
    assert (found["user"], found["gpus"]) == ("1000", "2")
    assert found["environment"] == {"A": "1", "B": "true"}
    assert found["resources"] == {"memory": 3 << 29, "cpus": 2}
    assert found["volumes"] == {
        f"{tmp_path}/data": {"bind": "/data", "mode": "ro"},
        "/home/me/x": {"bind": "/x", "mode": "rw"},
        "cache": {"bind": "/cache", "mode": "rw"},
    }


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"imag": "x"}, "no option 'imag'; did you mean 'image'"),
        ({"image": 1}, "which is no string"),
        ({"gpus": True}, "which is no text or number"),
        ({"pull_policy": "sometimes"}, "always, missing, never"),
        ({"working_dir": "x"}, "begins with /"),
        ({"resources": {"memory": "much"}}, "such as 512m or 2g"),
        ({"resources": {"memory": 0}}, "such as 512m"),
        ({"resources": {"cpu": 1}}, "no 'cpu'; did you mean 'cpus'"),
        ({"volumes": ["/data"]}, "no 'source:bind'"),
        ({"volumes": {"/a": {"bind": "b"}}}, "begins with /"),
        ({"volumes": ["/a:/b:rx"]}, "known: ro, rw"),
        ({"max_workers": 0}, "at least 1"),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(config: dict[str, Any], said: str) -> None:
    with pytest.raises(NodeError, match=said):
        executor(**config)


def test_a_step_overrides_what_integrations_left() -> None:
    made = executor(volumes=["/a:/a", "/b:/b"], environment={"A": "1", "B": "2"}, user="me")
    made.volumes["/log"] = {"bind": "/log", "mode": "rw"}
    made.volumes["/a"] = {"bind": "/moved", "mode": "rw"}
    made.network = "host"
    override = {
        "image": "other",
        "volumes": {"/a": {"mode": "ro"}, "/b": None, "/c": "/c"},
        "environment": {"A": None, "C": "3"},
        "resources": {"cpus": 1},
        "user": None,
    }
    found = made.container(override)
    assert (found["image"], found["network"], found["user"]) == ("other", "host", None)
    assert found["environment"] == {"B": "2", "C": "3"}
    assert found["resources"] == {"cpus": 1}
    assert found["volumes"] == {
        "/a": {"bind": "/moved", "mode": "ro"},
        "/c": {"bind": "/c", "mode": "rw"},
        "/log": {"bind": "/log", "mode": "rw"},
    }


def test_all_that_is_wrong_is_found_when_compiling(tmp_path: Path) -> None:
    steps = {
        "a": {**STEP, "overrides": {"local-container": {"max_workers": 2}}},
        "b": {**STEP, "overrides": {"local-container": {"imagee": "x"}}},
        "c": {**STEP, "overrides": {"local-container": "large"}},
    }
    config = {"build": {"file": "x"}, "overrides": {"large": {"resources": {"memory": "x"}}}}
    with pytest.raises(SettingsError) as caught:
        compiled(tmp_path, config, steps)
    said = str(caught.value)
    assert "step 'a': 'max_workers' is of the whole run" in said
    assert "step 'b': the executor 'local-container' has no option 'imagee'" in said
    assert "step 'c': memory of" in said
    assert "build has no option 'file'" in said


def test_the_plan_has_what_the_launcher_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    steps = {
        "a": {**STEP, "secrets": ["DB"]},
        # as Magnus has it
        "b": {**STEP, "executor_config": {"local-container": {"docker_image": "theirs"}}},
    }
    secrets = {"type": "env", "config": {"prefix": "APP_"}}
    found = container_plan(compiled(tmp_path, {}, steps, secrets=secrets), build=True)
    assert found["own"] == found["default"]["image"] == "localhost/argosy-p-x:latest"
    assert {path: spec["image"] for path, spec in found["steps"].items()} == {"b": "theirs"}
    assert found["secret_files"] == {"ARGOSY_SECRET_DB": "APP_DB"}
    assert found["default"]["volumes"] == {
        f"{tmp_path}/{part}": {"bind": f"{tmp_path}/{part}", "mode": "rw"}
        for part in (".argosy", ".argosy/catalog")
    }
    built = found["build"]
    assert (built["image"], built["context"]) == (found["own"], str(tmp_path))
    assert built["requires"] == []


def test_an_image_has_what_the_services_need(tmp_path: Path) -> None:
    secrets = {"type": "dotenv", "config": {}}
    found = container_plan(compiled(tmp_path, {}, {"a": STEP}, secrets=secrets), build=True)
    assert [each.partition(">")[0] for each in found["build"]["requires"]] == ["python-dotenv"]


def test_argosy_plan_shows_the_container(tmp_path: Path) -> None:
    config = {"image": "i:1", "volumes": ["/a:/b:ro"], "resources": {"cpus": 2}, "network": "host"}
    compiled(tmp_path, config, {"a": STEP})
    arguments = ["plan", str(tmp_path / "p.yaml"), "-c", str(tmp_path / "c.yaml")]
    shown = CliRunner().invoke(argosy, arguments).output
    assert "image          i:1" in shown
    assert "/a: /b (ro)" in shown
    assert "cpus: 2" in shown
    assert "network        host" in shown


def test_what_is_built_is_of_containers(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("dag: {steps: {a: {type: stub}}}")
    done = CliRunner().invoke(argosy, ["run", str(tmp_path / "p.yaml"), "--build"])
    assert done.exit_code == 2
    assert "--build goes with executor: {type: local-container}" in done.output
