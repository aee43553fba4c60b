"""The files of the project that a shell's script runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

INTERPRETERS = re.compile(
    r"python[0-9.]*|bash|sh|dash|zsh|ksh|perl|ruby|node|Rscript|julia|source|\."
)
FILE = re.compile(r"(?!/|~|-)[\w./+-]+\.(py|sh|bash|zsh|pl|rb|js|mjs|R|r|jl)")
PLAIN = re.compile(r"\.{1,2}/[\w./+-]+")
ASSIGNMENT = re.compile(r"\w+=\S*")
KEYWORDS = frozenset(
    ["if", "then", "elif", "else", "while", "until", "do", "!", "time", "{", "exec", "nice", "env"]
)
HARMLESS = re.compile(
    r"|:|\[{1,2}|\]\]|\}|basename|break|case|cat|chmod|continue|cp|cut|date|dirname|done|echo|esac"
    r"|exit|export|expr|false|fi|for|grep|head|ln|ls|mkdir|mv|printf|pwd|rm|rmdir|sed|seq|set"
    r"|sha256sum|shift|sleep|sort|tail|tee|test|touch|tr|true|uniq|unset|wait|wc|which"
)
"""Commands that read no variables of ours, and set none."""
UNKNOWN = re.compile(
    r"<<|\b(cd|pushd|function|alias|eval|git|curl|wget|tar|unzip|cp|mv|ln|rsync|tee|make)\b|\(\)"
)
"""What may make a file or change the folder, or is no list of commands: nothing is concluded."""
SEPARATORS = frozenset(["\n", ";", "&", "&&", "||", "|", "|&", "(", ")", ";;"])


def scripts(command: str) -> list[str]:
    """The relative paths of the scripts that a shell's script runs: those of which it is certain.

    >>> scripts("pip list | grep x && ./publish.sh --now; python train.py $RATE")
    ['./publish.sh', 'train.py']
    >>> scripts("cd work; ./publish.sh")
    []
    """
    if UNKNOWN.search(command):
        return []
    found = [script for words in _commands(command) if (script := _script(words))]
    return [
        script for script in dict.fromkeys(found) if command.count(script) == found.count(script)
    ]


def harmless(command: str) -> bool:
    """Whether a script starts nothing but the usual utilities, which read no variables.

    >>> harmless("echo $ARGOSY_PRM_rate | wc -c > count"), harmless("train --fast")
    (True, False)
    """
    if "<<" in command or "`" in command or "$(" in command:
        return False
    return all(HARMLESS.fullmatch(_first(words)) for words in _commands(command))


def _first(words: list[str]) -> str:
    """The command, in words of a script."""
    while words and (words[0] in KEYWORDS or ASSIGNMENT.fullmatch(words[0])):
        words = words[1:]
    return "" if not words or words[0].startswith("#") else words[0]


def _commands(command: str) -> Iterator[list[str]]:
    """The words of each simple command, as far as the script can be split into them."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t\r"
    lexer.commenters = ""
    lexer.wordchars += "$%{}@,:+=!^[]#"
    words: list[str] = []
    try:
        for word in lexer:
            if word in SEPARATORS or set(word) <= {"\n", ";"}:
                if words and words[0].startswith("#") and "\n" not in word:
                    continue
                yield words
                words = []
            else:
                words.append(word)
    except ValueError:  # a quote that is not closed
        return
    yield words


def _script(words: list[str]) -> str:
    """The script that a simple command runs; '' where it runs none, or it is not certain."""
    comment = next((place for place, word in enumerate(words) if word.startswith("#")), None)
    words = words[:comment]
    while words and (words[0] in KEYWORDS or ASSIGNMENT.fullmatch(words[0])):
        words = words[1:]
    if not words:
        return ""
    if INTERPRETERS.fullmatch(words[0]):
        first = words[1] if len(words) > 1 else ""
        return first if FILE.fullmatch(first) else ""
    return words[0] if PLAIN.fullmatch(words[0]) else ""
