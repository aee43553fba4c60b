"""What every provider that is AWS's has: its options, its client, its way to ask for something.

botocore is imported with the first request: a step that needs none does not pay for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from .errors import ArgosyError, NodeError
from .retry import retry
from .service import Option, Service

if TYPE_CHECKING:
    from typing import ClassVar

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""The variables of AWS's own that hold keys; the last one goes with temporary keys only."""

OPTIONS: Mapping[str, Option] = {
    "region": Option("string", None, "as AWS calls it; none: AWS_REGION, or the profile's"),
    "endpoint_url": Option("string", None, "of another server that speaks AWS's protocol"),
    "profile": Option("string", None, "a profile of AWS's files; none: AWS_PROFILE"),
    "credentials_file": Option(
        "string", None, "none: AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/credentials"
    ),
    "role_arn": Option("string", None, "a role to assume with these credentials"),
    "role_session_seconds": Option("integer", 3600, "how long the role is assumed at a time"),
    "credentials_secret": Option(
        "string", None, "argo: the Secret object whose keys are called as AWS's variables"
    ),
    "credentials_keys": Option(
        "mapping", {}, "argo: an AWS variable to the key that it has in the Secret object"
    ),
}

IN_THE_CONFIGURATION = (
    "keys do not belong in a configuration, which others read; on this machine AWS's own files and "
    "variables are used, and for argo `credentials_secret` names a Secret object that has them"
)
REFUSED = dict.fromkeys(
    (
        *("access_key", "access_key_id", "secret_key", "secret_access_key", "session_token"),
        *(f"aws_{name}" for name in ("access_key", "secret_key")),
        *map(str.lower, KEYS),
        *KEYS,
    ),
    IN_THE_CONFIGURATION,
)
EXTRA = "install what it needs where this runs: pip install 'argosy[aws]'"

CONNECT, READ = 10.0, 30.0
"""Seconds to wait for a connection, and for the next bytes of an answer."""

Result = TypeVar("Result")
_clients: WeakSet[Any] = WeakSet()


class Aws(Service):
    """`keys` are AWS's variables where an integration has found values for them, and `config_file`
    is AWS's other file, where that is in a place of its own."""

    api: ClassVar[str] = ""
    permissions: ClassVar[str] = ""
    refused: ClassVar[Mapping[str, str]] = REFUSED
    many_requests: ClassVar[bool] = False
    """Whether one call is many requests, each of which is tried again by itself."""

    keys: Mapping[str, str] = {}
    config_file: str | None = None

    def get_aws_credentials_file(self) -> str:
        """The path of the credentials file in use. Raises NodeError where it is not there."""
        path = credentials_file(self.config["credentials_file"])
        if not os.path.isfile(path):
            raise NodeError(
                f"there is no AWS credentials file {path}: `aws configure` makes one, and "
                "`credentials_file` or AWS_SHARED_CREDENTIALS_FILE says where it is"
            )
        return path

    @property
    def title(self) -> str:
        """What an error calls it."""
        address = self.config["endpoint_url"]
        name = f"{self.service_type.replace('_', ' ')} '{self.service_provider}'"
        return f"{name} at {address}" if address else name

    def call(self, doing: str, request: Callable[[Any], Result]) -> Result:
        """What `request` returns for the client. Raises ServiceError, or NodeError where the
        configuration is wrong; each begins with the service and what it was `doing`."""
        what = f"{self.title}: cannot {doing}"

        def once() -> Result:
            try:
                return request(self.client)
            except ArgosyError:
                raise
            except Exception as error:
                from .aws_faults import meaning

                found = meaning(error, what, self.permissions)
                if found is None:
                    raise
                raise found from error

        return retry(once, what)

    @cached_property
    def client(self) -> Any:
        """A client of botocore's, one a process: a child that was forked has its parent's, with
        connections of its own."""
        try:
            from botocore.config import Config
        except ImportError as error:
            raise NodeError(f"the {self.title} needs a library; {EXTRA}") from error
        config = Config(
            connect_timeout=CONNECT,
            read_timeout=READ,
            retries={"mode": "standard", "total_max_attempts": 1},  # ours are in `call`
            max_pool_connections=16,
            tcp_keepalive=True,
            # Other servers than AWS's do not know the newer sums, and contents are checked by ours.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        address = self.config["endpoint_url"]
        found = self._session().create_client(self.api, endpoint_url=address, config=config)
        from .aws_faults import pause, refuse_beginning

        found.meta.events.register(f"after-call.{self.api}", refuse_beginning)
        if self.many_requests:
            found.meta.events.register(f"needs-retry.{self.api}", pause)
        _clients.add(found)
        return found

    def _session(self) -> Any:
        """A session of botocore's with the credentials that the options ask for."""
        found = self._configured()
        if self.keys:
            found.set_credentials(*(self.keys.get(name) for name in KEYS))
        if not self.config["role_arn"]:
            return found
        from botocore import credentials as of
        from botocore.exceptions import NoCredentialsError

        own = found.get_credentials()
        if own is None:
            raise NoCredentialsError
        seconds = self.config["role_session_seconds"]
        asked = {"RoleSessionName": "argosy", "DurationSeconds": seconds}
        fetch = of.AssumeRoleCredentialFetcher(
            found.create_client, own, self.config["role_arn"], asked
        ).fetch_credentials
        provider = of.CredentialProvider()
        # It assumes the role again before the session ends.
        provider.load = lambda: of.DeferredRefreshableCredentials(fetch, "assume-role")
        assumed = self._configured()
        assumed.register_component("credential_provider", of.CredentialResolver([provider]))
        return assumed

    def _configured(self) -> Any:
        from botocore.session import Session

        config = self.config
        session = Session(profile=config["profile"])
        given = {
            "credentials_file": config["credentials_file"]
            and credentials_file(config["credentials_file"]),
            "config_file": self.config_file,
            "region": config["region"] or os.environ.get("AWS_REGION"),
        }
        for name, value in given.items():
            if value:
                session.set_config_variable(name, value)
        return session


def credentials_file(configured: str | None) -> str:
    """The path of AWS's credentials file, be it there or not."""
    path = configured or os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
    return os.path.abspath(os.path.expanduser(path))


def forget_connections() -> None:
    """In a child that was forked: its parent's connections are its parent's."""
    for client in _clients:
        client.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_connections)
