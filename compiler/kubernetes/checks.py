"""What is wrong with the options of the executor `kubernetes`, and what may surprise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import Problem
from ..options.checks import check_mounts
from ..options.readers import Fault, Path
from ..options.resources import check_resources
from ..options.run import warn_zones
from ..options.table import check_values
from ..settings import Declared, every_node, override_of, own_override
from .options import OF_A_STEP, OPTIONS, read_options

if TYPE_CHECKING:
    from ..compilation import Compilation


OF_SCHEDULES = "timezone", "concurrency_policy", "starting_deadline"


def option_problems(compilation: Compilation) -> Iterator[Problem]:
    """What is wrong with the configuration, and with what each step overrides, with its place."""
    declared = compilation.settings.executor
    for place, message, hint in check_options(declared.config):
        yield declared.problem(message, place, hint)
    for _, node in every_node(compilation.pipeline.graph):
        override = own_override(declared, node) or Declared(declared.type, {})
        for place, message, hint in check_options(override_of(declared, node), step=True):
            said = override.problem(f"overrides of step '{node.name}': {message}", place, hint)
            yield said if said.at else said._replace(at=node.at)


def check_options(config: Mapping[str, Any], path: Path = (), *, step: bool = False) -> list[Fault]:
    """Everything wrong with the executor's configuration, or with the overrides of one step.

    `path` leads to `config`; the faults have theirs below it.
    """
    if step:
        own = {name: value for name, value in config.items() if name in OF_A_STEP}
        refused = [_not_of_a_step(name, path) for name in config if name in OPTIONS.keys() - own]
        rest = {name: value for name, value in config.items() if name not in OPTIONS}
        found = check_values(OPTIONS, "kubernetes", {**own, **rest}, path, step=True)
        return [*refused, *found, *([] if found else _of_the_pod(own, path))]
    found = check_values(OPTIONS, "kubernetes", config, path)
    if not found:
        found.extend(Fault((*path, *at), message, hint) for at, message, hint in _together(config))
    return found


def _not_of_a_step(name: str, path: Path) -> Fault:
    message = f"'{name}' is of the one pod that runs all steps; a step cannot override it"
    hint = f"a step may override {', '.join(OF_A_STEP)}; on executor argo each has a pod of its own"
    return Fault((*path, name), message, hint)


def _of_the_pod(config: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    for name, value in (config.get("env") or {}).items():
        if value is None:
            message = f"env: '{name}' is of the one pod that runs all steps; a step has it too"
            yield Fault((*path, "env", name), message, "give it to the steps that need it")
        elif isinstance(value, Mapping):
            message = f"env: '{name}' takes its value from the cluster, as only the pod's can"
            yield Fault((*path, "env", name), message, "set it in the executor's configuration")


def _together(config: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong between options that are right by themselves."""
    options = read_options(config)
    if not options.pod.image:
        hint = "config: {image: registry.example.com/team/pipeline:1.0}"
        yield Fault((), "executor kubernetes needs an image", hint)
    yield from check_mounts(options.pod)
    yield from check_resources(options.pod.resources)
    if options.kind == "Job" and options.schedules:
        hint = "leave kind out: schedules are a CronJob's"
        yield Fault(("schedules",), "a Job runs once and has no schedules", hint)
    for name in OF_SCHEDULES if not options.schedules else ():
        if getattr(options, name):
            message = f"{name} is that of schedules, and there are none"
            yield Fault((name,), message, f"remove it; in a layer, {name}: null does")
    if options.kind == "Job" and options.history_limits:
        hint = "ttl says when a Job goes"
        yield Fault(("history_limits",), "history_limits are a CronJob's", hint)


def warn_options(config: Mapping[str, Any]) -> list[Fault]:
    """What is taken, and may surprise."""
    options = read_options(config)
    return list(warn_zones(options.timezone, options.schedules))
