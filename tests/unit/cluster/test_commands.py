"""The day-two commands as a person types them, on an API server that keeps workflows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api_server import Answer, Sent, api_server, kubeconfig
from argosy.compiler.argo.objects import CONTROLLER
from argosy.compiler.argo.status import OFFLOADED
from argosy.compiler.cli import argosy, following
from argosy.compiler.cluster import exchange
from argosy.runtime.run_logs.file_system import FileSystemRunLog

RECORDED = Path(__file__).parent / "recorded"
UID = "1a2b3c4d-0000"
DEFINITION = {
    "name": "churn",
    "parameters": {"rate": 0.1, "regions": ["eu"], "who": "me", "key": None},
    "dag": {"steps": {"train": {"type": "task", "command": "jobs.train"}}},
}
CONFIGURATION = {
    "executor": {
        "type": "argo",
        "config": {"image": "i", "namespace": "team", "claims": {"runs": "/runs"}},
    },
    "run_log_store": {"type": "file-system"},
}


class Kube:
    """Workflows and templates by name; the pods' output by theirs. `asked`: the namespaces whose
    ConfigMaps, of which there are none, were asked for."""

    def __init__(self) -> None:
        self.workflows: dict[str, Any] = {}
        self.templates: dict[str, Any] = {}
        self.output: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.secrets: dict[str, Answer] = {}

    def answer(self, sent: Sent) -> Answer:
        *_, plural, name = ["", *sent.path.strip("/").split("/")]
        if name in ("workflows", "workflowtemplates"):
            plural, name = name, ""
        if name == "configmaps":
            self.asked.append(plural)
            return 200, {"items": [], "metadata": {}}
        if name == "log":
            return 200, self.output[plural]
        if plural == "secrets" and name in self.secrets:
            return self.secrets[name]
        kept = self.workflows if plural == "workflows" else self.templates
        if sent.method == "POST":
            return 201, self.created(sent.body)
        if "watch" in sent.query:
            found = json.loads(json.dumps(kept[sent.query["fieldSelector"].partition("=")[2]]))
            found["status"] = {"phase": "Succeeded", "startedAt": "2026-01-01T00:00:00Z"}
            return 200, [{"type": "MODIFIED", "object": found}]
        if not name:
            return 200, {"items": list(kept.values()), "metadata": {}}
        if name not in kept:
            message = f'{plural}.argoproj.io "{name}" not found'
            return 404, {"message": message, "details": {"name": name, "kind": plural}}
        if sent.method == "PATCH":
            kept[name]["spec"].update(sent.body["spec"])
        return 200, kept[name]

    def created(self, body: Any) -> Any:
        metadata = body["metadata"]
        metadata["name"] = f"{metadata.pop('generateName')}x{len(self.workflows)}"
        metadata.update(uid=UID, creationTimestamp="2026-01-01T00:00:00Z", resourceVersion="1")
        self.workflows[metadata["name"]] = body
        return body


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kube]:
    """A folder with a pipeline that is applied in a cluster."""
    found = Kube()
    found.templates["churn"] = {
        "metadata": {"name": "churn", "labels": {"argosy.dev/pipeline": "churn"}}
    }
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    Path("p.yaml").write_text(json.dumps(DEFINITION))
    Path("c.yaml").write_text(json.dumps(CONFIGURATION))
    with api_server() as server:
        server.answer = found.answer
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", server.url)))
        yield found


def with_secrets(places: dict[str, str]) -> None:
    """Has the pipeline's steps name secrets, which are at these places in the cluster."""
    steps = {
        "train": {"type": "task", "command": "jobs.train", "secrets": ["TOKEN"]},
        "score": {"type": "task", "command": "jobs.train", "secrets": ["TOKEN", "KEY"]},
    }
    Path("p.yaml").write_text(json.dumps({**DEFINITION, "dag": {"steps": steps}}))
    secrets = {"type": "kubernetes", "config": {"objects": places}}
    Path("c.yaml").write_text(json.dumps({**CONFIGURATION, "secrets": secrets}))


def call(*arguments: str) -> Result:
    return CliRunner().invoke(argosy, [*arguments, "-c", "c.yaml"])


def good(*arguments: str) -> str:
    done = call(*arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def submitted(kube: Kube, *arguments: str) -> Any:
    good("submit", "p.yaml", "-p", "key=k", *arguments)
    (found,) = kube.workflows.values()
    return found


def sample(kube: Kube, **status: Any) -> Any:
    """The workflow of test_status, as the cluster has it."""
    found = json.loads((RECORDED / "sample.json").read_text())
    found["status"].update(status)
    kube.workflows["sample-npst4"] = found
    return found


# submit


def test_secrets_that_are_not_in_the_cluster_are_named_with_their_steps(kube: Kube) -> None:
    with_secrets({"TOKEN": "team/token", "KEY": "other"})
    kube.secrets["team"] = 200, {"data": {"tokn": "c2VjcmV0"}}
    done = call("submit", "p.yaml", "-p", "key=k")
    assert done.exit_code == 1
    assert "secret 'TOKEN' of steps 'train' and 'score': Secret 'team' has no key 'token'" in str(
        done.exception
    )
    assert "secret 'KEY' of step 'score': there is no Secret 'other' in the namespace" in str(
        done.exception
    )
    assert "p.yaml:1:" in str(done.exception)
    assert kube.workflows == {}


def test_a_run_starts_where_its_secrets_are_there_or_cannot_be_read(kube: Kube) -> None:
    with_secrets({"TOKEN": "team/token", "KEY": "team"})
    kube.secrets["team"] = 200, {"data": {"token": "c2VjcmV0", "KEY": ""}}
    submitted(kube)
    kube.secrets["team"] = 403, {"message": "secrets is forbidden"}
    kube.workflows.clear()
    done = call("submit", "p.yaml", "-p", "key=k")
    assert (done.exit_code, len(kube.workflows)) == (0, 1)
    assert "warning: the secrets of the steps are not checked" in done.stderr


def test_a_run_is_one_of_the_template_that_is_applied(kube: Kube) -> None:
    said = good("submit", "p.yaml", "-p", "key=k", "-p", "rate=0.5", "-p", "regions=[]")
    assert said == "churn-1a2b3c4d: submitted as workflow churn-x0 in namespace team\n"
    (workflow,) = kube.workflows.values()
    assert workflow["kind"] == "Workflow"
    assert workflow["metadata"]["labels"]["argosy.dev/pipeline"] == "churn"
    assert workflow["spec"]["workflowTemplateRef"] == {"name": "churn"}
    given = {one["name"]: one["value"] for one in workflow["spec"]["arguments"]["parameters"]}
    assert given == {"key": "k", "rate": "0.5", "regions": "[]"}
    assert "podMetadata" not in workflow["spec"]


def test_json_for_scripts(kube: Kube) -> None:
    assert json.loads(good("submit", "p.yaml", "-p", "key=k", "-o", "json")) == {
        "run": "churn-1a2b3c4d",
        "status": "submitted",
        "workflow": "churn-x0",
        "namespace": "team",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("rate=[1]", "parameter 'rate' takes a number, as its default is, not [1]"),
        ("regions=1", "parameter 'regions' takes a list, as its default is, not 1"),
        ("two words=1", "parameter 'two words' has a name that Argo does not take for an argument"),
        ("who=caf\udce9", r"parameter 'who' holds text that is not UTF-8: 'caf\udce9'"),
    ],
)
def test_parameters_are_checked_against_the_definition(
    given: str, message: str, kube: Kube
) -> None:
    done = call("submit", "p.yaml", "-p", "key=k", "-p", given)
    assert done.exit_code in (1, 2)
    assert message in f"{done.output}{done.exception}"
    assert kube.workflows == {}


def test_values_of_any_type_are_submitted_for_any_name(kube: Kube) -> None:
    """Those of `who` and `key` in place of the text, or null, that is their default."""
    Path("prm.yaml").write_text("{l: [1, 2], n: 1.5, none: null, text: '1', who: null, key: [a]}")
    good("submit", "p.yaml", "-p", "prm.yaml", "-p", "list=[1]", "-p", "region={{x}}")
    (workflow,) = kube.workflows.values()
    given = {one["name"]: one["value"] for one in workflow["spec"]["arguments"]["parameters"]}
    assert given == {
        "l": "argosy-json:[1,2]",
        "n": "argosy-json:1.5",
        "none": "argosy-json:null",
        "text": "1",
        "who": "argosy-json:null",
        "key": 'argosy-json:["a"]',
        "list": "[1]",
        "region": r'argosy-json:"\u007b\u007bx\u007d\u007d"',
    }


def test_a_resumed_run_has_values_of_the_types_that_the_earlier_one_had(kube: Kube) -> None:
    Path("prm.yaml").write_text("{l: [1, 2], who: '{{x}}', key: [a], rate: 2}")
    good("submit", "p.yaml", "-p", "prm.yaml")
    (first,) = kube.workflows.values()
    good("submit", "p.yaml", "--resume", "churn-1a2b3c4d", "-p", "rate=3")
    *_, second = kube.workflows.values()
    before, after = (
        {one["name"]: one["value"] for one in workflow["spec"]["arguments"]["parameters"]}
        for workflow in (first, second)
    )
    assert after == {**before, "rate": "3"}


def test_null_is_a_value(kube: Kube) -> None:
    good("submit", "p.yaml")
    (workflow,) = kube.workflows.values()
    assert "arguments" not in workflow["spec"], "the template has its default"


def test_a_name_that_nobody_declared_is_warned_of(kube: Kube) -> None:
    done = call("submit", "p.yaml", "-p", "key=k", "-p", "rat=1")
    assert "warning: the definition has no parameter 'rat'; did you mean 'rate'?" in done.stderr


def test_a_template_that_is_not_applied(kube: Kube) -> None:
    kube.templates.clear()
    done = call("submit", "p.yaml", "-p", "key=k")
    assert done.exit_code == 1
    assert "no WorkflowTemplate 'churn' in namespace 'team'; is it applied? `argosy apply" in str(
        done.exception
    )


def test_an_overlay_may_have_renamed_it(kube: Kube) -> None:
    kube.templates = {"team-churn": {"metadata": {"name": "team-churn", "labels": {}}}}
    assert submitted(kube)["spec"]["workflowTemplateRef"] == {"name": "team-churn"}
    kube.templates["other-churn"] = {"metadata": {"name": "other-churn", "labels": {}}}
    done = call("submit", "p.yaml", "-p", "key=k")
    assert "several are of this pipeline (team-churn, other-churn)" in str(done.exception)


def test_a_workflow_is_submitted_as_it_is_rendered(kube: Kube) -> None:
    Path("k.yaml").write_text("executor: {config: {kind: Workflow}}")
    found = submitted(kube, "-c", "k.yaml")
    assert found["metadata"]["name"] == "churn-x0"
    assert found["spec"]["templates"]
    values = {one["name"]: one.get("value") for one in found["spec"]["arguments"]["parameters"]}
    assert values == {"rate": "0.1", "regions": '["eu"]', "who": "me", "key": "k"}


def test_a_run_is_for_the_controller_that_the_pipeline_chooses(kube: Kube) -> None:
    chosen = {"workflow_metadata": {"labels": {CONTROLLER: "second"}}}
    Path("k.yaml").write_text(json.dumps({"executor": {"config": chosen}}))
    assert submitted(kube, "-c", "k.yaml")["metadata"]["labels"][CONTROLLER] == "second"
    kube.workflows["churn-x0"]["status"] = {"phase": "Failed"}
    good("retry", "latest")
    labels = [one["metadata"]["labels"] for one in kube.workflows.values()]
    assert [one[CONTROLLER] for one in labels] == ["second", "second"]


def test_with_wait_it_ends_as_the_run_does(kube: Kube) -> None:
    done = call("submit", "p.yaml", "-p", "key=k", "--wait")
    assert done.exit_code == 0
    assert done.stdout == "churn-1a2b3c4d: succeeded\n"
    assert "churn-1a2b3c4d: workflow churn-x0 in namespace team\n" in done.stderr


def test_a_resumed_run_has_the_old_ones_arguments_and_its_pods_know(kube: Kube) -> None:
    submitted(kube, "-p", "rate=0.5")
    good("submit", "p.yaml", "--resume", "churn-1a2b3c4d", "-p", "who=you", "--by-name")
    found = kube.workflows["churn-x1"]
    given = {one["name"]: one["value"] for one in found["spec"]["arguments"]["parameters"]}
    assert given == {"rate": "0.5", "who": "you", "key": "k"}
    assert found["spec"]["podMetadata"]["annotations"] == {
        "argosy.dev/resume": "churn-1a2b3c4d",
        "argosy.dev/resume-by-name": "true",
    }
    done = call("submit", "p.yaml", "--resume", "churn-none")
    assert "no workflow of run 'churn-none' in namespace 'team'" in str(done.exception)


# retry, stop, watch


def test_a_retry_has_the_defaults_of_then(kube: Kube) -> None:
    """The template's defaults may be others by now."""
    sample(kube)
    said = good("retry", "latest")
    assert said == "sample-1a2b3c4d: submitted as workflow sample-x1 in namespace team\n"
    found = kube.workflows["sample-x1"]
    given = {one["name"]: one["value"] for one in found["spec"]["arguments"]["parameters"]}
    assert given == {"regions": '["eu","us"]', "days": "[1,2]", "mode": "full"}
    assert found["spec"]["workflowTemplateRef"] == {"name": "sample"}
    assert found["spec"]["podMetadata"]["annotations"]["argosy.dev/resume"] == "sample-50cea461"
    assert "workflows.argoproj.io/phase" not in found["metadata"]["labels"]


def test_what_runs_is_not_retried(kube: Kube) -> None:
    sample(kube, phase="Running")
    done = call("retry", "sample-npst4")
    assert "sample-50cea461 is running; `argosy stop` ends it" in done.stderr


def test_stopping(kube: Kube) -> None:
    found = sample(kube, phase="Running")
    assert good("stop", "sample-50cea461") == "sample-50cea461: stopping\n"
    assert found["spec"]["shutdown"] == "Stop"
    assert good("stop", "latest", "--terminate") == "sample-50cea461: terminated\n"
    assert found["spec"]["shutdown"] == "Terminate"


def test_what_has_ended_is_not_stopped(kube: Kube) -> None:
    found = sample(kube)
    done = call("stop", "latest")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "sample-50cea461 has ended already: failed" in done.stderr
    assert "shutdown" not in found["spec"]


def test_watching_a_failed_run_says_why_and_how_to_go_on(kube: Kube) -> None:
    sample(kube)
    kube.output["sample-npst4-run-arguments-retry-688815584"] = (
        b'oh no\ntime="2026-11-27T00:02:27.993Z" level=info msg="sub-process exited" argo=true\n'
    )
    kube.output["sample-npst4-run-1287392604"] = b""
    done = call("watch", "latest", "-n", "team")
    assert done.exit_code == 1
    assert "flaky: failed after 27 s: main: Error (exit code 1)\n" in done.stdout
    assert "\nflaky: main: Error (exit code 1)\n  | oh no\n\neach/1 (us)/day" in done.stdout
    assert done.stdout.endswith(
        "go on from there: argosy retry sample-50cea461 -c c.yaml -n team\n"
    )


def test_steps_that_cannot_be_seen_are_not_called_omitted(kube: Kube) -> None:
    sample(kube, nodes=None, offloadNodeStatusVersion="fnv:1")
    done = call("watch", "latest")
    assert (done.exit_code, done.stdout.splitlines()[:2]) == (
        1,
        [OFFLOADED, "sample-50cea461: failed after 59.0 s"],
    )


def test_watching_what_goes_well(kube: Kube) -> None:
    sample(kube, phase="Running", nodes={})
    done = call("watch", "sample-npst4")
    assert done.exit_code == 0
    assert done.stdout.endswith("sample-50cea461: succeeded\n")


def test_a_run_of_this_machine_is_watched_in_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(following, "PAUSE", 0.01)
    steps = {"a": {"type": "task", "command_type": "shell", "command": "exit 3"}}
    Path("p.yaml").write_text(json.dumps({"name": "here", "dag": {"steps": steps}}))
    from examples import argosy as run

    assert run("run", "p.yaml", cwd=tmp_path).returncode == 1
    done = CliRunner().invoke(argosy, ["watch", "latest"])
    assert done.exit_code == 1
    assert "a: failed after" in done.stdout
    done = CliRunner().invoke(argosy, ["stop", "latest"])
    assert done.exit_code == 2
    assert "the configuration's executor runs here; name the one for the cluster" in done.stderr


# logs, show, runs


def test_the_output_of_pods_that_no_run_log_has(kube: Kube) -> None:
    found = sample(kube)
    for number, node in enumerate(sorted(found["status"]["nodes"])):
        kube.output[node] = f"{number}\n".encode()
    kube.output = {pod: pod.encode() for pod in pods(found)}
    lines = good("logs", "latest").splitlines()
    assert lines[0] == "first | sample-npst4-run-arguments-hands-2-3841872481"
    assert len(lines) == len(pods(found))
    below = good("logs", "latest", "each/0", "-f").splitlines()
    assert sorted(line.partition(" | ")[0] for line in below) == [
        "each/0 (eu)/day/0 (1)/count",
        "each/0 (eu)/day/1 (2)/count",
        "each/0 (eu)/load",
    ]
    assert good("logs", "latest", "first") == "sample-npst4-run-arguments-hands-2-3841872481\n"
    done = call("logs", "latest", "frist")
    assert "sample-50cea461 has no step 'frist'; did you mean 'first'?" in done.stderr


def pods(workflow: Any) -> list[str]:
    from argosy.compiler.argo.status import execution

    return [step.pod for step in execution(workflow).steps if step.pod]


def test_show_has_the_steps_that_only_the_cluster_tells_of(kube: Kube) -> None:
    sample(kube)
    location = {"run_log_store": {"type": "file-system", "config": {"location": "log"}}}
    store = FileSystemRunLog({"location": "log"})
    record = {"step": "first", "status": "succeeded"}
    key = "runs/sample-50cea461/steps/first/1700000000000-0000.json"
    store.put(key, json.dumps(record).encode())
    Path("c.yaml").write_text(json.dumps({**CONFIGURATION, **location}))
    document = json.loads(good("show", "latest", "-o", "json"))
    statuses = {step["step"]: step["status"] for step in document["steps"]}
    assert [*statuses][:3] == ["first", "flaky", "mend"]
    assert statuses["size/part/some"] == "skipped"
    assert statuses["last"] == "omitted"


def test_a_run_is_shown_and_deleted_where_the_options_lead(
    kube: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    from argosy.runtime.run_logs.file_system import FileSystemRunLog

    sample(kube)
    done = call("show", "latest")
    assert done.exit_code == 1
    said = "the run log that is read from here has nothing of sample-50cea461, which is failed"
    assert said in done.stderr
    record = {"step": "a", "status": "succeeded"}
    key = "runs/sample-50cea461/steps/a/1764201600000-x.json"
    FileSystemRunLog().put(key, json.dumps(record).encode())
    assert json.loads(good("show", "sample-npst4", "-o", "json"))["run"] == "sample-50cea461"
    Path("c.yaml").write_text(json.dumps({"executor": CONFIGURATION["executor"]}))
    assert call("show", "sample-50cea461", "-n", "other").exit_code == 1
    assert set(kube.asked) == {"other"}
    assert call("runs", "rm", "sample-50cea461", "-n", "third").exit_code == 1
    assert call("runs", "-n", "fourth", "rm", "sample-50cea461").exit_code == 1
    assert set(kube.asked) == {"other", "third", "fourth"}
    monkeypatch.setenv("ARGO_TOKEN", "t")
    done = call("show", "latest", "--server", "http://127.0.0.1:9")
    assert "an Argo server does not lead to the run log" in done.stderr


def test_runs_that_only_the_cluster_knows_and_those_that_the_log_does_not_know_the_end_of(
    kube: Kube,
) -> None:
    from argosy.runtime.run_logs.file_system import FileSystemRunLog

    sample(kube)
    store = FileSystemRunLog()
    store.put("runs/old-1/end/1.json", b'{"status": "succeeded"}')
    record = {"step": "a", "status": "running"}
    key = "runs/sample-50cea461/steps/a/1764201600000-x.json"
    store.put(key, json.dumps(record).encode())
    rows = {row["run"]: row for row in json.loads(good("runs", "-o", "json"))}
    assert rows["old-1"]["status"] == "succeeded"
    assert rows["sample-50cea461"]["status"] == "failed"
    assert rows["sample-50cea461"]["workflow"] == "sample-npst4"
    good("submit", "p.yaml", "-p", "key=k")
    text = good("runs").splitlines()
    assert text[0].split() == ["RUN", "STATUS", "STARTED", "TOOK"]
    assert "churn-1a2b3c4d   pending    2026-01-01 00:00:00  -" in text


def test_a_cluster_that_cannot_be_asked_is_a_warning_beside_a_run_log(
    kube: Kube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "PATIENCE", 0.05)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "dead", "http://127.0.0.1:9")))
    done = call("runs")
    assert done.exit_code == 0
    assert "warning: cannot list workflows in namespace 'team'" in done.stderr
    assert call("stop", "latest").exit_code == 1
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert "warning" not in call("runs").stderr


# The way


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--server", "http://x", "--context", "y"), "--server and --context are two ways"),
        (("--token-file", "x"), "go with --server URL"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], message: str, kube: Kube
) -> None:
    done = call("watch", "latest", *options)
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_token_is_never_shown(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGO_TOKEN", "s3cret")
    monkeypatch.setattr(exchange, "PATIENCE", 0.05)
    done = call("watch", "latest", "--server", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "s3cret" not in f"{done.output}{done.exception!r}"
