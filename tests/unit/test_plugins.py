"""Integrations of a user's own, from `plugins:` in the configuration, through the command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from examples import argosy
from plugins import WORD_FOR_WORD

PIPELINE = """
dag:
  steps:
    show: {type: task, command_type: shell, command: 'export ARGOSY_PRM_seen="$CENTRE at $WHEN"'}
"""
PLUGIN = """
import os

from argosy.runtime.integrations import BaseIntegration


class Costs(BaseIntegration):
    mode_type = "local"
    service_type = "run-log-store"
    service_provider = "file-system"

    def configure_for_traversal(self, **kwargs):
        self.executor.environment["CENTRE"] = "data"
        self.service.config["location"] = "kept"

    def configure_for_execution(self, **kwargs):
        self.executor.environment["WHEN"] = "execution"
"""


PACKAGE = """
[project]
name = "company-argosy"
version = "1"

[project.entry-points."argosy.integrations"]
credentials = "company_argosy:LocalContainerComputeS3Store"

[tool.setuptools]
py-modules = ["company_argosy"]
"""


def project(folder: Path, plugin: str = PLUGIN) -> Path:
    (folder / "p.yaml").write_text(PIPELINE)
    (folder / "costs.py").write_text(plugin)
    (folder / "c.yaml").write_text("plugins: [costs]")
    return folder


def test_both_stages_reach_the_step(tmp_path: Path) -> None:
    folder = project(tmp_path)
    environment = {"PYTHONPATH": str(folder)}
    planned = argosy("plan", "p.yaml", "-c", "c.yaml", cwd=folder, **environment)
    assert "CENTRE" in planned.stdout
    assert "location=kept" in planned.stdout
    found = argosy("run", "p.yaml", "-c", "c.yaml", cwd=folder, **environment)
    assert found.returncode == 0, found.stderr
    assert 'seen: "data at execution"' in found.stdout
    assert (folder / "kept" / "runs").is_dir()


def test_what_is_wrong_with_a_plugin_names_it_and_the_hook(tmp_path: Path) -> None:
    cases = {
        PLUGIN.replace("traversal(self, **kwargs)", "traversal(self)"):
            "Costs.configure_for_traversal has another signature",
        PLUGIN.replace("configure_for_execution", "configure_for_executoin"):
            "did you mean 'configure_for_execution'",
        PLUGIN.replace('"run-log-store"', '"runlog"'): "Costs.service_type is 'runlog'",
        PLUGIN.replace('= "data"', '= 1 / 0'): "costs.Costs.configure_for_traversal failed: Zero",
        PLUGIN + "\n\nclass More(Costs):\n    pass\n": "two integrations",
        "import nothing_there": "cannot import costs",
    }  # fmt: skip
    for plugin, expected in cases.items():
        folder = project(tmp_path, plugin)
        found = argosy("check", "p.yaml", "-c", "c.yaml", cwd=folder, PYTHONPATH=str(folder))
        assert found.returncode == 1
        assert expected in found.stderr
        assert "Traceback" not in found.stderr


def test_an_installed_package_brings_one_by_its_entry_point(tmp_path: Path) -> None:
    source, installed = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    (source / "pyproject.toml").write_text(PACKAGE)
    (source / "company_argosy.py").write_text(WORD_FOR_WORD)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--target", str(installed), str(source)], check=True)
    (tmp_path / "credentials").touch()
    (tmp_path / "p.yaml").write_text(PIPELINE)
    (tmp_path / "c.yaml").write_text(
        "executor: {type: local-container, config: {image: i}}\n"
        "run_log_store: {type: s3, config: {bucket: b}}\n"
    )
    environment = {
        "PYTHONPATH": str(installed),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    planned = argosy("plan", "p.yaml", "-c", "c.yaml", cwd=tmp_path, **environment)
    assert f"{tmp_path}/credentials: /root/.aws/credentials (ro)" in planned.stdout, planned.stderr


@pytest.mark.parametrize("hook", ["validate", "configure_for_traversal", "configure_for_execution"])
def test_what_a_hook_raises_names_it_and_is_no_traceback(tmp_path: Path, hook: str) -> None:
    raises = f"    def {hook}(self, **kwargs):\n        raise KeyError('cost centre')\n"
    folder = project(tmp_path, f"{PLUGIN.partition('    def ')[0]}{raises}")
    found = argosy("run", "p.yaml", "-c", "c.yaml", cwd=folder, PYTHONPATH=str(folder))
    assert found.returncode == (2 if hook == "configure_for_execution" else 1)
    said = f"the integration costs.Costs.{hook} failed: KeyError: 'cost centre'"
    assert said in found.stderr
    assert "Traceback" not in found.stderr


TALKATIVE = PLUGIN.replace("import os\n", "import os\n\nprint('imported')\n").replace(
    '"""', ""
).replace("    def configure_for_traversal(self, **kwargs):\n", (
    "    def validate(self, **kwargs):\n        print('validated')\n\n"
    "    def configure_for_traversal(self, **kwargs):\n"
))  # fmt: skip


def test_what_a_plugin_prints_is_no_part_of_a_result(tmp_path: Path) -> None:
    folder = project(tmp_path, TALKATIVE)
    options = ("-c", "c.yaml", "-o", "json")
    ran = argosy("run", "p.yaml", *options, cwd=folder, PYTHONPATH=str(folder))
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["parameters"] == {"seen": "data at execution"}
    assert "imported" in ran.stderr
    assert "validated" in ran.stderr


NODE = """
def parse(fields, nested):
    %s
    yield from ()
    return %s
"""


@pytest.mark.parametrize(
    ("body", "made", "expected"),
    [
        ("raise KeyError('x')", "None", "failed: KeyError: 'x'"),
        ("pass", "5", "made no node of argosy.compiler.graph, but int"),
        ("1 +", "5", "cannot import nodes_plugin (SyntaxError"),
    ],
)
def test_a_broken_type_of_node_is_named_at_the_step(
    body: str, made: str, expected: str, tmp_path: Path
) -> None:
    info = tmp_path / "company_nodes-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: company-nodes\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[argosy.nodes]\nwait = nodes_plugin:parse\n")
    (tmp_path / "nodes_plugin.py").write_text(NODE % (body, made))
    (tmp_path / "p.yaml").write_text("dag: {steps: {a: {type: wait}}}")
    found = argosy("check", "p.yaml", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (found.returncode, "Traceback" in found.stderr) == (1, False)
    origin = "entry point 'wait' in argosy.nodes of the distribution company-nodes 1.2"
    assert found.stderr.startswith(f"p.yaml:1:25: error: {origin}")
    assert expected in found.stderr


def test_an_attribute_that_no_executor_has_is_warned_of(tmp_path: Path) -> None:
    plugin = PLUGIN.replace('self.executor.environment["CENTRE"] =', "self.executor.volume =")
    folder = project(tmp_path, plugin)
    done = argosy("check", "p.yaml", "-c", "c.yaml", cwd=folder, PYTHONPATH=str(folder))
    assert done.returncode == 0
    assert "integration costs.Costs set 'volume', which no executor has" in done.stderr
    assert "did you mean 'volumes'?" in done.stderr
