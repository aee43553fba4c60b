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
        (["x"], "{'x': 1, 'y': 2, 3: object()}", {"x": 1}),
        (["x"], "(1, 2)", {"x": [1, 2]}),
        (["x"], "3", {"x": 3}),
        (["x", "y"], "(1, 'b')", {"x": 1, "y": "b"}),
        (["x"], "None", {"x": None}),
        ([], "Data(1, P(k=2))", {"x": 1, "y": {"k": 2}}),
        (["y"], "Data(object(), P(k=2))", {"y": {"k": 2}}),
        (["x"], "Pair(1, 2)", {"x": 1}),
        (["y", "x"], "Pair(1, 2)", {"x": 1, "y": 2}),
        ([], "Model(x=1)", {"x": 1, "y": {"k": 5}}),
        (["x"], "Model(x=1)", {"x": 1}),
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
        ("def f(): ...", {"returns": ["x", "y"]}, "jobs.f returned nothing; its `returns` names"),
        ("def f(): return {'a': 1, 2: 3}", {"returns": ["x"]},
         "jobs.f did not return 'x', .*: it returned a dict with the keys 'a', '2'; return {."),
        ("def f(): return {}", {"returns": ["x", "y"]},
         "did not return 'x', 'y', .*a dict that is empty; return {\"x\": "),
        ("from collections import namedtuple\ndef f(): return namedtuple('P', 'a')(1)",
         {"returns": ["x"]}, "did not return 'x', .*it returned a P of 1 with the keys 'a'"),
        ("import os\ndef f(): open(os.fsdecode(b'caf\\xe9.csv'))", {},
         r"No such file or directory: 'caf\\\\?udce9.csv'"),
        ("import os\ndef f(): raise SystemExit(os.fsdecode(b'caf\\xe9'))", {}, r"^caf\\udce9$"),
        ("class E(Exception):\n    def __str__(self): return 1 / 0\ndef f(): raise E", {},
         "^E: its text cannot be read: ZeroDivisionError$"),
        ("import os\ndef f(): return {'x': [os.fsdecode(b'caf\\xe9')]}", {},
         r"^parameter 'x' holds text that is not UTF-8: 'caf\\udce9'; "),
        ("import os\ndef f(): os.environ['ARGOSY_PRM_x'] = os.fsdecode(b'caf\\xe9')", {},
         r"^parameter 'x' holds text that is not UTF-8: 'caf\\udce9'$"),
        ("def f(): return 1, 2", {"returns": ["x", "y", "z"]}, "returned a tuple of 2; .*'x', 'y'"),
        ("def f(): return {'x': float('nan')}", {}, "parameter 'x' holds NaN or infinity"),
        ("def f(): return {'x': [float('inf')]}", {}, "parameter 'x' holds NaN or infinity"),
        ("def f(): return {'x': object()}", {}, r"'x' is of type builtins.object.*put_object\('x'"),
        ("def f(): return {'x': {1, 2}}", {}, "type builtins.set"),
        ("def f():\n    x = []; x.append(x); return {'x': x}", {}, "'x' contains itself"),
        ("def f(): yield 1", {}, "jobs.f is a generator, and nothing runs it"),
        ("async def f(): yield 1", {}, "jobs.f is a generator, and nothing runs it"),
        ("def f(): raise ValueError('no good')", {}, "^ValueError: no good$"),
        ("def f(): breakpoint()", {}, "^a debugger was started, and a step has no terminal: "),
        ("import pdb\ndef f(): pdb.Pdb().set_trace(); print(1)", {}, "^a debugger was started"),
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


def test_a_reducer_that_returns_text_of_no_encoding_fails_its_map(run: Any) -> None:
    run.code(r"def worst(values): return ['caf\udce9']")
    run.arguments = {"xs": []}
    after = {"map": "m", "rank": "0", "on": "xs", "as": "x", "in": [""], "out": ["m/*/s"]}
    item = {"item": "x", "on": "xs", "depth": 0, "in": [""]}
    run.arguments = {"xs": [1]}
    run.code("def f(): return {'y': 1}", "work")
    assert run.exec("m/*/s", "0", rank="0.*.0", from_=[item], command="work.f").status == 0
    done = run.exec("j", type="control", rank="1", from_=[{**after, "reduce": {"y": "jobs:worst"}}])
    assert done.record["message"] == (
        "reducer jobs:worst failed on parameter 'y': what it returned holds text that is not "
        r"UTF-8: 'caf\udce9'"
    )


def test_arguments_of_the_command_line_are_the_steps(run: Any) -> None:
    run.code("import sys\nat_import = [*sys.argv]\ndef f(): return {'x': [at_import, sys.argv]}")
    assert run.exec("s", command="jobs.f").status == 0
    assert run.parameters("s") == {"x": [["jobs.f"], ["jobs.f"]]}


def test_a_breakpoint_may_be_served_by_another_debugger(run: Any) -> None:
    run.code("def hook(): print('stopped')\ndef f(): breakpoint()")
    done = run.exec("s", command="jobs.f", env={"PYTHONBREAKPOINT": "jobs.hook"})
    assert (done.status, done.out) == (0, "stopped\n")
    assert run.exec("s", command="jobs.f", env={"PYTHONBREAKPOINT": "0"}).status == 0


def test_a_secret_is_a_variable_of_a_python_step(run: Any) -> None:
    (run.folder / ".env").write_text("A=t0\n")
    run.config["secrets"] = {"type": "dotenv"}
    run.code(
        "import os\ndef f(): return {n: len(os.environ[n]) for n in ('A', 'B') if n in os.environ}"
    )
    assert run.exec("s", command="jobs.f", secrets={"A": None}).status == 0
    assert run.parameters("s") == {"A": 2}
    assert run.exec("s", command="jobs.f", secrets={"A": "B"}).status == 0
    assert run.parameters("s") == {"B": 2}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("os.environ['ARGOSY_PRM_p'] = '1'", ("s", 1)),
        ("os.environ.update(MAGNUS_PRM_p='1')", ("s", 1)),
        ("os.environ['ARGOSY_PRM_q'] = '1'", ("s", 1)),
        ("set_parameter('p', 1)", ("s", 1)),
        ("subprocess.run(['true'], env={**os.environ})", ("", 1)),
        ("old = dict(os.environ); os.environ.clear(); os.environ.update(old)", ("", 1)),
        ("os.environ['ARGOSY_PRM_p'] = '2'; del os.environ['ARGOSY_PRM_p']; "
         "os.environ['ARGOSY_PRM_p'] = '1'", ("", 1)),
    ],
)  # fmt: skip
def test_what_a_function_sets_to_what_it_was_is_written(
    run: Any, code: str, expected: tuple[str, Any]
) -> None:
    run.code(f"import os, subprocess\nfrom argosy.runtime import set_parameter\ndef f(): {code}")
    run.arguments = {"p": 1, "q": "1"}
    assert run.exec("s", from_=[""], command="jobs.f").status == 0
    entry = run.state("s")["parameters"]["q" if "PRM_q" in code else "p"]
    assert (entry["by"], entry["value"]) == expected


def test_a_large_value_is_a_file_for_what_a_function_starts(run: Any) -> None:
    run.code("""
import json, os, subprocess
def f():
    files = {name for name in os.environ if "_PRM_" in name and "_FILE" in name}
    made = [name for name in os.listdir(os.environ["ARGOSY_STEP_FOLDER"]) if "value" in name]
    opened = json.load(open(os.environ["ARGOSY_PRM_xs_FILE"]))
    script = 'wc -c < "$ARGOSY_PRM_text_FILE"; wc -c < "$MAGNUS_PRM_text_FILE"'
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return {"files": sorted(files), "made": made, "opened": len(opened),
            "said": said.stdout.split()}
""")
    run.arguments = {"text": "x" * 140_000, "xs": ["x" * 40_000, 1], "small": 1}
    done = run.exec("s", from_=[""], command="jobs.f")
    assert done.status == 0, done.err
    found = run.parameters("s")
    assert found["files"] == [
        "ARGOSY_PRM_text_FILE", "ARGOSY_PRM_xs_FILE", "MAGNUS_PRM_text_FILE", "MAGNUS_PRM_xs_FILE",
    ]  # fmt: skip
    assert (found["made"], found["opened"]) == ([], 2)
    assert found["said"] == ["140000", "140002"]


def test_a_task_has_no_input(run: Any) -> None:
    run.code("import os, sys\ndef f(): return {'x': sys.stdin.read(), 'y': len(os.read(0, 9))}")
    assert run.exec("s", command="jobs.f").status == 0
    assert run.parameters("s") == {"x": "", "y": 0}
