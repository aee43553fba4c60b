"""`argosy image`."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click

import argosy.runtime
from argosy.runtime.extras import EXTRAS, FOLDER, LIBRARY, VARIABLE

from ..errors import Problem, SettingsError
from ..extras import names, requirements

BASE = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
FILE, CODE = "Dockerfile", "argosy"
MADE = "# Made by `argosy image`: an image that puts Argosy's runtime into pods."


@click.command()
@click.option(
    "--extras",
    "-e",
    multiple=True,
    metavar="NAME",
    help="What the services in the pods need: aws, db, ...; `argosy plan` names them.",
)
@click.option(
    "--base",
    default=BASE,
    show_default=True,
    metavar="IMAGE",
    help="Base image; for an extra with compiled code, with the same Python as your images.",
)
@click.option(
    "--output",
    "-o",
    metavar="FOLDER",
    type=click.Path(file_okay=False),
    help="Output folder, with the code to copy; by default, print only the Dockerfile.",
)
def image(extras: tuple[str, ...], base: str, output: str | None) -> None:
    """Write what an image with the runtime is built of.

    Such an image puts the runtime into pods whose own image has Python 3.10 or newer and nothing of
    Argosy: runtime: {inject: true, image: ...} in the executor's configuration.

    \b
    argosy image -e aws -o runtime-image
    docker build -t registry.example.com/argosy-runtime:1 runtime-image
    """
    unknown = [name for name in extras if name not in names()]
    if unknown:
        hint = f"there are: {', '.join(names())}"
        raise SettingsError([Problem(f"there are no extras '{unknown[0]}'", hint=hint)])
    text = dockerfile(base, requirements(extras))
    if output is None:
        click.echo(text, nl=False)
        return
    folder = Path(output)
    there = [name for name in (FILE, CODE) if (folder / name).exists()]
    if there and not written_here(folder):
        message = f"{folder / there[0]} is already there, and not of `argosy image`"
        raise SettingsError([Problem(message, hint="name another folder: -o FOLDER")])
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / CODE, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(argosy.runtime.__path__[0], folder / CODE / "runtime", ignore=ignored)
    (folder / FILE).write_text(text, encoding="utf-8")
    click.echo(str(folder / FILE))


def dockerfile(base: str, requires: list[str]) -> str:
    """The text of the Dockerfile."""
    lines = [MADE, f"FROM {base}"]
    if requires:
        target = f"{FOLDER}/{EXTRAS}"
        install = "python3 -m pip install --no-cache-dir --target"
        lines.append(f"RUN {install} {target} {shlex.join(requires)}")
    lines += [
        f"COPY {CODE} {FOLDER}/{LIBRARY}/argosy",
        f"RUN python3 -m compileall -q {FOLDER}",
        f"ENV PYTHONPATH={FOLDER}/{LIBRARY} {VARIABLE}={FOLDER}/{EXTRAS}",
    ]
    return "\n".join([*lines, ""])


def written_here(folder: Path) -> bool:
    """Whether what is in the folder is from an earlier call."""
    try:
        return (folder / FILE).read_text(encoding="utf-8").startswith(MADE)
    except OSError:
        return False
