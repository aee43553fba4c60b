"""Variables: `${x}` or `$x` in configuration and in a definition's structural fields.

They come from `-v`, then from the environment (`ARGOSY_VAR_x`, `MAGNUS_VAR_x`); `$$` is a dollar.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from argosy.runtime.suggestions import nearest

_VARIABLE = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*)|)")
PREFIXES = "ARGOSY_VAR_", "MAGNUS_VAR_"


def collect(given: Mapping[str, str]) -> dict[str, str]:
    """All variables: the environment's, and over them those that were given."""
    found: dict[str, str] = {}
    for prefix in reversed(PREFIXES):
        for name, value in os.environ.items():
            if name.startswith(prefix):
                found[name[len(prefix) :]] = value
    return {**found, **given}


def replace(text: str, variables: Mapping[str, str], report: Callable[[str, str], object]) -> str:
    """`text` with its variables replaced; `report(message, hint)` hears of what cannot be.

    >>> replace("${a}/$b/$$c", {"a": "1", "b": "2"}, print)
    '1/2/$c'
    """
    if "$" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name = match[1] or match[2]
        if name is None:
            report("a $ that begins no variable", "write $$ for a dollar")
        elif name not in variables:
            way = f"give it with -v {name}=VALUE or {PREFIXES[0]}{name}"
            hint = f"{nearest(name, variables)}; {way}" if variables else way
            report(f"the variable '{name}' is not defined", hint)
        else:
            return variables[name]
        return match[0]

    return _VARIABLE.sub(value, text)
