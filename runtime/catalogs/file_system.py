"""A catalog in a folder: one file for each content."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from argosy.runtime import files
from argosy.runtime.errors import ServiceError, TaskError
from argosy.runtime.layout import blob_key
from argosy.runtime.service import Catalog, Option, project


class FileSystemCatalog(Catalog):
    service_provider = "file-system"
    options: ClassVar[Mapping[str, Option]] = {
        "location": Option(
            "string", ".argosy/catalog", "the folder; a relative one is in the working folder"
        ),
        "sync": Option(
            "boolean", None, "whether a write outlives the machine; none: only where an engine runs"
        ),
    }

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._here = project()

    def put(self, sha: str, path: str) -> None:
        kept = self._path(sha)
        if os.path.exists(kept):
            return
        try:
            with files.Copy(path, kept, bool(self.config["sync"])) as copied:
                if copied.sha256 != sha:
                    raise TaskError(
                        f"{path} changed while it was kept: something still writes to it; "
                        "let the step wait for that"
                    )
                copied.keep()
        except OSError as error:
            raise ServiceError(
                f"catalog: cannot keep {path} as {kept}: {error.strerror}"
            ) from error

    def get(self, sha: str, path: str) -> None:
        kept = self._path(sha)
        try:
            with files.Copy(kept, path) as copied:
                if copied.sha256 != sha:
                    raise ServiceError(
                        f"catalog: {kept} is damaged: its content has the hash {copied.sha256}; "
                        "remove it, and run the step again that made it"
                    )
                copied.keep()
        except FileNotFoundError as error:
            raise ServiceError(
                f"catalog: {kept} is not there; was it removed, or is this run's catalog another?"
            ) from error
        except OSError as error:
            raise ServiceError(
                f"catalog: cannot bring {kept} to {path}: {error.strerror}"
            ) from error

    def delete(self, sha: str) -> None:
        kept = self._path(sha)
        try:
            files.remove(kept, self._folder)
        except OSError as error:
            raise ServiceError(f"catalog: cannot delete {kept}: {error.strerror}") from error

    @property
    def _folder(self) -> str:
        return os.path.join(self._here, os.path.expanduser(self.config["location"]))

    def _path(self, sha: str) -> str:
        return os.path.join(self._folder, blob_key(sha))
