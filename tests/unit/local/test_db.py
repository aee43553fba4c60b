"""A local run whose log is in SQLite."""

from __future__ import annotations

from pathlib import Path

from databases import try_out


def test_a_run_is_kept_resumed_and_removed(tmp_path: Path) -> None:
    try_out(tmp_path, {"url": "sqlite:///log/runs.db"})
    assert (tmp_path / "log" / "runs.db").exists()
