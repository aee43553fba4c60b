"""Container tasks: what the container finds, what it leaves, and how its end is told."""

from __future__ import annotations

import json
import select
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime.cluster import RefusedError, Response, Stream
from argosy.runtime.context import Context
from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.execute import prepare
from argosy.runtime.node import from_json
from argosy.runtime.retry import TryAgainError
from argosy.runtime.tasks import pod
from argosy.runtime.tasks.container import Running, expanded, lay_out, variables
from argosy.runtime.tasks.contract import ROOT
from argosy.runtime.values import dump

BOX = {"command_type": "container", "image": "box:1", "from_": [""]}


class Here:
    """A place that has no containers: `act` is what one would do, given the folder and its own
    environment and words."""

    def __init__(self, root: Path, act: Callable[[Path, dict[str, str], list[str]], int]) -> None:
        self.root = root
        self.act = act

    @contextmanager
    def container(
        self, attempt: Any, entering: Any, secrets: Mapping[str, str]
    ) -> Iterator[Running]:
        self.root.mkdir()
        lay_out(attempt, entering, str(self.root), secrets)
        found = variables(attempt, entering)
        argv = expanded(attempt.node.argv, found)
        yield Running(str(self.root), lambda step: self.act(self.root, found, argv))


def box(run: Any, act: Callable[[Path, dict[str, str], list[str]], int], **node: Any) -> Any:
    place = Here(run.folder / "box", act)

    def context() -> Context:
        found = Context(run.name, run.config, run.arguments, **run.options)
        found.containers = place
        return found

    run.context = context
    return run.exec(node.pop("step", "b"), **{**BOX, "argv": ["/box"], **node})


def test_values_that_a_container_cannot_have_as_variables_are_files(run: Any) -> None:
    """A ConfigMap of a pod, and the environment of a process, are limited."""
    run.arguments = {f"p{number}": f"{number % 10}" * 30_000 for number in range(36)}
    run.arguments |= {"large": "x" * 140_000, "small": 1}

    def act(root: Path, found: dict[str, str], argv: list[str]) -> int:
        assert found["ARGOSY_PRM_large_FILE"] == "/argosy/parameters/large"
        assert found["ARGOSY_PRM_small"] == "1"
        assert 400_000 < sum(map(len, found.values())) < 520_000
        for name, value in run.arguments.items():
            assert (f"ARGOSY_PRM_{name}" in found) is (f"ARGOSY_PRM_{name}_FILE" not in found)
            assert (root / "parameters" / name).read_text() == str(value)
        return 0

    done = box(run, act)
    assert done.status == 0, done.err


def test_a_large_item_is_a_file(run: Any) -> None:
    run.arguments = {"xs": ["x" * 140_000]}

    def act(root: Path, found: dict[str, str], argv: list[str]) -> int:
        assert found["ARGOSY_MAP_VARIABLE_FILE"] == "/argosy/map_variable"
        assert json.loads((root / "map_variable").read_text()) == {"x": run.arguments["xs"][0]}
        return 0

    item = {"item": "x", "on": "xs", "depth": 0, "in": [""]}
    done = box(run, act, step="m/*/b", key="0", from_=[item])
    assert done.status == 0, done.err


def test_parameters_go_in_as_files_and_variables_and_come_back_as_files(run: Any) -> None:
    run.arguments = {"rate": 0.1, "who": "a {{b}} $(c)", "list": [1, None], "0dd name/": 1}

    def act(root: Path, found: dict[str, str], argv: list[str]) -> int:
        files = {path.name: path.read_text() for path in (root / "parameters").iterdir()}
        print(json.dumps([files, found, argv]))
        for name, text in {"n": "007\n", "xs": "[1, 2]", "copy": found["ARGOSY_PRM_who"]}.items():
            (root / "outputs" / name).write_text(text)
        (root / "outputs" / "nobody-asked").write_text("x")
        return 0

    argv = ["/box", "--rate=$(ARGOSY_PRM_rate)", "$$(ARGOSY_PRM_rate)", "$(id) $E", "$(E)"]
    done = box(run, act, argv=argv, returns=["n", "xs", "copy"], env={"E": "$(ARGOSY_PRM_rate)"})
    assert done.status == 0, done.err
    files, found, words = json.loads(done.out)
    assert files == {"rate": "0.1", "who": "a {{b}} $(c)", "list": "[1,null]", "0dd name%2F": "1"}
    assert found == {
        "ARGOSY_PRM_rate": "0.1",
        "ARGOSY_PRM_who": "a {{b}} $(c)",
        "ARGOSY_PRM_list": "[1,null]",
        "ARGOSY_STEP_NAME": "b",
        "ARGOSY_ATTEMPT": "1",
        "E": "$(ARGOSY_PRM_rate)",
    }
    assert words == [
        "/box",
        "--rate=0.1",
        "$(ARGOSY_PRM_rate)",
        "$(id) $E",
        "$(ARGOSY_PRM_rate)",
    ]
    left = {"n": "007", "xs": [1, 2], "copy": "a {{b}} $(c)"}
    assert run.parameters("b") == {**run.arguments, **left}


def test_a_large_value_is_a_file_that_a_variable_names(run: Any) -> None:
    run.arguments = {"x": "y" * 40_000}
    run.exec("a", from_=[""], type="control")

    def act(root: Path, found: dict[str, str], argv: list[str]) -> int:
        assert found["ARGOSY_PRM_x_FILE"] == f"{ROOT}/parameters/x"
        return len((root / "parameters" / "x").read_text()) != 40_000

    assert box(run, act, from_=["a"]).status == 0


def test_files_of_the_catalog_are_in_a_folder_that_both_see(run: Any) -> None:
    run.exec("a", command_type="shell", command="echo 1 > in.csv", put=["in.csv"])

    def act(root: Path, found: dict[str, str], argv: list[str]) -> int:
        (root / "work" / "out.csv").write_text((root / "work" / "in.csv").read_text() * 2)
        return 0

    assert box(run, act, from_=["a"], get=["*.csv"], put=["out.csv"]).status == 0
    catalog = run.state("b")["catalog"]
    assert (catalog["in.csv"]["size"], catalog["out.csv"]["size"]) == (2, 4)


def test_a_container_that_lacks_a_file_is_told_which_line_to_add(run: Any) -> None:
    run.exec("a", command_type="shell", command="echo 1 > in.csv", put=["in.csv"])

    def act(root: Path, found: dict[str, str], argv: list[str]) -> int:
        print("cat: in.csv: No such file or directory")
        return 1

    message = box(run, act, from_=["a"]).record["message"]
    assert message.endswith("add to step 'b': catalog: {get: [\"in.csv\"]}")


def test_secrets_are_files_and_are_masked(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "very secret")

    def act(root: Path, found: dict[str, str], argv: list[str]) -> int:
        print((root / "secrets" / "TOKEN").read_text(), "TOKEN" in found)
        return 0

    done = box(run, act, secrets={"TOKEN": None})
    assert (done.status, done.out) == (0, "*** False\n")


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        (3, 1, "exited with status 3"),
        (2, 1, "exited with status 2"),
        (137, 137, "ended by SIGKILL; the system kills what takes too much memory"),
    ],
)
def test_its_end_is_told_as_that_of_any_task(
    run: Any, code: int, status: int, message: str
) -> None:
    done = box(run, lambda *_: code)
    assert (done.status, done.record["message"]) == (status, message)


def test_a_timeout_ends_it(run: Any) -> None:
    done = box(run, lambda *_: select.select([], [], [])[0] == [], timeout=0.2)
    assert (done.status, done.record["message"]) == (124, "ran longer than its timeout of 0.2 s")


def test_what_it_does_not_leave_is_missed(run: Any) -> None:
    done = box(run, lambda *_: 0, returns=["x"])
    assert done.status == 1
    assert "write it to /argosy/outputs/x" in done.err


def test_it_needs_a_place_for_containers(run: Any) -> None:
    done = run.exec("b", **BOX, argv=["/box"])
    assert done.status == 2
    assert "local-container" in done.err


class Server:
    """An API server that knows one pod: its states in turn, and what it prints, in parts."""

    namespace = "team"

    def __init__(self, states: list[Any], parts: list[Any]) -> None:
        self.states = states
        self.parts = parts
        self.sent: list[tuple[str, str, Any]] = []

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Response:
        self.sent.append((method, path, body and json.loads(body)))
        if method in ("POST", "PATCH"):
            return Response(self.states[0] if method == "POST" else 200, {}, b"{}")
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, int):
            return Response(state, {}, b'{"message": "pods is forbidden"}')
        status = {"containerStatuses": [{"name": "main"}, {"name": "task", "state": state}]}
        return Response(200, {}, dump({"status": status}).encode())

    def stream(self, path: str, timeout: float) -> Stream:
        return Stream(200, {}, self._chunks())

    def _chunks(self) -> Iterator[bytes]:
        for part in self.parts.pop(0):
            if isinstance(part, Exception):
                raise part
            yield part


RUNNING: dict[str, Any] = {"running": {}}


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason}}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def followed(*server: Any) -> int:
    api: Any = Server(*server)
    status = pod.await_start(api, "p") or pod.follow(api, "p")
    sys.stdout.flush()
    return status


def test_a_pods_container_is_followed_to_its_end(capfd: pytest.CaptureFixture[str]) -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    # The connection breaks off once, in the middle of a line; what was printed comes again.
    own = b'time="2026-11-26T23:56:10.612Z" level=info msg="sub-process exited" argo=true'
    parts = [[b"one\ntw", TryAgainError("cut")], [b"one", b"\ntwo\nthr", b"ee\n", own + b"\nlast"]]
    states = [{}, waiting, waiting, RUNNING, RUNNING, RUNNING, ended(3)]
    assert followed(states, parts) == 3
    out = capfd.readouterr().out
    assert out == (
        "argosy: waiting for the container: ErrImagePull: no such image\none\ntwo\nthree\nlast"
    )


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ('time="2026-11-26T23:56:10.612Z" level=info msg="x y" argo=true error="<nil>"', True),
        ('{"argo":true,"error":null,"level":"info","msg":"x","time":"2026-11-26"}', True),
        ('time=2026-11-27T03:34:31.498Z level=INFO msg="x y" argo=true error=<nil>', True),
        ("time=2026-11-27T03:34:31.498Z level=INFO msg=x error=<nil> argo=true", True),
        ('{"time":"2026-11-27","level":"INFO","msg":"x","argo":true,"error":null}', True),
        ('time="2026-11-26T23:56:10.612Z" level=info msg="x y"', False),
        ('{"time":"2026-11-27","level":"INFO","msg":"x"}', False),
        ("it is argo=true", False),
    ],
)
def test_the_lines_of_the_engine_are_known(line: str, own: bool) -> None:
    """The lines of Argo 3.7 and 4.0 in a container of a pod, in both of their formats."""
    assert bool(pod.ENGINES_OWN.fullmatch(f"{line}\n".encode())) == own


def test_why_it_was_killed_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    assert followed([ended(137, "OOMKilled")], [[b"last"]]) == 137
    assert "the container ended: OOMKilled" in capfd.readouterr().err


def test_a_log_that_may_not_be_read_is_no_failure(capfd: pytest.CaptureFixture[str]) -> None:
    forbidden = [[RefusedError("status 403")] for _ in range(2)]
    assert followed([RUNNING, RUNNING, ended(0, "Completed")], forbidden) == 0
    found = capfd.readouterr().out
    assert found == "argosy: cannot follow the container's output: status 403\n"


def test_a_pod_that_may_not_be_looked_at_is(capfd: pytest.CaptureFixture[str]) -> None:
    needs = "the account needs `configmaps: create, patch; pods, pods/log: get`"
    with pytest.raises(ServiceError, match=needs):
        followed([403], [])


def prepared(
    run: Any, monkeypatch: pytest.MonkeyPatch, status: int = 201, **options: Any
) -> dict[str, str]:
    """What the ConfigMap of the prepared pod has; `status` is what creating it ends with."""
    api = Server([status], [])
    monkeypatch.setattr(pod, "Pod", lambda: api)
    monkeypatch.setattr(pod, "ROOT", str(run.folder / "box"))
    context = Context(run.name, run.config, run.arguments, pod="wf-x", pod_uid="1a2b", **options)
    raw = {"step": "b", **BOX, "from": [""], "argv": ["/box", "$(ARGOSY_PRM_x)", "c"]}
    raw.pop("from_")
    assert prepare(from_json(raw), "", "", context) == 0
    path = "/api/v1/namespaces/team/configmaps"
    sent = [("POST", path), ("PATCH", f"{path}/wf-x")]
    assert [one[:2] for one in api.sent] == (sent if status == 409 else sent[:1])
    body = api.sent[-1][2]
    (owner,) = body["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Pod", "wf-x", "1a2b")
    data: dict[str, str] = body["data"]
    return data


def test_a_pod_is_prepared_for_its_container(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run.arguments = {"x": "{{1}}"}
    found = prepared(run, monkeypatch)
    words = [found[f"ARGOSY_ARG_{number}"] for number in range(3)]
    assert words == ["/box", "{{1}}", "c"]
    assert found["ARGOSY_PRM_x"] == "{{1}}"
    assert run.records("b") == [], "the container's own attempt writes those"


def test_a_pod_that_is_made_again_under_its_name_is_prepared_anew(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prepared(run, monkeypatch, status=409)["ARGOSY_ARG_0"] == "/box"


def test_a_resumed_pod_runs_nothing(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run.arguments = {"x": "1"}
    node = {**BOX, "argv": ["/box", "$(ARGOSY_PRM_x)", "c"]}
    assert box(run, lambda *_: 0, **node).status == 0
    run.name, before = "churn-2", run.name
    found = prepared(run, monkeypatch, resume=before)
    words = [found[f"ARGOSY_ARG_{number}"] for number in range(3)]
    assert words == ["/var/run/argo/argoexec", "help", "c"]


def test_what_cannot_be_prepared_is_recorded(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_account() -> None:
        raise NodeError("there is no service account here")

    monkeypatch.setattr(pod, "Pod", no_account)
    monkeypatch.setattr(pod, "ROOT", str(run.folder / "box"))
    context = Context(run.name, run.config, {}, pod="wf-x", pod_uid="1a2b")
    raw = {"step": "b", "command_type": "container", "image": "box:1", "argv": ["/box"]}
    assert prepare(from_json(raw), "", "", context) == 2
    (record,) = run.records("b")
    assert (record["status"], record["exit_status"]) == ("failed", 2)
