"""User text on its way through the engine: JSON that Argo and the kubelet have nothing to do with.

Argo replaces `{{...}}` in every pass over a template, values that it has put there included, and
the kubelet replaces `$(NAME)`; neither has an escape. JSON has: `{ } $` inside strings travel as
`\\u007b \\u007d \\u0024`, and no two braces stand side by side outside strings.
"""

from __future__ import annotations

import json
import re
from typing import Any

from argosy.runtime.node import LIMIT, encode

_PARTS = r'"(?:[^"\\]|\\.)*"|[{}]{2,}'
_ESCAPES = {ord("{"): r"\u007b", ord("}"): r"\u007d", ord("$"): r"\u0024"}


def _part(match: re.Match[str]) -> str:
    part = match[0]
    if part[0] != '"':
        return " ".join(part)
    return part.translate(_ESCAPES) if "{" in part or "}" in part or "$" in part else part


def safe_json(value: Any) -> str:
    """`value` as ASCII JSON that arrives in a pod as it is written here.

    >>> print(safe_json({"env": {"A": "{{workflow.name}} $(id)"}}))
    {"env":{"A":"\\u007b\\u007bworkflow.name\\u007d\\u007d \\u0024(id)"} }
    """
    text = json.dumps(value, separators=(",", ":"))
    if "$" not in text and text.find("{", 1) < 0 and text.find("}", 0, -1) < 0:
        return text
    return re.sub(_PARTS, _part, text)


def node_text(node: dict[str, Any]) -> str:
    """NODE as an argument of a pod."""
    text = safe_json(node)
    return text if len(text) <= LIMIT else encode(node, limit=0)
