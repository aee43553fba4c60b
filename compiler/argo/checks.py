"""What is wrong with the options of the executor `argo`, and what is taken and may surprise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from argosy.runtime.suggestions import nearest

from ..errors import Problem
from ..graph import Argo, Map, Node, Task
from ..options.checks import check_mounts
from ..options.readers import Fault, Path, WrongValue
from ..options.resources import check_resources
from ..options.run import warn_zones
from ..options.table import check_values
from ..schema.versions import ARGO
from ..settings import OWN, PARALLELISM, Declared, every_node, override_of, own_override
from .options import OPTIONS, Options, read_options
from .readers import version
from .variables import unknown_variables

if TYPE_CHECKING:
    from ..compilation import Compilation

RETRIES = "retries"
"""Argo's variable with the number of attempts before this one."""
CRON = "timezone", "concurrency_policy", "starting_deadline", "history_limits"
"""Options that mean something to a schedule only."""


def option_problems(compilation: Compilation) -> Iterator[Problem]:
    """What is wrong with the configuration, and with what each step overrides, with its place."""
    declared = compilation.settings.executor
    argo = version_of(declared.config)
    found = check_options(declared.config)
    if not found:
        options, parameters = read_options(declared.config), compilation.pipeline.parameters
        found = list(check_parameters(options, parameters))
    found += unknown_variables(declared.config)
    found += tried_once(compilation) if not found else ()
    for place, message, hint in found:
        yield declared.problem(message, place, hint)
    for path, node in every_node(compilation.pipeline.graph):
        if isinstance(node.spec, Argo):
            yield from _of_template(node, node.spec)
        if not node.overrides:
            continue
        override = own_override(declared, node) or Declared(declared.type, {})
        faults = check_options(override.config, step=True, argo=argo)
        if not isinstance(node.spec, Task):
            faults += _without_pod(override_of(declared, node), node)
        elif override_of(declared, node).get("memoize") and (node.spec.returns or node.spec.put):
            hint = "let it leave its results where they are found without the run"
            message = "a step that is memoized may not run, and hands nothing on"
            faults.append(Fault(("memoize",), message, hint))
        if PARALLELISM in override_of(declared, node) and not isinstance(node.spec, Map):
            message = f"'{PARALLELISM}' is of a workflow or a map, and this is a {node.kind}"
            faults.append(Fault((PARALLELISM,), message, "set it in the executor's configuration"))
        if not found and not faults and path in compilation.settings.steps:
            faults += check_merged(read_options(compilation.settings.steps[path]))
        for place, message, hint in faults:
            said = override.problem(f"overrides of step '{node.name}': {message}", place, hint)
            yield said if said.at else said._replace(at=node.at)


def _of_template(node: Node, spec: Argo) -> Iterator[Problem]:
    """Variables that Argo does not have in a template of its own, and in its arguments."""
    given = {"template": spec.template, "arguments": spec.arguments}
    for place, message, hint in unknown_variables(given):
        yield Problem(f"step '{node.name}': {message}", node.place(*place), hint)


def tried_once(compilation: Compilation) -> Iterator[Fault]:
    """A patch of pods that counts attempts, where some pods have no second one: Argo has no value
    for the variable then, and fails the step."""
    declared = compilation.settings.executor
    if f"{{{{{RETRIES}}}}}" not in json.dumps(declared.config.get("pod_spec_patch") or {}):
        return
    usual = read_options(declared.config).attempts
    once = [
        node.name
        for _, node in every_node(compilation.pipeline.graph)
        if isinstance(node.spec, Task) and (node.spec.retry or usual).max_attempts == 1
    ]
    if once:
        message = f"pod_spec_patch uses {{{{{RETRIES}}}}}, but step '{once[0]}' has no retry"
        hint = "give every step a retry, or override pod_spec_patch in the steps that have one"
        yield Fault(("pod_spec_patch",), message, hint)


def _without_pod(override: Mapping[str, Any], node: Node) -> Iterator[Fault]:
    """What would be given to a step that has no pod, and do nothing."""
    for name in sorted(OWN["argo"] & override.keys()):
        message = f"'{name}' is of a task, and this is a {node.kind}"
        yield Fault((name,), message, "override it in the steps inside")


def check_options(
    config: Mapping[str, Any], path: Path = (), *, step: bool = False, argo: str = ""
) -> list[Fault]:
    """Everything wrong with the executor's configuration, or with the overrides of one step.

    `path` leads to `config`; the faults have theirs below it. `argo`: the version, of a step.
    """
    argo = argo or version_of(config)
    found = check_values(OPTIONS, "argo", config, path, step=step, version=argo)
    blocks = config.get("overrides")
    for name, block in blocks.items() if isinstance(blocks, Mapping) and not step else ():
        if isinstance(block, Mapping):
            found += check_options(block, (*path, "overrides", name), step=True, argo=argo)
    if not step and not found:
        found.extend(Fault((*path, *at), message, hint) for at, message, hint in _together(config))
    return found


def version_of(config: Mapping[str, Any]) -> str:
    """The version of Argo that a configuration is for; the default where it says it wrong."""
    try:
        return version(config.get("argo_version") or ARGO)
    except WrongValue:
        return ARGO


def check_merged(options: Options) -> Iterator[Fault]:
    """What is wrong with what a step has in the end, its overrides and the configuration."""
    claims = [claim.get("metadata", {}).get("name", "") for claim in options.volume_claim_templates]
    yield from check_mounts(options.pod, claims)
    yield from check_resources(options.pod.resources)
    if options.queue_timeout and options.timeout and options.queue_timeout <= options.timeout:
        hint = "it counts the step's own time too: give it the timeout and the wait"
        yield Fault(("queue_timeout",), "queue_timeout is no longer than timeout", hint)


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
    if options.memoize:
        hint = "overrides: {argo: {memoize: {...}}} of that step"
        yield Fault(("memoize",), "memoize is of a step, and not of the workflow", hint)
    if options.suspend and not options.schedules and options.kind != "Workflow":
        hint = "it is for schedules, and for kind: Workflow"
        yield Fault(("suspend",), f"a {options.kind} starts no run that could wait", hint)
    for name in CRON if not options.schedules else ():
        if getattr(options, name):
            message = f"{name} is that of schedules, and there are none"
            yield Fault((name,), message, f"remove it; in a layer, {name}: null does")
    if "exit" in options.hooks:
        hint = "use notifications: they run beside what closes the run log"
        yield Fault(("hooks", "exit"), "the hook 'exit' would take the place of Argosy's own", hint)
    yield from check_merged(options)


def check_parameters(options: Options, parameters: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with how the pipeline's parameters are shown."""
    for name, exposed in options.parameters.items():
        if name not in parameters:
            hint = nearest(name, parameters) if parameters else "it has none"
            yield Fault(("parameters", name), f"the pipeline has no parameter '{name}'", hint)
        elif exposed.enum and parameters[name] not in (None, *exposed.enum):
            message = f"the default of '{name}', {parameters[name]!r}, is not among its values"
            yield Fault(("parameters", name, "enum"), message)


def warn_options(config: Mapping[str, Any]) -> list[Fault]:
    """What is taken, and may surprise."""
    options = read_options(config)
    found = list(warn_zones(options.timezone, options.schedules))
    return found + [
        Fault(
            ("claims", name),
            f"claim '{name}' is {claim.access_mode}: its pods must all run on one node",
            "access_mode: ReadWriteMany, where the storage class has it",
        )
        for name, claim in options.pod.claims.items()
        if claim.create and claim.access_mode != "ReadWriteMany"
    ]
