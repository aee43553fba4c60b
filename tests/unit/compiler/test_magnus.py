"""Definitions and configurations as they are written for Magnus: nothing in them has to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.compiler import Compilation, Request, compile, phases
from argosy.compiler.errors import CompileError
from argosy.compiler.graph import Map, Retry, Stub, Task

DEFINITION = """
dag:
  description: |
    Splits ${nothing} and works on each $part.
  start_at: split it
  steps:
    split it:
      type: task
      command_type: shell
      command: export MAGNUS_PRM_parts='[0, 10]'; echo $HOME
      catalog: {compute_data_folder: data, put: ["*.csv"]}
      retry: 2
      next: each part
    each part:
      type: map
      iterate_on: parts
      iterate_as: start
      next: later
      overrides: {argo: sequential}
      branch:
        start_at: work
        steps:
          work:
            type: task
            command: jobs.work
            next: success
            on_failure: fail
            overrides:
              argo: heavy
              local-container: {docker_image: other, environment: {A: b}}
          success: {type: success}
          fail: {type: fail}
    later: {type: as-is, command: rm -r data, whatever: [1], next: success}
    success: {type: success}
    fail: {type: fail}
"""
ARGO = """
executor:
  type: argo
  config:
    image: $image
    max_workflow_duration_in_seconds: 7200
    node_selector:
    parallelism: 4
    service_account_name: runner
    resources: {limits: {memory: 256Mi}, requests: }
    retry_strategy: {limit: 0, retryPolicy: always, backoff: {duration: , factor: , max_duration: }}
    max_step_duration_in_seconds: 60
    tolerations:
    image_pull_policy: ""
    persistent_volumes: [{name: work, mount_path: /mnt}]
    overrides:
      sequential: {parallelism: 1}
      heavy: {resources: {limits: {memory: 1Gi}}}
run_log_store: {type: chunked-fs, config: {log_folder: /mnt/run_log_store}}
catalog: {type: file-system, config: {catalog_location: /mnt/catalog}}
secrets: {type: do-nothing}
experiment_tracker: {type: do-nothing}
"""
HERE = """
mode: {type: local, config: {enable_parallel: true}}
run_log: {type: chunked-fs}
catalog: {type: file-system}
secrets: {type: env-secrets-manager, config: {prefix: my_}}
"""


def compiled(folder: Path, configuration: str, until: phases.Phase) -> Compilation:
    (folder / "split.yaml").write_text(DEFINITION)
    (folder / "magnus.yaml").write_text(configuration)
    request = Request(str(folder / "split.yaml"), (str(folder / "magnus.yaml"),), {"image": "i:1"})
    return compile(request, until=until)


def test_a_pipeline_is_rendered(tmp_path: Path) -> None:
    found = compiled(tmp_path, ARGO, phases.verify)
    assert found.pipeline.name == "split"
    spec: dict[str, Any] = yaml.safe_load(found.files["workflowtemplate.yaml"])["spec"]
    assert (spec["serviceAccountName"], spec["parallelism"]) == ("runner", 4)
    assert spec["activeDeadlineSeconds"] == 7200
    bounds = [t["parallelism"] for t in spec["templates"] if "parallelism" in t]
    assert bounds == [1], "the block that the map names bounds the map"
    memory = {
        t["container"]["resources"]["limits"]["memory"]
        for t in spec["templates"]
        if t["name"] != spec["onExit"] and "container" in t
    }
    assert memory == {"256Mi", "1Gi"}
    assert not found.warnings


def test_a_pipeline_runs_here(tmp_path: Path) -> None:
    found = compiled(tmp_path, HERE, phases.lower)
    split, each, later = (found.pipeline.graph.nodes[n].spec for n in found.pipeline.graph.nodes)
    assert isinstance(split, Task)
    assert (split.put, split.retry) == (("data/*.csv",), Retry(2))
    assert isinstance(each, Map)
    assert each.max_parallel is None, "that is a bound on argo"
    assert later == Stub()


@pytest.mark.parametrize("bound", ["0", "many", "true"])
def test_a_maps_bound_is_a_number(bound: str, tmp_path: Path) -> None:
    wrong = ARGO.replace("{parallelism: 1}", f"{{parallelism: {bound}}}")
    with pytest.raises(CompileError, match=r"magnus\.yaml:17:33: error: parallelism: "):
        compiled(tmp_path, wrong, phases.verify)


def test_a_task_has_no_bound(tmp_path: Path) -> None:
    wrong = ARGO.replace("heavy: {", "heavy: {parallelism: 2, ")
    with pytest.raises(CompileError, match="'parallelism' is of a workflow or a map, and this is"):
        compiled(tmp_path, wrong, phases.verify)


ENDS = "success: {type: success}, fail: {type: fail}"


def one(folder: Path, step: str, configuration: str = "", head: str = "") -> Compilation:
    """A definition of one step, `s`, compiled to the end."""
    text = f"{head}dag: {{start_at: s, steps: {{s: {{{step}, next: success}}, {ENDS}}}}}\n"
    (folder / "p.yaml").write_text(text)
    (folder / "c.yaml").write_text(configuration)
    until = phases.verify if "type: argo" in configuration else phases.lower
    return compile(Request(str(folder / "p.yaml"), (str(folder / "c.yaml"),)), until=until)


def template(found: Compilation) -> dict[str, Any]:
    """The template of the step `s`."""
    spec = yaml.safe_load(found.files["workflowtemplate.yaml"])["spec"]
    (step,) = (
        one for one in spec["templates"] if "exec" in one.get("container", {}).get("args", ())
    )
    assert isinstance(step, dict)
    return step


TASK = "type: task, command: a.b"
IMAGE = "executor: {type: argo, config: {image: i, %s}}\n"


def test_secrets_from_k8s_are_variables_and_secrets(tmp_path: Path) -> None:
    one_of_them = "{environment_variable: my_PASS, secret_name: db, secret_key: pw}"
    configuration = IMAGE % f"secrets_from_k8s: [{one_of_them}]"
    configuration += "secrets: {type: env-secrets-manager, config: {prefix: my_}}"
    found = one(tmp_path, TASK, configuration)
    assert found.settings.secrets.type == "kubernetes"
    assert found.settings.secrets.config == {"objects": {"PASS": "db/pw"}}
    references = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]
        for variable in template(found)["container"]["env"]
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    expected = {"name": "db", "key": "pw"}
    assert references == {"my_PASS": expected, "ARGOSY_SECRET_PASS": expected}


def test_secrets_from_k8s_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match=r"c\.yaml:1:61: error: .*secrets_from_k8s"):
        one(tmp_path, TASK, IMAGE % "secrets_from_k8s: [{secret_name: db}]")


def test_a_retry_strategy_has_the_names_of_its_model(tmp_path: Path) -> None:
    backoff = "{duration_in_seconds: 30, factor: 2, max_duration: 600}"
    strategy = f"{{limit: 3, retry_policy: Always, back_off: {backoff}}}"
    found = one(tmp_path, TASK, IMAGE % f"retry_strategy: {strategy}")
    assert {"name": "limit", "value": "3"} in template(found)["inputs"]["parameters"]
    backoff_of = template(found)["retryStrategy"]["backoff"]
    assert backoff_of == {"duration": "30s", "factor": "2", "cap": "600s"}


def test_a_gpu_is_nvidias(tmp_path: Path) -> None:
    found = one(tmp_path, TASK, IMAGE % "resources: {limits: {gpu: 1, memory: 1Gi}}")
    limits = template(found)["container"]["resources"]["limits"]
    assert limits == {"nvidia.com/gpu": "1", "memory": "1Gi"}
    override = "overrides: {argo: {resources: {limits: {gpu: 2}}}}"
    found = one(tmp_path, f"{TASK}, {override}", IMAGE % "")
    assert template(found)["container"]["resources"]["limits"] == {"nvidia.com/gpu": "2"}


def test_a_name_of_the_executor_names_the_pipeline(tmp_path: Path) -> None:
    found = one(tmp_path, TASK, IMAGE % "name: magnus-dag-")
    assert found.pipeline.name == "magnus-dag"
    named = one(tmp_path, TASK, IMAGE % "name: magnus-dag-", "name: own\n")
    assert named.pipeline.name == "own"


@pytest.mark.parametrize(
    ("own", "expected"),
    [("", "data/*"), ("compute_data_folder: ., ", "*"), ("compute_data_folder: x/, ", "x/*")],
)
def test_patterns_are_relative_to_the_data_folder(own: str, expected: str, tmp_path: Path) -> None:
    catalog = "catalog: {type: file-system, config: {compute_data_folder: data}}"
    found = one(tmp_path, f"{TASK}, catalog: {{{own}put: ['*'], get: ['*']}}", catalog)
    spec = found.pipeline.graph.nodes["s"].spec
    assert isinstance(spec, Task)
    assert (spec.get, spec.put) == ((expected,), (expected,))


def test_a_lambda_is_shown_as_a_function(tmp_path: Path) -> None:
    step = "type: task, command_type: python-lambda, command: 'lambda x: {\"y\": x + 1}'"
    with pytest.raises(CompileError) as error:
        one(tmp_path, step)
    assert len(error.value.problems) == 1
    assert "`def compute(x): return {'y': x + 1}` in steps.py" in error.value.problems[0].hint


@pytest.mark.parametrize("parallel", [True, False])
def test_without_parallel_steps_run_one_by_one(parallel: bool, tmp_path: Path) -> None:
    said = str(parallel).lower()
    found = one(tmp_path, TASK, f"executor: {{type: local, config: {{enable_parallel: {said}}}}}")
    assert found.executor.config["max_workers"] == (None if parallel else 1)


def test_mocked_steps_have_no_bound(tmp_path: Path) -> None:
    config = "{enable_parallel: false, patches: {s: {command: c.d}}}"
    found = one(tmp_path, TASK, f"executor: {{type: mocked, config: {config}}}")
    assert found.pipeline.graph.nodes["s"].spec == Task("c.d")


def test_keys_for_other_places_are_left_alone(tmp_path: Path) -> None:
    head = "x-note: [1]\ntemplates: {t: &t {retry: 2}}\n"
    configuration = "x-c: {a: 1}\nlater: &later {location: kept}\n"
    configuration += "catalog: {type: file-system, config: *later}\n"
    found = one(tmp_path, f"<<: *t, {TASK}", configuration, head)
    spec = found.pipeline.graph.nodes["s"].spec
    assert isinstance(spec, Task)
    assert spec.retry == Retry(2)
    assert found.settings.catalog.config == {"location": "kept"}
    with pytest.raises(CompileError, match="a definition has no field 'templates'"):
        one(tmp_path, TASK, "", "templates: {t: 1}\n")


def test_a_notebooks_outputs_have_magnus_tag(tmp_path: Path) -> None:
    step = "type: task, command_type: notebook, command: n.ipynb"
    spec = one(tmp_path, step).pipeline.graph.nodes["s"].spec
    assert isinstance(spec, Task)
    assert spec.output_cell_tag == "magnus_output"
    named = one(tmp_path, step, "", "name: p\n").pipeline.graph.nodes["s"].spec
    assert isinstance(named, Task)
    assert named.output_cell_tag == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"dag: {{start_at: s, steps: {{s: {{type: stub, next: success}}, {ENDS}}}}}", True),
        (f"name: p\ndag: {{start_at: s, steps: {{s: {{type: stub}}, {ENDS}}}}}", False),
        ("dag: {start_at: s, steps: {s: {type: stub}}}", False),
        ("dag: {steps: {s: {type: stub}}}", False),
    ],
)
def test_a_definition_is_magnus_by_its_form(text: str, expected: bool, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(text)
    found = compile(Request(str(tmp_path / "p.yaml")), until=phases.resolve)
    assert found.pipeline.magnus is expected
    (tmp_path / "magnus-config.yaml").write_text("defaults: {}")
    found = compile(Request(str(tmp_path / "p.yaml")), until=phases.resolve)
    assert found.pipeline.magnus is ("start_at" in text and "name" not in text)


def test_what_is_taken_for_granted_is_warned_of(tmp_path: Path) -> None:
    found = one(tmp_path, f"{TASK}, catalog: {{put: [x]}}", "catalog: do-nothing\nsecrets: env")
    assert [warning.message for warning in found.warnings] == [
        "the catalog keeps nothing; these steps get or put files: s",
        "steps share the project's directory, as in Magnus, and see what others wrote there",
        "every step may read every secret of 'env', as in Magnus",
    ]
    assert found.executor.config["workdir"] == "shared"
    own = "executor: {type: local, config: {workdir: isolated}}"
    assert not one(tmp_path, TASK, own).warnings


def test_what_extends_magnus_and_is_not_used_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "team_magnus-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: team-magnus\nVersion: 1.0\nRequires-Dist: magnus>=0.5\n"
    )
    (info / "entry_points.txt").write_text("[secrets]\nvault = team_magnus:Vault\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    own = "executor: {type: local, config: {workdir: isolated}}"
    (warning,) = one(tmp_path, TASK, own).warnings
    assert (
        warning.message == "the distribution team-magnus extends Magnus (secrets) and is not used"
    )
