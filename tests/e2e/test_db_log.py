"""The run log in a real PostgreSQL: from here, from fifty processes at once, and from pods."""

from __future__ import annotations

import json
import os
import secrets
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime import retry
from argosy.runtime.errors import ServiceError
from argosy.runtime.run_logs.db import DatabaseRunLog
from cluster import IMAGE, Cluster
from databases import try_out
from examples import argosy
from postgres import Server, server, there
from runs import run_id

PASSWORD = secrets.token_hex(12)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    if not there():
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    with server(PASSWORD) as found:
        yield found


@pytest.fixture
def empty(postgres: Server) -> Server:
    postgres.query("DROP TABLE IF EXISTS argosy_objects, argosy_schema")
    return postgres


def test_fifty_processes_that_begin_at_once_lose_nothing(empty: Server) -> None:
    import psycopg  # noqa: F401 (once, for all of them)
    import sqlalchemy  # noqa: F401

    pids = []
    for number in range(50):
        pid = os.fork()
        if pid == 0:
            try:
                store = DatabaseRunLog({"url": empty.url})
                store.put(f"runs/a/{number:02}", bytes(range(256)))
                store.append("runs/a/all", b".")
                assert store.get(f"runs/a/{number:02}") == bytes(range(256))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        pids.append(pid)
    assert {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids} == {0}
    store = DatabaseRunLog({"url": empty.url})
    assert store.list("runs/a/")[:2] == ["runs/a/00", "runs/a/01"]
    assert len(store.list("runs/")) == 51
    assert store.get("runs/a/all") == b"." * 50
    assert empty.query("SELECT version FROM argosy_schema") == "1"


def test_a_connection_that_was_cut_is_made_again(empty: Server) -> None:
    store = DatabaseRunLog({"url": empty.url})
    store.put("a", b"1")
    empty.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'argosy'"
    )
    store.put("a", b"2")
    assert store.get("a") == b"2"
    store.release()
    time.sleep(0.2)
    held = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'argosy'"
    assert empty.query(held) == "0"


def test_a_wrong_password_is_said_at_once_and_not_shown(empty: Server) -> None:
    began = time.monotonic()
    with pytest.raises(ServiceError, match="password authentication failed") as raised:
        DatabaseRunLog({"url": empty.url.replace(PASSWORD, "wrong-one")}).get("a")
    assert "wrong-one" not in str(raised.value)
    assert time.monotonic() - began < retry.BUDGET / 10


def test_a_run_here_is_kept_resumed_and_removed(empty: Server, tmp_path: Path) -> None:
    """The URL is a secret of the provider that there is by default."""
    said = try_out(tmp_path, {"url_secret": "DB_URL"}, DB_URL=empty.url)
    assert PASSWORD not in said
    dump = empty.query("SELECT string_agg(encode(data, 'escape'), '') FROM argosy_objects")
    assert PASSWORD not in dump


def test_pods_write_to_it(
    empty: Server, new_cluster: Callable[[], Cluster], tmp_path: Path
) -> None:
    """The tests' pods share the network of this machine, and so its loopback."""
    cluster = new_cluster()
    definition: dict[str, Any] = {
        "name": "in-a-database",
        "parameters": {"xs": [1, 2]},
        "dag": {
            "steps": {
                "m": {
                    "type": "map",
                    "iterate_on": "xs",
                    "iterate_as": "x",
                    "branch": {
                        "steps": {
                            "a": {
                                "type": "task",
                                "command_type": "shell",
                                "command": "env; export ARGOSY_PRM_y=$((ARGOSY_PRM_x + 1))",
                                "returns": ["y"],
                            }
                        }
                    },
                },
                "z": {
                    "type": "task",
                    "command_type": "shell",
                    "command": 'export ARGOSY_PRM_seen="$ARGOSY_PRM_y"',
                    "depends_on": ["m"],
                    "returns": ["seen"],
                },
            }
        },
    }
    executor = {
        "image": IMAGE,
        "image_pull_policy": "IfNotPresent",
        "namespace": cluster.namespace,
    }
    configuration = {
        "executor": {"type": "argo", "config": executor},
        "run_log_store": {"type": "db", "config": {"url_secret": "DB_URL"}},
        "secrets": {"type": "kubernetes", "config": {"objects": {"DB_URL": "database/url"}}},
    }
    mine = {"secrets": {"type": "env", "config": None}}
    for name, content in (("p", definition), ("argo", configuration), ("mine", mine)):
        (tmp_path / f"{name}.yaml").write_text(json.dumps(content))
    rendered = argosy("render", "p.yaml", "-c", "argo.yaml", "-o", "manifests", cwd=tmp_path)
    assert rendered.returncode == 0, rendered.stderr
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "database"},
        "stringData": {"url": empty.url},
    }
    cluster.create(secret)
    cluster.apply(tmp_path / "manifests")
    workflow = cluster.wait(cluster.submit("in-a-database"))
    assert workflow["status"]["phase"] == "Succeeded", cluster.report("in-a-database")

    run = run_id("in-a-database", workflow)
    options = ("-c", "argo.yaml", "-c", "mine.yaml")
    shown = argosy("show", run, "-o", "json", *options, cwd=tmp_path, DB_URL=empty.url)
    document = json.loads(shown.stdout)
    assert (document["status"], document["parameters"]["seen"]) == ("succeeded", [2, 3])
    logs = argosy("logs", run, *options, cwd=tmp_path, DB_URL=empty.url).stdout
    assert "ARGOSY_RUN_ID" in logs, "the step shows its environment"
    assert PASSWORD not in logs + cluster.logs("in-a-database")
    assert PASSWORD not in json.dumps(workflow)
    assert cluster.get("configmaps", "-l", "argosy.dev/run")["items"] == []
    refused = argosy("show", run, "-c", "argo.yaml", cwd=tmp_path)
    assert "secrets: {type: env" in refused.stderr
