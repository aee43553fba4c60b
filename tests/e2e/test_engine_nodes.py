"""Nodes that are the engine's, or hold nothing of ours: in pods, and here in Docker."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from cluster import IMAGE, PYTHON, Cluster
from definitions import shell
from examples import argosy
from runs import MOUNT, Lab, result, run_id

BOX = os.environ.get("ARGOSY_TEST_BOX", "localhost/argosy-box:test")
TEXT = 'it\'s {{workflow.name}} {{=1+1}} $(id) $HOME \\ "q" \u2028\U0001f389\ttab\nline'
HIDDEN = "a-secret-that-nobody-prints"
LIMITED = {
    "argo": {"resources": {"limits": {"memory": "64Mi"}}},
    "local-container": {"resources": {"memory": "64m"}},
}


def pipeline(name: str, parameters: dict[str, Any] | None = None, **steps: Any) -> dict[str, Any]:
    return {"name": name, "parameters": parameters or {}, "dag": {"steps": steps}}


def box(*words: str, **fields: Any) -> dict[str, Any]:
    """A container whose image is one program."""
    command = {"command": "/box", "args": [*words]}
    return {"type": "task", "command_type": "container", "image": BOX, **command, **fields}


def double(*words: str) -> dict[str, Any]:
    twice = box("write", "/argosy/outputs/twice", "$(ARGOSY_PRM_x)$(ARGOSY_PRM_x)")
    return {"steps": {"one": {**twice, "returns": ["twice"]}}}


BOXES = pipeline(
    "boxes",
    {"rate": 0.5},
    make=shell(
        "export ARGOSY_PRM_items='[1, 2]'; echo 1,2 > in.csv",
        returns=["items"],
        catalog={"put": ["in.csv"]},
    ),
    box=box(
        *("say", TEXT, "env", "ARGOSY_PRM_rate", "say", "rate is $(ARGOSY_PRM_rate)"),
        *("copy", "/argosy/parameters/items", "/argosy/outputs/copied"),
        *("write", "/argosy/outputs/words", TEXT, "write", "/argosy/outputs/number", "007\n"),
        *("copy", "/argosy/work/in.csv", "/argosy/work/out.csv", "env", "LEVEL"),
        returns=["copied", "words", "number"],
        env={"LEVEL": "$(x) {{y}}"},
        catalog={"get": ["in.csv"], "put": ["out.csv"]},
        depends_on=["make"],
    ),
    each={
        "type": "map",
        "iterate_on": "copied",
        "iterate_as": "x",
        "depends_on": ["box"],
        "branch": double(),
    },
)
FAILS = pipeline(
    "box-fails",
    one=box("say", "about to fail", "exit", "2", retry=2),
    two=box("say", "never", depends_on=["one"]),
)
FLAKY = pipeline(
    "box-flaky",
    one=box(
        *("fail", f"{MOUNT}/count", "2", "write", "/argosy/outputs/done", "true"),
        returns=["done"],
        retry={"max_attempts": 4, "backoff": "1s"},
    ),
)
MEMORY = pipeline("box-memory", one=box("eat", "400", overrides=LIMITED))
OVERDUE = pipeline("box-overdue", one=box("say", "started", "sleep", "300", timeout="3s"))
ABSENT = pipeline("box-absent", one={**box(), "command": "/no-such-program"})
SECRETS = pipeline(
    "box-secrets", one=box("env", "TOKEN", "show", "/argosy/secrets/S", secrets={"S": "TOKEN"})
)
SAYS = {
    "inputs": {"parameters": [{"name": "items"}, {"name": "uid"}]},
    "script": {
        "image": PYTHON,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh"],
        "source": 'echo \'{"items": {{inputs.parameters.items}}, "same": "{{=1+1}}"}\'',
    },
}
LOOKS = {
    "inputs": {"parameters": [{"name": "name"}]},
    "resource": {
        "action": "get",
        "manifest": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": '
        '{"name": "{{inputs.parameters.name}}"}}',
    },
    "outputs": {
        "parameters": [{"name": "level", "valueFrom": {"jsonPath": "{.data.level}"}}],
    },
}
RAW = pipeline(
    "raw",
    {"settings": "settings"},
    make=shell("export ARGOSY_PRM_items='[1, {\"a\": 2}]'", returns=["items"]),
    says={
        "type": "argo",
        "template": SAYS,
        "arguments": {"items": {"parameter": "items"}, "uid": "{{workflow.uid}}"},
        "returns": {"said": "result"},
        "depends_on": ["make"],
    },
    looks={
        "type": "argo",
        "template": LOOKS,
        "arguments": {"name": {"parameter": "settings"}},
        "returns": ["level"],
        "depends_on": ["says"],
    },
    refers={
        "type": "argo",
        "template_ref": {"name": "other", "template": "twice"},
        "arguments": {"x": {"parameter": "level"}},
        "returns": {"twice": "result"},
        "depends_on": ["looks"],
    },
    waits={"type": "argo", "template": {"suspend": {"duration": "1"}}, "depends_on": ["refers"]},
    uses=shell(
        'export ARGOSY_PRM_text="$ARGOSY_PRM_said $ARGOSY_PRM_level $ARGOSY_PRM_twice"',
        returns=["text"],
        depends_on=["waits"],
    ),
)
OTHER = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "WorkflowTemplate",
    "metadata": {"name": "other"},
    "spec": {
        "templates": [
            {
                "name": "twice",
                "inputs": {"parameters": [{"name": "x"}]},
                "script": {
                    **SAYS["script"],  # type: ignore[dict-item]
                    "source": "echo {{inputs.parameters.x}}{{inputs.parameters.x}}",
                },
            }
        ]
    },
}
SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
BOTH = BOXES, FAILS, FLAKY, MEMORY, OVERDUE
PIPELINES = *BOTH, ABSENT, SECRETS, RAW


INJECTED = pipeline(
    "injected",
    {"n": 21},
    one=shell(
        "python3 -c 'from argosy.runtime import get_parameter as get, set_parameter as set_\n"
        'set_("twice", get("n") * 2)\'',
        returns=["twice"],
    ),
    two=shell('echo "twice is $ARGOSY_PRM_twice, and I am $(id -u)"', depends_on=["one"]),
)


@pytest.fixture(scope="module")
def there(lab: Lab, cluster: Cluster, runtime: str) -> dict[str, dict[str, Any]]:
    """What `argosy show` says of each run on the cluster."""
    lab.configuration["secrets"] = {"type": "kubernetes", "config": {"secret": "tokens"}}
    token = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tokens"}}
    role = {"rules": RULES, "apiVersion": f"{RBAC}/v1", "kind": "Role"}
    subjects = [{"kind": "ServiceAccount", "name": "runner"}]
    reference = {"apiGroup": RBAC, "kind": "Role", "name": "boxes"}
    binding = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "roleRef": reference}
    cluster.create(
        {**token, "stringData": {"S": HIDDEN}},
        {**SETTINGS, "data": {"level": "007"}},
        OTHER,
        {**role, "metadata": {"name": "boxes"}},
        {**binding, "metadata": {"name": "boxes"}, "subjects": subjects},
    )
    lab.start(*PIPELINES)
    start_injected(lab, cluster, runtime)
    names = [one["name"] for one in PIPELINES]
    lab.wait(*names, "injected")
    return {name: lab.there(name) for name in names}


def start_injected(lab: Lab, cluster: Cluster, runtime: str) -> None:
    """In an image with Python and nothing of Argosy, by a user who is not root, on a file system
    that cannot be written."""
    folder = lab.place("injected")
    config = {
        "image": PYTHON,
        "image_pull_policy": "IfNotPresent",
        "command": ["python3", "-m", "argosy.runtime"],
        "runtime": {"inject": True, "image": runtime},
        "security": "restricted",
        "security_context": {"readOnlyRootFilesystem": True},
        "pod_security_context": {"runAsUser": 1000},
    }
    (folder / "pipeline.yaml").write_text(json.dumps(INJECTED))
    (folder / "argo.yaml").write_text(json.dumps({"executor": {"type": "argo", "config": config}}))
    done = argosy("render", "pipeline.yaml", "-c", "argo.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    lab.apply(done.stdout)
    cluster.submit("injected")


RBAC = "rbac.authorization.k8s.io"
RULES = [
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get", "patch"]},
    {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get"]},
]


def here(lab: Lab, name: str) -> dict[str, Any]:
    """What `argosy show` says of the pipeline's run in Docker."""
    config = {"image": IMAGE, "volumes": {str(lab.place(f"{name}-mount")): MOUNT}}
    executor = {"type": "local-container", "config": config}
    (lab.place(name) / "docker.yaml").write_text(json.dumps({"executor": executor}))
    return lab.here(name, "-c", "docker.yaml")


def attempts(document: dict[str, Any], step: str = "one") -> list[tuple[Any, ...]]:
    (found,) = (one for one in document["steps"] if one["step"] == step)
    return [(one["status"], one["exit_status"], one.get("message")) for one in found["attempts"]]


def printed(store: Path, run: str, step: str = "one") -> str:
    """What all attempts at a step printed, without the last words of the runtime and the engine on
    one that failed."""
    chunks = sorted((store / "runs" / run / "steps" / step).glob("*.log/*"))
    text = b"".join(chunk.read_bytes() for chunk in chunks).decode()
    return re.sub(rf"^(argosy: {step}: .*|Error: exit status \d+)\n", "", text, flags=re.MULTILINE)


def log(lab: Lab, cluster: Cluster, name: str, step: str = "one") -> str:
    run = run_id(name, cluster.get("workflow", name))
    return printed(lab.volume / "argosy", run, step)


def test_a_container_has_parameters_files_and_outputs(
    lab: Lab, cluster: Cluster, there: dict[str, Any]
) -> None:
    found = there["boxes"]
    assert (found["status"], lab.status("boxes")) == ("succeeded", "Succeeded")
    left = {"copied": [1, 2], "words": TEXT, "number": "007", "twice": [11, 22]}
    assert found["parameters"] == {"rate": 0.5, "items": [1, 2], **left}
    expected = f"{TEXT}\nARGOSY_PRM_rate=0.5\nrate is 0.5\nLEVEL=$(x) {{{{y}}}}\n"
    assert log(lab, cluster, "boxes", "box") == expected
    assert lab.pods("boxes") == 4 + 1


@pytest.mark.parametrize("name", [one["name"] for one in BOTH])
def test_it_ends_in_docker_as_it_does_in_a_pod(lab: Lab, there: dict[str, Any], name: str) -> None:
    assert result(here(lab, name)) == result(there[name])


def test_its_failures_are_recorded(lab: Lab, cluster: Cluster, there: dict[str, Any]) -> None:
    failed = ("failed", 1, "exited with status 2")
    assert attempts(there["box-fails"]) == [failed, failed]
    assert log(lab, cluster, "box-fails") == "about to fail\n" * 2
    assert lab.pods("box-fails") == 2 + 1
    flaky = [status for status, *_ in attempts(there["box-flaky"])]
    assert flaky == ["failed", "failed", "succeeded"]
    assert there["box-flaky"]["parameters"] == {"done": True}


def test_its_memory_and_its_time_are_bounded(
    lab: Lab, cluster: Cluster, there: dict[str, Any]
) -> None:
    ((status, code, message),) = attempts(there["box-memory"])
    assert (status, code) == ("failed", 137)
    assert "OOMKilled" in log(lab, cluster, "box-memory")
    ((status, code, message),) = attempts(there["box-overdue"])
    assert (status, code, message) == ("failed", 124, "ran longer than its timeout of 3 s")
    assert log(lab, cluster, "box-overdue") == "started\n"


def test_a_program_that_is_not_there_is_said(
    lab: Lab, cluster: Cluster, there: dict[str, Any]
) -> None:
    ((status, _, _),) = attempts(there["box-absent"])
    assert (status, lab.status("box-absent")) == ("failed", "Failed")
    assert "no-such-program" in log(lab, cluster, "box-absent")


def test_its_secrets_are_files_and_variables_and_masked(
    lab: Lab, cluster: Cluster, there: dict[str, Any]
) -> None:
    assert there["box-secrets"]["status"] == "succeeded"
    assert log(lab, cluster, "box-secrets") == "TOKEN=***\n***\n"


def test_outputs_of_the_engines_own_templates_feed_later_steps(
    lab: Lab, there: dict[str, Any]
) -> None:
    found = there["raw"]
    assert (found["status"], lab.status("raw")) == ("succeeded", "Succeeded")
    said = {"items": [1, {"a": 2}], "same": "2"}
    assert {name: found["parameters"][name] for name in ("said", "level", "twice")} == {
        "said": said,
        "level": "007",
        "twice": "007007",
    }
    assert found["parameters"]["text"] == f"{json.dumps(said)} 007 007007"
    steps = ("make", "says", "looks", "refers", "waits", "uses")
    assert result(found).steps == {step: ["succeeded"] for step in steps}
    # Of ours: two steps, a pod after each of the three with outputs, one before that reads of
    # several, and the end; of the engine's: two scripts and a resource.
    assert lab.pods("raw") == 2 + 3 + 1 + 3


def test_any_image_with_python_runs_steps(lab: Lab, cluster: Cluster, there: Any) -> None:
    assert lab.status("injected") == "Succeeded", cluster.report("injected")
    assert "twice is 42, and I am 1000" in cluster.logs("injected")
    assert lab.pods("injected") == 2 + 1
