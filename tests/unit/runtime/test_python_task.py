"""Python tasks: what a function is given, what it may return, how it may fail."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest


def test_parameters_are_arguments_by_name(run: Any) -> None:
    run.code("""
from dataclasses import dataclass
@dataclass
class Split:
    train: float
    test: float = 0.5
def f(a, b: int, split: Split, /, c=3, *, d: "list[float]", e=None, **rest):
    return {"got": [a, b, split.train + split.test, c, d, e, sorted(rest)]}
""")
    run.arguments = {"a": 1, "b": "2", "split": {"train": 0.25}, "d": ["1.5"], "z": 1, "y": 2}
    assert run.exec("s", from_=[""], command="jobs.f").status == 0
    assert run.parameters("s")["got"] == [1, 2, 0.75, 3, [1.5], None, ["y", "z"]]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("async def f(a: int):\n    import asyncio; await asyncio.sleep(0); return {'x': a}", 1),
        ("import functools\ndef w(g):\n    @functools.wraps(g)\n    def inner(**k): return g(**k)\n"
         "    return inner\n@w\ndef f(a): return {'x': a}", 1),
        ("import functools\ndef g(b, a): return {'x': a + b}\nf = functools.partial(g, 2)", 3),
        ("class C:\n    def __call__(self, a: float): return {'x': a}\nf = C()", 1),
        ("from dataclasses import dataclass\n@dataclass\nclass f:\n    a: int\n    x: int = 7", 7),
        ("def f(): \n    from argosy.runtime import set_parameter; set_parameter('x', 4)", 4),
        ("import os\ndef f(): os.environ['MAGNUS_PRM_x'] = os.environ['ARGOSY_PRM_a']", 1),
        ("import sys\nfrom argosy.runtime import set_parameter\n"
         "def f():\n    set_parameter('x', 4); sys.exit()", 4),
    ],
)  # fmt: skip
def test_whatever_can_be_called_is_a_task(run: Any, code: str, expected: Any) -> None:
    run.code(code)
    run.arguments = {"a": 1}
    done = run.exec("s", from_=[""], command="jobs.f")
    assert (done.status, done.err) == (0, "")
    assert run.parameters("s")["x"] == expected


@pytest.mark.parametrize(
    ("returns", "result", "expected"),
    [
        ([], "{'x': 1, 'y': [None]}", {"x": 1, "y": [None]}),
        (["x"], "{'x': 1, 'y': 2}", {"x": 1, "y": 2}),
        (["x"], "{'a': 1}", {"x": {"a": 1}}),
        (["x"], "(1, 2)", {"x": [1, 2]}),
        (["x"], "3", {"x": 3}),
        (["x", "y"], "(1, 'b')", {"x": 1, "y": "b"}),
        (["x"], "Data(1, P(k=2))", {"x": 1, "y": {"k": 2}}),
        (["x"], "Pair(1, 2)", {"x": 1, "y": 2}),
        (["x"], "Model(x=1)", {"x": 1, "y": {"k": 5}}),
        (["x"], "[Data(1, P(k=2)), Path('a'), date(2024, 1, 2), Color.RED]",
         {"x": [{"x": 1, "y": {"k": 2}}, "a", "2024-01-02", "r"]}),
        ([], "None", {}),
    ],
)  # fmt: skip
def test_what_is_returned_becomes_parameters(
    run: Any, returns: list[str], result: str, expected: Any
) -> None:
    run.code(f"""
import enum
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple
from pydantic import BaseModel
class P(BaseModel):
    k: int = 5
class Model(BaseModel):
    x: int
    y: P = P()
@dataclass
class Data:
    x: int
    y: P
class Pair(NamedTuple):
    x: int
    y: int
class Color(enum.Enum):
    RED = "r"
def f(): return {result}
""")
    done = run.exec("s", command="jobs.f", returns=returns)
    assert (done.status, done.err) == (0, "")
    assert run.parameters("s") == expected


@pytest.mark.parametrize(
    ("code", "node", "said"),
    [
        ("def f(rate): ...", {}, r"f\(\) asks for parameter 'rate', .* did you mean 'rates'"),
        ("def f(rates: int): ...", {}, r"'rates' of f\(\) is \[1\], which is no int"),
        ("def f(): ...", {"returns": ["x"]}, "jobs.f did not return 'x'"),
        ("def f(): return 1, 2", {"returns": ["x", "y", "z"]}, "returned a tuple of 2; .*'x', 'y'"),
        ("def f(): return {'x': float('nan')}", {}, "parameter 'x' holds NaN or infinity"),
        ("def f(): return {'x': [float('inf')]}", {}, "parameter 'x' holds NaN or infinity"),
        ("def f(): return {'x': object()}", {}, r"'x' is of type builtins.object.*put_object\('x'"),
        ("def f(): return {'x': {1, 2}}", {}, "type builtins.set"),
        ("def f():\n    x = []; x.append(x); return {'x': x}", {}, "'x' contains itself"),
        ("def f(): yield 1", {}, "jobs.f is a generator, and nothing runs it"),
        ("async def f(): yield 1", {}, "jobs.f is a generator, and nothing runs it"),
        ("def f(): raise ValueError('no good')", {}, "^ValueError: no good$"),
        ("def f(): raise SystemExit('no good')", {}, "^no good$"),
        ("import sys\ndef f(): sys.exit(7)", {}, "^exited with status 7$"),
        ("import sys\ndef f(): sys.exit(0)", {"returns": ["x"]}, "did not return 'x'"),
        ("import os\ndef f(): os._exit(3)", {}, "^exited with status 3$"),
        ("import no_such_module\ndef f(): ...", {}, "ModuleNotFoundError"),
        ("def f(", {}, "SyntaxError"),
        ("import os\ndef f():\n    os.environ['ARGOSY_PRM_x'] = os.environ['MAGNUS_PRM_x'] = '1'",
         {}, "exported both as ARGOSY_PRM_x and as MAGNUS_PRM_x"),
    ],
)  # fmt: skip
def test_a_task_that_fails_says_why(run: Any, code: str, node: dict[str, Any], said: str) -> None:
    run.code(code)
    run.arguments = {"rates": [1]}
    done = run.exec("s", from_=[""], command="jobs.f", **node)
    assert done.status == 1
    assert done.record["status"] == "failed"
    assert done.record["exit_status"] == 1
    assert re.search(said, done.record["message"]), done.record["message"]
    assert done.record["message"] in done.err
    assert run.store.get("runs/churn-1/state/s.json") is None


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("f", "not of the form module.function"),
        ("jobs.", "not of the form module.function"),
        ("jobs.g", "jobs has no function 'g'; .*known: .*f"),
        ("jobs.number", "no function 'number'"),
        ("job.f", "no module job, neither in .* nor installed"),
        ("jobs.sub.f", "no module jobs.sub"),
    ],
)
def test_a_command_that_names_nothing_is_not_tried_again(run: Any, command: str, said: str) -> None:
    run.code("number = 1\ndef f(): ...")
    done = run.exec("s", command=command)
    assert done.status == 2
    assert re.search(said, done.record["message"]), done.record["message"]
    assert "Traceback" not in done.err


def test_a_traceback_shows_the_users_code_only(run: Any) -> None:
    run.code("""
from argosy.runtime import get_parameter
def inner():
    return get_parameter("none")
def f():
    try:
        inner()
    except Exception as error:
        raise RuntimeError("outer") from error
""")
    done = run.exec("s", command="jobs.f")
    assert done.err.count("Traceback") == 2
    assert 'jobs.py", line 9, in f' in done.err
    assert 'jobs.py", line 4, in inner' in done.err
    assert "tasks/python.py" not in done.err
    assert run.log("s").decode() == done.err


def test_an_error_while_a_module_is_imported_shows_that_module(run: Any) -> None:
    run.code("x = 1 / 0")
    done = run.exec("s", command="jobs.f")
    assert done.record["message"] == "ZeroDivisionError: division by zero"
    assert "importlib" not in done.err


def test_a_value_that_nobody_named_is_said_to_be_dropped(run: Any) -> None:
    run.code("def f(): return True")
    done = run.exec("s", command="jobs.f")
    assert done.status == 0
    assert "returned a bool; its `returns` names no parameter" in done.err


def test_the_working_folder_comes_first(run: Any) -> None:
    run.code("def f(): return {'x': 1}", module="sched")
    assert run.exec("s", command="sched.f").status == 0
    assert run.parameters("s") == {"x": 1}


def test_a_task_cannot_harm_what_runs_it(run: Any) -> None:
    run.code("""
import atexit, os, sys, threading, time
def f():
    atexit.register(print, "at exit")
    threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
    print("out"); print("err", file=sys.stderr)
    os.chdir("/")
    sys.stdout = None
    os.environ.clear()
    return {"x": 1}
""")
    done = run.exec("s", command="jobs.f")
    assert done.status == 0
    assert "err" in done.err
    assert run.parameters("s") == {"x": 1}


def test_what_a_task_leaves_to_its_exit_is_run(run: Any) -> None:
    run.code("""
import atexit, threading, time
def f():
    atexit.register(print, "at exit")
    threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
""")
    assert run.exec("s", command="jobs.f").out == "thread\nat exit\n"


def test_output_is_utf8_in_any_locale(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    run.code("def f(): print('é\\u2028🎉', '\\udcff')")
    done = run.exec("s", command="jobs.f")
    assert (done.status, done.out) == (0, "é\u2028🎉 \\udcff\n")


def test_a_reducer_of_the_users_is_called(run: Any) -> None:
    run.code("""
def mean(values):
    print("reducing")
    return sum(values) / len(values)
def f(x):
    return {"y": x * 2}
""")
    run.arguments = {"xs": [1, 2, 6]}
    item = {"item": "x", "on": "xs", "depth": 0, "in": [""]}
    for key in ("0-1", "1-2", "2-6"):
        node = {"rank": "0.*.0", "from_": [item], "command": "jobs.f"}
        assert run.exec("m/*/s", key, **node).status == 0
    after = {"map": "m", "rank": "0", "on": "xs", "as": "x", "in": [""], "out": ["m/*/s"]}
    done = run.exec("j", type="control", rank="1", from_=[{**after, "reduce": {"y": "jobs:mean"}}])
    assert done.status == 0
    assert run.parameters("j") == {"xs": [1, 2, 6], "y": 6.0}
    assert done.record["control"] is True
    assert (done.out, done.err) == ("", "reducing\n")
    assert "jobs" not in sys.modules, "the user's code is in processes of its own"


def test_a_task_has_no_input(run: Any) -> None:
    run.code("import os, sys\ndef f(): return {'x': sys.stdin.read(), 'y': len(os.read(0, 9))}")
    assert run.exec("s", command="jobs.f").status == 0
    assert run.parameters("s") == {"x": "", "y": 0}
