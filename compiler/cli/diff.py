"""`argosy diff`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from argosy.runtime.errors import ArgosyError

from . import options, show

if TYPE_CHECKING:
    from ..compilation import Request
    from ..diff.objects import Difference


@click.command()
@options.definition
@options.configuration
@options.environment
@options.variable
@click.option("--dir", "folder", metavar="DIR", help="The folder that `argosy render -o` wrote.")
@click.option("--git", "revision", metavar="REV", help="DIR as it was in this Git revision.")
@options.output
def diff(
    definition: str,
    configurations: tuple[str, ...],
    environment: str,
    variables: tuple[str, ...],
    folder: str | None,
    revision: str | None,
    output: str,
) -> None:
    """Show what rendering the definition FILE now would change, object by object.

    Exit status: 0 nothing, 1 something, 2 that could not be told.

    \b
    argosy diff pipeline.yaml -c argo.yaml --dir manifests
    argosy diff pipeline.yaml -c argo.yaml --dir manifests --git main
    """
    if folder is None:
        raise click.UsageError("say what to compare with: --dir DIR")
    request = options.request(definition, configurations, variables, environment=environment)
    try:
        found = _from_files(request, folder, revision)
    except ArgosyError as error:
        show(error)
        sys.exit(2)
    _print(found, output)
    sys.exit(1 if found else 0)


def _from_files(request: Request, folder: str, revision: str | None) -> list[Difference]:
    from .. import emit, phases
    from ..diff import git
    from ..diff.objects import differences, read

    files = phases.compile(request).files
    if revision is None:
        old = emit.present(files, folder)
    else:
        old = emit.own(files, git.files(folder, revision))
    return list(differences(read(old), read(files)))


def _print(found: list[Difference], output: str) -> None:
    from ..diff import text

    if output == "json":
        click.echo(json.dumps(text.as_json(found), indent=2, ensure_ascii=False))
    elif found:
        click.echo("\n".join(text.lines(found)))
    else:
        click.echo("no differences", err=True)
