"""The function that a step's command names: whether it is there, what it takes and returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from .modules import FUNCTIONS, Broken, Definition, Imported, Missing, Module, Modules

HOPS = 20
"""So many imports of imports are followed."""


class Function(NamedTuple):
    """A plain function of the project, and the module that defines it."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    module: Module


class Callable(NamedTuple):
    """Something that is there, or may be, and of whose arguments nothing is known. `module` is
    where its name was found last, if that is of the project."""

    module: Module | None = None


class NoFunction(NamedTuple):
    """The module of the project has no function of this name. `line`: of what it has instead."""

    name: str
    module: Module
    line: int = 0


Target = Function | Callable | NoFunction | Missing | Broken


def target(command: str, modules: Modules) -> Target:
    """What `module.function` names."""
    name, _, attribute = command.strip().rpartition(".")
    found = modules.find(name)
    if isinstance(found, (Missing, Broken)):
        return found
    module: Module | None = None
    for _ in range(HOPS):
        if not isinstance(found, Module):
            break
        module = found
        binding = module.bindings.get(attribute)
        if binding is None:
            known = module.dynamic or _is_module(module, attribute, modules)
            return Callable(module) if known else NoFunction(attribute, module)
        if binding.imported is None:
            return _defined(binding.node, binding.certain, attribute, module)
        if not binding.certain or not binding.imported.name:
            break
        attribute, found = binding.imported.name, modules.find(binding.imported.module)
    return Callable(module)


def _is_module(module: Module, attribute: str, modules: Modules) -> bool:
    """A module of a package is an attribute of it once it has been imported, and may be callable
    by then: a package can replace it."""
    return modules.attribute(Imported(module.name, attribute)) is not module


def _defined(node: ast.AST, certain: bool, name: str, module: Module) -> Target:
    if isinstance(node, FUNCTIONS) and certain and not node.decorator_list:
        return Function(node, module)
    value = getattr(node, "value", None)
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and certain and _is_data(value):
        return NoFunction(name, module, node.lineno)
    return Callable(module)


def _is_data(value: ast.AST | None) -> bool:
    """Whether an expression is a literal, which cannot be called."""
    return isinstance(value, (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.JoinedStr))


def required(function: Function) -> list[ast.arg]:
    """The arguments that have no default."""
    arguments = function.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    without = positional[: len(positional) - len(arguments.defaults)]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [*without, *(argument for argument, default in named if default is None)]


def names(function: Function) -> set[str]:
    """The names of all arguments."""
    arguments = function.node.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return {argument.arg for argument in every}


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """All nodes of a function's body, without those of functions, classes and lambdas in it."""
    stack: list[ast.AST] = [*reversed(function.node.body)]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            stack += reversed(list(ast.iter_child_nodes(node)))


def unconditional(function: Function) -> Iterator[ast.stmt]:
    """The statements of a function that are executed whenever it is called, up to the first that
    may leave it."""
    for statement in function.node.body:
        yield statement
        if isinstance(statement, (*LEAVING, *COMPOUND)) and not isinstance(statement, Definition):
            return


LEAVING = ast.Return, ast.Raise
COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match, ast.With, ast.AsyncWith)


class Returned(NamedTuple):
    """One `return` of a function. `keys`: of a dict whose keys are all literal; `length`: of a
    tuple; `plain`: a constant or list, which has neither names nor an order for them."""

    line: int
    keys: frozenset[str] | None = None
    length: int | None = None
    plain: bool = False

    @property
    def known(self) -> bool:
        return self.plain or self.keys is not None or self.length is not None


class Returns(NamedTuple):
    """What a function returns: each `return` with a value. `generator`: it yields, and a call of
    it runs nothing. `leaves`: it may end in other ways, by an exception or by returning None."""

    values: tuple[Returned, ...]
    generator: bool
    leaves: bool


def returns(function: Function) -> Returns:
    """What the function returns, as far as its source shows."""
    found: list[Returned] = []
    generator = leaves = False
    for node in own_nodes(function):
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            generator = True
        elif isinstance(node, ast.Raise):
            leaves = True
        elif isinstance(node, ast.Return):
            if node.value is None or _is_none(node.value):
                leaves = True
            else:
                found.append(_returned(node.value))
    return Returns(tuple(found), generator, leaves)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _returned(value: ast.expr) -> Returned:
    if isinstance(value, ast.Dict):
        literal = [k.value for k in value.keys if isinstance(k, ast.Constant)]
        keys = [key for key in literal if isinstance(key, str)]
        known = len(keys) == len(value.keys)
        return Returned(value.lineno, keys=frozenset(keys) if known else None)
    if isinstance(value, ast.Tuple):
        starred = any(isinstance(one, ast.Starred) for one in value.elts)
        return Returned(value.lineno, length=None if starred else len(value.elts))
    plain = isinstance(value, (ast.Constant, ast.List, ast.ListComp, ast.JoinedStr))
    return Returned(value.lineno, plain=plain)
