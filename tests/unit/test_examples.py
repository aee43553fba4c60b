"""Every example: its manifests are those that are committed, and it runs here."""

import json
import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from examples import EXAMPLES, FOLDER, Example, argosy, copy, in_a_job, run_here

each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


def render(example: Example, *arguments: str) -> CompletedProcess[str]:
    configurations = [part for path in example.configurations for part in ("-c", path)]
    definition = f"{example.name}/pipeline.yaml"
    return argosy("render", definition, *configurations, *arguments, cwd=FOLDER)


@each
def test_the_manifests_are_those_that_are_committed(example: Example) -> None:
    """ARGOSY_TEST_UPDATE=1 writes them anew."""
    folder = f"{example.name}/manifests"
    update = os.environ.get("ARGOSY_TEST_UPDATE") == "1"
    found = render(example, "-o", folder, *([] if update else ["--check"]))
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("example", EXAMPLES[:4], ids=lambda example: example.name)
def test_the_manifests_without_argo_are_those_that_are_committed(example: Example) -> None:
    folder = f"{example.name}/manifests-kubernetes"
    update = os.environ.get("ARGOSY_TEST_UPDATE") == "1"
    found = render(in_a_job(example), "-o", folder, *([] if update else ["--check"]))
    assert found.returncode == 0, found.stdout + found.stderr


def test_rendering_is_the_same_wherever_and_whenever() -> None:
    texts = set()
    for seed, locale in [("0", "C"), ("1", "C.UTF-8"), ("2", "tr_TR.UTF-8")]:
        found = argosy(
            *["render", "fanout/pipeline.yaml", "-c", "argo.yaml"],
            cwd=FOLDER,
            PYTHONHASHSEED=seed,
            LC_ALL=locale,
            TZ=f"UTC-{seed}",
        )
        texts.add(found.stdout)
    assert len(texts) == 1
    assert "kind" in texts.pop()


@each
def test_it_runs_here(example: Example, tmp_path: Path) -> None:
    folder = copy(tmp_path)
    outcome = run_here(example, folder)
    assert outcome["status"] == "succeeded"
    assert outcome["parameters"] == example.parameters
    shown = argosy("show", "latest", "-o", "json", cwd=folder)
    assert shown.returncode == 0, shown.stderr
    steps = [step for step in json.loads(shown.stdout)["steps"] if step["attempts"]]
    assert {step["step"] for step in steps if step["status"] == "failed"} == example.failed
    assert all(step["status"] in ("succeeded", "failed") for step in steps)
