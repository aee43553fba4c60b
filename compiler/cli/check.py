"""`argosy check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import options, parameters
from .inspected import inspected

if TYPE_CHECKING:
    from ..compilation import Request


@click.command()
@options.request
@parameters.option
def check(request: Request, given: tuple[str, ...]) -> None:
    """Find everything that is wrong with the definition FILE.

    The code of its steps is read too, and never imported. With a configuration, it is checked for
    that executor: for an engine, up to the manifests. With -p, those parameters count as given.

    \b
    argosy check pipeline.yaml
    argosy check pipeline.yaml -c argo.yaml
    """
    from .. import checks, phases
    from ..engines import ENGINES

    compilation = phases.compile(request, until=phases.lower)
    arguments = parameters.read(compilation.pipeline, given)
    compilation = inspected(compilation, arguments)
    cautions = checks.cautions(compilation.pipeline)
    compilation = compilation._replace(warnings=(*compilation.warnings, *cautions))
    if compilation.problems:
        options.report(compilation)
    if compilation.settings.executor.type in ENGINES:
        compilation = phases.verify(phases.render(compilation))
    options.warn(compilation)
    count = len(compilation.flow.readings)
    steps = f"{count:,} {'step' if count == 1 else 'steps'}"
    click.echo(
        f"{request.definition}: good, {steps}, executor {compilation.settings.executor.type}"
    )
