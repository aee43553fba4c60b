"""A run log in S3: one object an object, written whole."""

from __future__ import annotations

from typing import Any

from argosy.runtime.s3 import S3
from argosy.runtime.service import RunLogStore


class S3RunLog(S3, RunLogStore):
    service_provider = "s3"
    extra = "aws"

    def put(self, key: str, data: bytes) -> None:
        self.call(f"write {key}", lambda s3: s3.put_object(**self.place(key), Body=data))

    def get(self, key: str) -> bytes | None:
        def read(s3: Any) -> bytes | None:
            try:
                answer = s3.get_object(**self.place(key))
            except s3.exceptions.NoSuchKey:
                return None
            return bytes(answer["Body"].read())

        return self.call(f"read {key}", read)

    def list(self, prefix: str) -> list[str]:
        beginning, bucket = self.before(prefix), self.config["bucket"]
        skipped = len(beginning) - len(prefix)

        def keys(s3: Any) -> list[str]:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=beginning)
            return sorted(
                found["Key"][skipped:] for page in pages for found in page.get("Contents", ())
            )

        return self.call(f"list {prefix}", keys)

    def append(self, key: str, data: bytes) -> None:
        """Replaces the object by a longer one: two who append at once would lose a part, so each
        writes chunks of its own instead."""
        self.put(key, (self.get(key) or b"") + data)

    def delete(self, key: str) -> None:
        self.call(f"delete {key}", lambda s3: s3.delete_object(**self.place(key)))
