"""What each step will get where it runs, as data: for `argosy plan`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .compilation import Compilation
from .engines import ENGINES, back_end
from .environments import in_environment
from .extras import needed
from .graph import Approval, Node, Task, join_path, segment
from .options.integrated import integrated, overridden


def describe(compilation: Compilation) -> dict[str, Any]:
    """{pipeline, executor, services, extras, size, steps}: `extras` are those of Argosy that
    the place where steps run must have installed; there is a step for each task and approval, in
    topological order."""
    services = (compilation.run_log_store, compilation.catalog, compilation.secrets)
    places = _places(compilation)
    steps = []
    stack: list[tuple[str, Any]] = [("", compilation.pipeline.graph)]
    while stack:
        path, graph = stack.pop()
        if isinstance(graph, Node):
            steps.append(_step(compilation, path, graph, places.get(path, places[""])))
            continue
        for name in reversed(graph.order()):
            node = graph.nodes[name]
            at = join_path(path, segment(name))
            inner = [(join_path(at, part), branch) for part, branch in node.graphs()]
            stack.extend(reversed(inner))
            if isinstance(node.spec, (Task, Approval)):
                stack.append((at, node))
    return {
        "pipeline": compilation.pipeline.name,
        "executor": compilation.settings.executor.type,
        "services": {
            service.service_type: {
                "type": service.service_provider,
                "config": {key: value for key, value in service.shown().items() if value},
            }
            for service in services
        },
        "extras": needed(compilation),
        **_size(compilation),
        "steps": steps,
    }


def _size(compilation: Compilation) -> dict[str, Any]:
    """For Argo what the workflow comes to, in bytes, and how long and deep it is."""
    if compilation.settings.executor.type != "argo":
        return {}
    from .argo.size import estimate

    return {"size": estimate(compilation.size, compilation.manifests)}


def _step(
    compilation: Compilation, path: str, node: Node, place: Mapping[str, Any]
) -> dict[str, Any]:
    """One task: what it runs, and what its process, container or pod has. An approval has none."""
    if isinstance(node.spec, Approval):
        timeout = None if node.spec.timeout is None else f"{node.spec.timeout:g}s"
        return {"step": unquote(path), "approval": node.spec.message or "yes", "timeout": timeout}
    task: Task = node.spec  # type: ignore[assignment]
    if compilation.executor.executor_type == "local-container":
        from .containers import container_of

        place = container_of(compilation, node)
    attempts = task.retry.max_attempts if task.retry else place.get("attempts", 1)
    seconds = place.get("timeout") if task.timeout is None else task.timeout
    return {
        "step": unquote(path),
        "image": task.image or place.get("image"),
        "command": f"{task.command_type}: {task.command}",
        "retry": attempts if attempts > 1 else None,
        "timeout": None if seconds is None else f"{seconds:g}s",
        "get": list(task.get),
        "put": list(task.put),
        "volumes": {
            **{source: f"{v['bind']} ({v['mode']})" for source, v in place["volumes"].items()},
            **place.get("claims", {}),
        },
        "environment": sorted({*place["environment"], *task.env}),
        "secrets": {name: env or "get_secret" for name, env in task.secrets.items()},
        "resources": place.get("resources"),
        "network": place.get("network"),
        "user": place.get("user"),
        "working_dir": place.get("working_dir"),
        "gpus": place.get("gpus"),
    }


def _places(compilation: Compilation) -> dict[str, dict[str, Any]]:
    """The options of where a task runs, `volumes` and `environment` among them, and on an engine
    `claims`, `attempts` and `timeout` as they will be: for '', and by the path of each step that
    has options of its own."""
    executor = compilation.executor
    configs = {"": executor.config, **compilation.settings.steps}
    found = {
        path: {
            **config,
            "volumes": executor.volumes,
            "environment": {**executor.environment, **(config.get("env") or {})},
        }
        for path, config in configs.items()
    }
    if executor.executor_type in ENGINES:
        read_options = back_end(executor.executor_type, "options").read_options
        before = read_options(executor.config).pod
        base = integrated(before, executor)
        for path, config in configs.items():
            after = read_options(config)
            pod = overridden(base, before, after.pod)
            pod = in_environment(pod, base, compilation.request.environment)
            found[path]["claims"] = {name: one.mount_path for name, one in pod.claims.items()}
            found[path]["attempts"] = after.attempts.max_attempts
            found[path]["timeout"] = after.timeout
    return found
