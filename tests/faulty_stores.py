"""Real servers behind a proxy that has faults, and the stores that are on them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

import proxy
from argosy.runtime.aws import KEYS
from argosy.runtime.catalogs.file_system import FileSystemCatalog
from argosy.runtime.catalogs.s3 import S3Catalog
from argosy.runtime.cluster import Pod
from argosy.runtime.run_logs.db import DatabaseRunLog
from argosy.runtime.run_logs.kubernetes import KubernetesRunLog
from argosy.runtime.run_logs.s3 import S3RunLog
from cluster import Cluster
from faulty import Stores
from postgres import server as postgres_server
from postgres import there
from proxy import Proxy


class Store(NamedTuple):
    """A store behind a proxy; `direct` opens the same one beside it. `http` is whether it speaks
    HTTP in plain through that."""

    name: str
    proxy: Proxy
    opened: Callable[[Path], Stores]
    direct: Callable[[Path], Stores]
    http: bool


@contextmanager
def s3() -> Iterator[Store]:
    if not os.environ.get("ARGOSY_TEST_S3_ENDPOINT"):
        pytest.skip("no S3 server: ARGOSY_TEST_S3_ENDPOINT names one")
    import botocore.session
    import s3transfer.manager  # noqa: F401 (once, for all processes that are forked)

    address = urlsplit(os.environ["ARGOSY_TEST_S3_ENDPOINT"])
    bucket = f"argosy-faults-{secrets.token_hex(3)}"
    keys = {KEYS[0]: os.environ["ARGOSY_TEST_S3_KEY"], KEYS[1]: os.environ["ARGOSY_TEST_S3_SECRET"]}
    session = botocore.session.Session()
    session.set_credentials(*keys.values())
    client = session.create_client("s3", endpoint_url=address.geturl(), region_name="us-east-1")
    client.create_bucket(Bucket=bucket)
    with proxy.to(str(address.hostname), int(address.port or 80)) as found:

        def opener(url: str) -> Callable[[Path], Stores]:
            def opened(folder: Path) -> Stores:
                config = {"bucket": bucket, "prefix": folder.name, "endpoint_url": url}
                config["region"] = "us-east-1"
                log, catalog = S3RunLog(config), S3Catalog(config)
                log.keys = catalog.keys = keys
                return Stores(log, catalog)

            return opened

        through = f"http://127.0.0.1:{found.port}"
        yield Store("s3", found, opener(through), opener(address.geturl()), True)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    for key in [one["Key"] for page in pages for one in page.get("Contents", ())]:
        client.delete_object(Bucket=bucket, Key=key)
    client.delete_bucket(Bucket=bucket)


@contextmanager
def postgresql() -> Iterator[Store]:
    if not there():
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    import psycopg  # noqa: F401
    import sqlalchemy  # noqa: F401

    with postgres_server(secrets.token_hex(8)) as server:
        port = int(urlsplit(server.url).port or 0)
        with proxy.to("127.0.0.1", port) as found:
            through = server.url.replace(f":{port}/", f":{found.port}/") + "?sslmode=disable"

            def opener(url: str) -> Callable[[Path], Stores]:
                return lambda folder: Stores(DatabaseRunLog({"url": url}), files(folder))

            yield Store("postgresql", found, opener(through), opener(server.url), False)


@contextmanager
def kubernetes(cluster: Cluster) -> Iterator[Store]:
    """Through TLS, with a token, as from a pod."""
    account = Account(cluster)
    with proxy.to(account.host, account.port) as found:
        through = account.opener("127.0.0.1", found.port)
        yield Store("kubernetes", found, through, account.opener(), False)


@contextmanager
def in_plain(cluster: Cluster) -> Iterator[Store]:
    """The API server without TLS, so that the proxy can answer in its place."""
    account = Account(cluster)
    command = ["kubectl", "proxy", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as beside:
        assert beside.stdout is not None
        port = int(beside.stdout.readline().rpartition(":")[2])
        with proxy.to("127.0.0.1", port) as found:
            through = account.opener("127.0.0.1", found.port, Plain)
            yield Store("kubernetes", found, through, account.opener(), True)
        beside.terminate()


class Plain(Pod):
    def _connection(self) -> Any:
        return HTTPConnection(self._host, self._port, timeout=20)


class Account:
    """What a pod has of the cluster, for a process that is none."""

    def __init__(self, cluster: Cluster) -> None:
        seen = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
        server = seen["clusters"][0]["cluster"]
        address = urlsplit(server["server"])
        self.host, self.port = str(address.hostname), int(address.port or 443)
        inline = server.get("certificate-authority-data")
        path = server.get("certificate-authority")
        self._files = {
            "namespace": cluster.namespace.encode(),
            "token": seen["users"][0]["user"]["token"].encode(),
            "ca.crt": b64decode(inline) if inline else Path(path).read_bytes(),
        }

    def opener(
        self, host: str = "", port: int = 0, api: type[Pod] = Pod
    ) -> Callable[[Path], Stores]:
        place = {
            "KUBERNETES_SERVICE_HOST": host or self.host,
            "KUBERNETES_SERVICE_PORT": str(port or self.port),
        }

        def opened(folder: Path) -> Stores:
            account = folder / "account"
            account.mkdir(exist_ok=True)
            for name, content in self._files.items():
                (account / name).write_bytes(content)
            log = KubernetesRunLog()
            log.api = api(place, str(account))
            return Stores(log, files(folder))

        return opened


def files(folder: Path) -> FileSystemCatalog:
    return FileSystemCatalog({"location": str(folder / "catalog")})
