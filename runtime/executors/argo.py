"""Argo Workflows: one pod a task."""

from __future__ import annotations

from .cluster import ClusterExecutor


class ArgoExecutor(ClusterExecutor):
    executor_type = "argo"
