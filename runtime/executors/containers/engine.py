"""The Docker engine: reached, its images brought, what earlier runs left in it removed.

This folder alone imports the package `docker`, and only in a launcher that starts containers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from argosy.runtime.errors import NodeError, ServiceError
from argosy.runtime.owner import gone, place

RUN, STEP, LAUNCHER, PLACE = "argosy.run", "argosy.step", "argosy.launcher", "argosy.place"
"""The labels of a container."""
SECONDS = 120
"""How long the engine may take to answer; bringing an image has no limit."""


def connect() -> Any:
    """A client of the engine. Raises NodeError where there is no package or no engine."""
    try:
        import docker
        from docker.context import ContextAPI
        from docker.utils import kwargs_from_env
    except ImportError as error:
        raise NodeError(
            "the executor 'local-container' needs a library: pip install 'argosy[container]'"
        ) from error
    given = kwargs_from_env()
    if "base_url" not in given:
        with suppress(Exception):  # a context that cannot be read is as none
            given["base_url"] = ContextAPI.get_current_context().Host
    try:
        return docker.APIClient(**given, version="auto", timeout=SECONDS)
    except docker.errors.DockerException as error:
        where = given.get("base_url") or "its usual socket"
        raise NodeError(
            f"cannot reach Docker at {where}: {reason(error)}; start it, let this user use it, or "
            "say where it is: DOCKER_HOST=unix:///path/to/docker.sock"
        ) from error


def reason(error: BaseException) -> str:
    """What the engine, or else the system, says: the innermost cause, on one line."""
    explained = getattr(error, "explanation", None)
    while error.__context__ is not None and not explained:
        error = error.__context__
    found = explained or getattr(error, "strerror", None) or error
    return " ".join(str(found).split()) or type(error).__name__


@contextmanager
def faults(what: str) -> Iterator[None]:
    """What goes wrong with the engine inside is a ServiceError that says what failed."""
    try:
        yield
    except OSError as error:  # the library's errors are, too
        raise ServiceError(f"Docker: cannot {what}: {reason(error)}") from error


def progress(lines: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What the engine says on the way of a long request. Raises OSError with what it failed by."""
    for line in lines:
        if "error" in line:
            raise OSError(str(line["error"]).strip())
        yield str(line.get("stream", "")).rstrip()


class Engine:
    """What a run asks of the engine before and after its containers; `say` is told what takes
    long."""

    def __init__(self, client: Any, say: Callable[[str], None]) -> None:
        self.client = client
        self.say = say
        self._images: dict[str, Mapping[str, Any]] = {}

    def user(self) -> str:
        """The user whose files are those of this process's user: where the engine runs without
        root, that is the container's root."""
        with faults("describe itself"):
            security = self.client.info().get("SecurityOptions") or ()
        if any("rootless" in option for option in security) or not hasattr(os, "getuid"):
            return "0:0"
        return f"{os.getuid()}:{os.getgid()}"

    def image(self, name: str) -> Mapping[str, Any]:
        """What the engine says of an image that is there."""
        if name not in self._images:
            with faults(f"look at image {name}"):
                self._images[name] = self.client.inspect_image(name)
        return self._images[name]

    def has(self, name: str) -> bool:
        try:
            self.image(name)
        except ServiceError as error:
            if getattr(error.__cause__, "status_code", None) == 404:
                return False
            raise
        return True

    def bring(self, name: str, policy: str, own: bool) -> None:
        """Has an image there, pulled where `policy` wants it. One of our `own` is never pulled:
        nobody else has it. Raises NodeError where that cannot be."""
        there = self.has(name)
        if own and not there:
            raise NodeError(
                f"no image is configured, and there is no {name}; `argosy run --build` makes it, "
                "or name one: executor: {type: local-container, config: {image: ...}}"
            )
        if own or (there and policy != "always"):
            return
        if policy == "never":
            raise NodeError(
                f"there is no image {name} here, and its pull_policy is never; build it, load it, "
                "or let it be pulled: pull_policy: missing"
            )
        self.say(f"pulling {name}")
        try:
            repository, tag = parted(name)
            for _ in progress(self.client.pull(repository, tag=tag, stream=True, decode=True)):
                pass
        except OSError as error:
            raise NodeError(
                f"cannot pull image {name}: {reason(error)}; is its name right, and is this "
                "user logged in to its registry (docker login)? `argosy run --build` makes one "
                "of the project"
            ) from error
        self._images.pop(name, None)

    def sweep(self) -> None:
        """Removes the containers of launchers that are gone: of those that ran here all, of
        others, such as before the machine was started anew, what has ended."""
        with faults("list containers"):
            found = self.client.containers(all=True, filters={"label": [LAUNCHER, PLACE]})
        for each in found:
            labels = each["Labels"]
            ended = each["State"] in ("exited", "dead")
            if gone(labels[LAUNCHER]) if labels[PLACE] == place() else ended:
                self.remove(each["Id"])

    def remove_of(self, labels: Mapping[str, str]) -> None:
        """Removes the containers with these labels."""
        wanted = [f"{name}={value}" for name, value in labels.items()]
        with suppress(OSError):  # as in `remove`
            for each in self.client.containers(all=True, filters={"label": wanted}):
                self.remove(each["Id"])

    def remove(self, name: str) -> None:
        with suppress(OSError):  # somebody else is at it, or the next run will be
            self.client.remove_container(name, force=True, v=True)


def parted(image: str) -> tuple[str, str | None]:
    """An image's name and its tag, `latest` where it has none; a digest is part of the name.

    >>> parted("localhost:5000/a"), parted("a:1"), parted("a@sha256:0")
    (('localhost:5000/a', 'latest'), ('a', '1'), ('a@sha256:0', None))
    """
    if "@" in image:
        return image, None
    name, colon, tag = image.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (image, "latest")


def make_sources(volumes: Mapping[str, Mapping[str, str]]) -> None:
    """Sees to the folders that are mounted: one that is not there is made, as this user's, where
    it may be written to, for the engine would make it as root's. Raises NodeError."""
    for source, mount in volumes.items():
        if not os.path.isabs(source) or os.path.exists(source):
            continue
        if mount["mode"] == "ro":
            raise NodeError(f"there is no {source}, which is mounted at {mount['bind']}")
        try:
            os.makedirs(source)
        except OSError as error:
            raise NodeError(
                f"cannot make {source}, which is mounted at {mount['bind']}: {error.strerror}"
            ) from error
