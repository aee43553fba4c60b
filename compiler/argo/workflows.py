"""Runs as Workflows: how they are started, found, watched and ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..cluster.engine import Engine, Execution, Instance, Resume
from ..cluster.errors import ClusterError, NotFoundError, RefusedError
from ..cluster.resources import WORKFLOW, Resource, resource_of
from .lower import argument_faults, argument_text
from .names import BY_NAME, PIPELINE, RESUME
from .objects import ARGO
from .status import brief, execution

if TYPE_CHECKING:
    from ..compilation import Compilation
    from ..graph import Pipeline

Json = dict[str, Any]
VERSION = "argosy.dev/version"
"""The label that says what was rendered, by its content."""
ENDS = {False: "Stop", True: "Terminate"}


class Workflows(Engine):
    noun = "workflow"

    def submit(
        self, compilation: Compilation, arguments: Mapping[str, Any], resume: Resume | None
    ) -> Execution:
        rendered = compilation.manifests[0].data
        if rendered["kind"] == "Workflow":
            spec = dict(rendered["spec"])
        else:
            spec = _reference(self._applied(rendered))
        texts = _texts(compilation.pipeline, arguments)
        return self._create(rendered["metadata"], spec, texts, resume)

    def warnings(self, compilation: Compilation) -> list[str]:
        rendered = compilation.manifests[0].data
        if rendered["kind"] == "Workflow":
            return []
        ours = rendered["metadata"]["labels"].get(VERSION)
        theirs = self._applied(rendered)["metadata"].get("labels", {}).get(VERSION)
        if ours == theirs or not ours:
            return []
        return [
            f"the {rendered['kind']} that is applied is version {theirs or '(none)'}, and the "
            f"definition is {ours}: the run is of what is applied; `argosy apply` brings it up "
            "to date"
        ]

    def list(self) -> list[Execution]:
        found = self.client.list(WORKFLOW, PIPELINE, brief=True)
        found.sort(key=_created, reverse=True)
        return [brief(workflow) for workflow in found]

    def get(self, name: str) -> Execution:
        return execution(self.client.get(WORKFLOW, name))

    def watch(self, name: str) -> Iterator[Execution]:
        return map(execution, self.client.watch(WORKFLOW, name))

    def stop(self, name: str, terminate: bool) -> None:
        self.client.patch(WORKFLOW, name, {"spec": {"shutdown": ENDS[terminate]}})

    def retry(self, name: str, resume: Resume) -> Execution:
        old = self.client.get(WORKFLOW, name)
        kept = ("workflowTemplateRef",) if "workflowTemplateRef" in old["spec"] else old["spec"]
        spec = {name: old["spec"][name] for name in kept if name not in ("arguments", "shutdown")}
        return self._create(old["metadata"], spec, _arguments(old), resume)

    def arguments(self, name: str) -> dict[str, str]:
        return _arguments(self.client.get(WORKFLOW, name))

    def output(
        self, execution: Execution, step: Instance, follow: bool = False, last: int | None = None
    ) -> Iterator[bytes]:
        from argosy.runtime.tasks.pod import ENGINES_OWN

        lines = super().output(execution, step, follow, last)
        return (line for line in lines if not ENGINES_OWN.fullmatch(line + b"\n"))

    def _applied(self, rendered: Json) -> Json:
        """The template that is applied: of the rendered one's name, or else the pipeline's only
        one, as an overlay that gives names a prefix leaves it."""
        resource, name = resource_of(rendered), rendered["metadata"]["name"]
        found = self.client.find(resource, name)
        others = [found] if found else []
        label = f"{PIPELINE}={rendered['metadata']['labels'][PIPELINE]}"
        others = others or self.client.list(resource, label)
        if len(others) == 1:
            return {**others[0], "kind": resource.kind}  # an Argo server leaves that out
        raise _not_applied(resource, name, self.client.namespace, others)

    def _create(
        self,
        metadata: Mapping[str, Any],
        spec: Json,
        arguments: Mapping[str, str],
        resume: Resume | None,
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
            "metadata": _metadata(metadata, self.client.namespace),
            "spec": spec,
        }
        return brief(self.client.create(WORKFLOW, body))


def _created(workflow: Json) -> tuple[str, str]:
    return workflow["metadata"]["creationTimestamp"], workflow["metadata"]["name"]


def _texts(pipeline: Pipeline, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Arguments as Argo has them. Raises RefusedError for what it cannot have."""
    for name, default in pipeline.parameters.items():
        if default is None and name not in arguments:
            raise RefusedError(f"parameter '{name}' has no default: give it with -p {name}=...")
    found = {
        name: argument_text(value, isinstance(pipeline.parameters.get(name), (str, type(None))))
        for name, value in arguments.items()
    }
    for name, text in found.items():
        for message, hint in argument_faults(name, text):
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
    """A name of its own after that of `like`, and the labels of the pipeline."""
    labels = like.get("labels") or {}
    kept = {name: value for name, value in labels.items() if not name.startswith("workflows.")}
    stem = like.get("generateName") or f"{like['name']}-"
    return {"generateName": stem, "namespace": namespace, "labels": kept}


def _resuming(metadata: Mapping[str, Any], resume: Resume) -> Json:
    """The metadata of pods that are to go on from another run: they read it in annotations."""
    own = {RESUME: resume.run, BY_NAME: "true" if resume.by_name else "false"}
    return {**metadata, "annotations": {**(metadata.get("annotations") or {}), **own}}


def _not_applied(resource: Resource, name: str, namespace: str, others: list[Json]) -> ClusterError:
    place = f" in namespace '{namespace}'" if resource.namespaced else ""
    if others:
        names = ", ".join(one["metadata"]["name"] for one in others)
        return NotFoundError(
            f"there is no {resource.kind} '{name}'{place}, and several are of this pipeline "
            f"({names}); give the configuration of the one that is meant"
        )
    return NotFoundError(
        f"there is no {resource.kind} '{name}'{place}; is it applied? `argosy apply FILE -c ...` "
        "does that, or your GitOps controller"
    )
