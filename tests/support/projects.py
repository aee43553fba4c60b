"""Generated pipelines as projects with real steps, run by the command and by a Job's pod."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import yaml

from argosy.runtime.errors import ArgosyError
from support.code import FILES, Code
from support.comparison import expected, report
from support.generator import without_approvals
from support.pods import Pod
from support.reference import Inputs, Json, Outputs, Run, graphs_of

TESTS = Path(__file__).parent.parent
PROJECT = "jobs.py", "p.yaml", "c.yaml", "p.json", "c.json", ".argosy", "argosy", "__pycache__"
JOBS = """
def run(**parameters):
    from support import step

    return step.run(parameters)
"""
SHELL = 'eval "$({python} -m support.step || echo exit 1)"'


class ProcessCode(Code):
    """The code of steps in processes: what a shell step exports comes back as its text means."""

    def __call__(self, inputs: Inputs, step: Json) -> Outputs:
        outputs = super().__call__(inputs, step)
        if step.get("command_type") != "shell":
            return outputs
        return outputs._replace(
            parameters={name: read_back(value) for name, value in outputs.parameters.items()}
        )

    def approves(self, message: str) -> bool:
        return True


def read_back(value: Any) -> Any:
    """A value that went through a variable of a shell."""
    text = value if isinstance(value, str) else json.dumps(value)
    try:
        found = json.loads(text)
    except ValueError:
        return text
    same = isinstance(found, dict | list) or json.dumps(found) == text
    return found if same else text


def project(definition: Json, code: Code, folder: Path) -> Json:
    """The definition with steps that run in processes, and their code in the folder."""
    (folder / "given").mkdir()
    (folder / "project").mkdir()
    (folder / "project" / "jobs.py").write_text(JOBS)
    definition = copy.deepcopy(definition)
    for path, step in tasks(definition["dag"], ""):
        step["env"] = {
            "CODE": json.dumps(asdict(code)),
            "DEFINITION": json.dumps({n: step[n] for n in ("returns", "catalog") if n in step}),
            "GIVEN": str(folder / "given"),
            "PROJECT": json.dumps(PROJECT),
            "PYTHONPATH": str(TESTS),
        }
        if crc32(path.encode()) % 3 == 0:
            step |= {"command_type": "shell", "command": SHELL.format(python=sys.executable)}
    return definition


def tasks(graph: Json, path: str) -> Iterator[tuple[str, Json]]:
    for name, step in graph["steps"].items():
        if step["type"] == "task":
            yield f"{path}/{name}", step
        for number, inner in enumerate(graphs_of(step)):
            yield from tasks(inner, f"{path}/{name}/{number}")


def run_command(definition: Json, code: Code, folder: Path) -> Run:
    """`argosy run`, in a folder that is empty."""
    here = folder / "project"
    (here / "p.yaml").write_text(yaml.safe_dump(definition, sort_keys=False))
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    command = [str(Path(sys.executable).with_name("argosy")), "run", "p.yaml", "--approve-all"]
    done = subprocess.run(
        command, cwd=here, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    if not (here / ".argosy").exists():
        raise ArgosyError(done.stderr)
    return recorded(here / ".argosy", folder / "given")


def run_job(definition: Json, code: Code, folder: Path) -> Run:
    """The pod of the rendered Job, in a folder that is empty."""
    pod = Pod(folder / "project")
    pod.more["PYTHONPATH"] = str(TESTS)
    pod.render({**without_approvals(definition), "name": "churn"})
    done = pod.run()
    assert done[0] in (0, 1), done
    return recorded(pod.folder / "argosy", folder / "given")


def recorded(log: Path, given: Path) -> Run:
    """The only run of a run log, as docs/runtime.md says that it is kept."""
    (run,) = (log / "runs").iterdir()
    end = json.loads(max(run.glob("end/*.json")).read_text())
    found = Run(end["status"], parameters=end["parameters"])
    found.steps = {step: told["status"] for step, told in end["steps"].items()}
    for path in sorted(run.glob("steps/*/*.json")):
        record = json.loads(path.read_text())
        if not record.get("control"):
            found.steps[record["step"]] = record["status"]
    found.failures = {one["step"]: one.get("handled", False) for one in end["failures"]}
    found.files = {name: text_of(name, entry["sha256"]) for name, entry in end["catalog"].items()}
    found.inputs = {
        inputs.step: inputs
        for inputs in (Inputs(*json.loads(path.read_text())) for path in given.iterdir())
    }
    return found


def text_of(name: str, digest: str) -> str:
    """The content with this hash that a step wrote."""
    texts = [f"{file} {number}" for file in FILES for number in range(3) if name.endswith(file)]
    found = {sha256(text.encode()).hexdigest(): text for text in texts}
    return found.get(digest, digest)


PROCESSES: dict[str, Callable[[Json, Code, Path], Run]] = {
    "argosy run": run_command,
    "job": run_job,
}


def disagreements_of_processes(definition: Json, code: ProcessCode) -> str:
    """Where a run with real steps and the reference differ, as a report."""
    runs: dict[str, Run] = {}
    for name, run in PROCESSES.items():
        with TemporaryDirectory() as folder:
            real = project(definition, code, Path(folder))
            runs[name] = run(real, code, Path(folder))
    return report(definition, code, expected(real, code), runs)
