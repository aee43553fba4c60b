"""Pipelines that are too large for one object, and one of many steps."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from argosy.compiler import Request, compile
from argosy.compiler.emit import stream
from cluster import OF_WORKFLOW, Cluster, from_template
from examples import argosy
from lowered import most_tasks
from runs import Lab, result, shown

STEPS = int(os.environ.get("ARGOSY_TEST_STEPS", "40"))
"""Of the graph of many steps. A pod takes two processors about a second."""
WIDTH = 18
PARALLELISM = 20
TEXT = "# {{workflow.name}} $(id) ${x}\n"


def many(steps: int) -> dict[str, Any]:
    """Groups that follow each other: a step, WIDTH steps side by side, and one that waits for all
    of them. No step does anything."""
    step = {"type": "task", "command_type": "shell", "command": "true"}
    found: dict[str, Any] = {}
    for group in range(steps // (WIDTH + 2)):
        before = [f"join-{group - 1}"] if group else []
        wide = [f"wide-{group}-{n}" for n in range(WIDTH)]
        found[f"fork-{group}"] = {**step, "depends_on": before}
        found |= {name: {**step, "depends_on": [f"fork-{group}"]} for name in wide}
        found[f"join-{group}"] = {**step, "depends_on": wide}
    return {"name": "many", "dag": {"steps": found}}


def test_a_graph_of_many_steps(lab: Lab) -> None:
    """Every step has a pod of its own, and a record that says that it succeeded."""
    lab.start(many(STEPS), parallelism=PARALLELISM)
    # `kubectl wait` watches: to list a thousand pods again and again would cost them the processor.
    lab.cluster.kubectl("wait", "workflow/many", "--for=condition=Completed", "--timeout=2h")
    found = lab.there("many")
    assert found["status"] == "succeeded"
    assert len(found["steps"]) == STEPS
    assert {a["status"] for step in found["steps"] for a in step["attempts"]} == {"succeeded"}
    pods = lab.cluster.kubectl("get", "pods", "-l", f"{OF_WORKFLOW}=many", "-o", "name").split()
    assert len(pods) == STEPS + 1


def test_a_graph_in_parts_ends_as_it_does_here(lab: Lab) -> None:
    """At most four tasks in a DAG; a handler, a recovery, a map over what the step before found."""
    run = {"type": "task", "command_type": "shell", "command": "true"}
    over = {"type": "map", "iterate_on": "xs", "iterate_as": "x", "branch": {"steps": {"do": run}}}
    finds = {**run, "command": "export ARGOSY_PRM_xs='[1, 2]'", "returns": ["xs"]}
    found: dict[str, Any] = {"a": run, "b": {**run, "depends_on": ["a"]}}
    found |= {f"wide{n}": {**run, "depends_on": ["b"]} for n in range(5)}
    wide = [f"wide{n}" for n in range(5)]
    found["bad"] = {**run, "command": "exit 3", "depends_on": wide, "on_failure": "mend"}
    found["mend"] = run
    found["find"] = {**finds, "depends_on": ["mend"]}
    found["each"] = {**over, "depends_on": ["find"]}
    found["never"] = {**run, "depends_on": ["bad"]}
    found["last"] = {**run, "depends_on": ["each"]}
    definition = {"name": "parts", "dag": {"steps": found}}
    with most_tasks(4):
        lab.render(definition)
        folder = str(lab.place("parts"))
        files = (f"{folder}/argo.yaml", f"{folder}/more.yaml")
        compilation = compile(Request(f"{folder}/pipeline.yaml", files))
    (workflow,) = (m.data for m in compilation.manifests if m.template == "workflowtemplate")
    dags = [one["dag"]["tasks"] for one in workflow["spec"]["templates"] if "dag" in one]
    assert len(dags) > 4
    assert max(map(len, dags)) <= 4
    lab.apply(stream(compilation.files))
    lab.cluster.create(from_template("parts", "parts", {}))
    assert result(lab.there("parts")) == result(lab.here("parts"))
    tried = len(found) - 1 + 2 - 1  # two items; `never` is not tried
    assert lab.pods("parts") == tried + 1


def test_nodes_in_config_maps_arrive(new_cluster: Callable[[], Cluster], lab: Lab) -> None:
    """Twelve steps whose scripts are too long for one workflow, renamed by an overlay."""
    cluster = new_cluster()
    folder = lab.place("long")
    filling = TEXT + "# " + "x" * 60_000
    steps = {
        f"s{n}": {
            "type": "task",
            "command_type": "shell",
            "command": f"export ARGOSY_PRM_p{n}={n}\n{filling}",
        }
        for n in range(12)
    }
    config = {**lab.configuration["executor"]["config"], "service_account": {"create": True}}
    claims = {"long-runs": {"mount_path": "/runs", "create": True, "size": "1Gi"}}
    executor = {"type": "argo", "config": {**config, "claims": claims}}
    (folder / "pipeline.yaml").write_text(json.dumps({"name": "long", "dag": {"steps": steps}}))
    (folder / "argo.yaml").write_text(json.dumps({**lab.configuration, "executor": executor}))
    done = argosy("render", "pipeline.yaml", "-c", "argo.yaml", "-o", "base", cwd=folder)
    assert done.returncode == 0, done.stderr
    overlay = {"resources": ["base"], "namePrefix": "team-", "namespace": cluster.namespace}
    (folder / "kustomization.yaml").write_text(json.dumps(overlay))
    cluster.apply(folder)
    assert len(cluster.get("configmaps", "-l", "argosy.dev/part=nodes")["items"]) > 2
    cluster.create(from_template("team-long", "long", {}))
    workflow = cluster.wait("long")
    assert workflow["status"]["phase"] == "Succeeded", cluster.report("long")
    run = f"long-{workflow['metadata']['uid'][:8]}"
    found = shown(run, folder, cluster.folder("team-long-runs") / "argosy")
    assert found["parameters"] == {f"p{n}": n for n in range(12)}
