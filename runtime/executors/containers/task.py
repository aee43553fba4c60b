"""A container task in Docker: what `tasks.container` asks of the place that its container runs in.

It runs in the process of one step, and not in the launcher's loop as other containers do: the
runtime is in that process, and nothing of it in the container.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.files import write_all
from argosy.runtime.signals import STOPPING
from argosy.runtime.tasks.container import Running, expanded, file_of, lay_out, variables
from argosy.runtime.tasks.contract import ROOT, SECRETS

from . import engine
from .child import Container
from .handover import HandOver
from .options import container_name, home_mount, home_of, host_config

if TYPE_CHECKING:
    from argosy.runtime.attempt import Attempt
    from argosy.runtime.entries import State
    from argosy.runtime.step import Step


class InDocker:
    """`specs` are the plan's containers by step; `user` whose files are this user's; `labels` say
    whose the containers are."""

    def __init__(
        self, specs: Mapping[str, Mapping[str, Any]], user: str, labels: Mapping[str, str]
    ) -> None:
        self._specs = specs
        self._user = user
        self._labels = labels

    @contextmanager
    def container(
        self, attempt: Attempt, entering: State, secrets: Mapping[str, str]
    ) -> Iterator[Running]:
        above, hand_over = tempfile.mkdtemp(prefix="argosy-"), HandOver()
        # Whoever the container's user is: the folder above lets nobody else here get so far.
        root = os.path.join(above, "argosy")
        name = container_name(attempt.context.run, attempt.instance)
        try:
            os.mkdir(root)
            lay_out(attempt, entering, root, {})
            os.chmod(root, 0o755)  # noqa: S103 - as above
            given = {file_of(secret): value for secret, value in secrets.items()}
            mounts = {root: {"bind": ROOT, "mode": "rw"}}
            if given:
                mounts[hand_over.give(given)] = {"bind": f"{ROOT}/{SECRETS}", "mode": "ro"}
            made = self._made(attempt, entering, mounts)
            yield Running(root, lambda step: run(name, made, step))
        finally:
            with suppress(NodeError):  # it is there only where its process was killed
                engine.Engine(engine.connect(), print).remove(name)
            hand_over.close()
            shutil.rmtree(above, ignore_errors=True)

    def _made(self, attempt: Attempt, entering: State, mounts: Mapping[str, Any]) -> dict[str, Any]:
        """What the container is made with; `options` is for `host_config`."""
        node, spec = attempt.node, self._specs[attempt.node.step]
        found = {**spec["environment"], **variables(attempt, entering)}
        argv = expanded(node.argv, found)
        volumes = {**spec["volumes"], **mounts}
        binds = [mount["bind"] for mount in volumes.values()]
        user = spec["user"] or self._user
        if home := home_of(user, found, binds):
            found = {"HOME": home, "USER": "argosy", **found}
        return {
            "image": spec["image"],
            "entrypoint": argv[:1],
            "command": argv[1:],
            "environment": found,
            "user": user,
            "working_dir": spec["working_dir"] or None,
            "labels": {**self._labels, engine.STEP: attempt.instance},
            "options": (spec, volumes, home_mount(home, user, binds)),
        }


def run(name: str, made: dict[str, Any], step: Step) -> int:
    """Runs a container in this process, which passes on what it prints and the signals that come.
    Gives its exit status."""
    options = made.pop("options")
    try:
        client = engine.connect()
        try:
            client.create_container(name=name, host_config=host_config(client, *options), **made)
            child = Container(client, name, lambda: None)
        except OSError as error:
            raise NodeError(
                f"a container of image {made['image']}: {engine.reason(error)}"
            ) from error
    except (NodeError, ServiceError) as error:
        step.fail(str(error), error.exit_status)
        return error.exit_status
    for number in STOPPING:
        signal.signal(number, lambda number, _: child.send(number))
    status = _followed(child)
    child.close()
    if child.lost:
        print(f"argosy: {child.lost}", flush=True)
    return status


def _followed(child: Container) -> int:
    """Prints what the container prints until it has ended; its exit status."""
    waiting = select.poll()
    waiting.register(child.output, select.POLLIN)
    waiting.register(child.ends or -1, select.POLLIN)
    while (status := child.poll()) is None:
        for descriptor, _ in waiting.poll():
            if descriptor != child.output:
                continue
            data = child.read()
            if data == b"":
                waiting.unregister(child.output)
            write_all(1, data or b"")
    for data in child.rest():
        write_all(1, data)
    return status
