"""How problems are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from argosy.compiler.errors import DefinitionError, Problem, clip, listed, shorten
from argosy.compiler.parse import Context, parse
from argosy.compiler.source import Mark, Source, loads
from examples import argosy


def problems(text: str) -> list[Problem]:
    context = Context()
    parse(loads(text, "p.yaml"), "p", context)
    return context.problems


def test_the_first_hundred_problems_are_shown_and_the_others_counted() -> None:
    error = DefinitionError(Problem(f"problem {n}") for n in range(2_000))
    lines = str(error).splitlines()
    assert len(error.problems) == 2_000
    assert lines[98:] == ["error: problem 98", "error: problem 99", "1,900 more errors"]


def test_a_hundred_problems_are_all_shown() -> None:
    assert len(str(DefinitionError([Problem("p")] * 100)).splitlines()) == 100
    assert str(DefinitionError([Problem("p")] * 101)).splitlines()[-1] == "1 more error"


def test_a_warning_is_one_whatever_its_file_is_called() -> None:
    position = Source("error: p.yaml", "a: 1").position(Mark(0, 3))
    shown = str(Problem("error: no such thing", position, severity="warning"))
    assert shown.startswith("error: p.yaml:1:4: warning: error: no such thing\n")
    assert listed([Problem("p", severity="warning")] * 103).endswith("\n3 more warnings")


def test_a_file_called_error_is_not_taken_for_a_severity(tmp_path: Path) -> None:
    text = "parameters: {regions: []}\ndag: {steps: {a: {type: map, iterate_on: regoins, "
    text += "iterate_as: x, branch: {steps: {s: {type: stub}}}}}}"
    (tmp_path / "error: p.yaml").write_text(text)
    found = argosy("check", "error: p.yaml", cwd=tmp_path)
    assert found.returncode == 0
    assert found.stderr.startswith("error: p.yaml:2:15: warning: step 'a' uses"), found.stderr
    missing = argosy("check", "error: none.yaml", cwd=tmp_path)
    assert missing.stderr.startswith("error: cannot read error: none.yaml: no such file")


@pytest.mark.parametrize("column", [0, 50, 5_000, 9_999])
def test_a_long_line_is_cut_around_the_caret(column: int) -> None:
    line = "".join(chr(0x21 + n % 90) for n in range(10_000))
    text, caret = clip(line, column)
    assert len(text) <= 96
    assert text[caret] == line[column]


def test_a_long_message_loses_its_middle() -> None:
    assert shorten("x" * 1_000) == "x" * 1_000
    assert shorten("a" * 900 + "b" * 900) == "a" * 497 + " ... " + "b" * 497


def test_many_unknown_fields_are_found_at_once() -> None:
    fields = ", ".join(f"field{n}: 1" for n in range(10_000))
    found = problems(f"dag: {{steps: {{a: {{type: stub}}}}, {fields}}}")
    assert len(found) == 10_000
    assert sum(bool(problem.hint) for problem in found) == 100


@pytest.mark.parametrize("key", ["next", "on_failure"])
def test_many_edges_to_nowhere_are_found_at_once(key: str) -> None:
    steps = ", ".join(f"s{n}: {{type: task, command: a.b, {key}: z{n}}}" for n in range(2_000))
    found = problems(f"dag: {{start_at: s0, steps: {{{steps}}}}}")
    assert len(found) == 2_000
    assert len(str(DefinitionError(found))) < 100_000


def test_a_known_field_is_listed_once_and_by_its_own_name() -> None:
    (found,) = problems("dag: {steps: {a: {type: success}}}\nqqqq: 1")
    assert found.hint == "known: name, description, parameters, dag"
    (found,) = problems("dag: {steps: {a: {type: approval, qqqq: 1}}}")
    listed = found.hint.removeprefix("known: ").split(", ")
    assert len(listed) == len(set(listed)) <= 10
    assert not {"next_node", "mode_config", "executor_config"} & set(listed)
    (found,) = problems("dag: {steps: {a: {type: stub}}, qqqq: 1}")
    assert found.hint == "known: description, start_at, steps"
