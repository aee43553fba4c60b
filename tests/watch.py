"""What anybody on this machine could see while steps run: the arguments of all processes, and what
Docker tells of containers."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

PAUSE = 0.05
"""Seconds between two looks. The steps that are looked at last for two."""


class Watch:
    """A context; `processes` has each process's arguments, `containers` by the name of a run that
    was asked for what the engine said of its containers."""

    def __init__(self, runs: tuple[str, ...]) -> None:
        self.processes: set[bytes] = set()
        self.containers: dict[str, list[str]] = {run: [] for run in runs}
        self._seen: set[str] = set()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._look, args=(one,), daemon=True)
                         for one in (self._at_processes, self._at_containers)]  # fmt: skip

    def __enter__(self) -> Watch:
        import docker

        self._client: Any = docker.APIClient(**docker.utils.kwargs_from_env(), version="auto")
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def _look(self, at: Any) -> None:
        while not self._stop.is_set():
            at()
            time.sleep(PAUSE)

    def _at_processes(self) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.processes.add(path.read_bytes())
            except OSError:  # it has ended
                continue

    def _at_containers(self) -> None:
        for each in self._client.containers(filters={"label": "argosy.run"}):
            run = each["Labels"]["argosy.run"]
            names = [name for name in self.containers if run.startswith(f"{name}-")]
            if each["Id"] in self._seen or not names:
                continue
            try:
                found = self._client.inspect_container(each["Id"])
            except OSError:
                continue
            self._seen.add(each["Id"])
            self.containers[names[0]].append(json.dumps(found, ensure_ascii=False))
