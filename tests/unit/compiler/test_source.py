"""YAML in, values with places out."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from argosy.compiler import source
from argosy.compiler.errors import DefinitionError


def message(text: str) -> str:
    with pytest.raises(DefinitionError) as error:
        source.loads(text, "p.yaml")
    return str(error.value)


def test_scalars_are_those_of_yaml_1_2() -> None:
    text = "[yes, no, on, 1:30, 2024-01-01, 010, 0o10, 0x10, 1e3, 1.10, ~, true, .5, -3, '7', =]"
    assert source.loads(text) == [
        "yes", "no", "on", "1:30", "2024-01-01", 10, 8, 16, 1000.0, 1.1, None, True, 0.5, -3, "7",
        "=",
    ]  # fmt: skip


@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029", "\ue000"])
def test_what_breaks_lines_only_in_yaml_1_1_is_text(char: str) -> None:
    text = f"# c{char}d\na: x{char}y\nb: |\n  x{char}y\nc: ['x{char}y', \"x{char}y\"]\n"
    value = source.loads(text)
    same = f"x{char}y"
    assert value == {"a": same, "b": same + "\n", "c": [same, same]}
    assert value.at("c").line == 4


def test_the_text_of_a_plain_scalar_is_kept() -> None:
    value = source.loads("{a: 1e3, b: '1e3', c: [0x10]}")
    assert value.texts == {"a": "1e3"}
    assert value["c"].texts == {0: "0x10"}


def test_every_value_knows_its_place() -> None:
    value = source.loads("a:\n  b: [1,\n    2]\n")
    assert (value["a"].at("b").line, value["a"].at("b").column) == (1, 5)
    assert (value["a"]["b"].at(1).line, value["a"]["b"].at(1).column) == (2, 4)


def test_merge_keys_and_aliases() -> None:
    value = source.loads("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {y: 4, <<: [*a, {z: 5}]}")
    assert value["b"] == {"x": 1, "y": 3}
    assert value["c"] == {"y": 4, "x": 1, "z": 5}


def test_a_json_file_is_yaml(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n\t"a": "\\ud83d\\ude00 \\/ \\u00e9",\t"b": [1, 2.5e-3, null]\n}')
    assert source.load(str(path)) == {"a": "\N{GRINNING FACE} / é", "b": [1, 0.0025, None]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", "p.yaml:3:1: error: 'a' is already given in line 1"),
        ("a:\n\t- b", "YAML indents with blanks, not with tabs"),
        ("a: !!python/object:os.system x", "p.yaml:1:4: error: the tag"),
        ("a: [1, 2", "p.yaml:2:1: error: did not find expected ',' or ']'"),
        ("a:\n  b: {c: [1}\nd: 2\n", "what begins at p.yaml:2:10 is not closed, or a text"),
        ('a: "b\nc: 1\n', "what begins at p.yaml:1:4 is not closed"),
        ("? [a]\n: 1", "a key must be a scalar"),
        ("a: \x01", "p.yaml:1:4: error: the character U+0001 cannot stand in YAML"),
        ("---\na: 1\n---\nb: 2", "p.yaml:3:1: error: a second document begins here"),
        ("a: *b", "no anchor &b comes before this"),
    ],
)
def test_bad_text_is_an_error_with_a_place(text: str, expected: str) -> None:
    assert expected in message(text)


def test_an_error_shows_its_line_and_a_caret() -> None:
    lines = message("one: 1\ntwo: {x: 1, x: 2}").splitlines()
    assert lines[1:3] == ["  | two: {x: 1, x: 2}", "  |             ^"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[" * 5_000_000, "nested deeper than 128 levels"),
        ("{a: " * 5_000_000, "nested deeper than 128 levels"),
        (
            "a0: &a0 [x, x]\n"
            + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
            "over 1,000,000 values, aliases expanded",
        ),
    ],
)
def test_bombs_end_early(text: str, expected: str) -> None:
    start = time.monotonic()
    assert expected in message(text)
    assert time.monotonic() - start < 30  # under a second; 30 s tell an end from none


def test_files_that_are_too_large_missing_or_not_text(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"[" * (50 << 20))
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"a: 1\nb: \xff")
    for path, expected in [
        (large, "larger than 33,554,432 bytes, the limit"),
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path, "is a directory"),
        (binary, "binary.yaml:2:4: error: this is not UTF-8 text"),
    ]:
        with pytest.raises(DefinitionError) as error:
            source.load(str(path))
        assert expected in str(error.value)


def test_a_device_that_never_ends_is_too_large() -> None:
    with pytest.raises(DefinitionError, match="cannot read /dev/zero: it is larger than"):
        source.load("/dev/zero")


def test_a_pipe_that_nobody_writes_to_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.yaml")
    with pytest.raises(DefinitionError, match="it is a pipe, and nobody writes to it"):
        source.load(str(tmp_path / "p.yaml"))


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.yaml")
    with subprocess.Popen(["sh", "-c", f"echo 'a: 1' >{tmp_path}/p.yaml"]):
        assert source.load(str(tmp_path / "p.yaml")) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "names", "alike"),
    [
        ("branches: {5: a, '5': b}", ["5", "'5'"], {"'5'": "5"}),
        ("branches: {'5': b, 5: a}", ["'5'", "5"], {"'5'": "5"}),
        ("branches: {'5': b, 6: a}", ["5", "6"], {}),
    ],
)
def test_a_text_that_reads_as_another_branch_gets_quotes(
    text: str, names: list[str], alike: dict[str, str]
) -> None:
    branches = source.loads(text)["branches"]
    assert list(branches) == names
    assert branches.alike == alike
    assert {branches.typed.get(name, branches.alike.get(name, name)) for name in names} >= {"5"}
    assert branches.at_key("'5'").column == text.index("'5'") or not alike


@pytest.mark.parametrize(
    "text", ["{5: a, '5': b}", "{branches: {5: a, 5: b}}", "{x: {'': 1, ! '': 2}}"]
)
def test_keys_that_read_alike_are_one_everywhere_else(text: str) -> None:
    with pytest.raises(DefinitionError, match="is already given in line 1"):
        source.loads(text)


def test_merged_keys_keep_their_types() -> None:
    text = "x: &x {5: a, 6: b}\ny:\n  branches: {<<: *x, '6': c}"
    branches = source.loads(text)["y"]["branches"]
    assert branches.typed == {"5": 5}
    assert branches == {"5": "a", "6": "c"}
