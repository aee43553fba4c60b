"""A pod's options after the integrations of the services."""

from __future__ import annotations

from typing import Any

from .pod import Account, Claim, PodOptions
from .readers import plain


def integrated(pod: PodOptions, executor: Any) -> PodOptions:
    """The options of a pod with what integrations have changed."""
    account = pod.service_account
    if executor.service_account not in (None, account.name):
        account = Account(executor.service_account)
    return pod._replace(
        env={
            **{name: value for name, value in pod.env.items() if not isinstance(value, str)},
            **{name: plain(value) for name, value in executor.environment.items()},
        },
        labels={name: plain(value) for name, value in executor.labels.items()},
        annotations={name: plain(value) for name, value in executor.annotations.items()},
        claims={
            name: pod.claims.get(name, Claim(mount))._replace(mount_path=mount)
            for name, mount in executor.claims.items()
        },
        service_account=account,
    )
