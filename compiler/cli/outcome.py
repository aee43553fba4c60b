"""How a run ended, as results are printed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import click

from argosy.runtime.layout import leaves

SHOWN = 5
"""The most files that are named."""


def show_outcome(outcome: Mapping[str, Any], output: str) -> None:
    """Print how a run ended: `outcome` is its end, as the run log has it, with the run's id."""
    if output == "json":
        click.echo(json.dumps(outcome, indent=2))
        return
    click.echo(f"{outcome['run']}: {summary(outcome['status'], outcome)}")
    for name, value in outcome["parameters"].items():
        click.echo(f"  {name}: {json.dumps(value, ensure_ascii=False)}")


def show_files(outcome: Mapping[str, Any]) -> None:
    """Say which files a run left, and how to fetch them."""
    names = list(outcome.get("catalog") or ())
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        click.echo(f"files: {', '.join(names[:SHOWN])}{more}", err=True)
        click.echo(f"to fetch them: argosy get {outcome['run']} -o DIR", err=True)


def summary(status: str, end: Mapping[str, Any]) -> str:
    """`succeeded, 1 failure handled, 2 steps omitted`: a run's status, and what that would hide."""
    steps = {path: step["status"] for path, step in (end.get("steps") or {}).items()}
    handled = sum(bool(failure.get("handled")) for failure in end.get("failures") or ())
    return summary_of(status, steps, handled)


def summary_of(status: str, steps: Mapping[str, str], handled: int) -> str:
    """The same, of the statuses of steps and the number of failures that were handled."""
    counts = Counter(steps[path] for path in leaves(steps))
    parts = [status]
    if handled:
        parts.append(f"{counted(handled, 'failure')} handled")
    parts += [
        f"{counted(counts[name], 'step')} {name.replace('_', ' ')}"
        for name in ("omitted", "not_started")
        if counts[name]
    ]
    return ", ".join(parts)


def counted(number: int, noun: str) -> str:
    """
    >>> counted(1, "step"), counted(2, "step")
    ('1 step', '2 steps')
    """
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
