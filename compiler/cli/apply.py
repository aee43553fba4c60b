"""`argosy apply`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from . import options
from .cluster import way as way_to_cluster

if TYPE_CHECKING:
    from ..cluster import Client, Way
    from ..compilation import Compilation, Request

Json = dict[str, Any]


@click.command()
@options.request
@options.templates
@click.option("--dry-run", is_flag=True, help="Show what would happen to each object.")
@click.option("--prune", is_flag=True, help="Delete objects that are no longer rendered.")
@click.option("--prune-claims", is_flag=True, help="Delete volume claims too, with their data.")
@click.option("--force-conflicts", is_flag=True, help="Overwrite fields that others have set.")
@way_to_cluster
@options.output
def apply(
    request: Request,
    dry_run: bool,
    prune: bool,
    prune_claims: bool,
    force_conflicts: bool,
    way: Way,
    output: str,
) -> None:
    """Apply the manifests of the definition FILE to the cluster, by server-side apply.

    Everything is tried first: where the cluster would refuse one object, none is applied. --prune
    deletes objects of this pipeline, in this environment, that are rendered no more; what a run in
    progress uses stays, and so do volume claims.

    \b
    argosy apply pipeline.yaml -c argo.yaml
    argosy apply pipeline.yaml -c argo.yaml --env staging --context lab --prune --dry-run
    """
    from .. import phases

    compilation = phases.compile(request)
    options.warn(compilation)
    client, objects = target(compilation, way)
    done = _applied(client, objects, dry_run, force_conflicts)
    if prune or prune_claims:
        done += _pruned(client, objects, dry_run, prune_claims)
    if output == "json":
        click.echo(json.dumps([line._asdict() for line in done], indent=2))
        return
    suffix = " (dry run)" if dry_run else ""
    for kind, name, action, reason in done:
        click.echo(f"{kind.lower()}/{name} {action}{f': {reason}' if reason else suffix}")


class Line(NamedTuple):
    """What became of an object: created, configured, unchanged, pruned or kept, and why."""

    kind: str
    name: str
    action: str
    reason: str = ""


def target(compilation: Compilation, way: Way) -> tuple[Client, list[Json]]:
    """The cluster that the objects of a compilation go to, and these in order."""
    from ..cluster import connect
    from ..cluster.apply import in_order
    from ..diff.objects import read
    from ..emit import KUSTOMIZE

    files = {name: text for name, text in compilation.files.items() if name not in KUSTOMIZE}
    objects = in_order(read(files).values())
    namespaces = {one["metadata"].get("namespace") for one in objects} - {None}
    namespace = next(iter(sorted(namespaces)), None)
    if way.namespace and namespaces - {way.namespace}:
        raise click.UsageError(
            f"the configuration puts the objects into the namespace '{namespace}': leave "
            "--namespace out, or change it there"
        )
    return connect(way, namespace), objects


def _applied(client: Client, objects: list[Json], dry: bool, force: bool) -> list[Line]:
    from ..cluster import ConflictError
    from ..cluster.apply import apply, explained, planned, refuse_strangers

    try:
        found = [planned(client, one, force=force) for one in objects]
    except ConflictError as error:
        raise explained(error) from error
    if not force:
        refuse_strangers(found)
    lines = []
    for one in found:
        for manager in one.others():
            options.caution(
                f"{one.title} is applied by '{manager}' too: what that has set stays when it is "
                "rendered no more; leave it to one of the two"
            )
        if not dry:
            apply(client, one.rendered, one.live, force=force)
        lines.append(Line(one.rendered["kind"], one.rendered["metadata"]["name"], one.action))
    return lines


def _pruned(client: Client, objects: list[Json], dry: bool, claims: bool) -> list[Line]:
    from ..cluster.prune import stale

    rendered = {(one["kind"], one["metadata"]["name"]) for one in objects}
    labels = objects[0]["metadata"]["labels"]
    lines = []
    for resource, name, kept in stale(client, labels, rendered, options.caution, claims=claims):
        if not kept and not dry:
            client.delete(resource, name)
        lines.append(Line(resource.kind, name, "kept" if kept else "pruned", kept))
    return lines
