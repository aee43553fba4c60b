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
from .lines import Lines
from .retry import TryAgainError

if TYPE_CHECKING:
    from http.client import HTTPConnection
    from ssl import SSLContext

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


class Stream(NamedTuple):
    """An answer that comes bit by bit. `chunks` raises TryAgainError where it breaks off."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]

    def body(self, needs: str) -> Iterator[bytes]:
        """The chunks of a success. Raises as `fault` says for any other answer."""
        if self.status != 200:
            raise fault(Response(self.status, self.headers, b"".join(self.chunks)), needs)
        return self.chunks

    def lines(self) -> Iterator[bytes]:
        """Whole lines, without their ends; what has none at last, too."""
        lines = Lines()
        for chunk in self.chunks:
            yield from lines.feed(chunk)
        if rest := lines.rest():
            yield rest


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

    def stream(self, path: str, timeout: float | None = None) -> Stream:
        """What a GET gives, as it comes; `timeout`: seconds of silence that it is given up after.
        Raises TryAgainError where there is no answer."""
        raise NotImplementedError


class Direct(Api):
    """A server that takes a bearer token, reached with the standard library. Connections stay open
    for the next call; a process that was forked opens its own."""

    def __init__(self, host: str, port: int, tls: SSLContext | None, token: str = "") -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._bearer = token
        self._idle: list[HTTPConnection] = []
        self._process = os.getpid()

    def token(self) -> str:
        """The token, without the word before it; '' where none is needed."""
        return self._bearer

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Response:
        connection = self._connection()
        used = connection.sock is not None
        try:
            connection.request(method, path, body, self._headers(headers))
            answer = connection.getresponse()
            response = Response(answer.status, dict(answer.headers.items()), answer.read())
            complete(response)
        except faults() as error:
            connection.close()
            # What was open may have been closed while nobody used it: that is no fault yet.
            raise self._silent(error, 0.0 if used else None) from error
        if not answer.will_close:
            self._idle.append(connection)
        return response

    def stream(self, path: str, timeout: float | None = None) -> Stream:
        connection = self._new()
        try:
            connection.request("GET", path, headers=self._headers({}))
            answer = connection.getresponse()
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
        except faults() as error:
            connection.close()
            raise self._silent(error) from error

        def chunks() -> Iterator[bytes]:
            try:
                while chunk := answer.read1(CHUNK):
                    yield chunk
            except faults() as error:
                raise self._silent(error) from error
            finally:
                connection.close()

        return Stream(answer.status, dict(answer.headers.items()), chunks())

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        token = self.token()
        return {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}

    def _silent(self, error: BaseException, after: float | None = None) -> TryAgainError:
        reason = f"the API server gives no answer ({type(error).__name__}: {error}); {ASK}"
        return TryAgainError(reason, after)

    def _connection(self) -> HTTPConnection:
        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        return self._idle.pop() if self._idle else self._new()

    def _new(self) -> HTTPConnection:
        from http.client import HTTPConnection, HTTPSConnection

        if self._tls is None:
            return HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        return HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self._tls)


class Pod(Direct):
    """The API server of the cluster that this process is a pod of."""

    def __init__(self, environment: Mapping[str, str] = os.environ, folder: str = ACCOUNT) -> None:
        import ssl  # 10 ms, and http.client 15: for runs that are logged here only

        try:
            host = environment["KUBERNETES_SERVICE_HOST"]
            port = int(environment["KUBERNETES_SERVICE_PORT"])
            self.namespace = read(f"{folder}/namespace")
            tls = ssl.create_default_context(cafile=f"{folder}/ca.crt")
        except (KeyError, OSError) as error:
            raise NodeError(
                f"there is no service account here that could log to the cluster ({error}); in a "
                "pod, automountServiceAccountToken must not be false"
            ) from error
        # Python 3.13 demands key identifiers that the certificates of many clusters lack.
        tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        super().__init__(host, port, tls)
        self._token = f"{folder}/token"

    def token(self) -> str:
        return read(self._token)  # the kubelet replaces it long before it expires


class Kubeconfig(Api):
    """The API server of a context of the kubeconfig."""

    def __init__(self, context: str | None = None, namespace: str | None = None) -> None:
        try:
            from kubernetes import client, config
        except ImportError as error:
            raise NodeError(
                "reaching a cluster needs a library: pip install 'argosy[kubernetes]'"
            ) from error
        reader: Any = config  # which has no types
        self._configuration: Any = client.Configuration()
        file = os.environ.get("KUBECONFIG") or None  # it reads the variable when it is imported
        try:
            reader.load_kube_config(file, context, self._configuration)
            known, active = reader.list_kube_config_contexts(file)
        except reader.ConfigException as error:
            raise KubeconfigError(
                f"the kubeconfig does not lead to a cluster: {str(error).rstrip('.')}; "
                "KUBECONFIG names another one, and `--context` (of a run log store: the option "
                "`context`) a context"
            ) from error
        chosen = next((one for one in known if one["name"] == context), active)
        self.namespace = namespace or chosen["context"].get("namespace") or "default"
        self.context = str(chosen["name"])
        self._pool: Any = client.ApiClient(self._configuration).rest_client.pool_manager

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> Response:
        answer = self._request(method, path, body, headers)
        response = Response(answer.status, answer.headers, answer.data)
        try:
            complete(response)
        except ConnectionError as error:
            raise self._silent(error) from error
        return response

    def stream(self, path: str, timeout: float | None = None) -> Stream:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        patience = Timeout(connect=TIMEOUT, read=timeout)
        answer = self._request("GET", path, timeout=patience, preload_content=False)

        def chunks() -> Iterator[bytes]:
            try:
                yield from answer.stream()
            except (HTTPError, OSError) as error:
                raise self._silent(error) from error
            finally:
                answer.close()

        return Stream(answer.status, answer.headers, chunks())

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
        timeout: Any = TIMEOUT,
        **more: Any,
    ) -> Any:
        from urllib3.exceptions import HTTPError

        sent = dict(headers)
        for found in self._configuration.auth_settings().values():  # a token that ends is renewed
            sent[found["key"]] = found["value"]
        url = self._configuration.host + path
        try:
            return self._pool.request(
                method, url, body=body, headers=sent, retries=False, timeout=timeout, **more
            )
        except (HTTPError, OSError) as error:
            raise self._silent(error) from error

    def _silent(self, error: Exception) -> TryAgainError:
        return TryAgainError(f"{self._configuration.host}: {error}; {ASK}")


class KubeconfigError(NodeError):
    """There is no kubeconfig, or no such context in it."""


def faults() -> tuple[type[Exception], ...]:
    """What a connection of the standard library can end in."""
    from http.client import HTTPException

    return OSError, HTTPException


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
