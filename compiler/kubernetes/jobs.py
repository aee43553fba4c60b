"""Runs as Jobs: how they are started, found, watched and ended.

What their steps do is nothing that the cluster knows: it is in the run log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..cluster.applied import applied, version_warnings
from ..cluster.engine import Engine, Execution, Resume, annotated, seconds
from ..cluster.errors import ClusterError
from ..cluster.pods import trouble
from ..cluster.resources import CRON_JOB, JOB, POD
from ..graph import NOTHING
from ..manifests.names import CANCELLED, PIPELINE
from .text import safe_json

if TYPE_CHECKING:
    from ..compilation import Compilation
    from ..graph import Pipeline

Json = dict[str, Any]
ARGUMENTS, CONFIG = "ARGOSY_ARGUMENTS", "ARGOSY_CONFIG"
RESUME, BY_NAME = "ARGOSY_RESUME", "ARGOSY_RESUME_BY_NAME"
GIT = "ARGOSY_GIT"
SERVERS = "batch.kubernetes.io/", "controller-uid", "job-name"
"""How the labels begin that the cluster gives to a Job's pods."""
ENDS = {"Complete": "succeeded", "Failed": "failed"}
"""What the conditions mean that end a Job."""
OVER = 1
"""A deadline, in seconds, that every run has passed: the way to end a Job and keep it. Its pod gets
SIGTERM and closes the run."""


class Jobs(Engine):
    noun = "job"
    shows_steps = False

    def submit(
        self,
        compilation: Compilation,
        arguments: Mapping[str, Any],
        resume: Resume | None,
        commit: Mapping[str, Any] = NOTHING,
    ) -> Execution:
        rendered = compilation.manifests[0].data
        if rendered["kind"] == "Job":
            like = {**rendered, "metadata": _without_version(rendered["metadata"])}
        else:
            like = _started_by(applied(self.client, rendered))
        return self._create(like, arguments, resume, commit)

    def warnings(self, compilation: Compilation) -> list[str]:
        rendered = compilation.manifests[0].data
        return [] if rendered["kind"] == "Job" else version_warnings(self.client, rendered)

    def list(self) -> list[Execution]:
        found = self.client.list(JOB, PIPELINE)
        found.sort(key=lambda job: str(job["metadata"]["creationTimestamp"]), reverse=True)
        return [execution(job) for job in found]

    def get(self, name: str) -> Execution:
        found = execution(self.client.get(JOB, name))
        return found if found.finished else found._replace(message=self._trouble(name))

    def watch(self, name: str) -> Iterator[Execution]:
        return map(execution, self.client.watch(JOB, name))

    def _trouble(self, name: str) -> str:
        """Why the pod of a Job does not start; empty where it does, or may not be looked at."""
        try:
            pods = self.client.list(POD, f"job-name={name}")
        except ClusterError:
            return ""
        return next(filter(None, map(trouble, pods)), "")

    def stop(self, name: str, terminate: bool) -> None:
        labels = {"labels": {CANCELLED: "true"}}
        self.client.patch(JOB, name, {"metadata": labels, "spec": {"activeDeadlineSeconds": OVER}})

    def retry(self, name: str, resume: Resume) -> Execution:
        """Of what is applied now, where the old run's CronJob still is."""
        old = self.client.get(JOB, name)
        owners = old["metadata"].get("ownerReferences") or ()
        owner = next((one["name"] for one in owners if one["kind"] == "CronJob"), None)
        cronjob = self.client.find(CRON_JOB, owner) if owner else None
        like = _started_by(cronjob) if cronjob else old
        return self._create(like, given_to(old), resume)

    def arguments(self, name: str, pipeline: Pipeline) -> dict[str, Any]:
        return given_to(self.client.get(JOB, name))

    def _create(
        self,
        like: Json,
        arguments: Mapping[str, Any],
        resume: Resume | None,
        commit: Mapping[str, Any] = NOTHING,
    ) -> Execution:
        """Starts a Job like another, with these arguments over its own."""
        given = {**given_to(like), **arguments}
        variables = {ARGUMENTS: safe_json(given), RESUME: "", BY_NAME: "", GIT: ""}
        if resume:
            variables |= {RESUME: resume.run, BY_NAME: resume.comparing}
        if commit:
            variables[GIT] = safe_json(dict(commit))
        body = {
            "apiVersion": JOB.version,
            "kind": JOB.kind,
            "metadata": {**_metadata(like["metadata"], self.client.namespace), **annotated(commit)},
            "spec": _spec(like["spec"], variables),
        }
        return execution(self.client.create(JOB, body))


def execution(job: Json) -> Execution:
    """What a Job says of its run."""
    metadata, status = job["metadata"], job.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    ended: Json = next((conditions[one] for one in ENDS if _is(conditions, one)), {})
    found = ENDS.get(ended.get("type", ""), "pending")
    if not ended and status.get("active"):
        found = "running"
    if found == "failed" and CANCELLED in (metadata.get("labels") or {}):
        found = "cancelled"
    pipeline = json.loads(_variables(job).get(CONFIG) or "{}").get("pipeline", {}).get("name")
    run = quote(pipeline, safe="") if pipeline else metadata["name"]
    return Execution(
        metadata["name"],
        f"{run}-{metadata['uid'][:8]}",
        found,
        ended.get("message", "") if found == "failed" else "",
        seconds(status.get("startTime") or metadata.get("creationTimestamp")),
        seconds(ended.get("lastTransitionTime")),
    )


def given_to(job: Json) -> dict[str, Any]:
    """The arguments of a Job's run."""
    found: dict[str, Any] = json.loads(_variables(job).get(ARGUMENTS) or "{}")
    return found


def _variables(job: Json) -> dict[str, str]:
    (container, *_) = job["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one.get("value", "") for one in container.get("env") or ()}


def _is(conditions: Mapping[str, Json], kind: str) -> bool:
    return conditions.get(kind, {}).get("status") == "True"


def _started_by(cronjob: Json) -> Json:
    """The Job of a CronJob, which owns it, so that its history limits are this Job's too."""
    template, metadata = cronjob["spec"]["jobTemplate"], cronjob["metadata"]
    owner = {
        "apiVersion": CRON_JOB.version,
        "kind": CRON_JOB.kind,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    given = template.get("metadata") or {}
    return {
        "metadata": {**given, "name": metadata["name"], "ownerReferences": [owner]},
        "spec": template["spec"],
    }


def _without_version(metadata: Json) -> Json:
    """The metadata of a Job whose name ends in its version."""
    return {**metadata, "name": metadata["name"].rpartition("-")[0]}


def _metadata(like: Mapping[str, Any], namespace: str) -> Json:
    """A name of its own after that of `like`, and the labels of the pipeline."""
    found: Json = {"generateName": like.get("generateName") or f"{like['name']}-"}
    found |= {"namespace": namespace, "labels": dict(like.get("labels") or {})}
    if owners := like.get("ownerReferences"):
        found["ownerReferences"] = owners
    return found


def _spec(like: Mapping[str, Any], variables: Mapping[str, str]) -> Json:
    """A Job's specification without what the cluster has added to it, with these variables; an
    empty one is left out."""
    found = {name: value for name, value in like.items() if name not in ("selector", "suspend")}
    template = json.loads(json.dumps(like["template"]))
    labels = template["metadata"].get("labels") or {}
    kept = {name: value for name, value in labels.items() if not name.startswith(SERVERS)}
    template["metadata"] = {**template["metadata"], "labels": kept}
    container = template["spec"]["containers"][0]
    container["env"] = [
        *(one for one in container["env"] if one["name"] not in variables),
        *({"name": name, "value": value} for name, value in variables.items() if value),
    ]
    return {**found, "template": template}
