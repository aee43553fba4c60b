"""Any text of the user's arrives in the process as it was written: through YAML and its readers,
Argo's passes, the kubelet's, and the runtime."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from argosy.compiler import source
from argosy.compiler.argo.text import node_text
from argosy.runtime.node import LIMIT, Node, decode
from definitions import pipeline
from lowered import compiled
from substitution import Json, pods

EVIL = (
    *("{{workflow.name}}", "{{=1+1}}", "{{inputs.parameters.node}}", "{{", "}}", "{", "\\{"),
    *("$(id)", "$(ARGOSY_RUN_ID)", "$$", "$HOME", "${x}", "`id`"),
    *("'", '"', "\\", "\t", "\n", "\r\n", "\u2028", "\x85", "\x7f", "\ufeff", "🎈", "%", "#", ": "),
    *("yes", "1e3", "0x10", "~", "- ", "* &a !t", "<&>"),
)
texts = (
    st.lists(
        st.sampled_from(EVIL) | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
        min_size=1,
        max_size=6,
    )
    .map("".join)
    .filter(bool)
)


def manifest(definition: Json) -> str:
    """The rendered workflow of a definition, which is written as YAML first."""
    found = pipeline(yaml.safe_dump(definition, sort_keys=False))
    compilation = compiled(
        found.graph,
        until="verify",
        parameters=dict(found.parameters),
        description=found.description,
    )
    return compilation.files["workflowtemplate.yaml"]


def nodes(text: str) -> list[Node]:
    """What the pods of a manifest are told to run, whichever YAML its reader knows."""
    old = yaml.safe_load(text)
    assert old == yaml.load(text, Loader=yaml.CSafeLoader) == source.loads(text)
    found = pods(old["spec"])
    assert "REPLACED" not in str(found)
    assert "EVALUATED" not in str(found)
    return [decode(pod[1]) for pod in found]


@settings(max_examples=80)
@given(texts, texts)
def test_text_arrives_as_it_is_written(text: str, other: str) -> None:
    assume(text.strip() and "\0" not in text + other)
    name = "step " + "".join(char for char in text if char.isprintable() and char != "$")
    definition = {
        "name": "p",
        "description": text,
        "dag": {
            "steps": {
                name: {
                    "type": "task",
                    "command_type": "shell",
                    "command": text,
                    "env": {"A": other, "B": text},
                    "description": other,
                },
                "end": {"type": "fail", "message": other, "depends_on": [name]},
            }
        },
    }
    task, end = nodes(manifest(definition))
    assert task.command == text
    assert task.env == {"A": other, "B": text}
    assert end.message == other


@settings(max_examples=20)
@given(texts, st.integers(1, 4))
def test_text_that_is_too_long_for_an_argument_arrives_packed(text: str, times: int) -> None:
    node = {"step": "a", "rank": "0", "command": text * (times * LIMIT // len(text))}
    assert decode(node_text(node)).command == node["command"]


@settings(max_examples=8)
@given(texts)
def test_the_users_process_gets_it(text: str) -> None:
    assume("\0" not in text)
    command = f'printf %s {shlex.quote(text)} >command; printf %s "$TEXT" >variable'
    step = {"type": "task", "command_type": "shell", "command": command, "env": {"TEXT": text}}
    definition = {"name": "p", "dag": {"steps": {"a": step}}}
    (arguments,) = pods(yaml.safe_load(manifest(definition))["spec"])
    with TemporaryDirectory() as folder:
        program = [sys.executable, "-m", "argosy.runtime", *arguments]
        environment = {**os.environ, "ARGOSY_RUN_ID": "r", "LC_ALL": "C.UTF-8"}
        subprocess.run(program, cwd=folder, env=environment, check=True, timeout=60)
        for name in ("command", "variable"):
            assert Path(folder, name).read_bytes() == text.encode()
