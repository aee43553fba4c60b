"""The files of a folder as they were in a revision of its Git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from argosy.runtime.errors import ArgosyError


def files(folder: str, revision: str) -> dict[str, str]:
    """The YAML files in `folder` as of `revision`, by name; none where it was not there then.

    Raises ArgosyError where there is no Git, no repository or no such revision.
    """
    place = whole = Path(folder).resolve()
    while not place.is_dir():  # the folder may be gone, or not be there yet
        place = place.parent
    inside = f"./{whole.relative_to(place).as_posix()}/"
    verify = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = _git(place, f"no revision {revision} in the repository", *verify).strip()
    listed = _git(place, "", "ls-tree", "-z", "--name-only", commit, inside)
    names = [path.rpartition("/")[2] for path in listed.split("\0") if path.endswith(".yaml")]
    return {name: _git(place, "", "show", f"{commit}:{inside}{name}") for name in names}


def _git(place: Path, otherwise: str, *arguments: str) -> str:
    """What Git says. `otherwise`: what is wrong where it fails without a word."""
    try:
        done = subprocess.run(
            ["git", "-C", str(place), *arguments],  # noqa: S607 (the user's own)
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise ArgosyError("there is no `git` here: --git needs it, --dir alone does not") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or otherwise
        raise ArgosyError(f"{place}: {said}")
    return done.stdout.decode(errors="replace")
