"""The day-two commands on an API server that keeps Jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api_server import Answer, Sent, api_server, kubeconfig
from argosy.compiler import Request, compile
from argosy.compiler.cli import argosy, following
from argosy.runtime import layout
from argosy.runtime.run_logs.file_system import FileSystemRunLog

UID = "1a2b3c4d-0000"
RUN = "churn-1a2b3c4d"
DEFINITION = {
    "name": "churn",
    "parameters": {"rate": 0.1, "who": "$(ME)", "key": None},
    "dag": {"steps": {"train": {"type": "task", "command": "jobs.train"}}},
}
DONE = {"type": "Complete", "status": "True", "lastTransitionTime": "2026-01-01T00:01:00Z"}
FAILED = {**DONE, "type": "Failed", "message": "Job was active longer than specified deadline"}


class Kube:
    """Jobs and CronJobs by name, as the cluster has them; a Job ends as soon as it is looked at
    again, by the condition `ends`."""

    def __init__(self, folder: Path) -> None:
        self.jobs: dict[str, Any] = {}
        self.cronjobs: dict[str, Any] = {}
        self.ends: Any = DONE
        self.pods: list[Any] = []
        self.looks = 0
        """So often a Job is looked at before it ends."""
        self.log = FileSystemRunLog({"location": str(folder / "runs" / "argosy")})

    def answer(self, sent: Sent) -> Answer:
        *_, plural, name = ["", *sent.path.strip("/").split("/")]
        if name == "pods":
            return 200, {"items": self.pods, "metadata": {}}
        if name in ("jobs", "cronjobs"):
            plural, name = name, ""
        kept = self.jobs if plural == "jobs" else self.cronjobs
        if sent.method == "POST":
            return 201, self.created(sent.body)
        if not name:
            return 200, {"items": list(kept.values()), "metadata": {}}
        if name not in kept:
            message = f'{plural}.batch "{name}" not found'
            return 404, {"message": message, "details": {"name": name, "kind": plural}}
        if sent.method == "PATCH":
            kept[name]["spec"].update(sent.body["spec"])
            labels = sent.body.get("metadata", {}).get("labels", {})
            kept[name]["metadata"].setdefault("labels", {}).update(labels)
        elif plural == "jobs" and self.looks:
            self.looks -= 1
        elif plural == "jobs" and self.ends:
            kept[name]["status"] = {"conditions": [self.ends]}
        return 200, kept[name]

    def created(self, body: Any) -> Any:
        """With what the cluster adds."""
        metadata = body["metadata"]
        metadata["name"] = f"{metadata['generateName']}x{len(self.jobs)}"
        uid = UID.replace("0000", f"000{len(self.jobs)}")
        time = f"2026-01-01T00:00:0{len(self.jobs)}Z"
        metadata.update(uid=uid, creationTimestamp=time, resourceVersion="1")
        body["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        own = {"batch.kubernetes.io/controller-uid": uid, "job-name": metadata["name"]}
        body["spec"]["template"]["metadata"]["labels"].update(own)
        self.jobs[metadata["name"]] = body
        return body

    def record(self, status: str) -> None:
        """What the pod of the run logs of its step."""
        record = {"step": "train", "status": status, "message": "it broke"}
        key = layout.record_key(RUN, "train", "0000000000001-ab")
        self.log.put(key, json.dumps(record).encode())


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kube]:
    """A folder with a pipeline that is applied in a cluster."""
    found = Kube(tmp_path)
    claims = {"runs": str(tmp_path / "runs")}
    configuration = {
        "executor": {
            "type": "kubernetes",
            "config": {"image": "i", "namespace": "team", "claims": claims},
        },
        "run_log_store": {
            "type": "file-system",
            "config": {"location": str(tmp_path / "runs" / "argosy")},
        },
    }
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(json.dumps(DEFINITION))
    Path("c.yaml").write_text(json.dumps(configuration))
    cronjob = compile(Request("p.yaml", ("c.yaml",))).manifests[0].data
    found.cronjobs["churn"] = json.loads(json.dumps(cronjob))
    found.cronjobs["churn"]["metadata"]["uid"] = "cron"
    with api_server() as server:
        server.answer = found.answer
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", server.url)))
        yield found


def call(*arguments: str) -> Result:
    return CliRunner().invoke(argosy, [*arguments, "-c", "c.yaml"])


def good(*arguments: str) -> str:
    done = call(*arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def submit(*arguments: str) -> str:
    return good("submit", "p.yaml", "-p", "key=k", *arguments)


def variables(job: Any) -> dict[str, Any]:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one.get("value") for one in container["env"]}


def test_a_run_is_a_job_of_the_cronjob_that_is_applied(kube: Kube) -> None:
    said = submit("-p", "rate=0.5")
    assert said == f"{RUN}: submitted as job churn-x0 in namespace team\n"
    (job,) = kube.jobs.values()
    template = kube.cronjobs["churn"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == template["serviceAccountName"]
    found = variables(job)
    assert "$" not in found["ARGOSY_ARGUMENTS"]
    assert json.loads(found["ARGOSY_ARGUMENTS"]) == {"rate": 0.5, "who": "$(ME)", "key": "k"}
    assert "ARGOSY_RESUME" not in found
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("CronJob", "churn", "cron")
    assert job["metadata"]["labels"]["argosy.dev/pipeline"] == "churn"


def test_values_of_any_type_are_submitted_for_any_name(kube: Kube) -> None:
    values = {"l": [1, 2], "n": 1.5, "none": None, "text": "{{x}}", "who": None, "key": ["a"]}
    Path("prm.yaml").write_text(json.dumps(values))
    good("submit", "p.yaml", "-p", "prm.yaml", "-p", "list=[1]")
    good("submit", "p.yaml", "--resume", RUN, "-p", "rate=3")
    first, second = (json.loads(variables(job)["ARGOSY_ARGUMENTS"]) for job in kube.jobs.values())
    assert first == {"rate": 0.1, **values, "list": "[1]"}
    assert second == {**first, "rate": 3}


def test_a_job_is_submitted_as_it_is_rendered(kube: Kube) -> None:
    Path("k.yaml").write_text("executor: {config: {kind: Job}}")
    kube.cronjobs.clear()
    submit("-c", "k.yaml")
    assert [*kube.jobs] == ["churn-x0"]


def test_what_cannot_be_submitted(kube: Kube) -> None:
    kube.cronjobs["team-churn"] = kube.cronjobs.pop("churn")
    kube.cronjobs["team-churn"]["metadata"]["name"] = "team-churn"
    submit()
    kube.cronjobs["other"] = {"metadata": {"name": "other"}}
    done = call("submit", "p.yaml", "-p", "key=k")
    assert "several are of this pipeline (team-churn, other)" in str(done.exception)
    kube.cronjobs.clear()
    done = call("submit", "p.yaml", "-p", "key=k")
    assert "no CronJob 'churn' in namespace 'team'; is it applied?" in str(done.exception)


def test_with_wait_it_ends_as_the_run_does(kube: Kube) -> None:
    kube.record("succeeded")
    done = call("submit", "p.yaml", "-p", "key=k", "--wait")
    assert (done.exit_code, done.stdout) == (0, f"{RUN}: succeeded\n")
    assert "train" in done.stderr
    kube.ends = FAILED
    kube.jobs.clear()
    kube.record("failed")
    done = call("submit", "p.yaml", "-p", "key=k", "--wait")
    assert done.exit_code == 1
    assert "train: it broke" in done.stderr
    assert "longer than specified deadline" in done.stderr


def test_a_retry_has_the_arguments_of_then_and_goes_on_from_there(kube: Kube) -> None:
    submit("-p", "rate=0.5")
    kube.ends = FAILED
    good("retry", "latest")
    found = variables(kube.jobs["churn-x1"])
    assert json.loads(found["ARGOSY_ARGUMENTS"])["rate"] == 0.5
    assert (found["ARGOSY_RESUME"], found.get("ARGOSY_RESUME_BY_NAME")) == (RUN, "false")


def test_without_its_cronjob_a_run_is_retried_as_it_was(kube: Kube) -> None:
    submit()
    kube.cronjobs.clear()
    good("retry", "churn-x0", "--by-name")
    spec = kube.jobs["churn-x1"]["spec"]
    assert spec["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"].endswith("1")
    labels = spec["template"]["metadata"]["labels"]
    assert labels["job-name"] == "churn-x1"
    assert variables(kube.jobs["churn-x1"])["ARGOSY_RESUME_BY_NAME"] == "true"


def test_a_run_is_stopped_by_a_deadline_that_it_has_passed(kube: Kube) -> None:
    kube.ends = None
    submit()
    kube.jobs["churn-x0"]["status"] = {"active": 1}
    assert good("stop", RUN) == f"{RUN}: stopping\n"
    assert kube.jobs["churn-x0"]["spec"]["activeDeadlineSeconds"] == 1
    kube.ends = FAILED
    assert call("watch", RUN).exit_code == 1
    assert [row["status"] for row in json.loads(good("runs", "-o", "json"))] == ["cancelled"]


def test_why_the_pod_does_not_start_is_said(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAUSE", 0.0)
    submit()
    kube.looks = 3
    kube.jobs["churn-x0"]["status"] = {"active": 1}
    waiting = {"reason": "ErrImagePull", "message": "no such image"}
    kube.pods = [{"status": {"containerStatuses": [{"state": {"waiting": waiting}}]}}]
    done = call("watch", RUN)
    assert f"{RUN}: running: ErrImagePull: no such image" in done.stdout


def test_runs_and_logs(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAUSE", 0.0)
    submit()
    (row,) = json.loads(good("runs", "-o", "json"))
    assert (row["run"], row["status"], row["job"]) == (RUN, "pending", "churn-x0")
    done = call("logs", RUN)
    assert "has no log yet" in done.stderr
    kube.record("succeeded")
    kube.log.put(layout.log_key(RUN, "train", "0000000000001-ab", 1), b"hello\n")
    assert good("logs", RUN, "train") == "hello\n"
    assert "succeeded" in good("watch", RUN)
