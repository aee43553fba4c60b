"""What a step prints: masked, passed on, kept."""

from __future__ import annotations

import json

import pytest

from argosy.runtime.errors import ServiceError
from argosy.runtime.output import INTERVAL, LARGEST, SILENCE, Masker, Output

KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"


def masked(secrets: list[str], *pieces: str) -> str:
    masker = Masker(secrets)
    return b"".join([*(masker.feed(piece.encode()) for piece in pieces), masker.end()]).decode()


@pytest.mark.parametrize("cut", range(1, 14))
def test_a_secret_is_masked_wherever_it_is_cut(cut: int) -> None:
    text = "x hunter2000 y"
    assert masked(["hunter2000"], text[:cut], text[cut:]) == "x *** y"


def test_nothing_waits_that_cannot_become_a_secret() -> None:
    masker = Masker(["secret"])
    assert masker.feed(b"prompt> ") == b"prompt> "
    assert masker.feed(b"se") == b""
    assert masker.feed(b"nd") == b"send"


def test_secrets_that_overlap_leave_no_piece() -> None:
    assert masked(["abcd", "cdef"], "xabcdefx") == "x***x"
    assert masked(["abcd", "cdef"], "xabcd", "efx") == "x***x"
    assert masked(["abc", "abcdef"], "abcdef abc") == "*** ***"
    assert masked(["abc", "abcdef"], "abcd", "x") == "***dx"
    assert masked(["aa"], "a", "a", "a", "a", "b") == "***b"


def test_a_secret_of_several_lines_is_masked_as_a_whole_and_by_line() -> None:
    assert masked([KEY], KEY) == "***\n"
    assert "MIIE" not in masked([KEY], "log: MIIEvQIBADANBgkq\nlog: hkiG9w0BAQEFAASC")
    assert "MIIE" not in masked([KEY], json.dumps({"key": KEY}))
    assert masked(["ab\ncdefghijk"], "ab ok") == "ab ok", "a short line is no secret"


def test_a_secret_is_masked_without_the_newline_of_its_file() -> None:
    assert masked(["hunter2\n"], "is hunter2.") == "is ***."
    assert masked(["", " "], "all of it") == "all of it"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_output_is_kept_in_chunks_of_a_few_seconds(capfd: pytest.CaptureFixture[str]) -> None:
    kept: list[tuple[int, bytes]] = []
    clock = Clock()
    output = Output(lambda ms, data: kept.append((ms, data)), clock)
    output.hide(["secret"])
    output.feed(1, b"one ")
    output.feed(2, b"two\n")
    assert capfd.readouterr() == ("one ", "two\n"), "it is passed on at once"
    clock.now += INTERVAL / 2
    assert output.tick() == INTERVAL / 2
    assert kept == []
    clock.now += INTERVAL / 2
    output.tick()
    assert kept == [(2000, b"one two\n")]
    output.feed(1, b"a sec")
    output.say("done with secret")
    output.close()
    assert kept[1:] == [(2001, b"a done with ***\nsec")]


def test_silence_is_told_from_death() -> None:
    kept: list[tuple[int, bytes]] = []
    clock = Clock()
    output = Output(lambda ms, data: kept.append((ms, data)), clock)
    clock.now += SILENCE
    output.tick()
    assert kept == [(60_000, b"")]


def test_much_output_is_kept_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    kept: list[int] = []
    output = Output(lambda _, data: kept.append(len(data)), Clock())
    output.feed(1, b"x" * LARGEST)
    output.tick()
    capfd.readouterr()
    assert kept == [LARGEST]


def test_no_chunk_is_larger_than_every_store_takes(capfd: pytest.CaptureFixture[str]) -> None:
    kept: list[tuple[int, int]] = []
    output = Output(lambda ms, data: kept.append((ms, len(data))), clock=Clock())
    output.feed(1, b"x" * (2 * LARGEST + 1))
    output.close()
    capfd.readouterr()
    assert kept == [(0, LARGEST), (1, LARGEST), (2, 1)]


def test_a_store_that_comes_back_gets_everything() -> None:
    kept: list[bytes] = []
    clock = Clock()
    down = True

    def keep(_: int, data: bytes) -> None:
        if down:
            raise ServiceError("down")
        kept.append(data)

    output = Output(keep, clock)
    output.feed(1, b"one\n")
    clock.now += INTERVAL
    output.tick()
    with pytest.raises(ServiceError):
        output.close()
    down = False
    output.feed(1, b"two\n")
    output.close()
    assert kept == [b"one\ntwo\n"]
