"""Definitions as tests write them."""

from typing import Any

from argosy.compiler import checks, source
from argosy.compiler.errors import DefinitionError
from argosy.compiler.graph import Graph, Pipeline
from argosy.compiler.parse import Context, parse


def pipeline(text: str, **variables: str) -> Pipeline:
    """The checked pipeline of a definition's text; raises DefinitionError with all problems."""
    context = Context(variables=variables)
    found = parse(source.loads(text, "p.yaml"), "p", context)
    wrong = checks.check(found, alone=not context.problems)[0] if found else []
    if context.problems or wrong or found is None:
        raise DefinitionError([*context.problems, *wrong])
    return found


def steps(text: str) -> Graph:
    """The graph of `steps:` alone, each line a step of the edge form."""
    lines = "\n".join(f"    {line}" for line in text.strip("\n").splitlines())
    return pipeline(f"dag:\n  steps:\n{lines}\n").graph


def chain(start: str, text: str) -> Graph:
    """The graph of a chain that starts at `start`."""
    lines = "\n".join(f"    {line}" for line in text.strip("\n").splitlines())
    return pipeline(f"dag:\n  start_at: {start}\n  steps:\n{lines}\n").graph


def shell(command: str, **fields: Any) -> dict[str, Any]:
    """A step of a shell's, as data."""
    return {"type": "task", "command_type": "shell", "command": command, **fields}
