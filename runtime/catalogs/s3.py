"""A catalog in S3: one object for each content. Large files go in parts, several at once."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from argosy.runtime import files
from argosy.runtime.errors import ServiceError, TaskError
from argosy.runtime.layout import blob_key
from argosy.runtime.s3 import S3
from argosy.runtime.service import Catalog

MIB = 1 << 20
PART = 8 * MIB
"""Bytes of a part, and of the largest file that is not in parts."""
IN_MEMORY = 6
"""Parts of an upload that are in memory at once; with what else is, less than 100 MiB."""


class S3Catalog(S3, Catalog):
    service_provider = "s3"
    extra = "aws"
    many_requests = True

    def put(self, sha: str, path: str) -> None:
        place = self.place(blob_key(sha))

        def keep(s3: Any) -> None:
            if is_there(s3, place):
                return
            try:
                with open(path, "rb") as file, transfers(s3) as manager:
                    manager.upload(Checked(file, sha, path), *place.values()).result()
            except s3.exceptions.NoSuchUpload:
                # It is done where only the answer to its last request was cut.
                if not is_there(s3, place):
                    raise

        try:
            self.call(f"keep {path} as {place['Key']}", keep)
        except OSError as error:
            raise TaskError(f"catalog: cannot read {path}: {error.strerror}") from error

    def get(self, sha: str, path: str) -> None:
        place = self.place(blob_key(sha))
        beside = files.beside_of(path)

        def bring(s3: Any) -> None:
            if not is_there(s3, place):
                raise ServiceError(
                    f"{self.title}: {place['Key']} is not there; was it removed, or is this run's "
                    "catalog another?"
                )
            with transfers(s3) as manager:
                manager.download(*place.values(), beside).result()

        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            self.call(f"bring {place['Key']} to {path}", bring)
            found = files.sha256_of(beside)
            if found != sha:
                raise ServiceError(
                    f"{self.title}: {place['Key']} is damaged: its content has the hash {found}; "
                    "remove it, and run the step again that made it"
                )
            os.replace(beside, path)
        except OSError as error:
            raise ServiceError(f"catalog: cannot write {path}: {error.strerror}") from error
        finally:
            with suppress(FileNotFoundError):
                os.unlink(beside)

    def delete(self, sha: str) -> None:
        place = self.place(blob_key(sha))
        self.call(f"delete {place['Key']}", lambda s3: s3.delete_object(**place))


class Checked:
    """A file that is read once, from its beginning to its end. Raises TaskError at the end where
    its content has another hash, so that an upload in parts is never completed."""

    def __init__(self, file: Any, sha: str, path: str) -> None:
        import hashlib  # costs 2 ms, and most steps copy nothing

        self._file = file
        self._sha = sha
        self._path = path
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        self._digest.update(data)
        at_the_end = size < 0 or len(data) < size
        if at_the_end and self._digest.hexdigest() != self._sha:
            raise TaskError(
                f"{self._path} changed while it was kept: something still writes to it; "
                "let the step wait for that"
            )
        return data


def is_there(s3: Any, place: dict[str, str]) -> bool:
    try:
        s3.head_object(**place)
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def transfers(s3: Any) -> Any:
    """The library's way to send and fetch large files; all its threads have ended when it is left,
    as no process that forks may have any."""
    from s3transfer.manager import TransferConfig, TransferManager

    config = TransferConfig(
        multipart_threshold=PART,
        multipart_chunksize=PART,
        max_request_concurrency=8,
        max_in_memory_upload_chunks=IN_MEMORY,
        max_io_queue_size=64,
    )
    return TransferManager(s3, config)
