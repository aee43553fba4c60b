"""The whole matrix on real servers: runs that between them pass through every cell that works, and
all that they leave behind.

`Matrix` starts them together, the pods' first; two tests look at what comes of it: one that they
all end alike, one that no secret is anywhere.
"""

from __future__ import annotations

import base64
import json
import shutil
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from argosy.runtime.run_logs.db import DatabaseRunLog
from argosy.runtime.run_logs.s3 import S3RunLog
from cluster import IMAGE, Cluster
from examples import FOLDER, argosy
from runs import Result, result, run_id
from watch import Watch

EXECUTORS = ("local", "local-container", "argo")
CLAIM, MOUNT = "runs", "/runs"
TELL = """
echo "the key is $KEY"; echo "$KEY" >&2; env; sleep 2; exit 4
"""
"""A step that shows what it has, for long enough to be looked at from outside, and fails."""


class Run(NamedTuple):
    """Services by the names of their rows in the matrix."""

    name: str
    executor: str
    services: tuple[str, str, str]

    @property
    def asks(self) -> bool:
        """Whether its steps ask for data and for a secret."""
        return "catalog do-nothing" not in self.services


URL_GIVEN = "log PostgreSQL, a URL with a password"
FILES = ("log file-system", "catalog file-system")
AWS = ("log s3", "catalog s3", "secrets aws-secrets-manager")
BY_SECRET = ("log PostgreSQL", "secrets env")
NOTHING = ("catalog do-nothing", "secrets do-nothing")
RUNS = (
    Run("argo-aws", "argo", AWS),
    Run("argo-files", "argo", (*FILES, "secrets kubernetes")),
    Run("argo-database", "argo", ("log PostgreSQL", "catalog s3", "secrets kubernetes")),
    Run("argo-nothing", "argo", ("log kubernetes", *NOTHING)),
    Run("here-files", "local", (*FILES, "secrets env")),
    Run("here-aws", "local", AWS),
    Run("here-sqlite", "local", ("log SQLite", "catalog file-system", "secrets dotenv")),
    Run("here-database", "local", ("log PostgreSQL", "catalog s3", "secrets env")),
    Run("here-url", "local", (URL_GIVEN, "catalog file-system", "secrets env")),
    Run("here-buffered", "local", ("log buffered", "catalog file-system", "secrets env")),
    Run("here-nothing", "local", ("log file-system", *NOTHING)),
    Run("box-files", "local-container", (*FILES, "secrets env")),
    Run("box-aws", "local-container", AWS),
    Run("box-sqlite", "local-container", ("log SQLite", "catalog file-system", "secrets dotenv")),
    Run("box-database", "local-container", ("log PostgreSQL", "catalog s3", "secrets dotenv")),
    Run("box-variables", "local-container", ("log PostgreSQL", "catalog s3", "secrets env")),
    Run("box-nothing", "local-container", ("log file-system", *NOTHING)),
)


class Services(NamedTuple):
    """Where the servers are, and the secrets that were planted: `key` is the one that steps ask
    for, `url` the database's, `keys` AWS's variables."""

    key: str
    url: str
    keys: Mapping[str, str]
    s3: Mapping[str, str]
    manager: Mapping[str, str]

    def environment(self, rows: Iterable[str]) -> dict[str, str]:
        """The secrets that the services of these rows take from the environment, and no others."""
        found: dict[str, str] = {}
        for row in rows:
            if row in AWS:
                found |= self.keys
            elif row == "secrets env":
                found["SIGNING_KEY"] = self.key
        return found | ({"DB_URL": self.url} if {*BY_SECRET} <= {*rows} else {})


class Outcome(NamedTuple):
    """`steps` of the result is empty where the log is lost. `said`: all that can be read of a run
    by those who may not know its secrets, by where it was."""

    result: Result
    said: Mapping[str, bytes]


def definition(name: str, asks: bool) -> dict[str, Any]:
    """A pipeline with parameters, files, a secret, a failure and its handler; or one that asks for
    nothing."""
    tell: dict[str, Any] = {"command": TELL if asks else "env; exit 4", "on_failure": "mend"}
    count = "export ARGOSY_PRM_lines=$((ARGOSY_PRM_rows))"
    steps: dict[str, dict[str, Any]] = {"count": {"command": count, "returns": ["lines"]}}
    last = "count"
    if asks:
        count = "export ARGOSY_PRM_lines=$(($(wc -l <work/orders.csv)))"
        files = {"get": ["work/*"], "put": ["work/signature.txt"]}
        steps = {
            "extract": {"command": "data.steps.extract", "catalog": {"put": ["work/*.csv"]}},
            "count": {
                "command": count,
                "returns": ["lines"],
                "catalog": {"get": ["work/orders.csv"]},
                "depends_on": ["extract"],
            },
            "sign": {
                "command": "data.steps.sign",
                "returns": ["signature"],
                "secrets": ["SIGNING_KEY"],
                "catalog": files,
                "depends_on": ["count"],
            },
        }
        tell["secrets"] = {"SIGNING_KEY": "KEY"}
        last = "sign"
    steps |= {"tell": {**tell, "depends_on": [last]}, "mend": {"command": "true"}}
    for step in steps.values():
        python = step["command"].startswith("data.")
        step |= {"type": "task", "command_type": "python" if python else "shell"}
    return {"name": name, "parameters": {"rows": 4}, "dag": {"steps": steps}}


class Matrix:
    """`folder` has a folder for each run; the command is run there."""

    def __init__(self, folder: Path, cluster: Cluster, services: Services) -> None:
        self.folder = folder
        self.cluster = cluster
        self.services = services
        for name, data in (
            ("signing", {"SIGNING_KEY": services.key}),
            ("database", {"url": services.url}),
            ("s3", dict(services.keys)),
        ):
            secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
            cluster.create({**secret, "stringData": data})

    def place(self, name: str) -> Path:
        """The folder of a run, with the code of its steps and its secrets file."""
        found = self.folder / name
        if not found.is_dir():
            found.mkdir()
            shutil.copytree(FOLDER / "data", found / "data")
            lines = f"SIGNING_KEY='{self.services.key}'\nDB_URL='{self.services.url}'\n"
            (found / "secrets.env").write_text(lines)
        return found

    def write(self, name: str, executor: str, rows: Iterable[str], asks: bool) -> Path:
        """The definition and the configuration of a run, in its folder."""
        place = self.place(name)
        (place / "p.yaml").write_text(json.dumps(definition(name, asks)))
        rows = (*rows,)
        configuration = {"executor": self._executor(executor, rows)}
        for row in rows:
            kind, _, provider = row.partition(",")[0].partition(" ")
            section = {"log": "run_log_store"}.get(kind, kind)
            known = {"SQLite": "db", "PostgreSQL": "db"}.get(provider, provider)
            config = self._options(name, executor, row)
            configuration[section] = {"type": known, "config": config}
        (place / "c.yaml").write_text(json.dumps(configuration))
        return place

    def _executor(self, executor: str, rows: Iterable[str]) -> dict[str, Any]:
        config: dict[str, Any] = {}
        if executor == "local-container":
            config = {"image": IMAGE, "network": "host"}
        elif executor == "argo":
            namespace = self.cluster.namespace
            config = {"image": IMAGE, "image_pull_policy": "IfNotPresent", "namespace": namespace}
            if {*FILES}.intersection(rows):
                config["claims"] = {CLAIM: {"mount_path": MOUNT, "create": True, "size": "1Gi"}}
        return {"type": executor, "config": config}

    def _options(self, name: str, executor: str, row: str) -> dict[str, Any]:
        """The options of one service of a run."""
        there = {"credentials_secret": "s3"} if executor == "argo" else {}
        found: Mapping[str, Mapping[str, Any]] = {
            "log s3": {**self.services.s3, "prefix": f"{name}/log", **there},
            "catalog s3": {**self.services.s3, "prefix": f"{name}/files", **there},
            "log SQLite": {"url": "sqlite:///db/runs.db"},
            "log PostgreSQL": {"url_secret": "DB_URL"},
            URL_GIVEN: {"url": self.services.url},
            "secrets dotenv": {"location": "secrets.env"},
            "secrets kubernetes": {"objects": {"SIGNING_KEY": "signing", "DB_URL": "database/url"}},
            "secrets aws-secrets-manager": {**self.services.manager, **there},
        }
        return dict(found.get(row, {}))

    def call(self, place: Path, rows: Iterable[str], *arguments: str) -> Any:
        """Runs the command for one who has just what the services of these rows need."""
        environment = self.services.environment([*rows])
        return argosy(*arguments, cwd=place, ARGOSY_TEST_S3_SECRET="", **environment)

    def outcome(self, name: str) -> Outcome:
        """That of one run. Raises AssertionError with why there is none."""
        found = self._outcomes[name]
        if isinstance(found, AssertionError):
            raise found
        return found

    @cached_property
    def _outcomes(self) -> Mapping[str, Outcome | AssertionError]:
        """Every run's, by its name: one that fails leaves the others alone."""
        there = {run.name: run for run in RUNS if run.executor == "argo"}
        with self.watch:
            said = {name: caught(self._submit, run) for name, run in there.items()}
            found: dict[str, Any] = {
                run.name: caught(self._run, run) for run in RUNS if run.name not in there
            }
            started = [name for name in there if isinstance(said[name], dict)]
            workflows = self.cluster.wait_all(started, 400)
        for name, run in there.items():
            found[name] = said[name]
            if name in started:
                found[name] = caught(self._ended, run, workflows[name], said[name])
        return found

    @cached_property
    def watch(self) -> Watch:
        """What others could see meanwhile."""
        return Watch(tuple(run.name for run in RUNS))

    def _prepared(self, run: Run) -> tuple[Path, dict[str, bytes]]:
        place = self.write(run.name, run.executor, run.services, run.asks)
        said = {}
        for command in (("check",), ("plan",), ("plan", "-o", "json")):
            done = self.call(place, run.services, *command, "p.yaml", "-c", "c.yaml")
            assert done.returncode == 0, f"{run.name}: {done.stderr}"
            said[" ".join(command)] = (done.stdout + done.stderr).encode()
        return place, said

    def _run(self, run: Run) -> Outcome:
        place, said = self._prepared(run)
        done = self.call(place, run.services, "run", "p.yaml", "-c", "c.yaml", "-o", "json")
        assert done.returncode == 0, f"{run.name}: {done.stderr}"
        said["run"] = (done.stdout + done.stderr).encode()
        outcome = json.loads(done.stdout)
        if "log buffered" in run.services:
            return Outcome(result({**outcome, "steps": []}), said)
        return self._looked_at(run, outcome["run"], place, said)

    def _submit(self, run: Run) -> dict[str, bytes]:
        place, said = self._prepared(run)
        done = self.call(place, run.services, "render", "p.yaml", "-c", "c.yaml", "-o", "manifests")
        assert done.returncode == 0, f"{run.name}: {done.stderr}"
        said["manifests"] = contents(place / "manifests")
        self.cluster.apply(place / "manifests")
        self.cluster.submit(run.name)
        return said

    def _ended(self, run: Run, workflow: Mapping[str, Any], said: dict[str, bytes]) -> Outcome:
        assert workflow["status"]["phase"] == "Succeeded", self.cluster.report(run.name)
        said["workflow"] = text(workflow)
        said["pods"] = text(self.cluster.pods(run.name))
        said["pods' output"] = self.cluster.logs(run.name).encode()
        said["events"] = self.cluster.kubectl("get", "events", "-o", "json").encode()
        return self._looked_at(run, run_id(run.name, workflow), self.place(run.name), said)

    def _looked_at(self, run: Run, name: str, place: Path, said: dict[str, bytes]) -> Outcome:
        """What the log has, read by the command, and as it is kept."""
        look: dict[str, Any] = {}
        rows = [*run.services]
        if "secrets kubernetes" in rows:
            look["secrets"] = {"type": "env", "config": None}
            rows.append("secrets env")
        if run.executor == "argo" and "log file-system" in run.services:
            location = str(self.cluster.folder(CLAIM) / "argosy")
            look["run_log_store"] = {"config": {"location": location}}
        (place / "look.yaml").write_text(json.dumps(look))
        options = ("-c", "c.yaml", "-c", "look.yaml")
        for command in (("show", name, "-o", "json"), ("show", name), ("logs", name), ("runs",)):
            done = self.call(place, rows, *command, *options)
            assert done.returncode == 0, f"{run.name}: {done.stderr}"
            said.setdefault(command[0], (done.stdout + done.stderr).encode())
        said["stores"] = self._kept(run, place)
        return Outcome(result(json.loads(said["show"])), said)

    def _kept(self, run: Run, place: Path) -> bytes:
        """All that is in the stores of a run."""
        found = [contents(place / ".argosy"), contents(place / "db")]
        if run.executor == "argo" and "log file-system" in run.services:
            found.append(contents(self.cluster.folder(CLAIM)))
        if "log kubernetes" in run.services:
            maps = self.cluster.get("configmaps", "-l", "argosy.dev/run")
            found.append(text(maps))
            found += [base64.b64decode(data) for one in maps["items"]
                      for data in one.get("binaryData", {}).values()]  # fmt: skip
        if {"log PostgreSQL", URL_GIVEN}.intersection(run.services):
            log = DatabaseRunLog({"url": self.services.url})
            keys = [key for key in log.list("runs/") if run.name in key]
            found += [log.get(key) or b"" for key in [*keys, *log.list("blobs/")]]
        if "log s3" in run.services or "catalog s3" in run.services:
            s3 = S3RunLog({**self.services.s3, "prefix": run.name})
            s3.keys = self.services.keys
            found += [s3.get(key) or b"" for key in s3.list("")]
        return b"\n".join(found)


def caught(does: Callable[..., Any], *arguments: Any) -> Any:
    """What it returns, or the AssertionError that it raises."""
    try:
        return does(*arguments)
    except AssertionError as error:
        return error


def contents(folder: Path) -> bytes:
    """All files in a folder, one after the other; none where there is no folder."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def text(found: Any) -> bytes:
    """JSON, with what is packed in it unpacked."""
    written = json.dumps(found, ensure_ascii=False)
    parts = [part.partition('\\"')[0] for part in written.split('\\"z\\":\\"')[1:]]
    return written.encode() + b"".join(zlib.decompress(base64.b64decode(part)) for part in parts)
