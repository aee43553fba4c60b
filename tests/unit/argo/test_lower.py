"""What a pipeline becomes: templates that are shared, tasks, and the objects around them."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from argosy.compiler.argo.lower import argument_text
from argosy.compiler.argo.pods import LATER
from argosy.compiler.errors import ManifestError, Position
from argosy.compiler.graph import Dag, Edge, Graph, Map, Node, Parallel, Retry, Spec, Task
from argosy.compiler.integrate import context, kind_of
from argosy.runtime.context import arguments, decoded
from definitions import chain, steps
from lowered import compiled, manifest, spec

RUN = "type: task, command: a.b"
AT = Position("p.yaml", 0, 0)


def templates(found: Any) -> dict[str, Any]:
    return {template["name"]: template for template in found["templates"]}


def tasks(found: Any, template: str = "main") -> dict[str, Any]:
    return {task["name"]: task for task in templates(found)[template]["dag"]["tasks"]}


def argument(task: Any, name: str) -> str:
    (value,) = [p["value"] for p in task["arguments"]["parameters"] if p["name"] == name]
    return str(value)


def node(task: Any) -> Any:
    return json.loads(argument(task, "node"))


def env(template: Any) -> dict[str, Any]:
    found = [*template["container"]["env"]]
    assert len({variable["name"] for variable in found}) == len(found)
    return {variable["name"]: variable.get("value", variable) for variable in found}


def test_steps_with_the_same_pod_share_a_template() -> None:
    found = spec(
        steps(f"a: {{{RUN}}}\nb: {{{RUN}, depends_on: [a]}}\nc: {{{RUN}, depends_on: [a]}}")
    )
    assert list(templates(found)) == ["main", "end", "run-arguments", "run"]
    assert [task["template"] for task in tasks(found).values()] == ["run-arguments", "run", "run"]
    assert tasks(found)["b"]["depends"] == "a.Succeeded"
    assert node(tasks(found)["b"]) == {"step": "b", "rank": "1", "from": ["a"], "command": "a.b"}


def test_only_who_reads_the_arguments_gets_them() -> None:
    found = templates(spec(steps(f"a: {{{RUN}}}\nb: {{{RUN}, depends_on: [a]}}")))
    assert "ARGOSY_ARGUMENTS" in env(found["run-arguments"])
    assert "ARGOSY_ARGUMENTS" not in env(found["run"])


def test_a_graph_that_argo_judges_alike_needs_no_more_tasks() -> None:
    found = spec(
        chain("a", f"a: {{{RUN}, next: b, on_failure: fail}}\nb: {{{RUN}, next: success}}")
    )
    assert list(tasks(found)) == ["a", "b"]
    assert "target" not in templates(found)["main"]["dag"]


def test_a_recovery_is_judged_by_a_task_without_a_pod() -> None:
    text = f"a: {{{RUN}, on_failure: h}}\nh: {{{RUN}}}\nb: {{{RUN}, depends_on: [a]}}"
    found = spec(steps(text))
    assert tasks(found)["h"]["depends"] == "a.Failed || a.Errored"
    assert templates(found)["main"]["dag"]["target"] == "success"
    assert tasks(found)["success"]["template"] == "noop"
    assert templates(found)["noop"] == {"name": "noop", "suspend": {"duration": "0"}}
    assert "a." not in tasks(found)["success"]["depends"]


def test_a_fail_that_only_a_failure_reaches_has_no_pod() -> None:
    text = f"a: {{{RUN}, next: b, on_failure: h}}\nb: {{{RUN}, next: success}}\n"
    found = spec(chain("a", f"{text}h: {{{RUN}, next: fail}}"))
    assert list(tasks(found)) == ["a", "b", "h", "success"]
    unreached = "!(h.Succeeded && (a.Failed || a.Errored))"
    assert unreached in tasks(found)["success"]["depends"]


def test_the_task_before_a_map_hands_it_its_items() -> None:
    inner = f"branch: {{steps: {{x: {{{RUN}}}, y: {{{RUN}, depends_on: [x]}}}}}}"
    found = spec(
        steps(
            f"a: {{{RUN}, returns: [xs]}}\n"
            f"m: {{type: map, iterate_on: xs, iterate_as: x, depends_on: [a], {inner}}}\n"
            f"z: {{{RUN}, depends_on: [m]}}"
        )
    )
    assert tasks(found)["m"]["withParam"] == "{{tasks.a.outputs.parameters.hand0}}"
    assert argument(tasks(found)["m"], "key") == "{{item}}"
    assert node(tasks(found)["a"])["hands"] == [{"items": "xs"}]
    assert tasks(found)["z"]["depends"] == "(m.Succeeded || m.Skipped)"
    giver = templates(found)[tasks(found)["a"]["template"]]
    (out,) = giver["outputs"]["parameters"]
    assert out["valueFrom"]["path"] == env(giver)["ARGOSY_HANDS"] + "/0"
    assert argument(tasks(found, "m-each")["y"], "key") == "{{inputs.parameters.key}}"


def test_a_map_of_an_argument_needs_nobody() -> None:
    inner = f"iterate_as: x, branch: {{steps: {{x: {{{RUN}}}}}}}"
    text = f"m: {{type: map, iterate_on: xs, {inner}}}"
    found = spec(steps(text), parameters={"xs": [1]})
    assert list(tasks(found)) == ["m"]
    assert "workflow.parameters['xs']" in tasks(found)["m"]["withParam"]
    assert list(tasks(spec(steps(text), parameters={"xs": "[1]"}))) == ["m-items", "m"]


def test_an_approval_is_a_suspended_task() -> None:
    text = (
        "a: {type: approval, message: Now?}\nb: {type: approval, timeout: 90.5, depends_on: [a]}\n"
        f"c: {{{RUN}, depends_on: [b]}}"
    )
    found = spec(steps(text))
    assert list(tasks(found)) == ["a", "b", "b-late", "c"]
    assert templates(found)["approval"]["suspend"] == {}
    assert argument(tasks(found)["a"], "message") == "Now?"
    timed = templates(found)["approval-timeout"]
    assert timed["suspend"] == {"duration": "{{inputs.parameters.seconds}}"}
    assert argument(tasks(found)["b"], "seconds") == "91"
    late = tasks(found)["b-late"]
    assert late["depends"] == "b.Succeeded"
    assert late["when"].endswith(" - date(tasks['b'].startedAt) >= duration('91s')}}")
    assert node(late)["message"] == "nobody approved it within 90.5 s"
    assert tasks(found)["c"]["depends"] == "b.Succeeded && b-late.Skipped"
    assert node(tasks(found)["c"])["from"] == [""]


def test_a_message_that_argo_would_change_is_refused() -> None:
    with pytest.raises(ManifestError) as error:
        spec(steps("a: {type: approval, message: 'Run {{workflow.name}}?'}"))
    assert "p.yaml:3:5: error: the message of 'a' has '{{'" in str(error.value)


def looped(most: int, body: str = f"x: {{{RUN}}}") -> Any:
    loop = f"type: loop, break_on: done, max_iterations: {most}"
    return spec(steps(f"l: {{{loop}, branch: {{steps: {{{body}}}}}}}"))


def test_a_round_follows_where_the_one_before_it_says_so() -> None:
    found = looped(3)
    assert list(tasks(found, "l")) == ["round-0", "round-1", "round-2", "exhausted"]
    second = tasks(found, "l")["round-1"]
    assert second["depends"] == "round-0.Succeeded"
    assert second["when"] == "{{=tasks['round-0'].outputs.parameters.hand0 == 'again'}}"
    assert argument(second, "key") == "1"
    assert node(second)["hands"] == [{"until": "done"}]
    assert node(second)["ends"] == {"loop": "l", "on": "done"}
    over = tasks(found, "l")["exhausted"]
    assert "round-2" in over["when"]
    assert (argument(over, "key"), node(over)["rounds"]) == ("2", 3)


def test_a_body_hands_on_what_its_last_task_does() -> None:
    last = {"value": "{{tasks.y.outputs.parameters.hand0}}"}
    found = templates(looped(2, f"x: {{{RUN}}}, y: {{{RUN}, depends_on: [x]}}"))["l-each"]
    (out,) = found["outputs"]["parameters"]
    assert out["valueFrom"] == {"parameter": last["value"]}
    joined = templates(looped(2, f"x: {{{RUN}}}, y: {{{RUN}}}"))["l-each"]
    assert joined["dag"]["target"] == "join"
    (out,) = joined["outputs"]["parameters"]
    assert out["valueFrom"] == {"parameter": "{{tasks.join.outputs.parameters.hand0}}"}


def test_many_rounds_are_a_few_levels_of_templates() -> None:
    found = looped(345)
    assert list(tasks(found, "l")) == [
        "rounds-0",
        "rounds-100",
        "rounds-200",
        "rounds-300",
        "exhausted",
    ]
    inner = tasks(found, "l-100")
    assert list(inner) == [f"rounds-{n}0" if n else "rounds-0" for n in range(10)]
    assert argument(inner["rounds-20"], "round") == "{{=asInt(inputs.parameters.round)+20}}"
    assert list(tasks(found, "l-45"))[-1] == "rounds-40"
    assert len(tasks(found, "l-5")) == 5
    (out,) = templates(found)["l-10"]["outputs"]["parameters"]
    assert out["valueFrom"]["default"] == "stop"
    assert len(json.dumps(found)) < len(json.dumps(looped(10))) * 4


def test_a_map_without_a_single_task_before_it_has_a_control_pod() -> None:
    inner = f"iterate_as: x, branch: {{steps: {{x: {{{RUN}}}}}}}"
    found = spec(
        steps(
            f"a: {{{RUN}}}\nb: {{{RUN}}}\n"
            f"m: {{type: map, iterate_on: xs, depends_on: [a, b], {inner}}}"
        )
    )
    before = tasks(found)["m-items"]
    assert before["depends"] == "a.Succeeded && b.Succeeded"
    assert node(before)["type"] == "control"
    assert node(before)["hands"] == [{"items": "xs"}]
    assert node(before)["from"] == ["a", "b"]
    assert tasks(found)["m"]["depends"] == "m-items.Succeeded"


def test_a_bounded_map_is_alone_in_its_template() -> None:
    inner = f"branch: {{steps: {{x: {{{RUN}}}}}}}"
    text = f"m: {{type: map, iterate_on: xs, iterate_as: x, max_parallel: 2, {inner}}}"
    found = spec(steps(text), parameters={"xs": [1]})
    assert templates(found)["m"]["parallelism"] == 2
    (each,) = tasks(found, "m").values()
    assert each["withParam"] == "{{inputs.parameters.items}}"
    assert node(each)["step"] == "m/*/x"


def test_a_conditional_is_a_task_for_each_branch() -> None:
    branch = f"{{steps: {{x: {{{RUN}}}}}}}"
    text = f"c: {{type: conditional, parameter: mode, branches: {{eu: {branch}, us: {branch}}}}}"
    found = tasks(spec(steps(text), parameters={"mode": "eu"}))
    assert found["c-eu"]["when"] == "{{=workflow.parameters['mode'] == 'eu'}}"
    assert found["c-no-match"]["when"] == "{{=!(workflow.parameters['mode'] in ['eu','us'])}}"
    assert node(found["c-no-match"])["type"] == "fail"
    awkward = tasks(spec(steps(text.replace("eu:", '"it\'s":')), parameters={"mode": "eu"}))
    assert node(awkward["c-choice"])["hands"] == [
        {"label": "mode", "values": {"c-it-s": "it's", "c-us": "us"}}
    ]
    assert awkward["c-us"]["when"] == ("{{=tasks['c-choice'].outputs.parameters.hand0 == 'c-us'}}")


def test_who_reads_alternatives_is_told_how_they_ended() -> None:
    text = f"a: {{{RUN}, on_failure: h}}\nh: {{{RUN}}}\nz: {{{RUN}, depends_on: {{any: [a, h]}}}}"
    found = tasks(spec(steps(text)))
    assert argument(found["z"], "ended") == "a={{tasks.a.status}} h={{tasks.h.status}}"


def test_retry_and_timeout_are_inputs_of_a_shared_template() -> None:
    found = spec(
        steps(
            f"a: {{{RUN}, retry: 3, timeout: 10m}}\nb: {{{RUN}, retry: 5, timeout: 10m}}\n"
            f"c: {{{RUN}, retry: {{max_attempts: 2, backoff: 90s, factor: 1.5}}}}"
        )
    )
    one, two, three = tasks(found).values()
    assert one["template"] == two["template"] == "run-arguments-retry-deadline"
    shared = templates(found)[one["template"]]
    inputs = {p["name"]: p.get("value") for p in shared["inputs"]["parameters"]}
    assert inputs == {
        "node": None,
        "key": "",
        "ended": "",
        "limit": "2",
        "deadline": str(600 + LATER),
    }
    assert argument(two, "limit") == "4"
    assert "limit" not in [p["name"] for p in one["arguments"]["parameters"]]
    assert shared["retryStrategy"]["limit"] == "{{inputs.parameters.limit}}"
    assert "backoff" not in shared["retryStrategy"]
    waits = templates(found)[three["template"]]["retryStrategy"]["backoff"]
    assert waits == {"duration": "90s", "factor": "2", "cap": "300s"}


def test_a_steps_own_retry_wins_over_the_executors() -> None:
    config = {"retry": 4, "timeout": 60}
    graph = f"a: {{{RUN}, retry: 2, timeout: 5}}\nb: {{{RUN}}}\nc: {{{RUN}, retry: 1}}"
    found = spec(steps(graph), config=config)
    assert argument(tasks(found)["b"], "limit") == "3"
    assert "retryStrategy" not in templates(found)[tasks(found)["c"]["template"]]
    assert node(tasks(found)["a"])["timeout"] == 5
    assert node(tasks(found)["b"])["timeout"] == 60


def test_a_secret_is_in_the_pods_of_the_steps_that_name_it() -> None:
    found = spec(steps(f"a: {{{RUN}, secrets: [DB_URL]}}\nb: {{{RUN}}}"))
    have = [
        name for name, t in templates(found).items() if "DB_URL" in json.dumps(t.get("container"))
    ]
    assert have == [tasks(found)["a"]["template"]]
    assert env(templates(found)[have[0]])["ARGOSY_SECRET_DB_URL"] == {
        "name": "ARGOSY_SECRET_DB_URL",
        "valueFrom": {"secretKeyRef": {"name": "safe", "key": "DB_URL"}},
    }


def test_overrides_make_a_template_of_their_own() -> None:
    config = {"env": {"A": "1", "B": "2"}, "labels": {"team": "x"}}
    own = {
        "env": {"A": "1", "C": "3"},
        "labels": {"team": "y"},
        "resources": {"limits": {"memory": "4Gi"}},
        "claims": {"runs": "/runs", "more": "/more"},
        "service_account": "big",
        "node_selector": {"disk": "fast"},
        "tolerations": [{"operator": "Exists"}],
        "image": "other:2",
        "image_pull_policy": "Always",
        "command": ["python3"],
    }
    found = spec(steps(f"a: {{{RUN}}}\nb: {{{RUN}}}"), config=config, steps={"b": own})
    usual, special = (templates(found)[task["template"]] for task in tasks(found).values())
    assert special["name"] == "run-arguments-own"
    assert {k: v for k, v in env(special).items() if len(k) == 1} == {"A": "1", "C": "3"}
    assert {k: v for k, v in env(usual).items() if len(k) == 1} == {"A": "1", "B": "2"}
    assert special["metadata"]["labels"]["team"] == "y"
    assert special["container"]["resources"] == {"limits": {"memory": "4Gi"}}
    assert [mount["mountPath"] for mount in special["container"]["volumeMounts"]] == [
        "/runs",
        "/more",
    ]
    assert [mount["mountPath"] for mount in usual["container"]["volumeMounts"]] == ["/runs"]
    assert special["serviceAccountName"] == "big"
    assert special["nodeSelector"] == {"disk": "fast"}
    assert special["container"]["image"] == "other:2"
    assert special["container"]["imagePullPolicy"] == "Always"
    assert special["container"]["command"] == ["python3"]


def test_what_integrations_change_is_in_every_pod() -> None:
    compilation = compiled(steps(f"a: {{{RUN}}}\nb: {{{RUN}}}"), until="integrate")
    executor = compilation.executor
    executor.environment["REGION"] = "eu"
    executor.claims["other"] = "/other"
    executor.annotations["vault"] = "on"
    executor.service_account = "theirs"
    executor.secret_environment["AWS_KEY"] = ("aws", "key")
    from argosy.compiler import phases

    found = manifest(phases.lower(compilation), "workflowtemplate")["spec"]
    assert found["serviceAccountName"] == "theirs"
    for name in ("end", "run-arguments"):
        template = templates(found)[name]
        assert env(template)["REGION"] == "eu"
        assert env(template)["AWS_KEY"]["valueFrom"]["secretKeyRef"]["name"] == "aws"
        assert "/other" in [mount["mountPath"] for mount in template["container"]["volumeMounts"]]
    assert templates(found)["run-arguments"]["metadata"]["annotations"]["vault"] == "on"


def test_options_of_the_whole_workflow() -> None:
    config = {
        "workflow_timeout": "1h",
        "parallelism": 3,
        "image_pull_secrets": ["pull"],
        "service_account": "churn-bot",
    }
    found = spec(steps(f"a: {{{RUN}}}"), config=config)
    assert found["activeDeadlineSeconds"] == 3600
    assert found["parallelism"] == 3
    assert found["imagePullSecrets"] == [{"name": "pull"}]
    assert found["serviceAccountName"] == "churn-bot"


def test_arguments_are_text_and_other_defaults_json() -> None:
    found = spec(
        steps(f"a: {{{RUN}}}"),
        parameters={"name": "x", "rate": 0.1, "regions": ["{{a}}"], "must": None},
    )
    assert found["arguments"]["parameters"] == [
        {"name": "name", "value": "x"},
        {"name": "rate", "value": "0.1"},
        {"name": "regions", "value": '["\\u007b\\u007ba\\u007d\\u007d"]'},
        {"name": "must", "value": "argosy-json:null"},
    ]


AWKWARD = [
    None, 1, 1.5, True, [], {"a": [None]}, "", "null", "1", "[1, 2]", "007", "{{workflow.name}}",
    "{{=1}} {{", "}}", ["{{a}}", "$(b)"], "argosy-json:1", "argosy-json:", "a\x85b",
    "$(HOME) $HOME", "two\nlines\t", "caf\u00e9 \u2028 \U0001f389", {"\U0001f389": "{{"},
]  # fmt: skip


@pytest.mark.parametrize("default", [None, "text", 1, [1], {"a": 1}])
@pytest.mark.parametrize("value", AWKWARD)
def test_an_argument_arrives_as_it_was_given(default: Any, value: Any) -> None:
    """What `argosy submit` gives for a parameter with that default, or None for none."""
    text = argument_text(value, default)
    assert "{{" not in text
    assert decoded("x", text, kind_of(default)) == value


@pytest.mark.parametrize("default", AWKWARD)
def test_a_default_arrives_as_it_was_declared(default: Any) -> None:
    compilation = compiled(steps(f"a: {{{RUN}}}"), parameters={"x": default})
    (given,) = manifest(compilation, "workflowtemplate")["spec"]["arguments"]["parameters"]
    assert "{{" not in given["value"]
    texts = {"x": given["value"], "json": json.dumps([given])}
    encoded = base64.b64encode(json.dumps(texts).encode()).decode()
    assert arguments(encoded, context(compilation)["arguments"]) == {"x": default}


@pytest.mark.parametrize("default", ["{{a}}", "argosy-json:1"])
def test_what_only_the_runtime_can_read_is_not_handed_to_a_template_of_argos(default: str) -> None:
    graph = steps(
        "a: {type: argo, template: {inputs: {parameters: [{name: x}]}, suspend: {}},"
        " arguments: {x: {parameter: x}}}"
    )
    with pytest.raises(ManifestError) as caught:
        spec(graph, parameters={"x": default})
    (problem,) = caught.value.problems
    assert problem.message == (
        "parameter 'x' has '{{' in a value, which Argo would replace, or is null where it is text"
    )


def test_parameters_that_argo_cannot_hold_are_refused_together() -> None:
    wrong = {"json": 1, "two words": 1}
    with pytest.raises(ManifestError) as caught:
        spec(steps(f"a: {{{RUN}}}"), parameters=wrong)
    assert [problem.message.split("'")[1] for problem in caught.value.problems] == list(wrong)


def test_the_objects_around_a_workflow() -> None:
    config = {
        "namespace": "ml",
        "schedules": ["0 6 * * *"],
        "timezone": "Europe/Madrid",
        "claims": {"runs": {"mount_path": "/runs", "create": True, "size": "1Gi"}},
    }
    compilation = compiled(steps(f"a: {{{RUN}}}"), config=config, name="Churn model!")
    assert [m.file for m in compilation.manifests] == [
        "workflowtemplate.yaml",
        "cronworkflow.yaml",
        "serviceaccount.yaml",
        "role.yaml",
        "rolebinding.yaml",
        "claim-runs.yaml",
        "kustomization.yaml",
        "kustomizeconfig.yaml",
    ]
    applied = [m.data for m in compilation.manifests if m.applied]
    assert {data["metadata"]["namespace"] for data in applied} == {"ml"}
    assert all(
        data["metadata"]["labels"]["argosy.dev/pipeline"] == "Churn-model" for data in applied
    )
    cron = manifest(compilation, "cronworkflow")["spec"]
    assert cron["workflowSpec"] == {"workflowTemplateRef": {"name": "churn-model"}}
    assert cron["suspend"] is False
    role = manifest(compilation, "role")
    assert [rule["verbs"] for rule in role["rules"]] == [["create", "patch"]]
    claim = manifest(compilation, "claim")
    assert claim["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false"
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


def test_a_service_account_that_is_there_is_not_rendered() -> None:
    compilation = compiled(steps(f"a: {{{RUN}}}"), config={"service_account": "there"})
    assert [m.template for m in compilation.manifests if m.applied] == ["workflowtemplate"]


def test_the_kind_workflow_runs_when_it_is_applied() -> None:
    compilation = compiled(steps(f"a: {{{RUN}}}"), config={"kind": "Workflow"})
    assert manifest(compilation, "workflow")["kind"] == "Workflow"


def test_a_long_chain_takes_linear_time_and_no_recursion() -> None:
    def took(length: int) -> float:
        nodes = {
            f"s{i}": Node(
                f"s{i}", Task("a.b"), AT, (Edge(f"s{i - 1}", "success"),) if i else (), "any"
            )
            for i in range(length)
        }
        start = time.process_time()
        found = spec(Graph(nodes, "chain", AT))
        assert sum(template["name"].startswith("from-") for template in found["templates"]) >= (
            length // 200
        )
        return time.process_time() - start

    took(100)
    small = min(took(1_000) for _ in range(3))
    assert min(took(10_000) for _ in range(2)) < 60 * small  # what is quadratic takes 100


@pytest.mark.parametrize("kind", ["dag", "parallel", "map"])
def test_no_depth_of_nesting_is_one_of_pythons(kind: str) -> None:
    task = Node("x", Task("a.b", retry=Retry(2)), AT)
    graph = Graph({"x": task, "y": Node("y", Task("a.b"), AT)}, "edge", AT)
    for _ in range(1_500 if kind == "dag" else 300):
        inner: dict[str, Spec] = {
            "dag": Dag(graph),
            "parallel": Parallel({"b": graph}),
            "map": Map("xs", "x", graph),
        }
        graph = Graph({"n": Node("n", inner[kind], AT)}, "edge", AT)
    names = [template["name"] for template in spec(graph)["templates"]]
    assert len(names) == len(set(names))
    assert max(map(len, names)) <= 63
