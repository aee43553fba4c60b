"""`argosy render`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options

if TYPE_CHECKING:
    from ..compilation import Request


@click.command()
@options.request
@click.option(
    "-o",
    "--output",
    default="-",
    metavar="DIR",
    help="Output folder, one file for each object; `-` prints one stream.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if DIR is out of date.")
@options.templates
def render(request: Request, output: str, check: bool) -> None:
    """Write the manifests of the definition FILE for the configured engine.

    \b
    argosy render pipeline.yaml -c argo.yaml
    argosy render pipeline.yaml -c argo.yaml -o manifests
    argosy render pipeline.yaml -c argo.yaml -o manifests --check
    argosy render pipeline.yaml -c argo.yaml --env staging -o manifests/staging
    """
    from .. import emit, phases

    if check and output == "-":
        raise click.UsageError("--check compares with a folder: give it with -o DIR")
    compilation = phases.compile(request)
    options.warn(compilation)
    if output == "-":
        click.echo(emit.stream(compilation.files).encode(), nl=False)  # UTF-8 on any terminal
    elif check:
        difference = emit.difference(compilation.files, output)
        if difference:
            sys.stdout.write(difference)
            click.echo(f"{output} is stale; render it again", err=True)
            sys.exit(1)
        click.echo(f"{output} is up to date", err=True)
    else:
        for path in emit.write(compilation.files, output):
            click.echo(path if Path(path).exists() else f"{path}: deleted")
