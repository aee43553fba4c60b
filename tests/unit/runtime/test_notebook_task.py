"""Notebook tasks: parameters in, what they return out, and the executed notebook kept."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

import nbformat
import pytest

from argosy.runtime.entries import State
from argosy.runtime.errors import TaskError
from argosy.runtime.step import Step
from argosy.runtime.tasks.notebook import injected, masked, outputs_of, with_parameters
from notebooks import read, write

VALUE = "s3cr3t of two\nlines and more"


def cell(source: str, *tags: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "metadata": {"tags": [*tags]}, **more}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([], "!"),
        ([cell("a"), cell("b")], "!ab"),
        ([cell("a"), cell("b", "parameters"), cell("c")], "ab!c"),
        ([cell("a", "parameters"), cell("old", "injected-parameters"), cell("c")], "a!c"),
    ],
)
def test_parameters_come_after_their_defaults(cells: list[Any], expected: str) -> None:
    assert "".join(one["source"] for one in with_parameters(cells, cell("!"))) == expected


def test_what_is_injected_is_python() -> None:
    values = {"a": [True, None], "b": "it's {{x}}\n", "not a name": 1, "class": 2, "π": 1.5}
    entries: dict[str, Any] = {name: {"value": value} for name, value in values.items()}
    entries |= {"large": {"blob": "x", "size": 1}, "kept": {"blob": "y", "pickle": True}}
    source = injected(Step(None, "s", State(entries, {}), ""))  # type: ignore[arg-type]
    found: dict[str, Any] = {}
    exec("\n".join(line for line in source.splitlines() if "large" not in line), found)  # noqa: S102
    assert {name: found[name] for name in "abπ"} == {name: values[name] for name in "abπ"}
    assert source.splitlines()[-2].startswith("large = ")
    assert len(source.splitlines()) == 5
    assert injected(Step(None, "s", State({}, {}), "")) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([{"text": '{"a": 1}\n'}], {"a": 1}),
        ([{"data": {"text/plain": "{'a': None}"}}], {"a": None}),
        ([{"data": {"application/json": {"a": 1}, "text/plain": "<JSON>"}}], {"a": 1}),
        ([{"text": '{"a": 1}'}, {"text": " \n"}, {"text": '{"b": 2}'}], {"a": 1, "b": 2}),
        ([], {}),
    ],
)
def test_a_tagged_cell_puts_out_parameters(outputs: list[Any], expected: Any) -> None:
    assert outputs_of([cell("x"), cell("y", "out", outputs=outputs)], "out") == expected


@pytest.mark.parametrize("text", ["3", "[1]", "no JSON"])
def test_what_is_no_object_is_none(text: str) -> None:
    with pytest.raises(TaskError, match="has no JSON object or dict as output"):
        outputs_of([cell("y", "out", outputs=[{"text": text}])], "out")
    with pytest.raises(TaskError, match="no cell is tagged 'in'"):
        outputs_of([cell("y", "out")], "in")


def test_every_text_of_a_notebook_is_masked() -> None:
    value = {"a": ["x s", {"b": "s"}], "n": 1, "none": None}
    assert masked(value, lambda text: text.replace("s", "*")) == {
        "a": ["x *", {"b": "*"}],
        "n": 1,
        "none": None,
    }


def test_parameters_go_in_and_come_out(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", VALUE)
    run.arguments = {"rows": 3, "x": [1, None]}
    write(
        run.folder / "jobs/train.ipynb",
        ("parameters", "rate = 0.5\nrows = None"),
        "import os, sys\nfrom argosy.runtime import get_secret, set_parameter\n"
        "print(os.getpgid(0) == os.getppid(), rows, rate, x, os.environ['LEVEL'])",
        "print(get_secret('TOKEN'), file=sys.stderr)\nos.environ['TOKEN']",
        "accuracy = rate * 2\nset_parameter('by_api', rows + 1)\nby_api = 0",
        ("out", "{'cell': x}"),
    )
    done = run.exec(
        "s",
        from_=[""],
        command="jobs/train.ipynb",
        command_type="notebook",
        returns=["accuracy", "by_api"],
        output_cell_tag="out",
        secrets={"TOKEN": None},
        env={"LEVEL": "1e3"},
    )
    assert done.status == 0, done.err
    assert done.out == "True 3 0.5 [1, None] 1e3\n'***'\n{'cell': [1, None]}\n"
    found = run.parameters("s")
    assert found == {**run.arguments, "accuracy": 1.0, "by_api": 4}
    assert b"True 3 0.5" in run.log("s")
    executed = run.folder / "jobs/train_out.ipynb"
    kept = run.state("s")["catalog"]["jobs/train_out.ipynb"]
    assert (run.folder / ".argosy/catalog/blobs" / kept["sha256"]).read_bytes() == (
        executed.read_bytes()
    )
    assert "s3cr3t" not in executed.read_text()
    cells = read(executed).cells
    assert [one.metadata.tags for one in cells[:2]] == [["parameters"], ["injected-parameters"]]
    assert cells[1].source == "# Parameters\nrows = 3\nx = [1, None]"
    assert [one.execution_count for one in cells] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("tag", "named", "returns", "expected"),
    [
        ("magnus_output", "", [], {"a": 1, "b": 2}),
        ("magnus_output", "", ["b"], {"b": 2}),
        ("magnus_output", "", ["c"], {"c": 3}),
        ("out", "out", [], {"a": 1, "b": 2}),
        ("out", "", [], {}),
    ],
)
def test_what_the_tagged_cell_puts_out_is_returned(
    run: Any, tag: str, named: str, returns: list[str], expected: Any
) -> None:
    write(run.folder / "n.ipynb", (tag, "c = 3\n{'a': 1, 'b': 2}"))
    node = {"output_cell_tag": named, "returns": returns}
    done = run.exec("s", command="n.ipynb", command_type="notebook", **node)
    assert done.status == 0, done.err
    assert run.parameters("s") == expected


def test_what_the_cells_leave_in_the_environment_is_returned(run: Any) -> None:
    run.arguments = {"p": "1", "q": 1, "r": 1}
    write(
        run.folder / "n.ipynb",
        "import os\nos.environ['MAGNUS_PRM_x'] = '[1, 2]'\nos.environ['ARGOSY_PRM_p'] = '1'",
        "os.environ['MAGNUS_TRACK_loss'] = '0.5'\nos.environ['ARGOSY_PRM_q'] = 'by hand'\nq = 0",
    )
    done = run.exec("s", from_=[""], command="n.ipynb", command_type="notebook", returns=["q"])
    assert done.status == 0, done.err
    assert run.parameters("s") == {"p": 1, "q": "by hand", "r": 1, "x": [1, 2]}
    assert run.state("s")["parameters"]["r"]["by"] == ""
    assert done.record["tracked"] == {"loss": 0.5}


def test_a_large_value_is_not_in_the_notebook(run: Any) -> None:
    run.arguments = {"large": "x" * 140_000}
    source = "import os\nsizes = [len(large), os.path.getsize(os.environ['ARGOSY_PRM_large_FILE'])]"
    write(run.folder / "n.ipynb", source)
    done = run.exec("s", from_=[""], command="n.ipynb", command_type="notebook", returns=["sizes"])
    assert done.status == 0, done.err
    assert run.parameters("s")["sizes"] == [140_000, 140_000]


def test_the_cell_that_fails_is_named_and_the_notebook_kept(run: Any) -> None:
    write(run.folder / "n.ipynb", "x = 1", "# divides\ny = x / 0", "print('never')")
    node = {"command": "n.ipynb", "command_type": "notebook", "notebook_output_path": "o/n.ipynb"}
    done = run.exec("s", **node)
    assert done.status == 1
    assert done.record["message"] == (
        "cell In [2] `# divides`: ZeroDivisionError: division by zero"
    )
    assert "ZeroDivisionError" in done.err
    assert "\x1b" not in done.err
    kept = done.record["catalog"]["o/n.ipynb"]
    text = (run.folder / ".argosy/catalog/blobs" / kept["sha256"]).read_text()
    assert text == (run.folder / "o/n.ipynb").read_text()
    errors = [
        [one.output_type for one in each.outputs] for each in read(run.folder / "o/n.ipynb").cells
    ]
    assert errors == [[], ["error"], []]


def test_each_iteration_leaves_a_notebook_of_its_own(run: Any) -> None:
    write(run.folder / "n.ipynb", "print(region)")
    run.arguments = {"regions": ["eu", "us"]}
    entering = {"item": "region", "on": "regions", "depth": 0, "in": [""]}
    node = {"command": "n.ipynb", "command_type": "notebook", "from_": [entering]}
    for key, region in (("0-eu", "eu"), ("1-us", "us")):
        assert run.exec("each/*/s", key, **node).status == 0
        executed = run.folder / "each" / key[0] / "n_out.ipynb"
        assert read(executed).cells[1].outputs[0].text == f"{region}\n"
        assert list(run.state(f"each/{key[0]}/s")["catalog"]) == ["n_out.ipynb"]
    a_map = {"map": "each", "on": "regions", "as": "region", "in": [""], "out": ["each/*/s"]}
    run.exec("after", type="control", from_=[{**a_map, "rank": "0"}])
    assert list(run.state("after")["catalog"]) == ["each/0/n_out.ipynb", "each/1/n_out.ipynb"]
    assert not (run.folder / "n_out.ipynb").exists()


def test_a_notebook_that_takes_too_long_shows_how_far_it_came(run: Any) -> None:
    pid = run.folder / "pid"
    write(
        run.folder / "n.ipynb",
        f"import os; open({str(pid)!r}, 'w').write(str(os.getpid()))",
        "import time; time.sleep(60)",
    )
    begin = time.monotonic()

    def stop() -> None:
        while not pid.exists():
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()
    done = run.exec("s", command="n.ipynb", command_type="notebook")
    assert done.status == 128 + signal.SIGTERM
    assert time.monotonic() - begin < 55
    assert [one.execution_count for one in read(run.folder / "n_out.ipynb").cells] == [1, 2]
    assert "n_out.ipynb" in done.record["catalog"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_kernel_that_dies_is_said(run: Any) -> None:
    write(run.folder / "n.ipynb", "import os\nos.kill(os.getpid(), 9)")
    done = run.exec("s", command="n.ipynb", command_type="notebook")
    assert done.status == 1
    assert "`import os`: the kernel died: ended by SIGKILL" in done.record["message"]


def test_what_a_notebook_does_not_set_is_not_returned(run: Any) -> None:
    write(run.folder / "n.ipynb", "x = {1, 2}")
    node = {"command": "n.ipynb", "command_type": "notebook"}
    done = run.exec("s", returns=["y"], **node)
    assert done.record["message"] == "n.ipynb did not set 'y', which its `returns` names"
    assert "n_out.ipynb" in done.record["catalog"]
    done = run.exec("s", returns=["x"], **node)
    assert done.record["message"].startswith("`returns`: TaskError: parameter 'x' is of type")


def test_a_notebook_of_an_older_format_stays_one(run: Any) -> None:
    run.arguments = {"rate": 2}
    cell = {"cell_type": "code", "source": "rate *= 2", "metadata": {}, "outputs": []}
    cells = [{**cell, "execution_count": None}]
    notebook = {"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": cells}
    (run.folder / "n.ipynb").write_text(json.dumps(notebook))
    done = run.exec("s", from_=[""], command="n.ipynb", command_type="notebook", returns=["rate"])
    assert (done.status, done.out, done.err) == (0, "", "")
    assert run.parameters("s") == {"rate": 4}
    nbformat.validate(json.loads((run.folder / "n_out.ipynb").read_text()))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no notebook n.ipynb in "),
        ("not JSON", "n.ipynb is no notebook: NotJSONError"),
        ("{}", "n.ipynb is no notebook: "),
        (
            '{"nbformat": 4, "nbformat_minor": 5, "cells": [], "metadata": '
            '{"kernelspec": {"name": "ir", "language": "R"}}}',
            "is not in Python",
        ),
    ],
)
def test_a_notebook_that_cannot_run_is_not_tried_again(
    run: Any, content: str | None, said: str
) -> None:
    if content is not None:
        (run.folder / "n.ipynb").write_text(content)
    done = run.exec("s", command="n.ipynb", command_type="notebook")
    assert done.status == 2
    assert said in done.record["message"]


def test_without_the_extra_the_way_to_install_it_is_told(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nbclient", None)
    monkeypatch.delitem(sys.modules, "argosy.runtime.tasks.kernel", raising=False)
    done = run.exec("s", command="n.ipynb", command_type="notebook")
    assert done.status == 2
    assert "pip install 'argosy[notebook]'" in done.record["message"]
