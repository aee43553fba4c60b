"""What is said of an approval, whoever asks for it."""

from __future__ import annotations


def too_late(seconds: float) -> str:
    """
    >>> too_late(600)
    'nobody approved it within 600 s'
    """
    return f"nobody approved it within {seconds:g} s"
