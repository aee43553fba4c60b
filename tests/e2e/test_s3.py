"""Run logs and catalogs in S3: a run here, a run that goes on from it, and a run from pods."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.runtime.aws import KEYS
from argosy.runtime.catalogs.s3 import S3Catalog
from argosy.runtime.secrets.aws_secrets_manager import AwsSecretsManager
from cluster import IMAGE, Cluster, account, from_template
from examples import EXAMPLES, argosy, copy, run_here
from runs import Result, result, run_id, shown
from s3_bucket import GIVEN, bucket

DATA = next(example for example in EXAMPLES if example.name == "data")
TOKEN = uuid.uuid4().hex


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    """The credentials, as AWS's variables."""
    if not os.environ.get("ARGOSY_TEST_S3_ENDPOINT"):
        pytest.skip("no S3 server: `make e2e` starts one")
    return {name: os.environ[given] for name, given in GIVEN.items()}


@pytest.fixture(scope="module")
def place(keys: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A bucket of this module's, as the options of a provider."""
    with bucket() as store:
        yield {name: store.config[name] for name in ("bucket", "endpoint_url")}


@pytest.fixture(scope="module")
def told(keys: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Secrets of AWS, as moto's server has them: pods reach this machine's loopback."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    config = {"secret_id": "s3", "region": "eu-west-1", "endpoint_url": f"http://{host}:{port}"}
    secrets = AwsSecretsManager(config)
    secrets.keys = keys
    secrets.client.create_secret(Name="s3", SecretString=json.dumps({"TOKEN": TOKEN}))
    yield config
    server.stop()


def stores(place: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A configuration: the log at the bucket's root, the catalog below a prefix."""
    return {
        "run_log_store": {"type": "s3", "config": {**place, **more}},
        "catalog": {"type": "s3", "config": {**place, "prefix": "files/of all", **more}},
    }


def write(folder: Path, configuration: dict[str, Any], name: str = "s3.yaml") -> str:
    (folder / name).write_text(json.dumps(configuration))
    return name


def seen(run: str, folder: Path, keys: dict[str, str]) -> Result:
    """What the log in S3 has of a run."""
    found = argosy("show", run, "-o", "json", "-c", "s3.yaml", cwd=folder, **keys)
    assert found.returncode == 0, found.stderr
    return result(json.loads(found.stdout))


def test_a_run_here_is_the_same_in_s3_and_can_be_gone_on_from(
    place: dict[str, Any], keys: dict[str, str], tmp_path: Path
) -> None:
    folder = copy(tmp_path)
    write(folder, stores(place))
    command = ("run", "data/pipeline.yaml", "-c", "s3.yaml", "-o", "json")
    environment = {**keys, **DATA.environment}
    done = argosy(*command, cwd=folder, **environment)
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    run_here(DATA, folder)
    assert seen(first["run"], folder, keys) == result(shown("latest", folder))
    done = argosy(*command, "--resume", first["run"], cwd=folder, **environment)
    assert done.returncode == 0, done.stderr
    again = seen(json.loads(done.stdout)["run"], folder, keys)
    assert {status for attempts in again.steps.values() for status in attempts} == {"skipped"}
    assert again.parameters == first["parameters"]
    logs = argosy("logs", first["run"], "-c", "s3.yaml", cwd=folder, **keys)
    assert logs.returncode == 0, logs.stderr
    removed = argosy("runs", "-c", "s3.yaml", "rm", first["run"], cwd=folder, **keys)
    assert removed.returncode == 0, removed.stderr


def test_keys_that_are_wrong_are_said_and_not_shown(place: dict[str, Any], tmp_path: Path) -> None:
    folder = copy(tmp_path)
    write(folder, stores(place))
    wrong = {KEYS[0]: os.environ["ARGOSY_TEST_S3_KEY"], KEYS[1]: "never-to-be-seen"}
    given = {**wrong, "SIGNING_KEY": "a key"}
    done = argosy("run", "data/pipeline.yaml", "-c", "s3.yaml", cwd=folder, **given)
    assert done.returncode == 3
    assert "cannot write runs/" in done.stderr
    assert "the credentials are wrong" in done.stderr
    assert "never-to-be-seen" not in done.stdout + done.stderr


def test_a_large_file_comes_back_as_it_was(
    place: dict[str, Any], keys: dict[str, str], tmp_path: Path
) -> None:
    import hashlib

    data = b"".join(number.to_bytes(4, "big") + b"\0" * 65532 for number in range(320))
    path, sha = tmp_path / "large", hashlib.sha256(data).hexdigest()
    path.write_bytes(data)
    catalog = S3Catalog({**place, "prefix": "large"})
    catalog.keys = keys
    catalog.put(sha, str(path))
    catalog.put(sha, str(path))
    catalog.get(sha, str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data


MAKE = """
echo 1,2 > rows.csv
export ARGOSY_PRM_seen=$(env | grep -c -e ^AWS -e ARGOSY_CREDENTIAL)
export ARGOSY_PRM_told=${#TOKEN}
echo "the token is $TOKEN"
"""
STEPS = {
    "make": {
        "type": "task",
        "command_type": "shell",
        "command": MAKE,
        "returns": ["seen", "told"],
        "secrets": ["TOKEN"],
        "catalog": {"put": ["rows.csv"]},
    },
    "spread": {
        "type": "map",
        "iterate_on": "regions",
        "iterate_as": "region",
        "depends_on": ["make"],
        "branch": {
            "steps": {
                "build": {
                    "type": "task",
                    "command_type": "shell",
                    "command": "export ARGOSY_PRM_found=$(cat rows.csv)-$ARGOSY_PRM_region",
                    "returns": ["found"],
                    "catalog": {"get": ["rows.csv"]},
                }
            }
        },
    },
}
PIPELINE = {"name": "s3", "parameters": {"regions": ["eu", "us"]}, "dag": {"steps": STEPS}}


def test_pods_keep_all_in_s3_with_keys_that_no_manifest_has(
    cluster: Cluster,
    place: dict[str, Any],
    told: dict[str, Any],
    keys: dict[str, str],
    tmp_path: Path,
) -> None:
    metadata = {"name": "s3-keys"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys}
    cluster.create(secret, *account("s3"))
    write(tmp_path, PIPELINE, "pipeline.yaml")
    secrets = {"type": "aws-secrets-manager", "config": told}
    write(tmp_path, {**stores(place), "secrets": secrets})
    options = {"image": IMAGE, "image_pull_policy": "IfNotPresent", "service_account": "s3"}
    argo = {"executor": {"type": "argo", "config": options}}
    there = {"credentials_secret": "s3-keys"}
    secrets = {"type": "aws-secrets-manager", "config": {**told, **there}}
    write(tmp_path, {**argo, **stores(place, **there), "secrets": secrets}, "argo.yaml")
    done = argosy("render", "pipeline.yaml", "-c", "argo.yaml", cwd=tmp_path, **keys)
    assert done.returncode == 0, done.stderr
    assert keys[KEYS[1]] not in done.stdout
    apply = ("apply", "--server-side", "--validate=strict", "-f", "-")
    cluster.kubectl(*apply, input=done.stdout)
    cluster.create(from_template("s3", "s3", {}))
    here = argosy("run", "pipeline.yaml", "-c", "s3.yaml", "-o", "json", cwd=tmp_path, **keys)
    assert here.returncode == 0, here.stderr
    workflow = cluster.wait("s3")
    assert workflow["status"]["phase"] == "Succeeded", cluster.report("s3")
    found = seen(run_id("s3", workflow), tmp_path, keys)
    on_this_machine = seen(json.loads(here.stdout)["run"], tmp_path, keys)
    assert (found.steps, found.catalog) == (on_this_machine.steps, on_this_machine.catalog)
    assert found.parameters["found"] == ["1,2-eu", "1,2-us"]
    assert found.parameters["seen"] == 0, "the step sees no credentials"
    assert found.parameters["told"] == len(TOKEN)
    output = done.stdout + here.stdout + here.stderr + cluster.logs("s3")
    assert keys[KEYS[1]] not in output
    assert TOKEN not in output
    assert "the token is ***" in output


@pytest.mark.parametrize("given", ["variables", "file"])
def test_containers_keep_all_in_s3_with_keys_that_the_steps_do_not_see(
    place: dict[str, Any],
    told: dict[str, Any],
    keys: dict[str, str],
    tmp_path: Path,
    given: str,
) -> None:
    inspect = ["docker", "image", "inspect", IMAGE]
    if (
        shutil.which("docker") is None
        or subprocess.run(inspect, capture_output=True, check=False).returncode
    ):
        pytest.skip(f"no Docker engine with the image {IMAGE}: `make e2e` makes it")
    environment = keys
    if given == "file":
        lines = [f"{name.lower()} = {value}" for name, value in keys.items()]
        (tmp_path / "credentials").write_text("\n".join(["[default]", *lines]))
        environment = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    secrets = {"type": "aws-secrets-manager", "config": told}
    executor = {"type": "local-container", "config": {"image": IMAGE, "network": "host"}}
    inside = {**stores(place), "executor": executor, "secrets": secrets}
    write(tmp_path, PIPELINE, "pipeline.yaml")
    write(tmp_path, inside)
    done = argosy("plan", "pipeline.yaml", "-c", "s3.yaml", cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    assert ("/run/argosy/aws/credentials (ro)" in done.stdout) == (given == "file")
    run = argosy("run", "pipeline.yaml", "-c", "s3.yaml", "-o", "json", cwd=tmp_path, **environment)
    assert run.returncode == 0, run.stderr
    found = seen(json.loads(run.stdout)["run"], tmp_path, keys)
    assert found.parameters["found"] == ["1,2-eu", "1,2-us"]
    assert found.parameters["seen"] == 0, "the step sees no credentials"
    assert found.parameters["told"] == len(TOKEN)
    for secret in (TOKEN, keys[KEYS[1]]):
        assert secret not in done.stdout + run.stdout + run.stderr
