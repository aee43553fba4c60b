"""What commands check of the steps' code, and of a run's parameters, before anything starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from argosy.runtime.secrets.kubernetes import PREFIX

from ..errors import SettingsError
from . import options, parameters

if TYPE_CHECKING:
    from ..cluster.client import Client
    from ..compilation import Compilation


def inspected(
    compilation: Compilation,
    given: Mapping[str, Any],
    inherited: Mapping[str, Any] = MappingProxyType({}),
    *,
    starts: bool = False,
) -> Compilation:
    """The compilation with the problems and warnings of the steps' code. `given` are the parameters
    of the run, `inherited` those of the run that it goes on from; `starts`: it is about to start.

    Raises UsageError for a parameter that nothing can read.
    """
    from ..checks.code import check_code, code_of
    from ..checks.missing_secret import missing_secrets
    from ..inspection.parameters import known

    code = code_of(compilation, starts=starts)
    if not given.keys() <= compilation.pipeline.parameters.keys():
        names = known(compilation.pipeline, code)
        # Magnus has no defaults in a definition: one file of parameters serves several.
        parameters.must_know(names._replace(open=names.open or compilation.pipeline.magnus), given)
    checked = check_code(compilation, code, [*given, *inherited], starts=starts)
    missing = missing_secrets(compilation) if starts else ()
    return checked._replace(problems=(*checked.problems, *missing))


def check_cluster_secrets(compilation: Compilation, client: Client) -> None:
    """Looks for the secrets of the pods in the namespace that the run starts in. Raises
    SettingsError with all that are not there; warns where they cannot be read."""
    from ..checks.missing_secret import missing_objects, named_secrets
    from ..cluster.client import Cluster
    from ..cluster.errors import ClusterError
    from ..cluster.resources import SECRET

    references = compilation.executor.secret_environment
    if not references or not isinstance(client, Cluster):  # an Argo server shows no Secrets
        return

    def keys_of(name: str) -> Iterable[str] | None:
        found = client.find(SECRET, name)
        return None if found is None else found.get("data") or {}

    wanted = [(name.removeprefix(PREFIX), *place) for name, place in references.items()]
    secrets = named_secrets(compilation.pipeline.graph)
    try:
        problems = list(missing_objects(wanted, secrets, keys_of))
    except ClusterError as error:
        options.caution(f"the secrets of the steps are not checked: {error}")
        return
    if problems:
        raise SettingsError(problems)
