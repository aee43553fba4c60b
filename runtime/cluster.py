"""Kubernetes' API server, as a pod and as the command reach it.

A pod speaks HTTPS with the standard library and its service account: its image needs no client. The
command goes where the kubeconfig says, which is for a library to read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import NodeError
from .retry import TryAgainError

if TYPE_CHECKING:
    from http.client import HTTPSConnection

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where Kubernetes puts a pod's service account: `token`, `namespace` and `ca.crt`."""

TIMEOUT = 20.0
"""Seconds without a byte after which an answer is given up."""


SILENCE = 600.0
"""The same for what is streamed, where a container may print nothing for long."""

CHUNK = 1 << 16

ASK = "`kubectl get --raw=/readyz` asks it how it is"
FULL = (
    "make room there: `argosy runs rm` removes old runs, and `kubectl get resourcequota` has more"
)
FORBIDDEN = (
    "the account needs `%s` in the namespace: the Role that `argosy render` writes has that, one "
    "of your own must be given it"
)


class Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class RefusedError(Exception):
    """The API server does not do it, and would not do it the next time either."""


class Api:
    """One namespace of a cluster."""

    namespace: str

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Response:
        """Raises TryAgainError where there is no answer."""
        raise NotImplementedError


class Pod(Api):
    """The API server of the cluster that this process is a pod of. Connections stay open for the
    next call; a process that was forked opens its own."""

    def __init__(self, environment: Mapping[str, str] = os.environ, folder: str = ACCOUNT) -> None:
        import ssl  # 10 ms, and http.client 15: for runs that are logged here only

        try:
            self._host = environment["KUBERNETES_SERVICE_HOST"]
            self._port = int(environment["KUBERNETES_SERVICE_PORT"])
            self.namespace = read(f"{folder}/namespace")
            self._tls = ssl.create_default_context(cafile=f"{folder}/ca.crt")
        except (KeyError, OSError) as error:
            raise NodeError(
                f"there is no service account here that could log to the cluster ({error}); in a "
                "pod, automountServiceAccountToken must not be false"
            ) from error
        # Python 3.13 demands key identifiers that the certificates of many clusters lack.
        self._tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self._token = f"{folder}/token"
        self._idle: list[HTTPSConnection] = []
        self._process = os.getpid()

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Response:
        from http.client import HTTPException

        connection = self._connection()
        used = connection.sock is not None
        # The kubelet replaces the token long before it expires.
        headers = {**headers, "Authorization": f"Bearer {read(self._token)}"}
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            response = Response(answer.status, dict(answer.headers.items()), answer.read())
            complete(response)
        except (OSError, HTTPException) as error:
            connection.close()
            # What was open may have been closed while nobody used it: that is no fault yet.
            after = 0.0 if used else None
            reason = f"the API server gives no answer ({type(error).__name__}: {error}); {ASK}"
            raise TryAgainError(reason, after) from error
        if not answer.will_close:
            self._idle.append(connection)
        return response

    def stream(self, path: str, needs: str) -> Iterator[bytes]:
        """The body of a GET as it comes. Raises TryAgainError where it breaks off, and as `fault`
        says for an answer that is none."""
        from http.client import HTTPException, HTTPSConnection

        headers = {"Authorization": f"Bearer {read(self._token)}"}
        connection = HTTPSConnection(self._host, self._port, timeout=SILENCE, context=self._tls)
        try:
            connection.request("GET", path, None, headers)
            answer = connection.getresponse()
            if answer.status != 200:
                found = Response(answer.status, dict(answer.headers.items()), answer.read())
                raise fault(found, needs)
            while data := answer.read1(CHUNK):
                yield data
        except (OSError, HTTPException) as error:
            reason = f"the API server broke off ({type(error).__name__}: {error}); {ASK}"
            raise TryAgainError(reason) from error
        finally:
            connection.close()

    def _connection(self) -> HTTPSConnection:
        from http.client import HTTPSConnection

        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        if self._idle:
            return self._idle.pop()
        return HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self._tls)


class Kubeconfig(Api):
    """The API server of a context of the kubeconfig."""

    def __init__(self, context: str | None = None, namespace: str | None = None) -> None:
        try:
            from kubernetes import client, config
        except ImportError as error:
            raise NodeError(
                "reading a run log of the cluster needs a library: pip install 'argosy[kubernetes]'"
            ) from error
        reader: Any = config  # which has no types
        self._configuration: Any = client.Configuration()
        try:
            reader.load_kube_config(context=context, client_configuration=self._configuration)
            known, active = reader.list_kube_config_contexts()
        except reader.ConfigException as error:
            raise NodeError(
                f"the kubeconfig does not lead to a cluster: {error}; KUBECONFIG names another "
                "one, and the option `context` of the run log store a context"
            ) from error
        chosen = next((one for one in known if one["name"] == context), active)
        self.namespace = namespace or chosen["context"].get("namespace") or "default"
        self._pool: Any = client.ApiClient(self._configuration).rest_client.pool_manager

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Response:
        from urllib3.exceptions import HTTPError

        sent = dict(headers)
        for found in self._configuration.auth_settings().values():  # a token that ends is renewed
            sent[found["key"]] = found["value"]
        url = self._configuration.host + path
        try:
            answer = self._pool.request(
                method, url, body=body, headers=sent, retries=False, timeout=TIMEOUT
            )
            response = Response(answer.status, answer.headers, answer.data)
            complete(response)
        except (HTTPError, OSError) as error:
            raise TryAgainError(f"{self._configuration.host}: {error}; {ASK}") from error
        return response


def fault(answer: Response, needs: str) -> Exception:
    """What an answer that is no success means; `needs`: the rights that it takes."""
    try:
        message = str(json.loads(answer.body)["message"])
    except (ValueError, KeyError, TypeError):
        message = answer.body[:200].decode(errors="replace").strip()
    reason = f"status {answer.status}: {message or 'no message'}"
    # A conflict, an expired page of a list, too many requests, or a server that is not well.
    if answer.status in (409, 410, 429) or answer.status >= 500:
        reason += f"; {ASK}"
        after = answer.headers.get("Retry-After", "")
        return TryAgainError(reason, float(after) if after.isdigit() else None)
    if "exceeded quota" in message:
        reason += f"; {FULL}"
    elif answer.status in (401, 403):
        reason += f"; {FORBIDDEN % needs}"
    return RefusedError(reason)


def complete(answer: Response) -> None:
    """Raises ConnectionError for an answer that was cut in its headers: nothing says how long it
    should have been, and it would pass for an empty one."""
    names = {name.lower() for name in answer.headers}
    if answer.status != 204 and not names & {"content-length", "transfer-encoding"}:
        raise ConnectionError("its answer was cut")


def reach(context: str | None, namespace: str | None) -> Api:
    """The cluster of the kubeconfig; in a pod that has none, the pod's own."""
    own = os.path.join(os.path.expanduser("~"), ".kube", "config")
    if not os.environ.get("KUBECONFIG") and not os.path.exists(own) and os.path.exists(ACCOUNT):
        found = Pod()
        found.namespace = namespace or found.namespace
        return found
    return Kubeconfig(context, namespace)


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read().strip()
