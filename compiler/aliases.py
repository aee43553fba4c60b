"""The table of other names: what Magnus calls a field, a type or a service, and ours for it.

Definitions and configurations of Magnus load unchanged through this module and no other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .source import Mapping

STEP_FIELDS = {
    "next_node": "next",
    "mode_config": "overrides",
    "executor_config": "overrides",
    "max_attempts": "retry",
}
STEP_TYPES = {"as-is": "stub"}
SERVICES = {
    "mode": "executor",
    "run_log": "run_log_store",
    "secrets_handler": "secrets",
    "catalog_handler": "catalog",
}
SECTIONS = (*SERVICES.values(), *SERVICES, "plugins", "experiment_tracker")
"""Every key of a configuration. Magnus has them in a definition too, beside its dag."""


class Provider(NamedTuple):
    """A provider's type, and its options' names, as we have them."""

    type: str
    options: dict[str, str]


AWS = {"aws_profile": "profile", "aws_credentials_file": "credentials_file"}
PROVIDERS = {
    ("run_log_store", "chunked-fs"): Provider("file-system", {"log_folder": "location"}),
    ("run_log_store", "file-system"): Provider("file-system", {"log_folder": "location"}),
    ("catalog", "file-system"): Provider("file-system", {"catalog_location": "location"}),
    ("secrets", "env-secrets-manager"): Provider("env", {}),
    ("secrets", "env-secrets"): Provider("env", {}),
    ("run_log_store", "s3"): Provider("s3", {"s3_bucket": "bucket", **AWS}),
    ("catalog", "s3"): Provider("s3", {"s3_bucket": "bucket", **AWS}),
    ("secrets", "aws-secrets-manager"): Provider(
        "aws-secrets-manager", {"secret_arn": "secret_id", **AWS}
    ),
    ("executor", "local"): Provider("local", {}),
    ("executor", "local-container"): Provider("local-container", {"docker_image": "image"}),
    ("executor", "argo"): Provider(
        "argo",
        {
            "docker_image": "image",
            "service_account_name": "service_account",
            "max_step_duration_in_seconds": "timeout",
            "max_step_duration": "timeout",
            "max_workflow_duration_in_seconds": "workflow_timeout",
            "max_workflow_duration": "workflow_timeout",
            "persistent_volumes": "claims",
            "retry_strategy": "retry",
        },
    ),
}
IGNORED = {  # options that say how Magnus works, not what the pipeline needs
    "executor": {
        "enable_parallel",
        "output_file",
        "expose_parameters_as_inputs",
        "auto_remove_container",
        "run_in_local",
        "placeholders",
    },
    "run_log_store": {"use_credentials"},
    "catalog": {"use_credentials"},
    "secrets": {"use_credentials"},
}
RETRY = {"limit": "max_attempts", "back_off": "backoff"}
BACKOFF = {"duration": "backoff", "factor": "factor", "max_duration": "max_backoff"}


def rename(mapping: Mapping, names: dict[str, str]) -> bool:
    """Renames keys in place, with their marks; False where there was nothing to rename.

    A key whose new name is there too stays, and is then refused as unknown.
    """
    found = False
    for old in [key for key in mapping if key in names]:
        new = names[old]
        if new == old or new in mapping:
            continue
        found = True
        mapping.rename(old, new)
    return found


def overrides(given: Mapping) -> Mapping:
    """A step's overrides with the options of each executor by our names."""
    for executor, options in given.items():
        provider = PROVIDERS.get(("executor", str(executor)))
        if provider and isinstance(options, Mapping):
            rename(options, provider.options)
    return given


def tidy(section: str, config: Mapping, provider: Provider) -> bool:
    """Reads the options of a provider under their other names; False where there were none."""
    found = rename(config, provider.options)
    empty = {"image_pull_policy"} if config.get("image_pull_policy") == "" else set()
    for name in (IGNORED.get(section, set()) | empty) & config.keys():
        del config[name]
        found = True
    if isinstance(config.get("claims"), list):
        config["claims"] = _claims(config["claims"], config)
        found = True
    retry = config.get("retry")
    if isinstance(retry, Mapping):
        found = _retry(retry) or found
    return found


def _retry(retry: Mapping) -> bool:
    """Reads Argo's `{limit, retryPolicy, backoff: {duration, factor, max_duration}}`, which Magnus
    passes on; False where it is none of that. A limit counts what comes after the first attempt."""
    found = bool({"limit", "retryPolicy", *RETRY} & retry.keys())
    limit = retry.get("limit")
    if isinstance(limit, int) and not isinstance(limit, bool):
        retry["limit"] = limit + 1
    if isinstance(retry.get("retryPolicy"), str):  # here it is always `Always`
        del retry["retryPolicy"]
    rename(retry, RETRY)
    backoff = retry.get("backoff")
    if isinstance(backoff, Mapping):
        found = True
        del retry["backoff"]
        rename(backoff, BACKOFF)
        for name in backoff:
            retry[name] = backoff[name]
            retry.take(backoff, name, name)
    return found


def _claims(volumes: Any, config: Mapping) -> Mapping:
    """Magnus' `persistent_volumes: [{name, mount_path}]` as claims: {name: mount path}."""
    claims = Mapping(config.source, config.at("claims"))
    for index, volume in enumerate(volumes):
        mark = volumes.at(index)
        if isinstance(volume, Mapping) and {"name", "mount_path"} == volume.keys():
            claims[str(volume["name"])] = volume["mount_path"]
            claims.marks[str(volume["name"])] = (mark, mark)
        else:
            claims[f"claim {index + 1}"] = volume
            claims.marks[f"claim {index + 1}"] = (mark, mark)
    return claims
