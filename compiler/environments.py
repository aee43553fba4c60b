"""Environments: what is said for one of them is a layer over what is said for all.

`-c argo.yaml --env staging` reads `argo.yaml` and, over it, `argo.staging.yaml` beside it. With
several configurations the layers come after all of them, in their order, and one of them may do
without; with none, the layer is that of the definition, which can hold a configuration too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.runtime.suggestions import nearest

from .compilation import Request
from .errors import Problem, SettingsError

if TYPE_CHECKING:
    from .options.pod import PodOptions

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?")
"""It is a part of names of objects, and of files."""


def layered(request: Request) -> tuple[str, ...]:
    """The configurations of a request, those of its environment after all others.

    Raises SettingsError, with the files that were looked for, where the environment has none.
    """
    environment = request.environment
    if not environment:
        return request.configurations
    if not NAME.fullmatch(environment):
        hint = "lower-case letters, digits and '-', at most 32"
        raise SettingsError([Problem(f"'{environment}' is no name of an environment", hint=hint)])
    bases = request.configurations or (request.definition,)
    wanted = [layer(base, environment) for base in bases]
    found = [path for path in wanted if Path(path).is_file()]
    if not found:
        raise SettingsError([_missing(environment, bases, wanted)])
    return (*request.configurations, *found)


def layer(base: str, environment: str) -> str:
    """The file beside `base` that has what an environment changes.

    >>> layer("deploy/argo.yaml", "staging")
    'deploy/argo.staging.yaml'
    """
    path = Path(base)
    return str(path.with_name(f"{path.stem}.{environment}{path.suffix}"))


def in_environment(options: PodOptions, base: PodOptions, environment: str) -> PodOptions:
    """`options` (the executor's, `base`, or a step's) with the environment in the name of every
    object that is rendered, so that environments can share a namespace. What is there already keeps
    its name: it is a layer's to choose another."""
    if not environment:
        return options
    created = {name for name, claim in base.claims.items() if claim.create}
    claims = {
        f"{name}-{environment}" if name in created else name: claim
        for name, claim in options.claims.items()
    }
    account = options.service_account
    if base.service_account.create and account.name and account.name == base.service_account.name:
        account = account._replace(name=f"{account.name}-{environment}")
    return options._replace(claims=claims, service_account=account)


def _missing(environment: str, bases: Iterable[str], wanted: Iterable[str]) -> Problem:
    known = sorted({name for base in bases for name in _environments(Path(base))})
    message = f"the environment '{environment}' has no configuration: {', '.join(wanted)}"
    advice = "create that file; it may be empty"
    hint = nearest(environment, known) if known else advice
    return Problem(message, hint=hint)


def _environments(base: Path) -> Iterable[str]:
    """The environments that `base` has a layer for."""
    if not base.parent.is_dir():
        return
    for path in base.parent.iterdir():
        name = path.name.removeprefix(f"{base.stem}.").removesuffix(base.suffix)
        if path.name == f"{base.stem}.{name}{base.suffix}" and NAME.fullmatch(name):
            yield name
