"""The table of Argo's own examples: whole, true, and as the documentation has it."""

from __future__ import annotations

import os
from pathlib import Path

from argo_examples import LANGUAGE, NAMES, NOT, RAW, TABLE, Said
from argosy.compiler import source
from argosy.compiler.argo.options import OPTIONS
from argosy.compiler.cli import COMMANDS
from argosy.compiler.parse import Context, Fields
from argosy.compiler.parse.definition import nested
from argosy.compiler.parse.steps import NODES, parse_step
from argosy.compiler.parse.tasks import COMMAND_TYPES
from argosy.compiler.trampoline import run
from argosy.runtime.registry import BUILT_IN

PAGE = Path(__file__).parent.parent.parent / "docs" / "argo-examples.md"
OF_A_DEFINITION = "parameters", "description"
INTRODUCTION = (
    "# What users of Argo express, and how it is said here\n\n"
    "The examples of Argo Workflows' own repository (3.7): {language} of {whole} ({share} %) are "
    "said in the language, by a node,\na field or an option; {raw} with a raw template in the "
    "graph ([`type: argo`](definition.md#argo)); {nothing} not.\n*By* names what says it: a node, "
    "a field of one (`task.retry`), an option of the executor\n([configuration]"
    "(configuration.md)), a provider, or a command.\n\n"
    "| example | | by | |\n|---|---|---|---|\n"
)


def fields_of(kind: str) -> set[str]:
    """The fields that a node of this type takes."""
    known: set[str] = set()
    for command_type in COMMAND_TYPES if kind == "task" else ("",):
        text = (
            f"{{type: {kind}, command_type: {command_type}}}"
            if command_type
            else f"{{type: {kind}}}"
        )
        mapping = source.loads(text)
        fields = Fields(mapping, "step 'a'", Context())
        run(parse_step("a", fields, mapping.mark, nested))
        known.update(fields.known)
    return known


def is_there(name: str) -> bool:
    """Whether there is what a row says it by."""
    match name.split():
        case ["option", option]:
            return option in OPTIONS
        case ["argosy", command]:
            return command in COMMANDS
        case ["catalog" | "secrets" as kind, provider]:
            return provider in BUILT_IN[kind]
        case [word] if "." in word:
            node, _, field = word.partition(".")
            return node in NODES and field in fields_of(node)
        case [word]:
            return word in NODES or word in OF_A_DEFINITION
    return False


def test_each_example_is_there_once() -> None:
    assert sorted(name for row in TABLE for name in row.names.split()) == sorted(NAMES)


def test_what_says_it_is_there() -> None:
    missing = {name for row in TABLE for name in row.by if not is_there(name)}
    assert not missing
    assert all(bool(row.by) == (row.how != NOT) for row in TABLE)
    assert all(name.startswith("argo.") for row in TABLE if row.how == RAW for name in row.by)
    assert not is_there("option no-such"), "and what is not there is missed"
    assert not is_there("task.no_such")


def test_most_is_in_the_language() -> None:
    assert count(LANGUAGE) >= 0.6 * len(NAMES)


def count(how: str) -> int:
    return sum(len(row.names.split()) for row in TABLE if row.how == how)


def line(name: str, row: Said) -> str:
    by = ", ".join(f"`{one}`" for one in row.by)
    return f"| {name} | {row.how} | {by} | {row.note} |\n"


def test_the_documentation_has_the_table() -> None:
    rows = {name: row for row in TABLE for name in row.names.split()}
    language, raw, nothing, whole = count(LANGUAGE), count(RAW), count(NOT), len(NAMES)
    share = 100 * language // whole
    text = INTRODUCTION.format(
        language=language, raw=raw, nothing=nothing, whole=whole, share=share
    ) + "".join(line(name, rows[name]) for name in NAMES)
    if os.environ.get("ARGOSY_TEST_UPDATE") == "1":
        PAGE.write_text(text)
    assert PAGE.read_text() == text
