"""Every secret that a pipeline names exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from argosy.runtime.errors import ArgosyError

from ..compilation import Compilation
from ..errors import Position, Problem
from ..graph import Graph, Task
from ..settings import every_node

HERE = {"local": None, "local-container": frozenset(["env", "dotenv"])}
"""The executors whose secrets this machine can look for, and the providers for which it can where
steps run in containers; None: all of them."""


class Named(NamedTuple):
    """A secret, the steps that name it, and where the first of them does."""

    name: str
    steps: tuple[str, ...]
    at: Position

    @property
    def who(self) -> str:
        others = len(self.steps) - 1
        more = f" and {others} more" if others > 1 else f" and '{self.steps[-1]}'" * others
        return f"step{'s' * bool(others)} '{self.steps[0]}'{more}"


def place_of(at: Position) -> tuple[str, int, int]:
    return at.file, at.line, at.column


def named_secrets(graph: Graph) -> list[Named]:
    """The secrets that steps name."""
    found: dict[str, Named] = {}
    for _, node in every_node(graph):
        for index, name in enumerate(node.spec.secrets if isinstance(node.spec, Task) else ()):
            listed = isinstance(node.fields.get("secrets"), list) if node.fields else False
            at = node.place("secrets", index if listed else name)
            known = found.get(name, Named(name, (), at))
            first = min(known.at, at, key=place_of)
            found[name] = Named(name, (*known.steps, node.name), first)
    return list(found.values())


def missing_secrets(compilation: Compilation) -> Iterator[Problem]:
    """A problem for each secret that the provider does not have, where a run on this machine is
    about to start."""
    executor, provider = compilation.settings.executor.type, compilation.settings.secrets.type
    if executor not in HERE or provider not in (HERE[executor] or (provider,)):
        return
    get: Callable[[str], str] = compilation.secrets.get
    for secret in named_secrets(compilation.pipeline.graph):
        try:
            get(secret.name)
        except ArgosyError as error:
            message, *more = str(error).splitlines()
            hint = "\n    ".join(more)
            yield Problem(f"{message} (named by {secret.who})", secret.at, hint)


def missing_objects(
    wanted: Iterable[tuple[str, str, str]],
    secrets: Iterable[Named],
    keys_of: Callable[[str], Iterable[str] | None],
) -> Iterator[Problem]:
    """The same of secrets in a cluster. `wanted` has names of secrets with the Secret object and
    the key that each is in; `keys_of` gives an object's keys, None where it does not exist."""
    known = {secret.name: secret for secret in secrets}
    objects: dict[str, Iterable[str] | None] = {}
    for name, holder, key in wanted:
        if holder not in objects:
            objects[holder] = keys_of(holder)
        keys = objects[holder]
        if keys is not None and key in keys:
            continue
        what = f"Secret '{holder}' has no key '{key}'"
        hint = f"add the key '{key}' to it, or name another place under secrets: {{config: ...}}"
        if keys is None:
            what = f"there is no Secret '{holder}' in the namespace"
            hint = f"kubectl create secret generic {holder} --from-literal={key}=..."
        secret = known.get(name)
        who = f"secret '{name}' of {secret.who}" if secret else f"'{name}'"
        yield Problem(f"{who}: {what}", secret.at if secret else None, hint)
