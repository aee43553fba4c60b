"""The kinds of objects that commands handle, as the API server's paths have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Resource(NamedTuple):
    """`version` is an object's apiVersion, `plural` the name in paths and roles."""

    version: str
    kind: str
    plural: str
    namespaced: bool = True
    part: str = ""
    """`log`, where that part of each object is meant."""

    @property
    def group(self) -> str:
        """The API group, '' for Kubernetes' core."""
        return self.version.rpartition("/")[0]

    @property
    def full(self) -> str:
        """As roles name it."""
        return f"{self.plural}/{self.part}" if self.part else self.plural

    @property
    def singular(self) -> str:
        return f"{self.part} of {self.kind}" if self.part else self.kind

    def path(self, namespace: str, name: str = "") -> str:
        """Where the API server has it: one object, or all of the namespace."""
        parts = ["apis" if self.group else "api", self.version]
        parts += ["namespaces", namespace] if self.namespaced else []
        parts += [self.plural, name, self.part]
        return "/" + "/".join(part for part in parts if part)


ARGO = "argoproj.io/v1alpha1"
RBAC = "rbac.authorization.k8s.io/v1"

WORKFLOW = Resource(ARGO, "Workflow", "workflows")
WORKFLOW_TEMPLATE = Resource(ARGO, "WorkflowTemplate", "workflowtemplates")
CLUSTER_TEMPLATE = Resource(
    ARGO, "ClusterWorkflowTemplate", "clusterworkflowtemplates", namespaced=False
)
CRON_WORKFLOW = Resource(ARGO, "CronWorkflow", "cronworkflows")
POD = Resource("v1", "Pod", "pods")
POD_LOG = POD._replace(part="log")
JOB = Resource("batch/v1", "Job", "jobs")
CRON_JOB = Resource("batch/v1", "CronJob", "cronjobs")
CONFIG_MAP = Resource("v1", "ConfigMap", "configmaps")
SECRET = Resource("v1", "Secret", "secrets")

KINDS: Mapping[tuple[str, str], Resource] = {
    (one.version, one.kind): one
    for one in (
        WORKFLOW,
        WORKFLOW_TEMPLATE,
        CLUSTER_TEMPLATE,
        CRON_WORKFLOW,
        POD,
        JOB,
        CRON_JOB,
        CONFIG_MAP,
        SECRET,
        Resource("v1", "ServiceAccount", "serviceaccounts"),
        Resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
        Resource(RBAC, "Role", "roles"),
        Resource(RBAC, "RoleBinding", "rolebindings"),
    )
}


def resource_of(found: Mapping[str, Any]) -> Resource:
    """The resource that an object is of. Raises KeyError for a kind that no manifest of ours is."""
    return KINDS[found["apiVersion"], found["kind"]]
