"""One node, start to end: what is written, in which order, and what is handed over."""

from __future__ import annotations

import hashlib
import re
import shutil
from typing import Any

import pytest

from argosy.runtime.errors import ServiceError
from argosy.runtime.execute import execute
from argosy.runtime.node import from_json
from argosy.runtime.run_logs.file_system import FileSystemRunLog

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_step_is_recorded(run: Any) -> None:
    run.code("from argosy.runtime import track_this\ndef f():\n    track_this(rows=3)\n"
             "    track_this(step=1, loss=0.5)\n    track_this(step=2, loss=0.25)")  # fmt: skip
    run.options = {"pod": "churn-x-1", "pod_uid": "0f3c"}
    assert run.exec("s", command="jobs.f").status == 0
    (record,) = run.records("s")
    attempt = record.pop("attempt")
    assert re.fullmatch(r"\d{13}-0f3c", attempt)
    assert ISO.fullmatch(record.pop("started"))
    assert ISO.fullmatch(record.pop("ended"))
    assert re.fullmatch("[0-9a-f]{16}", record.pop("digest"))
    assert record.pop("code").keys() == {"jobs.py"}
    assert record == {
        "step": "s",
        "status": "succeeded",
        "exit_status": 0,
        "reads": {},
        "pod": "churn-x-1",
        "tracked": {"rows": 3, "loss": {"1": 0.5, "2": 0.25}},
    }
    assert run.state("s") == {"attempt": attempt, "parameters": {}, "catalog": {}}


def test_blobs_come_before_the_state_and_that_before_the_record(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    put = FileSystemRunLog.put

    def noted(store: FileSystemRunLog, key: str, data: bytes) -> None:
        order.append(key.partition("churn-1/")[2].partition("/")[0] or "blob")
        put(store, key, data)

    monkeypatch.setattr(FileSystemRunLog, "put", noted)
    run.code("from argosy.runtime import put_object\ndef f():\n    put_object('o', {1})\n"
             "    print('x')\n    return {'a': 'x' * 99999}")  # fmt: skip
    assert run.exec("s", command="jobs.f", also=["g"]).status == 0
    assert order == ["steps", "blob", "steps", "blob", "state", "state", "steps"]


def test_a_step_costs_one_read_and_four_writes(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run.code("def f(): print('x')")
    run.exec("a", command="jobs.f")
    calls: list[str] = []
    for name in ("get", "put", "list"):
        method = getattr(FileSystemRunLog, name)

        def counted(*args: Any, name: str = name, method: Any = method) -> Any:
            calls.append(name)
            return method(*args)

        monkeypatch.setattr(FileSystemRunLog, name, counted)
    node = from_json({"step": "b", "rank": "1", "from": ["a"], "command": "jobs.f"})
    assert execute(node, "", "", run.context()) == 0
    assert (calls.count("get"), calls.count("put"), calls.count("list")) == (1, 4, 0)


def test_attempts_are_kept_apart(run: Any) -> None:
    run.code("""
import os
def f():
    if not os.path.exists("again"):
        open("again", "w")
        raise ValueError("first")
    return {"x": 1}
""")
    assert [run.exec("s", command="jobs.f").status for _ in range(3)] == [1, 0, 0]
    records = run.records("s")
    assert [record["status"] for record in records] == ["failed", "succeeded", "succeeded"]
    assert records[0]["message"] == "ValueError: first"
    assert run.state("s")["attempt"] == records[-1]["attempt"]


def test_a_failed_attempt_leaves_the_state_of_the_one_before(run: Any) -> None:
    run.code("def f(): return {'x': 1}")
    run.exec("s", command="jobs.f")
    run.code("def f(): 1 / 0")
    run.exec("s", command="jobs.f")
    assert run.parameters("s") == {"x": 1}


def test_the_record_says_what_was_read(run: Any) -> None:
    run.code("def f(): ...")
    run.exec("a", command="jobs.f")
    run.exec("b", command="jobs.f")
    sources = ["a", {"if": "b", "is": "failed", "from": ["b"]}]
    done = run.exec("c", ended="b=Succeeded", rank="2", from_=sources, command="jobs.f")
    assert done.record["reads"] == {"a": run.state("a")["attempt"]}


def test_a_state_that_never_comes_is_a_failed_service(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.runtime.blobs.time.sleep", lambda _: None)
    done = run.exec("b", from_=["a"], command="jobs.f")
    assert done.status == 3
    assert "'a' is not in the run log" in done.record["message"]


def test_a_run_log_that_cannot_be_written_is_said(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> None:
        raise ServiceError("run log: no route to host")

    run.code("def f(): ...")
    monkeypatch.setattr(FileSystemRunLog, "put", down)
    done = run.exec("s", command="jobs.f")
    assert done.status == 3
    assert "no route to host" in done.err


def test_a_run_log_that_fails_the_users_process_is_a_failed_service(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large value is fetched by the process that uses it."""
    run.code("def f(): return {'x': 'x' * 40000}\ndef g(x): ...")
    assert run.exec("f", command="jobs.f", returns=["x"]).status == 0
    get = FileSystemRunLog.get

    def down(self: FileSystemRunLog, key: str) -> bytes | None:
        if key.startswith("blobs/"):
            raise ServiceError("run log: no route to host")
        return get(self, key)

    monkeypatch.setattr(FileSystemRunLog, "get", down)
    done = run.exec("g", from_=["f"], command="jobs.g")
    assert (done.status, done.record["exit_status"]) == (3, 3)
    assert "no route to host" in done.record["message"]


def test_what_a_plugin_raises_ends_the_record_too(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.runtime.state.get", lambda *_: 1 / 0)
    done = run.exec("s", from_=["a"], command="jobs.f")
    assert done.status == 3
    assert "Traceback" in done.err
    assert done.record["message"] == "ZeroDivisionError: division by zero"


def test_a_name_of_any_kind_is_a_step(run: Any) -> None:
    run.code("from argosy.runtime import step_name\ndef f(): return {'x': step_name()}")
    step = "my%20step.v1%2F2/*/%C3%A9"
    assert run.exec(step, "3-x", command="jobs.f").status == 0
    assert run.parameters("my%20step.v1%2F2/3/%C3%A9") == {"x": "my%20step.v1%2F2/3/%C3%A9"}


# Nodes without a task


def test_a_control_joins_what_it_reads(run: Any) -> None:
    run.code("def f(): return {'x': 1}\ndef g(): return {'x': 2, 'y': 3}")
    run.exec("a", rank="0", command="jobs.f")
    run.exec("b", rank="1", command="jobs.g")
    done = run.exec("j", rank="2", type="control", from_=["b", "a"])
    assert (done.status, done.record["control"]) == (0, True)
    assert run.parameters("j") == {"x": 2, "y": 3}


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"message": "No data today."}, "^No data today.$"),
        ({}, "a step that fails it"),
        (
            {"parameter": "mode", "values": ["fast", 2]},
            'no default: parameter \'mode\' is "slow"; branches: "fast", 2',
        ),
        ({"parameter": "mood", "values": ["x"]}, "'mood' is not there"),
        ({"parameter": "mode", "rounds": 9}, "max_iterations: 9; parameter 'mode' is \"slow\""),
        ({"parameter": "mood", "rounds": 9}, "'mood' is not there, and only true ends it"),
    ],
)
def test_a_fail_node_fails_with_its_message(run: Any, node: dict[str, Any], said: str) -> None:
    run.arguments = {"mode": "slow"}
    done = run.exec("f", type="fail", from_=[""], **node)
    assert done.status == 1
    assert re.search(said, done.record["message"]), done.record["message"]


@pytest.mark.parametrize("kind", ["task", "control"])
@pytest.mark.parametrize("done", [True, False, "true", 1])
def test_the_round_that_ends_a_loop_writes_its_state(run: Any, done: Any, kind: str) -> None:
    run.code("def f(): ...")
    run.arguments = {"done": done}
    run.options = {"hands": str(run.folder / "hands")}
    node = {"type": kind, "command": "jobs.f", "ends": {"loop": "m/*/l", "on": "done"}}
    ended = run.exec("m/*/l/*/s", "3/7", from_=[""], hands=[{"until": "done"}], **node)
    assert ended.status == 0
    assert (run.folder / "hands/0").read_text() == ("stop" if done is True else "again")
    state = run.state("m/3/l")
    assert state == (run.state("m/3/l/7/s") if done is True else None)


# Handing over


@pytest.mark.parametrize("node", [{"type": "control"}, {"command": "jobs.f"}])
def test_what_the_engine_wants_is_in_files(run: Any, node: dict[str, Any]) -> None:
    run.code("def f(): ...")
    run.arguments = {"regions": ["EU West", {"a": 1}, 3], "mode": 2, "flag": True}
    run.options = {"hands": str(run.folder / "hands")}
    values = {"b1": "2", "b2": 2.0, "b3": True}
    hands = [
        {"items": "regions"},
        {"label": "mode", "values": values, "default": "b9"},
        {"label": "flag", "values": values},
        {"label": "none", "values": values, "default": "b9"},
        {"label": "none", "values": values},
    ]
    assert run.exec("s", from_=[""], hands=hands, **node).status == 0
    found = [(run.folder / "hands" / str(number)).read_text() for number in range(5)]
    assert found == ['["0-eu-west", "1", "2-3"]', "b2", "b3", "b9", ""]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("eu", 'is "eu", not a list'),
        ("[1]", 'is "[1]", not a list; it is text: -p NAME=VALUE'),
        (None, "is not there"),
    ],
)
def test_what_a_map_cannot_iterate_over_is_handed_over_as_the_reason(
    run: Any, value: Any, said: str
) -> None:
    run.code("def f(): ...")
    run.arguments = {"regions": value} if value else {}
    run.options = {"hands": str(run.folder / "hands")}
    done = run.exec("s", from_=[""], command="jobs.f", hands=[{"items": "regions"}])
    assert done.status == 0
    text = (run.folder / "hands" / "0").read_text()
    assert text.startswith("a map iterates over parameter 'regions', which ")
    assert said in text


# The catalog


def test_files_are_kept_and_brought(run: Any) -> None:
    run.code("""
import os
def make():
    os.makedirs("data/deep", exist_ok=True)
    for name in ("a.csv", "b.csv", "deep/c.csv", "d.txt"):
        open(f"data/{name}", "w").write(name)
def clear():
    import shutil; shutil.rmtree("data")
def use():
    return {"found": sorted(os.listdir("data"))}
""")
    assert run.exec("a", command="jobs.make", put=["data/**/*.csv"]).status == 0
    catalog = run.state("a")["catalog"]
    assert sorted(catalog) == ["data/a.csv", "data/b.csv", "data/deep/c.csv"]
    sha = hashlib.sha256(b"a.csv").hexdigest()
    assert catalog["data/a.csv"] == {"sha256": sha, "size": 5, "by": "a", "rank": ""}
    assert run.exec("b", rank="1", from_=["a"], command="jobs.clear").status == 0
    done = run.exec("c", rank="2", from_=["b"], command="jobs.use", get=["data/*.csv"])
    assert done.status == 0
    assert run.parameters("c")["found"] == ["a.csv", "b.csv"]
    assert run.state("c")["catalog"] == catalog, "what entered leaves"


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["data"], ["data/a.csv", "data/deep/c.csv"]),
        (["data/*"], ["data/a.csv", "data/deep/c.csv"]),
        (["data/[ab].csv", "./data/deep/c.csv"], ["data/a.csv", "data/deep/c.csv"]),
        (["**/*.csv"], ["data/a.csv", "data/deep/c.csv", "top.csv"]),
        (["*.csv"], ["top.csv"]),
        (["?op.csv"], ["top.csv"]),
        (["."], ["data/a.csv", "data/deep/c.csv", "top.csv"]),
    ],
)
def test_patterns_mean_the_same_when_files_are_kept_and_brought(
    run: Any, patterns: list[str], expected: list[str]
) -> None:
    write = "mkdir -p data/deep; for f in data/a.csv data/deep/c.csv top.csv; do echo $f > $f; done"
    assert run.exec("a", command_type="shell", command=write, put=patterns).status == 0
    assert sorted(run.state("a")["catalog"]) == expected
    assert run.exec("all", command_type="shell", command=write, put=["."]).status == 0
    shutil.rmtree(run.folder / "data")
    (run.folder / "top.csv").unlink()
    run.code("def f(): ...")
    assert run.exec("b", rank="1", from_=["all"], command="jobs.f", get=patterns).status == 0
    assert all((run.folder / name).exists() for name in expected)


@pytest.mark.parametrize(
    ("node", "status", "said"),
    [
        (
            {"get": ["x/*"]},
            2,
            r"get 'x/\*' matches no file that an earlier step put; known: top.csv",
        ),
        ({"get": ["tops.csv"]}, 2, "did you mean 'top.csv', which a put\\?"),
        ({"put": ["none.csv"]}, 1, "put 'none.csv': the step wrote no such file in"),
        ({"put": ["jobs.py"]}, 1, "put 'jobs.py': the step did not write it"),
        ({"put": ["../up.csv"]}, 2, r"'../up.csv' is outside the working directory"),
        ({"get": ["/etc/passwd"]}, 2, "'/etc/passwd' is outside the working directory"),
    ],
)
def test_a_pattern_that_is_wrong_is_said(
    run: Any, node: dict[str, Any], status: int, said: str
) -> None:
    run.code("def f(): ...")
    run.exec("a", command_type="shell", command="echo x > top.csv", put=["top.csv"])
    done = run.exec("b", rank="1", from_=["a"], command="jobs.f", **node)
    assert done.status == status
    assert re.search(said, done.record["message"]), done.record["message"]


def test_a_put_of_a_pipe_says_what_it_is(run: Any) -> None:
    done = run.exec("a", command_type="shell", command="mkfifo p", put=["p"])
    assert done.status == 1
    assert "put 'p': it is a pipe, a socket or a device" in done.record["message"]


def test_a_put_that_matches_nothing_is_only_said(run: Any) -> None:
    run.code("def f(): ...")
    done = run.exec("a", command="jobs.f", put=["data/*.csv"])
    assert done.status == 0
    assert "put 'data/*.csv' matches no file" in done.err


def test_a_file_that_is_there_already_is_not_written_again(run: Any) -> None:
    run.exec("a", command_type="shell", command="echo x > a.csv", put=["a.csv"])
    before = (run.folder / "a.csv").stat()
    run.exec("b", rank="1", from_=["a"], command_type="shell", command="true", get=["a.csv"])
    assert (run.folder / "a.csv").stat().st_ino == before.st_ino


# Secrets

VALUE = "hunter2\nsecond-line-of-it"


def everything(run: Any) -> bytes:
    files = [path for path in run.folder.rglob("*") if path.is_file() and path.suffix != ".py"]
    return b"".join(path.read_bytes() for path in files)


def test_a_secret_is_for_the_step_that_names_it(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DB", VALUE)
    run.config["secrets"] = {"type": "env", "config": {"prefix": "APP_"}}
    run.code("""
import os, sys
from argosy.runtime import get_secret
def f():
    value = get_secret("DB")
    print("it is", value); print(value, file=sys.stderr)
    assert "APP_DB" not in os.environ and os.environ["DB"] == value
    return {"size": len(value)}
def leaks(): raise ValueError(get_secret("DB"))
""")
    done = run.exec("a", command="jobs.f", secrets={"DB": None})
    assert (done.status, done.out, done.err) == (0, "it is ***\n", "***\n")
    assert run.parameters("a") == {"size": len(VALUE)}
    done = run.exec("b", command="jobs.leaks", secrets={"DB": None})
    assert done.record["message"] == "ValueError: ***"
    done = run.exec("c", command="jobs.f")
    assert "step 'c' does not name secret 'DB'; add it: secrets: [DB]" in done.record["message"]
    for piece in (b"hunter2", b"second-line"):
        assert piece not in everything(run)


def test_a_secret_is_in_the_variable_that_is_asked_for(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S_DB", VALUE)
    run.config["secrets"] = {"type": "env", "config": {"prefix": "S_"}}
    run.code("import os\ndef f(): return {'size': len(os.environ['URL'])}")
    assert run.exec("a", command="jobs.f", secrets={"DB": "URL"}).status == 0
    assert run.parameters("a") == {"size": len(VALUE)}
    command = 'echo "${#DB} ${URL-unset} ${S_DB-unset}"; echo "$DB"'
    done = run.exec("b", command_type="shell", command=command, secrets={"DB": None})
    assert done.out == f"{len(VALUE)} unset unset\n***\n"
    done = run.exec("c", command_type="shell", command='echo "${#URL}"', secrets={"DB": "URL"})
    assert done.out == f"{len(VALUE)}\n"


def test_secrets_of_the_cluster_are_taken_out_of_the_environment(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.config.update(executor="argo", secrets={"type": "kubernetes", "config": {"secret": "s"}})
    monkeypatch.setenv("ARGOSY_SECRET_DB", VALUE)
    monkeypatch.setenv("ARGOSY_SECRET_OTHER", "other")
    command = 'env | grep ARGOSY_SECRET; echo "${#DB}"'
    done = run.exec("a", command_type="shell", command=command, secrets={"DB": None})
    assert done.out == f"{len(VALUE)}\n"


def test_a_secret_that_is_not_there_fails_before_the_step_starts(run: Any) -> None:
    run.code("def f(): print('started')")
    done = run.exec("a", command="jobs.f", secrets={"NO_SUCH": None})
    assert (done.status, done.out) == (2, "")
    assert "set NO_SUCH in the environment" in done.record["message"]


# Going on from another run


def again(run: Any, **options: Any) -> Any:
    """A second run that goes on from the first."""
    second = type(run)(run.folder, run._capture)
    second.name, second.config, second.arguments = "churn-2", run.config, dict(run.arguments)
    second.options = {"resume": run.name, **options}
    return second


CHAIN = {"a": [""], "b": ["a"], "c": ["b"]}


def chain(run: Any, **changed: Any) -> list[str]:
    """Runs a, b, c; their statuses. A step's function may be another."""
    node = {name: {"from_": CHAIN[name], "command": "jobs.f", "rank": str(i)}
            for i, name in enumerate(CHAIN)}  # fmt: skip
    for name, more in changed.items():
        node[name].update(more)
    return [run.exec(name, **node[name]).record["status"] for name in CHAIN]


@pytest.fixture
def first(run: Any) -> Any:
    run.code("""
def f():
    open("ran", "a").write("x")
    return {"big": "y" * 40000}
def g(): f()
def bad(): 1 / 0
""")
    run.arguments = {"rate": 1}
    assert chain(run, c={"command": "jobs.bad"}) == ["succeeded", "succeeded", "failed"]
    return run


def test_what_succeeded_unchanged_is_skipped(first: Any) -> None:
    second = again(first)
    ran = (first.folder / "ran").read_text()
    assert chain(second) == ["skipped", "skipped", "succeeded"]
    assert (first.folder / "ran").read_text() == ran + "x"
    assert second.state("b") == first.state("b")
    attempt = first.state("b")["attempt"]
    (record,) = second.records("b")
    assert record["attempt"] == attempt
    assert record["resumed"] == {"run": "churn-1", "attempt": attempt}
    third = again(second)
    third.name, third.options["resume"] = "churn-3", "churn-2"
    assert chain(third) == ["skipped", "skipped", "skipped"], "a skipped step is skipped again"


def test_what_changed_runs_and_all_that_comes_after(first: Any) -> None:
    assert chain(again(first), a={"env": {"X": "1"}}) == ["succeeded"] * 3


def test_a_change_in_the_middle_leaves_what_was_before(first: Any) -> None:
    assert chain(again(first), b={"command": "jobs.g"}) == ["skipped", "succeeded", "succeeded"]


def test_other_arguments_run_all_that_reads_them(first: Any) -> None:
    second = again(first)
    second.arguments = {"rate": 2}
    assert chain(second) == ["succeeded"] * 3


def test_a_step_that_moved_is_the_same_step(first: Any) -> None:
    moved = {name: {"rank": str(place)} for name, place in (("a", 3), ("b", 7), ("c", 9))}
    assert chain(again(first), **moved) == ["skipped", "skipped", "succeeded"]


def test_by_name_asks_for_success_alone(first: Any) -> None:
    second = again(first, by_name=True)
    second.arguments = {"rate": 2}
    changed = {"a": {"env": {"X": "1"}}, "b": {"command": "jobs.bad"}}
    assert chain(second, **changed) == ["skipped", "skipped", "succeeded"]


def test_a_skipped_step_hands_over(run: Any) -> None:
    run.code("def f(): return {'xs': [1, 2]}")
    node = {"command": "jobs.f", "also": ["g"], "hands": [{"items": "xs"}]}
    run.options = {"hands": str(run.folder / "one")}
    run.exec("s", **node)
    second = again(run, hands=str(run.folder / "two"))
    assert second.exec("s", **node).record["status"] == "skipped"
    assert (run.folder / "two" / "0").read_text() == '["0-1", "1-2"]'
    assert second.state("g") == run.state("g")


def test_an_item_that_is_another_runs(run: Any) -> None:
    run.code("def f(x): return {'y': x}")
    item = [{"item": "x", "on": "xs", "depth": 0, "in": [""]}]
    run.arguments = {"xs": ["a", "b"]}
    run.exec("m/*/s", "0-a", rank="0.*.0", from_=item, command="jobs.f")
    second = again(run)
    done = second.exec("m/*/s", "0-a", rank="0.*.0", from_=item, command="jobs.f")
    assert done.record["status"] == "skipped"
    assert done.record["item"] == {"x": "a"}


def test_the_outputs_of_a_template_of_the_engines_are_parameters(run: Any) -> None:
    run.arguments = {"x": 1}
    run.options = {"outputs": {"text": "007\n", "list": "[1]", "x": "2"}}
    assert run.exec("a", type="control", from_=[""], rank="1").status == 0
    assert run.parameters("a") == {"x": 2, "text": "007", "list": [1]}
    # The engine runs a template again in a run that goes on from another: its new outputs count.
    before = run.name
    for text, status in (("3", "succeeded"), ("2", "skipped")):
        run.name = f"churn-{status}"
        outputs = {"text": "007\n", "list": "[1]", "x": text}
        run.options = {"outputs": outputs, "resume": before}
        assert run.exec("a", type="control", from_=[""], rank="1").record["status"] == status
    run.options = {"outputs": {"none": None}}
    failed = run.exec("b", type="control", from_=["a"])
    assert failed.status == 1
    assert "left no output that could be the parameter 'none'" in failed.err


def test_a_parameter_is_handed_to_a_template_as_text(run: Any) -> None:
    run.arguments = {"n": [1, "é"], "s": "a {b}", "bad": "{{x}}"}
    run.options = {"hands": str(run.folder / "hands")}
    done = run.exec("a", type="control", from_=[""], hands=[{"value": "n"}, {"value": "s"}])
    assert done.status == 0, done.err
    assert (run.folder / "hands" / "0").read_text() == '[1,"\\u00e9"]'
    assert (run.folder / "hands" / "1").read_text() == "a {b}"
    failed = run.exec("b", type="control", from_=["a"], hands=[{"value": "bad"}])
    assert (failed.status, "Argo would replace" in failed.err) == (1, True)
    failed = run.exec("c", type="control", from_=["a"], hands=[{"value": "none"}])
    assert (failed.status, "which no step has set" in failed.err) == (1, True)
