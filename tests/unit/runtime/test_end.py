"""The end of a run, as an engine's exit handler records it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, api_server
from argosy.runtime import layout
from argosy.runtime.cluster import Direct
from argosy.runtime.end import end

CONFIG = {"pipeline": {"name": "churn"}, "executor": "argo"}


class Ending:
    def __init__(self, run: Any) -> None:
        self.run = run
        self.asks: dict[str, bool] = {}
        run.config = CONFIG

    def end(
        self, status: str, failures: Any = None, final: list[Any] | None = None, **more: str
    ) -> dict[str, Any]:
        """The newest end of the run."""
        path = self.run.folder / "failures.json"
        path.write_text(json.dumps(json.dumps(failures)))
        environment = {
            "ARGOSY_RUN_ID": self.run.name,
            "ARGOSY_CONFIG": json.dumps(CONFIG),
            "ARGOSY_ORIGIN": '{"workflow": "churn-x"}',
            "ARGOSY_STATUS": status,
            "ARGOSY_FAILURES": str(path),
            "ARGOSY_FINAL": json.dumps({"from": final or [], **self.asks}),
            **more,
        }
        assert end(environment) == 0
        keys = self.run.store.list(layout.end_prefix(self.run.name))
        newest = max(keys, key=lambda key: int(Path(key).stem))
        found: dict[str, Any] = json.loads(self.run.store.get(newest))
        assert found.pop("ended")
        return found


@pytest.fixture
def ending(run: Any) -> Ending:
    return Ending(run)


def test_a_run_that_succeeded_has_its_final_state(ending: Ending) -> None:
    run = ending.run
    run.code("""
from argosy.runtime import put_object, put_in_catalog
def f():
    put_object("o", {1}); open("a.txt", "w").write("x"); put_in_catalog("a.txt")
    return {"x": 1, "large": "y" * 40000}
""")
    run.exec("s", command="jobs.f")
    found = ending.end("Succeeded", None, ["s"])
    (entry,) = found.pop("catalog").values()
    assert entry["size"] == 1
    assert len(entry["sha256"]) == 64
    assert found == {
        "status": "succeeded",
        "failures": [],
        "parameters": {"x": 1, "large": "y" * 40000},
        "steps": {},
    }
    assert json.loads(run.store.get(layout.run_key("churn-1")))["executor"] == "argo"


def test_records_decide_which_exit_there_was(ending: Ending) -> None:
    run = ending.run
    run.code("def f(): return {'x': 'f'}\ndef h(): return {'x': 'h'}\ndef bad(): 1 / 0")
    run.exec("a", command="jobs.bad")
    run.exec("h", rank="1", command="jobs.h")
    final = [
        {"if": "a", "is": "ok", "from": ["a"]},
        {"if": "h", "is": "ok", "from": ["h"]},
        "never",
    ]
    assert ending.end("Succeeded", None, final)["parameters"] == {"x": "h"}


def test_a_step_that_could_not_say_how_it_ended_is_made_to(ending: Ending) -> None:
    run = ending.run
    run.code("import os, signal\ndef f(): os.kill(os.getppid(), signal.SIGKILL)\ndef g(): 1 / 0")
    for pod, step, function in (("p-1", "a", "g"), ("p-2", "m/0/b", "g"), ("p-3", "c", "g")):
        run.options = {"pod": pod}
        run.exec(step, command=f"jobs.{function}")
    for step in ("m/0/b", "c"):  # these were killed before they could end their records
        (record,) = run.records(step)
        kept = {name: record[name] for name in ("step", "attempt", "started", "pod")}
        key = layout.record_key(run.name, step, record["attempt"])
        run.store.put(key, json.dumps({**kept, "status": "running"}).encode())
    failure = {
        "displayName": "b",
        "phase": "Failed",
        "podName": "p-2",
        "message": "OOMKilled (exit code 137)",
        "finishedAt": "2024-01-02T03:04:05Z",
    }
    other = {
        "displayName": "a",
        "phase": "Failed",
        "podName": "p-1",
        "message": "Error (exit code 1)",
    }
    never = {"displayName": "d", "phase": "Error", "podName": "p-9", "message": "no node fits"}
    no_list = "withParam value could not be parsed as a JSON list: a map over x: invalid character"
    error = {"displayName": "e", "phase": "Error", "podName": "p-8", "message": no_list}
    root = {"displayName": "churn-x", "phase": "Error", "podName": "churn-x"}
    found = ending.end("Failed", [failure, other, never, error, root], ["c"])
    assert found["status"] == "failed"
    assert found["failures"] == [
        {"step": "m/0/b", "message": "OOMKilled (exit code 137)", "phase": "Failed", "pod": "p-2"},
        {"step": "a", "message": "ZeroDivisionError: division by zero", "phase": "Failed",
         "pod": "p-1"},
        {"step": "d", "message": "no node fits", "phase": "Error", "pod": "p-9"},
        {"step": "e", "message": "a map over x", "phase": "Error", "pod": "p-8"},
    ]  # fmt: skip
    (record,) = run.records("m/0/b")
    assert record["status"] == "failed"
    assert record["exit_status"] == 137
    assert record["ended"] == "2024-01-02T03:04:05Z"
    (record,) = run.records("c")
    assert (record["status"], record["exit_status"]) == ("failed", None)
    assert "ended without a word" in record["message"]


def test_a_run_that_failed_leaves_nothing(ending: Ending) -> None:
    ending.run.code("def f(): return {'x': 1}")
    ending.run.exec("a", command="jobs.f")
    found = ending.end("Failed", None, ["a"])
    assert (found["parameters"], found["catalog"]) == ({}, {})


def test_a_run_with_wrong_arguments_is_closed(ending: Ending) -> None:
    wrong = {"ARGOSY_CONFIG": json.dumps({**CONFIG, "arguments": {"n": "json"}})}
    wrong["ARGOSY_ARGUMENTS"] = base64.b64encode(b'{"n": "many"}').decode()
    assert ending.end("Failed", None, ["a"], **wrong)["status"] == "failed"


def test_what_cannot_be_reduced_fails_the_run(ending: Ending) -> None:
    ending.run.code("def f(): return {'x': 'text'}")
    ending.run.exec("m/*/s", "0", rank="0.*.0", command="jobs.f")
    ending.run.arguments = {"xs": [1]}
    a_map = {"map": "m", "rank": "0", "on": "xs", "as": "i", "in": [""], "out": ["m/*/s"]}
    given = {"ARGOSY_ARGUMENTS": base64.b64encode(b'{"xs": "[1]"}').decode()}
    given["ARGOSY_CONFIG"] = json.dumps({**CONFIG, "arguments": {"xs": "json"}})
    found = ending.end("Succeeded", None, [{**a_map, "reduce": {"x": "sum"}}], **given)
    assert found["status"] == "failed"
    assert "cannot be reduced by sum" in found["failures"][0]["message"]


def test_a_run_that_ends_again_has_a_newer_end(ending: Ending) -> None:
    assert ending.end("Failed", [])["status"] == "failed"
    assert ending.end("Succeeded", None)["status"] == "succeeded"
    assert len(ending.run.store.list(layout.end_prefix("churn-1"))) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"ARGOSY_STATUS": "Done"},
        {"ARGOSY_RUN_ID": ""},
        {"ARGOSY_FAILURES": "/no/such/file"},
        {"ARGOSY_CONFIG": '{"run_log_store": {"type": "none"}}'},
    ],
)
def test_its_own_faults_are_said_and_do_not_fail_the_run(
    run: Any, wrong: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    good = {"ARGOSY_RUN_ID": "r", "ARGOSY_CONFIG": "{}", "ARGOSY_STATUS": "Failed"}
    assert end({**good, **wrong}) == 0
    assert "the end of the run is not recorded" in capfd.readouterr().err
    assert not Path(".argosy/runs/r/end").exists()


RECORDED = Path(__file__).parents[1] / "cluster" / "recorded" / "asking.json"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """The API server of the handler's pod; what it is asked for, a pod may see."""
    with api_server() as server:

        def pod() -> Direct:
            found = Direct("127.0.0.1", server.port, None)
            found.namespace = "team"
            return found

        monkeypatch.setattr("argosy.runtime.cluster.Pod", pod)
        yield server


def test_what_the_engine_itself_ran_is_recorded(ending: Ending, cluster: ApiServer) -> None:
    cluster.answer = lambda sent: (200, json.loads(RECORDED.read_text()))
    ending.asks = {"engine": True}
    run = ending.run
    # Pods of ours: one that fails an approval, and one that writes the state of a template's.
    run.exec("late", type="fail", message="nobody approved it within 5 s")
    run.exec("probe", type="control")
    failure = {"displayName": "probe", "podName": "asking-c5fnj-probe-2276182850"}
    for _ in range(2):  # Argo may try it again
        found = ending.end("Failed", [failure])
    assert {sent.path for sent in cluster.sent} == {
        "/apis/argoproj.io/v1alpha1/namespaces/team/workflows/churn-x"
    }
    steps = ("probe", "late", "sign%20off", "each/0/ask", "each/1/ask", "each/0/go", "last")
    records = {step: run.records(step) for step in steps}
    assert {
        step: [(one["status"], one.get("message")) for one in found if "control" not in one]
        for step, found in records.items()
    } == {
        "probe": [("failed", "No more retries left")],
        "late": [("failed", "nobody approved it within 5 s")],
        "sign%20off": [("failed", "it was Running when the run ended")],
        "each/0/ask": [("succeeded", None)],
        "each/1/ask": [("failed", "it was Running when the run ended")],
        "each/0/go": [],
        "last": [],
    }
    assert [one["step"] for one in found["failures"]] == ["probe"]
    (record,) = records["each/0/ask"]
    assert (record["started"], record["ended"]) == ("2026-11-27T03:22:30Z", "2026-11-27T03:23:32Z")


def test_a_cluster_that_does_not_tell_leaves_no_records_and_fails_nothing(
    ending: Ending, cluster: ApiServer, capfd: pytest.CaptureFixture[str]
) -> None:
    ending.asks = {"engine": True}
    cluster.answer = lambda sent: (403, {"message": "may not"})
    assert ending.end("Succeeded")["status"] == "succeeded"
    said = capfd.readouterr().err
    assert "of what Argo itself ran there are no records" in said
    assert "the account needs `workflows (argoproj.io): get`" in said
    stored = {"metadata": {"name": "churn-x"}, "status": {"offloadNodeStatusVersion": "fnv:1"}}
    cluster.answer = lambda sent: (200, stored)
    assert ending.end("Succeeded")["status"] == "succeeded"
    assert "keeps the nodes of this workflow in its database" in capfd.readouterr().err


def stopped(ending: Ending, message: str, own: str) -> dict[str, Any]:
    """The end of a run whose one step failed, as Argo says and as its own record does."""
    run = ending.run
    run.code("def f(): 1 / 0")
    run.options = {"pod": "p-1"}
    run.exec("a", command="jobs.f")
    (record,) = run.records("a")
    key = layout.record_key(run.name, "a", record["attempt"])
    run.store.put(key, json.dumps({**record, "message": own}).encode())
    said = {"displayName": "a", "phase": "Failed", "podName": "p-1", "message": message}
    return ending.end("Failed", [said])


@pytest.mark.parametrize(
    ("message", "own"),
    [
        ("workflow shutdown with strategy:  Stop", "stopped by SIGTERM"),
        ("main: Error (exit code 143)", "stopped by SIGTERM"),
    ],
)
def test_a_run_that_was_stopped_is_cancelled(ending: Ending, message: str, own: str) -> None:
    found = stopped(ending, message, own)
    assert (found["status"], found["failures"]) == ("cancelled", [])


@pytest.mark.parametrize(
    ("message", "own"),
    [
        ("main: Error (exit code 1)", "ZeroDivisionError: division by zero"),
        ("main: Error (exit code 143)", "killed by SIGTERM"),
        ("The node was low on resource: memory", "stopped by SIGTERM"),
    ],
)
def test_a_run_that_failed_is_not_cancelled(ending: Ending, message: str, own: str) -> None:
    found = stopped(ending, message, own)
    assert (found["status"], len(found["failures"])) == ("failed", 1)


def test_failures_of_a_run_that_succeeded_were_handled(ending: Ending) -> None:
    failure = {"displayName": "a", "message": "no", "phase": "Failed", "podName": "p"}
    assert ending.end("Succeeded", [failure])["failures"][0]["handled"]
    assert "handled" not in ending.end("Failed", [failure])["failures"][0]


def test_a_run_that_the_engine_calls_an_error_has_failed_and_leaves_nothing(ending: Ending) -> None:
    found = ending.end("Error", None, [""], ARGOSY_ARGUMENTS="")
    assert (found["status"], found["parameters"], found["catalog"]) == ("failed", {}, {})
