"""Pipelines that once ended with wrong results end with the right ones here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from examples import argosy
from right_answers import CASES
from runs import shown


@pytest.mark.parametrize("name", CASES)
def test_here(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    text = json.dumps(case.definition(name), ensure_ascii=False)
    (tmp_path / "pipeline.yaml").write_text(text, encoding="utf-8")
    done = argosy("run", "pipeline.yaml", cwd=tmp_path)
    assert done.returncode in (0, 1), done.stderr
    case.assert_ended_so(shown("latest", tmp_path))
