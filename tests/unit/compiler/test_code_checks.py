"""What is wrong between a pipeline and the code of its steps, which is read and never imported."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from argosy.compiler import Request, compile, phases, source
from argosy.compiler.checks import cautions
from argosy.compiler.checks.code import check_code, code_of
from argosy.compiler.inspection.parameters import known
from argosy.compiler.inspection.patterns import may_match
from argosy.compiler.inspection.scripts import scripts


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def found(
    steps: str, code: str = "", *, parameters: str = "{r: 1}", starts: bool = False, **given: Any
) -> tuple[list[str], list[str]]:
    """The problems and the warnings, each as `line:column message`, of steps, each in a line."""
    if code:
        write("steps.py", code)
    lines = "\n".join(f"  {line}" for line in steps.strip().splitlines())
    write("p.yaml", f"parameters: {parameters}\ndag: {{steps: {{\n{lines}}}}}\n")
    compilation = compile(Request("p.yaml"), until=phases.lower)
    checked = check_code(compilation, code_of(compilation, starts=starts), given, starts=starts)
    return [text(one) for one in checked.problems], [text(one) for one in checked.warnings]


def text(problem: Any) -> str:
    assert isinstance(problem.at.source, source.Source)
    return f"{problem.at.line + 1}:{problem.at.column + 1} {problem.message}"


def problems(steps: str, code: str = "", **given: Any) -> list[str]:
    wrong, warned = found(steps, code, **given)
    assert warned == []
    return wrong


STEP = "  a: {type: task, command: steps.f}"


def test_a_function_that_the_module_does_not_have() -> None:
    code = "def fit(): pass\n"
    assert problems("a: {type: task, command: steps.fitt}", code) == [
        "3:28 steps.py has no function 'fitt', which step 'a' runs"
    ]


def test_a_name_that_is_no_function() -> None:
    assert problems(STEP, "f = 3\n") == [
        "3:28 step 'a' runs 'f', which is not a function (steps.py:1)"
    ]


def test_a_module_that_a_package_of_the_project_lacks() -> None:
    write("churn/__init__.py", "")
    assert problems("a: {type: task, command: churn.train.fit}") == [
        "3:28 step 'a' needs module 'churn.train', which 'churn' lacks"
    ]


def test_a_module_that_is_not_found_at_all_may_be_in_the_image() -> None:
    steps = "a: {type: task, command: nowhere.f}"
    message = "3:28 step 'a' needs module 'nowhere', which is neither here nor installed"
    assert found(steps) == ([], [message])
    assert found(steps, starts=True) == ([message], [])


@pytest.mark.parametrize(
    "code",
    [
        "from other import f\n",
        "from other import g as f\n",
        "import functools\n@functools.cache\ndef f(missing): pass\n",
        "class f:\n    def __init__(self, missing): pass\n",
        "class Step:\n    def __call__(self, missing): pass\nf = Step()\n",
        "def __getattr__(name): return print\n",
        "globals()['f'] = print\n",
        "try:\n    from fast import f\nexcept ImportError:\n    def f(missing): pass\n",
        "if True:\n    def f(): pass\n",
        "with open('x') as f: pass\n",
        "async def f(r): pass\n",
        "def f(**more): pass\n",
        "def f(missing=1, *, also=2): pass\n",
        "from helpers import *\n",
        "import sys\nsys.modules[__name__] = object()\n",
        "f = lambda r: r\n",
        "(f := print)\n",
        "for f in [print]: pass\n",
        "match print:\n    case f: pass\n",
    ],
)
def test_whatever_may_be_a_function_is_one(code: str) -> None:
    write("other.py", "def f(r): return {}\ng = f\n")
    write("helpers.py", "def f(missing): pass\n")
    assert problems(STEP, code) == []


def test_a_function_is_followed_to_the_module_that_defines_it() -> None:
    write("churn/__init__.py", "from .steps import fit\n")
    write("churn/steps.py", "from ..churn.deep import fit\n")
    write("churn/deep.py", "def fit(ratio): pass\n")
    [message] = problems("a: {type: task, command: churn.fit}")
    assert "'ratio' (churn/deep.py:1)" in message


def test_imports_in_a_circle_end() -> None:
    write("one.py", "from two import f\n")
    write("two.py", "from one import f\n")
    assert problems("a: {type: task, command: one.f}") == []


@pytest.mark.parametrize("command", ["os.getcwd", "json.dumps", "os.path.join", "yaml.nothing.f"])
def test_what_is_installed_is_not_read(command: str) -> None:
    assert problems(f"a: {{type: task, command: {command}}}") == []


MAP = """\
m: {type: map, iterate_on: r, iterate_as: x, reducers: {y: %s}, branch: {steps: {s: {type: stub}}}}
"""


@pytest.mark.parametrize(
    ("reducer", "expected"),
    [
        ("sum", []),
        ("steps:total", []),
        ("json:dumps", []),
        (
            "steps:totl",
            ["3:62 steps.py has no function 'totl', which step 'm' runs as the reducer of 'y'"],
        ),
        ("steps.more:f", ["3:62 step 'm' needs module 'steps.more', which 'steps' lacks"]),
        (
            "nowhere:f",
            ["3:62 step 'm' needs module 'nowhere', which is neither here nor installed"],
        ),
    ],
)
def test_the_function_that_a_reducer_names(reducer: str, expected: list[str]) -> None:
    code = "def total(ys): return sum(ys)\n"
    assert problems(MAP % reducer, code, starts=True) == expected


def test_a_function_may_be_beside_the_definition(tmp_path: Path) -> None:
    write("team/churn/steps.py", "def f(): pass\n")
    write("team/churn/p.yaml", "dag: {steps: {a: {type: task, command: churn.steps.g}}}\n")
    compilation = compile(Request("team/churn/p.yaml"), until=phases.lower)
    [problem] = check_code(compilation, code_of(compilation)).problems
    assert "team/churn/steps.py has no function 'g'" in problem.message


# Code that cannot be read


def test_code_that_is_not_python() -> None:
    wrong, warned = found(STEP, "def f(:\n", starts=True)
    assert wrong == ["3:28 step 'a' cannot be imported: steps.py:1: invalid syntax"]
    assert warned == []


@pytest.mark.parametrize(
    "code",
    [
        "x = " + "(" * 5_000 + ")" * 5_000,
        "x = " + "-" * 50_000 + "1",
        "x = " + "1+" * 50_000 + "1",
        "x = " + "[" * 90 + "]" * 90 + "\ndef f(): pass",
        "\0",
        "# -*- coding: nonsense -*-\n",
        "x = '\\d'\ndef f(): pass",
        "if 1:\n" + "".join(" " * n + "if 1:\n" for n in range(1, 99)) + " " * 100 + "pass",
    ],
)
def test_hostile_code_ends_in_no_traceback(code: str) -> None:
    began = time.process_time()
    found(STEP, code)
    assert time.process_time() - began < 5


def test_a_file_that_is_too_large_is_not_read() -> None:
    assert problems(STEP, "x = 1\n" * 200_000) == []


# Arguments

TWO = """
a: {type: task, command: steps.first%s},
b: {type: task, command: steps.second, depends_on: [a]}
"""


def test_an_argument_that_nothing_supplies() -> None:
    code = "def first(): pass\ndef second(rows): pass\n"
    assert problems(TWO % "", code) == [
        "4:28 steps.second() takes 'rows' (steps.py:2), which is not a parameter of the pipeline "
        "and is returned by no earlier step"
    ]


def test_parameters_of_the_run_supply_an_argument() -> None:
    code = "def first(): pass\ndef second(rows): pass\n"
    assert problems(TWO % "", code, rows=1) == []
    assert problems(TWO % "", code, parameters="{rows: 1}") == []


def test_without_declared_parameters_the_run_may_be_given_any() -> None:
    code = "def first(): pass\ndef second(rows): pass\n"
    wrong, warned = found(TWO % "", code, parameters="{}")
    assert (len(wrong), len(warned)) == (0, 1)
    wrong, warned = found(TWO % "", code, parameters="{}", starts=True)
    assert (len(wrong), len(warned)) == (1, 0)


@pytest.mark.parametrize(
    ("returns", "first"),
    [
        (", returns: [rows]", "def first(r): return r"),
        ("", "def first(): return {'rows': 1}"),
        ("", "def first(): return dict(rows=1)"),
        ("", "from argosy.runtime import set_parameter\ndef first(): set_parameter('rows', 1)"),
        ("", "import argosy.runtime as a\ndef first():\n  for n in 'ab': a.set_parameter(n, 1)"),
        ("", "import other\ndef first(): other.helper()"),
        ("", "import os\ndef first(): os.environ['ARGOSY_PRM_rows'] = '1'"),
        ("", "import subprocess\ndef first(): subprocess.run(['x'])"),
    ],
)
def test_an_earlier_step_supplies_an_argument(returns: str, first: str) -> None:
    write(
        "other.py", "import argosy.runtime\ndef helper(): argosy.runtime.put_object('rows', {1})\n"
    )
    assert problems(TWO % returns, f"{first}\ndef second(rows): pass\n") == []


@pytest.mark.parametrize(
    "first",
    [
        "{type: task, command_type: shell, command: 'export ARGOSY_PRM_rows=1'}",
        "{type: task, command_type: shell, command: 'python x.py'}",
        "{type: task, command_type: shell, command: '. ./env'}",
        "{type: task, command_type: notebook, command: n.ipynb}",
        "{type: stub}",
    ],
)
def test_a_step_without_python_supplies_an_argument(first: str) -> None:
    for name in ("n.ipynb", "x.py", "env"):
        write(name, "")
    steps = f"a: {first},\nb: {{type: task, command: steps.second, depends_on: [a]}}"
    assert problems(steps, "def second(rows): pass\n") == []


def test_a_step_that_is_not_before_supplies_nothing() -> None:
    steps = "a: {type: task, command: steps.f, returns: [x]},\nb: {type: task, command: steps.g}"
    [message] = problems(steps, "def f(r): return r\ndef g(x): pass\n")
    assert message.startswith("4:28 steps.g() takes 'x'")


def test_a_handler_has_what_entered_the_step_that_failed() -> None:
    steps = """
a: {type: task, command: steps.f, returns: [x]},
b: {type: task, command: steps.g, returns: [y], depends_on: [a], on_failure: h},
h: {type: task, command: steps.h}
"""
    code = "def f(r): return r\ndef g(x): return x\ndef h(x, y): pass\n"
    [message] = problems(steps, code)
    assert "steps.h() takes 'y'" in message


def test_items_and_indexes_are_there_inside_and_not_after() -> None:
    steps = """
m: {type: map, iterate_on: r, iterate_as: item, branch: {steps: {
    l: {type: loop, break_on: done, max_iterations: 2, iterate_as: n, branch: {steps: {
        s: {type: task, command: steps.f, returns: [done]}}}}}}},
t: {type: task, command: steps.f, depends_on: [m]}
"""
    wrong = problems(steps, "def f(item, n): return True\n", parameters="{r: [1]}")
    assert ["takes 'item'" in wrong[0], "takes 'n'" in wrong[1], len(wrong)] == [True, True, 2]


def test_a_dag_passes_the_names_of_its_inputs_and_outputs() -> None:
    steps = """
d: {type: dag, inputs: [r], outputs: [out], branch: {steps: {
    s: {type: task, command: steps.inside, returns: [out, hidden]}}}},
t: {type: task, command: steps.after, depends_on: [d]}
"""
    code = "def inside(r, q): return 1, 2\ndef after(out, hidden): pass\n"
    wrong = sorted(problems(steps, code, parameters="{r: 1, q: 2}"))
    assert [message[:4] for message in wrong] == ["4:32", "5:28"]
    assert ["'q'" in wrong[0], "'hidden'" in wrong[1]] == [True, True]


def test_a_long_chain_is_checked_in_a_moment() -> None:
    first = "s0: {type: task, command: steps.f, returns: [x0]}"
    others = (
        f"s{n}: {{type: task, command: steps.f, returns: [x{n}], depends_on: [s{n - 1}]}}"
        for n in range(1, 3_000)
    )
    steps = ",\n".join([first, *others])
    began = time.process_time()
    assert problems(steps, "def f(r): return r\n") == []
    assert time.process_time() - began < 10


# Returns


@pytest.mark.parametrize(
    ("returns", "code", "said"),
    [
        ("[a, b]", "def f(): return {'a': 1}", "a dict with the keys 'a' (steps.py:1)"),
        ("[s]", "def f(): return {}", "an empty dict (steps.py:1)"),
        ("[a, b]", "def f(): return 1, 2, 3", "a tuple of 3 values (steps.py:1)"),
        ("[a, b]", "def f():\n  return [1, 2]", "a single value (steps.py:2)"),
    ],
)
def test_returns_that_cannot_match(returns: str, code: str, said: str) -> None:
    [message] = problems(f"a: {{type: task, command: steps.f, returns: {returns}}}", code)
    assert f"steps.f() returns {said}; `returns` names" in message


def test_a_function_that_returns_nothing() -> None:
    steps = "a: {type: task, command: steps.f, returns: [x, y]}"
    [message] = problems(steps, "def f(): pass\n")
    assert "steps.f() returns nothing (steps.py:1); `returns` names 'x', 'y'" in message


def test_a_generator() -> None:
    [message] = problems(STEP, "def f():\n  yield 1\n")
    assert "steps.f() is a generator (steps.py:1)" in message


def test_one_return_of_several_that_cannot_match_is_a_warning() -> None:
    code = "def f(r):\n  if r: return {}\n  return {'x': 1}\n"
    wrong, warned = found("a: {type: task, command: steps.f, returns: [x]}", code)
    assert (wrong, len(warned)) == ([], 1)


@pytest.mark.parametrize(
    "code",
    [
        "def f(): return g()",
        "def f(): return {**g()}",
        "def f(): return {'x': 1, 'y': 2, 'z': 3}",
        "def f(): return 1, 2",
        "def f(): return (*g(),)",
        "def f():\n  def inner(): return 1\n  return g()",
        "from argosy.runtime import set_parameter as put\ndef f(): put('x', 1); put('y', 2)",
        "def f():\n  if g(): return None\n  return {'x': 1, 'y': 2}",
        "def f(): raise ValueError",
    ],
)
def test_returns_that_can_match(code: str) -> None:
    assert problems("a: {type: task, command: steps.f, returns: [x, y]}", code) == []


def test_one_name_takes_any_value() -> None:
    for value in ("None", "1", "[1]", "(1, 2)", "f'{1}'"):
        steps = "a: {type: task, command: steps.f, returns: [x]}"
        assert problems(steps, f"def f(): return {value}\n") == []


# Secrets

GET = "from argosy.runtime import get_secret\n"


def test_a_secret_that_the_step_does_not_name() -> None:
    [message] = problems(STEP, GET + "def f():\n  token = get_secret('TOKEN').strip()\n")
    assert (
        message == "3:3 steps.f() reads secret 'TOKEN' (steps.py:3), which step 'a' does not name"
    )


def test_a_secret_that_may_not_be_read_is_a_warning() -> None:
    wrong, warned = found(STEP, GET + "def f(r):\n  if r: get_secret('TOKEN')\n")
    assert (wrong, len(warned)) == ([], 1)


@pytest.mark.parametrize(
    "code",
    [
        GET + "def f(): get_secret('NAMED')",
        GET + "def f(r): get_secret(r)",
        GET + "def g(): get_secret('TOKEN')\ndef f(): pass",
        "from vault import get_secret\ndef f(): get_secret('TOKEN')",
        "def f(client): client.get_secret('TOKEN')",
    ],
)
def test_secrets_that_are_named_or_anothers(code: str) -> None:
    steps = "a: {type: task, command: steps.f, secrets: [NAMED]}"
    assert problems(steps, code, client=1) == []


# Files


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("./publish.sh", ["./publish.sh"]),
        ("python train.py --fast; echo done", ["train.py"]),
        ("set -e\nbash a.sh && ./b.sh | tee log.txt", []),
        ("if ./check.sh; then\n  python3 x/y.py\nfi", ["./check.sh", "x/y.py"]),
        ("echo ./x.sh", []),
        ("python -m train", []),
        ("python $SCRIPT", []),
        ("cd work && ./run.sh", []),
        ("curl -o x.sh https://example.com && bash x.sh", []),
        ("echo true > x.sh; bash x.sh", []),
        ("cat <<EOF\n./x.sh\nEOF", []),
        ("# ./old.sh\n./new.sh # not ./this.sh", ["./new.sh"]),
        ("LEVEL=1 ./x.sh", ["./x.sh"]),
        ("/usr/bin/x.sh", []),
        ("it's", []),
    ],
)
def test_the_scripts_that_a_command_runs(command: str, files: list[str]) -> None:
    assert scripts(command) == files


def test_a_script_that_does_not_exist() -> None:
    steps = "a: {type: task, command_type: shell, command: ./publish.sh}"
    assert problems(steps, starts=True) == ["3:49 step 'a' runs ./publish.sh, which does not exist"]
    write("publish.sh", "true\n")
    assert problems(steps, starts=True) == []


def test_a_notebook_that_does_not_exist() -> None:
    steps = "a: {type: task, command_type: notebook, command: train.ipynb}"
    assert problems(steps, starts=True) == ["3:52 step 'a' runs train.ipynb, which does not exist"]


def test_a_script_from_the_catalog() -> None:
    first = "a: {type: task, command: steps.f, catalog: {put: [x.sh]}}"
    command = "command_type: shell, command: ./x.sh, catalog: {get: ['*.sh']}"
    steps = f"{first},\nb: {{type: task, {command}, depends_on: [a]}}"
    assert problems(steps, "def f(): pass\n", starts=True) == []


# Files of the catalog


@pytest.mark.parametrize(
    ("put", "get"),
    [
        ("part_*.csv", "part_*.csv"),
        ("out", "out/a.csv"),
        ("out/*.csv", "out"),
        ("data/**", "data/x/y.csv"),
        ("a[0-9].txt", "a1.txt"),
        (".", "x"),
        ("x", "."),
    ],
)
def test_a_get_that_an_earlier_step_may_match(put: str, get: str) -> None:
    steps = f"""
a: {{type: task, command: steps.f, catalog: {{put: ["{put}"]}}}},
b: {{type: task, command: steps.f, catalog: {{get: ["{get}"]}}, depends_on: [a]}}
"""
    assert problems(steps, "def f(): pass\n") == []


def test_an_item_in_a_pattern_may_be_any_text() -> None:
    assert may_match("work/{region}.csv", "work/*.csv")
    assert may_match("work/eu.csv", "work/{region}.csv")
    assert not may_match("other/eu.csv", "work/{region}.csv")


def test_a_get_that_no_earlier_step_puts() -> None:
    steps = """
a: {type: task, command: steps.f, catalog: {put: ["data/*.csv"]}},
b: {type: task, command: steps.f, catalog: {get: ["data/*.csv", "dta/x.csv"]}, depends_on: [a]},
c: {type: task, command: steps.f, catalog: {put: [later.txt], get: [later.txt]}}
"""
    wrong = problems(steps, "def f(): pass\n")
    assert sorted(wrong) == [
        "4:67 step 'b' gets 'dta/x.csv', which no earlier step puts",
        "5:71 step 'c' gets 'later.txt', which no earlier step puts",
    ]


@pytest.mark.parametrize(
    "step",
    [
        "{type: task, command: steps.keep}",
        "{type: task, command_type: shell, command: ./make.sh}",
        "{type: task, command_type: shell, command: convert}",
        "{type: stub}",
    ],
)
def test_a_step_that_may_keep_any_file(step: str) -> None:
    code = "from argosy.runtime import *\ndef keep(): put_in_catalog('x.csv')\ndef f(): pass\n"
    write("make.sh", "")
    get = "b: {type: task, command: steps.f, catalog: {get: [x.csv]}, depends_on: [a]}"
    assert problems(f"a: {step},\n{get}", code) == []


def test_a_file_of_an_iteration_is_in_a_folder_of_its_own_too() -> None:
    steps = """
m: {type: map, iterate_on: r, iterate_as: i, branch: {steps: {
    n: {type: map, iterate_on: r, iterate_as: j, branch: {steps: {
        s: {type: task, command: steps.f, catalog: {put: [x]}}}}}}}},
b: {type: task, command: steps.f, catalog: {get: ["m/*/n/*/x", "m/*/x", x]}, depends_on: [m]}
"""
    assert problems(steps, "def f(): pass\n", parameters="{r: [1]}") == []


def test_an_executed_notebook_is_in_the_catalog() -> None:
    write("n.ipynb", "{}")
    steps = """
a: {type: task, command_type: notebook, command: n.ipynb},
b: {type: task, command: steps.f, catalog: {get: [n_out.ipynb]}, depends_on: [a]}
"""
    assert problems(steps, "def f(): pass\n") == []


# Parameters that nothing reads


@pytest.mark.parametrize(
    ("step", "names", "more"),
    [
        ("{type: task, command: steps.f}", {"a", "b"}, False),
        ("{type: task, command: steps.rest}", set(), True),
        ("{type: task, command: steps.asks}", {"asked", "unasked"}, False),
        ("{type: task, command: steps.reads}", {"shown"}, False),
        ("{type: task, command: nowhere.f}", set(), True),
        ("{type: task, command_type: shell, command: 'echo $ARGOSY_PRM_x'}", {"x"}, False),
        ("{type: task, command_type: shell, command: 'train --fast'}", set(), True),
        ("{type: task, command_type: notebook, command: n.ipynb}", {"rate", "in", "a"}, False),
        ("{type: stub}", set(), False),
        ("{type: stub, command: x}", set(), True),
    ],
)
def test_the_parameters_that_a_step_reads(step: str, names: set[str], more: bool) -> None:
    write("n.ipynb", "rate in a")
    write(
        "steps.py",
        "import argosy.runtime, os\n"
        "def f(a, *, b=1): pass\n"
        "def rest(**more): pass\n"
        "def asks(): argosy.runtime.get_parameter('asked'); other()\n"
        "def other(): argosy.runtime.get_parameter('unasked', 1)\n"
        "def reads(): print(os.environ['ARGOSY_PRM_shown'])\n",
    )
    write("p.yaml", f"dag: {{steps: {{s: {step}}}}}\n")
    compilation = compile(Request("p.yaml"), until=phases.lower)
    found = known(compilation.pipeline, code_of(compilation))
    assert names <= found.names
    assert found.open is more


# Steps that are omitted


def omissions(steps: str) -> list[str]:
    lines = "\n".join(f"  {line}" for line in steps.strip().splitlines())
    write("p.yaml", f"dag: {{steps: {{\n{lines}}}}}\n")
    pipeline = compile(Request("p.yaml"), until=phases.check).pipeline
    return [f"{text(one)}; {one.hint}" for one in cautions(pipeline)]


def test_a_step_behind_a_handled_failure_is_omitted() -> None:
    steps = """
a: {type: stub, on_failure: h}, h: {type: stub}, other: {type: stub},
b: {type: stub, depends_on: [a]},
c: {type: stub, depends_on: [a, other]}
"""
    assert omissions(steps) == [
        "3:31 step 'b' is omitted if 'a' fails, although 'h' handles that; "
        "depends_on: {any: [a, h]} runs it after either of them",
        "4:31 step 'c' is omitted if 'a' fails, although 'h' handles that; depend on a stub with "
        "depends_on: {any: [a, h]} instead of 'a' to run it after either",
    ]


@pytest.mark.parametrize(
    "steps",
    [
        "a: {type: stub, on_failure: h}, h: {type: stub},\n"
        "b: {type: stub, depends_on: {any: [a, h]}}",
        "a: {type: stub, on_failure: h}, h: {type: fail}, b: {type: stub, depends_on: [a]}",
        "a: {type: stub, on_failure: h}, h: {type: stub}, b: {type: stub, depends_on: [a]},\n"
        "f: {type: fail, depends_on: [h]}",
        "a: {type: stub}, b: {type: stub, depends_on: [a]}",
    ],
)
def test_a_step_that_is_not_omitted_without_a_failure_of_the_run(steps: str) -> None:
    assert omissions(steps) == []
