"""Definitions into graphs, and every problem at once."""

import re
import time
from pathlib import Path

import pytest

from argosy.compiler import checks
from argosy.compiler.checks.never import never
from argosy.compiler.errors import DefinitionError
from argosy.compiler.graph import (
    Approval,
    Argo,
    Conditional,
    Dag,
    Edge,
    Fail,
    Loop,
    Map,
    Pipeline,
    Retry,
    Stub,
    Task,
)
from definitions import chain, pipeline, steps

BOX = "dag: {steps: {a: {type: task, command_type: container, %s}}}"


def problems(text: str, **variables: str) -> str:
    with pytest.raises(DefinitionError) as error:
        pipeline(text, **variables)
    return str(error.value)


def test_both_forms_make_the_same_edges() -> None:
    edge = steps(
        "a: {type: stub}\nb: {type: stub, depends_on: [a], on_failure: c}\nc: {type: stub}"
    )
    chained = chain(
        "a", "a: {type: stub, next: b}\nb: {type: stub, on_failure: c}\nc: {type: stub}"
    )
    for graph in (edge, chained):
        assert [graph.nodes[n].incoming for n in "abc"] == [
            (),
            (Edge("a", "success"),),
            (Edge("b", "failure"),),
        ]
        assert graph.nodes["b"].handler == "c"
    assert {node.join for node in edge.nodes.values()} == {"all"}
    assert {node.join for node in chained.nodes.values()} == {"any"}


def test_terminals_are_there_when_they_are_named() -> None:
    graph = chain(
        "a",
        "a: {type: stub, next: success, on_failure: fail}\nsuccess: {type: success}",
    )
    assert list(graph.nodes) == ["a", "fail"]
    assert graph.nodes["fail"].spec == Fail()
    recovered = chain("a", "a: {type: stub, on_failure: success}").nodes
    assert recovered["success"].spec == Stub()


def test_a_terminal_of_the_edge_form_is_a_node_like_any_other() -> None:
    graph = steps("a: {type: stub}\nend: {type: success, depends_on: [a]}\nlone: {type: fail}")
    assert graph.nodes["end"].incoming == (Edge("a", "success"),)
    assert graph.nodes["lone"].spec == Fail()


def test_a_fail_that_no_step_leads_to_is_warned_of_beside_others() -> None:
    lone = steps("a: {type: conditional, parameter: p, branches: {b: {steps: {f: {type: fail}}}}}")
    beside = steps("a: {type: stub}\nf: {type: fail}")
    assert checks.check(Pipeline("p", lone))[1] == []
    (warning,) = checks.check(Pipeline("p", beside))[1]
    assert warning.message == "step 'f' always fails its graph: no step leads to it"


def test_depends_on_any() -> None:
    graph = steps("a: {type: stub}\nb: {type: stub}\nc: {type: stub, depends_on: {any: [a, b]}}")
    assert graph.nodes["c"].join == "any"


def test_a_task_in_full() -> None:
    graph = steps(
        "a: {type: task, command: 'm.f()', returns: [x], env: {A: yes, B: 1e3, C: '$x'},"
        " secrets: {DB: DB_URL}, retry: {max_attempts: 3, backoff: 5s}, timeout: 1h30m,"
        " catalog: {get: 'a/*', put: [b]}}"
    )
    assert graph.nodes["a"].spec == Task(
        command="m.f",
        returns=("x",),
        get=("a/*",),
        put=("b",),
        secrets={"DB": "DB_URL"},
        env={"A": "yes", "B": "1e3", "C": "$x"},
        retry=Retry(3, 5.0),
        timeout=5400.0,
    )


def test_a_retry_may_wait_no_time() -> None:
    graph = steps(
        "a: {type: task, command: m.f, retry: {max_attempts: 2, backoff: 0s, max_backoff: 0}}"
    )
    assert graph.nodes["a"].spec == Task("m.f", retry=Retry(2, 0.0, 2.0, 0.0))
    with pytest.raises(DefinitionError, match="backoff takes a duration below"):
        steps("a: {type: task, command: m.f, retry: {max_attempts: 2, backoff: -1}}")


def test_a_container_task_is_an_image_and_words() -> None:
    box = "type: task, command_type: container, image: 'reg/box:1'"
    graph = steps(
        f"a: {{{box}, command: 'tool -x \"two words\"', args: [-n, 3, yes, '$x', '$(P)']}}\n"
        f"b: {{{box}, command: [/tool, '']}}"
    )
    words = ("tool", "-x", "two words", "-n", "3", "yes", "$x", "$(P)")
    spec = graph.nodes["a"].spec
    assert spec == Task(
        command="tool -x 'two words' -n 3 yes '$x' '$(P)'",
        command_type="container",
        image="reg/box:1",
        argv=words,
    )
    other = graph.nodes["b"].spec
    assert isinstance(other, Task)
    assert other.argv == ("/tool", "")


def test_a_template_of_the_engines() -> None:
    template = "{inputs: {parameters: [{name: who}, {name: n}]}, http: {url: 'http://{{x}}/$y'}}"
    graph = steps(
        f"a: {{type: argo, template: {template}, arguments: {{who: {{parameter: w}}, n: 1.50}},"
        " returns: {answer: result}}\n"
        "b: {type: argo, template_ref: {name: x, template: t, cluster_scope: true}, returns: [o]}"
    )
    spec = graph.nodes["a"].spec
    assert isinstance(spec, Argo)
    assert spec.template["http"] == {"url": "http://{{x}}/$y"}
    assert (spec.arguments, spec.handed) == ({"n": "1.50"}, {"who": "w"})
    assert spec.returns == {"answer": "result"}
    reference = {"name": "x", "template": "t", "clusterScope": True}
    assert graph.nodes["b"].spec == Argo(reference=reference, returns={"o": "o"})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("", "error: step 'a' needs either 'template' or 'template_ref'"),
        ("template: {suspend: {}}, template_ref: {name: x}", "needs either 'template' or"),
        ("template: {name: x, suspend: {}}", "p.yaml:1:42: error: a template gets its name from"),
        ("template: {}", "p.yaml:1:31: error: a template has one of container, script"),
        ("template: {suspend: {}, http: {url: x}}", "dag, steps, not http and suspend"),
        (
            "template: {container: {image: x, env: [{name: A, valeu: b}]}}",
            "p.yaml:1:80: error: template: container.env.0.valeu: unknown field\n",
        ),
        (
            "template: {container: {image: 3}}",
            "template: container.image: must be a string, and is a number\n",
        ),
        ("template: {http: {url: x}}, arguments: {q: 1}", "has no input parameter 'q'"),
        (
            "template: {http: {url: x}, inputs: {parameters: [{name: p}]}}",
            "the template's input parameter 'p' is given no value",
        ),
        ("template: {http: {url: x}}, returns: [o]", "has no output parameter 'o'\n"),
        ("template: {suspend: {}}, returns: [result]", "has no output parameter 'result'"),
        (
            "template: {suspend: {}, outputs: {parameters: [{name: p}]}}",
            "p.yaml:1:78: error: the output parameter 'p' comes from nowhere\n",
        ),
        (
            "template: {resource: {action: get}, "
            "outputs: {parameters: [{name: p, valueFrom: {path: x}}]}}",
            "'p' comes from path\n",
        ),
        (
            "template: {script: {image: i, source: s}, "
            "outputs: {parameters: [{name: p, valueFrom: {path: x, default: d}}, "
            "{name: q, valueFrom: {path: x, expression: e}}]}}",
            "'q' comes from path and expression\n",
        ),
        ("template_ref: {name: x}", "template_ref needs 'template': its name there"),
        (
            "template_ref: {name: x, template: t, cluster_scope: 1}",
            "cluster_scope takes true or false, not a number",
        ),
        ("template_ref: {name: x, template: t}, arguments: {a: {b: c}}", "has no field 'b'"),
    ],
)
def test_bad_templates_of_the_engines(fields: str, expected: str) -> None:
    assert expected in problems(f"dag: {{steps: {{a: {{type: argo, {fields}}}}}}}")


def test_a_loop() -> None:
    branch = "branch: {steps: {x: {type: stub}}}"
    graph = steps(f"l: {{type: loop, break_on: done, max_iterations: 5, {branch}}}")
    spec = graph.nodes["l"].spec
    assert isinstance(spec, Loop)
    assert (spec.break_on, spec.max_iterations, spec.iterate_as) == ("done", 5, None)
    found = problems(
        f"""
dag:
  steps:
    a: {{type: loop, {branch}}}
    b: {{type: loop, break_on: i, max_iterations: 0, iterate_as: i, {branch}}}
    c: {{type: loop, break_on: d, max_iterations: many, max_parallel: 2}}
"""
    )
    assert "p.yaml:4:8: error: step 'a' needs 'break_on': the parameter that ends the loop" in found
    assert "p.yaml:4:8: error: step 'a' needs 'max_iterations'" in found
    assert "p.yaml:5:65: error: iterate_as and break_on are both 'i'" in found
    assert "max_iterations must be at least 1" in found
    assert "max_iterations takes a whole number, not text" in found
    assert "step 'c' needs 'branch'" in found
    assert "step 'c' has no field 'max_parallel'" in found


def test_an_approval() -> None:
    graph = steps("a: {type: approval, message: 'Pay $5?', timeout: 1h}\nb: {type: approval}")
    assert graph.nodes["a"].spec == Approval("Pay $5?", 3600.0)
    assert graph.nodes["b"].spec == Approval()
    found = problems("dag: {steps: {a: {type: approval, timeout: soon, retry: 2}}}")
    assert "timeout takes a duration above 0" in found
    assert "step 'a' has no field 'retry'" in found


def test_composites() -> None:
    branch = "{steps: {x: {type: stub}}}"
    graph = steps(
        f"m: {{type: map, iterate_on: xs, iterate_as: x, branch: {branch}, max_parallel: 2}}\n"
        f"c: {{type: conditional, parameter: p, branches: {{1: {branch}, '2': {branch}}},"
        f" default: {branch}}}\n"
        f"d: {{type: dag, branch: {branch}, inputs: [i], outputs: []}}"
    )
    mapped, chosen, nested = (graph.nodes[name].spec for name in "mcd")
    assert isinstance(mapped, Map)
    assert mapped.max_parallel == 2
    assert isinstance(chosen, Conditional)
    assert chosen.values == {"1": 1, "2": "2"}
    assert chosen.default == "default"
    assert isinstance(nested, Dag)
    assert (nested.inputs, nested.outputs) == (("i",), ())


def test_variables_are_replaced_where_the_structure_is() -> None:
    text = """
name: p
parameters: {a: $x}
dag:
  steps:
    a: {type: task, command_type: shell, command: 'echo $x', env: {E: $x}, returns: ['${x}1']}
"""
    found = pipeline(text, x="value")
    task = found.graph.nodes["a"].spec
    assert isinstance(task, Task)
    assert (task.command, task.env, task.returns) == ("echo $x", {"E": "$x"}, ("value1",))
    assert found.parameters == {"a": "$x"}
    assert "the variable 'x' is not defined" in problems(text)


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = """
dag:
  start_at: one
  steps:
    one: {type: task, command: a.b, next: tow}
    two: {type: task, comand: a.b, next: success}
    three: {type: tsk, next: fail}
"""
    found = problems(text)
    expected = [
        "p.yaml:5:43: error: next of step 'one' names no step: 'tow'",
        "did you mean 'two'?",
        "p.yaml:6:10: error: step 'two' needs 'command'",
        "p.yaml:6:23: error: step 'two' has no field 'comand'",
        "did you mean 'command'?",
        "p.yaml:7:19: error: step 'three' has the unknown type 'tsk'",
    ]
    places = [found.index(line) for line in expected]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1]", "a definition is a mapping"),
        ("name: x", "needs 'dag'"),
        ("dag: {steps: {}}", "steps is empty"),
        ("dag: {steps: {a: {type: task, command: 5}}}", "'5' is not module.function"),
        ("dag: {steps: {a: {type: task, command: [5]}}}", "command takes text, not a list"),
        ("dag: {steps: {a: {type: task, command: echo hi}}}", "or is it a command_type: shell?"),
        ("dag: {steps: {a: {type: task, command: ' '}}}", "p.yaml:1:40: error: command is empty"),
        (BOX % "command: /x", "step 'a' needs 'image'"),
        (BOX % "image: i", "step 'a' needs 'command': what runs in the image"),
        (BOX % "image: i, command: []", "p.yaml:1:75: error: command is empty"),
        (BOX % "image: i, command: 'a \"b'", "command is no list of words: No closing quotation"),
        (
            BOX % "image: i, command: a, args: [[]]",
            "p.yaml:1:85: error: args takes a list of texts",
        ),
        ("dag: {steps: {a: {type: task, command: a.b, image: i}}}", "has no field 'image'"),
        ("dag: {steps: {a: {type: stub, depends_on: [b]}}}", "names no step: 'b'"),
        ("dag: {start_at: a, steps: {a: {type: stub, next: sucess}}}", "did you mean 'success'?"),
        ("dag: {steps: {a: {type: task, command: a.b, timeout: soon}}}", "takes a duration"),
        ("dag: {steps: {a: {type: task, command: a.b, retry: 0}}}", "retry must be at least 1"),
        (
            "dag: {steps: {a: {type: task, command: a.b, catalog: {put: ../x}}}}",
            "is outside the working directory",
        ),
        (
            "dag: {steps: {a: {type: task, command: a.b, catalog: {get: [x, /y]}}}}",
            "p.yaml:1:64: error: '/y' is outside the working directory",
        ),
        ("dag: {steps: {a: {type: dag}}}", "needs either 'dag_definition' (a file) or 'branch'"),
        ("dag: {steps: {a: {type: map, branch: {steps: {b: {type: stub}}}}}}", "'iterate_on'"),
        ("parameters: {x: .nan}\ndag: {steps: {a: {type: stub}}}", "JSON has no such number"),
        (
            "dag: {steps: {a: {type: stub, next: b}, b: {type: stub}}}",
            "start_at: a",
        ),
        (
            "dag: {steps: {a: {type: stub, depends_on: [c]}, b: {type: stub, depends_on: [a]},"
            " c: {type: stub, depends_on: [b]}}}",
            "these steps wait for each other: a -> b -> c -> a",
        ),
        (
            "dag: {start_at: a, steps: {a: {type: stub}, b: {type: stub}}}",
            "no step leads to 'b'",
        ),
        (
            "dag: {steps: {a: {type: stub}, f: {type: fail, depends_on: [a], on_failure: a}}}",
            "step 'f' is a fail and has on_failure: it ends its graph",
        ),
        (
            "dag: {start_at: a, steps: {a: {type: stub, next: s}, s: {type: success, next: b},"
            " b: {type: stub}}}",
            "p.yaml:1:73: error: step 's' is a success and has next: it ends its graph",
        ),
        (
            "dag: {steps: {a: {type: stub}, s: {type: success, depends_on: [a]},"
            " b: {type: stub, depends_on: [s]}}}",
            "depends_on of step 'b' names 's', a success: nothing comes after it",
        ),
    ],
)
def test_bad_definitions(text: str, expected: str) -> None:
    assert expected in problems(text)


def test_each_cycle_is_told_once() -> None:
    waits = {"x": "b", "a": "a", "b": "a", "c": "d", "d": "c", "e": "c"}
    graph = ", ".join(f"{a}: {{type: stub, depends_on: [{b}]}}" for a, b in waits.items())
    found = problems(f"dag: {{steps: {{{graph}}}}}")
    assert found.count("wait for each other") == 2
    assert "wait for each other: a -> a" in found
    assert "wait for each other: c -> d -> c" in found


TASK = "{type: task, command: a.b"
NEVER = {
    "of one step": (f"a: {TASK}, on_failure: b}}\nb: {TASK}, depends_on: [a]}}", "b", "a"),
    "of what comes before two others": (
        f"a: {TASK}, on_failure: h}}\nb: {TASK}, depends_on: [a]}}\nh: {TASK}}}\n"
        f"c: {TASK}, depends_on: [b, h]}}\nd: {TASK}, depends_on: [c]}}",
        "c",
        "a",
    ),
    "of either of two": (
        f"a: {TASK}, on_failure: c}}\nb: {TASK}, on_failure: c}}\nc: {TASK}, depends_on: [a, b]}}",
        "c",
        "a",
    ),
}


@pytest.mark.parametrize("case", NEVER)
def test_a_step_that_waits_for_success_and_failure_can_never_run(case: str) -> None:
    text, step, other = NEVER[case]
    with pytest.raises(DefinitionError) as error:
        steps(text)
    (problem,) = error.value.problems  # and not one for each that comes after
    wanted = f"step '{step}' can never run: it waits for '{other}' both to succeed and to fail"
    assert problem.message == wanted


@pytest.mark.parametrize(
    "last",
    [
        "depends_on: {any: [b, h]}}",  # either way
        "depends_on: [a]}",
        "depends_on: [h]}",
    ],
)
def test_a_step_that_waits_for_one_of_them_can_run(last: str) -> None:
    steps(
        f"a: {TASK}, on_failure: h}}\nb: {TASK}, depends_on: [a]}}\nh: {TASK}}}\nc: {TASK}, {last}"
    )


def test_a_handler_of_one_step_can_wait_for_another() -> None:
    steps(f"a: {TASK}, on_failure: h}}\nb: {TASK}}}\nh: {TASK}, depends_on: [b]}}")
    steps(f"a: {TASK}, on_failure: h}}\nb: {TASK}, on_failure: h}}\nh: {TASK}, depends_on: [a]}}")


def test_a_chain_of_ten_thousand_handlers_is_judged_soon() -> None:
    text = "\n".join(
        f"s{i}: {{type: stub, next: s{i + 1}, on_failure: end}}" for i in range(10_000)
    )
    graph = chain("s0", f"{text}\ns10000: {{type: stub}}\nend: {{type: stub}}")
    start = time.process_time()
    assert list(never(graph)) == []
    assert time.process_time() - start < 3  # 0.1 on an idle machine


def test_files_that_include_files_twice_end_soon(tmp_path: Path) -> None:
    for number in range(40):
        inner = f"{{type: dag, dag_definition: {number + 1}.yaml}}"
        (tmp_path / f"{number}.yaml").write_text(f"dag: {{steps: {{a: {inner}, b: {inner}}}}}")
    (tmp_path / "40.yaml").write_text("dag: {steps: {a: {type: stub}}}")
    start = time.process_time()
    found = problems((tmp_path / "0.yaml").read_text().replace(": 1.", f": {tmp_path}/1."))
    assert time.process_time() - start < 10
    assert found.count("error: over 1,000 dag files, one that is included twice counted twice") == 1


def test_dag_files(tmp_path: Path) -> None:
    from argosy.compiler import source
    from argosy.compiler.parse import Context, parse

    (tmp_path / "main.yaml").write_text(
        "dag: {steps: {a: {type: dag, dag_definition: inner.yaml}}}"
    )
    inner = tmp_path / "inner.yaml"
    main = tmp_path / "main.yaml"

    def read() -> tuple[object, list[str]]:
        context = Context(files=(str(main.resolve()),))
        found = parse(source.load(str(main)), "main", context)
        return found, [str(problem) for problem in context.problems]

    assert "no such file" in read()[1][0]
    inner.write_text("dag: {steps: {b: {type: stub, depends_on: [c]}}}")
    assert "inner.yaml:1:43: error: depends_on of step 'b' names no step" in read()[1][0]
    inner.write_text("dag: {steps: {b: {type: dag, dag_definition: main.yaml}}}")
    assert "main.yaml includes itself" in read()[1][0]
    inner.write_text("dag: {steps: {b: {type: stub}}}")
    found, wrong = read()
    assert not wrong
    assert list(found.graph.nodes["a"].spec.branch.nodes) == ["b"]  # type: ignore[attr-defined]


def test_a_notebook() -> None:
    line = "type: task, command_type: notebook, command: jobs/train.ipynb"
    graph = steps(
        f"a: {{{line}, notebook_output_path: out/x.ipynb, output_cell_tag: out}}\n"
        f"b: {{{line}, command_config: {{notebook_output_path: x.ipynb, output_cell_tag: out,"
        " optional_ploomber_args: {progress_bar: false}}}\n"
        f"c: {{{line}}}"
    )
    a, b, c = (graph.nodes[name].spec for name in "abc")
    assert isinstance(a, Task)
    assert isinstance(b, Task)
    assert (a.notebook_output_path, a.output_cell_tag) == ("out/x.ipynb", "out")
    assert (b.notebook_output_path, b.output_cell_tag) == ("x.ipynb", "out")
    assert c == Task("jobs/train.ipynb", "notebook")
    found = problems(
        "dag:\n  steps:\n"
        "    a: {type: task, command_type: notebook, command: train.py}\n"
        f"    b: {{{line}, notebook_output_path: ../x.ipynb}}\n"
        f"    c: {{{line}, command_config: {{kernel: x}}}}\n"
        "    d: {type: task, command: a.b, output_cell_tag: out}\n"
    )
    assert "p.yaml:3:54: error: 'train.py' is no path of a notebook" in found
    assert "'../x.ipynb' is outside the working directory" in found
    assert "command_config has no field 'kernel'" in found
    assert "step 'd' has no field 'output_cell_tag'" in found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (f"timeout: {'9' * 400}", "timeout takes a duration above 0 and below 31 years"),
        (f"timeout: {'9' * 400}s", "timeout takes a duration above 0 and below 31 years"),
        ("timeout: .inf", "timeout takes a duration"),
        (f"retry: {'9' * 400}", "retry must be at most 2,147,483,647"),
        (f"retry: {{max_attempts: 2, backoff: {'9' * 400}}}", "backoff takes a duration"),
        (
            f"retry: {{max_attempts: 2, factor: {'9' * 400}}}",
            "factor takes a number from 1 to 1000",
        ),
        ("retry: {max_attempts: 2, factor: 0.5}", "factor takes a number from"),
    ],
)
def test_numbers_that_nothing_can_count_to(fields: str, expected: str) -> None:
    found = problems(f"dag: {{steps: {{a: {{type: task, command: a.b, {fields}}}}}}}")
    assert found.startswith("p.yaml:1:")
    assert expected in found


def test_a_default_without_steps() -> None:
    branches = "branches: {x: {steps: {s: {type: stub}}}}"
    text = f"dag: {{steps: {{a: {{type: conditional, parameter: p, {branches}, default: {{}}}}}}}}"
    assert "default needs 'steps': names of steps" in problems(text)


def test_a_template_whose_parameters_are_no_list() -> None:
    template = "{inputs: {parameters: true}, http: {url: x}}"
    found = problems(f"dag: {{steps: {{a: {{type: argo, template: {template}}}}}}}")
    assert "template: inputs.parameters: must be a list" in found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ('"a\\0b"', "cannot read a\\x00b: embedded null"),
        ("loop.yaml", "cannot read .*loop.yaml: .*(symlink loop|symbolic links)"),
        ("x" * 5_000, "cannot read x+ ... x+: file name too long"),
        ("/dev/zero", "cannot read /dev/zero: it is larger than"),
        ('""', "cannot read .*: is a directory"),
        ('"-"', "cannot read .*-: no such file"),
    ],
)
def test_dag_files_that_are_none(
    path: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop.yaml").symlink_to("loop.yaml")
    found = problems(f"dag: {{steps: {{a: {{type: dag, dag_definition: {path}}}}}}}")
    assert found.startswith("p.yaml:1:46: error: ")
    assert re.search(expected.replace("\\x", "\\\\x"), found), found


LABELS = "dag: {steps: {a: {type: conditional, parameter: p, branches: {%s}%s}}}"


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        (["5", "'5'"], {"5": 5, "'5'": "5"}),
        (["'5'", "5"], {"'5'": "5", "5": 5}),
        (["'5'"], {"5": "5"}),
        (["true", "'true'", "1"], {"true": True, "'true'": "true", "1": 1}),
        (["''", "~"], {"''": "", "~": None}),
        (["''", "!!null ''"], {"''": "", "null": None}),
    ],
)
def test_a_label_is_how_its_value_is_written(labels: list[str], values: dict[str, object]) -> None:
    graph = "{steps: {s: {type: stub}}}"
    branches = ", ".join(f"{label}: {graph}" for label in labels)
    spec = pipeline(LABELS % (branches, "")).graph.nodes["a"].spec
    assert isinstance(spec, Conditional)
    assert list(spec.values.items()) == list(values.items())
    assert list(spec.branches) == list(values)


@pytest.mark.parametrize(
    ("one", "other"), [("1", "1.0"), ("true", "True"), ("~", "null"), ("16", "0x10")]
)
def test_two_branches_are_not_for_the_same_value(one: str, other: str) -> None:
    graph = "{steps: {s: {type: stub}}}"
    found = problems(LABELS % (f"{one}: {graph}, {other}: {graph}", ""))
    assert f"the branches '{one}' and '{other}' are for the same value" in found


@pytest.mark.parametrize(("default", "label"), [("5", "5"), ("'5'", "'5'")])
def test_a_default_names_the_branch_that_is_written_so(default: str, label: str) -> None:
    graph = "{steps: {s: {type: stub}}}"
    branches = f"5: {graph}, '5': {graph}"
    spec = pipeline(LABELS % (branches, f", default: {default}")).graph.nodes["a"].spec
    assert isinstance(spec, Conditional)
    assert spec.default == label


def test_names_that_are_empty() -> None:
    step = "{type: stub}"
    assert "name is empty" in problems(f"name: ''\ndag: {{steps: {{a: {step}}}}}")
    assert "name is empty" in problems(f"name: ' '\ndag: {{steps: {{a: {step}}}}}")
    branches = f"branches: {{'': {{steps: {{a: {step}}}}}}}"
    found = problems(f"dag: {{steps: {{a: {{type: parallel, {branches}}}}}}}")
    assert "a branch needs a name" in found


def test_names_that_read_alike_are_one() -> None:
    branches = "branches: {5: {steps: {a: {type: stub}}}, '5': {steps: {a: {type: stub}}}}"
    assert "'5' is given twice" in problems(
        f"dag: {{steps: {{a: {{type: parallel, {branches}}}}}}}"
    )
    data = "parameters: {branches: {5: a, '5': b}}\ndag: {steps: {a: {type: stub}}}"
    assert "p.yaml:1:31: error: '5' is given twice" in problems(data)


@pytest.mark.parametrize("backoff", ["0", "0s", "0.0"])
def test_a_backoff_may_be_nothing(backoff: str) -> None:
    graph = steps(
        f"a: {{type: task, command: a.b, retry: {{max_attempts: 2, backoff: {backoff}}}}}"
    )
    task = graph.nodes["a"].spec
    assert isinstance(task, Task)
    assert task.retry == Retry(max_attempts=2, backoff=0.0)
