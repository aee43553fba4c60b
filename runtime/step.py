"""A running step as its own code sees it, and how that code's words reach the runtime.

The two are different processes, and the step may start more. They share a private folder:

    step.json    what entered: for a process that the step started
    written      one JSON object a line: what the step's code set, kept, tracked, or failed by
    object-*     objects that it kept, pickled
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from . import extras
from .context import Context
from .entries import Entry, State, map_variable
from .errors import NodeError, TaskError
from .suggestions import nearest
from .values import NotJsonError, check_text, dump

if TYPE_CHECKING:
    from .service import Catalog

FOLDER = "ARGOSY_STEP_FOLDER"
NAME = "ARGOSY_STEP_NAME"
SCALARS = (str, int, float, bool, type(None))


NOTHING: Mapping[str, str] = MappingProxyType({})


class Written(NamedTuple):
    """What a step's code said: `parameters` by name; `objects`, pickles by name; `files`, paths by
    catalog name; `tracked` by name; the message and exit status that it `failed` by; the files that
    its `code` is in, with their digests."""

    parameters: dict[str, Any]
    objects: dict[str, bytes]
    files: dict[str, str]
    tracked: dict[str, Any]
    failed: tuple[str, int] | None
    code: Mapping[str, str] = NOTHING


class Step:
    """`secrets` has the values, where this process was given them; `shown` the variable that
    shows each secret to processes that the step starts."""

    def __init__(
        self,
        context: Context,
        name: str,
        state: State,
        folder: str,
        secrets: Mapping[str, str] | None = None,
        shown: Mapping[str, str] | None = None,
        attempt: int = 1,
    ) -> None:
        self.context = context
        self.name = name
        self.state = state
        self.folder = folder
        self.attempt = attempt
        self._secrets = dict(secrets or {})
        self._shown = dict(shown or {})
        self._set: dict[str, Any] = {}
        self._noted: dict[str, str] = {}
        self._objects: dict[str, Any] = {}

    @classmethod
    def opened(cls, environment: Mapping[str, str]) -> Step:
        """The step that started this process, from the folder that it was told of."""
        extras.find()
        folder = environment[FOLDER]
        with open(os.path.join(folder, "step.json"), encoding="utf-8") as file:
            found = json.load(file)
        state = State(**{name: found[name] for name in State._fields})
        context = Context.from_environment(environment)
        shown, attempt = found["shown"], found["attempt"]
        return cls(context, found["step"], state, folder, shown=shown, attempt=attempt)

    def share(self) -> None:
        """Writes what a process that the step starts needs to know: large values too, which may
        not be in the run log before the step's own state is."""
        for entry in self.state.parameters.values():
            self.context.blobs.keep(entry)
        own = {"step": self.name, "attempt": self.attempt, "shown": self._shown}
        found = {**own, **self.state._asdict()}
        with open(os.path.join(self.folder, "step.json"), "w", encoding="utf-8") as file:
            file.write(json.dumps(found, separators=(",", ":")))

    @cached_property
    def map_variable(self) -> dict[str, Any]:
        return map_variable(self.state, self.context.blobs.value)

    @property
    def catalog(self) -> Catalog:
        return self.context.catalog

    # Parameters and objects

    def names(self) -> list[str]:
        """The names of all parameters, objects among them."""
        return sorted({*self.state.parameters, *self._set, *self._objects})

    def has(self, name: str) -> bool:
        return name in self.state.parameters or self.was_set(name)

    def was_set(self, name: str) -> bool:
        """Whether this process has set the parameter, or put the object."""
        return name in self._set or name in self._objects

    def is_object(self, name: str) -> bool:
        """Whether `put_object` kept it."""
        if self.was_set(name):
            return name in self._objects
        return holds_objects(self.state.parameters.get(name, {}))

    def parameter(self, name: str) -> Any:
        """A parameter's JSON value. Raises TaskError where there is none."""
        if name in self._set:
            return self._set[name]
        self._must_have(name)
        if self.is_object(name):
            raise TaskError(f"'{name}' was kept by put_object: get_object('{name}') gives it")
        entry = self.state.parameters[name]
        return self.context.blobs.value(entry)

    def set(self, name: str, value: Any) -> None:
        """Sets a parameter. Raises TaskError for a value that is no JSON."""
        check_name(name)
        try:
            text = dump(value, to_json)
            plain = value if type(value) in SCALARS else json.loads(text)
            if r"\ud" in text:  # half of a pair, or both
                check_text(plain)
        except NotJsonError as error:
            raise TaskError(
                f"parameter '{name}' {error}; a parameter is a JSON value: "
                f"put_object('{name}', ...) keeps any other"
            ) from error
        self._say(f'{{"parameter":{json.dumps(name)},"value":{text}}}')
        self._set[name] = plain
        self._objects.pop(name, None)

    def object(self, name: str) -> Any:
        """What `put_object` kept; after a map, a list of it."""
        if name in self._objects:
            return self._objects[name]
        if not self.is_object(name):
            return self.parameter(name)
        return self._unpickled(self.state.parameters[name])

    def put_object(self, name: str, value: Any) -> None:
        check_name(name)
        import pickle

        try:
            data = pickle.dumps(value, protocol=pickle.DEFAULT_PROTOCOL)
        except Exception as error:  # what a class raises when it is pickled can be anything
            raise TaskError(
                f"object '{name}' cannot be pickled ({type(error).__name__}: {error}); "
                "write it to a file, and put_in_catalog that"
            ) from error
        file = f"object-{os.urandom(6).hex()}"
        with open(os.path.join(self.folder, file), "wb") as opened:
            opened.write(data)
        self._say(dump({"object": name, "file": file}))
        self._objects[name] = value
        self._set.pop(name, None)

    def _unpickled(self, entry: Entry) -> Any:
        blobs = self.context.blobs
        if "objects" in entry:
            return [None if one is None else self._unpickled(one) for one in blobs.objects(entry)]
        if "pickle" not in entry:
            return blobs.value(entry)
        import pickle

        return pickle.loads(blobs.read(entry["blob"]))  # noqa: S301 - its hash is that which the step before it wrote

    def _must_have(self, name: str) -> None:
        if not self.has(name):
            raise TaskError(f"there is no parameter '{name}'; {nearest(name, self.names())}")

    def has_set(self, name: str) -> bool:
        """Whether any process of the step has set the parameter, or put the object."""
        if self.was_set(name):
            return True
        written = collect(self.folder)
        return name in written.parameters or name in written.objects

    # The rest

    def secret(self, name: str) -> str:
        if name in self._secrets:
            return self._secrets[name]
        if name not in self._shown and self.context.magnus:  # whose steps name none
            return self.context.secrets.get(name)
        if name not in self._shown:
            raise NodeError(
                f"step '{self.name}' does not name secret '{name}'; add it: secrets: [{name}]"
            )
        variable = self._shown[name]
        if variable not in os.environ:
            raise NodeError(
                f"secret '{name}' is not in the environment of this process: pass on the variable "
                f"{variable} of the step that started it"
            )
        return os.environ[variable]

    def keep(self, name: str, path: str) -> None:
        """Has a file kept in the catalog when the step has succeeded."""
        if not os.path.isfile(path):
            raise TaskError(f"put_in_catalog: there is no file {path}")
        self._say(dump({"file": name, "path": os.path.realpath(path)}))

    def track(self, name: str, value: Any, at: int | None) -> None:
        try:
            self._say(dump({"track": name, "value": value, "at": at}, to_json))
        except NotJsonError as error:
            raise TaskError(f"track_this: '{name}' {error}") from error

    def note(self, code: Mapping[str, str]) -> None:
        """Has the files that the step's code is in noted, where they are not yet."""
        new = {name: digest for name, digest in code.items() if name not in self._noted}
        if new:
            self._noted.update(new)
            self._say(dump({"code": new}))

    def fail(self, message: str, status: int) -> None:
        self._say(dump({"failed": message, "status": status}))

    def _say(self, line: str) -> None:
        # One write to the end of a file: lines of several processes never mix.
        descriptor = os.open(
            os.path.join(self.folder, "written"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
        )
        try:
            data = memoryview(line.encode() + b"\n")
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)


def collect(folder: str) -> Written:
    """What the step's processes said, the last word on each name counting."""
    found = Written({}, {}, {}, {}, None)
    try:
        with open(os.path.join(folder, "written"), "rb") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return found
    for line in lines:
        found = heard(found, json.loads(line), folder)
    return found


def heard(written: Written, line: Mapping[str, Any], folder: str) -> Written:
    if "parameter" in line:
        written.parameters[line["parameter"]] = line["value"]
        written.objects.pop(line["parameter"], None)
    elif "object" in line:
        with open(os.path.join(folder, line["file"]), "rb") as file:
            written.objects[line["object"]] = file.read()
        written.parameters.pop(line["object"], None)
    elif "file" in line:
        written.files[line["file"]] = line["path"]
    elif "track" in line:
        track(written.tracked, line["track"], line["value"], line["at"])
    elif "code" in line:
        return written._replace(code={**written.code, **line["code"]})
    elif "failed" in line:
        return written._replace(failed=(line["failed"], line["status"]))
    return written


def track(tracked: dict[str, Any], name: str, value: Any, at: int | None) -> None:
    """A tracked value; with a step of training, one of a series."""
    if at is None:
        tracked[name] = value
        return
    if not isinstance(tracked.get(name), dict):
        tracked[name] = {}
    tracked[name][str(at)] = value


def holds_objects(entry: Mapping[str, Any]) -> bool:
    return "pickle" in entry or "objects" in entry


def check_name(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise TaskError(f"a parameter's name is a string, not {name!r}")


def to_json(value: Any) -> Any:
    """What stands in JSON for a value that is not of it. Raises NotJsonError where nothing does.

    Dataclasses and pydantic models are objects, enums their values, paths and dates strings, numpy
    scalars numbers.
    """
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return {name: getattr(value, name) for name in fields}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    if hasattr(value, "__fspath__"):
        return os.fspath(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(type(value), "__members__"):
        return value.value
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    kind = type(value)
    raise NotJsonError(f"is of type {kind.__module__}.{kind.__qualname__}, which is not of JSON")


class Private:
    """A folder in `parent`, else the system's temporary folder, that only this user sees, while it
    is entered."""

    def __init__(self, parent: str = "") -> None:
        self._parent = parent

    def __enter__(self) -> str:
        temporary = self._parent or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - it is private
        self._path = os.path.join(temporary, f"argosy-{os.urandom(8).hex()}")
        try:
            os.mkdir(self._path, 0o700)
        except OSError as error:
            raise NodeError(
                f"cannot make a folder in {temporary}: {error.strerror}; "
                "TMPDIR can name another place"
            ) from error
        return self._path

    def __exit__(self, *_: object) -> None:
        try:
            for entry in sorted(os.listdir(self._path)):
                os.unlink(os.path.join(self._path, entry))
            os.rmdir(self._path)
        except OSError:
            import shutil  # only where the step put folders there

            shutil.rmtree(self._path, ignore_errors=True)


def entries_of(written: Written, by: str, rank: str, keep: Any) -> dict[str, Entry]:
    """New parameters as entries of a state; `keep` keeps a blob and gives its hash."""
    made: dict[str, Entry] = {}
    for name, value in written.parameters.items():
        made[name] = {"value": value, "by": by, "rank": rank}
    for name, data in written.objects.items():
        made[name] = {
            "blob": keep(data),
            "size": len(data),
            "pickle": True,
            "by": by,
            "rank": rank,
        }
    return made


def sequence(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
