"""How a run ended, as results are printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click


def show_outcome(outcome: Mapping[str, Any], output: str) -> None:
    """`outcome` has the run, its status and the parameters that it leaves, and for JSON more."""
    if output == "json":
        click.echo(json.dumps(outcome, indent=2))
        return
    click.echo(f"{outcome['run']}: {outcome['status']}")
    for name, value in outcome["parameters"].items():
        click.echo(f"  {name}: {json.dumps(value, ensure_ascii=False)}")
