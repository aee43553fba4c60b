"""The `argosy` command: one module a subcommand, loaded when it is called.

Results go to stdout, everything else to stderr. Exit status: 0 good, 1 found or failed, 2 usage.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from argosy.runtime.errors import ArgosyError

COMMANDS = {
    "init": "Write a first pipeline to start from.",
    "check": "Find everything that is wrong with a definition.",
    "graph": "Show the graph of a definition.",
    "plan": "Show what each step will get where it runs.",
    "image": "Write what an image with the runtime is built of.",
    "render": "Write the manifests for the configured engine.",
    "diff": "Show how the manifests differ from files, a Git revision or the cluster.",
    "apply": "Apply the manifests to the cluster.",
    "run": "Run a pipeline on this machine.",
    "submit": "Start a run on the cluster.",
    "watch": "Watch a run until it ends.",
    "stop": "Stop a run on the cluster.",
    "retry": "Run a run on the cluster again, without what succeeded.",
    "runs": "List runs, newest first.",
    "show": "Show one run: its steps, parameters and data.",
    "logs": "Show the output of a run's steps.",
    "get": "Fetch the files of a run.",
}


class Commands(click.Group):
    """Loads a subcommand's module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{cmd_name}", __package__)
        return getattr(module, cmd_name)  # type: ignore[no-any-return]

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from argosy.runtime.suggestions import nearest

            hint = nearest(args[0], COMMANDS)
            raise click.UsageError(f"there is no command '{args[0]}'; {hint}", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="argosy", prog_name="argosy")
def argosy() -> None:
    """Compile a pipeline to Argo Workflows, or run it here: one definition, the same results.

    \b
    argosy init hello && cd hello        write a first pipeline
    argosy run pipeline.yaml             run it on this machine
    argosy render pipeline.yaml -c argo.yaml -o manifests
    """


def main() -> None:
    """Runs the command; every known error becomes a message and an exit status."""
    _open_standard_streams()
    gc.disable()  # a command ends before its garbage matters; looking for it took a tenth of it
    atexit.register(gc.freeze)  # and so it did at the end, when all of it goes anyway
    try:
        argosy(prog_name="argosy", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"error: {error.format_message()}", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except ArgosyError as error:
        print_error(error)
        sys.exit(1)
    except OSError as error:  # a folder that cannot be written, a disk that is full
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {where}{(error.strerror or str(error)).lower()}", err=True)
        sys.exit(1)


def print_error(error: ArgosyError) -> None:
    """Print what went wrong. (Not called `show`: that is a subcommand's module in this package.)"""
    from ..errors import CompileError

    said = str(error) if isinstance(error, CompileError) else f"error: {error}"
    click.echo(said, err=True)


def _open_standard_streams() -> None:
    """Opens those that whoever started this has closed: a pipe of ours would get their numbers, and
    a step's output go astray. What a terminal has no character for is shown by a `?`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free
