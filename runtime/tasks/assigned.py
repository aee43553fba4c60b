"""Which variables of parameters a script assigns, as its commands say.

A script may give a parameter the value that it has, which the environment at its end does not
tell. Only a script that may do so needs this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

NAME = r"(?:ARGOSY|MAGNUS)_PRM_\w+"
ASSIGNMENT = re.compile(rf"({NAME}|\w+)(?:\[[^\]]*\])?\+?=")
BARE = re.compile(rf"(?<![$\w{{!#])({NAME})")
ARITHMETIC = re.compile(
    rf"(?:\+\+|--)\s*({NAME})|(?<![$\w{{])({NAME})\s*(?:\+\+|--|(?:[-+*/%&|^]|<<|>>)?=(?!=))"
)
ELSEWHERE = re.compile(r"(?:^|[;&|\n])\s*(?:source|\.|eval)\s")
"""Commands that may assign what is not in the script's text."""
TEXT = re.compile(rf"(?:^|[\s;&|({{!])({NAME})\+?=")
LEFT = re.compile(r"(?<![$\w{!#])(?:ARGOSY|MAGNUS)_(?:PRM|TRACK)_")
DECLARE = frozenset(["export", "declare", "typeset", "readonly"])
SET = frozenset(["read", "mapfile", "readarray", "getopts", "printf", "for", "select"])


def may_assign(command: str, environment: Mapping[str, str]) -> bool:
    """Whether a script may assign a variable of the environment that is a parameter's."""
    if "_PRM_" in command and any(name in environment for name in BARE.findall(command)):
        return True
    return ELSEWHERE.search(command) is not None


def may_leave(command: str) -> bool:
    """Whether a script may leave a parameter or a metric in its environment.

    >>> may_leave("exec ./train --rate $ARGOSY_PRM_rate"), may_leave("export ARGOSY_PRM_x=1")
    (False, True)
    """
    return bool(LEFT.search(command) or ELSEWHERE.search(command))


def by_text(command: str) -> set[str]:
    """The parameters' variables that the text of a script assigns, whether it comes to that or not.

    >>> by_text('test "$n" = 1 && export ARGOSY_PRM_x=$ARGOSY_PRM_y')
    {'ARGOSY_PRM_x'}
    """
    return set(TEXT.findall(command))


def by_command(command: str) -> set[str]:
    """The parameters' variables that one command assigns, for longer than it runs itself.

    >>> by_command('export ARGOSY_PRM_x="$(wc -l < a)" y'), by_command("ARGOSY_PRM_x=1 make")
    ({'ARGOSY_PRM_x'}, set())
    """
    if command.startswith(("((", "let ")):
        return {name for pair in ARITHMETIC.findall(command) for name in pair if name}
    split = [*words(command)]
    assignments = [ASSIGNMENT.match(word) for word in split]
    first = next((word for word, one in zip(split, assignments, strict=True) if not one), None)
    if first is None or first in DECLARE:
        return {one[1] for one in assignments if one and re.fullmatch(NAME, one[1])}
    return {word for word in split if re.fullmatch(NAME, word)} if first in SET else set()


def words(command: str) -> Iterator[str]:
    """The words of a command without their quotes, what is substituted being a part of its word.

    >>> list(words("a='b c' d=$(e \\"f g\\") $h"))
    ['a=b c', 'd=$(e f g)', '$h']
    """
    ends = {'"': '"', "`": "`", "$(": ")", "${": "}"}
    open_: list[str] = []
    word: str | None = None
    place = 0
    while place < len(command):
        char, two = command[place], command[place : place + 2]
        top = open_[-1] if open_ else ""
        place += 1
        if top == "'":
            if char == "'":
                open_.pop()
                char = ""
        elif char == "\\":
            char, place = command[place : place + 1], place + 1
        elif char == top:
            open_.pop()
            char = "" if char == '"' else char
        elif char == "'" and top != '"':
            open_.append("'")
            char = ""
        elif two in ends:
            open_.append(ends[two])
            char, place = two, place + 1
        elif char in ends:
            open_.append(char)
            char = "" if char == '"' else char
        elif char == "(" and top == ")":
            open_.append(")")
        elif char.isspace() and not open_:
            if word is not None:
                yield word
            word = None
            continue
        word = (word or "") + char
    if word is not None:
        yield word
