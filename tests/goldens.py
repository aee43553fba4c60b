"""What tests/golden is made of: pipelines that between them use every option."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from argosy.compiler import Request, compile, emit
from argosy.compiler.argo.options import OPTIONS
from argosy.compiler.kubernetes.options import OPTIONS as JOB
from options import EXAMPLES

GOLDEN = Path(__file__).parent / "golden"
IMAGE = {"image": "registry.example.com/churn:1"}
OF_OTHERS = "memoize", "suspend"
"""Options that the pipeline of a golden has no place for: of steps, of what runs once."""
WORKFLOW = {name: example.good for name, example in EXAMPLES.items() if name not in OF_OTHERS}
STEP = {
    name: EXAMPLES[name].step or EXAMPLES[name].good
    for name, option in OPTIONS.items()
    if option.per_step and name != "parallelism"  # that is a map's
}
BOTH = {name: value for name, value in STEP.items() if name != "memoize"}
"""Without the one option whose value is another one in Argo 4: 3.7 takes these too."""
JOB_ONLY: dict[str, Any] = {
    "init_containers": [{"name": "fetch", "image": "busybox", "command": ["true"]}],
    "suspend": False,
    "max_workers": 3,
    "backoff_limit": 0,
    "ttl": "1d",
    "kind": "CronJob",
    "retry": 2,
    "schedules": ["0 6 * * 1-5", {"schedule": "@daily", "timezone": "Asia/Tokyo"}],
    "extra": {
        "podReplacementPolicy": "Failed",
        "template": {"spec": {"containers": [{"name": "main", "tty": True}]}},
    },
}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "workflow": (WORKFLOW, {}),
    "step": (IMAGE, STEP),
    "cluster": ({**IMAGE, "kind": "ClusterWorkflowTemplate", "schedules": ["@daily"]}, {}),
    "argo-4": ({**WORKFLOW, "argo_version": "4"}, BOTH),
    "job": (
        {name: JOB_ONLY[name] if name in JOB_ONLY else EXAMPLES[name].good for name in JOB},
        {"env": {"LEVEL": 4}, "retry": 3, "timeout": "1m"},
    ),
}
"""By name: the executor's configuration, and what the second of two steps overrides of it."""


@cache
def rendered(case: str) -> str:
    """All manifests of a case, in one stream."""
    config, override = CASES[case]
    task = {"type": "task", "command": "churn.load"}
    executor = "kubernetes" if case == "job" else "argo"
    last = {**task, "depends_on": ["load"], "overrides": {executor: override}}
    definition = {
        "name": case,
        "parameters": {"region": "eu", "rate": 0.1},
        "dag": {"steps": {"load": task, "train": last}},
    }
    with tempfile.TemporaryDirectory() as folder:
        pipeline, configuration = Path(folder, "p.yaml"), Path(folder, "c.yaml")
        pipeline.write_text(json.dumps(definition))
        configuration.write_text(json.dumps({"executor": {"type": executor, "config": config}}))
        files = compile(Request(str(pipeline), (str(configuration),))).files
    return emit.stream(files)
