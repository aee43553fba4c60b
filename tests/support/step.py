"""The code of a step in a project that `support.projects` makes: `support.code` in a process."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from argosy.runtime import map_variable, set_parameter, step_name
from support.code import Code
from support.reference import Inputs, Json, Outputs


def run(parameters: Json) -> Json:
    """Run as a Python step: what it returns."""
    definition = json.loads(os.environ["DEFINITION"])
    outputs = perform(parameters, definition)
    returns = definition.get("returns", [])
    for name, value in outputs.parameters.items():
        if name not in returns:
            set_parameter(name, value)
    return {name: outputs.parameters[name] for name in returns}


def perform(parameters: Json, definition: Json) -> Outputs:
    """Record what the step was given, and write its files."""
    inputs = Inputs(step_name(), parameters, map_variable(), files_here())
    record = Path(os.environ["GIVEN"], quote(inputs.step, safe=""))
    record.write_text(json.dumps(inputs))
    outputs = Code(**json.loads(os.environ["CODE"]))(inputs, definition)
    for name, text in outputs.files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return outputs


def files_here() -> dict[str, str]:
    """The files of the working folder that are not the project's."""
    project: list[str] = json.loads(os.environ["PROJECT"])
    found: dict[str, str] = {}
    for folder, folders, names in os.walk("."):
        folders[:] = [name for name in folders if name not in project]
        for name in names:
            path = Path(folder, name)
            if str(path) not in project:
                found[str(path)] = path.read_text()
    return found


def shell_parameters() -> Json:
    """The parameters as a shell step has them."""
    prefix = "MAGNUS_PRM_"
    return {
        name.removeprefix(prefix): json.loads(text)
        for name, text in os.environ.items()
        if name.startswith(prefix)
    }


def exports() -> str:
    """Run as a shell step: the exports that the script evaluates."""
    import shlex

    outputs = perform(shell_parameters(), json.loads(os.environ["DEFINITION"]))
    return "\n".join(
        f"export ARGOSY_PRM_{name}={shlex.quote(exported(value))}"
        for name, value in outputs.parameters.items()
    )


def exported(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    print(exports())
