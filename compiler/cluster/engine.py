"""What an engine knows of the runs in its cluster, and what it can be told.

One class an engine, for the executors that have one: `ENGINES` says where it is.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from argosy.runtime.context import CODE
from argosy.runtime.layout import readable
from argosy.runtime.suggestions import nearest

from ..graph import NOTHING
from .client import Client
from .errors import NotFoundError

if TYPE_CHECKING:
    from ..compilation import Compilation
    from ..graph import Pipeline

ENGINES = {
    "argo": ("argosy.compiler.argo.workflows", "Workflows"),
    "kubernetes": ("argosy.compiler.kubernetes.jobs", "Jobs"),
}
GIT = "argosy.dev/git"
"""The annotation with the Git commit that a run was started from."""
FINISHED = frozenset(["succeeded", "failed", "cancelled"])


class Instance(NamedTuple):
    """One step as it runs: its path with the indexes of iterations, or with a `*` where there is no
    iteration yet. `status` is one of waiting, pending, running, succeeded, failed, skipped,
    omitted; times are seconds since 1970; `pod` is the newest one's name. Where it waits for a
    person, `message` is the question and `answer` the command that says yes. `label` is the path
    with the items of iterations, where it has any."""

    path: str
    status: str
    started: float | None = None
    ended: float | None = None
    attempts: int = 1
    message: str = ""
    pod: str = ""
    answer: str = ""
    label: str = ""

    @property
    def name(self) -> str:
        """What a person calls it: `features/0 (eu)/build`."""
        return readable(self.label or self.path)


class Execution(NamedTuple):
    """One run as the cluster has it. `name` is its object's, `status` one of pending, running,
    succeeded, failed. `steps` are in the order of the definition; `note` says what cannot be seen
    of them, and how it could."""

    name: str
    run: str
    status: str
    message: str = ""
    started: float | None = None
    ended: float | None = None
    steps: tuple[Instance, ...] = ()
    note: str = ""

    @property
    def finished(self) -> bool:
        return self.status in FINISHED


class Resume(NamedTuple):
    """The run that a new one goes on from. `by_name`: what succeeded is skipped, changed or not;
    `ignore_code`: a step whose code alone has changed is skipped too."""

    run: str
    by_name: bool = False
    ignore_code: bool = False

    @property
    def comparing(self) -> str:
        """The value of ARGOSY_RESUME_BY_NAME."""
        return "true" if self.by_name else CODE if self.ignore_code else "false"


class Engine(ABC):
    """The runs in one namespace. Every method raises ClusterError."""

    noun = ""
    """What an execution is there: `workflow`."""
    shows_steps = True
    """Whether the cluster knows of steps; else only the run log does."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @abstractmethod
    def submit(
        self,
        compilation: Compilation,
        arguments: Mapping[str, Any],
        resume: Resume | None,
        commit: Mapping[str, Any] = NOTHING,
    ) -> Execution:
        """Starts a run of the pipeline as it is applied. What `arguments` leaves out has its
        default there. `commit`: the Git commit that it is started from, which its object shows."""

    def warnings(self, compilation: Compilation) -> list[str]:
        """How what is applied differs from the definition."""
        return []

    @abstractmethod
    def list(self) -> list[Execution]:
        """All runs of Argosy's that the namespace has, newest first; their steps left out."""

    @abstractmethod
    def get(self, name: str) -> Execution:
        """The execution of an object."""

    @abstractmethod
    def watch(self, name: str) -> Iterator[Execution]:
        """The execution as it is, and again at each change."""

    @abstractmethod
    def stop(self, name: str, terminate: bool) -> None:
        """Ends a run. Without `terminate` it is closed in good order, and the run log says so."""

    @abstractmethod
    def retry(self, name: str, resume: Resume) -> Execution:
        """Starts a run like an earlier one, with its arguments, that goes on from there."""

    @abstractmethod
    def arguments(self, name: str, pipeline: Pipeline) -> dict[str, Any]:
        """What a run was given, and the defaults that it had, read as the pipeline's parameters."""

    def output(
        self, execution: Execution, step: Instance, follow: bool = False, last: int | None = None
    ) -> Iterator[bytes]:
        """The lines that a step's newest pod wrote, or the `last` of them; with `follow` those
        that it will write too."""
        return self.client.logs(step.pod, follow, last, owner=execution.name)

    def find(self, name: str) -> Execution | None:
        """The execution of a run's id, or of an object's name."""
        for one in self.list():
            if name in (one.run, one.name):
                return self.get(one.name)
        return None

    def must_find(self, name: str) -> Execution:
        """Raises NotFoundError where there is none."""
        found = self.find(name)
        if found is None:
            known = [one.run for one in self.list()]
            hint = nearest(name, known) if known else "no run of Argosy's is there"
            raise NotFoundError(
                f"there is no {self.noun} of run '{name}' in namespace "
                f"'{self.client.namespace}' ({self.client.place}); {hint}"
            )
        return found


def annotated(commit: Mapping[str, Any]) -> dict[str, Any]:
    """The annotations of a run's object."""
    return {"annotations": {GIT: json.dumps(commit)}} if commit else {}


def engine(executor: str, client: Client) -> Engine | None:
    """The engine of an executor; `None` for one that runs here."""
    if executor not in ENGINES:
        return None
    module, name = ENGINES[executor]
    found: Engine = getattr(import_module(module), name)(client)
    return found


def seconds(time: str | None) -> float | None:
    """Seconds since 1970 of a time of Kubernetes'.

    >>> seconds("1970-01-01T00:01:00Z")
    60.0
    """
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() if time else None
