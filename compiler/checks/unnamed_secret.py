"""A step names the secrets that its code reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from argosy.runtime.suggestions import nearest

from ..errors import Problem
from ..graph import Node, Task
from ..inspection import functions
from ..inspection.functions import Function
from ..inspection.modules import Module
from .inspected import Inspected, code_place, severity

API = "argosy", "magnus"


def unnamed_secret(path: str, node: Node, task: Task, inspected: Inspected) -> Iterator[Problem]:
    """A problem for each `get_secret("NAME")` in the step's function whose secret the step does not
    name; a warning where the call may not be reached."""
    target = inspected.code.target(task.command) if task.command_type == "python" else None
    if not isinstance(target, Function):
        return
    certain = {
        id(call) for statement in functions.unconditional(target) for call in _calls(statement)
    }
    told: set[str] = set()
    for call in functions.own_nodes(target):
        name = _secret(call, target.module)
        if name is None or name in task.secrets or name in told:
            continue
        told.add(name)
        where = code_place(target.module.file, getattr(call, "lineno", 0))
        message = (
            f"{task.command}() reads secret '{name}' ({where}), "
            f"which step '{node.name}' does not name"
        )
        close = nearest(name, task.secrets)
        hint = close if close.startswith("did you mean") else f"add it: secrets: [{name}]"
        yield Problem(message, node.place("secrets"), hint, severity(id(call) in certain))


def _calls(statement: ast.stmt) -> Iterator[ast.AST]:
    """The calls in the expressions of a statement that are evaluated whenever it is."""
    if isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)):
        value = statement.value
        while isinstance(value, (ast.Call, ast.Attribute, ast.Subscript)):
            yield value
            value = value.func if isinstance(value, ast.Call) else value.value


def _secret(node: ast.AST, module: Module) -> str | None:
    """The secret that a call of `get_secret` reads, where that is a literal."""
    if not isinstance(node, ast.Call) or not node.args:
        return None
    function, name = node.func, node.args[0]
    if isinstance(function, ast.Name):
        binding = module.bindings.get(function.id)
        imported = binding.imported if binding else None
        known = imported is not None and imported.name == "get_secret"
    elif isinstance(function, ast.Attribute) and function.attr == "get_secret":
        base = function.value
        while isinstance(base, ast.Attribute):
            base = base.value
        binding = module.bindings.get(base.id) if isinstance(base, ast.Name) else None
        imported, known = binding.imported if binding else None, True
    else:
        return None
    if not known or imported is None or imported.module.partition(".")[0] not in API:
        return None
    literal = name.value if isinstance(name, ast.Constant) else None
    return literal if isinstance(literal, str) else None
