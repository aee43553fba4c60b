"""The executor local-container on a real Docker engine: a pipeline does as it does here, and leaves
nothing behind. Without an engine with the image to test these are skipped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime.executors.containers.handover import memory
from cluster import IMAGE
from examples import ARGOSY, EXAMPLES, Example, argosy, copy, run_here
from plugins import WORD_FOR_WORD
from runs import result, shown

BASE = "localhost/argosy-test-python:3.11"
UID = 4321
Steps = Mapping[str, Mapping[str, Any]]


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], check=check, capture_output=True, text=True)


def ready() -> bool:
    try:
        return docker("image", "inspect", IMAGE, check=False).returncode == 0
    except FileNotFoundError:
        return False


if not ready():
    reason = f"no Docker engine with the image {IMAGE}: `make e2e` makes it"
    pytest.skip(reason, allow_module_level=True)


@pytest.fixture(scope="session", autouse=True)
def _cluster_is_there() -> None:
    """None is needed here."""


def containers(run: str, step: str = "") -> list[str]:
    """The containers of runs whose id begins so; of one step's only."""
    only = ("-f", f"label=argosy.step={step}") if step else ()
    shape = ("--format", '{{.ID}} {{.Label "argosy.run"}}')
    lines = docker("ps", "-a", *only, *shape).stdout.splitlines()
    return [line.split()[0] for line in lines if line.partition(" ")[2].startswith(run)]


class Place:
    """A folder with one pipeline, whose name no other run has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"t{uuid.uuid4().hex[:8]}"
        self.prefix: list[str] = []
        self.environment: dict[str, str] = {}

    def write(self, steps: Steps, **config: Any) -> None:
        """`config` is the executor's; services go by their names."""
        services = {name: config.pop(name) for name in SERVICES if name in config}
        config = {"image": IMAGE, "network": "host", **config}
        document = {"executor": {"type": "local-container", "config": config}, **services}
        (self.folder / "container.yaml").write_text(json.dumps(document))
        dag = {
            "steps": {n: {"type": "task", "command_type": "shell", **s} for n, s in steps.items()}
        }
        (self.folder / "pipeline.yaml").write_text(json.dumps({"name": self.name, "dag": dag}))

    def not_as_root(self) -> None:
        """Has the command run as somebody else, where these tests run as root."""
        self.environment["HOME"] = str(self.folder)
        if os.getuid():
            return
        group = Path(os.environ["DOCKER_HOST"].removeprefix("unix://")).stat().st_gid
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, UID, UID)
        # The interpreter may be where this user cannot go.
        self.prefix = ["setpriv", f"--reuid={UID}", f"--regid={UID}", f"--groups={group}"]
        self.prefix += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.prefix, *ARGOSY, "run", "pipeline.yaml", "-c", "container.yaml", *options],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *options: str) -> tuple[int, str, str]:
        process = self.start(*options)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def good(self, *options: str) -> dict[str, Any]:
        """Runs it, and gives what `argosy show` says."""
        status, _, err = self.run(*options)
        assert status == 0, err
        return self.shown()

    def shown(self) -> dict[str, Any]:
        return shown("latest", self.folder)

    def attempts(self, step: str) -> list[dict[str, Any]]:
        steps = {each["step"]: each["attempts"] for each in self.shown()["steps"]}
        found: list[dict[str, Any]] = steps[step]
        return found

    def parameters(self, *options: str) -> dict[str, Any]:
        found: dict[str, Any] = self.good(*options)["parameters"]
        return found


SERVICES = "run_log_store", "catalog", "secrets", "plugins"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    tmp_path.chmod(0o755)
    found = Place(tmp_path)
    yield found
    left = containers(found.name)
    if left:
        docker("rm", "-f", *left)
    assert not left


def until(what: Any, seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_ends_as_it_does_here(example: Example, tmp_path: Path) -> None:
    here, there = (copy(Path(tmp_path, name)) for name in ("here", "there"))
    run_here(example, here)
    config = {"image": IMAGE, "network": "host"}
    document = {"executor": {"type": "local-container", "config": config}}
    (there / "container.yaml").write_text(json.dumps(document))
    definition = f"{example.name}/pipeline.yaml"
    done = argosy("run", definition, "-c", "container.yaml", cwd=there, **example.environment)
    assert done.returncode == 0, done.stderr
    found = result(shown("latest", there))
    assert found == result(shown("latest", here))
    assert found.parameters == example.parameters


def test_files_belong_to_who_runs_the_pipeline(place: Place) -> None:
    """A step writes to what is mounted, to its working folder, and to its home."""
    command = "id -u > /out/uid; echo 1 > table.csv; echo 1 > ~/x && export ARGOSY_PRM_home=$HOME"
    put = {"a": {"command": command, "catalog": {"put": ["*.csv"]}}}
    place.write(put, volumes={str(place.folder / "out"): "/out"})
    place.not_as_root()
    found = place.good()
    uid = UID if os.getuid() == 0 else os.getuid()
    assert (place.folder / "out/uid").read_text() == f"{uid}\n"
    owners = {path.stat().st_uid for path in place.folder.rglob("*")}
    assert owners == {uid}
    assert found["parameters"]["home"] == "/home/argosy"
    assert [*found["catalog"]] == ["table.csv"]


def test_output_comes_as_it_is_printed_and_whole(place: Place) -> None:
    place.write({"a": {"command": "echo one; sleep 2; echo two; seq 200000"}})
    process = place.start()
    assert process.stderr
    seen: dict[str, float] = {}
    count = 0
    for line in process.stderr:
        seen.setdefault(line.strip(), time.monotonic())
        count += line.startswith("a | ")
    assert process.wait() == 0
    assert seen["a | two"] - seen["a | one"] > 1.5
    assert count == 200_002


def test_a_step_that_takes_too_much_memory_is_recorded_and_tried_again(place: Place) -> None:
    command = """python -c 'b"x" * (200 << 20)'"""
    step = {"command_type": "shell", "command": f"exec {command}", "retry": {"max_attempts": 2}}
    place.write({"a": step}, resources={"memory": "64m"})
    assert place.run()[0] == 1
    found = place.attempts("a")
    assert [(each["status"], each["exit_status"]) for each in found] == [("failed", 137)] * 2


def test_a_runtime_that_is_killed_is_recorded_by_the_launcher(place: Place) -> None:
    place.write({"a": {"command": "kill -9 $PPID; sleep 5"}})
    status, _, err = place.run()
    assert status == 1
    (found,) = place.attempts("a")
    assert (found["status"], found["exit_status"]) == ("failed", 137)
    assert "killed by SIGKILL" in err


def test_a_timeout_is_kept_and_tried_again(place: Place) -> None:
    command = "echo x >> /out/tries; [ $(wc -l < /out/tries) -gt 1 ] || sleep 60"
    step = {"command": command, "timeout": "1s", "retry": {"max_attempts": 3}}
    place.write({"a": step}, volumes={str(place.folder / "out"): {"bind": "/out"}})
    place.good()
    found = [(each["status"], each["exit_status"]) for each in place.attempts("a")]
    assert found == [("failed", 124), ("succeeded", 0)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_containers(place: Place, number: int) -> None:
    place.write({"a": {"command": "sleep 60"}, "b": {"command": "sleep 60"}})
    process = place.start()
    until(lambda: len(running := containers(place.name)) == 2 and all_run(running))
    time.sleep(0.5)
    begin = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number, err
    assert time.monotonic() - begin < 10
    assert containers(place.name) == []
    for step in ("a", "b"):
        assert [each["exit_status"] for each in place.attempts(step)] == [128 + number]


def all_run(names: list[str]) -> bool:
    states = docker("inspect", "-f", "{{.State.Running}}", *names, check=False).stdout.split()
    return states == ["true"] * len(names)


def test_what_a_killed_run_left_the_next_one_removes(place: Place) -> None:
    steps = {"a": {"command": "sleep 60", "secrets": ["KEPT"]}}
    place.write(steps)
    place.environment = {"KEPT": f"kept-{uuid.uuid4().hex}"}
    process = place.start()
    (name,) = until(lambda: containers(place.name))
    labels = json.loads(docker("inspect", "-f", "{{json .Config.Labels}}", name).stdout)
    launcher = int(labels["argosy.launcher"].split()[0])
    os.kill(launcher, signal.SIGKILL)
    process.kill()
    process.communicate()
    assert containers(place.name) == [name]
    place.write({"a": {"command": "true"}})
    place.good()
    assert containers(place.name) == []
    assert not secret_files(place.environment["KEPT"])


def secret_files(value: str) -> list[Path]:
    """The files in memory that hold the value."""
    found = [path for path in Path(memory()).rglob("ARGOSY_SECRET_*") if path.is_file()]
    return [path for path in found if path.read_text() == value]


def test_a_secret_is_seen_by_its_step_and_nobody_else(place: Place) -> None:
    secret = f"hush-{uuid.uuid4().hex}"
    spy = "ls /run/argosy/secrets 2>/dev/null || export ARGOSY_PRM_none=nothing"
    tell = 'sleep 2; echo "it is $DB"; export ARGOSY_PRM_size=${#DB}'
    place.write({"a": {"command": tell, "secrets": ["DB"]}, "b": {"command": spy}})
    place.environment = {"DB": secret}
    process = place.start()
    (name,) = until(lambda: containers(place.name, "a"))
    (file,) = secret_files(secret)
    assert file.parent.parent.stat().st_mode & 0o77 == 0
    found = docker("inspect", name).stdout
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += path.read_text(errors="replace")
        except OSError:
            continue
    assert secret not in found
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "a | it is ***" in err
    assert secret not in out + err
    document = place.shown()
    assert document["parameters"] == {"size": len(secret), "none": "nothing"}
    assert secret not in "".join(
        path.read_text() for path in place.folder.rglob("*") if path.is_file()
    )
    assert not secret_files(secret)


def test_a_file_of_secrets_is_mounted(place: Place) -> None:
    (place.folder / "my.env").write_text("DB=from a file\n")
    secrets = {"type": "dotenv", "config": {"location": "my.env"}}
    step = {"command": "export ARGOSY_PRM_size=${#DB}", "secrets": ["DB"]}
    place.write({"a": step}, secrets=secrets)
    assert place.parameters() == {"size": 11}


def test_a_step_has_what_it_overrides(place: Place) -> None:
    command = (
        "export ARGOSY_PRM_{0}=$PWD:$A:$B:$(cat /sys/fs/cgroup/memory/memory.limit_in_bytes "
        "/sys/fs/cgroup/memory.max 2>/dev/null):$(ls /data 2>/dev/null)"
    )
    (place.folder / "data").mkdir()
    (place.folder / "data/file").touch()
    over = {"environment": {"B": "3"}, "resources": {"memory": "96m"}, "working_dir": "/usr"}
    over["volumes"] = {"data": None, "./data": None}
    place.write(
        {
            "a": {"command": command.format("a")},
            "b": {"command": command.format("b"), "overrides": {"local-container": over}},
        },
        environment={"A": "1", "B": "2"},
        resources={"memory": "80m"},
        volumes=["./data:/data:ro"],
    )
    found = place.parameters()
    assert found == {
        "a": f"/examples:1:2:{80 << 20}:file",
        "b": f"/usr:1:3:{96 << 20}:",
    }


@pytest.mark.parametrize(
    ("config", "environment", "said"),
    [
        ({}, {"DOCKER_HOST": "unix:///nowhere.sock"}, "cannot reach Docker at .*nowhere.sock"),
        ({"image": "localhost/none:1", "pull_policy": "never"}, {}, "no image localhost/none:1"),
        ({"image": "localhost:9/none:1"}, {}, "cannot pull image localhost:9/none:1"),
        ({"image": None}, {}, "no image is configured.*--build"),
        ({"volumes": ["./none:/data:ro"]}, {}, "there is no .*/none, which is mounted at /data"),
    ],
)
def test_what_is_missing_is_said_before_the_first_step(
    place: Place, config: dict[str, Any], environment: dict[str, str], said: str
) -> None:
    place.write({"a": {"command": "true"}}, **config)
    place.environment = environment
    status, out, err = place.run()
    assert (status, out) == (1, "")
    assert re.search(said, err), err
    assert "started" not in err


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"command": "no-such-program"}, "no-such-program"),
        ({"image": BASE, "command": "python3 -m argosy.runtime"}, "is Argosy in its image?"),
    ],
)
def test_an_image_that_cannot_run_a_step_fails_it(
    place: Place, config: dict[str, Any], said: str
) -> None:
    place.write({"a": {"command": "true"}}, **config)
    status, _, err = place.run()
    assert status == 1
    assert said in err


def test_the_image_is_built_of_the_project(place: Place) -> None:
    (place.folder / "requirements.txt").write_text("# nothing but the standard library\n")
    (place.folder / "jobs.py").write_text(
        "def job():\n    return {'x': open('out', 'w').write('1')}\n"
    )
    (place.folder / ".env").write_text("not for the image")
    steps: Steps = {
        "a": {"command_type": "python", "command": "jobs.job", "returns": ["x"]},
        "b": {"command": "export ARGOSY_PRM_files=$(ls -A)"},
    }
    place.write(steps, image=None, build={"base": BASE})
    try:
        found = place.parameters("--build")
        assert (found["x"], "jobs.py" in found["files"]) == (1, True)
        assert not {".env", ".argosy", ".argosy-image"} & set(found["files"].split())
        assert place.parameters()["x"] == 1  # it stays
    finally:
        docker("rmi", "-f", f"localhost/argosy-{place.name}", check=False)


def test_the_image_is_built_from_a_dockerfile(place: Place) -> None:
    image = f"localhost/argosy-test:{place.name}"
    (place.folder / "docker").mkdir()
    (place.folder / "docker/File").write_text(f"FROM {IMAGE}\nRUN echo built > /built\n")
    steps = {"a": {"command": "export ARGOSY_PRM_x=$(cat /built)"}}
    place.write(steps, image=image, build={"dockerfile": "docker/File"})
    try:
        assert place.parameters("--build") == {"x": "built"}
        (place.folder / "docker/File").write_text(f"FROM {IMAGE}\nRUN echo why; false\n")
        status, _, err = place.run("--build")
        assert status == 1
        assert "build | why" in err
        assert f"cannot build {image}" in err
    finally:
        docker("rmi", "-f", image, check=False)


READ = {"a": {"command": 'export ARGOSY_PRM_found=$(grep -c "" "$HOME/.aws/credentials")'}}


def with_plugin(place: Place) -> None:
    (place.folder / "plugins").mkdir()
    (place.folder / "plugins/theirs.py").write_text(WORD_FOR_WORD)
    credentials = place.folder / "credentials"
    credentials.write_text(
        "[default]\n"
        f"aws_access_key_id = {os.environ.get('ARGOSY_TEST_S3_KEY', 'key')}\n"
        f"aws_secret_access_key = {os.environ.get('ARGOSY_TEST_S3_SECRET', 'secret')}\n"
    )
    credentials.chmod(0o600)
    place.environment = {
        "PYTHONPATH": str(place.folder / "plugins"),
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
    }


def the_mount_is_seen(place: Place) -> None:
    arguments = ("plan", "pipeline.yaml", "-c", "container.yaml")
    planned = argosy(*arguments, cwd=place.folder, **place.environment)
    assert f"{place.folder}/credentials: /root/.aws/credentials (ro)" in planned.stdout


@pytest.mark.skipif("ARGOSY_TEST_S3_ENDPOINT" not in os.environ, reason="no S3 server")
@pytest.mark.parametrize("root", [True, False])
def test_a_plugin_adapts_s3_for_whoever_runs_it(place: Place, root: bool) -> None:
    boto3 = import_module("boto3")
    with_plugin(place)
    endpoint, bucket = os.environ["ARGOSY_TEST_S3_ENDPOINT"], f"argosy-{place.name}"
    session = boto3.session.Session(
        os.environ["ARGOSY_TEST_S3_KEY"], os.environ["ARGOSY_TEST_S3_SECRET"]
    )
    kept = session.resource("s3", endpoint_url=endpoint, region_name="us-east-1").Bucket(bucket)
    kept.create()
    config = {"bucket": bucket, "endpoint_url": endpoint, "region": "us-east-1"}
    catalog = {"type": "do-nothing"}
    store = {"type": "s3", "config": config}
    place.write(READ, run_log_store=store, catalog=catalog, plugins=["theirs"])
    arguments = ("plan", "pipeline.yaml", "-c", "container.yaml")
    planned = argosy(*arguments, cwd=place.folder, **place.environment)
    assert f"{place.folder}/credentials: /root/.aws/credentials (ro)" in planned.stdout
    if not root:
        place.not_as_root()
    try:
        status, out, err = place.run()
        assert status == 0, err
        assert "found: 3" in out
        assert any(each.key.endswith("run.json") for each in kept.objects.all())
    finally:
        kept.objects.delete()
        kept.delete()
