"""The options of the executor `kubernetes`: those of its one pod, and those of its Job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..argo.options import OPTIONS as ARGO
from ..graph import Retry
from ..options.pod import POD, PodOptions
from ..options.readers import Fault, Path, choice, integer, seconds
from ..options.table import Option, Table, check_values, read_values

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
    kind: str = "CronJob"
    namespace: str = ""
    schedules: tuple[str, ...] = ()
    timezone: str = ""


def count(value: Any) -> int:
    """A whole number of at least 0."""
    return integer(value, 0)


OF_A_STEP = "env", "retry", "timeout"
"""What makes sense for a step, though all of them share a pod."""

OPTIONS: Table = {
    **{name: option._replace(per_step=name in OF_A_STEP) for name, option in POD.items()},
    "retry": ARGO["retry"]._replace(becomes="what runs the steps"),
    "timeout": ARGO["timeout"]._replace(becomes="what runs the steps"),
    "workflow_timeout": ARGO["workflow_timeout"]._replace(becomes="Job activeDeadlineSeconds"),
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
        seconds,
        "a duration",
        "Job ttlSecondsAfterFinished",
        "After it has ended a Job is deleted, its pods and what of its run log is in the cluster.",
    ),
    "kind": Option(
        choice("CronJob", "Job"),
        "a word",
        "kind",
        "CronJob: schedules start runs from it, or you do; Job: applying it is a run.",
        default="CronJob",
    ),
    "namespace": ARGO["namespace"],
    "schedules": ARGO["schedules"]._replace(
        becomes="CronJob spec.schedule", doc="When a run starts; each after the first is a CronJob."
    ),
    "timezone": ARGO["timezone"]._replace(becomes="CronJob spec.timeZone"),
}
"""Each becomes the field of `Options`, or of its `pod`, that has its name."""


def read_options(config: Mapping[str, Any]) -> Options:
    """A configuration that `check_options` had nothing against."""
    values = read_values(OPTIONS, config)
    pod = {name: values.pop(name) for name in POD if name in values}
    return Options(pod=PodOptions(**pod), **values)


def check_options(config: Mapping[str, Any], path: Path = (), *, step: bool = False) -> list[Fault]:
    """Everything wrong with the executor's configuration, or with the overrides of one step.

    `path` leads to `config`; the faults have theirs below it.
    """
    if step:
        own = {name: value for name, value in config.items() if name in OF_A_STEP}
        refused = [_not_of_a_step(name, path) for name in config if name in OPTIONS.keys() - own]
        rest = {name: value for name, value in config.items() if name not in OPTIONS}
        found = check_values(OPTIONS, "kubernetes", {**own, **rest}, path, step=True)
        return [*refused, *found, *_taken_away(own, path)]
    found = check_values(OPTIONS, "kubernetes", config, path)
    if not found:
        found.extend(Fault((*path, *at), message, hint) for at, message, hint in _together(config))
    return found


def _not_of_a_step(name: str, path: Path) -> Fault:
    message = f"'{name}' is of the one pod that runs all steps; a step cannot override it"
    hint = f"a step may override {', '.join(OF_A_STEP)}; on executor argo each has a pod of its own"
    return Fault((*path, name), message, hint)


def _taken_away(config: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    for name, value in (config.get("env") or {}).items():
        if value is None:
            message = f"env: '{name}' is of the one pod that runs all steps; a step has it too"
            yield Fault((*path, "env", name), message, "give it to the steps that need it")


def _together(config: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong between options that are right by themselves."""
    options = read_options(config)
    if not options.pod.image:
        hint = "config: {image: registry.example.com/team/pipeline:1.0}"
        yield Fault((), "executor kubernetes needs an image", hint)
    if options.kind == "Job" and options.schedules:
        hint = "leave kind out: schedules are a CronJob's"
        yield Fault(("schedules",), "a Job runs once and has no schedules", hint)
    if options.timezone and not options.schedules:
        yield Fault(("timezone",), "timezone is that of schedules, and there are none")


def warn_options(config: Mapping[str, Any], path: Path = ()) -> list[Fault]:
    """What is taken, and may surprise."""
    return []
