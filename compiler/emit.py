"""`emit`: rendered files on their way out, to a folder or as one stream.

The first line of a file says whose it is. Files of this pipeline, in this environment, are
replaced and, where it has them no more, deleted; a file that Argosy did not write, or wrote for
another, stays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from .errors import ManifestError, Problem

MARK = "# Made by `argosy render` from the pipeline "
KUSTOMIZE = ("kustomization.yaml", "kustomizeconfig.yaml")
"""Files that are kustomize's own, and no objects of a cluster."""


def mark(pipeline: str, environment: str = "") -> str:
    """The first line of every file of a pipeline, or of one environment of it."""
    whose = json.dumps(pipeline) + (f" in {environment}" if environment else "")
    return f"{MARK}{whose}; what is changed here is lost."


def stream(files: Mapping[str, str]) -> str:
    """All objects as one YAML stream."""
    return "---\n".join(text for name, text in files.items() if name not in KUSTOMIZE)


def write(files: Mapping[str, str], folder: str) -> list[str]:
    """Makes `folder` hold these files; returns the paths that changed, in order.

    Each file is replaced whole, or not at all. Raises ManifestError, and writes nothing, where a
    file in the way is not this pipeline's.
    """
    present = _present(files, folder)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    changed = [name for name, text in files.items() if present.get(name) != text.encode()]
    for name in changed:
        beside = target / f".{name}.{os.getpid()}.new"
        beside.write_bytes(files[name].encode())
        beside.replace(target / name)
    stale = sorted(present.keys() - files.keys())
    for name in stale:
        (target / name).unlink()
    return [str(target / name) for name in (*changed, *stale)]


def difference(files: Mapping[str, str], folder: str) -> str:
    """A unified diff from what `folder` holds to what it should; '' where it is up to date."""
    from difflib import unified_diff

    present = _present(files, folder)
    parts: list[str] = []
    for name in sorted(present.keys() | files.keys()):
        old = present.get(name, b"").decode(errors="replace").splitlines(keepends=True)
        new = files.get(name, "").splitlines(keepends=True)
        path = str(Path(folder) / name)
        before = path if name in present else "/dev/null"
        after = path if name in files else "/dev/null"
        parts += unified_diff(old, new, before, after)
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def present(files: Mapping[str, str], folder: str) -> dict[str, str]:
    """The files in `folder` that are of the pipeline of `files`, as text. Raises ManifestError for
    others in the way."""
    return {
        name: content.decode(errors="replace") for name, content in _present(files, folder).items()
    }


def own(files: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Those of `others` that are of the pipeline of `files`."""
    first = {text.partition("\n")[0] for text in files.values()}
    return {name: text for name, text in others.items() if text.partition("\n")[0] in first}


def _present(files: Mapping[str, str], folder: str) -> dict[str, bytes]:
    own = {text.partition("\n")[0].encode() for text in files.values()}
    found: dict[str, bytes] = {}
    problems: dict[bytes, Problem] = {}
    for path in _yaml_files(Path(folder)):
        first = _first_line(path)
        if first in own:
            found[path.name] = path.read_bytes()
        elif path.name in files:
            key = first if first.startswith(MARK.encode()) else bytes(path)  # one says it for all
            problems.setdefault(key, _in_the_way(path, first))
    if problems:
        raise ManifestError(problems.values())
    return found


def _yaml_files(folder: Path) -> Iterator[Path]:
    if folder.exists() and not folder.is_dir():
        raise ManifestError([Problem(f"{folder} is a file", hint="-o takes a folder")])
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.suffix == ".yaml")


def _first_line(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.readline(4096).rstrip(b"\r\n")


def _in_the_way(path: Path, first: bytes) -> Problem:
    if first.startswith(MARK.encode()):
        whose = first.decode(errors="replace").removeprefix(MARK).partition(";")[0]
        hint = (
            "give each pipeline and each environment its own folder, or delete the files of one "
            "that was renamed"
        )
        return Problem(f"{path} is of the pipeline {whose}", hint=hint)
    return Problem(
        f"{path} was not written by Argosy", hint="move it away, or choose another folder"
    )
