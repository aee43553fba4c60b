"""A container task: an image that holds nothing of ours, not even a shell.

What enters it are files and variables, what it leaves are files; docs/runtime.md lists them. Where
the container runs is the `Place`'s to know: in this pod, or in Docker.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote

from argosy.runtime import data
from argosy.runtime.entries import State, map_variable
from argosy.runtime.errors import ArgosyError, NodeError, TaskError
from argosy.runtime.signals import Signals
from argosy.runtime.step import Private, Step, Written, collect, holds_objects
from argosy.runtime.values import dump
from argosy.runtime.workdir.base import Workdir, signatures

from . import process
from .contract import BROUGHT, ITEMS, OUTPUTS, PARAMETERS, ROOT, SECRETS, WORK
from .environment import LARGEST, MAP_VARIABLES, PREFIXES, place, value_of, within_budget
from .task import advised, judge, leave

if TYPE_CHECKING:
    from argosy.runtime.attempt import Attempt
    from argosy.runtime.state import Reader

VARIABLE = re.compile(r"[-._a-zA-Z0-9]+")
"""Names that every engine takes for a variable."""
_REFERENCE = re.compile(r"\$(?:\$|\(([-._a-zA-Z0-9]+)\))")


class Running(NamedTuple):
    """A container that can start: the folder that it sees as `ROOT`, and what runs in processes of
    their own: `act` prints what it prints, and exits as it does; `begin`, before that and however
    long it takes, waits until it has started, where others start it."""

    root: str
    act: Callable[[Step], int]
    begin: Callable[[Step], int] | None = None


class Place(Protocol):
    """Where containers run."""

    def container(
        self, attempt: Attempt, entering: State, secrets: Mapping[str, str]
    ) -> AbstractContextManager[Running]:
        """The container of the attempt's node, for as long as it is entered."""


def run(attempt: Attempt, entering: State, signals: Signals) -> State:
    """Runs the attempt's container. Gives the state that it leaves; raises what it failed by."""
    node, context = attempt.node, attempt.context
    place = context.containers
    if place is None:
        raise NodeError(
            "a container task runs in a pod or in Docker; -c with executor: local-container or argo"
        )
    _, put = attempt.patterns(entering)
    secrets = {wanted: context.secrets.get(wanted) for wanted in node.secrets}
    attempt.output.hide(secrets.values())
    with (
        Private(context.workdirs.temporary) as folder,
        place.container(attempt, entering, secrets) as running,
    ):
        step = Step(context, attempt.instance, entering, folder)
        for act, timeout in ((running.begin, None), (running.act, node.timeout)):
            if act is None:
                continue
            ended = process.run(partial(act, step), attempt.output, timeout, signals)
            if ended.code > 128:  # as a container tells of the signal that ended its process
                ended = ended._replace(code=128 - ended.code)
            try:
                judge(ended, collect(folder), timeout)
            except ArgosyError as error:
                raise advised(error, attempt, entering, workdir_of(running.root)) from None
        written = Written(outputs(running.root, node.returns), {}, {}, {}, None)
        return leave(attempt, entering, written, put, workdir_of(running.root))


def lay_out(attempt: Attempt, entering: State, root: str, secrets: Mapping[str, str]) -> None:
    """Makes the folders below `root`, and the files that the container finds there. Whoever its
    user is can read them, and write to those that are for writing."""
    for name, mode in {PARAMETERS: 0o755, OUTPUTS: 0o777, WORK: 0o777}.items():
        os.makedirs(os.path.join(root, name), exist_ok=True)
        os.chmod(os.path.join(root, name), mode)
    for name, text in texts(entering, attempt.reader):
        write(os.path.join(root, PARAMETERS, file_of(name)), text)
    if items := map_variable(entering, attempt.reader.value):
        write(os.path.join(root, ITEMS), dump(items))
    if secrets:
        os.makedirs(os.path.join(root, SECRETS), exist_ok=True)
    for name, text in secrets.items():
        write(os.path.join(root, SECRETS, file_of(name)), text)
    get, _ = attempt.patterns(entering)
    if get:
        work = os.path.join(root, WORK)
        names = data.get(attempt.context.catalog, entering.catalog, get, work)
        write(os.path.join(root, BROUGHT), dump(signatures(work, names)))


def workdir_of(root: str) -> Workdir:
    """The container's working directory: what it did not have to begin with, it has written."""
    try:
        with open(os.path.join(root, BROUGHT), encoding="utf-8") as file:
            brought = json.load(file)
    except FileNotFoundError:
        brought = {}
    before = {name: tuple(signature) for name, signature in brought.items()}
    return Workdir(os.path.join(root, WORK), before)


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
    os.chmod(path, 0o644)


def texts(entering: State, reader: Reader) -> Iterable[tuple[str, str]]:
    """The parameters by name: a string as it is, anything else as JSON."""
    for name, entry in entering.parameters.items():
        if not holds_objects(entry):
            value = reader.value(entry)
            yield name, value if isinstance(value, str) else dump(value)


def variables(attempt: Attempt, entering: State) -> dict[str, str]:
    """The variables that the container has: its parameters, those too large by the path of their
    file, then what the step and the run say."""
    named = {n: text for n, text in texts(entering, attempt.reader) if VARIABLE.fullmatch(n)}
    fitting = within_budget({name: len(text.encode()) for name, text in named.items()}, 1)
    found = {}
    for name, text in named.items():
        if name in fitting and "\0" not in text:
            found[PREFIXES[0] + name] = text
        else:
            found[f"{PREFIXES[0]}{name}_FILE"] = f"{ROOT}/{PARAMETERS}/{file_of(name)}"
    if items := map_variable(entering, attempt.reader.value):
        text = dump(items)
        large = len(text) > LARGEST
        found[MAP_VARIABLES[0] + "_FILE" * large] = f"{ROOT}/{ITEMS}" if large else text
    return {**found, **attempt.node.env, **place(attempt, entering)}


def expanded(argv: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """The words with `$(NAME)` replaced, as Kubernetes does that: `$$(NAME)` stays `$(NAME)`, and
    so does the name of no variable.

    >>> expanded(["--n=$(n)", "$$(n)", "$(id)"], {"n": "1"})
    ['--n=1', '$(n)', '$(id)']
    """

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        return known.get(match[1], match[0])

    return [_REFERENCE.sub(value, word) for word in argv]


def outputs(root: str, names: Iterable[str]) -> dict[str, Any]:
    """The parameters that the container left as files. Raises TaskError where one is not there."""
    found = {}
    for name in names:
        path = os.path.join(root, OUTPUTS, file_of(name))
        try:
            with open(path, encoding="utf-8", newline="") as file:
                text = file.read()
        except FileNotFoundError:
            way_out = f"write it to {ROOT}/{OUTPUTS}/{file_of(name)}"
            raise TaskError(
                f"the container did not leave '{name}', which `returns` names: {way_out}"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise TaskError(f"cannot read what the container left as '{name}': {error}") from error
        found[name] = value_of(name, text.removesuffix("\n"))
    return found


def file_of(name: str) -> str:
    """What the file of a parameter or a secret is called.

    >>> file_of("rate"), file_of("a/b")
    ('rate', 'a%2Fb')
    """
    return quote(name, safe=" ")
