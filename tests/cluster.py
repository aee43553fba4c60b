"""One namespace of a real cluster, for the end-to-end tests."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

IMAGE = os.environ.get("ARGOSY_TEST_IMAGE", "localhost/argosy:test")
PYTHON = "localhost/argosy-test-python:3.11"
"""Of the cluster's own images, the one with Python and nothing of Argosy."""
ARGO = "argoproj.io/v1alpha1"
FINISHED = {"Succeeded", "Failed", "Error"}
OF_JOB = "batch.kubernetes.io/job-name"
OF_WORKFLOW = "workflows.argoproj.io/workflow"


class Cluster(NamedTuple):
    """One namespace of the cluster. Every method raises `AssertionError` with what the command
    said where it fails."""

    namespace: str

    def kubectl(self, *arguments: str, input: str | None = None, check: bool = True) -> str:
        return self.run("kubectl", *arguments, input=input, check=check)

    def run(
        self, program: str, *arguments: str, input: str | None = None, check: bool = True
    ) -> str:
        """What `kubectl` or `argo` writes."""
        command = [program, "--namespace", self.namespace, *arguments]
        done = subprocess.run(command, input=input, check=False, capture_output=True, text=True)
        assert done.returncode == 0 or not check, f"{' '.join(command)}\n{done.stderr}"
        return done.stdout

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def create(self, *objects: Mapping[str, Any]) -> None:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.kubectl("create", "-f", "-", input=text)

    def apply(self, folder: Path) -> None:
        """Applies a folder with a kustomization, after the API server has had a strict look."""
        apply = ("apply", "--server-side", "--validate=strict", "-k", str(folder))
        self.kubectl(*apply, "--dry-run=server")
        self.kubectl(*apply)

    def submit(self, template: str) -> str:
        """Starts a workflow from a WorkflowTemplate; its name, which is the template's."""
        self.create(from_template(template, template, {}))
        return template

    def wait(self, workflow: str, seconds: float = 180) -> dict[str, Any]:
        """The workflow once it has ended."""
        return self.wait_all([workflow], seconds)[workflow]

    def wait_all(self, workflows: Iterable[str], seconds: float = 180) -> dict[str, dict[str, Any]]:
        """The workflows by name, once all of them have ended."""
        wanted = set(workflows)
        until = time.monotonic() + seconds
        while True:
            items = self.get("workflows")["items"]
            found = {one["metadata"]["name"]: one for one in items}
            ended = {name for name in wanted if phase(found.get(name, {})) in FINISHED}
            if ended == wanted:
                return {name: found[name] for name in wanted}
            if time.monotonic() > until:
                reports = "\n".join(self.report(name) for name in sorted(wanted - ended))
                raise AssertionError(f"not ended after {seconds:.0f} s:\n{reports}")
            time.sleep(1)

    def start_job(self, cronjob: str, name: str) -> None:
        """Starts a run from a CronJob, as a user does."""
        self.kubectl("create", "job", name, f"--from=cronjob/{cronjob}")

    def wait_job(self, name: str, seconds: float = 240) -> dict[str, Any]:
        """The Job once it has ended; its `ended` is the condition that says how."""
        until = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = self.get("job", name)
            for condition in found["status"].get("conditions", ()):
                if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
                    return {**found, "ended": condition}
            if time.monotonic() > until:
                said = self.kubectl("describe", "job", name) + self.job_logs(name)
                raise AssertionError(f"not ended after {seconds:.0f} s:\n{said}")
            time.sleep(1)

    def job_pods(self, job: str) -> list[dict[str, Any]]:
        """The pods of a Job, oldest first."""
        found = self.get("pods", "-l", f"{OF_JOB}={job}")["items"]
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def job_logs(self, job: str) -> str:
        """What all pods of a Job wrote, each line with its pod's name."""
        show = ("logs", "-l", f"{OF_JOB}={job}", "--prefix", "--tail=-1")
        return self.kubectl(*show, "--max-log-requests=50", check=False)

    def pods(self, workflow: str) -> list[dict[str, Any]]:
        return list(self.get("pods", "-l", f"{OF_WORKFLOW}={workflow}")["items"])

    def folder(self, claim: str) -> Path:
        """What a claim holds: the cluster's only node is this machine."""
        self.kubectl("wait", f"pvc/{claim}", "--for=jsonpath={.status.phase}=Bound")
        volume = self.get("pvc", claim)["spec"]["volumeName"]
        return Path(self.get("pv", volume)["spec"]["hostPath"]["path"])

    def logs(self, workflow: str) -> str:
        """What all pods of a workflow wrote, each line with its pod's name."""
        show = ("logs", "-l", f"{OF_WORKFLOW}={workflow}", "-c", "main", "--prefix", "--tail=-1")
        return self.kubectl(*show, "--max-log-requests=50", check=False)

    def report(self, workflow: str) -> str:
        """For a person who looks at a failed test."""
        status = self.get("workflow", workflow).get("status", {})
        lines = [f"{workflow}: {status.get('phase')} {status.get('message', '')}"]
        for node in status.get("nodes", {}).values():
            lines.append(f"  {node['name']}: {node.get('phase')} {node.get('message', '')}")
        return "\n".join([*lines, self.logs(workflow)])


def phase(workflow: Mapping[str, Any]) -> str:
    return str(workflow.get("status", {}).get("phase", ""))


def from_template(template: str, name: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """A workflow made from a WorkflowTemplate, as `argo submit --from` makes it."""
    arguments = [{"name": key, "value": value} for key, value in parameters.items()]
    spec = {"workflowTemplateRef": {"name": template}, "arguments": {"parameters": arguments}}
    return {"apiVersion": ARGO, "kind": "Workflow", "metadata": {"name": name}, "spec": spec}


def account(name: str) -> list[dict[str, Any]]:
    """A service account that workflows can run as, with its role."""
    rules = [
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflowtaskresults"],
            "verbs": ["create", "patch"],
        },
        {"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["get"]},
    ]
    rbac, metadata = "rbac.authorization.k8s.io", {"name": name}
    binding = {
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name}],
    }
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": metadata, **binding},
    ]


def claim(name: str) -> dict[str, Any]:
    """A volume claim that all pods can mount."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
