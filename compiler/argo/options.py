"""The options of the executor `argo`: those of a pod, those of a step, those of a workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..graph import Retry
from ..options.pod import POD, PodOptions
from ..options.readers import (
    Shaped,
    boolean,
    choice,
    integer,
    listed,
    mapping,
    seconds,
)
from ..options.run import Schedule, becoming, schedule
from ..options.table import Option, Table, read_values
from ..schema.versions import ARGO
from .readers import (
    Exposed,
    Tries,
    exposed,
    hook,
    notification,
    number,
    pod_gc,
    tries,
    ttl,
    version,
)


class Options(NamedTuple):
    """A configuration, read. Durations are in seconds; members of lists and mappings without a type
    of ours are as Argo has them."""

    pod: PodOptions = PodOptions()
    pod_spec_patch: Mapping[str, Any] = {}
    retry: Tries = Tries()
    timeout: float | None = None
    queue_timeout: float | None = None
    synchronization: Mapping[str, Any] = {}
    memoize: Mapping[str, Any] = {}
    metrics: Sequence[Mapping[str, Any]] = ()
    hooks: Mapping[str, Any] = {}
    archive_logs: bool | None = None
    extra: Mapping[str, Any] = {}
    argo_version: str = ARGO
    kind: str = "WorkflowTemplate"
    namespace: str = ""
    parameters: Mapping[str, Exposed] = {}
    workflow_timeout: float | None = None
    parallelism: int | None = None
    priority: int | None = None
    volume_claim_templates: Sequence[Mapping[str, Any]] = ()
    artifact_repository: Mapping[str, Any] = {}
    notifications: Mapping[str, Any] = {}
    pod_gc: Mapping[str, Any] = {}
    ttl: Mapping[str, int] = {}
    workflow_metadata: Mapping[str, Any] = {}
    suspend: bool = False
    schedules: tuple[Schedule, ...] = ()
    timezone: str = ""
    concurrency_policy: str | None = None
    starting_deadline: float | None = None
    history_limits: Mapping[str, int] = {}

    @property
    def attempts(self) -> Retry:
        """Of a step without a retry of its own."""
        return self.retry.attempts


STEP: Table = {
    "pod_spec_patch": Option(
        Shaped("PodSpec", partial=True),
        "a mapping",
        "podSpecPatch",
        "Fields of a pod that no option is for; containers merge by their names, of which the"
        " step's is main.",
        True,
    ),
    "retry": Option(
        tries,
        "a number or a mapping",
        "retryStrategy",
        "{max_attempts, backoff, factor, max_backoff} of steps without a retry of their own, and of"
        " every step that is tried again {policy, expression, affinity}: Always, OnFailure, OnError"
        " or OnTransientError; what must hold too; Argo's retryStrategy.affinity.",
        True,
        "1",
    ),
    **becoming(timeout="activeDeadlineSeconds"),
    "queue_timeout": Option(
        seconds,
        "a duration",
        "timeout",
        "From when a step could start until it ends, the wait for a lock or a machine among it;"
        " Argo ends that wait for steps that are tried once.",
        True,
    ),
    "synchronization": Option(
        Shaped("argo.Synchronization"),
        "a mapping",
        "synchronization, spec.synchronization",
        "{mutexes, semaphores} that the whole workflow, or the step, holds while it runs.",
        True,
        own=True,
    ),
    "memoize": Option(
        Shaped("argo.Memoize"),
        "a mapping",
        "memoize",
        "{key, maxAge, cache} of a step, which does not run where it did for that key: it returns"
        " nothing, and is in the run log where it ran.",
        True,
        own=True,
    ),
    "metrics": Option(
        Shaped("[argo.Prometheus]"),
        "a list",
        "metrics.prometheus, spec.metrics.prometheus",
        "What the controller shows Prometheus of the workflow, or of the step.",
        True,
        own=True,
    ),
    "hooks": Option(
        mapping(hook),
        "a mapping",
        "hooks of the step's task, spec.hooks",
        "{name: {expression, template or templateRef, arguments}}, called when the expression comes"
        " to hold; template is a name or a body.",
        True,
        own=True,
    ),
    "archive_logs": Option(
        boolean,
        "a boolean",
        "archiveLocation.archiveLogs, spec.archiveLogs",
        "Whether Argo keeps the containers' output in its artifact repository.",
        True,
        "the controller's",
        own=True,
    ),
    "extra": Option(
        Shaped("argo.WorkflowSpec", partial=True),
        "a mapping",
        "spec, or the step's template",
        "Merged last over what Argosy makes, lists of things with names by name, and verified as"
        " all of it is.",
        True,
        own=True,
        in_step=Shaped("argo.Template", partial=True),
    ),
}
WORKFLOW: Table = {
    "argo_version": Option(
        version,
        "a version",
        "the fields that are used",
        "3.6, 3.7 or 4: what a version has no field for is refused.",
        default="3.7",
    ),
    "kind": Option(
        choice("WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow", "Workflow"),
        "a word",
        "kind",
        "What is rendered: WorkflowTemplate, ClusterWorkflowTemplate, CronWorkflow (with its"
        " WorkflowTemplate) or Workflow.",
        default="WorkflowTemplate",
    ),
    **becoming(namespace="metadata.namespace"),
    "parameters": Option(
        mapping(exposed),
        "a mapping",
        "spec.arguments.parameters: enum, description",
        "{name: {enum, description}} of the pipeline's parameters, for those who submit it.",
    ),
    **becoming(workflow_timeout="spec.activeDeadlineSeconds"),
    "parallelism": Option(
        integer,
        "a number",
        "spec.parallelism",
        "How many pods run at a time; among a map's overrides, how many of its iterations.",
        per_step=True,
    ),
    "priority": Option(
        number,
        "a number",
        "spec.priority, CronWorkflow spec.workflowSpec.priority",
        "Of the run, where runs wait for the controller; `argo submit` takes its own.",
    ),
    "volume_claim_templates": Option(
        Shaped("[PersistentVolumeClaim]"),
        "a list",
        "spec.volumeClaimTemplates",
        "Claims that are made for each run; volume_mounts say where they are.",
    ),
    "artifact_repository": Option(
        Shaped("argo.ArtifactRepositoryRef"),
        "a mapping",
        "spec.artifactRepositoryRef",
        "{configMap, key} of the repository that Argo keeps artifacts and logs in.",
        default="the controller's",
    ),
    "notifications": Option(
        mapping(notification),
        "a mapping",
        "spec.onExit",
        "{name: {on, template or templateRef, arguments}}, called when the run has ended: on"
        " failure (default), success or always. One that fails changes nothing.",
    ),
    "pod_gc": Option(
        pod_gc,
        "a word or a mapping",
        "spec.podGC",
        "When pods are deleted: OnPodCompletion, OnPodSuccess, OnWorkflowCompletion,"
        " OnWorkflowSuccess, or {strategy, deleteDelayDuration, labelSelector}.",
        default="the controller's",
    ),
    "ttl": Option(
        ttl,
        "a duration or a mapping",
        "spec.ttlStrategy",
        "How long an ended run is kept: a duration, or {completion, success, failure}.",
        default="the controller's",
    ),
    "workflow_metadata": Option(
        Shaped("argo.WorkflowMetadata"),
        "a mapping",
        "spec.workflowMetadata",
        "{labels, annotations, labelsFrom} of the Workflow of each run.",
    ),
    "suspend": Option(
        boolean,
        "a boolean",
        "CronWorkflow spec.suspend, spec.suspend",
        "Schedules start no run; a Workflow waits for `argo resume`.",
        default="false",
    ),
    "schedules": Option(
        listed(schedule),
        "a list",
        "CronWorkflow spec.schedules",
        "When runs start: cron expressions, or {schedule, timezone}.",
    ),
    **becoming(
        timezone="CronWorkflow spec.timezone",
        concurrency_policy="CronWorkflow spec.concurrencyPolicy",
        starting_deadline="CronWorkflow spec.startingDeadlineSeconds",
        history_limits="CronWorkflow spec.successfulJobsHistoryLimit, failedJobsHistoryLimit",
    ),
}
OPTIONS: Table = {**POD, **STEP, **WORKFLOW}
"""Each becomes the field of `Options`, or of its `pod`, that has its name."""


def read_options(config: Mapping[str, Any]) -> Options:
    """A configuration that `check_options` had nothing against."""
    values = read_values(OPTIONS, config)
    pod = {name: values.pop(name) for name in POD if name in values}
    return Options(pod=PodOptions(**pod), **values)
