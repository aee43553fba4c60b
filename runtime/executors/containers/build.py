"""`argosy run --build`: an image of the project, from its own Dockerfile or one made here.

What is made here has the project, its requirements, and this very runtime: what compiles and what
runs are one version.
"""

from __future__ import annotations

import io
import os
import shlex
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import argosy.runtime
from argosy.runtime.errors import NodeError

from .engine import Engine, progress, reason

OURS = ".argosy-image"
"""The folder in the build's context that has what is made here."""
NEVER = [".argosy"]
"""Runs and their data change with every run, and are no part of the project."""
WITHOUT_IGNORE = [".git", ".venv", "venv", "**/__pycache__", ".env", ".env.*"]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def build(engine: Engine, plan: Mapping[str, Any]) -> None:
    """Builds `plan["image"]` of the folder `plan["context"]`. Raises NodeError with the last words
    of what failed."""
    folder, image = Path(plan["context"]), plan["image"]
    own = plan["dockerfile"] or ("Dockerfile" if (folder / "Dockerfile").is_file() else None)
    if own and not (folder / own).is_file():
        raise NodeError(f"build: there is no {folder / own}; dockerfile is relative to context")
    made = None if own else dockerfile(folder, plan["base"], plan["requires"])
    engine.say(f"building {image} of {folder / own if own else folder}")
    with tempfile.TemporaryFile() as file:
        pack(file, folder, own, made)
        file.seek(0)
        try:
            lines = engine.client.build(
                fileobj=file,
                custom_context=True,
                dockerfile=own or f"{OURS}/Dockerfile",
                tag=image,
                network_mode="host",
                buildargs={name: os.environ[name] for name in PROXIES if name in os.environ},
                rm=True,
                forcerm=True,
                decode=True,
            )
            for said in filter(None, progress(lines)):
                engine.say(f"build | {said}")
        except OSError as error:
            raise NodeError(f"cannot build {image}: {reason(error)}") from error


def dockerfile(folder: Path, base: str, requires: Iterable[str]) -> str:
    """The text of a Dockerfile for a Python project."""
    lines = [
        f"FROM {base}",
        "RUN python3 -m venv /opt/venv",
        "ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/opt/argosy",
        "WORKDIR /app",
    ]
    pip = "RUN pip install --no-cache-dir"
    if requires:
        lines.append(f"{pip} {shlex.join(requires)}")
    requirements = folder / "requirements.txt"
    if requirements.is_file():
        # By themselves first, where that is enough: they change less often than the project.
        first = "requirements.txt ./" if self_contained(requirements.read_text()) else ". ."
        lines += [f"COPY {first}", f"{pip} -r requirements.txt", "COPY . ."]
    elif (folder / "pyproject.toml").is_file():
        lines += ["COPY . .", f"{pip} ."]
    else:
        raise NodeError(
            f"--build finds no Dockerfile, requirements.txt or pyproject.toml in {folder}; add "
            "one, or say where: build: {context: ..., dockerfile: ...}"
        )
    return "\n".join([*lines, f"RUN rm -r {OURS}", f"COPY {OURS}/argosy /opt/argosy/argosy", ""])


def self_contained(requirements: str) -> bool:
    """Whether they name no other file of the project.

    >>> self_contained("numpy>=2  # arrays"), self_contained("-r base.txt"), self_contained("./lib")
    (True, False, False)
    """
    lines = (line.strip() for line in requirements.splitlines())
    return not any(line.startswith(("-", ".", "/")) or "file:" in line for line in lines)


def pack(file: IO[bytes], folder: Path, own: str | None, made: str | None) -> None:
    """Writes the build's context as an archive: the project without what it ignores and, with the
    Dockerfile `made` here, that and the runtime."""
    from docker.utils.build import exclude_paths

    ignore = folder / ".dockerignore"
    patterns = NEVER if ignore.is_file() or own else NEVER + WITHOUT_IGNORE
    if ignore.is_file():
        lines = (line.strip() for line in ignore.read_text().splitlines())
        patterns = [*(line for line in lines if line and not line.startswith("#")), *patterns]
    # A container's user is who runs the pipeline, whom the image does not know.
    open_to_all = (lambda info: writable(unnamed(info))) if made else unnamed
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in sorted(exclude_paths(str(folder), patterns, own or "Dockerfile")):
            if not (folder / name).is_socket():
                archive.add(folder / name, name, recursive=False, filter=open_to_all)
        if made:
            text = tarfile.TarInfo(f"{OURS}/Dockerfile")
            text.size = len(made.encode())
            archive.addfile(text, io.BytesIO(made.encode()))
            runtime = Path(argosy.runtime.__path__[0])
            archive.add(runtime, f"{OURS}/argosy/runtime", filter=source)


def unnamed(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """With no owner of this machine, so that the same project gives the same layers."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def writable(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mode |= 0o777 if info.isdir() else 0o666
    return info


def source(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in info.name else unnamed(info)
