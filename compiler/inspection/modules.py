"""The modules of a project: where a step would find each, and what is in its source.

A module is looked for as the step's process looks for it: in the project's folder first, then among
what is installed. Only source files of the project are read; of anything else it is known that it
is there. Nothing is imported, not even a parent package.
"""

from __future__ import annotations

import ast
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

MAX_BYTES = 1 << 20
"""Larger files are not parsed: no person wrote them, and parsing takes a second for each MiB."""
STANDARD_LIBRARY = Path(os.__file__).absolute().parent
INSTALLED = frozenset(["site-packages", "dist-packages"])
DYNAMIC = frozenset(["eval", "exec", "globals", "locals", "setattr", "vars"])
"""Functions by which a module can get names that its source does not show."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef


class Imported(NamedTuple):
    """What an `import` binds: a module, or the attribute `name` of one."""

    module: str
    name: str = ""


class Binding(NamedTuple):
    """The last statement of a module that binds a name. `certain`: it is executed whenever the
    module is imported."""

    node: ast.AST
    certain: bool
    imported: Imported | None = None


class Module:
    """The source of one module of the project."""

    def __init__(self, name: str, file: str, tree: ast.Module, package: bool) -> None:
        self.name = name
        self.file = file
        self.tree = tree
        self.package = name if package else name.rpartition(".")[0]

    @cached_property
    def bindings(self) -> dict[str, Binding]:
        """The names that the module's own statements bind."""
        found: dict[str, Binding] = {}
        for statement, certain in statements(self.tree.body):
            for name, imported in self._bound(statement):
                found[name] = Binding(statement, certain, imported)
        return found

    @cached_property
    def dynamic(self) -> bool:
        """Whether the module may have names that its statements do not show."""
        if "*" in self.bindings or "__getattr__" in self.bindings:
            return True
        return any(
            isinstance(node, ast.Global)
            or (isinstance(node, ast.Name) and node.id in DYNAMIC)
            or (isinstance(node, ast.Attribute) and node.attr in ("modules", "__dict__"))
            for node in ast.walk(self.tree)
        )

    @cached_property
    def functions(self) -> list[str]:
        """The names of functions that a step could be."""
        return [
            name
            for name, binding in self.bindings.items()
            if isinstance(binding.node, FUNCTIONS) and not name.startswith("_")
        ]

    @cached_property
    def imports(self) -> list[Imported]:
        """Everything that the module imports, wherever in it."""
        found: list[Imported] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [Imported(alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                source = self._absolute(node)
                found += [Imported(source, alias.name) for alias in node.names]
        return found

    def _bound(self, statement: ast.stmt) -> Iterator[tuple[str, Imported | None]]:
        if isinstance(statement, Definition):
            yield statement.name, None
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                top = alias.name.partition(".")[0]
                module = alias.name if alias.asname else top
                yield alias.asname or top, Imported(module)
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                imported = Imported(self._absolute(statement), alias.name)
                yield alias.asname or alias.name, imported
        else:
            for node in expressions(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id, None
                elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
                    yield node.name, None

    def _absolute(self, node: ast.ImportFrom) -> str:
        """The module that `from ... import` names."""
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        base = ".".join(parts[: len(parts) - node.level + 1])
        return f"{base}.{node.module}" if node.module and base else node.module or base


class Unreadable(NamedTuple):
    """A module that is there, and of whose content nothing is known."""

    name: str


class Broken(NamedTuple):
    """A module of the project that is not valid Python."""

    file: str
    line: int
    message: str


class Missing(NamedTuple):
    """A module that is not there. `parent`: the package of the project, or the module, that lacks
    it; '' where nothing of that name was found."""

    name: str
    parent: str = ""


Found = Module | Unreadable | Broken | Missing


class Modules:
    """The modules that steps find from the folders `roots`. Each is looked for and parsed once."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.roots = tuple(dict.fromkeys(root.absolute() for root in roots))
        self._found: dict[str, Found] = {}
        self._specs: dict[str, ModuleSpec | Missing | None] = {}

    def find(self, name: str) -> Found:
        """The module of that name."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def attribute(self, imported: Imported) -> Found:
        """The module that an `import` brings in: what is named may be a module of a package, or
        else is an attribute of the module."""
        if imported.name not in ("", "*"):
            name = f"{imported.module}.{imported.name}"
            if not isinstance(self._spec(name), (Missing, type(None))):
                return self.find(name)
        return self.find(imported.module)

    def reachable(self, name: str) -> list[Module]:
        """The module and all modules of the project that it imports, directly or not."""
        found: dict[str, Module] = {}
        stack = [self.find(name)]
        while stack:
            module = stack.pop()
            if not isinstance(module, Module) or module.name in found:
                continue
            found[module.name] = module
            stack += [self.attribute(one) for one in module.imports]
            stack += [self.find(one) for one in parents(module.name)]
        return list(found.values())

    def _find(self, name: str) -> Found:
        spec = self._spec(name)
        if isinstance(spec, Missing):
            return spec
        if spec is None or not self._in_project(spec):
            return Unreadable(name)
        if not spec.origin or not spec.origin.endswith(".py"):
            return Unreadable(name)
        parsed = parse(spec.origin)
        if isinstance(parsed, ast.Module):
            package = spec.submodule_search_locations is not None
            return Module(name, spec.origin, parsed, package)
        return parsed or Unreadable(name)

    def _spec(self, name: str) -> ModuleSpec | Missing | None:
        """Where the module is; None where it may be, and cannot be said without importing."""
        if name not in self._specs:
            self._specs[name] = self._located(name)
        return self._specs[name]

    def _located(self, name: str) -> ModuleSpec | Missing | None:
        parent, _, _ = name.rpartition(".")
        if not parent:
            return self._top(name)
        above = self._spec(parent)
        if above is None or isinstance(above, Missing):
            return above
        folders = above.submodule_search_locations
        if folders is None:
            return Missing(name, parent) if self._in_project(above) else None
        found = PathFinder.find_spec(name, folders)
        if found is not None:
            return found
        if above.origin is None:  # a namespace: others may add to it elsewhere
            return Missing(name)
        if not self._in_project(above):
            return None
        package = self.find(parent)
        changed = not isinstance(package, Module) or "__path__" in package.bindings
        return None if changed else Missing(name, parent)

    def _top(self, name: str) -> ModuleSpec | Missing | None:
        if name in sys.builtin_module_names or name == "argosy":
            return None
        namespace = None
        for root in self.roots:
            found = PathFinder.find_spec(name, [str(root)])
            if found is not None and found.loader is not None:
                return found
            namespace = namespace or found
        try:
            installed = find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return None
        return installed or namespace or Missing(name)

    def _in_project(self, spec: ModuleSpec) -> bool:
        if not spec.has_location or spec.origin is None:
            return False
        path = Path(spec.origin).absolute()
        if STANDARD_LIBRARY in path.parents or not INSTALLED.isdisjoint(path.parts):
            return False
        return any(root in path.parents for root in self.roots)


def parse(file: str) -> ast.Module | Broken | None:
    """The syntax tree of a file; None where it cannot be read, or is too large to be."""
    try:
        path = Path(file)
        if path.stat().st_size > MAX_BYTES:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data, file)
    except SyntaxError as error:
        return Broken(file, error.lineno or 1, error.msg)
    except ValueError as error:  # a null byte
        return Broken(file, 1, str(error))
    except (RecursionError, MemoryError):
        return None


def parents(name: str) -> Iterator[str]:
    """The packages that a module is in."""
    while name := name.rpartition(".")[0]:
        yield name


def statements(body: Sequence[ast.stmt]) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements of a module and of its blocks in their order, without those of its functions
    and classes, each with whether it is executed for certain."""
    stack = [(statement, True) for statement in reversed(body)]
    while stack:
        statement, certain = stack.pop()
        yield statement, certain
        if isinstance(statement, Definition):
            continue
        inner = certain and isinstance(statement, (ast.With, ast.AsyncWith))
        stack += [(one, inner) for one in reversed(list(blocks(statement)))]


def blocks(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements in the blocks of a compound statement."""
    for field in ("body", "handlers", "cases", "orelse", "finalbody"):
        for one in getattr(statement, field, ()):
            if isinstance(one, ast.stmt):
                yield one
            else:  # a handler of exceptions, or a case
                yield from one.body


def expressions(statement: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a statement but the statements in it, and what is in lambdas."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.Lambda):
            stack += [one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.stmt)]
