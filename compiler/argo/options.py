"""The options of the executor `argo`: those of a pod, and those of a workflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..graph import Retry
from ..options.pod import POD, PodOptions
from ..options.readers import (
    Fault,
    Path,
    WrongValue,
    choice,
    dns_label,
    integer,
    listed,
    matching,
    record,
    seconds,
    text,
)
from ..options.table import Option, Table, check_values, read_values

ONCE = Retry()


class Options(NamedTuple):
    """A configuration, read. Durations are in seconds."""

    pod: PodOptions = PodOptions()
    retry: Retry = ONCE
    timeout: float | None = None
    workflow_timeout: float | None = None
    parallelism: int | None = None
    kind: str = "WorkflowTemplate"
    namespace: str = ""
    schedules: tuple[str, ...] = ()
    timezone: str = ""


def retry(value: Any) -> Retry:
    """Attempts, or a mapping of them and the waits between."""
    if not isinstance(value, Mapping):
        return Retry(max_attempts=integer(value))
    return Retry(
        **record(
            {
                "max_attempts": integer,
                "backoff": seconds,
                "factor": factor,
                "max_backoff": seconds,
            }
        )(value)
    )


def factor(value: Any) -> float:
    """What a wait grows by."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 1:
        raise WrongValue("takes a number of at least 1")
    return value


schedule = matching(
    r"@\w+( \w+)?|\S+(\s+\S+){4,5}", "five fields, such as '0 6 * * 1-5', or @daily"
)

OPTIONS: Table = {
    **POD,
    "retry": Option(
        retry,
        "a number or a mapping",
        "retryStrategy",
        "{max_attempts, backoff, factor, max_backoff} of steps without a retry of their own.",
        True,
        "1",
    ),
    "timeout": Option(
        seconds, "a duration", "activeDeadlineSeconds", "Of each step without one of its own.", True
    ),
    "workflow_timeout": Option(
        seconds, "a duration", "spec.activeDeadlineSeconds", "Of the whole run."
    ),
    "parallelism": Option(integer, "a number", "spec.parallelism", "How many pods run at a time."),
    "kind": Option(
        choice("WorkflowTemplate", "Workflow", "CronWorkflow"),
        "a word",
        "kind",
        "What is rendered.",
        default="WorkflowTemplate",
    ),
    "namespace": Option(
        dns_label,
        "text",
        "metadata.namespace",
        "Where everything is; else kubectl or kustomize says.",
    ),
    "schedules": Option(
        listed(schedule),
        "a list",
        "CronWorkflow spec.schedules",
        "When a CronWorkflow starts a run.",
    ),
    "timezone": Option(
        text,
        "text",
        "CronWorkflow spec.timezone",
        "Of the schedules, such as Europe/Madrid.",
        default="the controller's",
    ),
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
    found = check_values(OPTIONS, "argo", config, path, step=step)
    if not step and not found:
        found.extend(Fault((*path, *at), message, hint) for at, message, hint in _together(config))
    return found


def _together(config: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong between options that are right by themselves."""
    options = read_options(config)
    if not options.pod.image:
        hint = "config: {image: registry.example.com/team/pipeline:1.0}"
        yield Fault((), "executor argo needs an image", hint)
    if options.kind == "CronWorkflow" and not options.schedules:
        yield Fault(("kind",), "a CronWorkflow needs schedules", 'schedules: ["0 6 * * *"]')
    if options.kind == "Workflow" and options.schedules:
        hint = "leave kind out: schedules render a CronWorkflow and its WorkflowTemplate"
        yield Fault(("schedules",), "a Workflow runs once and has no schedules", hint)
    if options.timezone and not options.schedules:
        yield Fault(("timezone",), "timezone is that of schedules, and there are none")


def warn_options(config: Mapping[str, Any], path: Path = ()) -> list[Fault]:
    """What is taken, and may surprise."""
    claims = read_options(config).pod.claims
    return [
        Fault(
            (*path, "claims", name),
            f"claim '{name}' is {claim.access_mode}: its pods must all run on one node",
            "access_mode: ReadWriteMany, where the storage class has it",
        )
        for name, claim in claims.items()
        if claim.create and claim.access_mode != "ReadWriteMany"
    ]
