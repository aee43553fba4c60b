"""Shell tasks: what a script finds in its environment, and what it leaves there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from processes import gone

AWKWARD = [
    "{{workflow.name}}", "$(id)", "$HOME ${x}", "it's \"quoted\"", "back\\slash", "tab\tline\nend ",
    "\u2028🎉é", "% # - yes 1e3 0x10", "-n", "", " lead", "007",
]  # fmt: skip


@pytest.fixture(params=["bash", "sh"])
def shell(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A PATH on which there is this shell, and no better one."""
    name: str = request.param
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "env", "cat", "sleep", "printf", *(["bash"] if name == "bash" else [])):
        found = next(Path(f, tool) for f in ("/usr/bin", "/bin") if Path(f, tool).exists())
        (tools / tool).symlink_to(found)
    monkeypatch.setenv("PATH", str(tools))
    return name


def test_parameters_go_in_and_come_back(run: Any, shell: str) -> None:
    run.arguments = {"text": "a b", "number": 1.5, "list": [1, {"a": None}], "flag": True}
    done = run.exec(
        "s",
        from_=[""],
        command_type="shell",
        command="""
            echo "$ARGOSY_PRM_text|$ARGOSY_PRM_number|$ARGOSY_PRM_list|$ARGOSY_PRM_flag"
            echo "$MAGNUS_PRM_text|$MAGNUS_PRM_number"
            export ARGOSY_PRM_a=1.10 ARGOSY_PRM_b=007 ARGOSY_PRM_c='[1, 2]' MAGNUS_PRM_d='"x"'
            export ARGOSY_PRM_number=2.5
            ARGOSY_PRM_not_exported=1
            export ARGOSY_TRACK_loss=0.5 MAGNUS_TRACK_name=x
        """,
    )
    assert done.status == 0, done.err
    assert done.out == 'a b|1.5|[1, {"a": null}]|true\n"a b"|1.5\n'
    expected = {"a": "1.10", "b": "007", "c": [1, 2], "d": "x", "number": 2.5}
    assert run.parameters("s") == {**run.arguments, **expected}
    assert done.record["tracked"] == {"loss": 0.5, "name": "x"}


def test_only_what_a_child_would_get_has_been_exported(run: Any, shell: str) -> None:
    run.arguments = {"in": "as it was"}
    command = """
        set -u
        export ARGOSY_PRM_unset ARGOSY_PRM_empty= ARGOSY_PRM_both
        ARGOSY_PRM_local=1 ARGOSY_PRM_both='a
b'
    """
    bash = """
        set -eux; shopt -s nullglob; IFS=_
        export ARGOSY_PRM_list ARGOSY_PRM_in
        ARGOSY_PRM_list=(1 2)
        declare -n ARGOSY_PRM_other=ARGOSY_PRM_in
        declare -ix ARGOSY_PRM_number=5
        declare -rx ARGOSY_PRM_fixed='* $x'
    """
    more = {"number": 5, "fixed": "* $x"} if shell == "bash" else {}
    script = command + (bash if shell == "bash" else "")
    assert run.exec("s", from_=[""], command_type="shell", command=script).status == 0
    assert run.parameters("s") == {"in": "as it was", "empty": "", "both": "a\nb", **more}


def test_a_parameter_that_no_script_can_name_is_returned(run: Any) -> None:
    run.arguments = {"a-b": 1}
    node = {"command_type": "shell", "command": "true", "returns": ["a-b"]}
    assert run.exec("s", from_=[""], **node).status == 0
    assert run.parameters("s") == {"a-b": 1}


@pytest.mark.parametrize("text", AWKWARD)
def test_text_survives_on_its_way_in_and_out(run: Any, text: str) -> None:
    run.arguments = {"x": text}
    command = """
        export ARGOSY_PRM_copy="$ARGOSY_PRM_x"
        printf '%s' "$ARGOSY_PRM_x" > out
    """
    assert run.exec("s", from_=[""], command_type="shell", command=command).status == 0
    assert (run.folder / "out").read_bytes().decode() == text
    expected = text if text != "007" else "007"
    assert run.parameters("s")["copy"] == expected


def test_the_script_is_run_as_it_is_written(run: Any) -> None:
    command = "printf '%s\\n' '{{x}}' \"$(echo sub)\" \\\n  'a\tb' \"$0\" \"$#\"\n# a comment"
    done = run.exec("s", command_type="shell", command=command)
    assert done.out == "{{x}}\nsub\na\tb\nbash\n0\n"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("false; export ARGOSY_PRM_x=1", 0),
        ("export ARGOSY_PRM_x=1; exit 0", 0),
        ("export ARGOSY_PRM_x=1; return 0", 0),
        ("set -eu; export ARGOSY_PRM_x=1; true", 0),
        ("trap 'echo mine' EXIT; export ARGOSY_PRM_x=1", 0),
        ("PATH=/nowhere; export ARGOSY_PRM_x=1", 0),
        ("(exit 3); export ARGOSY_PRM_x=1", 0),
        ("export ARGOSY_PRM_x=1; exit 3", 1),
        ("export ARGOSY_PRM_x=1; (exit 4)", 1),
        ("set -e; false; export ARGOSY_PRM_x=1", 1),
        ("trap 'echo mine' EXIT; export ARGOSY_PRM_x=1; exit 0", 1),
        ("export ARGOSY_PRM_x=1; exec true", 1),
        ("echo 'unfinished", 1),
        ("no_such_program", 1),
    ],
)
def test_however_the_script_ends(run: Any, shell: str, command: str, status: int) -> None:
    done = run.exec("s", command_type="shell", command=command)
    assert done.status == status, done.err
    if status == 0:
        assert run.parameters("s") == {"x": 1}
    else:
        assert run.store.get("runs/churn-1/state/s.json") is None


@pytest.mark.parametrize(
    ("command", "returns", "said"),
    [
        ("exit 7", [], "^exited with status 7$"),
        ("kill -9 $$", [], "^ended by SIGKILL; the system kills what takes too much memory$"),
        ("ARGOSY_PRM_x=1; trap : EXIT; exit 0", [], "set a trap of its own for EXIT"),
        ("export 'ARGOSY_PRM_x=1'; exec true", [], "replaced itself by exec"),
        ("export MAGNUS_TRACK_x=1; exec true", [], "replaced itself by exec"),
        (". /dev/null; exec true", [], "replaced itself by exec"),
        ("exec true", ["rows"], "did not export 'rows'"),
        ("x=1", ["rows"], "did not export 'rows', .*: export ARGOSY_PRM_rows="),
        ("export ARGOSY_PRM_x=1 MAGNUS_PRM_x=1", [], "exported both as ARGOSY_PRM_x and as"),
    ],
)
def test_what_went_wrong_is_said(run: Any, command: str, returns: list[str], said: str) -> None:
    done = run.exec("s", command_type="shell", command=command, returns=returns)
    assert re.search(said, done.record["message"]), done.record["message"]
    assert done.status == (137 if "kill" in command else 1)


@pytest.mark.parametrize("command", ["exec /bin/echo $ARGOSY_PRM_n", "trap : EXIT; exit 0"])
def test_a_script_that_exports_nothing_may_end_in_any_way(
    run: Any, shell: str, command: str
) -> None:
    run.arguments = {"n": 2}
    done = run.exec("s", from_=[""], command_type="shell", command=command)
    assert done.status == 0, done.err
    assert run.parameters("s") == {"n": 2}


def test_what_is_exported_as_it_was_is_returned(run: Any) -> None:
    run.arguments = {"done": False, "rate": 1.5}
    command = "export ARGOSY_PRM_done=false"
    node = {"command_type": "shell", "command": command, "returns": ["done"]}
    done = run.exec("s", from_=[""], **node)
    assert done.status == 0, done.err
    assert run.state("s")["parameters"]["done"]["by"] == "s"
    assert run.parameters("s") == {"done": False, "rate": 1.5}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("export ARGOSY_PRM_p=$ARGOSY_PRM_x", True),
        ("ARGOSY_PRM_p=1", True),
        ("export MAGNUS_PRM_p=1", True),
        ("ARGOSY_PRM_p=1 env > /dev/null", False),
        ("echo ARGOSY_PRM_p=$ARGOSY_PRM_x", False),
        (": export ARGOSY_PRM_x=$ARGOSY_PRM_p", False),
        ("export ARGOSY_PRM_p", False),
    ],
)
def test_what_is_set_to_what_it_was_is_written(
    run: Any, shell: str, command: str, expected: bool
) -> None:
    run.arguments = {"p": 1, "x": "1"}
    assert run.exec("s", from_=[""], command_type="shell", command=command).status == 0
    by = run.state("s")["parameters"]["p"]["by"]
    if shell == "bash" or not command.endswith("> /dev/null"):
        assert (by == "s") is (expected or (shell == "sh" and command.startswith("echo")))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("if test $ARGOSY_PRM_x = 2; then export ARGOSY_PRM_p=1; fi", False),
        ("if test $ARGOSY_PRM_x = 1; then export ARGOSY_PRM_p=1; fi", True),
        ("false && export ARGOSY_PRM_p=1; true", False),
        ("f() { export ARGOSY_PRM_p=1; }", False),
        ("f() { export ARGOSY_PRM_p=1; }; f", True),
        ("( export ARGOSY_PRM_p=1 )", False),
        ('eval "export ARGOSY_PRM_p=1"', True),
        ('name=p; eval "export ARGOSY_PRM_$name=1"', True),
        ("echo 'export ARGOSY_PRM_p=1' > lib; . ./lib", True),
        ("read ARGOSY_PRM_p <<< 1", True),
        ("export ARGOSY_PRM_p=1; exit 0", True),
        ("set -eux; export ARGOSY_PRM_p=1", True),
        ("set -eux; false || true", False),
    ],
)
def test_what_a_script_may_assign_is_written_where_it_does(
    run: Any, command: str, expected: bool
) -> None:
    run.arguments = {"p": 1, "x": "1"}
    done = run.exec("s", from_=[""], command_type="shell", command=command)
    assert done.status == 0, done.err
    assert (run.state("s")["parameters"]["p"]["by"] == "s") is expected
    assert "BASH_COMMAND" not in done.err


def test_what_is_written_has_the_type_of_its_text(run: Any) -> None:
    run.arguments = {"p": "1", "q": "1"}
    command = "export ARGOSY_PRM_p=1"
    run.exec("s", from_=[""], command_type="shell", command=command, returns=["p", "q"])
    assert run.parameters("s") == {"p": 1, "q": "1"}


def test_text_that_is_not_utf8_is_no_value(run: Any) -> None:
    done = run.exec("s", command_type="shell", command=r"export ARGOSY_PRM_x=$'caf\xe9'")
    assert done.record["message"] == r"parameter 'x' holds text that is not UTF-8: 'caf\udce9'"


@pytest.mark.parametrize("kind", ["arguments", "item"])
def test_values_that_the_environment_cannot_hold_are_in_files(run: Any, kind: str) -> None:
    run.arguments = {f"p{number}": f"{number}" * 30_000 for number in range(1, 37)}
    run.arguments |= {"xs": ["x" * 140_000, "small"], "none": None}
    item = {"item": "x", "on": "xs", "depth": 0, "in": [""]}
    command = """
        set -eu
        env | wc -c
        for n in $(seq 36); do
          name=ARGOSY_PRM_p$n file=ARGOSY_PRM_p${n}_FILE
          if test -n "${!file-}"; then wc -c < "${!file}"; else printf %s "${!name}" | wc -c; fi
        done | sort -u
        echo "$ARGOSY_PRM_none"
        if test -n "${ARGOSY_PRM_x_FILE-}"; then
          wc -c < "$ARGOSY_PRM_x_FILE"; wc -c < "$MAGNUS_PRM_x_FILE"
          wc -c < "$ARGOSY_MAP_VARIABLE_FILE"; test -f "$MAGNUS_MAP_VARIABLE_FILE"
        fi
    """
    node = {"command_type": "shell", "command": command}
    if kind == "item":
        done = run.exec("m/*/s", "0", from_=[item], **node)
    else:
        done = run.exec("s", from_=[""], **node)
    assert done.status == 0, done.err
    total, *rest = done.out.split()
    assert 400_000 < int(total) < 600_000
    sizes = [str(length * 30_000) for length in (1, 2)]
    assert rest[: len(sizes) + 1] == [*sizes, "null"]
    assert rest[len(sizes) + 1 :] == (["140000", "140002", "140009"] if kind == "item" else [])


def test_a_large_value_is_in_a_file(run: Any) -> None:
    large, items = "é" * 40_000, list(range(20_000))
    run.code("def f(): return {'large': 'é' * 40000, 'items': list(range(20000)), 'x_FILE': 1}")
    assert run.exec("a", command="jobs.f").status == 0
    command = """
        cat "$ARGOSY_PRM_large_FILE" > large; cat "$ARGOSY_PRM_items_FILE" > items
        echo "${ARGOSY_PRM_large-unset} ${MAGNUS_PRM_items-unset}"
        export ARGOSY_PRM_x_FILE=2
    """
    done = run.exec("b", rank="1", from_=["a"], command_type="shell", command=command)
    assert done.out == "unset unset\n"
    assert (run.folder / "large").read_text() == large
    assert json.loads((run.folder / "items").read_text()) == items
    assert run.parameters("b")["x_FILE"] == 2
    assert run.state("b")["parameters"]["large"] == run.state("a")["parameters"]["large"]


def test_what_is_not_a_parameter_of_this_run_is_not_seen(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGOSY_PRM_stray", "1")
    monkeypatch.setenv("ARGOSY_ARGUMENTS", "1")
    monkeypatch.setenv("INHERITED", "yes")
    command = 'echo "${ARGOSY_PRM_stray-}${ARGOSY_ARGUMENTS-}" $INHERITED $OWN $ARGOSY_STEP_NAME'
    done = run.exec("s", command_type="shell", command=command, env={"OWN": "mine {{x}}"})
    assert done.out == " yes mine {{x}} s\n"
    assert run.parameters("s") == {}


def test_a_map_variable_is_seen(run: Any) -> None:
    run.arguments = {"regions": ["eu", "us"]}
    item = {"item": "region", "on": "regions", "depth": 0, "in": [""]}
    command = 'echo "$ARGOSY_MAP_VARIABLE $MAGNUS_MAP_VARIABLE $ARGOSY_PRM_region"'
    done = run.exec("m/*/s", "1-us", from_=[item], command_type="shell", command=command)
    assert done.out == '{"region": "us"} {"region": "us"} us\n'
    assert done.record["item"] == {"region": "us"}


def test_what_the_script_leaves_running_ends_with_it(run: Any) -> None:
    command = "sleep 300 & echo $! > pid; exec > /dev/null 2>&1; sleep 301 & echo $! > other"
    assert run.exec("s", command_type="shell", command=command).status == 0
    for name in ("pid", "other"):
        assert gone(int((run.folder / name).read_text()))


def test_a_last_line_of_what_runs_on_is_heard(run: Any) -> None:
    done = run.exec("s", command_type="shell", command="(sleep 0.2; echo late) & echo early")
    assert done.out == "early\nlate\n"


def test_no_text_of_the_users_is_in_the_process_list(run: Any) -> None:
    command = "tr '\\0' ' ' < /proc/$$/cmdline; : sentinel"
    done = run.exec("s", command_type="shell", command=command)
    assert "sentinel" not in done.out
    assert "argosy" in done.out.lower()


def test_the_private_folder_goes(run: Any) -> None:
    done = run.exec("s", command_type="shell", command='echo "$ARGOSY_STEP_FOLDER"; mkdir $_/x')
    folder = done.out.strip()
    assert folder
    assert not Path(folder).exists()
