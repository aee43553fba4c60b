"""A run log for tests that need no files."""

from __future__ import annotations

from argosy.runtime.service import RunLogStore


class Memory(RunLogStore):
    """A run log in a dict."""

    service_provider = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    def get(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def list(self, prefix: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(prefix))
