"""Every error that compiling can end in, and the one place that formats them.

ArgosyError (argosy.runtime.errors)
└── CompileError         something the user wrote; carries every problem that was found
    ├── DefinitionError  the pipeline definition
    ├── SettingsError    the configuration, its variables, services and plugins
    └── ManifestError    what was rendered is not what the engine takes
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol

from argosy.runtime.errors import ArgosyError

MOST = 100
"""How many problems are shown."""
LONGEST = 1_000
"""How many characters of a message are shown."""


class Lines(Protocol):
    """A text that can show one of its lines."""

    def line(self, number: int) -> str:
        """The line with that number, from 0; '' where there is none."""


class Position(NamedTuple):
    """A place in a file: `line` and `column` count from 0, as libyaml has them."""

    file: str
    line: int
    column: int
    source: Lines | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line + 1}:{self.column + 1}"


Severity = Literal["error", "warning"]


class Problem(NamedTuple):
    """What is wrong, where, and what to do. `at` is None where no file is to blame. A warning
    stops nothing."""

    message: str
    at: Position | None = None
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        where = f"{self.at}: " if self.at else ""
        parts = [f"{where}{self.severity}: {shorten(self.message)}"]
        if self.at and self.at.source:
            text, column = clip(self.at.source.line(self.at.line), self.at.column)
            parts += [f"  | {text}", f"  | {' ' * column}^"]
        if self.hint:
            parts.append(f"  = {shorten(self.hint)}")
        return "\n".join(parts)


class CompileError(ArgosyError):
    """Carries `problems`, in the order of the files and lines they are in."""

    exit_status = 1

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(by_place(problems))
        super().__init__(listed(self.problems))


def listed(problems: Sequence[Problem]) -> str:
    """The first of the problems, and how many more there are."""
    lines = [str(problem) for problem in problems[:MOST]]
    more = len(problems) - MOST
    if more > 0:
        what = problems[-1].severity
        lines.append(f"{more:,} more {what if more == 1 else f'{what}s'}")
    return "\n".join(lines)


def by_place(problems: Iterable[Problem]) -> list[Problem]:
    """The problems in the order of the files and lines they are in."""
    return sorted(problems, key=_place)


def _place(problem: Problem) -> tuple[str, int, int]:
    at = problem.at
    return (at.file, at.line, at.column) if at else ("", 0, 0)


class DefinitionError(CompileError):
    """The pipeline definition is wrong."""


class SettingsError(CompileError):
    """The configuration is wrong."""


class ManifestError(CompileError):
    """The engine would not take what was rendered."""


def clip(line: str, column: int, width: int = 96) -> tuple[str, int]:
    """A window of `line` around `column`, with tabs and what a terminal would act on as blanks."""
    line = line.rstrip("\n")
    start = max(0, column - width // 2) if len(line) > width else 0
    text = "".join(char if char.isprintable() else " " for char in line[start : start + width])
    return text, column - start


def shorten(text: str, longest: int = LONGEST) -> str:
    """`text` without its middle where it is too long to be read, and with escapes for what a
    terminal would act on.

    >>> shorten("a\\0b"), shorten("a" * 40, 15)
    ('a\\\\x00b', 'aaaaa ... aaaaa')
    """
    half = (longest - 5) // 2
    if len(text) > longest:
        text = f"{text[:half]} ... {text[-half:]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
