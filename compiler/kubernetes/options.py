"""The options of the executor `kubernetes`: those of its one pod, and those of its Job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..graph import Retry
from ..options.pod import POD, PodOptions
from ..options.readers import Shaped, boolean, choice, integer, listed, wait
from ..options.run import Schedule, attempts, becoming, count, schedule
from ..options.table import Option, Table, read_values

ONCE = Retry()


class Options(NamedTuple):
    """A configuration, read. Durations are in seconds."""

    pod: PodOptions = PodOptions()
    retry: Retry = ONCE
    timeout: float | None = None
    workflow_timeout: float | None = None
    max_workers: int | None = None
    backoff_limit: int = 3
    ttl: float | None = None
    extra: Mapping[str, Any] = {}
    kind: str = "CronJob"
    namespace: str = ""
    suspend: bool = False
    schedules: tuple[Schedule, ...] = ()
    timezone: str = ""
    concurrency_policy: str | None = None
    starting_deadline: float | None = None
    history_limits: Mapping[str, int] = {}

    @property
    def attempts(self) -> Retry:
        """Of a step without a retry of its own."""
        return self.retry


OF_A_STEP = "env", "retry", "timeout"
"""What makes sense for a step, though all of them share a pod."""

OPTIONS: Table = {
    **{
        name: option._replace(
            per_step=name in OF_A_STEP, becomes=option.becomes.removeprefix("podSpecPatch: ")
        )
        for name, option in POD.items()
    },
    "init_containers": POD["init_containers"]._replace(
        read=Shaped("[Container]"),
        per_step=False,
        doc="Containers that end before the steps begin.",
    ),
    "sidecars": POD["sidecars"]._replace(
        read=Shaped("[Container]"),
        per_step=False,
        becomes="initContainers, restartPolicy Always",
        doc="Containers beside the steps, stopped when these have ended.",
    ),
    "retry": Option(
        attempts,
        "a number or a mapping",
        "what runs the steps",
        "{max_attempts, backoff, factor, max_backoff} of steps without a retry of their own.",
        True,
        "1",
    ),
    **becoming(timeout="what runs the steps", workflow_timeout="Job activeDeadlineSeconds"),
    "max_workers": Option(
        integer,
        "a number",
        "what runs the steps",
        "How many steps run at once.",
        default="the pod's CPU limit, else the node's CPUs",
    ),
    "backoff_limit": Option(
        count,
        "a number",
        "Job backoffLimit",
        "How often a new pod goes on where one was lost. An eviction does not count.",
        default="3",
    ),
    "ttl": Option(
        wait,
        "a duration",
        "Job ttlSecondsAfterFinished",
        "After it has ended a Job is deleted, its pods and what of its run log is in the cluster.",
    ),
    "extra": Option(
        Shaped("JobSpec", partial=True),
        "a mapping",
        "Job spec",
        "Merged last over what Argosy makes, lists of things with names by name, and verified as"
        " all of it is.",
    ),
    "kind": Option(
        choice("CronJob", "Job"),
        "a word",
        "kind",
        "CronJob: schedules start runs from it, or you do; Job: applying it is a run.",
        default="CronJob",
    ),
    **becoming(namespace="metadata.namespace"),
    "schedules": Option(
        listed(schedule),
        "a list",
        "CronJob spec.schedule",
        "When a run starts; each after the first is a CronJob.",
    ),
    **becoming(
        timezone="CronJob spec.timeZone",
        concurrency_policy="CronJob spec.concurrencyPolicy",
        starting_deadline="CronJob spec.startingDeadlineSeconds",
        history_limits="CronJob spec.successfulJobsHistoryLimit, failedJobsHistoryLimit",
    ),
    "suspend": Option(
        boolean,
        "a boolean",
        "CronJob spec.suspend, Job spec.suspend",
        "Schedules start no run; a run waits until its Job's spec.suspend is false.",
        default="false",
    ),
}
"""Each becomes the field of `Options`, or of its `pod`, that has its name."""


def read_options(config: Mapping[str, Any]) -> Options:
    """A configuration that `check_options` had nothing against."""
    values = read_values(OPTIONS, config)
    pod = {name: values.pop(name) for name in POD if name in values}
    return Options(pod=PodOptions(**pod), **values)
