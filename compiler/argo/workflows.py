"""Runs as Workflows: how they are started, found, watched and ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from argosy.runtime.context import decoded
from argosy.runtime.errors import NodeError

from ..cluster.applied import applied, version_warnings
from ..cluster.engine import Engine, Execution, Instance, Resume, annotated
from ..cluster.errors import RefusedError
from ..cluster.resources import WORKFLOW
from ..graph import NOTHING
from ..integrate import kind_of
from ..manifests.names import CANCELLED, PIPELINE
from .lower import argument_faults, argument_text
from .objects import ARGO, CONTROLLER
from .pods import BY_NAME, RESUME
from .status import brief, execution

if TYPE_CHECKING:
    from ..compilation import Compilation
    from ..graph import Pipeline

Json = dict[str, Any]
ENDS = {False: "Stop", True: "Terminate"}


class Workflows(Engine):
    noun = "workflow"

    def submit(
        self,
        compilation: Compilation,
        arguments: Mapping[str, Any],
        resume: Resume | None,
        commit: Mapping[str, Any] = NOTHING,
    ) -> Execution:
        rendered = compilation.manifests[0].data
        if rendered["kind"] == "Workflow":
            spec = dict(rendered["spec"])
        else:
            spec = _reference(applied(self.client, rendered))
        texts = _texts(compilation.pipeline, arguments)
        return self._create(rendered["metadata"], spec, texts, resume, commit)

    def warnings(self, compilation: Compilation) -> list[str]:
        rendered = compilation.manifests[0].data
        return [] if rendered["kind"] == "Workflow" else version_warnings(self.client, rendered)

    def list(self) -> list[Execution]:
        found = self.client.list(WORKFLOW, PIPELINE, brief=True)
        found.sort(key=_created, reverse=True)
        return [brief(workflow) for workflow in found]

    def get(self, name: str) -> Execution:
        return execution(self.client.get(WORKFLOW, name))

    def watch(self, name: str) -> Iterator[Execution]:
        return map(execution, self.client.watch(WORKFLOW, name))

    def stop(self, name: str, terminate: bool) -> None:
        labels = {"labels": {CANCELLED: "true"}}
        self.client.patch(
            WORKFLOW, name, {"metadata": labels, "spec": {"shutdown": ENDS[terminate]}}
        )

    def retry(self, name: str, resume: Resume) -> Execution:
        old = self.client.get(WORKFLOW, name)
        kept = ("workflowTemplateRef",) if "workflowTemplateRef" in old["spec"] else old["spec"]
        spec = {name: old["spec"][name] for name in kept if name not in ("arguments", "shutdown")}
        return self._create(old["metadata"], spec, _arguments(old), resume)

    def arguments(self, name: str, pipeline: Pipeline) -> dict[str, Any]:
        texts = _arguments(self.client.get(WORKFLOW, name))
        try:
            return {
                name: decoded(name, text, kind_of(pipeline.parameters.get(name)))
                for name, text in texts.items()
            }
        except NodeError as error:
            raise RefusedError(str(error)) from error

    def output(
        self, execution: Execution, step: Instance, follow: bool = False, last: int | None = None
    ) -> Iterator[bytes]:
        from argosy.runtime.tasks.pod import ENGINES_OWN

        lines = super().output(execution, step, follow, last)
        return (line for line in lines if not ENGINES_OWN.fullmatch(line + b"\n"))

    def _create(
        self,
        metadata: Mapping[str, Any],
        spec: Json,
        arguments: Mapping[str, str],
        resume: Resume | None,
        commit: Mapping[str, Any] = NOTHING,
    ) -> Execution:
        given = {**_given(spec), **arguments}
        if given:
            parameters = [{"name": name, "value": value} for name, value in given.items()]
            spec["arguments"] = {"parameters": parameters}
        if resume:
            spec["podMetadata"] = _resuming(spec.get("podMetadata") or {}, resume)
        body = {
            "apiVersion": ARGO,
            "kind": "Workflow",
            "metadata": {**_metadata(metadata, self.client.namespace), **annotated(commit)},
            "spec": spec,
        }
        return brief(self.client.create(WORKFLOW, body))


def _created(workflow: Json) -> tuple[str, str]:
    return workflow["metadata"]["creationTimestamp"], workflow["metadata"]["name"]


def _texts(pipeline: Pipeline, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Arguments as Argo has them. Raises RefusedError for what it cannot have."""
    defaults = pipeline.parameters
    found = {name: argument_text(value, defaults.get(name)) for name, value in arguments.items()}
    for name, text in found.items():
        for message, hint in argument_faults(name, [text], pipeline):
            raise RefusedError(f"parameter '{name}' {message}; {hint}")
    return found


def _arguments(workflow: Json) -> dict[str, str]:
    """What a workflow was given, over the defaults that its template had then."""
    stored = (workflow.get("status") or {}).get("storedWorkflowTemplateSpec") or {}
    return {**_given(stored), **_given(workflow["spec"])}


def _given(spec: Mapping[str, Any]) -> dict[str, str]:
    parameters = (spec.get("arguments") or {}).get("parameters") or ()
    return {one["name"]: one["value"] for one in parameters if "value" in one}


def _reference(template: Json) -> Json:
    """A specification that is a template's."""
    found: Json = {"name": template["metadata"]["name"]}
    if template["kind"] == "ClusterWorkflowTemplate":
        found["clusterScope"] = True
    return {"workflowTemplateRef": found}


def _metadata(like: Mapping[str, Any], namespace: str) -> Json:
    """A name of its own after that of `like`, the labels of the pipeline, and its controller's."""
    labels = like.get("labels") or {}
    kept = {
        name: value
        for name, value in labels.items()
        if name == CONTROLLER or not name.startswith("workflows.")
    }
    stem = like.get("generateName") or f"{like['name']}-"
    return {"generateName": stem, "namespace": namespace, "labels": kept}


def _resuming(metadata: Mapping[str, Any], resume: Resume) -> Json:
    """The metadata of pods that are to go on from another run: they read it in annotations."""
    own = {RESUME: resume.run, BY_NAME: resume.comparing}
    return {**metadata, "annotations": {**(metadata.get("annotations") or {}), **own}}
