"""Finds an executor, a service or an integration by its name, ours or a plugin's.

What is ours comes from a table, so that a pod never searches its packages for it; the entry points
in pyproject.toml say the same. What a plugin brings is verified when it is found, so that a
misspelt hook is an error and not silence.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import NodeError, PluginError
from .integrations.base import HOOKS, BaseIntegration, executor_of, kind_of
from .service import Catalog, RunLogStore, Secrets, Service
from .suggestions import nearest

if TYPE_CHECKING:
    from .executors.base import Executor

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "executor": {
        "local": "argosy.runtime.executors.localhost:LocalExecutor",
        "local-container": "argosy.runtime.executors.container:LocalContainerExecutor",
        "argo": "argosy.runtime.executors.argo:ArgoExecutor",
        "kubernetes": "argosy.runtime.executors.kubernetes:KubernetesExecutor",
    },
    "run_log_store": {
        "buffered": "argosy.runtime.run_logs.buffered:BufferedRunLog",
        "file-system": "argosy.runtime.run_logs.file_system:FileSystemRunLog",
        "db": "argosy.runtime.run_logs.db:DatabaseRunLog",
        "kubernetes": "argosy.runtime.run_logs.kubernetes:KubernetesRunLog",
        "s3": "argosy.runtime.run_logs.s3:S3RunLog",
    },
    "catalog": {
        "do-nothing": "argosy.runtime.catalogs.do_nothing:DoNothingCatalog",
        "file-system": "argosy.runtime.catalogs.file_system:FileSystemCatalog",
        "s3": "argosy.runtime.catalogs.s3:S3Catalog",
    },
    "secrets": {
        "do-nothing": "argosy.runtime.secrets.do_nothing:DoNothingSecrets",
        "env": "argosy.runtime.secrets.env:EnvSecrets",
        "dotenv": "argosy.runtime.secrets.dotenv:DotenvSecrets",
        "kubernetes": "argosy.runtime.secrets.kubernetes:KubernetesSecrets",
        "aws-secrets-manager": "argosy.runtime.secrets.aws_secrets_manager:AwsSecretsManager",
    },
    "integration": {
        "any.catalog.do-nothing": "argosy.runtime.integrations.everywhere:DoNothingCatalogs",
        "any.run_log_store.db": "argosy.runtime.integrations.everywhere:Databases",
        "any.secrets.do-nothing": "argosy.runtime.integrations.everywhere:DoNothingSecrets",
        "local.run_log_store.buffered": "argosy.runtime.integrations.local:LocalBuffered",
        "local.run_log_store.kubernetes": "argosy.runtime.integrations.local:LocalKubernetesRunLog",
        "local.secrets.env": "argosy.runtime.integrations.local:LocalEnvSecrets",
        "local.secrets.kubernetes": "argosy.runtime.integrations.local:LocalKubernetesSecrets",
        "local-container.run_log_store.buffered": (
            "argosy.runtime.integrations.container:ContainerBuffered"
        ),
        "local-container.run_log_store.file-system": (
            "argosy.runtime.integrations.container:ContainerFileSystemRunLog"
        ),
        "local-container.catalog.file-system": (
            "argosy.runtime.integrations.container:ContainerFileSystemCatalog"
        ),
        "local-container.secrets.env": "argosy.runtime.integrations.container:ContainerEnvSecrets",
        "local-container.secrets.dotenv": (
            "argosy.runtime.integrations.container:ContainerDotenvSecrets"
        ),
        "local-container.secrets.kubernetes": (
            "argosy.runtime.integrations.container:ContainerKubernetesSecrets"
        ),
        "local-container.run_log_store.db": (
            "argosy.runtime.integrations.container_stores:ContainerDatabase"
        ),
        "local-container.run_log_store.kubernetes": (
            "argosy.runtime.integrations.container_stores:ContainerKubernetesRunLog"
        ),
        "cluster.run_log_store.buffered": "argosy.runtime.integrations.cluster:ClusterBuffered",
        "cluster.run_log_store.file-system": (
            "argosy.runtime.integrations.cluster:ClusterFileSystemRunLog"
        ),
        "cluster.run_log_store.db": "argosy.runtime.integrations.cluster:ClusterDatabase",
        "cluster.run_log_store.kubernetes": (
            "argosy.runtime.integrations.cluster:ClusterKubernetesRunLog"
        ),
        "cluster.catalog.file-system": (
            "argosy.runtime.integrations.cluster:ClusterFileSystemCatalog"
        ),
        "cluster.secrets.env": "argosy.runtime.integrations.cluster:ClusterEnvSecrets",
        "cluster.secrets.dotenv": "argosy.runtime.integrations.cluster:ClusterDotenvSecrets",
        "cluster.secrets.kubernetes": (
            "argosy.runtime.integrations.cluster:ClusterKubernetesSecrets"
        ),
        "local.run_log_store.s3": "argosy.runtime.integrations.aws:LocalS3RunLog",
        "local.catalog.s3": "argosy.runtime.integrations.aws:LocalS3Catalog",
        "local.secrets.aws-secrets-manager": "argosy.runtime.integrations.aws:LocalAwsSecrets",
        "local-container.run_log_store.s3": "argosy.runtime.integrations.aws:ContainerS3RunLog",
        "local-container.catalog.s3": "argosy.runtime.integrations.aws:ContainerS3Catalog",
        "local-container.secrets.aws-secrets-manager": (
            "argosy.runtime.integrations.aws:ContainerAwsSecrets"
        ),
        "cluster.run_log_store.s3": "argosy.runtime.integrations.aws:ClusterS3RunLog",
        "cluster.catalog.s3": "argosy.runtime.integrations.aws:ClusterS3Catalog",
        "cluster.secrets.aws-secrets-manager": "argosy.runtime.integrations.aws:ClusterAwsSecrets",
    },
}
"""By kind, a name to `module:Class`. An integration's name is executor.service.provider."""

GROUPS = {
    "executor": "argosy.executors",
    "run_log_store": "argosy.run_log_stores",
    "catalog": "argosy.catalogs",
    "secrets": "argosy.secrets",
    "integration": "argosy.integrations",
    "node": "argosy.nodes",
}
"""By kind, the group of entry points that a plugin adds to."""

OURS = "argosy-", "argosy."
"""How the metadata of our own distribution begins: installed, and beside its source."""

NAMED_BY = {
    "executor": "executor_type",
    **dict.fromkeys(("run_log_store", "catalog", "secrets"), "service_provider"),
}
"""By kind, the attribute of a class that has its name."""

PROTOCOLS: Mapping[str, type[Service]] = {
    "run_log_store": RunLogStore,
    "catalog": Catalog,
    "secrets": Secrets,
}

SIGNATURES: Mapping[type, Mapping[str, str]] = {
    RunLogStore: {
        "put": "put(self, key, data)",
        "get": "get(self, key)",
        "list": "list(self, prefix)",
        "append": "append(self, key, data)",
    },
    Catalog: {"put": "put(self, sha, path)", "get": "get(self, sha, path)"},
    Secrets: {"get": "get(self, name)"},
}
"""What a provider must implement, and how."""


@cache
def find(kind: str, name: str, plugins: tuple[str, ...] = ()) -> type[Any]:
    """The class of the executor or service `name`. `kind` is executor, run_log_store, catalog or
    secrets; `plugins` are the modules that the configuration lists. Raises PluginError."""
    if name in BUILT_IN[kind]:
        return load(BUILT_IN[kind][name], f"the built-in {kind} '{name}'")
    for module in plugins:
        for found in classes(module):
            if provides(found, kind, name):
                return verified(found, kind, name, f"plugin {module}")
    points = {point.name: point for point in entry_points(kind)}
    if name not in points:
        label = kind.replace("_", " ")
        raise PluginError(f"there is no {label} '{name}'; {nearest(name, names(kind, plugins))}")
    what = describe(points[name])
    return verified(load(points[name].value, what), kind, name, what)


def names(kind: str, plugins: Iterable[str] = ()) -> list[str]:
    """The names that `find` knows: ours, those of entry points, and for an executor those of the
    modules `plugins`. Raises PluginError."""
    found = dict.fromkeys(BUILT_IN[kind])
    found.update(dict.fromkeys(point.name for point in entry_points(kind)))
    for module in plugins:
        types = (getattr(cls, NAMED_BY[kind], None) for cls in classes(module))
        found.update(dict.fromkeys(name for name in types if isinstance(name, str) and name))
    return list(found)


def make(kind: str, declared: Mapping[str, Any], plugins: tuple[str, ...] = ()) -> Any:
    """A live executor or service from `{type, config}`."""
    return find(kind, declared["type"], plugins)(declared.get("config"))


def integrations(
    plugins: Iterable[str] = (), search: bool = True
) -> tuple[type[BaseIntegration], ...]:
    """The integrations of plugins: of the modules `plugins` and, with `search`, of the entry
    points. Each is verified. Raises PluginError."""
    found: dict[type[BaseIntegration], str] = {}
    for point in entry_points("integration") if search else ():
        if point.value not in BUILT_IN["integration"].values():
            found.setdefault(load(point.value, describe(point)), point.value)
    for module in plugins:
        for cls in classes(module):
            if issubclass(cls, BaseIntegration) and cls.service_provider is not None:
                found.setdefault(cls, f"{module}:{cls.__name__}")
    for cls, where in found.items():
        verify_integration(cls, f"plugin {where}")
    return tuple(found)


def integration(
    executor: Executor, service: Service, candidates: Iterable[type[BaseIntegration]] = ()
) -> BaseIntegration:
    """The integration of the pair: an exact one before one for the executor's family, and that
    before one for every executor; a plugin's (one of `candidates`) before ours. Without one, the
    pair needs nothing. Raises PluginError where two plugins claim the same pair."""
    users = [cls for cls in candidates if kind_of(cls) == service.service_type]
    users = [cls for cls in users if cls.service_provider == service.service_provider]
    modes = dict.fromkeys((executor.executor_type, executor.family or executor.executor_type, None))
    table = BUILT_IN["integration"]
    names = {mode: f"{mode or 'any'}.{service.service_type}" for mode in modes}
    ours = {mode: table.get(f"{name}.{service.service_provider}") for mode, name in names.items()}
    for mode in modes:
        theirs = [cls for cls in users if executor_of(cls) == mode]
        pair = f"executor '{mode or 'any'}' and {service.service_type} '{service.service_provider}'"
        if len(theirs) > 1:
            found = " and ".join(sorted(f"{cls.__module__}.{cls.__name__}" for cls in theirs))
            raise PluginError(f"two integrations of {pair}: {found}; leave out one of the plugins")
        if theirs:
            if ours[mode] or (mode and ours.get(executor.family)):
                replaced(f"{theirs[0].__module__}.{theirs[0].__name__}", pair)
            return theirs[0](executor, service)
        if target := ours[mode]:
            cls: type[BaseIntegration] = load(target, "a built-in integration")
            return cls(executor, service)
    return BaseIntegration(executor, service)


@cache
def replaced(name: str, pair: str) -> None:
    """Says once that a plugin takes the place of ours."""
    import logging  # 8 ms, and hardly ever needed

    message = "%s takes the place of the integration that ships for %s"
    logging.getLogger("argosy").info(message, name, pair)


def load(target: str, what: str) -> type[Any]:
    """The class at `module:Class`. Raises PluginError."""
    found = member(target, what)
    if not isinstance(found, type):
        raise PluginError(f"{what}: {target} is not a class")
    return found


def member(target: str, what: str) -> Any:
    """What is at `module:name`. Raises PluginError."""
    name, _, attribute = target.partition(":")
    found = getattr(module(name, what), attribute, None)
    if found is None:
        raise PluginError(f"{what}: module {name} has no '{attribute}'")
    return found


def describe(point: Any) -> str:
    """An entry point, and the distribution that has it."""
    dist = getattr(point, "dist", None)
    of = f" of the distribution {dist.name} {dist.version}" if dist else ""
    return f"entry point '{point.name}' in {point.group}{of}"


def module(name: str, what: str) -> Any:
    try:
        return import_module(name)
    except (Exception, SystemExit) as error:  # a plugin raises what it likes when it is imported
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(
            f"{what}: cannot import {name} ({reason}); "
            "install it where this runs: for a pod, that is its image"
        ) from error


def entry_points(kind: str) -> Iterator[Any]:
    """The entry points of a group, ours among them where there are any but ours."""
    if extended():
        from importlib.metadata import entry_points as installed  # 15 ms: for a plugin only

        try:
            yield from installed(group=GROUPS[kind])
        except Exception as error:  # a file of entry points that is none
            reason = f"{type(error).__name__}: {error}"
            message = f"the entry points of an installed distribution cannot be read ({reason})"
            raise PluginError(message) from error


@cache
def extended() -> bool:
    """Whether any installed distribution but ours has entry points for Argosy: a look at the
    files, a tenth of the time of reading them all."""
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and not name.startswith(OURS):
                try:
                    with open(f"{folder or '.'}/{name}/entry_points.txt", encoding="utf-8") as file:
                        if "[argosy." in file.read():
                            return True
                except (OSError, ValueError):  # it has none, or they are not text
                    continue
    return False


def classes(name: str) -> Iterator[type[Any]]:
    """The classes that a plugin defines, in its module or below it."""
    for value in vars(module(name, f"plugin {name}")).values():
        if isinstance(value, type) and f"{value.__module__}.".startswith(f"{name}."):
            yield value


def provides(cls: type[Any], kind: str, name: str) -> bool:
    if kind == "executor":
        return getattr(cls, "executor_type", None) == name
    return issubclass(cls, PROTOCOLS[kind]) and cls.service_provider == name


def verified(cls: type[Any], kind: str, name: str, plugin: str) -> type[Any]:
    """`cls`, which is what it is registered as. Raises PluginError."""
    if kind == "executor":
        from .executors.base import Executor

        if not issubclass(cls, Executor):
            raise PluginError(
                f"{plugin}: {cls.__name__} is not an Executor (argosy.runtime.executors.base)"
            )
        return cls
    protocol = PROTOCOLS[kind]
    if not issubclass(cls, protocol):
        raise PluginError(
            f"{plugin}: {cls.__name__} is not a {protocol.__name__} (argosy.runtime.service)"
        )
    if cls.service_provider != name:
        raise PluginError(
            f"{plugin}: {cls.__name__} is registered as '{name}' and says that its "
            f"service_provider is '{cls.service_provider}'"
        )
    for method, signature in SIGNATURES[protocol].items():
        given = getattr(cls, method)
        if given is getattr(protocol, method):
            raise PluginError(f"{plugin}: {cls.__name__} does not implement {signature}")
        if not takes(given, signature.count(",") + 1):
            raise PluginError(
                f"{plugin}: {cls.__name__}.{method} has another signature: {signature}"
            )
    return cls


def verify_integration(cls: type[Any], plugin: str) -> None:
    """Raises PluginError with the plugin's name, the hook and the right signature."""
    if not issubclass(cls, BaseIntegration):
        raise PluginError(
            f"{plugin}: {cls.__name__} is not a BaseIntegration (argosy.runtime.integrations)"
        )
    try:
        kind_of(cls)
        executor_of(cls)
    except NodeError as error:
        raise PluginError(f"{plugin}: {error}") from error
    if not isinstance(cls.service_provider, str):
        raise PluginError(
            f"{plugin}: {cls.__name__}.service_provider is {cls.service_provider!r}; "
            "it is the type of a provider, such as 's3'"
        )
    for name in vars(cls):
        misspelt = name not in HOOKS and name.startswith(("configure", "validate"))
        if misspelt:
            raise PluginError(
                f"{plugin}: {cls.__name__} has no hook '{name}'; {nearest(name, HOOKS)}"
            )
    for name in HOOKS:
        if not takes_keywords(getattr(cls, name)):
            raise PluginError(
                f"{plugin}: {cls.__name__}.{name} has another signature: {name}(self, **kwargs)"
            )


def takes(method: Callable[..., Any], count: int) -> bool:
    """Whether `method` can be called with `count` positional arguments, `self` among them."""
    import inspect  # 12 ms: for a plugin only

    try:
        inspect.signature(method).bind(*range(count))
    except TypeError:
        return False
    return True


def takes_keywords(method: Callable[..., Any]) -> bool:
    """Whether `method` takes `self`, and any keyword besides."""
    import inspect

    try:
        parameters = inspect.signature(method).parameters.values()
        inspect.signature(method).bind(None)
    except TypeError:
        return False
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
