"""Objects of manifests by what they are, and how one set of them differs from another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from ..emit import KUSTOMIZE
from ..errors import ManifestError, Position, Problem
from .fields import Change, changes

Json = dict[str, Any]


class Key(NamedTuple):
    """What an object is. A file of kustomize's own has its name and nothing else."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{where}".strip()


class Difference(NamedTuple):
    """An object that was added, removed or changed; `changes` where it was changed."""

    key: Key
    action: str
    changes: tuple[Change, ...] = ()


def key_of(obj: Mapping[str, Any]) -> Key:
    """
    >>> key_of({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}})
    Key(group='', kind='Secret', namespace='', name='a')
    """
    metadata = obj.get("metadata") or {}
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    namespace, name = str(metadata.get("namespace", "")), str(metadata.get("name", ""))
    return Key(group, str(obj.get("kind", "")), namespace, name)


def read(files: Mapping[str, str]) -> dict[Key, Any]:
    """The objects in these files. Raises ManifestError for one that is no YAML."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[Key, Any] = {}
    for name, text in files.items():
        try:
            documents = [obj for obj in yaml.load_all(text, Loader=loader) if obj is not None]
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            at = Position(name, mark.line, mark.column) if mark else None
            raise ManifestError([Problem(f"this is no YAML: {error.problem}", at)]) from None
        for obj in documents:
            kustomize = name in KUSTOMIZE or not isinstance(obj, dict)
            found[Key("", "", "", name) if kustomize else key_of(obj)] = obj
    return found


def differences(old: Mapping[Key, Any], new: Mapping[Key, Any]) -> Iterator[Difference]:
    """Every object that differs, those that are there now first."""
    for key, obj in new.items():
        if key not in old:
            yield Difference(key, "added")
        elif found := tuple(changes(old[key], obj)):
            yield Difference(key, "changed", found)
    for key in old:
        if key not in new:
            yield Difference(key, "removed")
