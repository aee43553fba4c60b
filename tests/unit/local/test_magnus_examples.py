"""What the examples of Magnus 0.5.1 show, each as a definition of its kind, run from a file that
names nothing of Argosy's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from examples import argosy
from notebooks import write
from runs import shown

ENDS = "{success: {type: success}, fail: {type: fail}}"
CODE = """
import os
from magnus import (
    get_experiment_tracker_context, get_from_catalog, get_object, get_parameter, get_run_id,
    get_secret, put_in_catalog, put_object, set_parameter, track_this,
)
from pydantic import BaseModel, Field


class Scaled(BaseModel):
    number: int = Field(alias="scaled")


class Shape(BaseModel):
    sides: int
    colour: str = "red"


def scale(number: int) -> Scaled:
    return Scaled(scaled=number * 10)


def describe(shape: Shape, scaled: int):
    set_parameter(text=f"{shape.sides} {shape.colour} sides, {scaled}", run=get_run_id())
    assert get_parameter("shape", cast_as=Shape) == shape
    assert get_parameter()["scaled"] == scaled


def write_files():
    os.makedirs("data", exist_ok=True)
    for name in ("a.csv", "b.csv", "c.txt"):
        with open(f"data/{name}", "w") as file:
            file.write(name)
    put_in_catalog("data/c.txt")
    put_object({"kept": (1, 2)}, "box")


def read_files():
    get_from_catalog("data/*.txt")
    box = get_object("box")
    set_parameter(files=sorted(os.listdir("data")), kept=list(box["kept"]))


def train():
    with get_experiment_tracker_context():
        for step in (1, 2):
            track_this(step=step, loss=1 / step)
        os.environ["MAGNUS_TRACK_accuracy_STEP_5"] = "0.75"


def use_secret():
    set_parameter(length=len(get_secret("TOKEN")))


def fails():
    raise ValueError("as planned")


def double(item: int):
    set_parameter(doubled=item * 2)


def total(doubled):
    set_parameter(total=sum(doubled))
"""


class Example(NamedTuple):
    """`steps` is the definition from its first step on; what follows is what the run must give."""

    start: str
    steps: str
    configuration: str = ""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = MappingProxyType({})
    status: int = 0
    parameters: Mapping[str, Any] = MappingProxyType({})
    catalog: tuple[str, ...] = ()
    statuses: Mapping[str, str] = MappingProxyType({})
    said: str = ""


EXAMPLES = {
    "stubs": Example(
        "one",
        """
    one: {type: stub, next: two}
    two: {type: as-is, command: anything at all, render: {x: [1]}, next: success}
""",
    ),
    "python tasks and pydantic models": Example(
        "scale",
        """
    scale: {type: task, command: jobs.scale, next: describe}
    describe: {type: task, command: jobs.describe, next: success}
""",
        arguments=("-p", "parameters.yaml"),
        environment={"MAGNUS_PRM_NUMBER": "4", "MAGNUS_PRM_shape": '{"sides": 3}'},
        parameters={
            "number": 4,
            "scaled": 40,
            "shape": {"sides": 3},
            "text": "3 red sides, 40",
            "note": "from a file",
        },
    ),
    "shell tasks": Example(
        "one",
        """
    one:
      type: task
      command_type: shell
      command: |
        export MAGNUS_PRM_x=5
        export MAGNUS_PRM_nested='{"a": [1, 2]}'
        export MAGNUS_PRM_mine=$MAGNUS_RUN_ID
      next: two
    two:
      type: task
      command_type: shell
      command: test "$MAGNUS_PRM_x" = 5 && test "$MAGNUS_PRM_mine" = "\\"$MAGNUS_RUN_ID\\""
      next: success
""",
        parameters={"x": 5, "nested": {"a": [1, 2]}},
    ),
    "a catalog": Example(
        "write",
        """
    write:
      type: task
      command: jobs.write_files
      catalog: {put: ["*.csv"]}
      next: read
    read: {type: task, command: jobs.read_files, catalog: {get: ["a.csv"]}, next: success}
""",
        configuration="catalog: {type: file-system, config: {compute_data_folder: data}}",
        catalog=("data/a.csv", "data/b.csv", "data/c.txt"),
        parameters={"files": ["a.csv", "b.csv", "c.txt"], "kept": [1, 2]},
    ),
    "no catalog": Example(
        "write",
        """
    write: {type: task, command: jobs.write_files, catalog: {put: ["data/*"]}, next: read}
    read:
      type: task
      command_type: shell
      command: test -f data/a.csv
      catalog: {get: ["data/*"]}
      next: success
""",
        configuration="catalog: {type: do-nothing}",
        said="the catalog keeps nothing; these steps get or put files: write, read",
    ),
    "experiment tracking": Example(
        "train", "    train: {type: task, command: jobs.train, next: success}\n"
    ),
    "secrets": Example(
        "use",
        "    use: {type: task, command: jobs.use_secret, next: success}\n",
        configuration="secrets: {type: env-secrets-manager, config: {prefix: my_}}",
        environment={"my_TOKEN": "0123456789"},
        parameters={"length": 10},
        said="every step may read every secret of 'env'",
    ),
    "secrets of a file": Example(
        "use",
        "    use: {type: task, command: jobs.use_secret, next: success}\n",
        configuration="secrets: {type: dotenv}",
        parameters={"length": 5},
    ),
    "a failure": Example(
        "fails",
        """
    fails: {type: task, command: jobs.fails, next: later}
    later: {type: stub, next: success}
""",
        status=1,
        statuses={"fails": "failed"},
    ),
    "a failure that is handled": Example(
        "fails",
        """
    fails: {type: task, command: jobs.fails, on_failure: handler, next: later}
    later: {type: task, command_type: shell, command: export MAGNUS_PRM_x=1, next: success}
    handler: {type: task, command_type: shell, command: export MAGNUS_PRM_x=2, next: success}
""",
        parameters={"x": 2},
        statuses={"fails": "failed", "handler": "succeeded"},
    ),
    "branches": Example(
        "both",
        f"""
    both:
      type: parallel
      next: success
      branches:
        left:
          start_at: l
          steps:
            <<: {ENDS}
            l: {{type: task, command_type: shell, command: export MAGNUS_PRM_l=1, next: success}}
        right:
          start_at: r
          steps:
            <<: {ENDS}
            r: {{type: task, command_type: shell, command: export MAGNUS_PRM_r=2, next: success}}
""",
        parameters={"l": 1, "r": 2},
    ),
    "a map": Example(
        "each",
        f"""
    each:
      type: map
      iterate_on: items
      iterate_as: item
      next: total
      branch:
        start_at: double
        steps:
          <<: {ENDS}
          double: {{type: task, command: jobs.double, next: check}}
          check:
            type: task
            command_type: shell
            command: 'test "$MAGNUS_MAP_VARIABLE" = "{{\\"item\\": $MAGNUS_PRM_item}}"'
            next: success
    total: {{type: task, command: jobs.total, next: success}}
""",
        environment={"MAGNUS_PRM_items": "[1, 2, 3]"},
        parameters={"doubled": [2, 4, 6], "total": 12},
    ),
    "graphs in graphs": Example(
        "outer",
        f"""
    outer:
      type: parallel
      next: success
      branches:
        only:
          start_at: each
          steps:
            <<: {ENDS}
            each:
              type: map
              iterate_on: items
              iterate_as: item
              next: success
              branch:
                start_at: other file
                steps:
                  <<: {ENDS}
                  other file: {{type: dag, dag_definition: inner.yaml, next: success}}
""",
        environment={"MAGNUS_PRM_items": '["a", "b"]'},
        parameters={"seen": ["a!", "b!"]},
    ),
    "mocked": Example(
        "fails",
        """
    fails: {type: task, command: jobs.fails, next: patched}
    patched: {type: task, command: jobs.fails, next: success}
""",
        configuration="""
executor: {type: mocked, config: {patches: {patched: {command: jobs.train}}}}
""",
        statuses={"patched": "succeeded"},
    ),
    "a notebook": Example(
        "note",
        "    note: {type: task, command_type: notebook, command: note.ipynb, next: success}\n",
        environment={"MAGNUS_PRM_x": "20"},
        parameters={"y": 21},
    ),
}


def project(folder: Path, example: Example) -> Path:
    """Files as a project of Magnus's has them."""
    (folder / "jobs.py").write_text(CODE)
    ends = "    success: {type: success}\n    fail: {type: fail}\n"
    text = f"dag:\n  description: d\n  start_at: {example.start}\n  steps:\n{example.steps}{ends}"
    (folder / "pipeline.yaml").write_text(text)
    (folder / "config.yaml").write_text(example.configuration)
    (folder / "parameters.yaml").write_text("number: 2\nnote: from a file\n")
    (folder / ".env").write_text("TOKEN=12345\n")
    inner = "export MAGNUS_PRM_seen=$ARGOSY_PRM_item!"
    (folder / "inner.yaml").write_text(
        "dag:\n  start_at: s\n  steps:\n"
        f"    s: {{type: task, command_type: shell, command: '{inner}', next: success}}\n{ends}"
    )
    write(folder / "note.ipynb", ("parameters", "x = 1"), ("magnus_output", "print({'y': x + 1})"))
    return folder


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_magnus_gives(name: str, tmp_path: Path) -> None:
    example = EXAMPLES[name]
    folder = project(tmp_path, example)
    arguments = ["pipeline.yaml", "-c", "config.yaml", *example.arguments]
    found = argosy("run", *arguments, cwd=folder, **example.environment)
    assert found.returncode == example.status, found.stderr
    assert example.said in found.stderr
    document = shown("latest", folder)
    assert {**document["parameters"], **example.parameters} == document["parameters"]
    assert set(example.catalog) <= set(document["catalog"])
    ends = {step["step"]: step["attempts"][-1]["status"] for step in document["steps"]
            if step.get("attempts")}  # fmt: skip
    assert {**ends, **example.statuses} == ends


RETRIED = """
    create:
      type: %s
      command_type: shell
      command: 'mkdir -p data; echo hello > data/hello.txt; export MAGNUS_PRM_made=1'
      catalog: {put: ["data/hello.txt"]}
      next: show
    show:
      type: task
      command_type: shell
      command: cat %s
      catalog: {get: ["data/hello.txt"]}
      next: success
"""


def test_a_stub_in_the_place_of_a_step_that_succeeded_counts_as_done(tmp_path: Path) -> None:
    folder = project(tmp_path, Example("create", RETRIED % ("task", "data/hello1.txt")))
    assert argosy("run", "pipeline.yaml", cwd=folder).returncode == 1
    (folder / "data" / "hello.txt").unlink()
    project(folder, Example("create", RETRIED % ("stub", "data/hello.txt")))
    found = argosy("run", "pipeline.yaml", "--resume", "latest", cwd=folder)
    assert found.returncode == 0, found.stderr
    document = shown("latest", folder)
    assert document["parameters"] == {"made": 1}
    assert set(document["catalog"]) == {"data/hello.txt"}
    statuses = {step["step"]: step["attempts"][-1]["status"] for step in document["steps"]
                if step.get("attempts")}  # fmt: skip
    assert statuses == {"create": "skipped", "show": "succeeded"}


def test_a_stub_of_argosys_leaves_what_it_was_given(tmp_path: Path) -> None:
    text = "name: own\ndag: {steps: {a: {type: %s, command_type: shell, command: '%s'}, %s}}"
    command = "export ARGOSY_PRM_x=1"
    (tmp_path / "p.yaml").write_text(text % ("task", command, "b: {type: fail, depends_on: [a]}"))
    assert argosy("run", "p.yaml", cwd=tmp_path).returncode == 1
    (tmp_path / "p.yaml").write_text(text % ("stub", command, "b: {type: stub, depends_on: [a]}"))
    assert argosy("run", "p.yaml", "--resume", "latest", cwd=tmp_path).returncode == 0
    assert shown("latest", tmp_path)["parameters"] == {}


def test_values_of_steps_are_a_series(tmp_path: Path) -> None:
    folder = project(tmp_path, EXAMPLES["experiment tracking"])
    argosy("run", "pipeline.yaml", cwd=folder)
    (step,) = (one for one in shown("latest", folder)["steps"] if one["step"] == "train")
    tracked = {"loss": {"1": 1.0, "2": 0.5}, "accuracy": {"5": 0.75}}
    assert step["attempts"][-1]["tracked"] == tracked


def test_a_shells_values_of_steps_are_a_series(tmp_path: Path) -> None:
    export = "export MAGNUS_TRACK_loss_STEP_3=0.5 ARGOSY_TRACK_loss_STEP_4=0.25 MAGNUS_TRACK_n=1"
    step = f"    s: {{type: task, command_type: shell, command: '{export}', next: success}}\n"
    folder = project(tmp_path, Example("s", step))
    argosy("run", "pipeline.yaml", cwd=folder)
    (found,) = (one for one in shown("latest", folder)["steps"] if one["step"] == "s")
    tracked = found["attempts"][-1]["tracked"]
    assert tracked == {"loss": {"3": 0.5, "4": 0.25}, "n": 1}


def test_processes_of_a_step_import_magnus_too(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from magnus import get_parameter, set_parameter\nset_parameter(y=get_parameter('x') + 1)\n"
    )
    step = "    s: {type: task, command_type: shell, command: $PYTHON script.py, next: success}\n"
    folder = project(tmp_path, Example("s", step))
    found = argosy("run", "pipeline.yaml", cwd=folder, MAGNUS_PRM_x="1", PYTHON=sys.executable)
    assert found.returncode == 0, found.stderr
    assert shown("latest", folder)["parameters"] == {"x": 1, "y": 2}


def test_what_defines_a_pipeline_in_python_says_so(tmp_path: Path) -> None:
    (tmp_path / "sdk.py").write_text("from magnus import Pipeline\n\ndef f(): ...\n")
    step = "    s: {type: task, command: sdk.f, next: success}\n"
    found = argosy("run", "pipeline.yaml", cwd=project(tmp_path, Example("s", step)))
    assert found.returncode == 1
    assert "defines a pipeline in Python" in found.stderr


def test_another_definition_has_no_module_magnus(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(CODE)
    (tmp_path / "p.yaml").write_text("dag: {steps: {s: {type: task, command: jobs.train}}}")
    found = argosy("run", "p.yaml", cwd=tmp_path)
    assert "No module named 'magnus'" in found.stderr


def test_the_configuration_beside_a_definition_is_its_default(tmp_path: Path) -> None:
    folder = project(tmp_path, EXAMPLES["stubs"])
    (folder / "magnus-config.yaml").write_text(
        "x-note: 1\n"
        "defaults:\n"
        "  executor: {type: local, config: {enable_parallel: false}}\n"
        "  catalog: {type: file-system, config: {catalog_location: kept}}\n"
        "  secrets: {type: dotenv}\n"
    )
    planned = argosy("plan", "pipeline.yaml", cwd=folder)
    assert "file-system (location=kept)" in planned.stdout
    (folder / "config.yaml").write_text("catalog: {type: do-nothing}\n")
    planned = argosy("plan", "pipeline.yaml", "-c", "config.yaml", cwd=folder)
    assert "do-nothing" in planned.stdout
    assert "dotenv" in planned.stdout


def test_commands_without_a_definition_read_the_configuration_of_magnus(tmp_path: Path) -> None:
    folder = project(tmp_path, EXAMPLES["shell tasks"])
    log = "run_log_store: {type: chunked-fs, config: {log_folder: logs}}"
    (folder / "magnus-config.yaml").write_text(f"defaults: {{{log}}}\n")
    assert argosy("run", "pipeline.yaml", cwd=folder).returncode == 0
    found = argosy("show", "latest", "-c", "magnus-config.yaml", cwd=folder)
    assert "succeeded" in found.stdout, found.stderr
