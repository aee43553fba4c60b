"""`resolve`: the configuration of a run, from its files, with variables replaced and aliases read.

Files deep-merge, later ones over earlier ones (`null` removes a key); every value keeps its place,
so that a problem found much later can still show the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from argosy.runtime import registry
from argosy.runtime.errors import PluginError
from argosy.runtime.suggestions import nearest

from . import aliases, source
from .errors import Position, Problem
from .graph import NOTHING, Graph, Map, Node, Task, join_path, segment
from .magnus import CONFIGURATION, extension_keys
from .parse.fields import Context, Fields, name_of
from .parse.tasks import in_folder
from .rewrite import rewrite

SERVICES = "executor", "run_log_store", "catalog", "secrets"
MOCKED = "mocked"
EXECUTORS = (*registry.BUILT_IN["executor"], MOCKED)
"""Our executors: a step may carry overrides for any, whatever this configuration runs on."""

PARALLELISM = "parallelism"
IN_A_CLUSTER = {
    "run_log_store": "kubernetes",
    "catalog": "do-nothing",
    "secrets": "kubernetes",
}
DEFAULTS = {
    "local": {"run_log_store": "file-system", "catalog": "file-system", "secrets": "env"},
    "cluster": IN_A_CLUSTER,
}
"""The provider of each service that a configuration leaves out, by executor or by its family."""

OWN = {
    "argo": frozenset(
        ["archive_logs", "extra", "hooks", "memoize", "metrics", "synchronization"],
    )
}
"""Options that are the workflow's in an executor's configuration, and a step's in its overrides: a
step inherits none of them."""


class Declared(NamedTuple):
    """A service as it is configured: its provider's type, its options, where they stand, and the
    section that both are in."""

    type: str
    config: Mapping[str, Any]
    mapping: source.Mapping | None = None
    section: source.Mapping | None = None

    def problem(self, message: str, path: Iterable[Any] = (), hint: str = "") -> Problem:
        """A problem with the option at `path`, as near to it as there is a place."""
        at: Any = self.mapping
        mark = None if at is None else at.mark
        for key in path:
            known = key in at.marks if isinstance(at, source.Mapping) else False
            if not known and not (isinstance(at, source.Sequence) and key in range(len(at))):
                break
            mark = at.at(key)
            at = at[key]
        if self.mapping is None or mark is None:
            return Problem(message, hint=hint)
        owner = getattr(mark, "source", None) or self.mapping.source
        return owner.problem(message, mark, hint)


class Settings(NamedTuple):
    """What `resolve` makes. `steps`: by a step's path, the executor's options with that step's
    overrides merged over them; only steps that override anything are there. Of Magnus's:
    `data_folder`, which steps' patterns are relative to, and `pipeline`, a name for it."""

    executor: Declared
    run_log_store: Declared
    catalog: Declared
    secrets: Declared
    plugins: tuple[str, ...] = ()
    steps: Mapping[str, Mapping[str, Any]] = NOTHING
    data_folder: str = ""
    pipeline: str = ""


def merge(under: Any, over: Any) -> Any:
    """`over` deep-merged over `under`; null removes a key.

    >>> merge({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"y": None}, "b": 4})
    {'a': {'x': 1}, 'b': 4}
    """
    if not isinstance(over, dict):
        return over
    merged = dict(under) if isinstance(under, dict) else {}
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def read(
    paths: Iterable[str], definition: Any, context: Context, beside: str | None = None
) -> source.Mapping:
    """The merged configuration: that of the definition itself, then each file. What none of them
    configures is as the file `beside` the definition says under `defaults`."""
    merged = source.Mapping(source.Source("", ""), None)
    if isinstance(definition, source.Mapping):
        own = source.Mapping(definition.source, definition.mark)
        for key in definition:
            if key in aliases.SECTIONS:
                own[key], own.marks[key] = definition[key], definition.marks[key]
        _layer(merged, _prepared(own, context))
    for path in paths:
        if Path(path).name == CONFIGURATION:
            _layer(merged, _defaults_of(path, context))
            continue
        document = source.load(path, hint="-c takes a configuration file")
        _layer(merged, _prepared(_mapping(document, path, context), context))
    if beside:
        defaults = _defaults_of(beside, context)
        for section in defaults:
            if section not in merged:
                merged[section] = defaults[section]
                merged.take(defaults, section, section)
    return merged


def _defaults_of(path: str, context: Context) -> source.Mapping:
    """The configuration under `defaults` of a file of Magnus's."""
    document = source.load(path)
    fields = Fields(_mapping(document, path, context), path, context, literal=True)
    fields.accept(*extension_keys(fields.mapping))
    defaults = fields.submapping("defaults")
    fields.close()
    nothing = source.Mapping(fields.mapping.source, fields.mapping.mark)
    return _prepared(nothing if defaults is None else defaults, context)


def _mapping(document: Any, path: str, context: Context) -> source.Mapping:
    """The mapping that a file of a configuration is; where it is none, that is a problem."""
    if isinstance(document, source.Mapping):
        return document
    if document is not None:
        message = f"{path}: a configuration is a mapping, not {name_of(document)}"
        context.problems.append(Problem(message, hint=f"its keys: {', '.join(SERVICES)}"))
    return source.Mapping(source.Source(path, ""), None)


def _prepared(document: source.Mapping, context: Context) -> source.Mapping:
    """One file's configuration with aliases renamed and variables replaced, and without what is
    for other places in it."""
    for key in extension_keys(document):
        if key not in aliases.SECTIONS:
            del document[key]
    magnus = aliases.rename(document, aliases.SERVICES) or "experiment_tracker" in document
    for section in SERVICES:
        body = document.get(section)
        if isinstance(body, str):  # executor: argo
            short = source.Mapping(document.source, document.at(section))
            short["type"] = body
            short.marks["type"] = (document.at_key(section), document.at(section))
            document[section] = body = short
        if isinstance(body, source.Mapping):
            magnus = _renamed(section, body) or magnus
    magnus = aliases.secrets_from_k8s(document) or magnus
    done: set[int] = set()
    for key in document:
        if key == "executor" or not magnus:
            value, mark = document[key], document.at(key)
            document[key] = _replaced(value, mark, context, document.source, done)
    _locate(document)
    return document


def _renamed(section: str, body: source.Mapping) -> bool:
    """Reads a service's other names; whether there were any."""
    provider = aliases.PROVIDERS.get((section, str(body.get("type", ""))))
    config = body.get("config")
    if provider is None:
        return False
    found = bool(body["type"] != provider.type)
    body["type"] = provider.type
    if isinstance(config, source.Mapping):
        found = aliases.tidy(section, config, provider) or found
        overrides = config.get("overrides")
        if isinstance(overrides, source.Mapping):
            for block in overrides.values():
                if isinstance(block, source.Mapping):
                    found = aliases.tidy(section, block, provider) or found
    return found


def _replaced(value: Any, mark: Any, context: Context, file: source.Source, done: set[int]) -> Any:
    """`value` with the variables in its texts replaced, places kept. `done` has the collections
    that were read before: an anchor and its aliases are one, in which `$$` is `$` by then."""
    if isinstance(value, str):
        holder = source.Mapping(file, mark)
        return Fields(holder, "", context).replaced(value, mark) if "$" in value else value
    if isinstance(value, (source.Mapping, source.Sequence)) and id(value) not in done:
        done.add(id(value))
        keys: Iterable[Any] = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            value[key] = _replaced(value[key], value.at(key), context, file, done)
    return value


def _locate(value: Any) -> None:
    """Adds its file to each place in `value`, as lists and mappings of several files are merged."""
    if isinstance(value, source.Mapping):
        value.mark = _placed(value.mark, value.source)
        for key, (key_mark, mark) in value.marks.items():
            value.marks[key] = _placed(key_mark, value.source), _placed(mark, value.source)
        for inner in value.values():
            _locate(inner)
    elif isinstance(value, source.Sequence):
        value.mark = _placed(value.mark, value.source)
        value.marks = [_placed(mark, value.source) for mark in value.marks]
        for inner in value:
            _locate(inner)


def _layer(under: source.Mapping, over: source.Mapping) -> None:
    """Deep-merges `over` into `under`. Every place in `over` has its file."""
    for key, value in over.items():
        old = under.get(key)
        if value is None and key in under:
            del under[key]
            continue
        if isinstance(value, source.Mapping):
            fresh = source.Mapping(value.source, value.mark)
            if isinstance(old, source.Mapping):
                _layer(fresh, old)
            _layer(fresh, value)
            value = fresh
        under[key] = value
        under.texts.pop(key, None)
        under.take(over, key, key)
        under.marks.setdefault(key, (over.mark, over.mark))


def _placed(mark: Any, file: source.Source) -> Any:
    if mark is None or isinstance(mark, Position):
        return mark
    return file.position(mark)


def resolve(configuration: source.Mapping, context: Context) -> Settings:
    """The settings of `configuration`; problems go to `context`."""
    fields = Fields(configuration, "the configuration", context, literal=True)
    _refuse_tracker(fields)
    executor = _service(fields, "executor", "local")
    plugins = fields.texts("plugins")
    defaults = _defaults(executor.type, plugins)
    services = [_service(fields, name, defaults[name]) for name in SERVICES[1:]]
    fields.close()
    run_log_store, catalog, secrets = services
    executor, name = _without(executor, "name") if executor.type == "argo" else (executor, "")
    catalog, folder = _without(catalog, "compute_data_folder")
    return Settings(
        executor,
        run_log_store,
        catalog,
        secrets,
        plugins,
        data_folder=folder,
        pipeline=name.rstrip("-"),
    )


def _without(declared: Declared, name: str) -> tuple[Declared, str]:
    """A service without an option of Magnus's that is the pipeline's, and the option's text."""
    value = declared.config.get(name)
    if not isinstance(value, str):
        return declared, ""
    config = {key: option for key, option in declared.config.items() if key != name}
    return declared._replace(config=config), value


def in_data_folder(graph: Graph, folder: str) -> Graph:
    """`graph` with the patterns of its tasks relative to this folder, where they do not name one
    themselves."""

    def change(node: Node) -> Node:
        task = node.spec
        if not isinstance(task, Task) or task.own_folder:
            return node
        get, put = in_folder(folder, task.get), in_folder(folder, task.put)
        return node._replace(spec=task._replace(get=get, put=put))

    return rewrite(graph, change) if folder else graph


def without_mock(settings: Settings) -> Settings:
    """The settings with the executor that runs a mocked pipeline in the place of `mocked`."""
    if settings.executor.type != "mocked":
        return settings
    return settings._replace(executor=Declared("local", {}))


def _defaults(executor: str, plugins: tuple[str, ...]) -> Mapping[str, str]:
    """The providers of an executor's services, a plugin's executor as its family has them."""
    if executor in DEFAULTS:
        return DEFAULTS[executor]
    try:
        family = None if executor == MOCKED else registry.find("executor", executor, plugins).family
    except PluginError:  # `integrate` reports it, with its place
        family = None
    return DEFAULTS.get(family or "", DEFAULTS["local"])


def _service(fields: Fields, name: str, default: str) -> Declared:
    """One section: {type, config}."""
    section = fields.fields(name)
    if section is None:
        return Declared(default, {})
    kind = section.text("type") if section.require("type", "the name of a provider") else default
    mapping = section.submapping("config")
    config = section.data("config") or {} if mapping is not None else {}
    blocks = config.pop("overrides", None)  # where null has something to remove yet
    config = merge({}, config) if blocks is None else {**merge({}, config), "overrides": blocks}
    section.close(lambda key: f"an option of the {name} goes under its config")
    whole = section.mapping
    return Declared(kind, config, whole if mapping is None else mapping, whole)


def _refuse_tracker(fields: Fields) -> None:
    """Magnus' experiment tracker: none is what we have."""
    fields.accept("experiment_tracker")
    if fields.mapping.get("experiment_tracker") is None:
        return
    tracker = fields.fields("experiment_tracker")
    if tracker is None:
        return
    kind = tracker.text("type", "do-nothing")
    tracker.has("config")
    if kind != "do-nothing":
        hint = "call the tracker from your step; track_this keeps metrics in the run log"
        message = f"experiment_tracker '{kind}' has no counterpart here"
        tracker.problem(message, tracker.mapping.at("type"), hint)


def step_options(
    graph: Graph, executor: Declared, context: Context, plugins: tuple[str, ...] = ()
) -> dict[str, Mapping[str, Any]]:
    """The executor's options of each step that overrides any."""
    blocks = executor.config.get("overrides") or {}
    alone = OWN.get(executor.type, frozenset()) | {"overrides"}
    base = {key: value for key, value in executor.config.items() if key not in alone}
    found: dict[str, Mapping[str, Any]] = {}
    for path, node in every_node(graph):
        for name, override in node.overrides.items():
            if name not in EXECUTORS and name not in (known := executors(plugins)):
                message = f"overrides of step '{node.name}' name no executor: '{name}'"
                hint = (
                    f"{nearest(name, known)}; `plugins` of the configuration adds those of a module"
                )
                context.problems.append(_problem_of_override(node, name, message, hint))
            elif name == executor.type and isinstance(override, str):
                if override in blocks:
                    found[path] = merge(base, blocks[override])
                else:
                    message = f"step '{node.name}' names no block of the executor: '{override}'"
                    nothing = "its config has no overrides"
                    hint = nearest(override, blocks) if blocks else nothing
                    context.problems.append(_problem_of_override(node, name, message, hint))
            elif name == executor.type and isinstance(override, dict):
                found[path] = merge(base, override)
            elif not isinstance(override, (str, dict)):
                message = f"overrides of step '{node.name}' for {name}: {name_of(override)}"
                hint = "a mapping of options, or the name of a block"
                context.problems.append(_problem_of_override(node, name, message, hint))
    return found


def _problem_of_override(node: Node, name: str, message: str, hint: str) -> Problem:
    """A problem at the key of one of a node's overrides."""
    overrides = node.overrides
    if isinstance(overrides, source.Mapping):
        return overrides.source.problem(message, overrides.at_key(name), hint)
    return Problem(message, node.at, hint)


def executors(plugins: tuple[str, ...]) -> list[str]:
    """Every executor that a step may name, those of plugins among them."""
    return [*registry.names("executor", plugins), MOCKED]


def own_override(executor: Declared, node: Any) -> Declared | None:
    """What a node itself overrides of the executor's options, with its place; None where it names a
    block of the executor's, or nothing."""
    found = node.overrides.get(executor.type)
    if not isinstance(found, dict):
        return None
    return Declared(executor.type, found, found if isinstance(found, source.Mapping) else None)


def override_of(executor: Declared, node: Any) -> Mapping[str, Any]:
    """What a node overrides of the executor's options, those of the block that it names if so."""
    found = node.overrides.get(executor.type) or {}
    if isinstance(found, str):
        found = (executor.config.get("overrides") or {}).get(found) or {}
    return found if isinstance(found, dict) else {}


def bounded(graph: Graph, executor: Declared) -> Graph:
    """`graph` with the bounds of its maps that Magnus has among the executor's options: a map's
    `parallelism` is how many of its iterations run at once."""

    def change(node: Node) -> Node:
        most = override_of(executor, node).get(PARALLELISM)
        if not isinstance(node.spec, Map) or node.spec.max_parallel or not isinstance(most, int):
            return node
        return node._replace(spec=node.spec._replace(max_parallel=most))

    maps = (node for _, node in every_node(graph) if isinstance(node.spec, Map))
    if not any(PARALLELISM in override_of(executor, node) for node in maps):
        return graph
    return rewrite(graph, change)


def every_node(graph: Graph) -> Iterator[tuple[str, Any]]:
    """Every node of a graph and of the graphs in it, with its path."""
    stack = [("", graph)]
    while stack:
        path, current = stack.pop()
        for name, node in current.nodes.items():
            at = join_path(path, segment(name))
            yield at, node
            for part, inner in node.graphs():
                stack.append((join_path(at, part), inner))
