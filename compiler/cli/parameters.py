"""Parameters of a run, as `-p` gives them."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from argosy.runtime.suggestions import closest
from argosy.runtime.values import NotJsonError, check_text

from ..errors import SettingsError

if TYPE_CHECKING:
    from ..graph import Pipeline
    from ..inspection.usage import Names

KINDS: Mapping[str, type | tuple[type, ...]] = {
    "true or false": bool,  # which is a number too, for Python
    "a number": (int, float),
    "text": str,
    "a list": list,
}

PREFIX = "MAGNUS_PRM_"

option = click.option(
    "-p",
    "--parameter",
    "given",
    multiple=True,
    metavar="NAME=VALUE|FILE",
    help="A parameter of the run, or a YAML file of them.",
)


def read(pipeline: Pipeline, given: Iterable[str]) -> dict[str, Any]:
    """What was given, in its order, each value of the type of the parameter's default.

    Raises UsageError for a value of another type.
    """
    defaults = pipeline.parameters
    environment = from_environment(pipeline) if pipeline.magnus else {}
    found = dict(environment)
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            found.update({**_file(text), **environment})
        elif not name:
            raise click.UsageError(f"-p takes NAME=VALUE or a file, not {text!r}")
        else:
            found[name] = _value(name, value, defaults.get(name))
    return checked(pipeline, found)


def checked(pipeline: Pipeline, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, if each is of the type of its parameter's default, as `read` says."""
    for name, value in values.items():
        _check(name, value, pipeline.parameters)
    return dict(values)


def from_environment(pipeline: Pipeline) -> dict[str, Any]:
    """The parameters in variables `MAGNUS_PRM_NAME`, as Magnus reads them: before those of files,
    as JSON where the text is that, and by the name in lower case where the definition has none
    that is written so."""
    found = {}
    for variable, text in sorted(os.environ.items()):
        name = variable.removeprefix(PREFIX)
        if name and name != variable:
            key = name if name in pipeline.parameters else name.lower()
            found[key] = _decoded(text, pipeline.parameters.get(key))
    return found


def _decoded(text: str, default: Any) -> Any:
    if isinstance(default, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def must_know(known: Names, given: Iterable[str]) -> None:
    """Raises UsageError for a parameter that nothing in the pipeline can read. Where that is not
    certain, warns of one that is nearly another."""
    for name in given:
        if name in known.names:
            continue
        close = closest(name, sorted(known.names))
        if not known.open:
            hint = f"did you mean '{close}'?" if close else "remove it, or declare it"
            raise click.UsageError(
                f"nothing reads parameter '{name}': the definition does not declare it, and no "
                f"step uses it; {hint}"
            )
        if close:
            said = f"the definition has no parameter '{name}'; did you mean '{close}'?"
            click.echo(f"warning: {said}", err=True)


def _value(name: str, text: str, default: Any) -> Any:
    """Without a default, as with a text for one, it is the text that it is; else JSON."""
    from argosy.runtime.context import typed
    from argosy.runtime.errors import NodeError

    from ..integrate import kind_of

    try:
        return typed(name, text, kind_of(default))
    except NodeError:
        raise click.UsageError(
            f"parameter '{name}' takes {_kind(default)}, as its default is; {text!r} is not JSON: "
            f"write it as in -p {shlex.quote(f'{name}={json.dumps(default)}')}"
        ) from None


def _check(name: str, value: Any, defaults: Mapping[str, Any]) -> None:
    try:
        check_text(value)
    except NotJsonError as error:
        raise click.UsageError(f"parameter '{name}' {error}") from None
    if name not in defaults:  # a step may read it: `must_know`
        return
    default = defaults[name]
    if None not in (default, value) and _kind(default) != _kind(value):
        shown = json.dumps(value, ensure_ascii=False)
        raise click.UsageError(
            f"parameter '{name}' takes {_kind(default)}, as its default is, not {shown}"
        )


def _kind(value: Any) -> str:
    for kind, types in KINDS.items():
        if isinstance(value, types):
            return kind
    return "a mapping"


def _file(path: str) -> dict[str, Any]:
    """Parameters from a YAML file."""
    from .. import source
    from ..parse.fields import Context, Fields

    if not Path(path).exists():
        raise click.UsageError(f"-p takes NAME=VALUE or a file, and there is no file {path!r}")
    document = source.load(path, too_large="put a large value in a file, and give its path")
    if not isinstance(document, source.Mapping):
        raise click.UsageError(f"{path}: parameters are a mapping of names to values")
    context = Context()
    found = Fields(document, path, context).plain(document, document.mark, literal=True)
    if context.problems:
        raise SettingsError(context.problems)
    return dict(found)
