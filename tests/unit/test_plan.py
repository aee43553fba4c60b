"""`argosy plan`: what each step will get."""

import json
from pathlib import Path

import pytest

from examples import argosy

PIPELINE = """
name: p
dag:
  steps:
    a:
      type: task
      command: a.b
      secrets: [TOKEN]
      env: {LEVEL: debug}
      retry: 3
      timeout: 90
      overrides: {argo: {resources: {limits: {memory: 4Gi}}, env: {MORE: x}}}
    b: {type: task, command_type: shell, command: echo, depends_on: [a]}
"""
ARGO = """
executor:
  type: argo
  config: {image: "i:1", env: {ALL: x}, claims: {runs: /runs}}
run_log_store: {type: s3, config: {bucket: logs}}
catalog: {type: file-system}
secrets: {type: kubernetes, config: {secret: mine}}
"""


def test_each_step_with_all_that_its_pod_has(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    (tmp_path / "argo.yaml").write_text(ARGO)
    found = argosy("plan", "p.yaml", "-c", "argo.yaml", "-o", "json", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    plan = json.loads(found.stdout)
    assert (plan["executor"], plan["extras"]) == ("argo", ["aws"])
    assert plan["services"]["catalog"]["config"]["location"] == "/runs/argosy/catalog"
    size = plan["size"]
    assert (size["levels"], size["tasks"], size["config_maps"]) == (2, 2, 0)
    assert size["object"] == 2 * size["spec"] + size["status"] < size["limit"] == 900 * 1024
    first, second = plan["steps"]
    assert first["image"] == second["image"] == "i:1"
    assert first["command"] == "python: a.b"
    assert first["secrets"] == {"TOKEN": "get_secret"}
    assert {"ALL", "MORE", "LEVEL"} <= set(first["environment"])
    assert "MORE" not in second["environment"]
    assert first["resources"] == {"limits": {"memory": "4Gi"}}
    assert first["volumes"] == {"runs": "/runs"}
    assert (first["retry"], first["timeout"]) == (3, "90s")


def test_as_text(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PIPELINE)
    (tmp_path / "argo.yaml").write_text(ARGO)
    lines = argosy("plan", "p.yaml", "-c", "argo.yaml", cwd=tmp_path).stdout.splitlines()
    assert lines[0] == "p on argo"
    assert "  to install     argosy[aws]" in lines
    (size,) = (line for line in lines if line.startswith("  size "))
    assert "of 900 KiB while it runs: 2 x" in size
    assert "  secrets        TOKEN: get_secret" in lines


def test_what_a_notebook_needs_and_what_an_approval_asks(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("""
dag:
  steps:
    n: {type: task, command_type: notebook, command: n.ipynb}
    a: {type: approval, message: Publish?, timeout: 1h, depends_on: [n]}
""")
    plan = json.loads(argosy("plan", "p.yaml", "-o", "json", cwd=tmp_path).stdout)
    assert plan["extras"] == ["notebook"]
    assert plan["steps"][0]["command"] == "notebook: n.ipynb"
    assert plan["steps"][1] == {"step": "a", "approval": "Publish?", "timeout": "3600s"}


@pytest.mark.parametrize("engine", ["argo", "kubernetes"])
def test_what_the_executor_gives_to_steps_that_do_not_say(tmp_path: Path, engine: str) -> None:
    claims = "{there: /t, made: {mount_path: /m, create: true, size: 1Gi}}"
    config = f"{{image: i, retry: 4, timeout: 10m, claims: {claims}}}"
    (tmp_path / "p.yaml").write_text("""
dag:
  steps:
    a: {type: task, command: a.b}
    b: {type: task, command: a.b, retry: 1, timeout: 5}
""")
    (tmp_path / "c.yaml").write_text(f"executor: {{type: {engine}, config: {config}}}")
    (tmp_path / "c.lab.yaml").touch()
    found = argosy("plan", "p.yaml", "-c", "c.yaml", "--env", "lab", "-o", "json", cwd=tmp_path)
    a, b = json.loads(found.stdout)["steps"]
    assert (a["retry"], a["timeout"]) == (4, "600s")
    assert (b["retry"], b["timeout"]) == (None, "5s")
    assert a["volumes"] == {"there": "/t", "made-lab": "/m"}
