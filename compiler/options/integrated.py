"""A pod's options after the integrations of the services."""

from __future__ import annotations

from collections.abc import Mapping
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


def overridden(base: PodOptions, before: PodOptions, after: PodOptions) -> PodOptions:
    """A step's options: what it changes in the configuration (`before` to `after`), over `base`."""
    same_account = after.service_account == before.service_account
    return after._replace(
        env=_changed(base.env, before.env, after.env),
        labels=_changed(base.labels, before.labels, after.labels),
        annotations=_changed(base.annotations, before.annotations, after.annotations),
        claims=_changed(base.claims, before.claims, after.claims),
        service_account=base.service_account if same_account else after.service_account,
    )


def _changed(
    base: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    kept = {name: value for name, value in base.items() if name in after or name not in before}
    new = {name: value for name, value in after.items() if before.get(name) != value}
    return kept | new
