"""Plain Kubernetes: a Job whose one pod runs the whole pipeline."""

from __future__ import annotations

from .cluster import ClusterExecutor


class KubernetesExecutor(ClusterExecutor):
    executor_type = "kubernetes"
