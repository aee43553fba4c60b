"""The parts of running containers that need no engine."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.executors.containers import engine
from argosy.runtime.executors.containers.build import build, dockerfile, pack
from argosy.runtime.executors.containers.child import Frames
from argosy.runtime.executors.containers.handover import HandOver
from argosy.runtime.executors.containers.options import home_mount, home_of
from argosy.runtime.owner import gone, identity, place


def frame(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize("size", [1, 3, 8, 9, 1000])
def test_frames_come_apart_wherever_they_are_cut(size: int) -> None:
    whole = frame(1, b"one\n") + frame(2, b"") + frame(2, b"two" * 50) + frame(1, b"\0\1")
    frames = Frames()
    parts = [frames.feed(whole[at : at + size]) for at in range(0, len(whole), size)]
    assert b"".join(parts) == b"one\n" + b"two" * 50 + b"\0\1"


def test_a_process_is_known_by_more_than_its_number() -> None:
    assert not gone(identity(os.getpid()))
    assert gone(f"{os.getpid()} 1")
    assert gone("not a process")
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = identity(child.pid)
    assert not gone(name)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert gone(name), "it ended, though nobody has asked how"
    child.communicate()
    assert gone(name)


def test_secrets_lie_in_a_private_folder_while_they_are_needed(tmp_path: Path) -> None:
    hand_over = HandOver(str(tmp_path))
    folder = Path(hand_over.give({"A": "one\r\ntwo\udcff"}))
    (private,) = tmp_path.iterdir()
    assert private.stat().st_mode & 0o777 == 0o700
    assert folder.parent == private
    assert (folder / "A").read_bytes() == b"one\r\ntwo\xff"
    # The container's user, whoever that is, reads and does not write.
    assert (folder.stat().st_mode & 0o777, (folder / "A").stat().st_mode & 0o777) == (0o555, 0o444)
    hand_over.sweep()
    assert folder.exists(), "its owner lives"
    hand_over.take(str(folder))
    assert not folder.exists()
    hand_over.close()
    assert [*tmp_path.iterdir()] == []


def test_secrets_of_a_process_that_is_gone_are_swept(tmp_path: Path) -> None:
    left, elsewhere, other = (tmp_path / name for name in ("argosy-1", "argosy-2", "argosy-3"))
    for folder, owner in ((left, f"0 0\n{place()}"), (elsewhere, "0 0\nanother machine")):
        folder.mkdir()
        (folder / "owner").write_text(owner)
    other.mkdir()
    HandOver(str(tmp_path)).sweep()
    assert sorted(tmp_path.iterdir()) == [elsewhere, other]


@pytest.mark.parametrize(
    ("user", "environment", "binds", "home"),
    [
        ("0:0", {}, [], ""),
        ("app", {}, [], ""),
        ("1000:1000", {"HOME": "/x"}, [], ""),
        ("1000:1000", {}, ["/rooted"], "/home/argosy"),
        ("1000", {}, ["/root/.aws/credentials"], "/root"),
    ],
)
def test_a_user_whom_the_image_does_not_know_has_a_home(
    user: str, environment: dict[str, str], binds: list[str], home: str
) -> None:
    assert home_of(user, environment, binds) == home


def test_the_home_is_the_users_unless_one_is_mounted() -> None:
    found = home_mount("/root", "1000", ["/root/.aws/credentials"])
    assert found == {"/root": "rw,exec,mode=0700,uid=1000,gid=0"}
    assert home_mount("/root", "1000", ["/root/"]) == {}


class Client:
    """An engine's client: what it has, and what was removed."""

    def __init__(self, *containers: dict[str, Any], images: tuple[str, ...] = ()) -> None:
        self.found = containers
        self.images = images
        self.removed: list[str] = []
        self.pulled: list[tuple[str, str | None]] = []
        self.told: list[dict[str, Any]] = []
        self.built: bytes = b""

    def containers(self, **_: Any) -> tuple[dict[str, Any], ...]:
        return self.found

    def remove_container(self, name: str, **_: Any) -> None:
        self.removed.append(name)

    def inspect_image(self, name: str) -> dict[str, Any]:
        if name not in self.images:
            error = OSError("no such image")
            error.status_code = 404  # type: ignore[attr-defined]
            raise error
        return {"Config": {}}

    def pull(self, name: str, tag: str | None, **_: Any) -> list[dict[str, Any]]:
        self.pulled.append((name, tag))
        return self.told

    def build(self, fileobj: Any, **_: Any) -> list[dict[str, Any]]:
        self.built = fileobj.read()
        return self.told


def an_engine(client: Client) -> engine.Engine:
    return engine.Engine(client, lambda _: None)


def test_only_containers_of_the_gone_are_swept() -> None:
    def container(name: str, launcher: str, where: str, state: str) -> dict[str, Any]:
        labels = {engine.LAUNCHER: launcher, engine.PLACE: where}
        return {"Id": name, "State": state, "Labels": labels}

    client = Client(
        container("mine", identity(os.getpid()), place(), "running"),
        container("gone", "0 0", place(), "running"),
        container("elsewhere", "0 0", "another machine", "running"),
        container("before", "0 0", "another boot", "exited"),
    )
    an_engine(client).sweep()
    assert client.removed == ["gone", "before"]


@pytest.mark.parametrize(
    ("images", "policy", "pulled"),
    [
        ((), "missing", [("r/i", "1")]),
        (("r/i:1",), "missing", []),
        (("r/i:1",), "always", [("r/i", "1")]),
        (("r/i:1",), "never", []),
    ],
)
def test_an_image_is_pulled_as_its_policy_says(
    images: tuple[str, ...], policy: str, pulled: list[Any]
) -> None:
    client = Client(images=images)
    an_engine(client).bring("r/i:1", policy, own=False)
    assert client.pulled == pulled


@pytest.mark.parametrize(
    ("policy", "own", "said"),
    [
        ("never", False, "pull_policy is never"),
        ("missing", False, "cannot pull image r/i:1: denied; .*docker login"),
        ("always", True, "argosy run --build"),
    ],
)
def test_an_image_that_cannot_be_had_names_the_way_out(policy: str, own: bool, said: str) -> None:
    client = Client()
    client.told = [{"status": "Pulling"}, {"error": "denied"}]
    with pytest.raises(NodeError, match=said):
        an_engine(client).bring("r/i:1", policy, own)
    assert not (own and client.pulled), "nobody else has it"


def test_a_fault_of_the_engine_is_one_of_a_service() -> None:
    class Broken(Client):
        def containers(self, **_: Any) -> Any:
            raise ConnectionRefusedError(111, "Connection refused")

    with pytest.raises(ServiceError, match="Docker: cannot list containers: Connection refused"):
        an_engine(Broken()).sweep()


def test_without_the_package_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(NodeError, match=r"pip install 'argosy\[container\]'"):
        engine.connect()


def test_a_folder_to_write_to_is_made_and_one_to_read_must_be_there(tmp_path: Path) -> None:
    engine.make_sources({f"{tmp_path}/a/b": {"bind": "/x", "mode": "rw"}})
    engine.make_sources({"a-volume": {"bind": "/x", "mode": "ro"}})
    assert (tmp_path / "a/b").is_dir()
    with pytest.raises(NodeError, match=r"there is no .*/c, which is mounted at /x"):
        engine.make_sources({f"{tmp_path}/c": {"bind": "/x", "mode": "ro"}})


def plan(folder: Path, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "image": "i",
        "dockerfile": None,
        "base": "python:3.12-slim",
        "requires": [],
    }
    return {**made, "context": str(folder), **more}


def test_a_dockerfile_is_made_of_what_a_project_has(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match=r"no Dockerfile, requirements.txt or pyproject.toml"):
        dockerfile(tmp_path, "b", [])
    (tmp_path / "pyproject.toml").touch()
    assert "COPY . .\nRUN pip install --no-cache-dir .\n" in dockerfile(tmp_path, "b", [])
    (tmp_path / "requirements.txt").write_text("numpy\n")
    found = dockerfile(tmp_path, "b", ["boto3>=1.40"])
    assert found.startswith("FROM b\n")
    assert "RUN pip install --no-cache-dir 'boto3>=1.40'\nCOPY requirements.txt ./\n" in found
    (tmp_path / "requirements.txt").write_text("-r more.txt\n")
    assert "COPY . .\nRUN pip install --no-cache-dir -r" in dockerfile(tmp_path, "b", [])


def test_what_is_not_the_projects_stays_out_of_the_image(tmp_path: Path) -> None:
    for name in ("jobs.py", ".env", ".git/config", ".argosy/runs/x", ".venv/x", "data/x.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")

    def packed(own: str | None, made: str | None) -> dict[str, tarfile.TarInfo]:
        file = io.BytesIO()
        pack(file, tmp_path, own, made)
        file.seek(0)
        with tarfile.open(fileobj=file) as archive:
            return {each.name: each for each in archive}

    found = packed(None, "FROM x")
    theirs = {name for name in found if not name.startswith(".argosy-image") and name != "."}
    assert theirs == {"jobs.py", "data", "data/x.csv"}
    assert ".argosy-image/argosy/runtime/execute.py" in found
    assert found["data"].mode & 0o777 == 0o777, "whoever runs the pipeline writes there"
    assert {each.uid for each in found.values()} == {0}
    (tmp_path / ".dockerignore").write_text("# ours\ndata\n")
    assert {"jobs.py", ".env", ".git/config"} <= packed("Dockerfile", None).keys()
    assert not {"data/x.csv", ".argosy/runs/x"} & packed("Dockerfile", None).keys()


def test_a_build_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match=r"there is no .*/other; dockerfile is relative"):
        build(an_engine(Client()), plan(tmp_path, dockerfile="other"))
    (tmp_path / "Dockerfile").write_text("FROM x")
    client = Client()
    client.told = [{"stream": "Step 1\n"}, {"error": "no such base\n"}]
    with pytest.raises(NodeError, match=r"cannot build i: no such base$"):
        build(an_engine(client), plan(tmp_path))
    assert b"FROM x" in client.built
