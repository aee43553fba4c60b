"""What an executor cannot run, though it reads well, and the way out."""

from __future__ import annotations

from collections.abc import Iterator

from .errors import Problem
from .graph import Approval, Argo, Graph, Node, Task
from .settings import every_node

ARGO = "executor argo gives the step a pod of its own"
DOCKER = "run it in Docker: -c with executor: local-container; or mock it: executor: mocked"
MOCK = "mock it here: executor: mocked; or give a configuration with executor: argo"
FILE = "leave the variable out; the container reads the file /argosy/secrets/%s"


def refused(graph: Graph, executor: str, secrets: str) -> Iterator[Problem]:
    """A problem for each node that the executor, with this provider of secrets, cannot run."""
    for _, node in every_node(graph):
        if isinstance(node.spec, Task) and node.spec.image:
            yield from _container(node, node.spec, executor, secrets)
        if isinstance(node.spec, Argo) and executor != "argo":
            message = f"step '{node.name}' is a template of Argo's, and executor '{executor}'"
            yield Problem(f"{message} cannot run one", node.at, MOCK)
        if isinstance(node.spec, Task) and node.spec.command_type == "notebook":
            yield from _notebook(node, executor)
        if isinstance(node.spec, Approval) and executor == "kubernetes":
            message = f"step '{node.name}' is an approval, and nobody can be asked in a Job"
            yield Problem(message, node.at, "executor argo waits for one; or leave the step out")


def _notebook(node: Node, executor: str) -> Iterator[Problem]:
    from importlib.util import find_spec

    from argosy.runtime.tasks.notebook import EXTRA, MODULES

    lacking = [name for name in MODULES if find_spec(name) is None]
    if executor == "local" and lacking:
        message = f"step '{node.name}' is a notebook, which needs {lacking[0]}: it is not installed"
        yield Problem(message, node.at, EXTRA)


def _container(node: Node, task: Task, executor: str, secrets: str) -> Iterator[Problem]:
    if executor == "local":
        message = f"step '{node.name}' is a container, and executor 'local' runs none"
        yield Problem(message, node.at, DOCKER)
    if executor == "kubernetes":
        message = f"step '{node.name}' is a container, and all steps of a Job run in one"
        yield Problem(message, node.at, ARGO)
        return
    if executor == "argo" and secrets == "kubernetes":
        return
    for name, variable in task.secrets.items():
        if variable and executor != "local":
            message = (
                f"step '{node.name}' shows secret '{name}' to its container as ${variable}, which "
                "only executor argo does, with secrets: kubernetes"
            )
            yield Problem(message, node.at, FILE % name)
