"""A reducer of the user's: `module:function`, called with the list that a map made.

It runs in a fork, as all code of the user's does: who reads a state may fork steps after it.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Any, NoReturn

from argosy.runtime.errors import ArgosyError, NodeError, TaskError
from argosy.runtime.signals import reset
from argosy.runtime.step import to_json
from argosy.runtime.values import NotJsonError, check_text, dump

from .python import import_function, show, summary


def call(target: str, name: str, values: list[Any]) -> Any:
    """What the reducer makes of parameter `name`. Raises TaskError where it fails."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        become(target, values, writer)
    os.close(writer)
    with open(reader, "rb") as file:
        said = file.read()
    os.waitpid(pid, 0)
    found = json.loads(said or b'{"message": "it ended without a word", "status": 1}')
    if "value" in found:
        return found["value"]
    message = f"reducer {target} failed on parameter '{name}': {found['message']}"
    raise NodeError(message) if found["status"] == NodeError.exit_status else TaskError(message)


def become(target: str, values: list[Any], writer: int) -> NoReturn:
    """The fork's life. What it prints is no result of anybody's."""
    said = ""
    try:
        reset()
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        sys.dont_write_bytecode = True  # of the project, where this runs
        text = dump(import_function(target.replace(":", "."))(values), to_json)
        check_text(json.loads(text))
        said = f'{{"value":{text}}}'
    except NotJsonError as error:
        message = f"what it returned {error}"
        said = json.dumps({"message": message, "status": TaskError.exit_status})
    except ArgosyError as error:
        said = json.dumps({"message": str(error), "status": error.exit_status})
    except BaseException as error:  # the user's code can raise anything
        show(error)
        said = json.dumps({"message": summary(error), "status": TaskError.exit_status})
    finally:
        with suppress(OSError), open(writer, "w", encoding="utf-8") as file:
            file.write(said)
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)
