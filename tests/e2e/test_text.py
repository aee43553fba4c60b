"""Text that somebody on the way would like to read otherwise: from YAML to the process in the pod.

One pipeline takes all of it as commands, as variables, as parameters' defaults and as values that
steps return; what arrived is compared by its hash.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from runs import Lab

TEXTS = {
    "tag": "{{workflow.name}}",
    "expression": "{{=1+1}}",
    "nested": "{{ {{inputs.parameters.node}} }} }}{{ ${{ x }}",
    "marked": "argosy-json:1",
    "substitution": "$(id) `id` $(ARGOSY_RUN_ID) $$(id)",
    "variable": "$HOME ${x} ${HOME} $x $$ ${x:-y} $",
    "braces": "{a} {# #} {% if x %} [[ x ]] }} { {",
    "quotes": """'single' "double" '' "" \N{LEFT DOUBLE QUOTATION MARK}curly'\"""",
    "backslashes": r"\ \\ \n \t \u0041 \x41 \' \" \$ \0 C:\dir",
    "tab": "\tbefore\tbetween\tafter\t",
    "newlines": "\n\nfirst\n second\r\nthird\rfourth\n\n",
    "separators": "a\u2028b\u2029c\u00a0d\ufeff",
    "next_line": "a\u0085b",
    "all_at_once": '"a" \'b\' \\\n\u2028$(id)"c"\td\\',
    "emoji": "\N{GRINNING FACE} \N{FAMILY}\u200d\N{WOMAN} e\u0301 \N{HEBREW LETTER ALEF}",
    "percent": "% %s %(x)s %d %% 100%",
    "hash": "# x #y",
    "dash": "-n --help - -",
    "yes": "yes",
    "exponent": "1e3",
    "hexadecimal": "0x10",
    "octal": "010",
    "decimal": "1.10",
    "long": "12345678901234567890123",
    "null": "null",
    "tilde": "~",
    "true": "true",
    "empty": "",
    "blank": "  ",
    "json": '{"a": [1, "2"]}',
    "yaml": "a: b, - c, *d &e !f | > @g `h` ? i",
    "at": "@/etc/passwd",
    "html": "<a href='x'>&amp;</a>",
}
LARGE = "".join(f"{number} {{{{x}}}} $(y)\n" for number in range(9_000))[: 100 * 1024 - 1] + "."
HASH = 'hash() { printf %s "$1" | sha256sum | cut -c -64; }'


def hashes(name: str, words: Mapping[str, str], **fields: Any) -> dict[str, Any]:
    """A step that returns, as a text of lines, the hash of what a shell makes of each word."""
    lines = [f"  echo {key} $(hash {word})" for key, word in words.items()]
    command = "\n".join([HASH, f"export ARGOSY_PRM_{name}=$(", *lines, ")"])
    return {"type": "task", "command_type": "shell", "command": command, **fields}


def values(prefix: str, names: Iterable[str]) -> dict[str, str]:
    """The words that are the values of variables."""
    return {name: f'"${prefix}{name}"' for name in names}


def prefixed(prefix: str, texts: Mapping[str, str]) -> dict[str, str]:
    return {prefix + name: text for name, text in texts.items()}


def quoted(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: shlex.quote(text) for name, text in texts.items()}


WITH_LARGE = {**TEXTS, "large": LARGE}
DEFAULTS = prefixed("given_", TEXTS)
RETURNED = prefixed("returned_", WITH_LARGE)
RETURN = [f"export ARGOSY_PRM_{name}={word}" for name, word in quoted(RETURNED).items()]
READ = {
    **values("ARGOSY_PRM_", RETURNED),
    "returned_large": '"$(cat "$ARGOSY_PRM_returned_large_FILE")"',
}
STEPS = {
    "commands": hashes("commands", quoted(WITH_LARGE)),
    "variables": hashes("variables", values("MY_", WITH_LARGE), env=prefixed("MY_", WITH_LARGE)),
    "defaults": hashes("defaults", values("ARGOSY_PRM_", DEFAULTS)),
    "return": {"type": "task", "command_type": "shell", "command": "\n".join(RETURN)},
    "returned": hashes("returned", READ, depends_on=["return"]),
}
EXPECTED = {
    "commands": WITH_LARGE,
    "variables": WITH_LARGE,
    "defaults": DEFAULTS,
    "returned": RETURNED,
}


def test_text_arrives_in_a_pod_as_it_is_written(lab: Lab) -> None:
    lab.start({"name": "text", "parameters": DEFAULTS, "dag": {"steps": STEPS}})
    here, there = lab.here("text"), lab.there("text")
    for found in (here, there):
        assert found["status"] == "succeeded", found["failures"]
        assert {step: changed(found["parameters"], step) for step in EXPECTED} == {
            step: set() for step in EXPECTED
        }
        kept = {name: found["parameters"][name] for name in DEFAULTS}
        assert kept == DEFAULTS
    assert lab.pods("text") == 6


def changed(parameters: Mapping[str, Any], step: str) -> set[str]:
    """The texts that are not as they were, where the process of `step` had them."""
    found = dict(line.split() for line in parameters[step].splitlines())
    texts = EXPECTED[step].items()
    return {n for n, text in texts if found[n] != hashlib.sha256(text.encode()).hexdigest()}
