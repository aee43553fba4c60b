"""A bucket on the S3 server of the test cluster."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from argosy.runtime.aws import KEYS
from argosy.runtime.run_logs.s3 import S3RunLog

GIVEN = {KEYS[0]: "ARGOSY_TEST_S3_KEY", KEYS[1]: "ARGOSY_TEST_S3_SECRET"}


@contextmanager
def bucket() -> Iterator[S3RunLog]:
    """A new one, as a store with its options and its credentials; in the end it goes, with all that
    is in it."""
    if not os.environ.get("ARGOSY_TEST_S3_ENDPOINT"):
        pytest.skip("no S3 server: `make e2e` starts one")
    name, endpoint = f"argosy-e2e-{uuid.uuid4().hex[:8]}", os.environ["ARGOSY_TEST_S3_ENDPOINT"]
    store = S3RunLog({"bucket": name, "endpoint_url": endpoint, "region": "us-east-1"})
    store.keys = {key: os.environ[given] for key, given in GIVEN.items()}
    store.client.create_bucket(Bucket=name)
    yield store
    for key in store.list(""):
        store.delete(key)
    store.client.delete_bucket(Bucket=name)
