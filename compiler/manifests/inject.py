"""The runtime, put into a pod whose image has Python and nothing of Argosy."""

from __future__ import annotations

from typing import Any

from argosy.runtime.extras import EXTRAS, FOLDER, HOME, LIBRARY, VARIABLE

from ..options.pod import PodOptions, Runtime

Json = dict[str, Any]
VOLUME = "argosy-runtime"
PATH = "PYTHONPATH"
SAME = "imagePullPolicy", "securityContext"
"""What the container that brings the runtime has of the one that it is for."""


def inject(pod: Json, container: Json, runtime: Runtime) -> None:
    """Adds what `runtime` asks for: an init container that copies it from its own image into a
    volume, which `container` mounts. Root is not needed, nor a file system that can be written."""
    if not runtime.inject:
        return
    mount = {"name": VOLUME, "mountPath": HOME}
    before: Json = {"name": "runtime", "image": runtime.image}
    before |= {name: container[name] for name in SAME if name in container}
    before |= {"command": ["cp", "-R", f"{FOLDER}/.", HOME], "volumeMounts": [mount]}
    pod["volumes"] = [*pod.get("volumes", ()), {"name": VOLUME, "emptyDir": {}}]
    pod["initContainers"] = [before, *pod.get("initContainers", ())]
    mounts = container.get("volumeMounts", ())
    container["volumeMounts"] = [*mounts, {**mount, "readOnly": True}]
    container["env"] = _environment(container.get("env", []))


def alone(options: PodOptions) -> PodOptions:
    """The options of a container that runs no code of the user's: where the runtime would be put
    into it, it runs in the image that brings that."""
    if not options.runtime.inject:
        return options
    env = dict(options.env)
    if isinstance(env.get(PATH), str):
        env[PATH] = f"{env[PATH]}:{FOLDER}/{LIBRARY}"
    command = ("python3", "-m", "argosy.runtime")
    return options._replace(
        image=options.runtime.image, runtime=Runtime(), command=command, env=env
    )


def _environment(env: list[Json]) -> list[Json]:
    """The variables of a container, with what leads Python to the runtime."""
    kept = [one for one in env if one["name"] != PATH]
    paths = [one["value"] for one in env if one["name"] == PATH and "value" in one]
    return [
        *kept,
        {"name": PATH, "value": ":".join([*paths, f"{HOME}/{LIBRARY}"])},
        {"name": VARIABLE, "value": f"{HOME}/{EXTRAS}"},
    ]
