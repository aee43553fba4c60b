"""The code of small pipelines, written in the steps' commands.

A command is a list of statements, separated by `;`:

    y = 1           sets the parameter `y` to a JSON value
    y = $x          sets it to the parameter `x`
    write f.txt a   writes the file `f.txt` with the content `a`; `$x` is the parameter `x`
    refuse $x 2     fails where the parameter `x` is 2
    fail            fails
"""

from __future__ import annotations

import json
from typing import Any

from support.reference import Failure, Inputs, Json, Outputs


class Scripted:
    """Runs the statements of a step's `command`. Approvals with the message `no` are refused."""

    def __call__(self, inputs: Inputs, step: Json) -> Outputs:
        outputs = Outputs({}, {})
        for statement in step["command"].split(";"):
            match statement.split():
                case ["fail"]:
                    raise Failure("told to fail")
                case ["refuse", one, other]:
                    if value(one, inputs) == value(other, inputs):
                        raise Failure(f"{one} is {other}")
                case ["write", name, text]:
                    outputs.files[name] = str(value(text, inputs)) if text[0] == "$" else text
                case [name, "=", *words]:
                    outputs.parameters[name] = value(" ".join(words), inputs)
                case ["true"]:
                    pass
                case _:
                    raise NotImplementedError(statement)
        return outputs

    def approves(self, message: str) -> bool:
        return message != "no"


def value(text: str, inputs: Inputs) -> Any:
    return inputs.parameters[text[1:]] if text.startswith("$") else json.loads(text)
