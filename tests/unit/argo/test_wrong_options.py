"""Every option, broken: `argosy check` says where in the file, and which option it is."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from argosy.compiler.argo.options import OPTIONS
from argosy.compiler.compilation import Request
from argosy.compiler.errors import SettingsError
from argosy.compiler.phases import compile, integrate
from options import EXAMPLES

PIPELINE = {"name": "p", "dag": {"steps": {"a": {"type": "task", "command": "m.f"}}}}
UNKNOWN = "nobodyKnowsThis"
STEPS = [name for name, option in OPTIONS.items() if option.per_step]
INSIDE = [(name, path) for name, example in EXAMPLES.items() for path in example.inside]


def said(folder: Path, config: dict[str, Any], override: dict[str, Any]) -> str:
    """What is said of a pipeline whose one step overrides some of a configuration."""
    pipeline: Any = copy.deepcopy(PIPELINE)
    pipeline["dag"]["steps"]["a"]["overrides"] = {"argo": override}
    configuration = {"executor": {"type": "argo", "config": {"image": "i", **config}}}
    (folder / "p.yaml").write_text(json.dumps(pipeline, indent=1))
    (folder / "c.yaml").write_text(json.dumps(configuration, indent=1))
    with pytest.raises(SettingsError) as wrong:
        compile(Request(str(folder / "p.yaml"), (str(folder / "c.yaml"),)), until=integrate)
    return str(wrong.value)


def wrong(name: str) -> Any:
    """A value of a type that the option does not take."""
    example = EXAMPLES[name]
    if example.wrong is not None:
        return example.wrong
    return {"wrong": ["type"]} if isinstance(example.good, list) else [["wrong", "type"]]


def line_of(folder: Path, file: str, text: str) -> str:
    """`file:line:` of the line that begins with some text, or alone has it."""
    lines = (folder / file).read_text().splitlines()
    found = [number for number, line in enumerate(lines, 1) if line.startswith(text)]
    (number,) = found or [number for number, line in enumerate(lines, 1) if text in line]
    return f"{folder / file}:{number}:"


def with_unknown(value: Any, path: tuple[str | int, ...]) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for key in path:
        inner = inner[key]
    inner[UNKNOWN] = 1
    return changed


@pytest.mark.parametrize("name", OPTIONS)
def test_a_wrong_type_is_said_with_its_place(name: str, tmp_path: Path) -> None:
    text = said(tmp_path, {name: wrong(name)}, {})
    assert text.startswith(line_of(tmp_path, "c.yaml", f'   "{name}":')), text
    assert f"error: {name}" in text
    assert "^" in text


@pytest.mark.parametrize("name", STEPS)
def test_so_it_is_in_a_steps_overrides(name: str, tmp_path: Path) -> None:
    text = said(tmp_path, {}, {name: wrong(name)})
    assert text.startswith(line_of(tmp_path, "p.yaml", f'      "{name}":')), text
    assert f"error: overrides of step 'a': {name}" in text


@pytest.mark.parametrize(("name", "path"), INSIDE)
def test_an_unknown_member_is_said_with_its_place(
    name: str, path: tuple[str | int, ...], tmp_path: Path
) -> None:
    text = said(tmp_path, {name: with_unknown(EXAMPLES[name].good, path)}, {})
    assert text.startswith(line_of(tmp_path, "c.yaml", UNKNOWN)), text
    assert f"error: {name}" in text
    assert UNKNOWN in text.splitlines()[0]


@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in STEPS])
def test_what_is_the_workflows_cannot_be_a_steps(name: str, tmp_path: Path) -> None:
    text = said(tmp_path, {}, {name: EXAMPLES[name].good})
    assert text.startswith(line_of(tmp_path, "p.yaml", f'      "{name}":')), text
    assert f"'{name}' is of the whole workflow" in text


def test_a_block_of_overrides_is_looked_at_too(tmp_path: Path) -> None:
    text = said(tmp_path, {"overrides": {"large": {"timeout": "soon"}}}, {})
    assert text.startswith(line_of(tmp_path, "c.yaml", "soon")), text
