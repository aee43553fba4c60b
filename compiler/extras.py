"""Argosy's extras: what they are called, and what each installs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import metadata, requires
from typing import TYPE_CHECKING

from .graph import Task
from .settings import every_node

if TYPE_CHECKING:
    from .compilation import Compilation

OF_PODS = "dotenv", "aws", "db", "notebook"
"""Those that a service or a step needs where it runs; the others are for the command."""
_EXTRA = re.compile("extra == ['\"]([\\w-]+)['\"]")


def names() -> list[str]:
    """Those that are installed where steps run."""
    known = set(metadata("argosy").get_all("Provides-Extra") or ())
    return [name for name in OF_PODS if name in known]


def needed(compilation: Compilation) -> list[str]:
    """The extras of Argosy that the place of execution must have."""
    services = (compilation.run_log_store, compilation.catalog, compilation.secrets)
    found = {service.extra for service in services if service.extra}
    for _, node in every_node(compilation.pipeline.graph):
        if isinstance(node.spec, Task) and node.spec.command_type == "notebook":
            found.add("notebook")
    return sorted(found)


def requirements(extras: Iterable[str]) -> list[str]:
    """What the extras install, as pip takes it."""
    return list(dict.fromkeys(_requirements(set(extras))))


def _requirements(extras: set[str]) -> Iterator[str]:
    for requirement in requires("argosy") or ():
        name, _, marker = requirement.partition(";")
        extra = _EXTRA.search(marker)
        if extra and extra[1] in extras:
            yield name.strip()
