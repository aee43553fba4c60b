"""`argosy init`."""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path

import click

from ..errors import DefinitionError, Problem

FILES = "pipeline.yaml", "steps.py", "argo.yaml"
IGNORED = ".argosy/\n__pycache__/\n"
"""What running leaves in the folder, for a `.gitignore` where there is none yet."""


@click.command()
@click.argument("folder", default=".", metavar="[FOLDER]", type=click.Path(file_okay=False))
def init(folder: str) -> None:
    """Write a first pipeline, its steps and a configuration for Argo into FOLDER.

    Files that are there already are never overwritten.

    \b
    argosy init hello && cd hello && argosy run pipeline.yaml
    """
    target = Path(folder)
    there = [name for name in FILES if (target / name).exists()]
    if there:
        message = f"{target / there[0]} is already there; nothing was written"
        raise DefinitionError([Problem(message, hint="name another folder: argosy init FOLDER")])
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        text = (files("argosy.templates") / "init" / name).read_text(encoding="utf-8")
        (target / name).write_text(text, encoding="utf-8")
        click.echo(str(target / name))
    if not (target / ".gitignore").exists():
        (target / ".gitignore").write_text(IGNORED, encoding="utf-8")
        click.echo(str(target / ".gitignore"))
    go = f"cd {shlex.quote(folder)} && " if folder != "." else ""
    click.echo(f"to run it: {go}argosy run pipeline.yaml", err=True)
