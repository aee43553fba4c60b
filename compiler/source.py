"""`load`: YAML text into plain values that remember where they stood.

One pass over libyaml's events with a stack of its own, so that neither depth nor size can hurt:
depth, nodes and what aliases expand to are counted while they come. Scalars are read by the rules
of YAML 1.2 (`yes` and `1:30` are text); the text of a plain scalar that is not a string is kept, so
that a field which takes text gets it as it was written.
"""

from __future__ import annotations

import errno
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

import yaml

from argosy.runtime import reading

from .errors import DefinitionError, Position, Problem

MAX_BYTES = 32 << 20
MAX_DEPTH = 128
"""Of one file. What reads values calls itself for each level, and Python's stack must do."""
MAX_NODES = 1_000_000

BRANCHES = "branches"
"""The field whose keys are values: those of a conditional, where `5` and `'5'` are two."""

OPENED = "while parsing a flow", "while scanning a quoted"
"""What libyaml was at where a bracket or a quote that it needs does not come."""

_LINE_BREAK = re.compile("\r\n|[\n\r]")
_NO_BREAKS = "\x85\u2028\u2029"
"""Line breaks of YAML 1.1, and so of libyaml, that YAML 1.2 takes for text."""
_NUMBER = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{s + i: f for s, f in (("", math.inf), ("+", math.inf), ("-", -math.inf))
       for i in (".inf", ".Inf", ".INF")},
}  # fmt: skip
_TAG = "tag:yaml.org,2002:"


class Mark(NamedTuple):
    """A place in the text, from 0."""

    line: int
    column: int


class Source:
    """One file: its name as the user gave it, and its text."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._lines: list[str] | None = None

    def line(self, number: int) -> str:
        """One line of the text, from 0."""
        if self._lines is None:
            self._lines = _LINE_BREAK.split(self.text)
        return self._lines[number] if number < len(self._lines) else ""

    def position(self, mark: Any) -> Position:
        """`mark` (anything with `line` and `column`) as a place in this file."""
        return Position(self.name, mark.line, mark.column, self)

    def problem(self, message: str, mark: Any, hint: str = "") -> Problem:
        """A problem at `mark`."""
        return Problem(message, self.position(mark), hint)


class Mapping(dict[str, Any]):
    """A YAML mapping. `marks` has each key's place and its value's, `texts` what a plain value that
    is not a string read like, `typed` the value of a key that is not a string; `alike` has the keys
    that are text and read as another that is none, by the names that they have here;
    `anchored` has, of a document, the keys whose values have anchors."""

    __slots__ = ("alike", "anchored", "mark", "marks", "source", "texts", "typed")

    def __init__(self, source: Source, mark: Any) -> None:
        self.source = source
        self.mark = mark
        self.marks: dict[str, tuple[Any, Any]] = {}
        self.texts: dict[str, str] = {}
        self.typed: dict[str, Any] = {}
        self.alike: dict[str, str] = {}
        self.anchored: set[str] = set()

    def at(self, key: str | None) -> Any:
        """The mark of the value of `key`; of the mapping where there is no such key."""
        return self.marks[key][1] if key in self.marks else self.mark

    def at_key(self, key: str) -> Any:
        return self.marks[key][0] if key in self.marks else self.mark

    def rename(self, old: str, new: str) -> None:
        """Gives a key another name, in its place."""
        items = [(new if key == old else key, value) for key, value in self.items()]
        self.clear()
        self.update(items)
        self.take(self, old, new)
        for known in (self.marks, self.texts, self.typed, self.alike):
            known.pop(old, None)

    def take(self, other: Mapping, key: str, name: str) -> None:
        """Takes over where the `key` of `other` stands, and how it is written."""
        if key in other.marks:
            self.marks[name] = other.marks[key]
        for mine, theirs in (
            (self.texts, other.texts),
            (self.typed, other.typed),
            (self.alike, other.alike),
        ):
            if key in theirs:
                mine[name] = theirs[key]


class Sequence(list[Any]):
    """A YAML sequence; `marks` and `texts` as in a mapping, by index."""

    __slots__ = ("mark", "marks", "source", "texts")

    def __init__(self, source: Source, mark: Any) -> None:
        self.source = source
        self.mark = mark
        self.marks: list[Any] = []
        self.texts: dict[int, str] = {}

    def at(self, index: int) -> Any:
        return self.marks[index]


SPLIT = "split it into dag files (type: dag, dag_definition: other.yaml)"


def load(path: str, hint: str = "", too_large: str = SPLIT) -> Any:
    """The value of the YAML (or JSON) file at `path`, `-` being standard input.

    Raises DefinitionError, with a position wherever there is one, with `hint` where no file is and
    with `too_large` where that is the matter.
    """
    return _Builder(read(path, hint, too_large)).build()


def loads(text: str, name: str = "<text>") -> Any:
    """The value of YAML text; `name` stands for the file in messages."""
    return _Builder(Source(name, text)).build()


def read(path: str, hint: str = "", too_large: str = SPLIT) -> Source:
    """The text of a file; UTF-8, at most MAX_BYTES. `hint`: what to do where it cannot be read."""
    try:
        data = reading.read("/dev/stdin" if path == "-" else path, MAX_BYTES)
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot read {path}: {reason.lower()}"
        if getattr(error, "errno", None) == errno.EFBIG:
            hint = too_large
        raise DefinitionError([Problem(message, hint=hint)]) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        mark = Mark(before.count("\n"), len(before) - before.rfind("\n") - 1)
        source = Source(path, data.decode("utf-8", "replace"))
        problem = source.problem("this is not UTF-8 text", mark, "save the file as UTF-8")
        raise DefinitionError([problem]) from None
    if path.endswith(".json"):  # what JSON allows and libyaml does not
        text = _SURROGATES.sub(_join_surrogates, text).replace("\t", " ")
    return Source(path, text)


def scalar(text: str) -> Any:
    """The value of a plain scalar by YAML 1.2's core schema.

    >>> scalar("yes"), scalar("1e3"), scalar("0x10"), scalar("1.10"), scalar("~")
    ('yes', 1000.0, 16, 1.1, None)
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in "+-.0123456789":
        if _NUMBER.fullmatch(text):
            base = {"0x": 16, "0o": 8}.get(text[:2], 10)
            return int(text, base) if len(text) <= 4000 else text
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


_TAGGED: dict[str, Callable[[str], Any]] = {
    _TAG + "str": lambda text: text,
    _TAG + "int": lambda text: int(text, 0),
    _TAG + "float": lambda text: float(text.replace(".inf", "inf").replace(".nan", "nan")),
    _TAG + "bool": lambda text: {"true": True, "false": False}[text.lower()],
    _TAG + "null": lambda text: None,
}


class _Builder:
    """Builds one document from its events."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.anchors: dict[str, tuple[Any, str | None, int]] = {}
        self.nodes = 0
        self.text, self.stand_ins = _without_breaks(source.text)

    def build(self) -> Any:
        try:
            # The C parser where PyYAML was built with it: ten times faster, the same events.
            loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            events: Iterator[Any] = yaml.parse(self.text, Loader=loader)
            return self._document(events)
        except yaml.reader.ReaderError as error:
            before = self.source.text[: error.position]
            mark = Mark(before.count("\n"), len(before) - before.rfind("\n") - 1)
            self._fail(f"the character U+{error.character:04X} cannot stand in YAML", mark)
        except yaml.MarkedYAMLError as error:
            where: Any = error.problem_mark or error.context_mark or Mark(0, 0)
            if "nesting depth" in str(error.problem):  # libyaml's own limit, which it meets first
                self._too_deep(where)
            context = f" ({error.context})" if error.context else ""
            self._fail(f"{error.problem}{context}", where, self._syntax_hint(where, error))

    def _too_deep(self, mark: Any) -> NoReturn:
        hint = "put the inner part into a dag file (type: dag, dag_definition: FILE)"
        self._fail(f"nested deeper than {MAX_DEPTH} levels", mark, hint)

    def _fail(self, message: str, mark: Any, hint: str = "") -> NoReturn:
        raise DefinitionError([self.source.problem(message, mark, hint)]) from None

    def _syntax_hint(self, mark: Any, error: yaml.MarkedYAMLError) -> str:
        if "\t" in self.source.line(mark.line)[: mark.column + 1]:
            return "YAML indents with blanks, not with tabs"
        if error.context_mark and str(error.context).startswith(OPENED):
            begin = self.source.position(error.context_mark)
            return f"what begins at {begin} is not closed, or a text in it needs quotes"
        return ""

    def _document(self, events: Iterator[Any]) -> Any:
        root: list[Any] = []
        stack: list[_Frame] = []
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                value, text = self._scalar(event)
                size = 1
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    self._too_deep(event.start_mark)
                self._tag_of_collection(event)
                collection = Mapping if kind is yaml.MappingStartEvent else Sequence
                stack.append(_Frame(collection(self.source, event.start_mark), event, self.nodes))
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                frame = stack.pop()
                value, text, event = frame.value, None, frame.event
                size = self.nodes - frame.nodes + 1
            elif kind is yaml.AliasEvent:
                if event.anchor not in self.anchors:
                    self._fail(f"no anchor &{event.anchor} comes before this", event.start_mark)
                value, text, size = self.anchors[event.anchor]
                self.nodes += size - 1
            elif kind is yaml.DocumentStartEvent and root:
                self._fail(
                    "a second document begins here", event.start_mark, "one file, one document"
                )
            else:
                continue
            self.nodes += 1
            if self.nodes > MAX_NODES:
                self._fail(
                    f"over {MAX_NODES:,} values, aliases expanded",
                    event.start_mark,
                    "aliases of aliases multiply: write less of them",
                )
            if kind is not yaml.AliasEvent and event.anchor:
                self.anchors[event.anchor] = value, text, size
            if stack:
                whole: Any = stack[0]
                if kind is not yaml.AliasEvent and event.anchor and whole.key_mark is not None:
                    whole.value.anchored.add(whole.key)
                self._add(stack, value, text, event.start_mark)
            else:
                root.append(value)
        return root[0] if root else None

    def _add(self, stack: list[_Frame], value: Any, text: str | None, mark: Any) -> None:
        frame = stack[-1]
        collection: Any = frame.value
        if type(collection) is Sequence:
            if text is not None:
                collection.texts[len(collection)] = text
            collection.append(value)
            collection.marks.append(mark)
        elif frame.key_mark is None:
            if isinstance(value, (dict, list)):
                self._fail("a key must be a scalar", mark)
            key = value if text is None else text
            if key in collection.marks and key not in frame.merged:
                inside = stack[-2].key if len(stack) > 1 else ""
                key = self._distinct(collection, key, text, mark, inside)
            else:
                collection.typed.pop(key, None)  # of a key that << had brought
                if text is not None:
                    collection.typed[key] = value
            frame.key, frame.key_mark = key, mark
        else:
            if frame.key == "<<":
                self._merge(frame, value, mark)
            else:
                collection[frame.key] = value
                collection.marks[frame.key] = frame.key_mark, mark
                collection.texts.pop(frame.key, None)
                if text is not None:
                    collection.texts[frame.key] = text
                frame.merged.discard(frame.key)
            frame.key_mark = None

    def _distinct(
        self, mapping: Mapping, key: str, text: str | None, mark: Any, inside: str
    ) -> str:
        """The name of a key that reads as one before it: `5` and `'5'` are two branches. The text
        of such a pair gets quotes."""
        quoted = f"'{key}'"
        same = (text is None) == (key not in mapping.typed) or quoted in mapping.marks
        if same or inside != BRANCHES:
            first = mapping.marks[key][0].line + 1
            self._fail(f"'{key}' is already given in line {first}", mark, "remove one of them")
        mapping.alike[quoted] = key
        if text is None:
            return quoted
        mapping.rename(key, quoted)
        mapping.typed[key] = scalar(text)
        return key

    def _merge(self, frame: _Frame, value: Any, mark: Any) -> None:
        """`<<`: keys that are not given here; of several mappings the first one's counts."""
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, Mapping):
                self._fail("<< takes a mapping or a list of mappings", mark)
            into: Any = frame.value
            for key in [key for key in part if key not in into]:
                into[key] = part[key]
                into.take(part, key, key)
                frame.merged.add(key)

    def _scalar(self, event: Any) -> tuple[Any, str | None]:
        """The value, and the text where that is another thing."""
        text = event.value
        if self.stand_ins:
            text = text.translate(self.stand_ins)
        if event.tag is None or event.tag == "!":
            if not event.implicit[0] or event.tag == "!":
                return text, None
            value = scalar(text)
        elif event.tag in _TAGGED:
            try:
                value = _TAGGED[event.tag](text)
            except (ValueError, KeyError):
                self._fail(f"{text!r} is not a {event.tag[len(_TAG) :]}", event.start_mark)
        else:
            self._fail(f"the tag {event.tag} means nothing here", event.start_mark, "remove it")
        return value, None if isinstance(value, str) else text

    def _tag_of_collection(self, event: Any) -> None:
        if event.tag not in (None, "!", _TAG + "map", _TAG + "seq"):
            self._fail(f"the tag {event.tag} means nothing here", event.start_mark, "remove it")


class _Frame:
    """A mapping or sequence that is not finished."""

    __slots__ = ("event", "key", "key_mark", "merged", "nodes", "value")

    def __init__(self, value: Mapping | Sequence, event: Any, nodes: int) -> None:
        self.value = value
        self.event = event
        self.nodes = nodes
        self.key = ""
        self.key_mark: Any = None
        self.merged: set[str] = set()


def _without_breaks(text: str) -> tuple[str, dict[int, str]]:
    """`text` with characters that it has not in place of those in _NO_BREAKS, and what these stand
    for."""
    if text.isascii() or not any(char in text for char in _NO_BREAKS):
        return text, {}
    free = (chr(code) for code in range(0xE000, 0xF900) if chr(code) not in text)
    stand_ins = dict(zip(_NO_BREAKS, free, strict=False))
    there = text.translate({ord(char): stand_in for char, stand_in in stand_ins.items()})
    return there, {ord(stand_in): char for char, stand_in in stand_ins.items()}


def _join_surrogates(match: re.Match[str]) -> str:
    high, low = int(match[1], 16), int(match[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"
