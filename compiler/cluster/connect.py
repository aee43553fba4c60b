"""The way to a cluster, as the command's options name it."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit

from argosy.runtime.cluster import Direct, Pod, reach, read

from .client import Client, Cluster
from .errors import ClusterError, NotAllowedError

TOKEN = "ARGO_TOKEN"  # noqa: S105 (a variable's name)
PORTS = {"https": 443, "http": 80}


class Way(NamedTuple):
    """`context` of the kubeconfig, or else the URL of an Argo server with what is to be known for
    it: the files of its token and of who vouches for its certificate; `insecure`: nobody needs to.
    """

    context: str | None = None
    namespace: str | None = None
    server: str | None = None
    token_file: str | None = None
    ca_file: str | None = None
    insecure: bool = False


def connect(way: Way, namespace: str | None = None) -> Client:
    """The client for that way; `namespace` counts where that has none. Asks nothing yet.

    Raises ClusterError, and NodeError where the kubeconfig leads nowhere.
    """
    wanted = way.namespace or namespace
    if way.server:
        return _server(way, wanted or "default")
    api = reach(way.context, wanted)
    if isinstance(api, Pod):
        return Cluster(api, "the cluster of this pod")
    return Cluster(api, f"context '{getattr(api, 'context', '')}'")


def _server(way: Way, namespace: str) -> Client:
    import ssl

    from .server import ArgoServer

    url = urlsplit(way.server or "")
    if url.scheme not in PORTS or not url.hostname:
        raise ClusterError(f"--server takes a URL, https://argo.example.com, not '{way.server}'")
    if url.username or url.password:
        raise ClusterError(f"the URL of --server must hold no password; a token goes into {TOKEN}")
    tls = None
    if url.scheme == "https":
        try:
            tls = ssl.create_default_context(cafile=way.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ClusterError(f"--ca-file {way.ca_file}: {error}") from error
        if way.insecure:
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    api = Direct(url.hostname, url.port or PORTS[url.scheme], tls, _token(way.token_file))
    api.namespace = namespace
    return ArgoServer(api, f"the Argo server {way.server}", url.path)


def _token(file: str | None) -> str:
    """The token without the `Bearer` that Argo's own command wants before it."""
    try:
        found = read(file) if file else os.environ.get(TOKEN, "").strip()
    except OSError as error:
        raise ClusterError(f"--token-file {file}: {(error.strerror or '').lower()}") from error
    if not found:
        raise NotAllowedError(
            f"an Argo server wants a token: put one into {TOKEN}, or name its file by "
            "--token-file; `kubectl create token ACCOUNT` makes one"
        )
    return found.removeprefix("Bearer ").strip()
