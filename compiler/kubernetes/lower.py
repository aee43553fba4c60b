"""`lower` for Kubernetes: a Job that runs the local plan in one pod, and the objects around it.

What runs are started from is a CronJob, a suspended one where there are no schedules: a Job cannot
be changed once it is there, so that it is no object to apply again and again, and a CronJob holds
the template of one (`kubectl create job --from=cronjob/NAME`).
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

from ..environments import in_environment
from ..integrate import context
from ..manifests.container import from_secret
from ..manifests.extra import merged
from ..manifests.names import MAX_CRON_NAME, VERSION
from ..manifests.objects import (
    Identity,
    Manifest,
    access,
    account_name,
    claims,
    identity,
    kustomization,
    version_of,
)
from ..options.integrated import integrated
from ..options.run import Schedule
from .options import Options, read_options
from .plan import plan_of, variables
from .pod import MAIN, from_field, pod_spec
from .text import safe_json

if TYPE_CHECKING:
    from ..compilation import Compilation

Json = dict[str, Any]
BATCH = "batch/v1"
LONGEST = MAX_CRON_NAME - len("-10")
NEVER = Schedule("0 0 31 2 *")
"""The schedule of a CronJob that must have one: there is no 31st of February."""
FINAL = [1, 2]
"""Exit statuses of a run that has failed: its steps were tried again as often as they may be, or
are wrong. Any other is of a pod that was lost, or of a store that did not answer."""


def lower(compilation: Compilation) -> Compilation:
    """The compilation with `manifests`: every file, as data."""
    executor = compilation.executor
    options = read_options(executor.config)
    pod, environment = integrated(options.pod, executor), compilation.request.environment
    options = options._replace(pod=in_environment(pod, pod, environment))
    of = identity(compilation.pipeline.name, environment, options.namespace, LONGEST)
    job = _job(of, options, _environment(compilation, options))
    of = of._replace(version=version_of(job, compilation.request.templates))
    job["template"]["metadata"]["labels"][VERSION] = of.version
    found = _runs(of, options, job, compilation.pipeline.description)
    if options.pod.service_account.create:
        found += access(of, options.pod, executor.rules)
    found += claims(of, options.pod)
    return compilation._replace(manifests=[*found, kustomization(of, found)])


def _environment(compilation: Compilation, options: Options) -> list[Json]:
    """The variables of the pod that are Argosy's."""
    pipeline = compilation.pipeline
    steps = {path: read_options(step) for path, step in compilation.settings.steps.items()}
    base = read_options(compilation.executor.config)
    plan = plan_of(pipeline.graph, compilation.flow, base, steps)
    texts = {
        "ARGOSY_CONFIG": safe_json(context(compilation)),
        "ARGOSY_ARGUMENTS": safe_json(dict(pipeline.parameters)),
        **variables(plan),
    }
    if options.max_workers:
        workers: Json = {"name": "ARGOSY_WORKERS", "value": str(options.max_workers)}
    else:
        limit = {"containerName": MAIN, "divisor": "1", "resource": "limits.cpu"}
        workers = {"name": "ARGOSY_WORKERS", "valueFrom": {"resourceFieldRef": limit}}
    return [
        *({"name": name, "value": text} for name, text in texts.items()),
        workers,
        from_field("ARGOSY_JOB", "metadata.labels['batch.kubernetes.io/job-name']"),
        from_field("ARGOSY_JOB_UID", "metadata.labels['batch.kubernetes.io/controller-uid']"),
        from_field("ARGOSY_NAMESPACE", "metadata.namespace"),
        from_field("ARGOSY_POD", "metadata.name"),
        from_field("ARGOSY_POD_UID", "metadata.uid"),
        *(
            from_secret(name, *reference)
            for name, reference in compilation.executor.secret_environment.items()
        ),
    ]


def _job(of: Identity, options: Options, environment: list[Json]) -> Json:
    """The specification of the Job of a run."""
    found: Json = {"backoffLimit": options.backoff_limit}
    if options.workflow_timeout:
        found["activeDeadlineSeconds"] = math.ceil(options.workflow_timeout)
    if options.ttl is not None:
        found["ttlSecondsAfterFinished"] = math.ceil(options.ttl)
    statuses = {"containerName": MAIN, "operator": "In", "values": FINAL}
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    found["podFailurePolicy"] = {
        "rules": [
            {"action": "FailJob", "onExitCodes": statuses},
            {"action": "Ignore", "onPodConditions": [disrupted]},
        ]
    }
    metadata: Json = {"labels": {**of.labels, **options.pod.labels}}
    if options.pod.annotations:
        metadata["annotations"] = dict(options.pod.annotations)
    spec = pod_spec(options.pod, account_name(of, options.pod), environment)
    if options.suspend and options.kind == "Job":
        found["suspend"] = True
    job = merged({**found, "template": {"metadata": metadata, "spec": spec}}, options.extra)
    return dict(job)


def _runs(of: Identity, options: Options, job: Json, description: str) -> list[Manifest]:
    """What starts runs: a CronJob for each schedule, or the Job itself."""
    printable = "".join(c if c.isprintable() or c == "\n" else " " for c in description)
    shown = {"argosy.dev/description": printable} if description else None
    labels = of.labels_of_version()
    if options.kind == "Job":
        # One of another content is another Job, for the first could not be changed.
        digest = hashlib.sha256(safe_json(job).encode()).hexdigest()[:8]
        metadata = {**of.metadata(f"{of.name}-{digest}", shown), "labels": labels}
        body = {"apiVersion": BATCH, "kind": "Job", "metadata": metadata, "spec": job}
        return [Manifest("job.yaml", "job", body)]
    found = []
    for number, schedule in enumerate(options.schedules or (NEVER,), 1):
        spec = _by_the_clock(schedule, options)
        spec["jobTemplate"] = {"metadata": {"labels": labels}, "spec": job}
        suffix = f"-{number}" if number > 1 else ""
        metadata = {**of.metadata(f"{of.name}{suffix}", shown), "labels": labels}
        body = {"apiVersion": BATCH, "kind": "CronJob", "metadata": metadata, "spec": spec}
        found.append(Manifest(f"cronjob{suffix}.yaml", "cronjob", body))
    return found


def _by_the_clock(schedule: Schedule, options: Options) -> Json:
    """The specification of a CronJob, without its Job."""
    spec: Json = {
        "schedule": schedule.schedule,
        "suspend": options.suspend or not options.schedules,
    }
    if zone := schedule.timezone or options.timezone:
        spec["timeZone"] = zone
    if options.concurrency_policy:
        spec["concurrencyPolicy"] = options.concurrency_policy
    if options.starting_deadline:
        spec["startingDeadlineSeconds"] = math.ceil(options.starting_deadline)
    return {**spec, **options.history_limits}
