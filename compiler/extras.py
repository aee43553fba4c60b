"""Argosy's extras: what they are called, and what each installs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import metadata, requires

OF_PODS = "dotenv", "aws", "db", "notebook"
"""Those that a service or a step needs where it runs; the others are for the command."""
_EXTRA = re.compile("extra == ['\"]([\\w-]+)['\"]")


def names() -> list[str]:
    """Those that are installed where steps run."""
    known = set(metadata("argosy").get_all("Provides-Extra") or ())
    return [name for name in OF_PODS if name in known]


def requirements(extras: Iterable[str]) -> list[str]:
    """What the extras install, as pip takes it."""
    return list(dict.fromkeys(_requirements(set(extras))))


def _requirements(extras: set[str]) -> Iterator[str]:
    for requirement in requires("argosy") or ():
        name, _, marker = requirement.partition(";")
        extra = _EXTRA.search(marker)
        if extra and extra[1] in extras:
            yield name.strip()
