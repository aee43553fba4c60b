"""Nodes in ConfigMaps, where a workflow would be too large with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from argosy.compiler.argo.apart import FOLDER, MAP_BYTES, apart
from argosy.compiler.argo.size import STORED_SPECS, size_of
from argosy.compiler.compilation import Compilation
from argosy.compiler.errors import ManifestError
from argosy.compiler.graph import Graph, Task
from argosy.runtime.node import decode
from definitions import steps
from lowered import compiled, manifest

TEXT = "# {{workflow.name}} $(id) ${x} \x7f\u2028\n"


def graph(**changed: str) -> Graph:
    """Forty steps, each too long for all to stand in one workflow; and a map."""
    commands = {f"s{i}": f"echo {i} {TEXT}" + f"{i:02}" * 7000 for i in range(40)} | changed
    lines = [
        f"{name}: {{type: task, command_type: shell, command: {json.dumps(command)}}}"
        for name, command in commands.items()
    ]
    inner = "branch: {steps: {x: {type: task, command: a.b, retry: 2}}}"
    lines.append(f"m: {{type: map, iterate_on: xs, iterate_as: x, {inner}}}")
    return steps("\n".join(lines))


def compilation(**changed: str) -> Compilation:
    return compiled(graph(**changed), until="verify", parameters={"xs": [1]})


def maps(found: Compilation) -> dict[str, dict[str, str]]:
    return {
        one.data["metadata"]["name"]: one.data["data"]
        for one in found.manifests
        if one.template == "configmap"
    }


def references(spec: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Each task's node, and the ConfigMap that its pod mounts."""
    inputs = {
        template["name"]: {p["name"]: p.get("value") for p in template["inputs"]["parameters"]}
        for template in spec["templates"]
        if template["name"].startswith("run")
    }
    found = {}
    for task in spec["templates"][0]["dag"]["tasks"]:
        given = {p["name"]: p["value"] for p in task["arguments"]["parameters"]}
        values = {**inputs[task["template"]], **given}
        found[task["name"]] = values["node"], values["nodes"]
    return found


def test_nodes_stay_in_the_workflow_while_it_can_hold_them() -> None:
    found = compiled(steps("a: {type: task, command: a.b}"))
    assert maps(found) == {}
    assert "configMap" not in json.dumps(manifest(found, "workflowtemplate"))


def test_every_task_finds_its_node(tmp_path: Path) -> None:
    found = compilation()
    spec, data = manifest(found, "workflowtemplate")["spec"], maps(found)
    commands = {
        name: node.spec.command
        for name, node in graph().nodes.items()
        if isinstance(node.spec, Task)
    }
    for name, (text, home) in references(spec).items():
        (tmp_path / json.loads(text)["in"]).write_text(data[home][json.loads(text)["in"]])
        node = decode(text, str(tmp_path))
        assert node.step == ("m/*/x" if name == "m" else name)
        assert node.command == commands.get(name, "a.b")
        assert node.digest() == decode(data[home][json.loads(text)["in"]]).digest()
    assert size_of(spec, STORED_SPECS).total < 100_000


def test_a_pod_mounts_its_own_node_and_no_other() -> None:
    (template,) = (
        one
        for one in manifest(compilation(), "workflowtemplate")["spec"]["templates"]
        if one["name"] == "run-arguments"
    )
    key = "{{=jsonpath(inputs.parameters.node,'$.in')}}"
    assert template["volumes"][-1]["configMap"] == {
        "name": "{{inputs.parameters.nodes}}",
        "items": [{"key": key, "path": key}],
    }
    assert template["container"]["volumeMounts"][-1]["mountPath"] == FOLDER
    assert {"name": "ARGOSY_NODES", "value": FOLDER} in template["container"]["env"]


def test_a_config_map_is_immutable_small_and_kept() -> None:
    found = [one.data for one in compilation().manifests if one.template == "configmap"]
    assert len(found) > 2
    for one in found:
        assert one["immutable"]
        assert len(json.dumps(one["data"])) <= MAP_BYTES
        assert one["metadata"]["labels"]["argosy.dev/part"] == "nodes"
        assert one["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false"


def test_what_changes_in_one_step_changes_one_config_map() -> None:
    before, after = maps(compilation()), maps(compilation(s7="echo another"))
    assert len(before) == len(after)
    assert len(after.keys() - before.keys()) == 1
    assert maps(compilation()) == before


def test_a_template_of_the_whole_cluster_is_refused_instead() -> None:
    with pytest.raises(ManifestError, match="limit of an object's size"):
        compiled(
            graph(), {"kind": "ClusterWorkflowTemplate"}, until="verify", parameters={"xs": [1]}
        )


def test_an_object_too_large_for_an_annotation_is_warned_of() -> None:
    long = "{type: task, command_type: shell, command: " + "x" * 70_000 + "}"
    found = compiled(steps("\n".join(f"s{i}: {long}" for i in range(5))), until="verify")
    assert maps(found) == {}
    (warning,) = found.warnings
    assert "WorkflowTemplate p: has 35" in warning.message
    assert "--server-side" in warning.hint


def test_a_task_still_says_what_kind_of_node_it_has() -> None:
    """Who watches the workflow counts steps, and neither controls nor a `fail` not reached."""
    node = {"name": "node", "value": '{"step":"a","type":"control"}'}
    task = {"name": "a", "template": "run", "arguments": {"parameters": [node]}}
    run = {"name": "run", "inputs": {"parameters": [{"name": "node"}]}, "container": {}}
    spec, _ = apart({"templates": [{"name": "main", "dag": {"tasks": [task]}}, run]}, "p")
    (given,) = spec["templates"][0]["dag"]["tasks"][0]["arguments"]["parameters"]
    assert json.loads(given["value"])["type"] == "control"
