"""A container of the user's in a pod of ours: prepared for before it starts, followed beside it.

The pod's own container (`main`) ends as the user's does, and says so to the engine: its exit status
is that of any other task's, its outputs are handed over, and a user's container that is killed is
recorded. The user's is a sidecar, so the engine ends it when `main` has ended, and not before.
`argosy.runtime.tasks.pod` is the other half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from argosy.runtime.secrets.kubernetes import PREFIX
from argosy.runtime.tasks.contract import ARGUMENT, CONTAINER, ROOT, SECRETS

from ..graph import Task

Json = dict[str, Any]
RULES: Sequence[Json] = (
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"]},
    {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get"]},
)
"""What the pod's service account must be allowed."""
PREPARED = "lastRetry.message != 'prepare: Error (exit code 2)'"
"""What is wrong stays wrong before the container too; `lastRetry.exitCode` is that of `main`."""
FILES, MEMORY = "argosy-task", "argosy-task-secrets"


class Beside(NamedTuple):
    """The user's container: its image, how many words its command line has, the variables that
    show it secrets, each with the pod's own for the same, and whether it has any as files."""

    image: str
    words: int
    shown: tuple[tuple[str, str], ...] = ()
    secrets: bool = False


def beside(task: Task) -> Beside:
    """The container of a task that has an image."""
    shown = tuple((given, PREFIX + name) for name, given in task.secrets.items() if given)
    return Beside(task.image, len(task.argv), shown, bool(task.secrets))


def add(template: Json, given: Beside, secrets: Sequence[Json]) -> None:
    """Adds the user's container, with these variables of `secrets`, to the template of a pod."""
    own = template["container"]
    volumes: list[Json] = [{"name": FILES, "emptyDir": {}}]
    mounts: list[Json] = [{"name": FILES, "mountPath": ROOT}]
    if given.secrets:
        volumes.append({"name": MEMORY, "emptyDir": {"medium": "Memory"}})
        mounts.append({"name": MEMORY, "mountPath": f"{ROOT}/{SECRETS}"})
    template["volumes"] = [*template.get("volumes", ()), *volumes]
    before = own.get("volumeMounts", [])
    own["volumeMounts"] = [*before, *mounts]
    if "retryStrategy" in template:
        template["retryStrategy"]["expression"] += f" && {PREPARED}"
    template["initContainers"] = [*template.get("initContainers", ()), _prepares(own)]
    template["sidecars"] = [*template.get("sidecars", ()), _task(own, given, secrets)]


def _prepares(own: Mapping[str, Any]) -> Json:
    """The init container: the same as the pod's own but for what it does."""
    arguments = ["prepare", *own["args"][1:]]
    kept = {name: value for name, value in own.items() if name != "resources"}
    return {"name": "prepare", **kept, "args": arguments}


def _task(own: Json, given: Beside, secrets: Sequence[Json]) -> Json:
    """The user's container. It has what the options give to every container, and the resources
    that they give to one; its variables and its words come from what was prepared."""
    words = [f"$({ARGUMENT}{number})" for number in range(given.words)]
    found: Json = {"name": CONTAINER, "image": given.image}
    found |= {name: own[name] for name in ("imagePullPolicy", "securityContext") if name in own}
    found |= {"command": words[:1], "args": words[1:]}
    found["env"] = [*(one for one in own["env"] if not one["name"].startswith("ARGOSY_")), *secrets]
    found["envFrom"] = [*own.get("envFrom", ()), {"configMapRef": {"name": "{{pod.name}}"}}]
    if "securityContext" in own:
        found["securityContext"] = own["securityContext"]
    if "resources" in own:
        found["resources"] = own.pop("resources")
    found["volumeMounts"] = [
        {**mount, "readOnly": True} if mount["name"] == MEMORY else mount
        for mount in own["volumeMounts"]
    ]
    return found
