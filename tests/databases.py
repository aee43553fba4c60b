"""What a run log in a database is tried with: a pipeline whose log is there and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from examples import argosy

DEFINITION = """
name: demo
parameters: {rate: 2, xs: [1, 2, 3]}
dag:
  steps:
    first: {type: task, command: jobs.first, returns: [rows, large]}
    each:
      type: map
      iterate_on: xs
      iterate_as: x
      depends_on: [first]
      branch: {steps: {twice: {type: task, command: jobs.twice, returns: [y]}}}
    last: {type: task, command: jobs.last, depends_on: [each], returns: [total]}
"""
JOBS = """
import os
from argosy.runtime import get_object, put_object

def first(rate):
    print("rows are", rate)
    put_object("kept", {"a": (1, 2)})
    return {"rows": [rate] * 3, "large": "x" * 40000}

def twice(x):
    return {"y": 2 * x}

def last(rows, large, y):
    assert get_object("kept") == {"a": (1, 2)}
    if os.path.exists("broken"):
        raise ValueError("it is broken")
    return {"total": sum(rows) + sum(y) + len(large)}
"""
TOTAL = 6 + 12 + 40000


def try_out(folder: Path, config: dict[str, Any], **environment: str) -> str:
    """Runs the pipeline here, its last step failing; goes on from there; looks at both runs and
    removes the first. Gives all that the command said."""
    (folder / "demo.yaml").write_text(DEFINITION)
    (folder / "jobs.py").write_text(JOBS)
    (folder / "db.yaml").write_text(json.dumps({"run_log_store": {"type": "db", "config": config}}))
    said: list[str] = []

    def call(status: int, *arguments: str) -> Any:
        done = argosy(*arguments, cwd=folder, **environment)
        assert done.returncode == status, done.stderr
        said.extend((done.stdout, done.stderr))
        return done

    (folder / "broken").touch()
    first = call(1, "run", "demo.yaml", "-c", "db.yaml", "-o", "json")
    (folder / "broken").unlink()
    old = json.loads(first.stdout)["run"]
    again = ("run", "demo.yaml", "-c", "db.yaml", "-o", "json", "--resume", old)
    new = json.loads(call(0, *again).stdout)
    assert new["parameters"]["total"] == TOTAL
    shown = json.loads(call(0, "show", "latest", "-c", "db.yaml", "-o", "json").stdout)
    statuses = {step["step"]: step["status"] for step in shown["steps"] if step["attempts"]}
    assert statuses.pop("last") == "succeeded"
    assert set(statuses.values()) == {"skipped"}
    assert call(0, "logs", old, "first", "-c", "db.yaml").stdout == "rows are 2\n"
    call(0, "runs", "-c", "db.yaml", "rm", old)
    (row,) = json.loads(call(0, "runs", "-c", "db.yaml", "-o", "json").stdout)
    assert (row["run"], row["status"]) == (new["run"], "succeeded")
    call(0, "plan", "demo.yaml", "-c", "db.yaml")
    assert not (folder / ".argosy" / "runs").exists()
    return "".join(said)
