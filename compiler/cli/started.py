"""What a command that has started a run says of it, and of its end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

import click

from ..cluster.engine import Execution
from .following import attended
from .outcome import show_outcome
from .screen import screen
from .session import Session


def tell(
    session: Session, started: Execution, wait: bool, output: str, options: Iterable[str]
) -> None:
    """Says what was started; with `wait` follows it on stderr, says how it ended, and exits so."""
    engine = session.must_engine("submit to")
    where = {engine.noun: started.name, "namespace": engine.client.namespace}
    place = f"{engine.noun} {started.name} in namespace {engine.client.namespace}"
    if not wait:
        told = f"{started.run}: submitted as {place}"
        document = {"run": started.run, "status": "submitted", **where}
        click.echo(json.dumps(document, indent=2) if output == "json" else told)
        return
    click.echo(f"{started.run}: {place}", err=True)
    ended = attended(session, started.name, screen(sys.stderr), options)
    run = session.log(ended.run)
    left = run.end if run else {}
    parts = {name: left.get(name, {}) for name in ("parameters", "catalog", "steps")}
    failures = left.get("failures", [])
    outcome = {"run": ended.run, "status": ended.status, **where, "message": ended.message}
    show_outcome({**outcome, **parts, "failures": failures}, output)
    sys.exit(0 if ended.status == "succeeded" else 1)
