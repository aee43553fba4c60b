"""What a person sees while a run goes on."""

from __future__ import annotations

import os

import pytest

from argosy.runtime.executors.local import report
from argosy.runtime.executors.local.report import LiveReport, Report, duration, for_stderr


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    found: list[bytes] = []
    monkeypatch.setattr(report, "_write", found.append)
    return found


def test_plain_lines_say_what_starts_and_how_it_ended(written: list[bytes]) -> None:
    plain = Report()
    plain.started("a", 1, 3)
    plain.line("a", b"caf\xc3\xa9 \xff")
    plain.running([("a", 0.0)])
    plain.started("a", 2, 3)
    plain.ended("a", "succeeded", 1.25)
    plain.close()
    assert b"".join(written) == (
        b"a: started\na | caf\xc3\xa9 \xff\na: started, attempt 2 of 3\na: succeeded after 1.2 s\n"
    )


def test_a_terminal_has_one_line_of_what_runs_below_all_others(written: list[bytes]) -> None:
    clock = Clock()
    live = LiveReport(clock)
    live.started("a", 1, 1)
    live.running([("a", 98.0), *((f"b{n}", 100.0) for n in range(6))])
    live.line("a", b"hello")
    live.running([])
    live.close()
    running = b"running: a 2 s, b0 0 s, b1 0 s, b2 0 s and 3 more"
    assert b"".join(written) == (
        b"\r\x1b[K" + running + b"\r\x1b[Ka | hello\n" + running + b"\r\x1b[K" + b""
    )


def test_the_line_of_what_runs_fits_the_terminal(
    written: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_columns", lambda: 20)
    LiveReport(Clock()).running([("a-step-with-a-long-name", 100.0)])
    assert written == [b"\r\x1b[Krunning: a-step-with"[: 4 + 19]]


def test_a_terminal_is_told_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    leader, terminal = os.openpty()
    reader, pipe = os.pipe()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(report, "STDERR", terminal)
    assert isinstance(for_stderr(), LiveReport)
    monkeypatch.setattr(report, "STDERR", pipe)
    assert not isinstance(for_stderr(), LiveReport)
    for descriptor in (leader, terminal, reader, pipe):
        os.close(descriptor)


def test_who_stops_reading_stops_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, pipe = os.pipe()
    os.close(reader)
    monkeypatch.setattr(report, "STDERR", pipe)
    Report().say("hello")
    os.close(pipe)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.04 s"),
        (1, "1.0 s"),
        (59.94, "59.9 s"),
        (59.99, "60.0 s"),
        (125, "2 m 5 s"),
        (3780, "1 h 3 m"),
    ],
)
def test_a_duration_reads_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
