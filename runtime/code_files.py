"""The files of the project that a step's code is in: noted when it ran, compared when a run goes on
from an earlier one.

Of a Python step these are the modules that its process imported, but for those of the standard
library and of installed packages; of a notebook its file and such modules; of a shell step the
files that its script names. Names are relative to the working directory where they are in it.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Container, Iterable, Mapping

from .files import sha256_of
from .patterns import matcher

INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\]")
STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
OURS = "argosy"
WORD = re.compile(r"[\w.@%+,/-]+")
MOST_WORDS = 1_000
"""So many words of a script may be files."""
MOST_BYTES = 16 << 20
"""Of a larger file the size counts, not the content."""


def imported(before: Container[str]) -> dict[str, str]:
    """The files of the modules that this process has imported, with their digests. Of those that
    were there `before`, only the ones in the working directory are the step's."""
    found: dict[str, str] = {}
    start = os.getcwd() + os.sep
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or name == "__main__" or name.partition(".")[0] == OURS:
            continue
        path = os.path.abspath(file)
        if path.startswith(STANDARD_LIBRARY) or INSTALLED.search(path):
            continue
        if name in before and not path.startswith(start):
            continue
        if digest := digest_of(path):
            found[path.removeprefix(start)] = digest
    return found


def named(script: str, others: Iterable[str] = ()) -> dict[str, str]:
    """The files in the working directory that a script names, with their digests: but for those
    that match patterns of the catalog, which are data."""
    found: dict[str, str] = {}
    data = [matcher(pattern).match for pattern in others]
    for word in list(dict.fromkeys(WORD.findall(script)))[:MOST_WORDS]:
        name = os.path.normpath(word)
        if os.path.isabs(name) or name.startswith(os.pardir) or any(one(name) for one in data):
            continue
        if digest := digest_of(name):
            found[name] = digest
    return found


def changed(noted: Mapping[str, str]) -> list[str]:
    """The files, of those that were noted, that are not as they were."""
    return sorted(name for name, digest in noted.items() if digest_of(name) != digest)


def digest_of(path: str) -> str:
    """The digest of a file's content; '' where there is no such file."""
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return ""
        return f"{found.st_size}" if found.st_size > MOST_BYTES else sha256_of(path)[:16]
    except (OSError, ValueError):
        return ""
