"""Manifests in a repository and on a cluster: stable, applied, compared, pruned, and versioned."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.compiler.options.quantities import amount
from cluster import IMAGE, Cluster, from_template
from examples import FOLDER, argosy

GOLDEN = sorted(FOLDER.glob("*/manifests*"))
PIPELINE: dict[str, Any] = {
    "name": "churn",
    "description": 'It\'s "so": {{x}}, 100 %\nand more.',
    "parameters": {"words": ["a", "b"], "flag": True, "none": None},
    "dag": {
        "steps": {
            "a": {
                "type": "task",
                "command_type": "shell",
                "command": "sleep 0",
                "retry": {"max_attempts": 2, "backoff": "2s"},
                "timeout": "1m",
                "secrets": ["KEY"],
                "overrides": {"argo": {"resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}}},
            },
            "each": {
                "type": "map",
                "iterate_on": "words",
                "iterate_as": "word",
                "branch": {"steps": {"say": {"type": "stub"}}},
                "depends_on": ["a"],
            },
        }
    },
}
MANY: dict[str, Any] = {
    "executor": {
        "type": "argo",
        "config": {
            "image": IMAGE,
            "image_pull_policy": "IfNotPresent",
            "image_pull_secrets": ["registry"],
            "claims": {
                "runs": {
                    "mount_path": "/runs",
                    "create": True,
                    "size": "1024Mi",
                    "access_mode": "ReadWriteMany",
                }
            },
            "env": {"LEVEL": "yes", "n": "1e3", "EMPTY": ""},
            "labels": {"team": "data"},
            "annotations": {"example.com/owner": "a: b"},
            "resources": {"requests": {"cpu": "0.010", "memory": "0.5Gi"}},
            "tolerations": [{"key": "batch", "operator": "Exists", "tolerationSeconds": 30}],
            "node_selector": {"kubernetes.io/os": "linux"},
            "retry": {"max_attempts": 2, "backoff": "1.5s", "factor": 2},
            "workflow_timeout": "10m",
            "parallelism": 3,
            "schedules": ["0 6 * * *", "@daily"],
            "timezone": "Europe/Madrid",
        },
    },
    "run_log_store": {"type": "file-system"},
    "secrets": {"type": "kubernetes", "config": {"secret": "keys"}},
}


@pytest.fixture
def cluster(new_cluster: Callable[[], Cluster]) -> Cluster:
    """A namespace for each test."""
    return new_cluster()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pipeline, its configuration and two environments."""
    (tmp_path / "churn.yaml").write_text(json.dumps(PIPELINE))
    (tmp_path / "argo.yaml").write_text(json.dumps(MANY))
    for environment in ("staging", "live"):
        (tmp_path / f"argo.{environment}.yaml").write_text("")
    return tmp_path


def run(folder: Path, command: str, *arguments: str, status: int = 0) -> str:
    done = argosy(command, "churn.yaml", "-c", "argo.yaml", *arguments, cwd=folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def objects(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.glob("*.yaml")):
        if not path.name.startswith("kustom"):
            yield yaml.safe_load(path.read_text())


def owned(applied: Any, found: Any) -> bool:
    """Whether `found` has all that was applied, as it was applied."""
    if isinstance(applied, dict) and isinstance(found, dict):
        return all(key in found and owned(applied[key], found[key]) for key in applied)
    if isinstance(applied, list) and isinstance(found, list):
        return len(applied) == len(found) and all(map(owned, applied, found))
    return bool(applied == found) and isinstance(applied, bool) == isinstance(found, bool)


def hold_still(cluster: Cluster, folder: Path, *how: str) -> None:
    """What the cluster has is what was applied, field for field."""
    cluster.kubectl("apply", *how, "--validate=strict", "-k", str(folder))
    there = cluster.get("-k", str(folder))
    found = {key_of(one): one for one in there.get("items", [there])}
    for obj in objects(folder):
        assert owned(obj, found[key_of(obj)]), json.dumps(found[key_of(obj)])
    cluster.kubectl("diff", *how, "-k", str(folder))  # exits 1 where anything differs


def key_of(obj: Any) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]


def test_every_golden_folder_is_stable(cluster: Cluster) -> None:
    for golden in GOLDEN:
        hold_still(cluster, golden, "--server-side")


def test_many_options_are_stable(cluster: Cluster, folder: Path) -> None:
    run(folder, "render", "-o", "manifests")
    hold_still(cluster, folder / "manifests", "--server-side")
    hold_still(cluster, folder / "manifests")
    run(folder, "diff", "--cluster", "-n", cluster.namespace)


def test_quantities_are_written_as_the_api_server_writes_them(cluster: Cluster) -> None:
    given = "0.5 1024Mi 1000 1.5Gi 0.5Ki 1.5Ki 10e2 1500e0 1e-3 2000M 1025 0 100m 1000m 0.1 .5 1."
    written = [amount(text) for text in f"{given} 3E 1E3 1.5Ti 12345k 1500Mi 010 1.50".split()]
    containers = [
        {"name": f"c{number}", "image": "i", "resources": {"limits": {"cpu": text}}}
        for number, text in enumerate(written)
    ]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    text = json.dumps({**pod, "spec": {"containers": containers}})
    found = cluster.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", input=text)
    limits = [one["resources"]["limits"]["cpu"] for one in json.loads(found)["spec"]["containers"]]
    assert limits == written


def test_it_is_applied_compared_and_pruned(cluster: Cluster, folder: Path) -> None:
    here = ("-n", cluster.namespace)
    assert "+ CronWorkflow churn" in run(folder, "diff", "--cluster", *here, status=1)
    assert "cronworkflow/churn created (dry run)" in run(folder, "apply", "--dry-run", *here)
    assert cluster.get("cronworkflows")["items"] == []
    assert "created" in run(folder, "apply", *here)
    assert {line.split()[1] for line in run(folder, "apply", *here).splitlines()} == {"unchanged"}
    assert "no differences" in run(folder, "diff", "--cluster", *here)

    changed = json.loads(json.dumps(MANY))
    config = changed["executor"]["config"]
    del config["schedules"], config["timezone"], config["claims"], config["parallelism"]
    changed["run_log_store"] = {"type": "kubernetes"}
    (folder / "argo.yaml").write_text(json.dumps(changed))
    found = json.loads(run(folder, "diff", "--cluster", *here, "-o", "json", status=1))
    assert {(one["kind"], one["action"]) for one in found} == {
        ("WorkflowTemplate", "changed"),
        ("Role", "changed"),
        ("CronWorkflow", "removed"),
        ("PersistentVolumeClaim", "removed"),
    }
    fields = {one["path"]: one for each in found for one in each["changes"]}
    assert fields["spec.parallelism"] == {"path": "spec.parallelism", "old": 3}
    said = run(folder, "apply", *here, "--prune")
    assert "cronworkflow/churn pruned" in said
    assert "persistentvolumeclaim/runs kept: it may hold data" in said
    assert "parallelism" not in cluster.get("workflowtemplate", "churn")["spec"]
    assert cluster.get("cronworkflows")["items"] == []
    assert "persistentvolumeclaim/runs pruned" in run(folder, "apply", *here, "--prune-claims")
    run(folder, "diff", "--cluster", *here)


def test_a_conflict_is_explained_and_drift_is_seen(cluster: Cluster, folder: Path) -> None:
    here = ("-n", cluster.namespace)
    run(folder, "apply", *here)
    drift = json.dumps({"spec": {"parallelism": 7}})
    manager = "--field-manager=somebody"
    cluster.kubectl("patch", "workflowtemplate", "churn", "--type=merge", "-p", drift, manager)
    assert "spec.parallelism" in run(folder, "diff", "--cluster", *here, status=1)
    said = run(folder, "apply", *here, status=1)
    assert '"somebody"' in said
    assert "--force-conflicts" in said
    assert cluster.get("workflowtemplate", "churn")["spec"]["parallelism"] == 7
    run(folder, "apply", *here, "--force-conflicts")
    assert cluster.get("workflowtemplate", "churn")["spec"]["parallelism"] == 3


@pytest.mark.parametrize("how", [["--server-side"], []], ids=["server-side", "client-side"])
def test_what_others_apply_is_compared_as_they_apply_it(
    cluster: Cluster, folder: Path, how: list[str]
) -> None:
    """A field that is rendered no more is a difference, whoever has set it."""
    run(folder, "render", "-o", "manifests")
    cluster.kubectl("apply", *how, "-k", str(folder / "manifests"))
    here = ("-n", cluster.namespace)
    run(folder, "diff", "--cluster", *here)
    changed = json.loads(json.dumps(MANY))
    del changed["executor"]["config"]["parallelism"]
    (folder / "argo.yaml").write_text(json.dumps(changed))
    found = run(folder, "diff", "--cluster", *here, status=1)
    assert "    spec.parallelism\n      - 3\n" in found


def test_two_environments_share_a_namespace(cluster: Cluster, folder: Path) -> None:
    here = ("-n", cluster.namespace)
    run(folder, "apply", *here, "--env", "staging")
    run(folder, "apply", *here, "--env", "live")
    names = {one["metadata"]["name"] for one in cluster.get("workflowtemplates")["items"]}
    assert names == {"churn-staging", "churn-live"}
    (folder / "argo.live.yaml").write_text("executor: {config: {schedules: null, timezone: null}}")
    said = run(folder, "apply", *here, "--env", "live", "--prune")
    assert "cronworkflow/churn-live pruned" in said
    assert "staging" not in said
    (folder / "churn.yaml").write_text(json.dumps({**PIPELINE, "name": "churn staging"}))
    said = run(folder, "apply", *here, status=1)
    assert "is there already, and of the pipeline 'churn' in staging" in said


@pytest.mark.parametrize(
    "how",
    [
        ["--server-side", "--applyset=configmaps/churn"],
        [
            *("-l", "argosy.dev/pipeline=churn"),
            "--prune-allowlist=argoproj.io/v1alpha1/WorkflowTemplate",
            "--prune-allowlist=argoproj.io/v1alpha1/CronWorkflow",
        ],
    ],
    ids=["applyset", "label"],
)
def test_kubectl_prunes_as_the_documentation_says(
    cluster: Cluster, folder: Path, how: list[str]
) -> None:
    for schedule in ({"schedules": ["@daily"]}, {"schedules": None, "timezone": None}):
        changed = json.loads(json.dumps(MANY))
        changed["executor"]["config"] |= schedule
        (folder / "argo.yaml").write_text(json.dumps(changed))
        run(folder, "render", "-o", "manifests")
        command = ["kubectl", "-n", cluster.namespace, "apply", "--prune", *how]
        environment = {**os.environ, "KUBECTL_APPLYSET": str("--server-side" in how).lower()}
        done = subprocess.run(
            [*command, "-k", str(folder / "manifests")],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        assert bool(cluster.get("cronworkflows")["items"]) == bool(schedule["schedules"])
    assert cluster.get("workflowtemplates")["items"]


def test_the_overlay_of_the_documentation_can_be_applied(cluster: Cluster, folder: Path) -> None:
    (folder / "argo.production.yaml").write_text("")
    run(folder, "render", "--env", "production", "-o", "deploy/production")
    page = (FOLDER.parent / "docs" / "gitops.md").read_text()
    (overlay,) = re.findall(r"```yaml\n(apiVersion: kustomize.config.*?)```", page, re.DOTALL)
    overlay = overlay.replace("namespace: ml", f"namespace: {cluster.namespace}")
    overlay = overlay.replace("registry.example.com/churn", IMAGE.rpartition(":")[0])
    (folder / "kustomization.yaml").write_text(overlay)
    cluster.kubectl("apply", "-k", str(folder), "--server-side", "--validate=strict")
    template = cluster.get("workflowtemplate", "team-churn-production")
    images = {
        one["container"]["image"] for one in template["spec"]["templates"] if "container" in one
    }
    assert images == {f"{IMAGE.rpartition(':')[0]}:1.4.1"}


def test_a_run_ends_by_the_version_that_it_began_with(cluster: Cluster, folder: Path) -> None:
    here = ("-n", cluster.namespace)
    steps = {
        name: {"type": "task", "command_type": "shell", "command": f"{command}", **more}
        for name, command, more in (
            ("first", "echo old; sleep 8", {}),
            ("second", "echo old", {"depends_on": ["first"]}),
        )
    }
    config = {"image": IMAGE, "image_pull_policy": "IfNotPresent"}
    (folder / "argo.yaml").write_text(json.dumps({"executor": {"type": "argo", "config": config}}))
    definition = {"name": "churn", "dag": {"steps": steps}}
    (folder / "churn.yaml").write_text(json.dumps(definition))
    run(folder, "apply", *here)
    cluster.create(from_template("churn", "old", {}))
    until = time.monotonic() + 60
    while not cluster.pods("old"):
        assert time.monotonic() < until
        time.sleep(0.5)
    (folder / "churn.yaml").write_text(json.dumps(definition).replace("echo old", "echo new"))
    assert "workflowtemplate/churn configured" in run(folder, "apply", *here, "--prune")
    cluster.create(from_template("churn", "new", {}))
    ended = cluster.wait_all(["old", "new"])
    versions = {}
    for name in ("old", "new"):
        assert ended[name]["status"]["phase"] == "Succeeded", cluster.report(name)
        labels = [one["metadata"]["labels"] for one in (ended[name], *cluster.pods(name))]
        (versions[name],) = {found["argosy.dev/version"] for found in labels}
        assert {found["argosy.dev/pipeline"] for found in labels} == {"churn"}
        other = {"old": "new", "new": "old"}[name]
        written = cluster.logs(name).splitlines()
        assert sum(line.endswith(f" {name}") for line in written) == 2
        assert not any(line.endswith(f" {other}") for line in written)
    assert versions["old"] != versions["new"]
    now = cluster.get("workflowtemplate", "churn")["metadata"]["labels"]["argosy.dev/version"]
    assert now == versions["new"]
    chosen = cluster.get("workflows", "-l", f"argosy.dev/version={versions['old']}")["items"]
    assert [one["metadata"]["name"] for one in chosen] == ["old"]
