"""User text on its way through the kubelet, which replaces `$(NAME)` in variables and arguments and
makes one dollar of two: in JSON a dollar travels as `\\u0024`."""

from __future__ import annotations

import json
from typing import Any

_encode = json.JSONEncoder(separators=(",", ":")).encode


def safe_json(value: Any) -> str:
    """`value` as ASCII JSON that arrives in a pod as it is written here.

    >>> print(safe_json({"command": "echo $(id) $$"}))
    {"command":"echo \\u0024(id) \\u0024\\u0024"}
    """
    text = _encode(value).replace("$", r"\u0024")
    return text.replace("\x7f", r"\u007f")  # which server-side apply refuses
