"""The command on bad input: an error with a place, exit 1, soon, and no traceback."""

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from examples import argosy

STEP = "{type: task, command: a.b"
BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
)
CASES = {
    "cycle": (
        f"dag:\n  steps:\n    a: {STEP}, depends_on: [b]}}\n    b: {STEP}, depends_on: [a]}}",
        r"p.yaml:3:5: error: these steps wait for each other: a -> b -> a",
    ),
    "a step after itself": (
        f"dag:\n  steps:\n    a: {STEP}, depends_on: [a]}}",
        r"p.yaml:3:5: error: these steps wait for each other: a -> a",
    ),
    "unreachable": (
        f"dag:\n  start_at: a\n  steps:\n    a: {STEP}}}\n    b: {STEP}}}",
        r"p.yaml:5:5: error: no step leads to 'b'",
    ),
    "unknown next": (
        f"dag:\n  start_at: a\n  steps:\n    a: {STEP}, next: bee}}\n    be: {STEP}}}",
        r"p.yaml:4:\d+: error: next of step 'a' names no step: 'bee'",
    ),
    "duplicate key": (
        f"dag:\n  steps:\n    a: {STEP}}}\n    a: {STEP}}}",
        r"p.yaml:4:5: error: 'a' is already given in line 3",
    ),
    "wrong type": (
        "dag:\n  steps: [a, b]",
        r"p.yaml:2:10: error: steps takes a mapping, not a list",
    ),
    "misspelt field": (
        f"dag:\n  steps:\n    a: {STEP}, retrun: [x]}}",
        r"p.yaml:3:\d+: error: step 'a' has no field 'retrun'[\s\S]*did you mean 'returns'",
    ),
    "missing dag file": (
        "dag:\n  steps:\n    a: {type: dag, dag_definition: none.yaml}",
        r"p.yaml:3:36: error: cannot read none.yaml: no such file",
    ),
    "a file that includes itself": (
        "dag:\n  steps:\n    a: {type: dag, dag_definition: p.yaml}",
        r"p.yaml:3:36: error: p.yaml includes itself",
    ),
    "tabs": ("dag:\n\tsteps: {}", r"p.yaml:2:1: error: [\s\S]*blanks, not with tabs"),
    "alias bomb": (BOMB, r"p.yaml:\d+:\d+: error: over 1,000,000 values"),
    "10,000 unknown fields on one line": (
        f"dag: {{steps: {{a: {STEP}, {', '.join(f'field{n}: 1' for n in range(10_000))}}}}}}}",
        r"(?s)step 'a' has no field 'field0'.*\n9,900 more errors",
    ),
    "2,000 edges to nowhere": (
        "dag: {steps: {"
        + ", ".join(f"step{n}: {STEP}, depends_on: [stepx{n}]}}" for n in range(2_000))
        + "}}",
        r"(?s)depends_on of step 'step0' names no step: 'stepx0'.*\n1,900 more errors",
    ),
    # libyaml has a limit of its own since PyYAML 6.0.4.
    "nested brackets": ("[" * 30_000_000, r"p.yaml:1:(129|1001): error: nested deeper than 128"),
    "50 MB": ("[" * 50_000_000, r"cannot read p.yaml: it is larger than 33,554,432 bytes"),
    "one line of 30 MB": ("a: " + "x" * 30_000_000, r"p.yaml:1:1: error: a definition"),
}


def processor_seconds() -> float:
    """What processes that this one waited for have used: however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", ["check", "run", "render"])
def test_bad_definitions(case: str, command: str, tmp_path: Path) -> None:
    text, expected = CASES[case]
    (tmp_path / "p.yaml").write_text(text)
    before = processor_seconds()
    found = argosy(command, "p.yaml", cwd=tmp_path)
    assert processor_seconds() - before < 10  # a second or two on an idle machine
    assert found.returncode == 1
    assert re.search(expected, found.stderr), found.stderr[:500]
    assert "Traceback" not in found.stderr
    assert found.stdout == ""
    assert not (tmp_path / ".argosy").exists()


def test_every_error_shows_its_line_with_a_caret(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(CASES["misspelt field"][0])
    lines = argosy("check", "p.yaml", cwd=tmp_path).stderr.splitlines()
    place = re.match(r"p.yaml:3:(\d+): ", lines[0])
    assert place
    assert lines[1] == "  |     a: {type: task, command: a.b, retrun: [x]}"
    assert lines[2].index("^") - len("  | ") == int(place[1]) - 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["chek"], "there is no command 'chek'; did you mean 'check'?"),
        (["check"], "Missing argument 'FILE'"),
        (["check", "p.yaml", "-v", "x"], "-v takes NAME=VALUE"),
        (["render", "p.yaml", "--check"], "give it with -o DIR"),
        (["run", "p.yaml", "--by-name"], "--by-name goes with --resume"),
    ],
)
def test_usage(arguments: list[str], expected: str, tmp_path: Path) -> None:
    found: subprocess.CompletedProcess[str] = argosy(*arguments, cwd=tmp_path)
    assert found.returncode == 2
    assert expected in found.stderr
    assert "Traceback" not in found.stderr


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = argosy("init", "file/folder", cwd=tmp_path)
    assert (found.returncode, found.stderr) == (1, "error: file/folder: not a directory\n")


NAMES = """name: größe
dag: {steps: {größe: {type: parallel, branches: {é: {steps: {a b: {type: stub}}}}}}}
"""


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_terminal_that_lacks_a_character_shows_what_it_can(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(NAMES)
    (tmp_path / "argo.yaml").write_text("executor: {type: argo, config: {image: 'a:1'}}")
    for command in ("check", "graph", "plan", "run"):
        found = argosy(command, "p.yaml", cwd=tmp_path, PYTHONIOENCODING=encoding)
        assert (found.returncode, "Traceback" in found.stderr) == (0, False), found.stderr
    # A manifest is not for the terminal: it is UTF-8 wherever it goes.
    rendered = argosy(
        "render", "p.yaml", "-c", "argo.yaml", cwd=tmp_path, PYTHONIOENCODING=encoding
    )
    assert 'from the pipeline "gr\\u00f6\\u00dfe"' in rendered.stdout


def test_a_step_is_called_by_its_name_when_it_fails(tmp_path: Path) -> None:
    step = "{type: task, command_type: shell, command: exit 3}"
    (tmp_path / "p.yaml").write_text(f"dag: {{steps: {{größer als: {step}}}}}")
    found = argosy("run", "p.yaml", cwd=tmp_path)
    assert "größer als | argosy: größer als: exited with status 3\n" in found.stderr
    assert found.stderr.count("exited with status 3") == 2, "and once more at the end"


def test_every_error_begins_alike(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("dag: {steps: {a: {type: stub}}}")
    assert argosy("run", "p.yaml", cwd=tmp_path).returncode == 0
    for arguments in (
        ["check", "none.yaml"],
        ["check", "p.yaml", "-c", "none.yaml"],
        ["show", "none"],
        ["logs", "latest", "none"],
        ["run", "p.yaml", "--resume", "none"],
    ):
        found = argosy(*arguments, cwd=tmp_path)
        assert found.returncode == 1
        assert found.stderr.startswith("error: "), found.stderr


def test_mermaid_takes_any_name_for_text(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("""dag: {steps: {'a"]<b>#1;': {type: stub}}}""")
    found = argosy("graph", "p.yaml", "-o", "mermaid", cwd=tmp_path)
    assert found.stdout == 'flowchart LR\n  n0["a#34;]#60;b#62;#35;1;"]\n'


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    found = argosy("check", "none.yaml", cwd=tmp_path)
    assert (found.returncode, found.stdout) == (1, "")
    assert "cannot read none.yaml: no such file" in found.stderr
    assert "argosy init" in found.stderr


def test_what_the_help_begins_with_works(tmp_path: Path) -> None:
    told = argosy("--help", cwd=tmp_path).stdout
    lines = re.findall(r"^  (argosy \S.*?)(?:   .*)?$", told, re.MULTILINE)
    assert len(lines) == 3
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = "set -e\n" + "\n".join(lines)
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, check=True, timeout=60)
    assert (tmp_path / "hello/manifests/kustomization.yaml").exists()


def test_what_rendering_deletes_is_told(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("dag: {steps: {a: {type: task, command: a.b}}}")
    (tmp_path / "argo.yaml").write_text("executor: {type: argo, config: {image: 'a:1'}}")
    options = ["render", "p.yaml", "-c", "argo.yaml", "-o", "m"]
    assert "m/role.yaml\n" in argosy(*options, cwd=tmp_path).stdout
    own = "executor: {type: argo, config: {image: 'a:1', service_account: own}}"
    (tmp_path / "argo.yaml").write_text(own)
    assert "m/role.yaml: deleted\n" in argosy(*options, cwd=tmp_path).stdout
    assert not (tmp_path / "m/role.yaml").exists()


def test_init_leaves_what_git_ignores_to_who_has_said_it(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    assert argosy("init", cwd=tmp_path).returncode == 0
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    argosy("init", "new", cwd=tmp_path)
    assert ".argosy/" in (tmp_path / "new" / ".gitignore").read_text()


def test_what_init_writes_runs(tmp_path: Path) -> None:
    first = argosy("init", "hello", cwd=tmp_path)
    assert first.returncode == 0
    assert first.stderr == "to run it: cd hello && argosy run pipeline.yaml\n"
    folder = tmp_path / "hello"
    assert argosy("check", "pipeline.yaml", "-c", "argo.yaml", cwd=folder).returncode == 0
    found = argosy("run", "pipeline.yaml", cwd=folder)
    assert found.returncode == 0, found.stderr
    assert 'greeting: ["hello ada", "hello grace"]' in found.stdout
    again = argosy("init", "hello", cwd=tmp_path)
    assert again.returncode == 1
    assert "already there; nothing was written" in again.stderr
