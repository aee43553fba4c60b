"""`argosy check`."""

from __future__ import annotations

import click

from . import options


@click.command()
@options.definition
@options.configuration
@options.environment
@options.variable
def check(
    definition: str, configurations: tuple[str, ...], environment: str, variables: tuple[str, ...]
) -> None:
    """Find everything that is wrong with the definition FILE.

    With a configuration, it is checked for that executor too: for an engine, up to the manifests.

    \b
    argosy check pipeline.yaml
    argosy check pipeline.yaml -c argo.yaml
    """
    from .. import phases
    from ..engines import ENGINES

    request = options.request(definition, configurations, variables, environment=environment)
    compilation = phases.compile(request, until=phases.lower)
    if compilation.settings.executor.type in ENGINES:
        compilation = phases.verify(phases.render(compilation))
    options.warn(compilation)
    count = len(compilation.flow.readings)
    steps = f"{count:,} {'step' if count == 1 else 'steps'}"
    click.echo(f"{definition}: good, {steps}, executor {compilation.settings.executor.type}")
