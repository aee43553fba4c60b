"""Differences between manifests: by object and by field, and as they are read."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from argosy.compiler.diff import git
from argosy.compiler.diff.fields import ABSENT, changes
from argosy.compiler.diff.objects import differences, read
from argosy.compiler.diff.text import WIDTH, as_json, lines
from argosy.runtime.errors import ArgosyError
from argosy.runtime.node import encode
from examples import FOLDER, argosy


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}, [("b.c", 2, 3)]),
        ({"a": 1}, {"b": 1}, [("b", ABSENT, 1), ("a", 1, ABSENT)]),
        ({"a": None}, {}, [("a", None, ABSENT)]),
        ({"a": True}, {"a": 1}, [("a", True, 1)]),
        ({"a": "1"}, {"a": 1}, [("a", "1", 1)]),
        ({"a/b.c": 1, "x_y-z": 1}, {}, [('["a/b.c"]', 1, ABSENT), ("x_y-z", 1, ABSENT)]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [("a[1]", 2, 3), ("a[2]", ABSENT, 4)]),
        ({"a": [1, 2, 3]}, {"a": [1, 9, 2, 3]}, [("a[1]", ABSENT, 9)]),
        ({"a": [1, 1, 2]}, {"a": [1, 2]}, [("a[1]", 1, ABSENT)]),
        ({"a": [1, 2]}, {"a": [True, 2]}, [("a[0]", 1, True)]),
        (
            {"t": [{"name": "x", "v": 1}, {"name": "y"}]},
            {"t": [{"name": "n"}, {"name": "x", "v": 2}]},
            [
                ("t[n]", ABSENT, {"name": "n"}),
                ("t[x].v", 1, 2),
                ("t[y]", {"name": "y"}, ABSENT),
            ],
        ),
        (
            {"t": [{"name": "x"}, {"name": "y"}]},
            {"t": [{"name": "y"}, {"name": "x"}]},
            [("t(order)", ["x", "y"], ["y", "x"])],
        ),
        ({"t": [{"name": "x"}] * 2}, {"t": [{"name": "x"}]}, [("t[1]", {"name": "x"}, ABSENT)]),
        ({"n": '{"step": "a"}'}, {"n": '{"step":"b"}'}, [("n.step", "a", "b")]),
        ({"n": '{"step": "a"}'}, {"n": '{"step":"a"}'}, []),
        ({"n": "{x"}, {"n": "[]"}, [("n", "{x", "[]")]),
    ],
)
def test_each_field_that_differs_is_named(old: Any, new: Any, found: list[Any]) -> None:
    assert [(change.place, change.old, change.new) for change in changes(old, new)] == found


def test_a_node_that_is_packed_is_looked_into() -> None:
    old, new = (encode({"step": "a", "command": f"{text} " * 90_000}) for text in ("x", "y"))
    assert '"z"' in old
    (change,) = changes({"node": old}, {"node": new})
    assert change.place == "node.command"


TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: churn, labels: {argosy.dev/version: VERSION}}
spec:
  podMetadata: {labels: {argosy.dev/version: VERSION}}
  command: |
    one
    COMMAND
    three
"""
CLAIM = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: runs, namespace: ml}}"


def template(version: str, command: str = "two") -> str:
    return TEMPLATE.replace("VERSION", version).replace("COMMAND", command)


def compared(old: dict[str, str], new: dict[str, str]) -> list[str]:
    return list(lines(differences(read(old), read(new))))


def test_a_change_reads_as_such_with_its_version_said_once() -> None:
    found = compared({"a.yaml": template("v1")}, {"renamed.yaml": template("v2", "zwei")})
    assert found == [
        "~ WorkflowTemplate churn (version v1 -> v2)",
        "    spec.command",
        "      @@ -1,4 +1,4 @@",
        "        one",
        "      - two",
        "      + zwei",
        "        three",
        "        ",
    ]


def test_what_several_templates_have_in_common_is_said_once() -> None:
    def pods(**images: str) -> dict[str, str]:
        found = [{"name": name, "container": {"image": image}} for name, image in images.items()]
        return {"a.yaml": json.dumps({"kind": "A", "spec": {"templates": found}})}

    found = compared(pods(end="i:1", run="i:1", gpu="g:1"), pods(end="i:2", run="i:2", gpu="g:2"))
    assert found[1:] == [
        "    spec.templates[end, run].container.image",
        "      - i:1",
        "      + i:2",
        "    spec.templates[gpu].container.image",
        "      - g:1",
        "      + g:2",
    ]
    many = [pods(**dict.fromkeys("abcd", image)) for image in ("i:1", "i:2")]
    assert compared(*many)[1] == "    spec.templates[a, b, 2 more].container.image"


def test_objects_come_and_go() -> None:
    assert compared({"a.yaml": template("v")}, {"b.yaml": CLAIM}) == [
        "+ PersistentVolumeClaim runs in ml",
        "- WorkflowTemplate churn",
    ]


def test_kustomizes_own_files_are_compared_too() -> None:
    old, new = ({"kustomization.yaml": f"resources: [{name}]"} for name in "ab")
    assert compared(old, new) == [
        "~ kustomization.yaml",
        "    resources[0]",
        "      - a",
        "      + b",
    ]


def test_what_differs_in_a_long_line_is_seen() -> None:
    old, new = ({"a.yaml": f"kind: A\nx: {'long ' * 99}{end}"} for end in ("one", "two"))
    *_, before, after = compared(old, new)
    assert before.endswith("one")
    assert after.endswith("two")
    assert max(len(before), len(after)) <= WIDTH + 10


def test_text_that_reads_as_a_number_is_told_from_one() -> None:
    found = compared({"a.yaml": "kind: A\nx: '3'"}, {"a.yaml": "kind: A\nx: 3"})
    assert found[-2:] == ['      - "3"', "      + 3"]


def test_json_has_it_all() -> None:
    found = as_json(
        differences(read({"a.yaml": "kind: A\nx: 1"}), read({"a.yaml": "kind: A\ny: 2"}))
    )
    assert found[0]["action"] == "changed"
    assert found[0]["changes"] == [{"path": "y", "new": 2}, {"path": "x", "old": 1}]
    json.dumps(found)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with an example and its manifests."""
    folder = tmp_path / "repository"
    shutil.copytree(FOLDER / "first", folder / "first")
    shutil.copy(FOLDER / "argo.yaml", folder)
    run(folder, "init", "-q")
    commit(folder)
    return folder


def run(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def commit(folder: Path) -> None:
    run(folder, "add", "-A")
    run(folder, "commit", "-qm", "x", "--allow-empty")


def diff(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return argosy("diff", "first/pipeline.yaml", "-c", "argo.yaml", *arguments, cwd=folder)


def change_a_command(folder: Path) -> None:
    definition = folder / "first" / "pipeline.yaml"
    definition.write_text(definition.read_text().replace("steps.shout", "steps.shout_all"))


def test_files_and_a_revision_are_compared_with(repository: Path) -> None:
    manifests = ("--dir", "first/manifests")
    assert diff(repository, *manifests).returncode == 0
    change_a_command(repository)
    found = diff(repository, *manifests)
    assert found.returncode == 1
    assert "+ first.steps.shout_all" in found.stdout, found.stdout + found.stderr
    rendered = ("-o", "first/manifests")
    argosy("render", "first/pipeline.yaml", "-c", "argo.yaml", *rendered, cwd=repository)
    commit(repository)
    assert diff(repository, *manifests, "--git", "HEAD").returncode == 0
    before = diff(repository, *manifests, "--git", "HEAD~1", "-o", "json")
    (found_before,) = json.loads(before.stdout)
    assert (found_before["kind"], found_before["action"]) == ("WorkflowTemplate", "changed")
    assert before.returncode == 1


def test_a_folder_that_was_not_there_then_is_all_new(repository: Path) -> None:
    found = diff(repository, "--dir", "elsewhere/deep", "--git", "HEAD")
    assert found.returncode == 1
    assert "+ WorkflowTemplate first" in found.stdout
    assert git.files(str(repository), "HEAD").keys() == {"argo.yaml"}


def test_what_cannot_be_told_is_neither_a_difference_nor_none(repository: Path) -> None:
    for arguments in (
        [],
        ["--dir", "first/manifests", "--git", "nowhere"],
        ["--dir", "first/manifests", "--git", "--output=x"],
        ["--dir", "argo.yaml"],
    ):
        found = diff(repository, *arguments)
        assert found.returncode == 2, found.stdout
        assert "error" in found.stderr.lower()


def test_outside_of_a_repository_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArgosyError, match="repository"):
        git.files(str(tmp_path), "HEAD")
