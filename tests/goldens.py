"""What tests/golden is made of: pipelines that between them use every option."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from argosy.compiler import Request, compile, emit
from argosy.compiler.argo.options import OPTIONS
from options import EXAMPLES

GOLDEN = Path(__file__).parent / "golden"
IMAGE = {"image": "registry.example.com/churn:1"}
WORKFLOW = {name: example.good for name, example in EXAMPLES.items()}
STEP = {
    name: EXAMPLES[name].step or EXAMPLES[name].good
    for name, option in OPTIONS.items()
    if option.per_step
}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "workflow": (WORKFLOW, {}),
    "step": (IMAGE, STEP),
    "cluster": ({**IMAGE, "kind": "ClusterWorkflowTemplate", "schedules": ["@daily"]}, {}),
    "argo-4": ({**WORKFLOW, "argo_version": "4"}, STEP),
}
"""By name: the executor's configuration, and what the second of two steps overrides of it."""


@cache
def rendered(case: str) -> str:
    """All manifests of a case, in one stream."""
    config, override = CASES[case]
    task = {"type": "task", "command": "churn.load"}
    last = {**task, "depends_on": ["load"], "overrides": {"argo": override}}
    definition = {
        "name": case,
        "parameters": {"region": "eu", "rate": 0.1},
        "dag": {"steps": {"load": task, "train": last}},
    }
    with tempfile.TemporaryDirectory() as folder:
        pipeline, configuration = Path(folder, "p.yaml"), Path(folder, "c.yaml")
        pipeline.write_text(json.dumps(definition))
        configuration.write_text(json.dumps({"executor": {"type": "argo", "config": config}}))
        files = compile(Request(str(pipeline), (str(configuration),))).files
    return emit.stream(files)
