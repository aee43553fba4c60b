"""Loops, run here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from examples import argosy
from loops import LOOPS, UP
from shapes import loop


def run(folder: Path, definition: dict[str, Any], *options: str) -> tuple[dict[str, Any], Any]:
    """What the run said of its end, and its steps."""
    (folder / "p.yaml").write_text(json.dumps(definition))
    done = argosy("run", "p.yaml", "-o", "json", *options, cwd=folder)
    assert done.stdout, done.stderr
    shown = argosy("show", "latest", "-o", "json", cwd=folder)
    found = json.loads(shown.stdout)["steps"]
    steps = {step["step"]: step["status"] for step in found if step["attempts"]}
    return json.loads(done.stdout), steps


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_ends(name: str, tmp_path: Path) -> None:
    case = LOOPS[name]
    outcome, steps = run(tmp_path, case.definition(name))
    assert len(steps) == case.ran, steps
    if case.ends is None:
        assert outcome["status"] == "failed"
        assert case.said in outcome["failures"][0]["message"]
    else:
        assert outcome["status"] == "succeeded", outcome
        assert outcome["parameters"] == {**case.parameters, **case.ends}


def test_what_was_not_enough_goes_on_where_it_was(tmp_path: Path) -> None:
    def definition(most: int) -> dict[str, Any]:
        graph = {"steps": {"l": loop("done", most, {"up": UP})}}
        return {"name": "p", "parameters": {"n": 0}, "dag": graph}

    outcome, _ = run(tmp_path, definition(3))
    assert outcome["status"] == "failed"
    outcome, steps = run(tmp_path, definition(6), "--resume", "latest")
    assert outcome["parameters"] == {"n": 5, "done": True}
    assert list(steps.values()) == ["skipped"] * 3 + ["succeeded"] * 2
