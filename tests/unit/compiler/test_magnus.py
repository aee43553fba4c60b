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
