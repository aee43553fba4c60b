"""The options that lead to a cluster, for the commands that go there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..cluster import Way

OPTIONS = (
    click.option("--context", metavar="NAME", help="The context of the kubeconfig."),
    click.option(
        "-n",
        "--namespace",
        metavar="NAME",
        help="Namespace; by default the executor's, else the context's.",
    ),
    click.option("--server", metavar="URL", help="Argo server to use instead of a kubeconfig."),
    click.option(
        "--token-file",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="File with the server's token; by default, the variable ARGO_TOKEN.",
    ),
    click.option(
        "--ca-file",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="CA certificate file.",
    ),
    click.option(
        "--insecure-skip-tls-verify",
        "insecure",
        is_flag=True,
        help="Skip TLS verification (insecure).",
    ),
)

wait = click.option("--wait", is_flag=True, help="Follow the run to its end; exit 1 if it fails.")


def way(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options to a command, which gets them as one argument, `way`."""

    @wraps(command)
    def called(*arguments: Any, **more: Any) -> Any:
        from ..cluster import Way

        found = Way(*(more.pop(name) for name in Way._fields))
        _require_one(found)
        return command(*arguments, way=found, **more)

    for option in reversed(OPTIONS):
        called = option(called)
    return called


def _require_one(way: Way) -> None:
    """Raises UsageError for options that do not go together."""
    if way.server and way.context:
        raise click.UsageError("--server and --context are two ways to a cluster: give one")
    if not way.server and (way.token_file or way.ca_file or way.insecure):
        raise click.UsageError(
            "--token-file, --ca-file and --insecure-skip-tls-verify go with --server URL; "
            "of a kubeconfig's cluster the kubeconfig says that"
        )


def again(configurations: Iterable[str], variables: Iterable[str], way: Way) -> list[str]:
    """The options that lead another command to the same place."""
    found: list[str] = []
    for option, values in (("-c", configurations), ("-v", variables)):
        for value in values:
            found += [option, value]
    for option, one in (
        ("--context", way.context),
        ("-n", way.namespace),
        ("--server", way.server),
        ("--token-file", way.token_file),
        ("--ca-file", way.ca_file),
    ):
        found += [option, one] if one else []
    return [*found, "--insecure-skip-tls-verify"] if way.insecure else found
