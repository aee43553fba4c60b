"""Run log and catalog in S3, on a server in this process that has faults on demand."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime import retry
from argosy.runtime.aws import KEYS
from argosy.runtime.catalogs import s3 as catalogs
from argosy.runtime.catalogs.s3 import S3Catalog
from argosy.runtime.errors import NodeError, ServiceError, TaskError
from argosy.runtime.run_logs.s3 import S3RunLog
from s3_server import BEGINNING, CUT, S3Server, running


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[S3Server]:
    """A server, and credentials for it in the environment and nowhere else."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(KEYS[0], "key")
    monkeypatch.setenv(KEYS[1], "never-to-be-seen")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with running() as found:
        yield found


def config(server: S3Server, **more: Any) -> dict[str, Any]:
    return {"bucket": "b", "prefix": "a/b", "endpoint_url": server.url, **more}


@pytest.fixture
def store(server: S3Server) -> S3RunLog:
    return S3RunLog(config(server))


@pytest.fixture
def catalog(server: S3Server) -> S3Catalog:
    return S3Catalog(config(server))


def test_a_run_log_gives_back_what_was_put(server: S3Server, store: S3RunLog) -> None:
    assert store.get("runs/x/run.json") is None
    store.put("runs/x/run.json", b"one")
    store.put("runs/x/run.json", b"two")
    assert store.get("runs/x/run.json") == b"two"
    assert [*server.objects] == ["b/a/b/runs/x/run.json"]


def test_a_run_log_lists_appends_and_deletes(server: S3Server, store: S3RunLog) -> None:
    for key in ("runs/x%2F/1", "runs/x%2F/10", "runs/y/1"):
        store.append(key, b"a")
    store.append("runs/y/1", b"b")
    assert store.list("runs/x%2F/") == ["runs/x%2F/1", "runs/x%2F/10"]
    assert store.list("runs/x%2F/1") == ["runs/x%2F/1", "runs/x%2F/10"]
    assert store.list("") == ["runs/x%2F/1", "runs/x%2F/10", "runs/y/1"]
    assert store.get("runs/y/1") == b"ab"
    store.delete("runs/y/1")
    assert store.list("runs/y") == []


def test_without_a_prefix_keys_are_as_they_are(server: S3Server) -> None:
    store = S3RunLog(config(server, prefix=""))
    store.put("runs/x", b"")
    assert [*server.objects] == ["b/runs/x"]
    assert store.list("runs/") == ["runs/x"]


@pytest.mark.parametrize("fault", [500, 503, 429, CUT, BEGINNING])
def test_what_passes_is_tried_again(server: S3Server, store: S3RunLog, fault: Any) -> None:
    server.faults = [fault]
    store.put("k", b"data")
    server.faults = [fault, fault]
    assert store.get("k") == b"data"


def test_what_does_not_pass_is_said_with_the_way_out(
    server: S3Server, store: S3RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BUDGET", 0.2)
    server.faults = [503] * 50
    with pytest.raises(ServiceError, match=r"s3://b/a/b: cannot write k: it answers .*\(tried for"):
        store.put("k", b"")
    server.faults = [403]
    with pytest.raises(ServiceError, match="credentials need s3:GetObject") as denied:
        store.get("k")
    server.server.server_close()
    server.server.shutdown()
    with pytest.raises(ServiceError, match=r"Could not connect .* is it up") as refused:
        S3RunLog(store.config).get("k")
    assert "never-to-be-seen" not in f"{denied.value}{refused.value}"


@pytest.mark.parametrize("status", [507, 501])
def test_what_stays_as_it_is_is_said_at_once(
    server: S3Server, store: S3RunLog, status: int
) -> None:
    server.faults = [status]
    with pytest.raises(ServiceError, match="it answers InternalError") as full:
        store.put("k", b"")
    assert len(server.requests) == 1
    assert ("make room there" in str(full.value)) == (status == 507)


def test_a_server_that_comes_back_is_no_fault(server: S3Server, store: S3RunLog) -> None:
    store.put("k", b"data")
    port = server.server.server_address[1]
    server.server.shutdown()
    server.server.server_close()
    store.client.close()
    back: list[S3Server] = []

    def restart() -> None:
        back.append(S3Server(port))
        back[0].objects = server.objects
        back[0].server.serve_forever(0.02)

    thread = threading.Timer(1.0, restart)
    thread.start()
    assert store.get("k") == b"data"
    back[0].server.shutdown()
    back[0].server.server_close()
    thread.join()


def test_a_slow_server_is_given_up_and_asked_again(
    server: S3Server, store: S3RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.runtime.aws.READ", 0.2)
    server.faults = [1.0]
    store.put("k", b"data")
    assert server.kinds() == ["PUT", "PUT"]


def test_wrong_configurations_are_errors_that_trying_again_cannot_help(
    server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NodeError, match=r"has no bucket; name one: catalog: \{type: s3"):
        S3Catalog({})
    with pytest.raises(NodeError, match="takes no 'aws_secret_access_key': keys do not belong"):
        S3RunLog({"bucket": "b", "aws_secret_access_key": "never-to-be-seen"})
    with pytest.raises(NodeError, match=r"profile .*nobody.* could not be found"):
        S3RunLog(config(server, profile="nobody")).get("k")
    monkeypatch.delenv(KEYS[0])
    monkeypatch.delenv(KEYS[1])
    with pytest.raises(NodeError, match="Unable to locate credentials; AWS's usual places are /"):
        S3RunLog(config(server)).get("k")
    monkeypatch.setitem(sys.modules, "botocore.config", None)
    with pytest.raises(NodeError, match=r"pip install 'argosy\[aws\]'"):
        S3RunLog(config(server)).get("k")


def test_the_credentials_file_in_use(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, environment, home = (tmp_path / name for name in ("mine", "environment", "home"))
    for file in (mine, environment, home / ".aws" / "credentials"):
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text("[default]\naws_access_key_id = k\naws_secret_access_key = s\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(environment))
    store = S3RunLog(config(server, credentials_file=str(mine)))
    assert store.get_aws_credentials_file() == str(mine)
    store.put("k", b"")
    store.config["credentials_file"] = None
    assert store.get_aws_credentials_file() == str(environment)
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE")
    assert store.get_aws_credentials_file() == str(home / ".aws" / "credentials")
    (home / ".aws" / "credentials").unlink()
    with pytest.raises(NodeError, match=r"no AWS credentials file .*: `aws configure` makes one"):
        store.get_aws_credentials_file()


def test_a_step_with_one_predecessor_costs_five_requests_and_no_listing(
    server: S3Server, run: Any
) -> None:
    run.config["run_log_store"] = {"type": "s3", "config": config(server)}
    run.config["catalog"] = {"type": "s3", "config": config(server)}
    printing = {
        "command_type": "shell",
        "command": "echo; export ARGOSY_PRM_x=$((ARGOSY_PRM_x + 1))",
    }
    assert run.exec("first", from_=[""], **printing).status == 0
    server.requests.clear()
    assert run.exec("second", from_=["first"], **printing).status == 0
    assert server.kinds() == ["GET", "PUT", "PUT", "PUT", "PUT"]
    places = [request.split("/")[5] for request in server.requests]
    assert places == ["state", "steps", "steps", "state", "steps"]
    assert ".log/" in server.requests[2]


def test_output_that_cannot_be_kept_now_is_kept_later(
    server: S3Server, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.runtime.output.INTERVAL", 0.1)
    run.config["run_log_store"] = {"type": "s3", "config": config(server)}
    server.faults = [None] + [503] * 6
    done = run.exec("a", command_type="shell", command="echo one; sleep 0.5; echo two")
    assert done.status == 0
    chunks = [data for key, data in sorted(server.objects.items()) if ".log/" in key]
    assert b"".join(chunks) == b"one\ntwo\n"


def test_a_run_log_that_stays_away_is_exit_status_3(
    server: S3Server, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BUDGET", 0.3)
    run.config["run_log_store"] = {"type": "s3", "config": config(server)}
    server.faults = [503] * 100
    done = run.exec("a", command_type="shell", command="true")
    assert done.status == 3
    assert "cannot write runs/churn-1/steps/a/" in done.err
    assert "never-to-be-seen" not in done.err


def sha_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, bytes]:
    """A file of several parts: of 5 MiB each, as S3's smallest are."""
    monkeypatch.setattr(catalogs, "PART", 5 << 20)
    data = os.urandom(1 << 20) * 13
    path = tmp_path / "large"
    path.write_bytes(data)
    return path, data


def test_a_catalog_keeps_a_file_once(server: S3Server, catalog: S3Catalog, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"1,2")
    catalog.put(sha_of(b"1,2"), str(path))
    catalog.put(sha_of(b"1,2"), str(path))
    assert server.kinds() == ["HEAD", "PUT", "HEAD"]
    target = tmp_path / "new" / "folder" / "b.csv"
    catalog.get(sha_of(b"1,2"), str(target))
    assert target.read_bytes() == b"1,2"
    assert [*target.parent.iterdir()] == [target], "nothing is left beside it"
    catalog.delete(sha_of(b"1,2"))
    assert not server.objects


def test_a_large_file_goes_in_parts(
    server: S3Server, catalog: S3Catalog, large: tuple[Path, bytes], tmp_path: Path
) -> None:
    path, data = large
    catalog.put(sha_of(data), str(path))
    assert server.kinds() == ["HEAD", "POST", "PUT", "PUT", "PUT", "POST"]
    assert [*server.objects.values()] == [data]
    catalog.get(sha_of(data), str(tmp_path / "back"))
    assert server.kinds()[6:].count("GET") == 3
    assert (tmp_path / "back").read_bytes() == data


@pytest.mark.parametrize("fault", [503, CUT, BEGINNING])
def test_a_transfer_goes_on_after_faults(
    server: S3Server, catalog: S3Catalog, large: tuple[Path, bytes], tmp_path: Path, fault: Any
) -> None:
    path, data = large
    server.faults = [fault, None, None, fault, fault, None, None, fault]
    catalog.put(sha_of(data), str(path))
    server.faults = [None, None, fault, fault]
    catalog.get(sha_of(data), str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data
    assert len(server.requests) < 40


@pytest.mark.parametrize("size", [1 << 20, 10 << 20, 13 << 20])
def test_what_changes_while_it_is_kept_is_never_there(
    server: S3Server, catalog: S3Catalog, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogs, "PART", 5 << 20)
    path = tmp_path / "a"
    path.write_bytes(b"\0" * size)
    with pytest.raises(TaskError, match="changed while it was kept"):
        catalog.put(sha_of(b"old"), str(path))
    assert not server.objects
    assert not server.uploads, "an upload in parts is aborted"


def test_a_damaged_or_missing_file_is_never_given(
    server: S3Server, catalog: S3Catalog, tmp_path: Path
) -> None:
    sha = sha_of(b"good")
    with pytest.raises(ServiceError, match="is not there; was it removed"):
        catalog.get(sha, str(tmp_path / "a"))
    server.objects[f"b/a/b/blobs/{sha}"] = b"bad"
    with pytest.raises(ServiceError, match="is damaged"):
        catalog.get(sha, str(tmp_path / "a"))
    assert [*tmp_path.iterdir()] == []


def test_an_upload_whose_last_answer_was_cut_is_done(
    server: S3Server, catalog: S3Catalog, large: tuple[Path, bytes]
) -> None:
    path, data = large
    server.faults = [None] * 5 + [CUT]
    catalog.put(sha_of(data), str(path))
    assert [*server.objects.values()] == [data]


def test_a_child_that_was_forked_has_connections_of_its_own(
    server: S3Server, store: S3RunLog
) -> None:
    store.put("k", b"parent")
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            for _ in range(10):
                store.put(f"child-{number}", str(number).encode())
                good = store.get(f"child-{number}") == str(number).encode()
                if not good:
                    os._exit(1)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert store.get("k") == b"parent"


def test_the_library_is_imported_with_the_first_request() -> None:
    program = (
        "import sys\n"
        "from argosy.runtime.registry import make\n"
        "for kind in ('run_log_store', 'catalog'):\n"
        "    make(kind, {'type': 's3', 'config': {'bucket': 'b'}})\n"
        "print([name for name in sys.modules if name.startswith(('boto', 's3transfer'))])\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
