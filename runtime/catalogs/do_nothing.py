"""No catalog: a pipeline that passes parameters only needs none."""

from __future__ import annotations

from argosy.runtime.errors import NodeError
from argosy.runtime.service import Catalog

WAY_OUT = "configure one, as in: catalog: {type: file-system, config: {location: /data/catalog}}"


class DoNothingCatalog(Catalog):
    service_provider = "do-nothing"

    def put(self, sha: str, path: str) -> None:
        raise NodeError(f"cannot keep {path}: there is no catalog; {WAY_OUT}")

    def get(self, sha: str, path: str) -> None:
        raise NodeError(f"cannot bring {path}: there is no catalog; {WAY_OUT}")
