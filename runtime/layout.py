"""Where every object of a run is kept: the one place that builds a key.

A node's path is percent-encoded names joined by `/`, with `*` for the iteration of each map that
it is in; with the indexes filled in it is an *instance*. A store sees keys only:

    runs/<run>/run.json
    runs/<run>/graph.json
    runs/<run>/steps/<step>/<attempt>.json
    runs/<run>/steps/<step>/<attempt>.log/<n>
    runs/<run>/state/<step>.json
    runs/<run>/end/<n>.json
    blobs/<sha256>
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping

from .errors import NodeError

LONGEST = 200
"""Bytes of a step in a key. File systems take 255, an object's name in Kubernetes 253."""

KEPT = 160
ITERATION = "*"

PACKED = "packed.zip"
"""The file in a run's folder that has the objects of its steps, once it has ended."""


def indexes(key: str) -> tuple[str, ...]:
    """The indexes in a KEY; what follows a `-` is for people only.

    >>> indexes("0-eu/3-b")
    ('0', '3')
    """
    found = tuple(part.partition("-")[0] for part in key.split("/")) if key else ()
    for index in found:
        if not (index.isascii() and index.isdigit()):
            raise NodeError(f"KEY is {key!r}; each of its parts begins with an iteration's index")
    return found


def fill(text: str, key: tuple[str, ...], separator: str = "/") -> str:
    """The path (or, joined by `.`, the rank) with its `*` replaced by the indexes, in order.

    >>> fill("a/*/b/*", ("0", "3"))
    'a/0/b/3'
    """
    if ITERATION not in text:
        return text
    left = iter(key)
    parts = text.split(separator)
    try:
        return separator.join(next(left) if part == ITERATION else part for part in parts)
    except (StopIteration, RuntimeError) as error:
        raise NodeError(
            f"{text} is inside more maps than KEY '{'/'.join(key)}' has indexes"
        ) from error


def outside(path: str, key: tuple[str, ...]) -> tuple[str, ...]:
    """The part of a KEY that belongs to the node at `path`: without the indexes of what is inside
    the node, or of another map or loop that comes after it.

    >>> outside("a/*/b", ("0", "3"))
    ('0',)
    """
    return key[: path.split("/").count(ITERATION)]


def with_items(path: str, key: tuple[str, ...], items: Mapping[int, str]) -> str:
    """The instance as views show it: each iteration with its item, as `items` has it by depth. It
    is encoded as a path is, so that `readable` gives `a/0 (eu)/b`.

    >>> readable(with_items("a/*/b/*/c", ("0", "3"), {0: "eu/west", 1: "3"}))
    'a/0 (eu/west)/b/3/c'
    """
    if not items:
        return fill(path, key)
    shown = list(key)
    for depth, text in items.items():
        if text and text != key[depth]:  # as the index of a loop's round is
            shown[depth] += encoded(f" ({text})")
    return fill(path, tuple(shown))


def encoded(text: str) -> str:
    """A text as one part of a path."""
    from urllib.parse import quote

    return quote(text, safe="")


def iteration(path: str, key: tuple[str, ...]) -> str:
    """The folder for what an iteration of a map, or a round of a loop, leaves here: as the catalog
    calls it after a map. '' outside of any.

    >>> iteration("a/*/b/*/c", ("0", "3"))
    'a/0/b/3/'
    """
    head, star, _ = path.rpartition(ITERATION)
    return fill(f"{head}{star}", key) + "/" if star else ""


def readable(path: str) -> str:
    """A path with its names as the user wrote them.

    >>> readable("gr%C3%B6%C3%9Fe/a%20b")
    'größe/a b'
    """
    if "%" not in path:
        return path
    from urllib.parse import unquote  # few names need it

    return unquote(path)


def leaves(paths: Iterable[str]) -> list[str]:
    """The paths that no other is below.

    >>> leaves(["a", "d", "d/b", "m/0/c"])
    ['a', 'd/b', 'm/0/c']
    """
    found = list(paths)
    composites = set()
    for path in found:
        above = path.rpartition("/")[0]
        while above and above not in composites:
            composites.add(above)
            above = above.rpartition("/")[0]
    return [path for path in found if path not in composites]


def step_key(instance: str) -> str:
    """An instance as one segment of a key.

    >>> step_key("features/0/build.all")
    'features.0.build%2Eall'
    """
    name = instance.replace(".", "%2E").replace("/", ".")
    encoded = name.encode()
    if len(encoded) <= LONGEST:
        return name
    import hashlib  # hardly any name is so long

    digest = hashlib.sha256(encoded).hexdigest()[:32]
    return f"{encoded[:KEPT].decode(errors='ignore')}-{digest}"


def run_prefix(run: str) -> str:
    if not run or run[0] == "." or "/" in run or "\0" in run:
        raise NodeError(
            f"a run cannot be called {run!r}: a run's name is one part of a file's path"
        )
    return f"runs/{run}/"


def run_key(run: str) -> str:
    return f"{run_prefix(run)}run.json"


def graph_key(run: str) -> str:
    return f"{run_prefix(run)}graph.json"


def state_key(run: str, instance: str) -> str:
    return f"{run_prefix(run)}state/{step_key(instance)}.json"


def steps_prefix(run: str) -> str:
    return f"{run_prefix(run)}steps/"


def record_prefix(run: str, instance: str) -> str:
    return f"{steps_prefix(run)}{step_key(instance)}/"


def record_key(run: str, instance: str, attempt: str) -> str:
    return f"{record_prefix(run, instance)}{attempt}.json"


def log_prefix(run: str, instance: str, attempt: str) -> str:
    return f"{record_prefix(run, instance)}{attempt}.log/"


def log_key(run: str, instance: str, attempt: str, milliseconds: int) -> str:
    """A chunk of output, named by its time since the attempt's start: the names sort in order,
    and the last one tells a reader when the attempt was last alive."""
    return f"{log_prefix(run, instance, attempt)}{milliseconds:010d}"


def end_prefix(run: str) -> str:
    return f"{run_prefix(run)}end/"


def end_key(run: str, number: int) -> str:
    return f"{end_prefix(run)}{number}.json"


def blob_key(sha256: str) -> str:
    return f"blobs/{sha256}"


def new_attempt(pod_uid: str = "") -> str:
    """The id of an attempt that starts now: the ids of a step sort by time, whoever gives them."""
    return f"{time.time_ns() // 1_000_000:013d}-{pod_uid or os.urandom(2).hex()}"
