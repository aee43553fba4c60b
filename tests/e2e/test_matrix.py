"""Every cell of the matrix: a pipeline ends there as it does in all others, or is refused with the
way out before anything runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from matrix import EXECUTORS, NOTHING, RUNS, Matrix
from runs import Result


class Cell(NamedTuple):
    """`words`: what is promised; `seen`: how that shows in a plan or a manifest; `error`: what
    compiling a pipeline says that asks for everything, where it must not compile."""

    words: str
    seen: str = ""
    error: str = ""


WAY_OUT = r"catalog: \{type: file-system"
OF_THE_CLUSTER = r"secrets: \{type: kubernetes"
MOUNTED = '"mountPath":"/runs"'


def reference(secret: str, key: str) -> str:
    """A variable that the cluster fills."""
    return f'"secretKeyRef":{{"name":"{secret}", "key":"{key}"}}'


NO_CLOUD_KEYS = reference("s3", "AWS_SECRET_ACCESS_KEY")

TABLE = {
    "log buffered": (
        Cell("ok, a warning: lost at the end", seen="lost when the run ends"),
        Cell("error: each step is a process of its own", error="container of its own"),
        Cell("error", error=r"more than one pod; use run_log_store: \{type: kubernetes"),
    ),
    "log file-system": (
        Cell("ok"),
        Cell("the folder is mounted rw", seen=r"/\.argosy: \S+/\.argosy \(rw\)"),
        Cell("needs a claim: mounted in every pod", seen=MOUNTED),
    ),
    "log file-system, no claim": (
        Cell(""),
        Cell(""),
        Cell("none given: error that shows the lines to add", error=r"claims:\s+my-claim:"),
    ),
    "log s3": (
        Cell("the usual AWS chain"),
        Cell("keys from the environment as tmpfs files"),
        Cell("secret reference or the service account's role", seen=NO_CLOUD_KEYS),
    ),
    "log kubernetes": (
        Cell("error: names file-system", error=r"run_log_store: \{type: file-system"),
        Cell("error: names file-system", error=r"run_log_store: \{type: file-system"),
        Cell("the Role gets configmaps", seen=r'"configmaps"\], "verbs":\["create"'),
    ),
    "log SQLite": (
        Cell("ok"),
        Cell("SQLite file mounted", seen=r"/db: \S+/db \(rw\)"),
        Cell("SQLite: error", error="SQLite is a file of one machine"),
    ),
    "log PostgreSQL": (
        Cell("ok"),
        Cell("`localhost` in a URL is the host's", seen="network +host"),
        Cell("from a secret reference", seen=reference("database", "url")),
    ),
    "log PostgreSQL, a URL with a password": (
        Cell("ok"),
        Cell("as argo: Docker shows it to whoever asks", error=r"config: \{url_secret: DB_URL"),
        Cell("must come from a secret reference", error=r"config: \{url_secret: DB_URL"),
    ),
    "catalog do-nothing": (
        Cell("ok; a step that asks for data: error", error=WAY_OUT),
        Cell("same", error=WAY_OUT),
        Cell("same", error=WAY_OUT),
    ),
    "catalog file-system": (
        Cell("ok"),
        Cell("the folder is mounted rw", seen=r"/catalog: \S+/\.argosy/catalog \(rw\)"),
        Cell("needs a claim: mounted in every pod", seen=MOUNTED),
    ),
    "catalog s3": (
        Cell("the usual AWS chain"),
        Cell("keys from the environment as tmpfs files"),
        Cell("secret reference or the service account's role", seen=NO_CLOUD_KEYS),
    ),
    "secrets do-nothing": (
        Cell("ok; a step that asks for a secret: error", error=r"secrets: \{type: env"),
        Cell("same", error=r"secrets: \{type: env"),
        Cell("same", error=OF_THE_CLUSTER),
    ),
    "secrets env": (
        Cell("ok"),
        Cell("handed over as tmpfs files, for the steps that ask"),
        Cell("error: names kubernetes", error=OF_THE_CLUSTER),
    ),
    "secrets dotenv": (
        Cell("ok"),
        Cell("file mounted ro", seen=r"secrets\.env: \S+ \(ro\)"),
        Cell("error: names kubernetes", error=OF_THE_CLUSTER),
    ),
    "secrets kubernetes": (
        Cell("error", error=r"secrets: \{type: env\} or \{type: dotenv\}"),
        Cell("error", error=r"secrets: \{type: env\} or \{type: dotenv\}"),
        Cell("secretKeyRef", seen=reference("signing", "SIGNING_KEY")),
    ),
    "secrets aws-secrets-manager": (
        Cell("AWS chain"),
        Cell("as s3"),
        Cell("as s3; fetched in the pod", seen=NO_CLOUD_KEYS),
    ),
}
"""By provider, a cell for each of EXECUTORS. One without words has nothing to say there."""

CELLS = [
    pytest.param(executor, row, cell, id=f"{row} on {executor}")
    for row, cells in TABLE.items()
    for executor, cell in zip(EXECUTORS, cells, strict=True)
    if cell.words
]
OTHERS = {"local": "secrets env", "local-container": "secrets env", "argo": "secrets kubernetes"}
SUCCEEDED = ["succeeded"]


@pytest.mark.parametrize(("executor", "row", "cell"), CELLS)
def test_a_cell_works_or_says_no(matrix: Matrix, executor: str, row: str, cell: Cell) -> None:
    if cell.error:
        refused(matrix, executor, row, cell.error)
    passing = [run for run in RUNS if run.executor == executor and row in run.services]
    assert bool(passing) != bool(cell.error) or row in NOTHING
    for run in passing:
        found, said = matrix.outcome(run.name)
        lost = "log buffered" in run.services
        expected = result_of(matrix, run.asks)
        assert found == (expected._replace(steps={}) if lost else expected), run.name
        shown = said["plan"] + said.get("manifests", b"")
        assert re.search(cell.seen, shown.decode()), f"{run.name}: {shown.decode()}"


def result_of(matrix: Matrix, asks: bool) -> Result:
    """How the run ends that needs nothing but this machine."""
    found = matrix.outcome("here-files" if asks else "here-nothing").result
    assert found.status == "succeeded"
    assert found.steps["tell"] == ["failed"]
    assert {**found.steps, "tell": SUCCEEDED} == dict.fromkeys(found.steps, SUCCEEDED)
    assert found.parameters["rows"] == found.parameters["lines"] == 4
    files = {"work/names.csv", "work/orders.csv", "work/signature.txt"}
    assert {*found.catalog} == (files if asks else set())
    assert len(found.parameters.get("signature", "")) == (8 if asks else 0)
    return found


def refused(matrix: Matrix, executor: str, row: str, error: str) -> None:
    """Compiling says so, and nothing has run."""
    name = re.sub("[^a-z0-9]+", "-", f"{executor} {row}".lower())
    rows = {"log": "log kubernetes", "catalog": "catalog s3", "secrets": OTHERS[executor]}
    if executor != "argo":
        rows["log"] = "log file-system"
    rows[row.partition(" ")[0]] = row
    place = matrix.write(name, executor, rows.values(), asks=True)
    done = matrix.call(place, rows.values(), "check", "p.yaml", "-c", "c.yaml")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(error, done.stderr), done.stderr
    assert "c.yaml:" in done.stderr, "it names the section"
    assert "Traceback" not in done.stderr
    for secret in (matrix.services.url, matrix.services.key):
        assert secret not in done.stderr
    assert not Path(place / ".argosy").exists()
