"""The base of every integration, and the three names that it is found by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argosy.runtime.errors import ArgosyError, NodeError, PluginError

if TYPE_CHECKING:
    from typing import ClassVar

HOOKS = ("validate", "configure_for_traversal", "configure_for_execution")
KINDS = {
    "run-log-store": "run_log_store",
    "run_log_store": "run_log_store",
    "run_log": "run_log_store",
    "datastore": "run_log_store",
    "catalog": "catalog",
    "secrets": "secrets",
    "secret": "secrets",
}
"""What an integration may call a service, and what it is called here."""


class BaseIntegration:
    """Adapts one executor to one service provider.

    At traversal, where the definition is compiled, `validate` and `configure_for_traversal` are
    called; at execution, in the place where a node runs, `validate` and `configure_for_execution`.
    Each may raise NodeError. At traversal they are given `steps`, the names of the steps that ask
    this service for data or for a secret, and for secrets also `secrets`, the names they ask for;
    for the run log store and the catalog also `provider`, where a secret of their own comes from.
    """

    mode_type: ClassVar[str | None] = None
    """The type of an executor, or `cluster` for argo and kubernetes."""
    executor_type: ClassVar[str | None] = None
    """Means the same as `mode_type`. Without either, the integration is for every executor."""
    service_type: ClassVar[str | None] = None
    service_provider: ClassVar[str | None] = None

    # Any: an integration is written for one executor and one provider, and knows their attributes.
    executor: Any
    service: Any

    def __init__(self, executor: Any, integration_service: Any) -> None:
        self.executor = executor
        self.service = integration_service

    def validate(self, **kwargs: Any) -> None:
        """Raises NodeError when the two cannot work together."""

    def configure_for_traversal(self, **kwargs: Any) -> None:
        """May change the executor and the service's configuration, which then travels."""

    def configure_for_execution(self, **kwargs: Any) -> None:
        """May change both in the place where a node runs."""


def call(found: BaseIntegration, hook: str, **keywords: Any) -> None:
    """Calls a hook. Raises PluginError, which names it, where it raises what is no ArgosyError."""
    try:
        getattr(found, hook)(**keywords)
    except ArgosyError:
        raise
    except Exception as error:  # a plugin's hook can raise anything
        where = f"{type(found).__module__}.{type(found).__name__}.{hook}"
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(f"the integration {where} failed: {reason}") from error


def kind_of(cls: type[BaseIntegration]) -> str:
    """The service that it is for: run_log_store, catalog or secrets."""
    if cls.service_type not in KINDS:
        raise NodeError(
            f"{cls.__name__}.service_type is {cls.service_type!r}; it is one of "
            "'run-log-store', 'catalog' and 'secrets'"
        )
    return KINDS[cls.service_type]


def executor_of(cls: type[BaseIntegration]) -> str | None:
    """The executor, or the family of them, that it is for; `None` for every executor."""
    if None not in (cls.mode_type, cls.executor_type) and cls.mode_type != cls.executor_type:
        raise NodeError(
            f"{cls.__name__} has mode_type {cls.mode_type!r} and executor_type "
            f"{cls.executor_type!r}; they mean the same, so leave out one"
        )
    return cls.mode_type or cls.executor_type
