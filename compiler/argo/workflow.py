"""A workflow's options as fields of its specification, and of the CronWorkflow that starts it."""

from __future__ import annotations

import math
from typing import Any

from .options import Options

Json = dict[str, Any]


def spec_of(options: Options) -> Json:
    """The fields of a workflow's specification that its options decide."""
    pod = options.pod
    found: Json = {}
    if pod.image_pull_secrets:
        found["imagePullSecrets"] = [{"name": name} for name in pod.image_pull_secrets]
    if options.parallelism:
        found["parallelism"] = options.parallelism
    if options.workflow_timeout:
        found["activeDeadlineSeconds"] = math.ceil(options.workflow_timeout)
    given = {
        "priority": options.priority,
        "suspend": True if options.suspend and options.kind == "Workflow" else None,
        "archiveLogs": options.archive_logs,
    }
    found |= {field: value for field, value in given.items() if value is not None}
    filled = {
        "dnsPolicy": pod.dns_policy,
        "dnsConfig": pod.dns_config,
        "synchronization": options.synchronization,
        "volumeClaimTemplates": list(options.volume_claim_templates),
        "artifactRepositoryRef": options.artifact_repository,
        "podGC": options.pod_gc,
        "ttlStrategy": options.ttl,
        "workflowMetadata": options.workflow_metadata,
    }
    found |= {field: value for field, value in filled.items() if value}
    if options.metrics:
        found["metrics"] = {"prometheus": list(options.metrics)}
    return found


def cron_of(options: Options) -> Json:
    """The fields of a CronWorkflow's specification, but its workflow."""
    found: Json = {}
    schedules, zone = options.schedules, options.timezone
    if any(schedule.timezone for schedule in schedules):
        # Argo writes its one time zone before each schedule, which can have one zone only.
        schedules = tuple(one._replace(timezone=one.timezone or zone) for one in schedules)
        zone = ""
    found["schedules"] = [str(schedule) for schedule in schedules]
    found["suspend"] = options.suspend
    if zone:
        found["timezone"] = zone
    if options.concurrency_policy:
        found["concurrencyPolicy"] = options.concurrency_policy
    if options.starting_deadline:
        found["startingDeadlineSeconds"] = math.ceil(options.starting_deadline)
    return {**found, **options.history_limits}
