"""What the launcher asks of the runtime, where steps are containers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from argosy.runtime.attempt import NUMBER
from argosy.runtime.context import Context
from argosy.runtime.credentials import FOLDER as SECRETS
from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.executors.local.process import Child
from argosy.runtime.executors.local.schedule import Work
from argosy.runtime.executors.local.steps import RuntimeSteps, as_environment
from argosy.runtime.executors.local.turns import Files
from argosy.runtime.executors.localhost import LocalExecutor
from argosy.runtime.node import encode
from argosy.runtime.owner import identity, place
from argosy.runtime.secrets.env import PREFIX, file_of

from . import engine
from .child import Container
from .handover import HandOver
from .options import container_name, home_mount, home_of, host_config, owned_folder, within
from .task import InDocker


class ContainerSteps(RuntimeSteps):
    """Tasks are containers. What has no code of the user's, joins and `fail` nodes, runs here.

    `plan` is the plan's member `containers` (docs/container.md).
    """

    def __init__(self, context: Context, plan: Mapping[str, Any], found: engine.Engine) -> None:
        # What this process itself opens, it opens as a local run would.
        pristine = Context(
            context.run,
            context.config,
            context.arguments,
            origin=context.origin,
            resume=context.resume,
            by_name=context.by_name,
            ignore_code=context.ignore_code,
        )
        context.executor = LocalExecutor()
        super().__init__(context)
        self._engine = found
        self._plan = plan
        self._variables = as_environment(pristine)
        self._hand_over = HandOver()
        self._user = ""
        self._live: dict[str, Container] = {}
        self._last: dict[str, Container] = {}

    def prepare(self) -> None:
        """All that can be known before the first step: the engine answers, images and mounted
        folders are there. Removes what runs that were killed have left."""
        self._user = self._engine.user()
        self._engine.sweep()
        self._hand_over.sweep()
        self._context.containers = InDocker(self._plan["steps"], self._user, self._labels())
        specs = [*filter(None, (self._plan["default"], *self._plan["steps"].values()))]
        built = (self._plan.get("build") or {}).get("image")
        for name, policy in dict.fromkeys((s["image"], s["pull_policy"]) for s in specs):
            if name != built:
                self._engine.bring(name, policy, own=name == self._plan["own"])
            self._engine.image(name)
        for spec in specs:
            engine.make_sources(spec["volumes"])

    def start(self, work: Work, number: int, not_for_it: Iterable[int]) -> Child:
        if work.node.get("type", "task") != "task" or work.node.get("image"):
            sockets = [each.ends for each in self._live.values() if each.ends is not None]
            return super().start(work, number, [*not_for_it, *sockets])
        spec = self._plan["steps"].get(work.node["step"], self._plan["default"])
        values = self._secrets(work.node)
        folder = self._hand_over.give(values) if values else None
        name = container_name(self._context.run, work.path)

        def tidy() -> None:
            self._live.pop(name, None)
            if folder is not None:
                self._hand_over.take(folder)

        try:
            self._create(name, work, number, spec, folder)
            child = Container(self._engine.client, name, tidy)
        except OSError as error:
            self._engine.remove(name)
            tidy()
            raise NodeError(
                f"a container of image {spec['image']}: {engine.reason(error)}"
            ) from error
        self._live[name] = self._last[work.path] = child
        return child

    def files(self, work: Work) -> Files:
        return Files((), (), dict)  # a container has its own

    def describe(self, work: Work, status: int, begun: bool) -> str:
        child = self._last.get(work.path)
        return f"{super().describe(work, status, begun)}{hint(child, status, begun)}"

    def close(self) -> None:
        """Removes what an error of our own, or a kill, has left running."""
        self._engine.remove_of(self._labels())
        self._hand_over.close()

    def _secrets(self, node: Mapping[str, Any]) -> dict[str, str]:
        """The files of one container: what its step names, and what services need for themselves.
        One that is not there is missed where it is asked for."""
        asked = {file_of(name) for name in node.get("secrets", ())}
        return {
            file: os.environ[variable]
            for file, variable in self._plan["secret_files"].items()
            if (file in asked or not file.startswith(PREFIX)) and variable in os.environ
        }

    def _create(
        self, name: str, work: Work, number: int, spec: Mapping[str, Any], folder: str | None
    ) -> None:
        """Creates the container; `folder` has the secrets that it is handed."""
        client, volumes = self._engine.client, dict(spec["volumes"])
        image = self._engine.image(spec["image"])["Config"]
        user = spec["user"] or self._user
        binds = [mount["bind"] for mount in volumes.values()]
        home = home_of(user, spec["environment"], binds)
        working_dir = spec["working_dir"] or (image.get("WorkingDir") or "/")
        if home and working_dir == "/":
            working_dir = home
        if folder is not None:
            volumes[folder] = {"bind": SECRETS, "mode": "ro"}
        variables = {**self._variables, NUMBER: str(number), **spec["environment"]}
        if home:
            variables = {"HOME": home, "USER": "argosy", **variables}
        client.create_container(
            spec["image"],
            ["exec", encode(work.node), "/".join(work.key), work.ended],
            entrypoint=spec["command"],
            environment=variables,
            user=user,
            working_dir=working_dir,
            labels={**self._labels(), engine.STEP: work.path},
            host_config=host_config(client, spec, volumes, home_mount(home, user, binds)),
            name=name,
        )
        if home and not any(within(working_dir, bind) for bind in (*binds, home)):
            client.put_archive(name, *owned_folder(working_dir, user))

    def _labels(self) -> dict[str, str]:
        return {
            engine.RUN: self._context.run,
            engine.LAUNCHER: identity(os.getpid()),
            engine.PLACE: place(),
        }


def hint(child: Container | None, status: int, begun: bool) -> str:
    """What an exit status does not say. The runtime itself says why, where it ends with 2 or 3."""
    if child is None or child.lost:
        return f": {child.lost}" if child else ""
    said = begun or status in (NodeError.exit_status, ServiceError.exit_status)
    return "" if said else "; it never got to the step: is Argosy in its image?"
