"""Bytes that come in parts, as lines."""

from __future__ import annotations

import time

from argosy.runtime.lines import Lines


def test_lines_are_whole_however_they_come() -> None:
    lines = Lines()
    found = [lines.feed(part) for part in (b"a", b"b\n\nc", b"", b"d\n", b"e\nf\ng")]
    assert found == [[], [b"ab", b""], [], [b"cd"], [b"e", b"f"]]
    assert lines.rest() == b"g"


def test_a_long_line_costs_its_length() -> None:
    """In the parts of a pipe, which are 64 KiB at most. Joined with each, 50 MB take 20 s."""
    lines, part = Lines(), bytes(1 << 16)
    started = time.process_time()
    for _ in range(800):
        assert lines.feed(part) == []
    assert len(lines.feed(b"\n")[0]) == 800 << 16
    assert time.process_time() - started < 2
