"""`argosy plan`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from . import options

if TYPE_CHECKING:
    from ..compilation import Request


@click.command()
@options.request
@options.output
def plan(request: Request, output: str) -> None:
    """Show what each step of the definition FILE will get where it runs.

    Names of secrets are shown, their values never are.

    \b
    argosy plan pipeline.yaml
    argosy plan pipeline.yaml -c argo.yaml -o json
    """
    from .. import phases
    from ..describe import describe

    compilation = phases.compile(request, until=phases.lower)
    options.warn(compilation)
    found = describe(compilation)
    if output == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    click.echo("\n".join(_lines(found)))


def _lines(found: dict[str, Any]) -> list[str]:
    """The description as text, a block a step."""
    lines = [f"{found['pipeline']} on {found['executor']}"]
    for name, service in found["services"].items():
        config = ", ".join(f"{key}={value}" for key, value in service["config"].items())
        lines.append(f"  {name:<14} {service['type']}{f' ({config})' if config else ''}")
    if found["extras"]:
        lines.append(f"  {'to install':<14} argosy[{','.join(found['extras'])}]")
    if "size" in found:
        lines.append(f"  {'size':<14} {_size(found['size'])}")
    for step in found["steps"]:
        lines += ["", step["step"]]
        for key, value in step.items():
            if key != "step" and value not in (None, [], {}, ""):
                lines.append(f"  {key:<14} {_shown(value)}")
    return lines


def _size(size: dict[str, int]) -> str:
    """What a workflow comes to, and what it may."""
    return (
        f"{_kib(size['object'])} of {_kib(size['limit'])} KiB while it runs: {size['copies']} x"
        f" {_kib(size['spec'])} of its spec, {_kib(size['status'])} of its status;"
        f" templates: {size['templates']}, levels: {size['levels']}, tasks in the longest DAG:"
        f" {size['tasks']}, config maps: {size['config_maps']}"
    )


def _kib(size: int) -> str:
    return f"{size / 1024:,.0f}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(item)}" for key, item in value.items())
    text = str(value).strip()
    first = text.splitlines()[0] if text else ""
    return first if first == text and len(text) <= 100 else f"{first[:97]}..."
