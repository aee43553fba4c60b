"""`lower` for Argo: the pipeline's graphs, its flow and the executor's options become objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from argosy.runtime.context import MARK

from ..checks import every_graph
from ..environments import in_environment
from ..errors import ManifestError, Problem
from ..graph import Approval, Argo, Pipeline
from ..integrate import context
from ..manifests.extra import merged
from ..manifests.names import MAX_CRON_NAME, MAX_NAME, PIPELINE, Names
from ..manifests.objects import Identity, account_name, identity
from ..options.integrated import overridden
from .apart import Apart, apart
from .beside import RULES
from .graphs import lower_graph
from .hooks import Hooks
from .objects import CLUSTER, manifests, versioned
from .options import Options, read_options
from .pods import Pods, Run, common, configured
from .readers import Exposed
from .shared import NOOP, Shared
from .size import OBJECT_BYTES, Size, copies_of, size_of, tasks_of
from .text import safe_json
from .workflow import spec_of

if TYPE_CHECKING:
    from ..compilation import Compilation

Json = dict[str, Any]
WORKFLOWS = {"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["get"]}
"""What the exit handler must be allowed, to record the steps that no pod of ours runs."""
_ARGUMENT = re.compile(r"[-A-Za-z0-9_]+")
_CHANGED = re.compile(rf"^{MARK}|\{{\{{|\x85")
"""Text that does not arrive as it is: Argo replaces what is in braces, and server-side apply makes
a blank of U+0085."""


def lower(compilation: Compilation) -> Compilation:
    """The compilation with `manifests`: every file, as data. Raises ManifestError where the engine
    has no way to say what the pipeline says."""
    pipeline, executor = compilation.pipeline, compilation.executor
    _refuse_memoized_ends(compilation)
    plain, environment = configured(executor), compilation.request.environment
    base = plain._replace(pod=in_environment(plain.pod, plain.pod, environment))
    arguments = _arguments(pipeline, base)
    limit = MAX_CRON_NAME if base.schedules else MAX_NAME
    of = identity(pipeline.name, environment, base.namespace, limit)
    run_id = f"{quote(pipeline.name, safe='')}-{{{{=workflow.uid[:8]}}}}"
    config = context(compilation)
    if enums := {name: list(one.enum) for name, one in base.parameters.items() if one.enum}:
        config["enums"] = enums  # Argo looks at those of what is submitted, which may have none
    names = Names((NOOP,))
    own = common(base)
    pods = Pods(Run(config, run_id, executor.secret_environment), own, names)
    steps = _step_options(common(plain), executor.config, compilation.settings.steps, environment)
    shared = Shared(compilation.flow, config["arguments"], own, steps, names, pods, Hooks(names))
    # Whether there are steps that no pod of ours runs.
    engines = any(
        isinstance(node.spec, (Approval, Argo))
        for graph in every_graph(pipeline.graph)
        for node in graph.nodes.values()
    )
    end = pods.end(compilation.flow.final, engines)
    spec = _spec(of, shared, base, arguments, pipeline, end)
    of, spec = versioned(of, spec, compilation.request.templates)
    (spec, nodes), size = _within_budget(spec, of, base)
    rules = [*executor.rules, *(RULES if shared.pods.beside else ())]
    if engines:
        rules.append(WORKFLOWS)
    found = manifests(of, base, spec, nodes, rules, pipeline.description)
    return compilation._replace(manifests=found, size=size)


def _refuse_memoized_ends(compilation: Compilation) -> None:
    """Raises ManifestError where the step that tells whether a loop goes on may not run."""
    steps = compilation.settings.steps
    ends = [path for path in compilation.flow.endings if steps.get(path, {}).get("memoize")]
    if ends:
        hint = "put a stub after it"
        raise ManifestError(
            Problem(f"the step at '{path}' ends a loop's rounds and cannot be memoized", hint=hint)
            for path in ends
        )


def _within_budget(spec: Json, of: Identity, options: Options) -> tuple[Apart, Size]:
    """The specification, its nodes apart where it would be too large with them, and its size. (A
    template of the whole cluster has none apart: a ConfigMap is of one namespace.)"""
    copies = copies_of(options.kind)
    size = size_of(spec, copies)
    if size.total <= OBJECT_BYTES or options.kind == CLUSTER:
        return Apart(spec, {}), size
    found = apart(spec, of.name)
    return found, size_of(found.spec, copies)


def _step_options(
    base: Options,
    config: Mapping[str, Any],
    steps: Mapping[str, Mapping[str, Any]],
    environment: str,
) -> dict[str, Options]:
    """The options of the steps that override any; equal ones are the same object."""
    before = read_options(config).pod
    known: dict[str, Options] = {}
    found = {}
    for path, options in steps.items():
        text = json.dumps(options, sort_keys=True, default=str)
        if text not in known:
            after = read_options(options)
            pod = overridden(base.pod, before, after.pod)
            known[text] = after._replace(pod=in_environment(pod, base.pod, environment))
        found[path] = known[text]
    return found


def _arguments(pipeline: Pipeline, options: Options) -> list[Json]:
    """The run's arguments as Argo has them: text, a default of any other type as JSON."""
    found, problems = [], []
    for name, default in pipeline.parameters.items():
        exposed = options.parameters.get(name, Exposed())
        enum = [argument_text(value, default) for value in exposed.enum]
        text = argument_text(default, default)
        given = [text, *enum]
        problems += [
            Problem(f"parameter '{name}' {message}", hint=hint)
            for message, hint in argument_faults(name, given, pipeline)
        ]
        argument: Json = {"name": name, "value": text}
        if exposed.description:
            argument["description"] = exposed.description
        if enum:
            argument["enum"] = enum
        found.append(argument)
    if problems:
        raise ManifestError(problems)
    return found


def argument_text(value: Any, default: Any) -> str:
    """A value as an argument, which the runtime reads as JSON if the default is neither text nor
    null, else as text. JSON in the place of text is marked.

    >>> argument_text("a", None), argument_text(None, "b"), argument_text([1], [])
    ('a', 'argosy-json:null', '[1]')
    """
    if not isinstance(default, (str, type(None))):
        return safe_json(value)
    if isinstance(value, str) and not _CHANGED.search(value):
        return value
    return MARK + safe_json(value)


def argument_faults(
    name: str, texts: Iterable[str], pipeline: Pipeline
) -> Iterator[tuple[str, str]]:
    """Why Argo does not take an argument, and what to do."""
    if name == "json":
        yield "cannot be called so: Argo has all parameters under that name", "give it another name"
    if not _ARGUMENT.fullmatch(name):
        hint = "letters, digits, '-' and '_'"
        yield "has a name that Argo does not take for an argument", hint
    if any(text.startswith(MARK) for text in texts) and name in _handed(pipeline):
        hint = "a step of type argo takes it as an argument: read it from a file there"
        yield "has '{{' in a value, which Argo would replace, or is null where it is text", hint


def _handed(pipeline: Pipeline) -> set[str]:
    """The parameters that templates of the engine's own take."""
    nodes = [node for graph in every_graph(pipeline.graph) for node in graph.nodes.values()]
    return {name for n in nodes if isinstance(n.spec, Argo) for name in n.spec.handed.values()}


def _spec(
    of: Identity,
    shared: Shared,
    options: Options,
    arguments: list[Json],
    pipeline: Pipeline,
    end: str,
) -> Json:
    """The workflow's specification; `end` is the template of its exit handler."""
    hooks = shared.hooks
    found: Json = {
        "entrypoint": shared.call(pipeline.graph, ""),
        "onExit": hooks.exit(end, options.notifications),
    }
    if options.hooks:
        found["hooks"] = hooks.lifecycle(options.hooks)
    account = account_name(of, options.pod)
    if account:
        found["serviceAccountName"] = account
    found |= spec_of(options)
    found["podMetadata"] = {"labels": dict(of.labels)}
    found["workflowMetadata"] = _metadata(found.get("workflowMetadata", {}), of, pipeline)
    if arguments:
        found["arguments"] = {"parameters": arguments}
    templates = []
    while shared.pending:
        templates += lower_graph(shared, shared.pending.pop())
    noop = {"name": NOOP, "suspend": {"duration": "0"}}
    used = any(task.get("template") == NOOP for one in templates for task in tasks_of(one))
    templates += [*shared.pods.templates, *hooks.templates, *shared.waits.values()]
    found["templates"] = [*templates, *([noop] if used else [])]
    return found if not options.extra else merged(found, options.extra)


def _metadata(given: Json, of: Identity, pipeline: Pipeline) -> Json:
    """What workflows are labelled with, whoever submits them: so they are found, and called by
    their run's id."""
    labels = {**given.get("labels", {}), **of.labels}
    annotations = {**given.get("annotations", {}), PIPELINE: quote(pipeline.name, safe="")}
    return {**given, "labels": labels, "annotations": annotations}
