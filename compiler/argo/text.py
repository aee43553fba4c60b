"""User text on its way through the engine: JSON that Argo and the kubelet have nothing to do with.

Argo replaces `{{...}}` in every pass over a template, values that it has put there included, and
the kubelet replaces `$(NAME)`; neither has an escape. JSON has: `{ } $` inside strings travel as
`\\u007b \\u007d \\u0024`, and outside strings no `}` stands beside another.
"""

from __future__ import annotations

import json
import re
from typing import Any

from argosy.runtime.node import LIMIT, encode

NODE_PARAMETER = "node"
"""The argument that carries a node's JSON."""

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_ESCAPES = {ord("{"): r"\u007b", ord("}"): r"\u007d", ord("$"): r"\u0024"}
_encode = json.JSONEncoder(separators=(",", ":")).encode


def safe_json(value: Any) -> str:
    """`value` as ASCII JSON that arrives in a pod as it is written here.

    >>> print(safe_json({"env": {"A": "{{workflow.name}} $(id)"}}))
    {"env":{"A":"\\u007b\\u007bworkflow.name\\u007d\\u007d \\u0024(id)"} }
    """
    text = _encode(value)
    if "\x7f" in text:  # the one character that JSON writes as it is and server-side apply refuses
        text = text.replace("\x7f", r"\u007f")
    if "$" not in text and text.find("{", 1) < 0 and text.find("}", 0, -1) < 0:
        return text
    bare = re.sub(_STRING, "", text)
    if any(text.count(char) > bare.count(char) for char in "{}$"):
        text = re.sub(_STRING, lambda match: match[0].translate(_ESCAPES), text)
    while "}}" in text:
        text = text.replace("}}", "} }")
    return text


def node_text(node: dict[str, Any]) -> str:
    """NODE as an argument of a pod."""
    text = safe_json(node)
    return text if len(text) <= LIMIT else encode(node, limit=0)
