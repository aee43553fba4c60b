"""What code may set, read and keep: the calls of the user API in it, and the variables that it
names. `open` says that there may be more than its source shows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .modules import MAX_BYTES, Module, Modules
from .scripts import harmless

VARIABLE = re.compile(r"(?:ARGOSY|MAGNUS)_PRM_([A-Za-z0-9_]*)")
SETTERS = frozenset(["set_parameter", "put_object"])
GETTERS = frozenset(["get_parameter", "get_object"])
KEEPERS = frozenset(["put_in_catalog"])
STARTERS = frozenset(
    ("fabric", "importlib", "invoke", "nbclient", "papermill", "pexpect", "plumbum", "runpy")
) | {"sh", "subprocess"}
"""Modules that start programs, or run code that no import names."""
OF_OS = re.compile(r"system|popen|fork|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|environ")
PROGRAM = re.compile(
    r"\bpython|\b(source|eval|make|poetry|uv|conda|jupyter|papermill|Rscript)\b"
    r"|\.(py|sh|R|ipynb)\b|(^|[\s;&|(])\.{1,2}[/\s]|\bexport\s+[\"']?\$|\bset\s+-\w*a",
    re.MULTILINE,
)
"""What in a script starts a program that may call the user API, or sets variables unseen."""


INDIRECT = re.compile(r"argosy|magnus|globals|locals|environ|subprocess|importlib|[%!]")
"""What in a notebook may read a parameter that no variable of its code is called as."""


class Names(NamedTuple):
    """Some names; `open`: there may be others."""

    names: frozenset[str] = frozenset()
    open: bool = False

    def __or__(self, other: Names) -> Names:
        return Names(self.names | other.names, self.open or other.open)


class Usage(NamedTuple):
    """The parameters that code may set and read, and the files that it may keep."""

    sets: Names = Names()
    reads: Names = Names()
    keeps: Names = Names()

    def __or__(self, other: Usage) -> Usage:
        return Usage(*(one | another for one, another in zip(self, other, strict=True)))


ANYTHING = Usage(Names(open=True), Names(open=True), Names(open=True))


def of_module(name: str, modules: Modules) -> Usage:
    """Of a module and of all modules of the project that it imports."""
    found = modules.reachable(name)
    if not found:
        return ANYTHING
    total = Usage()
    for module in found:
        total |= of_source(module)
    return total


@cache
def of_source(module: Module) -> Usage:
    """Of one module."""
    return _of_tree(module.tree)


def of_script(text: str) -> Usage:
    """Of a shell's script. Any program that it starts may read its environment, and call the user
    API."""
    names = frozenset(filter(None, VARIABLE.findall(text)))
    more = PROGRAM.search(text) is not None or "" in VARIABLE.findall(text)
    more = more or not harmless(text)
    return Usage(Names(names, more), Names(names, more), Names(open=more))


def of_notebook(path: Path) -> Usage:
    """Of a notebook: a parameter is a variable of its code."""
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8", errors="replace") if size <= MAX_BYTES else ""
    except OSError:
        text = ""
    if not text or INDIRECT.search(text):
        return ANYTHING
    reads = Names(frozenset(re.findall(r"\w+", text)))
    return Usage(Names(open=True), reads, Names(open=True))


def _of_tree(tree: ast.Module) -> Usage:
    calls: dict[frozenset[str], set[str]] = {kind: set() for kind in (SETTERS, GETTERS, KEEPERS)}
    open_: set[frozenset[str]] = set()
    variables: list[str] = []
    plain: set[int] = set()
    starts = False
    for node in ast.walk(tree):
        if isinstance(node, (ast.Call, ast.Subscript)) and (variable := _named_variable(node)):
            plain.add(id(variable))
        if isinstance(node, ast.Call):
            for kind, given in calls.items():
                if called(node) in kind:
                    plain.add(id(node.func))
                    literal = list(literals(node))
                    given.update(literal)
                    if not literal:
                        open_.add(kind)
        elif isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in plain:
            name = node.id if isinstance(node, ast.Name) else node.attr
            open_.update(kind for kind in calls if name in kind)
            starts = starts or (isinstance(node, ast.Attribute) and _of_os(node))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            open_.update(kind for alias in node.names for kind in calls if _renamed(alias, kind))
            starts = starts or not STARTERS.isdisjoint(_tops(node))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            variables += VARIABLE.findall(node.value)
    named = Names(frozenset(filter(None, variables)), starts or "" in variables)
    sets, reads, keeps = (
        Names(frozenset(calls[kind]), kind in open_) for kind in (SETTERS, GETTERS, KEEPERS)
    )
    return Usage(sets | named, reads | named, keeps | Names(open=starts))


def called(call: ast.Call) -> str:
    """The last part of the name of the function that is called."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def literals(call: ast.Call) -> Iterator[str]:
    """The texts that the call of a function of the API is for: its first argument, and for
    `put_in_catalog` also the name that the file gets."""
    arguments = [*call.args[:2], *(keyword.value for keyword in call.keywords)]
    if called(call) not in KEEPERS:
        arguments = arguments[:1]
    for argument in arguments:
        if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
            return
    yield from (argument.value for argument in arguments)  # type: ignore[attr-defined]


def _renamed(alias: ast.alias, kind: Iterable[str]) -> bool:
    return alias.name in kind and alias.asname not in (None, alias.name)


def _tops(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return set() if node.level else {(node.module or "").partition(".")[0]}
    return {alias.name.partition(".")[0] for alias in node.names}


def _named_variable(node: ast.Call | ast.Subscript) -> ast.expr | None:
    """`os.environ`, where one variable of it is named by a literal."""
    if isinstance(node, ast.Subscript):
        return node.value if isinstance(node.slice, ast.Constant) else None
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop", "setdefault"):
        literal = bool(node.args) and isinstance(node.args[0], ast.Constant)
        return node.func.value if literal else None
    return None


def _of_os(node: ast.Attribute) -> bool:
    """Whether it is a function of `os` that starts a program, or the whole environment."""
    return (
        isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and OF_OS.fullmatch(node.attr) is not None
    )
