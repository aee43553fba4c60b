"""`integrate`: the live executor and services, each service's integration called in turn.

Integrations know nothing of files; what they raise is reported at the section it concerns.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from typing import Any, NamedTuple

from argosy.runtime import registry
from argosy.runtime.errors import ArgosyError
from argosy.runtime.executors.base import Executor
from argosy.runtime.integrations.base import BaseIntegration, call
from argosy.runtime.service import TYPES, Catalog, RunLogStore
from argosy.runtime.suggestions import nearest

from .compilation import Compilation
from .engines import ENGINES, back_end
from .errors import Problem, SettingsError
from .graph import Task
from .refused import refused
from .settings import SERVICES, Declared, Settings, every_node

EXECUTION_HOOKS = "validate", "configure_for_execution"


def integrate(compilation: Compilation) -> Compilation:
    """Makes the executor and the services, and lets their integrations change them.

    Raises SettingsError with all problems of the sections.
    """
    settings = compilation.settings
    services, problems = open_services(settings)
    executor = services.pop("executor", None)
    if executor is not None:
        problems += _option_problems(compilation)
    if executor is None or problems:
        raise SettingsError(problems)
    asked = _asked(compilation, services)
    candidates = registry.integrations(settings.plugins)
    warnings: list[Problem] = []
    attributes = {one for one in vars(executor) if not one.startswith("_")}
    plugins = dict.fromkeys(_modules(type(service) for service in services.values()))
    for name, service in services.items():
        try:
            found = registry.integration(executor, service, candidates)
            call(found, "validate", **asked[name])
            call(found, "configure_for_traversal", **asked[name])
            unknown = [*unknown_attributes(found, attributes)]
            warnings += [getattr(settings, name).problem(one, hint=hint) for one, hint in unknown]
            executor.verify()
        except ArgosyError as error:
            said = getattr(settings, name).problem(str(error))
            # A service that is not configured is one that the executor needs.
            problems.append(said if said.at else settings.executor.problem(str(error)))
            continue
        cls = type(found)
        if any(
            getattr(cls, hook) is not getattr(BaseIntegration, hook) for hook in EXECUTION_HOOKS
        ):
            plugins.update(dict.fromkeys(_modules([cls])))
    if problems:
        raise SettingsError(problems)
    return compilation._replace(
        executor=executor,
        plugins=tuple(plugins),
        warnings=(*compilation.warnings, *warnings, *_option_warnings(settings.executor)),
        **services,
    )


def unknown_attributes(
    integration: BaseIntegration, attributes: set[str]
) -> Iterator[tuple[str, str]]:
    """What an integration has set on its executor that none has, so that nothing reads it; what is
    said once is known from then on."""
    cls = type(integration)
    for name in [one for one in vars(integration.executor) if one not in attributes]:
        if not name.startswith("_"):
            where = f"integration {cls.__module__}.{cls.__name__}"
            message = f"{where} set '{name}', which no executor has: it has no effect"
            yield message, nearest(name, sorted(attributes - {"config"}))
            attributes.add(name)


def open_services(settings: Settings) -> tuple[dict[str, Any], list[Problem]]:
    """The live executor and services by name, and the problems of those that cannot be made."""
    made: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in SERVICES:
        declared: Declared = getattr(settings, name)
        try:
            cls = registry.find(name, declared.type, settings.plugins)
        except ArgosyError as error:
            section = declared._replace(mapping=declared.section)
            problems.append(section.problem(str(error), ["type"]))
            continue
        try:
            found = list(_unfit(cls, declared))
            problems += found
            if not found:
                made[name] = cls(declared.config)
        except ArgosyError as error:
            problems.append(declared.problem(str(error)))
    for name in ("run_log_store", "catalog"):
        if name in made and "secrets" in made:
            made[name].secret = made["secrets"].get
    return made, problems


def _unfit(cls: Any, declared: Declared) -> Iterator[Problem]:
    """Options that a service does not have, and values that are not of an option's type."""
    options = getattr(cls, "options", {})
    if not options:
        return
    refused = [name for name in declared.config if name in getattr(cls, "refused", ())]
    if refused:
        for name in refused:
            problem = declared.problem(f"'{declared.type}' takes no option '{name}'", [name])
            # The line may show what others must not see.
            at = problem.at and problem.at._replace(source=None)
            yield problem._replace(at=at, hint=cls.refused[name])
        return
    for name, value in declared.config.items():
        if value is None or name == "overrides":
            continue
        if name not in options:
            message = f"'{declared.type}' has no option '{name}'"
            yield declared.problem(message, [name], nearest(name, options))
        elif not _fits(value, options[name].type):
            wanted = options[name].type
            message = f"{name} takes {'an' if wanted == 'integer' else 'a'} {wanted}"
            yield declared.problem(message, [name], options[name].doc)


def _fits(value: Any, wanted: str) -> bool:
    if isinstance(value, bool) and wanted != "boolean":
        return False
    return isinstance(value, TYPES[wanted])


def _option_problems(compilation: Compilation) -> list[Problem]:
    """What an engine's options have to say, of the configuration and of each step's overrides."""
    settings = compilation.settings
    executor, secrets = settings.executor.type, settings.secrets.type
    found = list(refused(compilation.pipeline.graph, executor, secrets))
    if executor == "local-container":
        from .containers import check_containers

        return [*found, *check_containers(compilation)]
    declared = settings.executor
    if declared.type not in ENGINES:
        return found
    return [*found, *back_end(declared.type, "checks").option_problems(compilation)]


def _option_warnings(executor: Declared) -> list[Problem]:
    """What an engine takes, and may surprise."""
    if executor.type not in ENGINES:
        return []
    warn_options = back_end(executor.type, "checks").warn_options
    return [
        executor.problem(message, path, hint)
        for path, message, hint in warn_options(executor.config)
    ]


def _asked(compilation: Compilation, services: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the steps ask of each service: the keyword arguments of its integration's hooks. Where
    runs and data are kept may need secrets too, of the same provider."""
    data: list[str] = []
    secret: list[str] = []
    names: dict[str, None] = {}
    for _, node in every_node(compilation.pipeline.graph):
        if isinstance(node.spec, Task):
            if node.spec.get or node.spec.put:
                data.append(node.name)
            if node.spec.secrets:
                secret.append(node.name)
                names.update(dict.fromkeys(node.spec.secrets))
    for service in services.values():
        names.update(dict.fromkeys(service.asked().values()))
    provider = services["secrets"]
    return {
        "run_log_store": {"provider": provider},
        "catalog": {"steps": data, "provider": provider},
        "secrets": {"steps": secret, "secrets": list(names)},
    }


def _modules(classes: Iterable[type]) -> Iterator[str]:
    """The modules of those classes that are not ours: what a place of execution must import."""
    for cls in classes:
        if not cls.__module__.startswith("argosy.runtime."):
            yield cls.__module__


def kind_of(default: Any) -> str:
    """How an argument with this default is read: as it stands, or as JSON."""
    return "text" if isinstance(default, (str, type(None))) else "json"


def context(compilation: Compilation) -> dict[str, Any]:
    """ARGOSY_CONFIG: what every node of the pipeline is told. Never holds a secret."""
    services = (compilation.run_log_store, compilation.catalog, compilation.secrets)
    found: dict[str, Any] = {
        "pipeline": {"name": compilation.pipeline.name, "digest": digest(compilation)},
        "executor": compilation.settings.executor.type,
        "arguments": {
            name: kind_of(default)
            for name, default in compilation.pipeline.parameters.items()
            if default is not None
        },
    }
    for service in services:
        given = {
            name: value
            for name, value in service.config.items()
            if value != service.options[name].default
        }
        found[service.service_type] = {"type": service.service_provider, "config": given}
    if compilation.plugins:
        found["plugins"] = list(compilation.plugins)
    if compilation.pipeline.magnus:
        found["magnus"] = True
    return found


def digest(compilation: Compilation) -> str:
    """The definition's identity: 16 hex digits over its content, not its layout."""
    import hashlib
    import json

    text = json.dumps(compilation.document, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Services(NamedTuple):
    """What a configuration says, live, for commands that look at runs."""

    run_log_store: RunLogStore
    catalog: Catalog
    executor: Executor


def resolve_services(configurations: tuple[str, ...], variables: dict[str, str]) -> Services:
    """The services of a configuration, before any integration has been at them."""
    from . import settings as configuration
    from .parse import Context
    from .variables import collect

    shared = Context(variables=collect(variables))
    found = configuration.resolve(configuration.read(configurations, None, shared), shared)
    with redirect_stdout(sys.stderr):  # what a plugin prints is no part of the command's result
        services, problems = open_services(configuration.without_mock(found))
    if shared.problems or problems:
        raise SettingsError([*shared.problems, *problems])
    store, executor = services["run_log_store"], services["executor"]
    if "namespace" in store.options and store.config["namespace"] is None:
        # The log is where the pods are.
        store.config["namespace"] = executor.config.get("namespace")
    return Services(store, services["catalog"], executor)
