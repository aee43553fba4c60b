"""Manifests with every option, as they are written down in tests/golden; the API server and `argo
lint` judge the same files in tests/e2e. ARGOSY_TEST_UPDATE=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from goldens import CASES, GOLDEN, rendered

ROOT = Path(__file__).parents[3]
KUBERNETES = "1.34"
OURS = "v1", "rbac.authorization.k8s.io/v1", "batch/v1"
FILES = [*sorted(GOLDEN.glob("*.yaml")), *sorted(ROOT.glob("examples/*/manifests*/*.yaml"))]


@pytest.mark.parametrize("case", CASES)
def test_the_manifests_are_those_that_are_written_down(case: str) -> None:
    path = GOLDEN / f"{case}.yaml"
    if os.environ.get("ARGOSY_TEST_UPDATE") == "1":
        path.write_text(rendered(case), encoding="utf-8")
    assert rendered(case) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_objects_of_kubernetes_are_good(path: Path) -> None:
    objects: list[Any] = [*yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    for obj in objects:
        if obj.get("apiVersion") in OURS:
            kubernetes_validate.validate(obj, KUBERNETES, strict=True)
