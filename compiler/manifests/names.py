"""Names that Kubernetes and Argo take, made from the names that people give.

The same name always gives the same result, whatever stands beside it, as long as it is valid and
alone; a short hash of the name is added only where it would not be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from zlib import crc32

CANCELLED = "argosy.dev/cancelled"
"""The label of a run's object that `argosy stop` has stopped."""
PIPELINE = "argosy.dev/pipeline"
"""The label of everything that is a pipeline's; as an annotation of a workflow, the pipeline's name
as it begins the run's id."""
ENVIRONMENT = "argosy.dev/environment"
"""The label of everything that is rendered for an environment."""
MANAGED_BY = "app.kubernetes.io/managed-by"
VERSION = "argosy.dev/version"
"""A label: which version of the pipeline it is that runs start from, and that a run and its pods
began with. Accounts, roles and claims have none: they outlive a version, and would differ by it
alone."""

MAX_NAME = 63
MAX_CRON_NAME = 52
RESERVED = frozenset(
    ["in", "not", "and", "or", "true", "false", "nil", "let", "if", "else", "matches", "contains"]
)
"""Words of the language of `depends`, which no task can be called: of all its operators, literals
and functions those that an engine refused."""

_INVALID = re.compile(r"[^a-z0-9]+")
_INVALID_LABEL = re.compile(r"[^A-Za-z0-9_.-]+")


def slug(text: str, limit: int = MAX_NAME) -> str:
    """Lower-case letters, digits and single dashes; '' where nothing is left.

    >>> slug("Train the model (v2)")
    'train-the-model-v2'
    """
    found = _INVALID.sub("-", text.lower()).strip("-")
    return found if len(found) <= limit else hashed(found, text, limit)


def hashed(name: str, text: str, limit: int = MAX_NAME) -> str:
    """`name` with a hash of `text`, cut to fit."""
    head = name[: limit - 9].rstrip("-")
    return f"{head}-{crc32(text.encode('utf-8', 'surrogatepass')):08x}".lstrip("-")


def task_name(text: str, limit: int = MAX_NAME) -> str:
    """A name for a task or a template: it starts with a letter and is no word of an expression.

    >>> task_name("extract"), task_name("2nd pass"), task_name("not")
    ('extract', 'step-2nd-pass', 'step-not')
    """
    found = slug(text, limit)
    if not found:
        return hashed("step", text, limit)
    if found[0].isdigit() or found in RESERVED:
        return slug(f"step-{found}", limit)
    return found


def label_value(text: str) -> str:
    """The value of a Kubernetes label: at most 63 characters, alphanumeric at both ends."""
    found = _INVALID_LABEL.sub("-", text).strip("-_.")
    if len(found) > MAX_NAME:
        found = hashed(found, text)
    return found


class Names:
    """Gives each text a name of its own."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, text: str) -> str:
        """The name of `text`, or that with a hash where something else has it already."""
        name, salt = task_name(text), text
        while name in self._taken:
            name = hashed(task_name(text), salt)
            salt += "+"
        self._taken.add(name)
        return name

    def count(self, name: str) -> str:
        """`name`, or the first free of name-2, name-3 and so on."""
        number, found = 1, name
        while found in self._taken:
            number += 1
            found = f"{name}-{number}"
        self._taken.add(found)
        return found

    def take_all(self, texts: Iterable[str]) -> dict[str, str]:
        """Names for texts that stand beside each other, in no order: where several would have the
        same, it belongs to the text that reads just so, and the others get a hash."""
        wanted = {text: task_name(text) for text in texts}
        several = len(set(wanted.values())) < len(wanted)
        count = Counter(wanted.values()) if several else {}
        found = {}
        for text, name in wanted.items():
            shared = name in self._taken or (count.get(name, 1) > 1 and text != name)
            found[text] = hashed(name, text) if shared else name
        self._taken.update(found.values())
        return found
