"""Options that several subcommands share, and what they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import click

from ..compilation import Compilation, Request
from ..errors import DefinitionError, listed

F = TypeVar("F", bound=Callable[..., Any])

definition = click.argument("definition", metavar="FILE")
configuration = click.option(
    "-c",
    "--config",
    "configurations",
    multiple=True,
    metavar="FILE",
    help="Configuration file; repeat to merge others over it.",
)
environment = click.option(
    "--env",
    "environment",
    default="",
    metavar="NAME",
    help="Environment: merge FILE.NAME.yaml over each configuration FILE.yaml.",
)


def layered(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --env to a command without a definition: `configurations` come with their layers."""

    @wraps(command)
    def called(
        *arguments: Any, configurations: tuple[str, ...], environment: str, **more: Any
    ) -> Any:
        from .. import environments

        if environment and not configurations:
            raise click.UsageError("--env is a layer of a configuration: give that with -c")
        request = Request("", configurations, environment=environment)
        return command(*arguments, configurations=environments.layered(request), **more)

    return environment(called)


variable = click.option(
    "-v",
    "--variable",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="A variable of the definition and the configuration.",
)
templates = click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Jinja templates that override the built-in ones.",
)
output = click.option(
    "-o",
    "--output",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How to print it.",
)


def request(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what says what to compile to a command, which gets it as one argument, `request`. A
    command with --templates has that in it too."""

    @wraps(command)
    def called(
        *arguments: Any,
        definition: str,
        configurations: tuple[str, ...],
        environment: str,
        variables: tuple[str, ...],
        templates: str | None = None,
        **more: Any,
    ) -> Any:
        given = pairs(variables, "-v")
        asked = Request(definition, configurations, given, templates, environment)
        return command(*arguments, request=asked, **more)

    for option in (variable, environment, configuration, definition):
        called = option(called)
    return called


def resuming(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a run that goes on from another."""

    @wraps(command)
    def called(
        *arguments: Any, resume: str | None, by_name: bool, ignore_code: bool, **more: Any
    ) -> Any:
        for option, given in (("--by-name", by_name), ("--ignore-code", ignore_code)):
            if given and not resume:
                raise click.UsageError(f"{option} goes with --resume RUN")
        return command(*arguments, resume=resume, by_name=by_name, ignore_code=ignore_code, **more)

    earlier = "Skip what succeeded, unchanged, in this earlier run."
    whatever = "With --resume: skip whatever succeeded, changed or not."
    edited = "With --resume: skip a step even if its code has changed."
    called = click.option("--ignore-code", is_flag=True, help=edited)(called)
    called = click.option("--by-name", is_flag=True, help=whatever)(called)
    return click.option("--resume", metavar="RUN", help=earlier)(called)


def pairs(values: tuple[str, ...], option: str) -> dict[str, str]:
    """`NAME=VALUE` arguments as a dictionary."""
    found = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{option} takes NAME=VALUE, not {value!r}")
        found[name] = rest
    return found


def written(variables: Mapping[str, str]) -> list[str]:
    """Variables as -v takes them."""
    return [f"{name}={value}" for name, value in variables.items()]


def caution(message: str) -> None:
    """Prints a warning."""
    click.echo(f"warning: {message}", err=True)


def report(compilation: Compilation) -> None:
    """Prints what a compilation warns of. Raises DefinitionError where it has problems."""
    warn(compilation)
    if compilation.problems:
        raise DefinitionError(compilation.problems)


def warn(compilation: Compilation) -> None:
    """Prints what a compilation warns of."""
    warnings = [warning._replace(severity="warning") for warning in compilation.warnings]
    if warnings:
        click.echo(listed(warnings), err=True)
