"""Docker on this machine: each step is a container. The folder `containers/` beside it runs them,
on the schedule of `local/`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from argosy.runtime.errors import NodeError
from argosy.runtime.service import Option, configure
from argosy.runtime.suggestions import nearest

from .base import Executor

WHAT = "the executor 'local-container'"
COMMAND = ("python", "-m", "argosy.runtime")
OF_THE_RUN = frozenset(("max_workers", "build", "overrides"))
"""Options that are not one container's: a step cannot override them."""
POLICIES = ("always", "missing", "never")
UNITS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class LocalContainerExecutor(Executor):
    """`config` has the options; `volumes`, `environment`, `network` and `user` what of them
    integrations may change."""

    executor_type = "local-container"
    options: ClassVar[Mapping[str, Option]] = {
        "image": Option(
            "string", None, "the image that steps run in, Argosy in it; none: what --build makes"
        ),
        "command": Option(
            "text or list", None, "what runs Argosy's runtime there; none: python -m argosy.runtime"
        ),
        "environment": Option("mapping", {}, "variables of the container; never a secret"),
        "volumes": Option(
            "list or mapping", {}, "{source: {bind, mode}}, or a list of 'source:bind:mode'"
        ),
        "network": Option("string", None, "as `docker run --network`; none: Docker's own default"),
        "user": Option(
            "text or number", None, "as `docker run --user`; none: who runs the pipeline"
        ),
        "working_dir": Option("string", None, "where steps start; none: the image's"),
        "pull_policy": Option(
            "string", "missing", "when images are pulled: always, missing or never"
        ),
        "resources": Option("mapping", {}, "limits: {memory: 2g, cpus: 1.5}"),
        "gpus": Option("text or number", None, "as `docker run --gpus`: all, a number, or ids"),
        "build": Option(
            "mapping", {}, "what `argosy run --build` builds: {context, dockerfile, base}"
        ),
        "max_workers": Option(
            "integer", None, "how many steps run at once; none: as many as there are processors"
        ),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        "claims": "use volumes",
        "secret_environment": "use secret_files: Docker shows a container's variables to anyone",
        "service_account": "a container has none",
        "labels": "containers carry those of Argosy only",
        "annotations": "a container has none",
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        known = {name: self.config[name] for name in self.config if name != "overrides"}
        self.config.update(configure(WHAT, self.options, known))
        read = container(self.config)
        self.volumes.update(read["volumes"])
        self.environment.update(read["environment"])
        self.network, self.user = read["network"], read["user"]
        workers = self.config["max_workers"]
        if workers is not None and workers < 1:
            raise NodeError(f"max_workers of {WHAT} is {workers}; at least 1 step runs at a time")

    def container(self, override: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What one step's container has, as data: the configuration, then what integrations have
        changed, then the step's `override`, where null removes a key."""
        changed = {name: getattr(self, name) for name in ("environment", "network", "user")}
        base = container({**self.config, **changed, "volumes": self.volumes})
        for name in override or {}:
            if name in OF_THE_RUN:
                raise NodeError(f"'{name}' is of the whole run; a step cannot override it")
            if name not in self.options:
                raise NodeError(f"{WHAT} has no option '{name}'; {nearest(name, self.options)}")
        return container(_over(base, override or {}))


def container(config: Mapping[str, Any]) -> dict[str, Any]:
    """The options of one container, checked, each in its one form. Raises NodeError.

    {image, command: [..], environment: {name: text}, volumes: {source: {bind, mode}}, network,
    user, working_dir, pull_policy, resources: {memory: bytes, cpus}, gpus}
    """
    options = LocalContainerExecutor.options
    names = [name for name in options if name not in OF_THE_RUN]
    given = {name: config[name] for name in names if config.get(name) is not None}
    found = configure(WHAT, {name: options[name] for name in names}, given)
    command = found["command"] or COMMAND
    user = found["user"]
    if found["pull_policy"] not in POLICIES:
        raise NodeError(
            f"pull_policy of {WHAT} is {found['pull_policy']!r}; {nearest('', POLICIES)}"
        )
    if found["working_dir"] and not os.path.isabs(found["working_dir"]):
        raise NodeError(f"working_dir of {WHAT} is {found['working_dir']!r}; it begins with /")
    return {
        **found,
        "command": shlex.split(command) if isinstance(command, str) else [*map(str, command)],
        "environment": {name: text(value) for name, value in found["environment"].items()},
        "volumes": volumes(found["volumes"]),
        "user": None if user is None else str(user),
        "resources": resources(found["resources"]),
        "gpus": None if found["gpus"] is None else str(found["gpus"]),
    }


def _over(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """The override merged over `base`, whose volumes go by their sources as `volumes` has them."""
    mounts = override.get("volumes")
    if isinstance(mounts, list):
        override = {**override, "volumes": volumes(mounts)}
    elif isinstance(mounts, Mapping):
        given = {_source(str(source)): mount for source, mount in mounts.items()}
        override = {**override, "volumes": given}
    found: dict[str, Any] = _merged(base, override)
    return found


def _merged(under: Any, over: Any) -> Any:
    if not isinstance(under, Mapping) or not isinstance(over, Mapping):
        return over
    found = {**under, **{name: _merged(under.get(name), value) for name, value in over.items()}}
    return {name: value for name, value in found.items() if value is not None}


def text(value: Any) -> str:
    """A variable's text, as YAML has it.

    >>> text(True), text(1), text("x")
    ('true', '1', 'x')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def volumes(given: Any) -> dict[str, dict[str, str]]:
    """Mounts by source: an absolute path, or the name of a Docker volume.

    >>> volumes(["/data:/in:ro", "cache:/root/.cache"])
    {'/data': {'bind': '/in', 'mode': 'ro'}, 'cache': {'bind': '/root/.cache', 'mode': 'rw'}}
    """
    if isinstance(given, list):
        given = dict(map(_parted, given))
    found = {}
    for source, mount in given.items():
        mount = {"bind": mount} if isinstance(mount, str) else mount
        if not isinstance(mount, Mapping) or not {"bind"} <= mount.keys() <= {"bind", "mode"}:
            raise NodeError(f"volume {source} of {WHAT} is {mount!r}; it is {{bind: /path, mode}}")
        bind, mode = str(mount["bind"]), mount.get("mode") or "rw"
        if not os.path.isabs(bind):
            raise NodeError(f"volume {source} of {WHAT} is bound to {bind!r}; it begins with /")
        if mode not in ("ro", "rw"):
            raise NodeError(f"volume {source} of {WHAT} has mode {mode!r}; known: ro, rw")
        found[_source(str(source))] = {"bind": bind, "mode": mode}
    return found


def _parted(mount: Any) -> tuple[str, dict[str, str]]:
    """`source:bind` or `source:bind:mode`."""
    source, colon, rest = str(mount).partition(":")
    bind, _, mode = rest.partition(":")
    if not source or not colon:
        raise NodeError(f"volume {mount!r} of {WHAT} is no 'source:bind' or 'source:bind:mode'")
    return source, {"bind": bind, "mode": mode or "rw"}


def _source(given: str) -> str:
    """A path is absolute, or begins with `.` or `~`; anything else is a volume's name."""
    path = os.path.expanduser(given)
    return os.path.abspath(path) if path.startswith((".", os.sep)) else path


def resources(given: Mapping[str, Any]) -> dict[str, Any]:
    """Limits: memory in bytes, cpus as a number.

    >>> resources({"memory": "512m", "cpus": "1.5"})
    {'memory': 536870912, 'cpus': 1.5}
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in ("memory", "cpus"):
            raise NodeError(
                f"resources of {WHAT} have no '{name}'; {nearest(name, ('memory', 'cpus'))}"
            )
        if value is None:
            continue
        found[name] = _bytes(value) if name == "memory" else _number(value, "cpus", "1.5")
    return found


def _bytes(value: Any) -> int:
    """As Docker reads it: k, m, g and t are powers of 1024, written with or without i and b."""
    given = str(value).strip().lower()
    digits = given.rstrip("bkmgti")
    unit = given[len(digits) :].removesuffix("b").removesuffix("i")
    if unit not in UNITS:
        raise NodeError(f"memory of {WHAT} is {value!r}; such as 512m or 2g")
    return int(_number(digits, "memory", "512m or 2g") * 1024 ** UNITS[unit])


def _number(value: Any, name: str, example: str) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = 0.0
    if not 0 < found < 1e15:
        raise NodeError(f"{name} of {WHAT} is {value!r}; such as {example}")
    return found
