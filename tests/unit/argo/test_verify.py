"""Verify refuses what the engine would, says where, and names the limit and the way out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from argosy.compiler.argo.verify import cautions, problems, verify
from argosy.compiler.compilation import Compilation, Request
from argosy.compiler.errors import ManifestError, Problem
from argosy.compiler.manifests.objects import Manifest
from argosy.compiler.settings import Declared, Settings

KIB = 1024
ANY = Declared("kubernetes", {})
SETTINGS = Settings(Declared("argo", {}), run_log_store=ANY, catalog=ANY, secrets=ANY)


def workflow_template(tasks: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Any]:
    """A template of one DAG whose tasks call `run`; `spec` replaces fields of the spec."""
    if tasks is None:
        tasks = [task("extract"), task("train", depends="extract.Succeeded")]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {"name": "churn", "labels": {"argosy.dev/pipeline": "churn"}},
        "spec": {
            "entrypoint": "main",
            "arguments": {"parameters": [{"name": "rate", "value": "0.1"}]},
            "templates": [
                {"name": "main", "dag": {"failFast": False, "tasks": tasks}},
                {
                    "name": "run",
                    "inputs": {"parameters": [{"name": "node"}]},
                    "container": {
                        "image": "registry.example/churn:1",
                        "command": ["python", "-m", "argosy.runtime"],
                        "args": ["exec", "{{inputs.parameters.node}}"],
                        "env": [{"name": "ARGOSY_CONFIG", "value": "{}"}],
                        "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
                    },
                },
            ],
            **spec,
        },
    }


def task(name: str, node: str = '{"step": "x"}', **fields: Any) -> dict[str, Any]:
    arguments = {"parameters": [{"name": "node", "value": node}]}
    return {"name": name, "template": "run", "arguments": arguments, **fields}


def changed(change: Callable[[dict[str, Any]], Any]) -> list[Problem]:
    """What is found after `change` to a good object."""
    obj = copy.deepcopy(workflow_template())
    change(obj)
    return problems([obj])


def container(obj: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = obj["spec"]["templates"][1]["container"]
    return found


def tasks(obj: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = obj["spec"]["templates"][0]["dag"]["tasks"]
    return found


def test_a_good_object_has_no_problem() -> None:
    assert problems([workflow_template()]) == []


def test_the_kinds_that_argosy_renders_are_known() -> None:
    assert (
        problems(
            [
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "CronWorkflow",
                    "metadata": {"name": "churn"},
                    "spec": {
                        "schedules": ["0 5 * * *"],
                        "suspend": False,
                        "workflowSpec": {"workflowTemplateRef": {"name": "churn"}},
                    },
                },
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "churn"}},
                {
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "Role",
                    "metadata": {"name": "churn"},
                    "rules": [
                        {
                            "apiGroups": ["argoproj.io"],
                            "resources": ["workflowtaskresults"],
                            "verbs": ["create", "patch"],
                        }
                    ],
                },
                {
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "RoleBinding",
                    "metadata": {"name": "churn"},
                    "roleRef": {
                        "apiGroup": "rbac.authorization.k8s.io",
                        "kind": "Role",
                        "name": "churn",
                    },
                    "subjects": [{"kind": "ServiceAccount", "name": "churn"}],
                },
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {"name": "runs"},
                    "spec": {
                        "accessModes": ["ReadWriteMany"],
                        "resources": {"requests": {"storage": "1Gi"}},
                    },
                },
            ]
        )
        == []
    )


def test_an_unknown_field_is_named_with_its_place_and_the_nearest_one() -> None:
    (found,) = changed(lambda obj: container(obj).update(imagePulPolicy="Always"))
    assert found.message == (
        "WorkflowTemplate churn: spec.templates[1].container.imagePulPolicy: unknown field"
    )
    assert found.hint == "did you mean 'imagePullPolicy'?"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("image", 7, "container.image: must be a string, and is a number"),
        ("image", None, "container.image: must be a string, and is null"),
        ("args", "exec", "container.args: must be a list, and is a string"),
        ("args", ["exec", 1], "container.args[1]: must be a string, and is a number"),
        ("tty", "yes", "container.tty: must be true or false, and is a string"),
        ("env", [{"name": "A", "value": True}], "env[0].value: must be a string, and is true or"),
        ("env", [{"value": "x"}], "container.env[0].name: missing"),
        ("env", {"A": "b"}, "container.env: must be a list, and is a mapping"),
        ("resources", {"limits": {"cpu": True}}, "limits.cpu: must be a number or a string, and"),
        ("resources", [], "container.resources: must be a mapping, and is a list"),
    ],
)
def test_a_wrong_type_is_refused(field: str, value: Any, message: str) -> None:
    (found,) = changed(lambda obj: container(obj).update({field: value}))
    assert message in found.message


def test_all_problems_come_at_once_in_the_order_of_their_places() -> None:
    def change(obj: dict[str, Any]) -> None:
        tasks(obj)[1]["dependz"] = "a"
        tasks(obj)[0]["wen"] = "b"
        obj["spec"]["entrypont"] = "main"

    places = [problem.message.split(": ")[1] for problem in changed(change)]
    assert places == [
        "spec.entrypont",
        "spec.templates[0].dag.tasks[0].wen",
        "spec.templates[0].dag.tasks[1].dependz",
    ]


def test_an_unknown_kind_is_refused() -> None:
    (found,) = problems([{"apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplat"}])
    assert "unknown kind 'argoproj.io/v1alpha1/WorkflowTemplat'" in found.message
    assert "WorkflowTemplate" in found.hint


@pytest.mark.parametrize(
    ("kind", "length", "good"),
    [
        ("Workflow", 63, True),
        ("Workflow", 64, False),
        ("WorkflowTemplate", 64, False),
        ("ServiceAccount", 253, True),
        ("ServiceAccount", 254, False),
    ],
)
def test_an_objects_name_is_not_too_long(kind: str, length: int, good: bool) -> None:
    obj = {**workflow_template(), "kind": kind, "metadata": {"name": "a" * length}}
    if kind == "ServiceAccount":
        obj = {"apiVersion": "v1", "kind": kind, "metadata": obj["metadata"]}
    found = problems([obj])
    assert [f"limit of a {kind}'s name" in problem.message for problem in found] == (
        [] if good else [True]
    )


@pytest.mark.parametrize(("length", "count"), [(52, 0), (53, 1)])
def test_a_cron_workflows_name_leaves_room_for_the_time(length: int, count: int) -> None:
    obj = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "CronWorkflow",
        "metadata": {"name": "a" * length},
        "spec": {
            "schedules": ["0 5 * * *"],
            "workflowSpec": {"workflowTemplateRef": {"name": "a"}},
        },
    }
    assert len(problems([obj])) == count


@pytest.mark.parametrize("name", ["Churn", "a_b", "-a", "a-", "", "a..b", "ä"])
def test_an_objects_name_is_rfc_1123(name: str) -> None:
    assert len(changed(lambda obj: obj.update(metadata={"name": name}))) == 1


@pytest.mark.parametrize("name", ["Train", "1st", "in", "not", "and", "a.b", "", "a" * 129])
def test_a_tasks_name_is_no_number_and_no_operator(name: str) -> None:
    found = changed(lambda obj: tasks(obj)[1].update(name=name))
    assert [problem.message.split(": ")[1] for problem in found] == [
        "spec.templates[0].dag.tasks[1].name"
    ]


def test_names_are_unique() -> None:
    found = changed(lambda obj: tasks(obj)[1].update(name="extract"))
    assert "there are two tasks 'extract'" in found[0].message
    found = changed(lambda obj: obj["spec"]["templates"].append(obj["spec"]["templates"][1]))
    assert "spec.templates[2].name: there are two templates 'run'" in found[0].message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda obj: obj["spec"].update(entrypoint="man"),
            "entrypoint: there is no template 'man'",
        ),
        (lambda obj: obj["spec"].pop("entrypoint"), "entrypoint: there is no template ''"),
        (lambda obj: obj["spec"].update(onExit="end"), "onExit: there is no template 'end'"),
        (lambda obj: tasks(obj)[0].update(template="ran"), "template: there is no template 'ran'"),
        (
            lambda obj: tasks(obj)[1].update(depends="extract.Succeeded && (!load.Failed)"),
            "tasks[1].depends: there is no task 'load' in this DAG",
        ),
        (
            lambda obj: obj["spec"]["templates"][0]["dag"].update(target="success train"),
            "dag.target: there is no task 'success' in this DAG",
        ),
        (
            lambda obj: obj["spec"]["arguments"]["parameters"].append({"name": "a.b"}),
            "spec.arguments.parameters[1].name: 'a.b' is no name of a parameter",
        ),
    ],
)
def test_what_is_referred_to_is_there(
    change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    (found,) = changed(change)
    assert message in found.message


def test_an_environment_variable_twice_is_refused() -> None:
    (found,) = changed(lambda obj: container(obj)["env"].append({"name": "ARGOSY_CONFIG"}))
    assert "container.env[1]: the environment variable 'ARGOSY_CONFIG' is there twice" in (
        found.message
    )


def nested(levels: int) -> dict[str, Any]:
    """A pipeline of this many templates, one below the other."""
    dags = [
        {"name": f"level-{i}", "dag": {"tasks": [{"name": "a", "template": f"level-{i + 1}"}]}}
        for i in range(1, levels)
    ]
    leaf = {"name": f"level-{levels}", "suspend": {"duration": "0"}}
    return workflow_template(entrypoint="level-1", templates=[*reversed(dags), leaf])


def test_template_levels_are_limited() -> None:
    assert problems([nested(99)]) == []
    (found,) = problems([nested(100)])
    assert "limit of template levels is 99" in found.message
    assert "nest fewer" in found.hint


def test_depth_needs_no_recursion_and_a_cycle_of_templates_ends() -> None:
    assert "10,000" not in str(problems([nested(3_000)])[0])
    obj = workflow_template([task("again", template="main")])
    assert problems([obj]) == []


def test_a_node_is_limited() -> None:
    assert problems([workflow_template([task("a", node="x" * 100 * KIB)])]) == []
    (found,) = problems([workflow_template([task("a", node="x" * 100 * KIB + "y")])])
    assert "the node of task 'a' has 102,401 bytes; the limit of a node is 102,400" in found.message
    assert "script" in found.hint


@pytest.mark.parametrize("size", [128 * KIB, 128 * KIB + 1])
def test_one_argument_is_limited(size: int) -> None:
    def long_text(obj: dict[str, Any]) -> None:
        container(obj)["args"].append("é" * (size // 2) + "y" * (size % 2))

    def long_environment(obj: dict[str, Any]) -> None:
        container(obj)["env"].append({"name": "BIG", "value": "x" * (size - len("BIG="))})

    for change in (long_text, long_environment):
        found = changed(change)
        assert len(found) == (size > 128 * KIB)
        assert all("limit of one argument is 131,072" in problem.message for problem in found)


def test_the_runs_parameters_are_limited_as_the_first_pods_get_them() -> None:
    """In base64, and each of them twice: less than half of the limit fits."""

    def fill(size: int) -> Callable[[dict[str, Any]], None]:
        def change(obj: dict[str, Any]) -> None:
            obj["spec"]["arguments"]["parameters"].append({"name": "text", "value": "x" * size})
            container(obj)["env"].append(
                {"name": "ARGS", "value": "{{=sprig.b64enc(toJson(workflow.parameters))}}"}
            )

        return change

    assert changed(fill(48_900)) == []
    (found,) = changed(fill(49_200))
    assert "the run's parameters have" in found.message
    assert "catalog" in found.hint


def wide(count: int, size: int) -> dict[str, Any]:
    """`count` tasks with nodes of `size` bytes that do not compress."""
    digits = "".join(f"{(i * 2654435761) % 4294967296:08x}" for i in range(count * size // 8 + 1))
    nodes = [digits[i * size : (i + 1) * size] for i in range(count)]
    return workflow_template([task(f"step-{i}", node) for i, node in enumerate(nodes)])


def test_the_object_is_limited_to_the_budget() -> None:
    assert problems([wide(1_000, 100)]) == []
    (found,) = problems([wide(1_000, 500)])
    assert "the limit of an object's size is 900 KiB" in found.message
    assert "2 x " in found.message
    assert "two pipelines" in found.hint


def test_a_workflow_of_its_own_holds_its_spec_once() -> None:
    obj = wide(1_000, 300)
    assert len(problems([obj])) == 1
    assert problems([{**obj, "kind": "Workflow"}]) == []


def test_nodes_of_tasks_that_are_tried_again_count_twice() -> None:
    obj = wide(1_000, 200)
    assert problems([obj]) == []
    tried = copy.deepcopy(obj)
    tried["spec"]["templates"][1]["retryStrategy"] = {"limit": "2"}
    assert "900 KiB" in problems([tried])[0].message


def test_lists_that_only_argo_4_bounds_are_a_caution() -> None:
    obj = wide(201, 50)
    assert problems([obj]) == []
    (found,) = cautions([obj])
    assert "201 tasks in 'main', where the full CRDs of Argo 4 take 200" in found.message
    assert cautions([wide(200, 50)]) == []


def compiled(*objects: dict[str, Any]) -> Compilation:
    """What `lower` leaves, our templates being used."""
    manifests = [Manifest(f"{n}.yaml", "workflow", obj) for n, obj in enumerate(objects)]
    return Compilation(Request("churn.yaml"), settings=SETTINGS, manifests=manifests)


def overridden(**files: str) -> Compilation:
    """What `render` leaves where a team's own templates come first."""
    texts = {name.replace("_", "."): text for name, text in files.items()}
    manifests = [Manifest(name, "workflow", {}, "kustom" not in name) for name in texts]
    request = Request("churn.yaml", templates="own")
    return Compilation(request, settings=SETTINGS, manifests=manifests, files=texts)


def test_the_objects_are_verified() -> None:
    assert verify(compiled(workflow_template())).warnings == ()
    wrong = workflow_template()
    wrong["spec"]["templates"][1]["container"]["imag"] = "x"
    with pytest.raises(ManifestError, match=r"container.imag: unknown field"):
        verify(compiled(workflow_template(), wrong))


def test_what_own_templates_rendered_is_read_back_but_for_kustomizes_own() -> None:
    good = json.dumps(workflow_template())
    done = verify(overridden(workflowtemplate_yaml=good, kustomization_yaml="resources: [x]"))
    assert done.warnings == ()
    with pytest.raises(ManifestError) as raised:
        verify(overridden(a_yaml=good.replace("image", "imag"), c_yaml="7"))
    assert {problem.message for problem in raised.value.problems} == {
        "WorkflowTemplate churn: spec.templates[1].container.imag: unknown field",
        "WorkflowTemplate churn: spec.templates[1].container.image: missing",
        "manifest: is no object",
    }
    with pytest.raises(ManifestError, match=r"b.yaml:2:1: error: what was rendered is no YAML"):
        verify(overridden(a_yaml=good, b_yaml="a: [1"))


def test_what_an_engine_in_use_would_refuse_is_a_warning() -> None:
    done = verify(compiled(wide(201, 50)))
    assert ["Argo 4" in problem.message for problem in done.warnings] == [True]
