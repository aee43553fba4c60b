"""schema.json against the schemas that the cluster itself goes by."""

from __future__ import annotations

from typing import Any

import pytest

from argosy.compiler.schema import fields
from cluster import Cluster

KINDS = ["workflows", "workflowtemplates", "clusterworkflowtemplates", "cronworkflows"]
SCALARS = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}
FREE = "x-kubernetes-preserve-unknown-fields"

WRITTEN_BY_THE_SERVER = {
    f"ObjectMeta.{field}"
    for field in [
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    ]
} | {"PersistentVolumeClaim.status"}


@pytest.mark.parametrize("plural", KINDS)
def test_the_schema_agrees_with_the_clusters_own(cluster: Cluster, plural: str) -> None:
    crd = cluster.get("crd", f"{plural}.argoproj.io")["spec"]
    root = crd["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    kind = fields.load()["kinds"][f"argoproj.io/v1alpha1/{crd['names']['kind']}"]
    found = differences(root, fields.load()["types"][kind]["spec"])
    assert found - WRITTEN_BY_THE_SERVER == set()


def differences(root: dict[str, Any], type_: str) -> set[str]:
    """Each field that one has and the other has not, each type that differs."""
    types = fields.load()["types"]
    found: set[str] = set()
    seen: set[str] = set()
    pending = [(root, type_)]
    while pending:
        theirs, ours = pending.pop()
        ours = ours.rstrip("!")
        if theirs.get(FREE) or ours == "any":
            continue
        if ours.startswith("["):
            pending.append((theirs["items"], ours[1:-1]))
        elif ours.startswith("{"):
            pending.append((theirs["additionalProperties"], ours[1:-1]))
        elif ours == "int|str" or ours in SCALARS:
            if theirs.get("type") != SCALARS.get(ours):
                found.add(f"{ours} for {theirs}")
        elif ours not in seen:
            seen.add(ours)
            found |= {f"{ours}.{name}" for name in types[ours].keys() ^ theirs["properties"].keys()}
            common = types[ours].keys() & theirs["properties"].keys()
            pending += [(theirs["properties"][name], types[ours][name]) for name in common]
    return found
