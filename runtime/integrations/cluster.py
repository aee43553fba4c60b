"""Integrations of the executors in a cluster, argo and kubernetes: what a pod needs so that a
provider works in it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from argosy.runtime import credentials
from argosy.runtime.errors import NodeError

from .base import BaseIntegration
from .everywhere import Databases

CLAIM_LINES = """\
  executor:
    type: {executor}
    config:
      claims:
        my-claim: {{mount_path: /mnt/argosy, create: true, size: 10Gi}}"""


class ClusterBuffered(BaseIntegration):
    mode_type = "cluster"
    service_type = "run-log-store"
    service_provider = "buffered"

    def validate(self, **kwargs: Any) -> None:
        raise NodeError(
            "run log 'buffered' ends with the process that has it, and a run has more than one "
            "pod; use run_log_store: {type: kubernetes}, or file-system with a claim"
        )


class ClusterFileSystem(BaseIntegration):
    """Every pod must see the folder: it lies under the mount of a claim."""

    mode_type = "cluster"
    service_provider = "file-system"

    def configure_for_traversal(self, **kwargs: Any) -> None:
        location = self.service.config["location"]
        what = f"{self.service.service_type} 'file-system'"
        if location == self.service.options["location"].default:
            location = self._under_the_claim(what, location)
        elif not any(within(location, mount) for mount in self.executor.claims.values()):
            raise NodeError(f"{what}: {location} is under no claim's mount, {self._way_out()}")
        self.service.config["location"] = location
        if self.service.config["sync"] is None:
            self.service.config["sync"] = True

    def _under_the_claim(self, what: str, default: str) -> str:
        mounts = [*self.executor.claims.values()]
        if len(mounts) != 1:
            raise NodeError(f"{what} has no location that every pod sees, {self._way_out()}")
        return str(mounts[0]).rstrip("/") + default.replace(".argosy", "/argosy", 1)

    def _way_out(self) -> str:
        """The lines to add."""
        section = self.service.service_type
        mounts = [*self.executor.claims.values()]
        mount = mounts[0].rstrip("/") if mounts else "/mnt/argosy"
        folder = self.service.options["location"].default.replace(".argosy", "argosy", 1)
        location = f"  {section}: {{type: file-system, config: {{location: {mount}/{folder}}}}}"
        if mounts:
            return f"which are {', '.join(mounts)}; name a folder there:\n{location}"
        lines = CLAIM_LINES.format(executor=self.executor.executor_type)
        return f"and the executor has no claim; add one:\n{lines}\n{location}"


class ClusterFileSystemRunLog(ClusterFileSystem):
    service_type = "run-log-store"


class ClusterFileSystemCatalog(ClusterFileSystem):
    service_type = "catalog"


class ClusterDatabase(Databases):
    """A server that every pod reaches. What it asks for comes from the cluster's Secrets, to every
    pod; another provider is asked in the pod."""

    mode_type = "cluster"

    def validate(self, **kwargs: Any) -> None:
        super().validate()
        url = self.service.config["url"] or ""
        self._refuse_file(url)
        if self.service.has_password(url):
            raise NodeError(
                "run log 'db': the password in its url would stand in the manifest; put the URL in "
                "a Secret, and name it: run_log_store: {type: db, config: {url_secret: DB_URL}}, "
                "secrets: {type: kubernetes, config: {secret: my-secret}}"
            )

    def configure_for_traversal(self, *, provider: Any = None, **kwargs: Any) -> None:
        super().configure_for_traversal(provider=provider)
        if provider is not None and provider.service_provider == "kubernetes":
            for variable, name in self.service.asked().items():
                own = credentials.name_of("run_log_store", variable)
                self.executor.secret_environment[own] = provider.reference(name)

    def configure_for_execution(self, **kwargs: Any) -> None:
        asked = self.service.asked()
        self.service.credentials = credentials.given("run_log_store", asked)
        self._refuse_file(self.service.credentials.get("URL", ""))

    def _refuse_file(self, url: str) -> None:
        if url.startswith("sqlite:"):
            raise NodeError(
                "run log 'db': SQLite is a file of one machine, and pods run on several; use a "
                "PostgreSQL server, or run_log_store: {type: kubernetes}"
            )


class ClusterKubernetesRunLog(BaseIntegration):
    """Pods write with their service account; what they write goes with their workflow or Job."""

    mode_type = "cluster"
    service_type = "run-log-store"
    service_provider = "kubernetes"

    def configure_for_traversal(self, **kwargs: Any) -> None:
        verbs = ["create", "get", "list", "patch"]
        self.executor.rules.append({"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs})
        # How the command reaches the cluster is nothing to a pod.
        self.service.config.update(namespace=None, context=None)

    def configure_for_execution(self, **kwargs: Any) -> None:
        from argosy.runtime.cluster import Pod
        from argosy.runtime.context import parsed

        self.service.api = Pod()
        self.service.owner = parsed(os.environ, "ARGOSY_ORIGIN")


class ClusterEnvSecrets(BaseIntegration):
    mode_type = "cluster"
    service_type = "secrets"
    service_provider = "env"

    def validate(self, **kwargs: Any) -> None:
        raise NodeError(
            f"secrets '{self.service_provider}' stay on the machine that compiles; in a pod use "
            "the cluster's: secrets: {type: kubernetes, config: {secret: my-secret}}"
        )


class ClusterDotenvSecrets(ClusterEnvSecrets):
    service_provider = "dotenv"


class ClusterKubernetesSecrets(BaseIntegration):
    mode_type = "cluster"
    service_type = "secrets"
    service_provider = "kubernetes"

    def configure_for_traversal(self, *, secrets: Iterable[str] = (), **kwargs: Any) -> None:
        from argosy.runtime.secrets.kubernetes import PREFIX

        for name in sorted({*secrets, *self.service.config["objects"]}):
            self.executor.secret_environment[PREFIX + name] = self.service.reference(name)


def within(path: str, folder: str) -> bool:
    path, folder = os.path.normpath(path), os.path.normpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")
