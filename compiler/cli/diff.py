"""`argosy diff`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from argosy.runtime.errors import ArgosyError

from . import options, print_error
from .apply import target
from .cluster import way as way_to_cluster

if TYPE_CHECKING:
    from ..cluster import Way
    from ..compilation import Request
    from ..diff.objects import Difference


@click.command()
@options.request
@options.templates
@click.option(
    "--dir", "folder", metavar="DIR", help="Compare with the folder that `argosy render -o` wrote."
)
@click.option("--git", "revision", metavar="REV", help="Compare with DIR in this Git revision.")
@click.option("--cluster", "live", is_flag=True, help="Compare with the cluster.")
@way_to_cluster
@options.output
def diff(
    request: Request,
    folder: str | None,
    revision: str | None,
    live: bool,
    way: Way,
    output: str,
) -> None:
    """Show what rendering the definition FILE now would change, object by object.

    --cluster shows what applying it would change there. The API server is asked, so that what it
    fills in by itself is no difference. Exit status: 0 nothing, 1 something, 2 that could not be
    told.

    \b
    argosy diff pipeline.yaml -c argo.yaml --dir manifests
    argosy diff pipeline.yaml -c argo.yaml --dir manifests --git main
    argosy diff pipeline.yaml -c argo.yaml --cluster --context production
    """
    if (folder is None) != live:
        raise click.UsageError("say what to compare with: --dir DIR, or --cluster")
    if live and revision:
        raise click.UsageError("--git goes with --dir: a cluster has no revisions")
    try:
        if folder is None:
            found = _from_cluster(request, way)
        else:
            found = _from_files(request, folder, revision)
    except ArgosyError as error:
        print_error(error)
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


def _from_cluster(request: Request, way: Way) -> list[Difference]:
    from .. import phases
    from ..cluster.apply import content, planned
    from ..cluster.prune import stale
    from ..diff.objects import Difference, Key, differences, key_of

    client, objects = target(phases.compile(request), way)
    found = [planned(client, one, force=True, own=False) for one in objects]
    old = {key_of(one.rendered): content(one.live) for one in found if one.live}
    new = {key_of(one.rendered): content(one.result) for one in found}
    rendered = {(key.kind, key.name) for key in new}
    gone = stale(client, objects[0]["metadata"]["labels"], rendered, options.caution)
    namespace = next(iter(new)).namespace
    return [
        *differences(old, new),
        *(
            Difference(Key(one.group, one.kind, namespace, name), "removed")
            for one, name, _ in gone
        ),
    ]


def _print(found: list[Difference], output: str) -> None:
    from ..diff import text

    if output == "json":
        click.echo(json.dumps(text.as_json(found), indent=2, ensure_ascii=False))
    elif found:
        click.echo("\n".join(text.lines(found)))
    else:
        click.echo("no differences", err=True)
