"""The day-two commands on a real cluster, typed into a terminal whose screen is read back."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from argosy.compiler.cluster import NoSuchKindError, Resource, Way, connect
from cluster import IMAGE, Cluster
from controller import argo_server
from definitions import shell
from examples import argosy
from runs import shown
from terminal import Terminal, terminal, there_is_one

pytestmark = pytest.mark.skipif(not there_is_one(), reason="tmux is not installed")

BUILD = '[ "$ARGOSY_PRM_region" != us ] || { echo no data for us >&2; exit 3; }'


def definition(build: str) -> dict[str, Any]:
    steps = {
        "extract": shell("echo extracting; export ARGOSY_PRM_rows=4", returns=["rows"]),
        "features": {
            "type": "map",
            "iterate_on": "regions",
            "iterate_as": "region",
            "depends_on": ["extract"],
            "branch": {
                "steps": {
                    "build": shell(
                        f"{build}\nexport ARGOSY_PRM_made=$ARGOSY_PRM_region", returns=["made"]
                    )
                }
            },
        },
        "train": shell(
            "for i in $(seq $ARGOSY_PRM_seconds); do echo epoch $i; sleep 1; done",
            depends_on=["features"],
        ),
    }
    parameters = {"regions": ["eu", "us", "ap"], "seconds": 1}
    return {"name": "churn", "parameters": parameters, "dag": {"steps": steps}}


class Place(NamedTuple):
    """A namespace in which the pipeline is applied, and the folder that it comes from."""

    cluster: Cluster
    folder: Path

    def apply(self, build: str) -> None:
        (self.folder / "churn.yaml").write_text(json.dumps(definition(build)))
        done = argosy("render", "churn.yaml", "-c", "argo.yaml", "-o", "k8s", cwd=self.folder)
        assert done.returncode == 0, done.stderr
        self.cluster.apply(self.folder / "k8s")

    def json(self, *arguments: str) -> Any:
        done = argosy(*arguments, "-c", "argo.yaml", "-o", "json", cwd=self.folder)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def newest(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json("runs")[0]
        return found


@pytest.fixture(scope="module")
def place(new_cluster: Callable[[], Cluster], tmp_path_factory: pytest.TempPathFactory) -> Place:
    cluster, folder = new_cluster(), tmp_path_factory.mktemp("day-two")
    config = {"image": IMAGE, "image_pull_policy": "IfNotPresent", "namespace": cluster.namespace}
    (folder / "argo.yaml").write_text(json.dumps({"executor": {"type": "argo", "config": config}}))
    found = Place(cluster, folder)
    found.apply(BUILD)
    return found


@pytest.fixture(scope="module")
def screen(place: Place) -> Iterator[Terminal]:
    with terminal(place.folder) as found:
        yield found


def test_a_run_is_submitted_watched_and_fails(place: Place, screen: Terminal) -> None:
    status, text = screen.run("argosy submit churn.yaml -c argo.yaml -p region=x")
    assert status == 0
    assert "did you mean 'regions'?" in text
    assert "submitted as workflow churn-" in text

    screen.type("argosy watch latest -c argo.yaml")
    screen.until(r"^train +waiting$")
    text = screen.until(r"^features +(running|failed) +\d of 3 done")
    assert text.count("extract ") == 1  # drawn over, not below
    text = screen.until(r"\n\[1\]\Z")
    assert re.search(r"^extract +succeeded +\d+ s$", text, re.MULTILINE)
    assert "└─ 1 (us)/build" in text
    assert "features/1 (us)/build: exited with status 3\n  | no data for us" in text
    run = place.newest()["run"]
    assert f"to go on from there: argosy retry {run} -c argo.yaml" in text


def test_mended_and_retried_it_ends_as_a_local_run_does(place: Place, screen: Terminal) -> None:
    old = place.newest()["run"]
    place.apply("true")
    status, text = screen.run(f"argosy retry {old} -c argo.yaml --wait")
    assert status == 0
    new = place.newest()["run"]
    assert f'{new}: succeeded\n  made: ["eu", "us", "ap"]' in text
    there = place.json("show", new)
    assert skipped(there) == ["extract"]  # each iteration's NODE is mended, and so runs

    for build in (BUILD, "true"):
        (place.folder / "churn.yaml").write_text(json.dumps(definition(build)))
        options = ["--resume", "latest"] if build == "true" else []
        argosy("run", "churn.yaml", "-p", "region=x", *options, cwd=place.folder)
    here = shown("latest", place.folder)
    assert (here["parameters"], skipped(here)) == (there["parameters"], skipped(there))

    status, text = screen.run(f"argosy submit churn.yaml -c argo.yaml --resume {old} --by-name")
    assert status == 0
    place.cluster.wait(place.newest()["workflow"])
    assert skipped(place.json("show", "latest")) == [
        "extract",
        "features/0/build",
        "features/2/build",
    ]


def skipped(document: dict[str, Any]) -> list[str]:
    return sorted(step["step"] for step in document["steps"] if step["status"] == "skipped")


def test_ctrl_c_leaves_a_run_alone_and_stop_ends_it(place: Place, screen: Terminal) -> None:
    place.apply("true")
    screen.run("argosy submit churn.yaml -c argo.yaml -p seconds=300")
    screen.type("argosy watch latest -c argo.yaml")
    screen.until(r"^train +running")
    screen.press("C-c")
    text = screen.until(r"\n\[130\]\Z")
    assert "the run goes on; `argosy watch" in text
    assert place.newest()["status"] == "running"

    screen.type("argosy logs -f latest train -c argo.yaml")
    screen.until(r"^epoch \d+$")
    screen.press("C-c")
    screen.until(r"\n\[130\]\Z")

    status, text = screen.run("argosy stop latest -c argo.yaml")
    assert (status, text) == (0, f"{place.newest()['run']}: stopping")
    status, text = screen.run("argosy watch latest -c argo.yaml")
    assert status == 1
    assert "Stopped with strategy 'Stop'" in text
    status, text = screen.run("argosy runs -c argo.yaml")
    assert [line.split()[1] for line in text.splitlines()[:2]] == ["STATUS", "cancelled"]
    status, text = screen.run("argosy stop latest -c argo.yaml")
    assert status == 0
    assert "has ended already: cancelled" in text


def test_what_waits_for_a_person_is_shown_with_the_answer(place: Place, screen: Terminal) -> None:
    ask = {"type": "approval", "message": "Publish it?"}
    each = {"type": "map", "iterate_on": "regions", "iterate_as": "region"}
    steps = {
        "train": shell("true"),
        "sign off": {**ask, "depends_on": ["train"]},
        "regions": {**each, "branch": {"steps": {"ask": ask}}, "depends_on": ["sign off"]},
        "publish": shell("true", depends_on=["regions"]),
    }
    parameters = {"regions": ["eu", "us"]}
    asking = {"name": "asking", "parameters": parameters, "dag": {"steps": steps}}
    (place.folder / "asking.yaml").write_text(json.dumps(asking))
    argosy("render", "asking.yaml", "-c", "argo.yaml", "-o", "asking", cwd=place.folder)
    place.cluster.apply(place.folder / "asking")
    screen.run("argosy submit asking.yaml -c argo.yaml")

    def answer(step: str, no: bool = False) -> None:
        begin = rf"^to go on with {re.escape(step)}: "
        text = screen.until(rf"{begin}argo resume .*(\n.+)*")
        command = re.findall(rf"{begin}(.*(?:\n.+)*?)(?=\nto|\Z)", text, re.MULTILINE)
        words = shlex.split("".join(command[-1].split("\n")))
        more = ["--message", "not there"] if no else []
        subprocess.run([words[0], "stop" if no else words[1], *words[2:], *more], check=True)

    screen.type("argosy watch latest -c argo.yaml")
    screen.until(r"^sign off +waiting +\d+ s  Publish it\?$")
    answer("sign off")
    screen.until(r"^regions +waiting +0 of 2 done, 2 waiting")
    screen.until(r"^├─ 0 \(eu\)/ask +waiting +\d+ s  Publish it\?$")
    answer("regions/0 (eu)/ask")
    screen.until(r"^regions +running +1 of 2 done, 1 waiting")
    answer("regions/1 (us)/ask", no=True)
    text = screen.until(r"\n\[1\]\Z")
    assert "regions/1 (us)/ask: not there" in text
    assert "to go on with" not in text.partition("regions/1 (us)/ask: not there")[2]
    there = place.json("show", place.newest()["run"])
    assert {step["step"]: step["status"] for step in there["steps"] if step["attempts"]} == {
        "train": "succeeded",
        "sign%20off": "succeeded",
        "regions/0/ask": "succeeded",
        "regions/1/ask": "failed",
    }


def test_a_run_without_a_log_any_more_is_still_listed(place: Place) -> None:
    run = place.newest()["run"]
    place.cluster.kubectl("delete", "configmaps", "-l", f"argosy.dev/run={run}")
    found = place.newest()
    assert (found["run"], found["status"]) == (run, "failed")


# Ways


@pytest.fixture(scope="module")
def accounts(place: Place) -> Path:
    """Service accounts that may do all that the commands do, and nothing."""
    rules = [
        {"apiGroups": ["argoproj.io"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]},
    ]
    rbac, role = "rbac.authorization.k8s.io", {"name": "operator"}
    binding = {
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "operator"},
        "subjects": [{"kind": "ServiceAccount", "name": "operator"}],
    }
    place.cluster.create(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": role, "rules": rules},
        {"apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": role, **binding},
    )
    for name in ("operator", "nobody"):
        token = place.cluster.kubectl("create", "token", name, "--duration=1h").strip()
        (place.folder / f"{name}.token").write_text(token)
    return place.folder


@pytest.fixture(scope="module")
def server(place: Place) -> Iterator[str]:
    """The URL of an Argo server that asks for a token."""
    with argo_server(place.cluster, place.folder / "server.log") as found:
        yield found


def test_all_of_it_through_an_argo_server(
    place: Place, accounts: Path, server: str, screen: Terminal
) -> None:
    """The kubeconfig is out of reach."""
    place.apply("true")
    screen.run('export KUBECONFIG=/nowhere ARGO_TOKEN="Bearer $(cat operator.token)"')
    way = f"-c argo.yaml --server {server}"
    status, text = screen.run(f"argosy submit churn.yaml {way} --wait")
    assert status == 0
    assert "features/2/build: " in text or "features " in text
    status, text = screen.run(f"argosy logs -f latest extract {way}")
    assert (status, text) == (0, "extracting")
    status, text = screen.run(f"argosy runs {way}")
    assert text.splitlines()[1].split()[1] == "succeeded"
    screen.run(f"argosy submit churn.yaml {way} -p seconds=300")
    screen.type(f"argosy watch latest {way}")
    screen.until(r"^train +running")
    screen.press("C-c")
    screen.until(r"\n\[130\]\Z")
    screen.run(f"argosy stop latest --terminate {way}")
    status, text = screen.run(f"argosy watch latest {way}")
    assert status == 1
    assert "Terminate" in text
    screen.run(f"export ARGO_TOKEN= KUBECONFIG={os.environ['KUBECONFIG']}")


def test_without_rights_it_says_what_to_ask_for(
    place: Place, accounts: Path, server: str, screen: Terminal
) -> None:
    cluster = json.loads(place.cluster.kubectl("config", "view", "--raw", "-o", "json"))
    user = {"name": "nobody", "user": {"token": (accounts / "nobody.token").read_text()}}
    context = {"cluster": cluster["clusters"][0]["name"], "user": "nobody"}
    cluster.update({"users": [user], "contexts": [{"name": "nobody", "context": context}]})
    (place.folder / "nobody.json").write_text(json.dumps({**cluster, "current-context": "nobody"}))
    account = f"system:serviceaccount:{place.cluster.namespace}:nobody"

    def refused(command: str, verb: str, what: str) -> None:
        status, text = screen.run(command)
        text = text.replace("\n", "")
        assert status == 1
        assert f"the account '{account}' may not {verb} {what}" in text
        assert f"verbs: [{verb}]" in text

    here = "KUBECONFIG=nobody.json"
    refused(f"{here} argosy submit churn.yaml -c argo.yaml", "get", "WorkflowTemplate 'churn'")
    refused(f"{here} argosy watch latest -c argo.yaml", "list", "workflows")
    way = f"--server {server} --token-file nobody.token"
    # What it has of templates an Argo server shows without asking whether one may see it.
    refused(f"argosy submit churn.yaml -c argo.yaml {way}", "create", "workflows")
    status, text = screen.run(f"argosy watch latest -c argo.yaml --server {server}")
    assert status == 1
    assert "an Argo server wants a token: put one into ARGO_TOKEN" in text


def test_where_there_is_no_cluster(place: Place, screen: Terminal) -> None:
    status, text = screen.run("argosy watch latest -c argo.yaml --context elsewhere")
    assert status == 1
    assert "the kubeconfig does not lead to a cluster" in text
    kubeconfig = json.loads(place.cluster.kubectl("config", "view", "--raw", "-o", "json"))
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    (place.folder / "dead.json").write_text(json.dumps(kubeconfig))
    status, text = screen.run("KUBECONFIG=dead.json argosy submit churn.yaml -c argo.yaml")
    assert status == 1
    assert "Connection refused" in text.replace("\n", "")
    status, text = screen.run("argosy submit churn.yaml -c argo.yaml -n default")
    assert status == 1
    assert "is it applied? `argosy apply" in text


def test_a_real_api_server_says_so_of_a_kind_that_it_has_not(place: Place) -> None:
    client = connect(Way(namespace=place.cluster.namespace))
    for version in ("absent.example.com/v1", "argoproj.io/v9"):
        with pytest.raises(NoSuchKindError):
            client.list(Resource(version, "Thing", "things"))
        with pytest.raises(NoSuchKindError):
            client.get(Resource(version, "Thing", "things"), "a")
