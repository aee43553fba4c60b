"""The table of other names: what Magnus calls a field, a type or a service, and ours for it.

Definitions and configurations of Magnus load unchanged through this module and no other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .source import Mapping, Sequence

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
    ("executor", "mocked"): Provider("mocked", {}),
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
SECRETS_FROM_K8S = "secrets_from_k8s"
GPU = "gpu", "nvidia.com/gpu"
"""A resource as Magnus calls it, and as Kubernetes does."""
IN_ENVIRONMENT = {"env-secrets-manager", "env-secrets", "env", "do-nothing"}
"""Providers of secrets that take what `secrets_from_k8s` puts into a pod's environment."""
IGNORED = {  # options that say how Magnus works, not what the pipeline needs
    "executor": {
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
POLICIES = "retryPolicy", "retry_policy"
BACKOFF = {
    "duration": "backoff",
    "duration_in_seconds": "backoff",
    "factor": "factor",
    "max_duration": "max_backoff",
}


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
            tidy("executor", options, provider)
    return given


def tidy(section: str, config: Mapping, provider: Provider) -> bool:
    """Reads the options of a provider under their other names; False where there were none."""
    found = rename(config, provider.options)
    empty = {"image_pull_policy"} if config.get("image_pull_policy") == "" else set()
    for name in (IGNORED.get(section, set()) | empty) & config.keys():
        del config[name]
        found = True
    if isinstance(config.get("enable_parallel"), bool):
        if provider.type in ("local", "local-container") and not config.pop("enable_parallel"):
            config.setdefault("max_workers", 1)
        config.pop("enable_parallel", None)
        found = True
    resources = config.get("resources")
    for part in resources.values() if isinstance(resources, Mapping) else ():
        if isinstance(part, Mapping):
            found = rename(part, dict([GPU])) or found
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
    found = bool({*POLICIES, *RETRY} & retry.keys())
    limit = retry.get("limit")
    if isinstance(limit, int) and not isinstance(limit, bool):
        retry["limit"] = limit + 1
    for policy in POLICIES:  # here it is always `Always`
        if isinstance(retry.get(policy), str):
            del retry[policy]
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


def secrets_from_k8s(document: Mapping) -> bool:
    """Reads the executor's `secrets_from_k8s: [{environment_variable, secret_name, secret_key}]`:
    variables of every pod, and secrets of the provider `kubernetes`; False where there are none."""
    executor = document.get("executor")
    config = executor.get("config") if isinstance(executor, Mapping) else None
    given = config.get(SECRETS_FROM_K8S) if isinstance(config, Mapping) else None
    if not isinstance(config, Mapping) or not isinstance(given, Sequence):
        return False
    parts = {"environment_variable", "secret_name", "secret_key"}
    if not all(
        isinstance(one, Mapping)
        and one.keys() == parts
        and all(isinstance(text, str) for text in one.values())
        for one in given
    ):
        return False
    mark = config.marks[SECRETS_FROM_K8S]
    del config[SECRETS_FROM_K8S]
    if not isinstance(config.get("env", {}), dict):
        return True
    env = config.setdefault("env", Mapping(config.source, mark[1]))
    config.marks.setdefault("env", mark)
    secrets = document.get("secrets")
    kind, prefix, suffix = _provider_in_environment(secrets)
    objects = Mapping(config.source, mark[1])
    for one in given:
        name = one["environment_variable"]
        reference = {"name": one["secret_name"], "key": one["secret_key"]}
        env.setdefault(name, {"valueFrom": {"secretKeyRef": reference}})
        name = name.removeprefix(prefix).removesuffix(suffix)
        objects[name] = f"{one['secret_name']}/{one['secret_key']}"
    if kind in IN_ENVIRONMENT:
        own = Mapping(config.source, mark[1])
        own["type"], own["config"] = "kubernetes", Mapping(config.source, mark[1])
        own["config"]["objects"] = objects
        document["secrets"], document.marks["secrets"] = own, mark
    return True


def _provider_in_environment(secrets: Any) -> tuple[str, str, str]:
    """The type of the provider of secrets, and what its variables begin and end with."""
    if not isinstance(secrets, Mapping):
        return "do-nothing", "", ""
    config = secrets.get("config")
    given = config if isinstance(config, Mapping) else {}
    parts = (given.get(name) for name in ("prefix", "suffix"))
    prefix, suffix = (part if isinstance(part, str) else "" for part in parts)
    return str(secrets.get("type")), prefix, suffix


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
