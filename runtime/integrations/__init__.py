"""What one executor needs done so that one provider works in it, one executor a module."""

from __future__ import annotations

from .base import BaseIntegration

__all__ = ["BaseIntegration"]
