"""No secret is anywhere but where it is meant to be: every provider and every credential of the
matrix has one planted, and all is searched that others can read."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, urlsplit

import pytest

from argosy.runtime.aws import KEYS
from matrix import RUNS, Matrix, Run

PATTERNS = ("argosy", "argoexec")
"""What the processes have in their arguments that are the product's, or run it."""


def forms(secret: str) -> Iterator[bytes]:
    """A secret in plain, reversed, as a URL has it, and in base64: by itself, and whatever is
    before or after it."""
    plain = secret.encode()
    yield from (plain, plain[::-1], quote(secret).encode())
    yield from (quote(secret, safe="").encode(), quote_plus(secret).encode())
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + plain + b"\0\0")
        # The first and the last letters are of what is around it, too.
        yield whole[4 * bool(before) : -8]
        yield whole[4 * bool(before) : -8].replace(b"+", b"-").replace(b"/", b"_")


def planted(matrix: Matrix) -> dict[str, str]:
    services = matrix.services
    return {
        "the steps' secret": services.key,
        "the database's password": str(urlsplit(services.url).password),
        "the key of S3 and of Secrets Manager": services.keys[KEYS[1]],
    }


def search(matrix: Matrix, where: str, data: bytes) -> list[str]:
    """What is found, and around what."""
    return [
        f"{what} is in {where}: {data[max(0, at - 200) : at + 100]!r}"
        for what, secret in planted(matrix).items()
        for form in dict.fromkeys(forms(secret))
        if (at := data.find(form)) >= 0
    ]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_run_leaves_none_where_others_read(matrix: Matrix, run: Run) -> None:
    said = matrix.outcome(run.name).said
    found = [line for where, data in said.items() for line in search(matrix, where, data)]
    assert not found, "\n".join(found)
    if run.asks and "log buffered" not in run.services:
        assert b"the key is ***" in said["logs"], "the step had it, and showed it"
        assert b"ARGOSY_RUN_ID" in said["logs"], "and all of its environment"


def test_docker_shows_none(matrix: Matrix) -> None:
    matrix.outcome(RUNS[-1].name)
    boxes = [run for run in RUNS if run.executor == "local-container"]
    for run in boxes:
        seen = matrix.watch.containers[run.name]
        assert seen or not run.asks
        assert not search(matrix, f"docker inspect of {run.name}", "".join(seen).encode())


def test_no_process_has_one_in_its_arguments(matrix: Matrix) -> None:
    matrix.outcome(RUNS[-1].name)
    seen = [one for one in matrix.watch.processes if any(p.encode() in one for p in PATTERNS)]
    assert any(b"argosy.runtime.executors.local" in one for one in seen)
    assert any(b"argosy.runtime\0exec" in one for one in seen), "a container's, or a pod's"
    assert not search(matrix, "the arguments of a process", b"\n".join(seen))


def test_the_search_finds_what_it_looks_for(matrix: Matrix) -> None:
    for secret in planted(matrix).values():
        for data in (
            secret,
            secret[::-1],
            quote(secret, safe=""),
            base64.b64encode(secret.encode()).decode(),
            base64.b64encode(f"postgresql://me:{secret}@host/x".encode()).decode(),
            base64.urlsafe_b64encode(f"a={secret}; b".encode()).decode(),
        ):
            assert search(matrix, "a test", f"x{data}y".encode()), data
