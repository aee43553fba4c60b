"""A cluster as the day-two commands see it: how it is reached, what it is asked, what it answers.

`connect` gives a Client, which knows objects and nothing of pipelines; what a run is there is for
an engine to say (`engine`).
"""

from __future__ import annotations

from .client import Client, Cluster
from .connect import Way, connect
from .errors import (
    ClusterError,
    ConflictError,
    NoClusterError,
    NoSuchKindError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
)
from .resources import Resource, resource_of

__all__ = [
    "Client",
    "Cluster",
    "ClusterError",
    "ConflictError",
    "NoClusterError",
    "NoSuchKindError",
    "NotAllowedError",
    "NotFoundError",
    "RefusedError",
    "Resource",
    "Way",
    "connect",
    "resource_of",
]
