"""`argosy check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import options

if TYPE_CHECKING:
    from ..compilation import Request


@click.command()
@options.request
def check(request: Request) -> None:
    """Find everything that is wrong with the definition FILE.

    With a configuration, it is checked for that executor too: for an engine, up to the manifests.

    \b
    argosy check pipeline.yaml
    argosy check pipeline.yaml -c argo.yaml
    """
    from .. import phases
    from ..engines import ENGINES

    compilation = phases.compile(request, until=phases.lower)
    if compilation.settings.executor.type in ENGINES:
        compilation = phases.verify(phases.render(compilation))
    options.warn(compilation)
    count = len(compilation.flow.readings)
    steps = f"{count:,} {'step' if count == 1 else 'steps'}"
    click.echo(
        f"{request.definition}: good, {steps}, executor {compilation.settings.executor.type}"
    )
