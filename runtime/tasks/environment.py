"""The environment of the user's process: what is in it, and what comes back from it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from argosy.runtime import files
from argosy.runtime.attempt import NUMBER
from argosy.runtime.context import user_environment
from argosy.runtime.entries import Entry, State, map_place, map_variable
from argosy.runtime.errors import TaskError
from argosy.runtime.step import FOLDER, NAME, Written, holds_objects, track
from argosy.runtime.values import NotJsonError, check_text

if TYPE_CHECKING:
    from argosy.runtime.attempt import Attempt
    from argosy.runtime.context import Context
    from argosy.runtime.node import Node
    from argosy.runtime.state import Reader

PREFIXES = ("ARGOSY_PRM_", "MAGNUS_PRM_")
TRACKS = ("ARGOSY_TRACK_", "MAGNUS_TRACK_")
STEP = "_STEP_"
"""Between the name of a tracked value and the step of the series that it is of."""
MAP_VARIABLES = ("ARGOSY_MAP_VARIABLE", "MAGNUS_MAP_VARIABLE")
MAP_INDEX, MAP_COUNT = "ARGOSY_MAP_INDEX", "ARGOSY_MAP_COUNT"
COMPAT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat")
"""The folder of the module `magnus`, for steps of a definition that was written for Magnus."""
LARGEST = 32 * 1024
"""Bytes of JSON of a value that is in the environment; a larger one is in a file. Linux takes
128 KiB in one variable."""
BUDGET = 512 * 1024
"""Bytes of all parameters in the environment, under both prefixes. Linux takes 2 MiB of variables
and arguments, macOS 1 MiB."""
ASSIGNED: set[str] = set()
"""The variables that the code of a Python step has assigned, in the step's own process."""


def environment(
    context: Context, node: Node, folder: str, secrets: Mapping[str, str]
) -> dict[str, str]:
    """All but the parameters: what this process has, what the executor and the step add."""
    found = user_environment()
    if context.config.get("secrets") or node.secrets:
        secrets_provider = context.secrets
        if not context.magnus:  # whose steps may ask for any secret
            secrets_provider.withdraw(found)
    found.update(context.executor.environment)
    found.update(node.env)
    found.update((variable or name, secrets[name]) for name, variable in node.secrets.items())
    found.update(context.environment())
    found[FOLDER] = folder
    if context.magnus:
        found["MAGNUS_RUN_ID"] = context.run
        path = [found["PYTHONPATH"]] if found.get("PYTHONPATH") else []
        found["PYTHONPATH"] = os.pathsep.join([*path, COMPAT])
    return found


def place(attempt: Attempt, entering: State) -> dict[str, str]:
    """Where the step is in its run: its name, which attempt it is, and its iteration."""
    found = {NAME: attempt.instance, NUMBER: str(attempt.number)}
    index, count = map_place(entering)
    if index is not None:
        found |= {MAP_INDEX: str(index), MAP_COUNT: str(count)}
    return found


class LargeValues:
    """The files of values that are too large for the environment, each written once: in `folder`,
    which is the step's; or, where the run has a directory `common` of its own, once for all its
    steps, for a value that states name by its hash."""

    def __init__(self, folder: str, common: str = "") -> None:
        self._folder = folder
        self._common = common
        self._texts: dict[str, Callable[[], str]] = {}

    def add(self, text: Callable[[], str], name: str = "") -> str:
        """The path of the file that is to hold the text. `name` is unique to the text."""
        if self._common and name:
            path = os.path.join(self._common, f"value-{name}")
            if is_as_written(path):
                return path
        else:
            path = os.path.join(self._folder, f"value-{len(self._texts)}")
        self._texts[path] = text
        return path

    def write(self) -> None:
        for path in [*self._texts]:
            self._write(path)

    def write_when_needed(self) -> None:
        """Write a file when this process opens it, and all when it starts another process: most
        Python steps do neither."""
        if not self._texts:
            return
        import sys

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in STARTS:
                self.write()
            elif event == "open" and arguments[0] in self._texts:
                self._write(arguments[0])

        sys.addaudithook(hook)

    def _write(self, path: str) -> None:
        text = self._texts.pop(path)()
        if os.path.dirname(path) == self._folder:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            return
        beside = files.beside_of(path)
        files.write(beside, text.encode())
        os.chmod(beside, 0o444)
        os.utime(beside, ns=(0, 0))
        os.replace(beside, path)


def is_as_written(path: str) -> bool:
    """Whether a value's file is there, and no step has changed it: its time is none of a change."""
    try:
        return os.stat(path).st_mtime_ns == 0
    except OSError:
        return False


STARTS = frozenset(["subprocess.Popen", "os.fork", "os.posix_spawn", "os.system", "os.exec"])
"""Python's audit events of a process that is about to start."""


def parameters(state: State, reader: Reader, large: LargeValues) -> dict[str, str]:
    """The parameters as variables. A string is itself under our prefix and JSON under Magnus's;
    anything else is JSON. A variable with the suffix `_FILE` names the file of a large value."""
    texts = {
        name: json.dumps(entry["value"]) if "value" in entry else None
        for name, entry in state.parameters.items()
        if "=" not in name and "\0" not in name and not holds_objects(entry)
    }
    sizes = {
        name: state.parameters[name]["size"] if text is None else len(text)
        for name, text in texts.items()
    }
    fitting = within_budget(sizes, len(PREFIXES))
    found: dict[str, str] = {}
    for name, text in texts.items():
        entry = state.parameters[name]
        value = reader.value(entry) if text is None and name in fitting else entry.get("value")
        if name not in fitting or (isinstance(value, str) and "\0" in value):
            for prefix, text_of in ((PREFIXES[0], plain), (PREFIXES[1], as_json)):
                file = f"{entry['blob']}-{prefix}" if "blob" in entry else ""
                found[f"{prefix}{name}_FILE"] = large.add(partial(text_of, reader, entry), file)
            continue
        text = text or json.dumps(value)
        found[PREFIXES[0] + name] = value if isinstance(value, str) else text
        found[PREFIXES[1] + name] = text
    if items := map_variable(state, reader.value):
        text = json.dumps(items)
        suffix, shown = ("", text) if len(text) <= LARGEST else ("_FILE", large.add(lambda: text))
        found.update((f"{name}{suffix}", shown) for name in MAP_VARIABLES)
    return found


def within_budget(sizes: Mapping[str, int], copies: int) -> Collection[str]:
    """The names of values, by their sizes in bytes, that are in the environment `copies` times:
    the smaller ones first, where not all of them fit.

    >>> within_budget({"a": 20_000, "b": 40_000, "c": 3}, 1)
    ['c', 'a']
    """
    left = BUDGET
    found = []
    for size, name in sorted((size, name) for name, size in sizes.items()):
        left -= copies * (size + len(name) + len(PREFIXES[0]) + 2)
        if size > LARGEST or left < 0:
            break
        found.append(name)
    return found


def plain(reader: Reader, entry: Entry) -> str:
    """A value as a script reads it: a string as it is, anything else as JSON."""
    value = reader.value(entry)
    return value if isinstance(value, str) else json.dumps(value)


def as_json(reader: Reader, entry: Entry) -> str:
    return json.dumps(reader.value(entry))


def watch() -> None:
    """Have `ASSIGNED` tell which variables this process assigns from here on, whatever to."""
    kind: Any = type(os.environ)

    class Watched(kind):  # type: ignore[misc]
        def __setitem__(self, name: str, text: str) -> None:
            if name in self:  # what is cleared and put back, as a library may do, is as it was
                ASSIGNED.add(name)
            super().__setitem__(name, text)

        def __delitem__(self, name: str) -> None:
            ASSIGNED.discard(name)
            super().__delitem__(name)

    environ: Any = os.environ
    environ.__class__ = Watched


def changes(
    before: Mapping[str, str], after: Mapping[str, str], assigned: Collection[str] = ()
) -> Written:
    """What was exported under the prefixes: the variables that are `assigned`, or have another
    text than before. Raises TaskError where both prefixes give one parameter."""
    found = Written({}, {}, {}, {}, None)
    for prefix in PREFIXES:
        for name, text in changed(before, after, prefix, assigned):
            if name in found.parameters:
                raise TaskError(
                    f"parameter '{name}' was exported both as {PREFIXES[0]}{name} and as "
                    f"{PREFIXES[1]}{name}; export one of them"
                )
            found.parameters[name] = value_of(name, text)
    for prefix in TRACKS:
        for name, text in changed(before, after, prefix, assigned):
            series, _, step = name.rpartition(STEP)
            at = int(step) if series and step.isascii() and step.isdigit() else None
            track(found.tracked, name if at is None else series, value_of(name, text), at)
    return found


def changed(
    before: Mapping[str, str], after: Mapping[str, str], prefix: str, assigned: Collection[str]
) -> list[tuple[str, str]]:
    return [
        (name[len(prefix) :], text)
        for name, text in sorted(after.items())
        if name.startswith(prefix)
        and name != prefix
        and (before.get(name) != text or name in assigned)
    ]


def value_of(name: str, text: str) -> Any:
    """The value of a parameter that was left as text. Raises TaskError where that is not UTF-8."""
    value = parse(text)
    try:
        check_text(value)
    except NotJsonError as error:
        raise TaskError(f"parameter '{name}' {error}") from error
    return value


def parse(text: str) -> Any:
    """The value of a text: of an object or a list in JSON that, of anything else in JSON that
    where writing it again gives the same text, else the text.

    >>> parse("12"), parse("1.10"), parse("007"), parse("[1.10,2]"), parse("yes"), parse("null")
    (12, '1.10', '007', [1.1, 2], 'yes', None)
    """
    try:
        value = json.loads(text, parse_constant=refused)
    except ValueError:
        return text
    if isinstance(value, (dict, list)):
        return value
    return value if text in (json.dumps(value), json.dumps(value, ensure_ascii=False)) else text


def refused(text: str) -> Any:
    raise ValueError(text)
