"""This machine: each step is a process. The folder `local/` beside it runs the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from argosy.runtime.errors import NodeError
from argosy.runtime.service import Option, configure
from argosy.runtime.suggestions import nearest

from .base import Executor

ISOLATED, COPY, SHARED = "isolated", "copy", "shared"
CHOICES = ISOLATED, COPY, SHARED
"""What steps may have as working directory."""


class LocalExecutor(Executor):
    executor_type = "local"
    options: ClassVar[Mapping[str, Option]] = {
        "max_workers": Option(
            "integer", None, "how many steps run at once; none: as many as there are processors"
        ),
        "workdir": Option(
            "string",
            ISOLATED,
            "the working directory of a step: isolated (its own), copy (its own, always a copy of "
            "the project), or shared (the project's)",
        ),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        "volumes": "a step sees this machine's files as they are",
        "claims": "a step sees this machine's files as they are",
        "secret_environment": "use the secrets provider 'env' or 'dotenv'",
        "secret_files": "a step's process has this machine's environment",
        "rules": "a step has the rights of the user who runs the pipeline",
        "network": "a step uses this machine's network",
        "user": "a step runs as the user who runs the pipeline",
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        known = {name: self.config[name] for name in self.config if name != "overrides"}
        self.config.update(configure("the executor 'local'", self.options, known))
        if self.config["workdir"] not in CHOICES:
            raise NodeError(
                f"workdir of the executor 'local' is {self.config['workdir']!r}; "
                f"{nearest(self.config['workdir'], CHOICES)}"
            )
        workers = self.config["max_workers"]
        if workers is not None and workers < 1:
            configure("the executor 'local'", self.options, {"max_workers": str(workers)})
