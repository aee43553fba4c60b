"""Every error that compiling can end in, and the one place that formats them.

ArgosyError (argosy.runtime.errors)
└── CompileError         something the user wrote; carries every problem that was found
    ├── DefinitionError  the pipeline definition
    ├── SettingsError    the configuration, its variables, services and plugins
    └── ManifestError    what was rendered is not what the engine takes
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from argosy.runtime.errors import ArgosyError


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


class Problem(NamedTuple):
    """What is wrong, where, and the way out. `at` is None where no file is to blame."""

    message: str
    at: Position | None = None
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.at}: " if self.at else ""
        parts = [f"{where}error: {self.message}"]
        if self.at and self.at.source:
            text, column = clip(self.at.source.line(self.at.line), self.at.column)
            parts += [f"  | {text}", f"  | {' ' * column}^"]
        if self.hint:
            parts.append(f"  = {self.hint}")
        return "\n".join(parts)


class CompileError(ArgosyError):
    """Carries `problems`, in the order of the files and lines they are in."""

    exit_status = 1

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_place))
        super().__init__("\n".join(str(problem) for problem in self.problems))


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
    text = "".join(char if char.isprintable() else " " for char in line.rstrip("\n"))
    start = max(0, column - width // 2) if len(text) > width else 0
    return text[start : start + width], column - start


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` for the known word nearest to `word`, or the list of them."""
    import difflib  # for an error only

    known = [str(item) for item in known]
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(known)}" if known else ""
