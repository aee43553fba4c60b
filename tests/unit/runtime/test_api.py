"""The functions that a step's code calls."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import argosy.runtime
from argosy.runtime.errors import NodeError
from argosy.runtime.layout import fill, indexes

USER = """
import os, subprocess, sys
from argosy.runtime import *
class Box:
    def __init__(self, n): self.n = n
def make():
    assert get_parameter("rate") == 0.5
    assert get_parameter("none", None) is None
    set_parameter("x", {"a": [1, None]})
    assert get_parameter("x") == {"a": [1, None]}
    put_object("box", Box(3))
    assert get_object("box").n == 3
    open("made.txt", "w").write("made")
    put_in_catalog("made.txt")
    put_in_catalog(os.path.abspath("made.txt"), "other/name.txt")
    return {"large": "z" * 50000}
def use(box, large, x):
    assert box.n == 3 and len(large) == 50000 and x == {"a": [1, None]}
    assert get_object("x") == x
    os.remove("made.txt")
    assert get_from_catalog("made.txt").read_text() == "made"
    assert get_from_catalog("other/name.txt", "deep/copy.txt").exists()
    assert (run_id(), step_name()) == ("churn-1", "use")
    assert map_variable() == {}
def child():
    subprocess.run([sys.executable, "child.py"], check=True)
"""

CHILD = """
import os
from argosy.runtime import *
assert get_parameter("x") == {"a": [1, None]}
assert len(get_parameter("large")) == 50000
assert step_name() == "child" and run_id() == "churn-1"
assert get_secret("SEEN") == "seen-value"
assert get_secret("HIDDEN") == "hidden-value"
del os.environ["RENAMED"]
try:
    get_secret("HIDDEN")
except Exception as error:
    print(error)
set_parameter("from_child", 7)
track_this(loss=0.5)
get_from_catalog("made.txt", "again.txt")
"""


def test_what_one_step_keeps_the_next_finds(run: Any) -> None:
    run.code(USER)
    run.arguments = {"rate": 0.5}
    done = run.exec("make", from_=[""], command="jobs.make")
    assert (done.status, done.err) == (0, "")
    assert sorted(run.state("make")["catalog"]) == ["made.txt", "other/name.txt"]
    done = run.exec("use", rank="1", from_=["make"], command="jobs.use")
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("kind", ["python", "shell"])
def test_a_process_that_the_step_starts_is_in_the_step_too(
    run: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEN", "seen-value")
    monkeypatch.setenv("HIDDEN", "hidden-value")
    run.code(USER)
    run.code(CHILD, module="child")
    run.arguments = {"rate": 0.5}
    run.exec("make", from_=[""], command="jobs.make")
    command = "jobs.child" if kind == "python" else f"{sys.executable} child.py"
    secrets = {"SEEN": "SEEN", "HIDDEN": "RENAMED"}
    node = {"command": command, "command_type": kind, "returns": ["from_child"], "secrets": secrets}
    done = run.exec("child", rank="1", from_=["make"], **node)
    assert (done.status, done.err) == (0, "")
    assert run.parameters("child")["from_child"] == 7
    assert done.record["tracked"] == {"loss": 0.5}
    assert (run.folder / "again.txt").read_text() == "made"
    assert "pass on the variable RENAMED" in done.out


@pytest.mark.parametrize("from_", [[""], [{"item": "x", "on": "xs", "depth": 0, "in": [""]}]])
def test_a_process_of_the_first_step_reads_large_values(run: Any, from_: list[Any]) -> None:
    """Of an argument, and of a map's item, which no step has written yet."""
    run.code("import subprocess, sys\n"
             "def f(): subprocess.run([sys.executable, 'child.py'], check=True)")  # fmt: skip
    run.code("from argosy.runtime import *\n"
             "set_parameter('size', len(get_parameter('x')))", module="child")  # fmt: skip
    run.arguments = {"x": "y" * 5000, "xs": ["z" * 5000]}
    step, key = ("s", "") if from_ == [""] else ("m/*/s", "0")
    done = run.exec(step, key, from_=from_, command="jobs.f")
    assert done.status == 0, done.err
    assert run.parameters("m/0/s" if key else "s")["size"] == 5000


@pytest.mark.parametrize("kind", ["python", "shell"])
def test_a_step_knows_which_attempt_it_is(run: Any, kind: str) -> None:
    run.code("import os\nfrom argosy.runtime import attempt_number\n"
             "def f():\n"
             "    assert os.environ['ARGOSY_ATTEMPT'] == str(attempt_number())\n"
             "    if attempt_number() < 3: raise ValueError\n"
             "    return {'n': attempt_number()}")  # fmt: skip
    script = "test $ARGOSY_ATTEMPT = 3 && export ARGOSY_PRM_n=$ARGOSY_ATTEMPT"
    node = {"command": "jobs.f" if kind == "python" else script, "command_type": kind}
    assert [run.exec("s", attempt=number, **node).status for number in (1, 2, 3)] == [1, 1, 0]
    assert run.parameters("s") == {"n": 3}


WHERE = (
    "import os\nfrom argosy.runtime import map_count, map_index\n"
    + """
def f():
    shown = [os.environ.get("ARGOSY_MAP_INDEX"), os.environ.get("ARGOSY_MAP_COUNT")]
    return {"where": [map_index(), map_count(), *shown]}
"""
)
OUTER = {"item": "x", "on": "xs", "depth": 0, "in": [""]}
INNER = {"item": "y", "on": "ys", "depth": 1, "in": [OUTER]}
ROUND = {"round": "n", "depth": 1, "in": [OUTER], "last": "m/*/l/*/s"}


@pytest.mark.parametrize(
    ("step", "key", "source", "expected"),
    [
        ("s", "", "", [None, None, None, None]),
        ("m/*/s", "1", OUTER, [1, 3, "1", "3"]),
        ("m/*/n/*/s", "1/0", INNER, [0, 2, "0", "2"]),
        ("m/*/l/*/s", "2/0", ROUND, [2, 3, "2", "3"]),
        ("m/*/d/s", "2", {"only": [], "in": [OUTER]}, [2, 3, "2", "3"]),
    ],
)
def test_a_step_knows_its_place_in_the_innermost_map(
    run: Any, step: str, key: str, source: Any, expected: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGOSY_MAP_INDEX", "7")
    run.code(WHERE)
    run.arguments = {"xs": [1, 2, 3], "ys": ["a", "b"]}
    assert run.exec(step, key, from_=[source], command="jobs.f").status == 0
    assert run.parameters(fill(step, indexes(key)))["where"] == expected


def test_a_step_after_another_knows_its_place_too(run: Any) -> None:
    run.code(WHERE)
    run.arguments = {"xs": [1, 2, 3]}
    run.exec("m/*/a", "1", from_=[OUTER], command="jobs.f")
    assert run.exec("m/*/b", "1", rank="1", from_=["m/*/a"], command="jobs.f").status == 0
    assert run.parameters("m/1/b")["where"] == [1, 3, "1", "3"]


def test_objects_of_a_map_are_a_list(run: Any) -> None:
    run.code("""
from argosy.runtime import put_object, get_object
def f(x):
    if x != 2: put_object("o", {x})
def g(o): assert o == get_object("o") == [{1}, None, {3}]
""")
    run.arguments = {"xs": [1, 2, 3]}
    item = [{"item": "x", "on": "xs", "depth": 0, "in": [""]}]
    for key in ("0", "1", "2"):
        run.exec("m/*/f", key, rank="0.*.0", from_=item, command="jobs.f")
    after = {"map": "m", "rank": "0", "on": "xs", "as": "x", "in": [""], "out": ["m/*/f"]}
    done = run.exec("g", rank="1", from_=[after], command="jobs.g")
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("get_parameter('rat')", 1, "there is no parameter 'rat'; did you mean 'rate'"),
        ("get_parameter('o')", 1, r"get_object('o') gives it"),
        ("get_object('none')", 1, "there is no parameter 'none'"),
        ("set_parameter('x', float('nan'))", 1, "parameter 'x' holds NaN"),
        ("set_parameter(3, 1)", 1, "a parameter's name is a string, not 3"),
        ("set_parameter('x', object())", 1, "put_object('x', ...) keeps any other"),
        ("put_object('x', lambda: 1)", 1, "object 'x' cannot be pickled"),
        ("put_in_catalog('none.txt')", 1, "there is no file none.txt"),
        ("put_in_catalog('/etc/hostname')", 1, "put_in_catalog(path, name) gives it a name"),
        ("get_from_catalog('none.txt')", 1, "there is no 'none.txt'"),
        ("get_secret('TOKEN')", 2, "add it: secrets: [TOKEN]"),
    ],
)
def test_what_cannot_be_done_is_said(run: Any, code: str, status: int, said: str) -> None:
    run.code(f"from argosy.runtime import *\ndef f():\n    put_object('o', {{1}})\n    {code}")
    run.arguments = {"rate": 1}
    done = run.exec("s", from_=[""], command="jobs.f")
    assert done.status == status
    assert said in done.record["message"], done.record["message"]


def test_a_file_that_is_gone_when_the_step_ends_is_said(run: Any) -> None:
    run.code("import os\nfrom argosy.runtime import put_in_catalog\ndef f():\n"
             "    open('t', 'w'); put_in_catalog('t'); os.remove('t')")  # fmt: skip
    done = run.exec("s", command="jobs.f")
    assert done.status == 1
    assert "leave it there until then" in done.record["message"]


@pytest.mark.parametrize("name", argosy.runtime.__all__)
def test_outside_a_step_each_function_says_so(name: str) -> None:
    with pytest.raises(NodeError, match=rf"^{name}\(\) works in a step of a pipeline only"):
        getattr(argosy.runtime, name)(*{"set_parameter": "ab", "put_object": "ab"}.get(
            name, "a" if name.startswith(("get", "put")) else ""
        ))  # fmt: skip


def test_the_package_is_light() -> None:
    program = (
        "import sys; before = set(sys.modules); import argosy.runtime; "
        "print(*sorted(n for n in set(sys.modules) - before if n.startswith('argosy.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"argosy.runtime"]
    with pytest.raises(AttributeError, match="no attribute 'get_parametre'"):
        _ = argosy.runtime.get_parametre
