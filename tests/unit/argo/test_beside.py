"""A container of the user's in a pod of ours, as it is rendered, and where it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from argosy.compiler import compile, phases
from argosy.compiler.compilation import Request
from argosy.compiler.errors import SettingsError
from definitions import steps
from lowered import compiled, manifest, spec

BOX = "type: task, command_type: container, image: 'box:1', command: [/box, say, '{{x}} $(A)']"


def pod(text: str, **more: Any) -> Any:
    """The template of the only step's pod."""
    found = spec(steps(text), **more)
    (task,) = found["templates"][0]["dag"]["tasks"]
    (template,) = (one for one in found["templates"] if one["name"] == task["template"])
    return template


def names(container: Any) -> list[str]:
    return [variable["name"] for variable in container["env"]]


def test_one_pod_prepares_runs_and_records() -> None:
    limits = {"limits": {"memory": "1Gi"}}
    given = {"resources": limits, "env": {"LEVEL": "3"}, "image_pull_policy": "Never"}
    template = pod(f"a: {{{BOX}}}", config=given)
    (before,), own, (task,) = (
        template["initContainers"],
        template["container"],
        template["sidecars"],
    )
    assert [one["image"] for one in (before, own, task)] == [own["image"], own["image"], "box:1"]
    assert (before["args"][0], own["args"][0]) == ("prepare", "exec")
    assert before["args"][1:] == own["args"][1:]
    assert before["env"] == own["env"]
    # What is the user's travels in the node, and no engine reads it.
    assert (task["command"], task["args"]) == (
        ["$(ARGOSY_ARG_0)"],
        ["$(ARGOSY_ARG_1)", "$(ARGOSY_ARG_2)"],
    )
    assert task["envFrom"] == [{"configMapRef": {"name": "{{pod.name}}"}}]
    assert names(task) == ["LEVEL"]
    assert task["imagePullPolicy"] == "Never"
    # The resources are the user's; all see the folder and the claims.
    assert [one.get("resources") for one in (before, own, task)] == [None, None, limits]
    mounts = [[m["mountPath"] for m in one["volumeMounts"]] for one in (before, own, task)]
    assert mounts == [["/runs", "/argosy"]] * 3


def test_what_is_wrong_before_it_is_not_tried_again() -> None:
    retry = pod(f"a: {{{BOX}, retry: 2}}")["retryStrategy"]
    assert retry["expression"] == (
        "lastRetry.exitCode != '2' && lastRetry.message != 'prepare: Error (exit code 2)'"
    )


def test_secrets_are_files_in_memory_and_variables_where_they_are_named() -> None:
    template = pod(f"a: {{{BOX}, secrets: {{A: null, B: TOKEN}}}}")
    (task,), own = template["sidecars"], template["container"]
    assert {"name": "argosy-task-secrets", "emptyDir": {"medium": "Memory"}} in template["volumes"]
    files = {"name": "argosy-task-secrets", "mountPath": "/argosy/secrets"}
    assert files in own["volumeMounts"]
    assert {**files, "readOnly": True} in task["volumeMounts"]
    (token,) = task["env"]
    assert (token["name"], token["valueFrom"]["secretKeyRef"]["key"]) == ("TOKEN", "B")
    assert {"ARGOSY_SECRET_A", "ARGOSY_SECRET_B"} <= {*names(own)}


def test_steps_with_the_same_image_and_number_of_words_share_a_template() -> None:
    other = BOX.replace("{{x}} $(A)", "y")
    more = BOX.replace("say,", "say, x, say,")
    found = spec(steps(f"a: {{{BOX}}}\nb: {{{other}}}\nc: {{{more}}}"))
    used = [task["template"] for task in found["templates"][0]["dag"]["tasks"]]
    assert used == ["run-container-arguments", used[0], "run-container-arguments-2"]


def test_the_role_allows_what_such_pods_do() -> None:
    rules = manifest(compiled(steps(f"a: {{{BOX}}}")), "role")["rules"]
    assert {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get"]} in rules
    without = manifest(compiled(steps("a: {type: task, command: a.b}")), "role")["rules"]
    assert [rule["resources"] for rule in without] == [["workflowtaskresults"]]


@pytest.mark.parametrize(
    ("executor", "secrets", "expected"),
    [
        ("local", "env", "executor 'local' runs none"),
        ("{type: kubernetes, config: {image: i}}", "kubernetes", "all steps of a Job run in one"),
        ("local-container", "env", "shows secret 'S' to its container as $T"),
        ("{type: argo, config: {image: i}}", "aws-secrets-manager", "as $T"),
        ("mocked", "env", ""),
        ("{type: argo, config: {image: i}}", "kubernetes", ""),
    ],
)
def test_what_an_executor_cannot_do_is_said(
    tmp_path: Any, executor: str, secrets: str, expected: str
) -> None:
    (tmp_path / "p.yaml").write_text(f"dag: {{steps: {{a: {{{BOX}, secrets: {{S: T}}}}}}}}")
    config = {"kubernetes": "{secret: s}", "aws-secrets-manager": "{secret_id: s}"}
    given = f"{{type: {secrets}, config: {config.get(secrets, '{}')}}}"
    (tmp_path / "c.yaml").write_text(f"executor: {executor}\nsecrets: {given}")
    request = Request(str(tmp_path / "p.yaml"), (str(tmp_path / "c.yaml"),))
    if not expected:
        compile(request, until=phases.integrate)
        return
    with pytest.raises(SettingsError) as error:
        compile(request, until=phases.integrate)
    (problem,) = error.value.problems
    assert expected in problem.message
    assert problem.at is not None
