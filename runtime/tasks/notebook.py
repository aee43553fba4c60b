"""A notebook task, but for its kernel: what goes in, and what comes out of its cells."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from keyword import iskeyword
from typing import Any

from argosy.runtime import api, code_files
from argosy.runtime.errors import ArgosyError, NodeError, TaskError
from argosy.runtime.node import Node
from argosy.runtime.step import Step, holds_objects

from .environment import ASSIGNED, LARGEST, changes, watch

EXTRA = "install what it needs where it runs: pip install 'argosy[notebook]'"
MODULES = ("nbclient", "nbformat", "ipykernel")
EXECUTED = "executed.ipynb"
"""The executed notebook in the step's private folder, as far as it has come."""
INJECTED = "injected-parameters"
"""Tags the cell that sets the parameters, as papermill does."""
OUTPUT = "magnus_output"
"""Tags the cell whose output is read where `output_cell_tag` names no other, as Magnus did."""
BEFORE: dict[str, str] = {}
"""In the kernel: the environment before the first cell."""
IMPORTED: set[str] = set()
"""In the kernel: what was imported before the first cell."""
COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Json = dict[str, Any]


def output_name(node: Node) -> str:
    """What the executed notebook is called.

    >>> output_name(Node("s", command="jobs/train.ipynb"))
    'jobs/train_out.ipynb'
    """
    return node.notebook_output_path or f"{node.command.removesuffix('.ipynb')}_out.ipynb"


def act(node: Node, step: Step, found: Mapping[str, str], mask: Callable[[str], str]) -> int:
    """In the task's process: runs the notebook; gives the exit status."""
    os.environ.clear()
    os.environ.update(found)
    try:
        from . import kernel
    except ImportError as error:
        wrong = NodeError(f"a notebook needs {error.name}, which is not installed; {EXTRA}")
        return told(step, wrong)
    try:
        kernel.run(node, step, mask)
    except ArgosyError as error:
        return told(step, error)
    return 0


def told(step: Step, error: ArgosyError) -> int:
    step.fail(str(error), error.exit_status)
    return error.exit_status


def injected(step: Step) -> str:
    """The source of the cell that sets the parameters; '' where there are none. What is large is
    not written there."""
    lines = []
    for name, entry in sorted(step.state.parameters.items()):
        if not name.isidentifier() or iskeyword(name) or holds_objects(entry):
            continue
        if "value" in entry and len(json.dumps(entry["value"])) <= LARGEST:
            lines.append(f"{name} = {entry['value']!r}")
        else:
            lines.append(f"{name} = __import__('argosy.runtime').runtime.get_parameter({name!r})")
    return "\n".join(["# Parameters", *lines]) if lines else ""


def with_parameters(cells: list[Any], cell: Any) -> list[Any]:
    """The cells with the one that sets the parameters, after the one that is tagged `parameters`:
    its assignments are defaults. One that an earlier run has put there goes."""
    kept = [other for other in cells if INJECTED not in tags(other)]
    defaults = [place for place, other in enumerate(kept) if "parameters" in tags(other)]
    place = defaults[0] + 1 if defaults else 0
    return [*kept[:place], cell, *kept[place:]]


def tags(cell: Mapping[str, Any]) -> Iterable[str]:
    found: Iterable[str] = cell.get("metadata", {}).get("tags", ())
    return found


def begin() -> None:
    """In the kernel, before the first cell."""
    BEFORE.update(os.environ)
    IMPORTED.update(sys.modules)
    watch()


def hand_on(namespace: Mapping[str, Any], names: Iterable[str]) -> None:
    """In the kernel, after the last cell: set what the cells left in the environment, as a script
    would, then the variables that are called as `returns` says, where nothing has set the
    parameters. Has the files of the project noted that the cells imported."""
    written = changes(BEFORE, os.environ, ASSIGNED)
    code = code_files.imported(IMPORTED)
    if not names and not written.parameters and not written.tracked and not code:
        return
    step = api.current("returns")
    step.note(code)
    for name, value in written.parameters.items():
        step.set(name, value)
    for name, value in written.tracked.items():
        step.track(name, value, None)
    for name in names:
        if name in namespace and not step.was_set(name):
            step.set(name, namespace[name])


def outputs_of(cells: Iterable[Mapping[str, Any]], tag: str) -> Json:
    """What the cell with this tag, or else with that of Magnus, has put out, a JSON object or a
    dict, as parameters."""
    tagged = [cell for cell in cells if (tag or OUTPUT) in tags(cell)]
    if not tagged and tag:
        raise TaskError(f"no cell is tagged '{tag}', which output_cell_tag names")
    found: Json = {}
    if not tagged:
        return found
    for output in tagged[-1].get("outputs", ()):
        data = output.get("data", {})
        text = output.get("text", data.get("text/plain", ""))
        value = data.get("application/json") or (parsed(text) if text.strip() else {})
        if not isinstance(value, dict):
            shown = text.strip()[:60]
            raise TaskError(
                f"the cell tagged '{tag or OUTPUT}' has no JSON object or dict as output: {shown}"
            )
        found.update(value)
    return found


def parsed(text: str) -> Any:
    import ast

    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text.strip())
        except (ValueError, SyntaxError):
            continue
    return None


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """JSON data with every text in it masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: masked(one, mask) for name, one in value.items()}
    if isinstance(value, list):
        return [masked(one, mask) for one in value]
    return value


def plain(text: str) -> str:
    """Without a terminal's colours."""
    return COLOURS.sub("", text)
