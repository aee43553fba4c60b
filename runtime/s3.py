"""What the providers that keep objects in S3 share: a place in a bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .aws import OPTIONS, Aws
from .errors import NodeError
from .service import Option

S3_OPTIONS: Mapping[str, Option] = {
    "bucket": Option("string", None, "the bucket; it must be there"),
    "prefix": Option("string", "", "what the keys of all objects begin with"),
    **OPTIONS,
}


class S3(Aws):
    api = "s3"
    permissions = "s3:GetObject, s3:PutObject and s3:DeleteObject, and s3:ListBucket of the bucket"
    options = S3_OPTIONS

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        if not self.config["bucket"]:
            section = self.service_type
            raise NodeError(
                f"{section} 's3' has no bucket; name one: "
                f"{section}: {{type: s3, config: {{bucket: my-bucket, prefix: argosy}}}}"
            )

    @property
    def title(self) -> str:
        bucket = f"s3://{self.config['bucket']}/{self.config['prefix'].strip('/')}".rstrip("/")
        return f"{super().title}, {bucket}"

    def place(self, key: str) -> dict[str, str]:
        """The bucket and the key of an object, as the arguments of a request."""
        return {"Bucket": self.config["bucket"], "Key": self.before(key)}

    def before(self, key: str) -> str:
        """A key, or the beginning of one, with the prefix."""
        prefix = self.config["prefix"].strip("/")
        return f"{prefix}/{key}" if prefix else key
