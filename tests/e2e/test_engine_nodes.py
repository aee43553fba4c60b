"""Nodes that are the engine's, or hold nothing of ours: in pods, and here in Docker."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cluster import IMAGE, Cluster
from runs import MOUNT, Lab, result, run_id

BOX = os.environ.get("ARGOSY_TEST_BOX", "localhost/argosy-box:test")
TEXT = 'it\'s {{workflow.name}} {{=1+1}} $(id) $HOME \\ "q" \u2028\U0001f389\ttab\nline'
HIDDEN = "a-secret-that-nobody-prints"
LIMITED = {
    executor: {"resources": {"limits": {"memory": "64Mi"}}}
    for executor in ("argo", "local-container")
}


def pipeline(name: str, parameters: dict[str, Any] | None = None, **steps: Any) -> dict[str, Any]:
    return {"name": name, "parameters": parameters or {}, "dag": {"steps": steps}}


def box(*words: str, **fields: Any) -> dict[str, Any]:
    """A container whose image is one program."""
    command = {"command": "/box", "args": [*words]}
    return {"type": "task", "command_type": "container", "image": BOX, **command, **fields}


def shell(command: str, **fields: Any) -> dict[str, Any]:
    return {"type": "task", "command_type": "shell", "command": command, **fields}


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
BOTH = BOXES, FAILS, FLAKY, MEMORY, OVERDUE
PIPELINES = *BOTH, ABSENT, SECRETS


@pytest.fixture(scope="module")
def there(lab: Lab, cluster: Cluster) -> dict[str, dict[str, Any]]:
    """What `argosy show` says of each run on the cluster."""
    lab.configuration["secrets"] = {"type": "kubernetes", "config": {"secret": "tokens"}}
    token = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tokens"}}
    role = {"rules": RULES, "apiVersion": f"{RBAC}/v1", "kind": "Role"}
    subjects = [{"kind": "ServiceAccount", "name": "runner"}]
    reference = {"apiGroup": RBAC, "kind": "Role", "name": "boxes"}
    binding = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "roleRef": reference}
    cluster.create(
        {**token, "stringData": {"S": HIDDEN}},
        {**role, "metadata": {"name": "boxes"}},
        {**binding, "metadata": {"name": "boxes"}, "subjects": subjects},
    )
    lab.start(*PIPELINES)
    names = [one["name"] for one in PIPELINES]
    lab.wait(*names)
    return {name: lab.there(name) for name in names}


RBAC = "rbac.authorization.k8s.io"
RULES = [
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"]},
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
    return [(one["status"], one["exit_status"], one["message"]) for one in found["attempts"]]


def printed(store: Path, run: str, step: str = "one") -> str:
    """What all attempts at a step printed."""
    chunks = sorted((store / "runs" / run / "steps" / step).glob("*.log/*"))
    return b"".join(chunk.read_bytes() for chunk in chunks).decode()


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
