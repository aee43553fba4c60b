"""A node as it travels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from argosy.runtime.errors import NodeError
from argosy.runtime.node import decode, encode, from_json


def test_what_is_left_out_has_a_default() -> None:
    node = decode('{"step": "a/*", "from": ["b"], "command": "jobs.a"}')
    assert node.step == "a/*"
    assert node.sources == ["b"]
    assert (node.type, node.command_type, node.timeout) == ("task", "python", None)


def test_a_large_node_is_packed_and_unpacked() -> None:
    raw = {"step": "a", "command": "echo " + "x" * 200_000, "command_type": "shell"}
    text = encode(raw)
    assert len(text) < 2000
    assert json.loads(text).keys() == {"step", "z"}
    assert decode(text).raw == raw


def test_a_small_node_is_not_packed() -> None:
    raw = {"step": "a", "command": "{{x}} é"}
    assert decode(encode(raw)).command == "{{x}} é"
    assert "z" not in json.loads(encode(raw))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "no 'step'"),
        ('{"step": "a", "comand": "x"}', "'comand'"),
        ('{"step": "a", "from": "b"}', "'from'"),
        ('{"step": "a", "type": "loop"}', "'loop'"),
        ('{"step": "a", "z": "!"}', "unpacked"),
        ('{"step": "a", "z": "eA=="}', "unpacked"),
    ],
)
def test_what_is_wrong_is_said(text: str, said: str) -> None:
    with pytest.raises(NodeError, match=said):
        decode(text)


def test_the_digest_is_of_the_work_and_not_of_the_place() -> None:
    raw = {"step": "a", "command": "jobs.a", "from": [{"map": "m", "rank": "1", "out": ["b"]}]}
    moved = {**raw, "rank": "7", "hands": [{"items": "x"}]}
    moved["from"] = [{"map": "m", "rank": "2", "out": ["b"]}]
    assert from_json(raw).digest() == from_json(moved).digest()
    assert from_json(raw).digest() != from_json({**raw, "command": "jobs.b"}).digest()
    assert from_json({**raw, "env": {"rank": "1"}}).digest() != from_json(raw).digest()


def test_a_node_in_a_file_is_read_from_there(tmp_path: Path) -> None:
    raw = {"step": "a", "command": "x" * 200_000}
    (tmp_path / "k").write_text(encode(raw))
    assert decode('{"step": "a", "in": "k"}', str(tmp_path)).raw == raw


@pytest.mark.parametrize(
    ("key", "folder", "said"),
    [
        ("k", "", "ARGOSY_NODES names no folder"),
        ("none", "here", "cannot be read"),
        ("broken", "here", "cannot be read"),
        ("other", "here", "is not the node of 'a'"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(
    key: str, folder: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "broken").write_text("{")
    (tmp_path / "other").write_text('{"step": "b"}')
    with pytest.raises(NodeError, match=said):
        decode(json.dumps({"step": "a", "in": key}), str(tmp_path) if folder else "")
