"""Argo manifests of the same graph by other tools: what they cost to make, and what is in them.

Each is installed into a folder of its own; one that cannot be is left out, with a line that says
so. Metaflow keeps its code in S3 when it makes a manifest, so it needs the server that
ARGOSY_TEST_S3_ENDPOINT names.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .definitions import CONFIGURATION, chain
from .measure import compare
from .row import Row

ARGOSY = str(Path(sysconfig.get_path("scripts")) / "argosy")
STEPS = 100

HERA = f"""\
from hera.workflows import DAG, WorkflowTemplate, script

@script(image="python:3.11")
def nothing():
    pass

with WorkflowTemplate(name="peers", entrypoint="main") as workflow:
    with DAG(name="main"):
        steps = [nothing(name=f"s{{n}}") for n in range({STEPS})]
        for before, after in zip(steps, steps[1:]):
            before >> after
print(workflow.to_yaml())
"""

KFP = f"""\
from kfp import compiler, components, dsl

def nothing():
    pass

step = components.create_component_from_func(nothing, base_image="python:3.11")

@dsl.pipeline(name="peers")
def peers():
    steps = [step() for n in range({STEPS})]
    for before, after in zip(steps, steps[1:]):
        after.after(before)

compiler.Compiler().compile(peers, "kfp.yaml")
print(open("kfp.yaml").read())
"""

NAMES = ["start", *(f"s{n}" for n in range(STEPS - 2)), "end"]
METAFLOW = "\n".join(
    [
        "from metaflow import FlowSpec, step",
        "class Peers(FlowSpec):",
        *(
            f"    @step\n    def {name}(self): " + (f"self.next(self.{after})" if after else "pass")
            for name, after in zip(NAMES, [*NAMES[1:], ""], strict=True)
        ),
        "Peers()",
    ]
)


class Peer(NamedTuple):
    """A tool: what is installed, its program, and the arguments that have it write a manifest."""

    name: str
    packages: tuple[str, ...]
    program: str
    arguments: tuple[str, ...] = ()
    s3: bool = False


PEERS = (
    Peer("Hera", ("hera", "pyyaml"), HERA),
    # Its last release that makes Argo's manifests itself; later ones leave that to a server.
    Peer("KFP 1.8", ("kfp<2", "setuptools<81"), KFP),
    Peer(
        "Metaflow",
        ("metaflow", "boto3", "kubernetes", "setuptools<81"),
        METAFLOW,
        ("--no-pylint", "argo-workflows", "create", "--only-json"),
        s3=True,
    ),
)


def peers(folder: Path) -> Iterator[Row]:
    (folder / "p.yaml").write_text(chain(STEPS))
    (folder / "argo.yaml").write_text(CONFIGURATION)
    ours = [ARGOSY, "render", "p.yaml", "-c", "argo.yaml"]
    own = facts(output(ours, folder, {}))
    yield Row("pods a task, beside the one that ends a run", f"{own.pods:.2f}", "1.0")
    with bucket() as environment:
        for peer in PEERS:
            what = f"manifest of {STEPS} steps in a row, over {peer.name}"
            yield Row(what, beside(peer, ours, own, folder, environment), "", top=True)


def beside(
    peer: Peer, ours: list[str], own: Facts, folder: Path, environment: dict[str, str]
) -> str:
    """What is measured of a tool, or why nothing is."""
    if peer.s3 and not environment:
        return "needs an S3 server, and there is none here"
    python = installed(peer, folder)
    if not python:
        return "cannot be installed here"
    (folder / "peers.py").write_text(peer.program)
    theirs = [python, "peers.py", *peer.arguments]
    found = facts(output(theirs, folder, environment))
    cost, other = compare(3, ours, theirs, cwd=folder, env=environment)
    return (
        f"{cost.processor / other.processor:.2f} x time ({other.processor:.2f} s),"
        f" {own.bytes / found.bytes:.2f} x bytes ({found.bytes:,.0f} a step),"
        f" {found.pods:.2f} pods a task"
    )


class Facts(NamedTuple):
    """Of a manifest: its bytes a step, as the API server gets them, and its pods a step."""

    bytes: float
    pods: float


def facts(text: str) -> Facts:
    found = next(
        one
        for one in yaml.load_all(text, Loader=yaml.CSafeLoader)
        if one["kind"] in ("Workflow", "WorkflowTemplate")
    )
    templates = {template["name"]: template for template in found["spec"]["templates"]}
    size = len(json.dumps(found, separators=(",", ":")))
    return Facts(size / STEPS, pods(templates, found["spec"]["entrypoint"]) / STEPS)


def pods(templates: Mapping[str, Any], name: str) -> int:
    """How many pods a template starts; each pod of these graphs runs once."""
    template = templates[name]
    if "dag" in template:
        return sum(pods(templates, task["template"]) for task in template["dag"]["tasks"])
    return int("container" in template or "script" in template)


def output(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def installed(peer: Peer, folder: Path) -> str:
    """The Python that has a tool; '' where it cannot be installed."""
    venv = folder / peer.name.split()[0].lower()
    python = str(venv / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    command = [python, "-m", "pip", "install", "--quiet", *peer.packages]
    done = subprocess.run(command, check=False, capture_output=True)
    return python if done.returncode == 0 else ""


@contextmanager
def bucket() -> Iterator[dict[str, str]]:
    """The variables with which Metaflow finds a bucket; none where there is no server."""
    address = os.environ.get("ARGOSY_TEST_S3_ENDPOINT")
    if not address:
        yield {}
        return
    from argosy.runtime.run_logs.s3 import S3RunLog

    os.environ["AWS_ACCESS_KEY_ID"] = os.environ["ARGOSY_TEST_S3_KEY"]
    os.environ["AWS_SECRET_ACCESS_KEY"] = os.environ["ARGOSY_TEST_S3_SECRET"]
    name = f"argosy-bench-{secrets.token_hex(3)}"
    log = S3RunLog({"bucket": name, "region": "us-east-1", "endpoint_url": address})
    log.client.create_bucket(Bucket=name)
    try:
        yield {
            "METAFLOW_DEFAULT_DATASTORE": "s3",
            "METAFLOW_DATASTORE_SYSROOT_S3": f"s3://{name}/flows",
            "METAFLOW_S3_ENDPOINT_URL": address,
            "METAFLOW_KUBERNETES_CONTAINER_IMAGE": "python:3.11",
            "METAFLOW_USER": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        for key in log.list(""):
            log.delete(key)
        log.client.delete_bucket(Bucket=name)
