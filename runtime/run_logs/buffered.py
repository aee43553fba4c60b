"""A run log that lives as long as the process that opened it, and its children."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from argosy.runtime.service import Option

from .file_system import FileSystemRunLog


class BufferedRunLog(FileSystemRunLog):
    """Keeps its objects in a private temporary folder: steps are processes, and share no memory.
    `close` removes it; who inherited or was handed the folder leaves it alone."""

    service_provider = "buffered"
    options: ClassVar[Mapping[str, Option]] = {
        "location": Option("string", "", "the folder of the process that opened it; leave it out"),
        "sync": FileSystemRunLog.options["sync"],
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._owner = 0 if self.config["location"] else os.getpid()

    @property
    def folder(self) -> str:
        if not self.config["location"]:
            import tempfile  # only where a run is buffered

            self.config["location"] = tempfile.mkdtemp(prefix="argosy-log-")
        return str(self.config["location"])

    def pack(self, run: str) -> None:
        """It is about to go."""

    def close(self) -> None:
        if self._owner == os.getpid() and self.config["location"]:
            import shutil

            shutil.rmtree(self.config["location"], ignore_errors=True)
            self.config["location"] = ""
