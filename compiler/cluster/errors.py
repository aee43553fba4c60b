"""What a cluster has against a command, and the way out.

ArgosyError (argosy.runtime.errors)
└── ClusterError         a command that a cluster was asked for did not work there
    ├── NoClusterError   nothing answers
    ├── NotAllowedError  the account is unknown, or has no right to do this
    ├── NoSuchKindError  the cluster has no such kind of object: Argo is not installed, say
    ├── NotFoundError    the object is not there
    ├── ConflictError    the object is there already, or others manage the same fields
    └── RefusedError     it is not what the cluster takes
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from argosy.runtime.cluster import Response
from argosy.runtime.errors import ArgosyError

from .resources import Resource

USER = re.compile(r'User "([^"]+)"')


class ClusterError(ArgosyError):
    exit_status = 1


class NoClusterError(ClusterError):
    pass


class NotAllowedError(ClusterError):
    pass


class NoSuchKindError(ClusterError):
    pass


class NotFoundError(ClusterError):
    pass


class ConflictError(ClusterError):
    pass


class RefusedError(ClusterError):
    pass


class Asked(NamedTuple):
    """What a request was for: the verb is RBAC's, the name '' for all of a namespace."""

    verb: str
    resource: Resource
    name: str
    namespace: str

    def __str__(self) -> str:
        what = f"{self.resource.singular} '{self.name}'" if self.name else self.resource.full
        return f"{what}{self.place}"

    @property
    def place(self) -> str:
        return f" in namespace '{self.namespace}'" if self.resource.namespaced else ""


def error_of(asked: Asked, answer: Response) -> ClusterError:
    """What an answer that is no success says."""
    found = _document(answer.body)
    message = str(found.get("message") or answer.body[:300].decode(errors="replace").strip())
    details = found.get("details")
    if answer.status == 401:
        way = "`kubectl auth whoami` says as whom you come; a token may have ended, or be another's"
        return NotAllowedError(f"the cluster does not know the account ({message}); {way}")
    if answer.status == 403:
        return _forbidden(asked, message)
    if answer.status == 404:
        return _missing(asked, message, details if isinstance(details, dict) else {})
    if answer.status == 409:
        return ConflictError(f"cannot {asked.verb} {asked}: {message}")
    return RefusedError(f"cannot {asked.verb} {asked}: {message} (status {answer.status})")


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _forbidden(asked: Asked, message: str) -> ClusterError:
    user = USER.search(message)
    who = f"the account '{user[1]}'" if user else "this account"
    if "forbidden: User" not in message and "cannot" not in message:
        # Not RBAC: a quota, or an admission policy.
        return NotAllowedError(f"the cluster refuses to {asked.verb} {asked}: {message}")
    role = "Role" if asked.resource.namespaced else "ClusterRole"
    return NotAllowedError(
        f"{who} may not {asked.verb} {asked}\n"
        f"  = ask who runs the cluster for a {role} with\n"
        f"    - {{apiGroups: ['{asked.resource.group}'], resources: [{asked.resource.full}], "
        f"verbs: [{asked.verb}]}}"
    )


def _missing(asked: Asked, message: str, details: Mapping[str, Any]) -> ClusterError:
    if details.get("kind") == "namespaces":
        return NotFoundError(
            f"there is no namespace '{asked.namespace}'; --namespace names another one"
        )
    # Of an object that is not there the name is said; of a kind that is not there, nothing is.
    if asked.name and f'"{asked.name}" not found' in message:
        return NotFoundError(f"there is no {asked}")
    way = "ask who runs it to install that"
    if asked.resource.group == "argoproj.io":
        way = "Argo Workflows is not installed there, or --context names another cluster"
    return NoSuchKindError(f"the cluster has no {asked.resource.full}: {way}")
