"""Templates of the engine's own among the nodes of a graph: what they are given, and who keeps what
they leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from argosy.compiler import compile, phases
from argosy.compiler.compilation import Request
from argosy.compiler.errors import SettingsError
from definitions import steps
from engine import Engine, Json
from lowered import compiled, manifest, spec

RUN = "type: task, command: a.b"
ECHO = "{inputs: {parameters: [{name: x}]}, script: {image: i, command: [sh], source: 'echo'}}"
COUNT = (
    "{resource: {action: get, manifest: m},"
    " outputs: {parameters: [{name: result, valueFrom: {jsonPath: x}}]}}"
)


def tasks(found: Any, template: str = "main") -> dict[str, Any]:
    (dag,) = (one["dag"] for one in found["templates"] if one["name"] == template)
    return {task["name"]: task for task in dag["tasks"]}


def arguments(task: Any) -> dict[str, str]:
    return {one["name"]: one["value"] for one in task["arguments"]["parameters"]}


def test_one_without_outputs_is_a_task_and_no_more() -> None:
    found = spec(
        steps(
            "a: {type: argo, template: {suspend: {duration: '1'}}}\n"
            f"b: {{{RUN}, depends_on: [a]}}\n"
            "c: {type: argo, template_ref: {name: o, template: t}, depends_on: [b]}"
        )
    )
    assert list(tasks(found)) == ["a", "b", "c"]
    assert {"name": "a", "suspend": {"duration": "1"}} in found["templates"]
    assert tasks(found)["c"]["templateRef"] == {"name": "o", "template": "t"}
    assert '"from":[""]' in arguments(tasks(found)["b"])["node"], "it is looked through"


def test_a_parameter_is_handed_over_by_who_writes_it_or_is_an_argument_of_the_run() -> None:
    found = spec(
        steps(
            f"a: {{{RUN}, returns: [x]}}\n"
            f"b: {{type: argo, template: {ECHO}, arguments: {{x: {{parameter: x}}}},"
            " depends_on: [a]}\n"
            f"c: {{type: argo, template: {ECHO}, arguments: {{x: {{parameter: n}}}}}}\n"
            f"d: {{type: argo, template: {ECHO}, arguments: {{x: {{parameter: x}}}},"
            " depends_on: [a, b, c]}"
        ),
        parameters={"n": 1},
    )
    assert list(tasks(found)) == ["a", "b", "c", "d-arguments", "d"]
    assert arguments(tasks(found)["b"])["x"] == "{{tasks.a.outputs.parameters.hand0}}"
    assert arguments(tasks(found)["c"])["x"] == "{{workflow.parameters.n}}"
    assert arguments(tasks(found)["d"])["x"] == "{{tasks.d-arguments.outputs.parameters.hand0}}"


def test_its_outputs_become_parameters_whatever_is_in_them() -> None:
    graph = steps(
        f"a: {{{RUN}, returns: [x]}}\n"
        f"b: {{type: argo, template: {ECHO}, arguments: {{x: {{parameter: x}}}},"
        " returns: {said: result}, depends_on: [a]}\n"
        f"c: {{type: argo, template: {COUNT}, returns: {{n: result}}, depends_on: [b]}}\n"
        f"d: {{{RUN}, depends_on: [c]}}"
    )
    seen: list[Any] = []

    def pod(node: Json, key: str, ended: str, template: Json) -> tuple[bool, list[str]]:
        seen.append((node["step"], node.get("from"), node.get("outputs")))
        return True, ["from a" for _ in node.get("hands", ())]

    def raw(name: str, inputs: Mapping[str, str]) -> dict[str, str] | None:
        return {"result": "{{workflow.name}} " + inputs["x"]} if name == "b" else {"result": "7"}

    assert Engine(spec(graph), pod, raw=raw).phase == "Succeeded"
    assert seen == [
        ("a", [""], None),
        ("b", ["a"], {"said": "{{workflow.name}} from a"}),
        ("c", ["b"], {"n": "7"}),
        ("d", ["c"], None),
    ]
    found = tasks(spec(graph))
    assert "tasks['b'].outputs.result}" in arguments(found["b-join"])["outputs"]
    assert "tasks['c'].outputs.parameters['result']}" in arguments(found["c-join"])["outputs"]


def test_its_failure_is_handled_as_any() -> None:
    graph = steps(
        f"a: {{type: argo, template: {ECHO}, arguments: {{x: y}}, returns: [result],"
        f" on_failure: h}}\nb: {{{RUN}, depends_on: [a]}}\nh: {{{RUN}}}"
    )
    ran = []

    def pod(node: Json, key: str, ended: str, template: Json) -> tuple[bool, list[str]]:
        ran.append(node["step"])
        return True, []

    assert Engine(spec(graph), pod, raw=lambda *_: None).phase == "Succeeded"
    assert ran == ["h"]


HTTP = "{http: {url: x}}"


@pytest.mark.parametrize(
    ("graph", "config"),
    [
        (f"a: {{type: argo, template: {HTTP}}}", {}),
        ("a: {type: argo, template: {plugin: {p: {}}}}", {}),
        (f"a: {{type: argo, template: {{steps: [[{{name: b, inline: {HTTP}}}]]}}}}", {}),
        (f"a: {{type: argo, template: {{dag: {{tasks: [{{name: b, inline: {HTTP}}}]}}}}}}", {}),
        (f"a: {{{RUN}}}", {"notifications": {"n": {"template": {"http": {"url": "x"}}}}}),
    ],
)
def test_the_account_may_ask_where_something_is_asked(graph: str, config: Any) -> None:
    found = compiled(steps(graph), config)
    asks = [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtasksets"], "verbs": ["watch"]},
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflowtasksets/status"],
            "verbs": ["patch"],
        },
    ]
    rules = manifest(found, "role")["rules"]
    assert [rule for rule in rules if "taskset" in rule["resources"][0]] == asks
    token = manifest(found, "secret")["metadata"]
    assert manifest(found, "serviceaccount")["secrets"] == [{"name": token["name"]}]
    assert token["annotations"] == {"kubernetes.io/service-account.name": "p"}


def test_the_account_may_read_what_headers_are_taken_from() -> None:
    def headers(*names: str) -> str:
        given = [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": name, "key": "k"}}}
            for name in names
        ]
        return json.dumps({"http": {"url": "x", "headers": [{"name": "a", "value": "b"}, *given]}})

    found = compiled(
        steps(
            f"a: {{type: argo, template: {headers('one', 'two')}}}\n"
            f"b: {{type: argo, template: {headers('one')}}}"
        )
    )
    (read,) = (rule for rule in manifest(found, "role")["rules"] if "resourceNames" in rule)
    assert (read["resources"], read["resourceNames"], read["verbs"]) == (
        ["secrets"],
        ["one", "two"],
        ["get"],
    )


def test_the_account_may_not_ask_where_nothing_is() -> None:
    found = compiled(steps(f"a: {{{RUN}}}"))
    assert "secret" not in {one.template for one in found.manifests}
    assert "workflowtasksets" not in str(manifest(found, "role"))
    assert "secrets" not in manifest(found, "serviceaccount")


@pytest.mark.parametrize("executor", ["local", "local-container", "mocked"])
def test_elsewhere_it_is_refused_or_mocked(tmp_path: Any, executor: str) -> None:
    (tmp_path / "p.yaml").write_text("dag: {steps: {a: {type: argo, template: {suspend: {}}}}}")
    (tmp_path / "c.yaml").write_text(f"executor: {executor}")
    request = Request(str(tmp_path / "p.yaml"), (str(tmp_path / "c.yaml"),))
    if executor == "mocked":
        compile(request, until=phases.integrate)
        return
    with pytest.raises(SettingsError, match=f"and executor '{executor}' cannot run one"):
        compile(request, until=phases.integrate)
