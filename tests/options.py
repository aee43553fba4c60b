"""The options of the executor `argo`, by example: a good value of each, and what breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Path = tuple[str | int, ...]


class Example(NamedTuple):
    """`good`: a value that is taken; `inside`: the places where a member that nobody knows is
    refused, each a path into it; `step`: a good value in a step's overrides, where another;
    `wrong`: a value of a wrong type, where a list in place of it is none."""

    good: Any
    inside: tuple[Path, ...] = ()
    step: Any = None
    wrong: Any = None


EXAMPLES: Mapping[str, Example] = {
    "image": Example("registry.example.com/churn:1"),
    "image_pull_policy": Example("IfNotPresent"),
    "image_pull_secrets": Example(["registry"]),
    "command": Example(["python3", "-m", "argosy.runtime"]),
    "runtime": Example({"inject": True, "image": "registry.example.com/argosy:1"}, ((),)),
    "env": Example(
        {
            "LEVEL": 3,
            "DEBUG": True,
            "HOST": {"valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        },
        (("HOST",), ("HOST", "valueFrom"), ("HOST", "valueFrom", "fieldRef")),
    ),
    "env_from": Example(
        [{"prefix": "APP_", "configMapRef": {"name": "settings"}}], ((0,), (0, "configMapRef"))
    ),
    "resources": Example({"limits": {"memory": "1Gi", "cpu": 2}}, ((),)),
    "labels": Example({"team": "churn"}),
    "annotations": Example({"example.com/owner": "me"}),
    "service_account": Example(
        {"name": "churn", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r"}},
        ((),),
        "another",
    ),
    "security": Example("restricted"),
    "security_context": Example(
        {"readOnlyRootFilesystem": True, "capabilities": {"add": ["NET_BIND_SERVICE"]}},
        ((), ("capabilities",)),
    ),
    "pod_security_context": Example(
        {"runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}, ((), ("seccompProfile",))
    ),
    "claims": Example(
        {"data": "/data", "runs": {"mount_path": "/runs", "create": True, "size": "1Gi"}},
        (("runs",),),
        wrong=7,
    ),
    "volumes": Example(
        [
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "settings", "configMap": {"name": "settings", "optional": True}},
            {
                "name": "token",
                "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "a"}}]},
            },
        ],
        ((0,), (0, "emptyDir"), (2, "projected", "sources", 0, "serviceAccountToken")),
    ),
    "volume_mounts": Example(
        [
            {"name": "scratch", "mountPath": "/scratch"},
            {"name": "settings", "mountPath": "/etc/app", "readOnly": True},
        ],
        ((0,),),
    ),
    "init_containers": Example(
        [{"name": "fetch", "image": "busybox", "command": ["true"], "mirrorVolumeMounts": True}],
        ((0,),),
    ),
    "sidecars": Example(
        [
            {
                "name": "proxy",
                "image": "busybox",
                "command": ["sleep", "60"],
                "ports": [{"containerPort": 5432}],
            }
        ],
        ((0,), (0, "ports", 0)),
    ),
    "node_selector": Example({"disk": "fast"}),
    "tolerations": Example([{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}], ((0,),)),
    "affinity": Example(
        {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": {"matchLabels": {"team": "churn"}},
                        },
                    }
                ]
            }
        },
        ((), ("podAntiAffinity",)),
    ),
    "topology_spread": Example(
        [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"team": "churn"}},
            }
        ],
        ((0,), (0, "labelSelector")),
    ),
    "priority_class": Example("batch"),
    "runtime_class": Example("gvisor"),
    "termination_grace_period": Example("2m"),
    "host_aliases": Example([{"ip": "10.0.0.9", "hostnames": ["db.example.com"]}], ((0,),)),
    "dns_policy": Example("ClusterFirst"),
    "dns_config": Example({"searches": ["example.com"], "options": [{"name": "ndots"}]}, ((),)),
    "pod_spec_patch": Example(
        {"hostUsers": False, "containers": [{"name": "main", "stdin": True}]},
        ((), ("containers", 0)),
    ),
    "retry": Example(
        {
            "max_attempts": 3,
            "backoff": "10s",
            "factor": 3,
            "expression": "true",
            "affinity": {"nodeAntiAffinity": {}},
        },
        ((), ("affinity",)),
    ),
    "timeout": Example("10m"),
    "queue_timeout": Example("1h"),
    "synchronization": Example(
        {
            "mutexes": [{"name": "warehouse"}],
            "semaphores": [{"configMapKeyRef": {"name": "limits", "key": "warehouse"}}],
        },
        ((), ("mutexes", 0), ("semaphores", 0, "configMapKeyRef")),
    ),
    "memoize": Example(
        {
            "key": "{{inputs.parameters.key}}-1",
            "maxAge": "1h",
            "cache": {"configMap": {"name": "memory", "key": "churn"}},
        },
        ((), ("cache",), ("cache", "configMap")),
    ),
    "metrics": Example(
        [
            {
                "name": "churn_seconds",
                "help": "How long it took.",
                "labels": [{"key": "team", "value": "churn"}],
                "gauge": {"value": "{{workflow.duration}}", "realtime": False},
            }
        ],
        ((0,), (0, "gauge"), (0, "labels", 0)),
        [
            {
                "name": "churn_tries",
                "help": "How often it was tried.",
                "counter": {"value": "1"},
            }
        ],
    ),
    "hooks": Example(
        {
            "running": {
                "expression": "workflow.status == 'Running'",
                "template": {
                    "container": {"image": "busybox", "command": ["echo"], "args": ["started"]}
                },
            }
        },
        (("running",), ("running", "template"), ("running", "template", "container")),
        {
            "started": {
                "expression": "tasks.train.status == 'Running'",
                "templateRef": {"name": "notifications", "template": "slack"},
                "arguments": {"parameters": [{"name": "text", "value": "it runs"}]},
            }
        },
    ),
    "archive_logs": Example(True),
    "extra": Example(
        {
            "podDisruptionBudget": {"minAvailable": 1},
            "templates": [{"name": "end", "metadata": {"labels": {"role": "end"}}}],
        },
        ((), ("podDisruptionBudget",), ("templates", 0)),
        {"container": {"workingDir": "/srv", "env": [{"name": "EXTRA", "value": "1"}]}},
    ),
    "argo_version": Example("3.7"),
    "kind": Example("CronWorkflow"),
    "namespace": Example("ml"),
    "parameters": Example(
        {"region": {"enum": ["eu", "us"], "description": "Where."}, "rate": {"enum": [0.1, 0.2]}},
        (("region",),),
    ),
    "workflow_timeout": Example(3600),
    "parallelism": Example(4),
    "priority": Example(10),
    "volume_claim_templates": Example(
        [
            {
                "metadata": {"name": "work"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            }
        ],
        ((0,), (0, "spec")),
    ),
    "artifact_repository": Example({"configMap": "artifact-repositories", "key": "s3"}, ((),)),
    "notifications": Example(
        {
            "slack": {"templateRef": {"name": "notifications", "template": "slack"}},
            "log": {
                "on": "always",
                "template": {"container": {"image": "busybox", "command": ["true"]}},
            },
        },
        (("slack",), ("slack", "templateRef"), ("log", "template")),
    ),
    "pod_gc": Example({"strategy": "OnPodSuccess", "deleteDelayDuration": "60s"}, ((),)),
    "ttl": Example({"success": "1d", "failure": "7d"}, ((),)),
    "workflow_metadata": Example({"labels": {"team": "churn"}}, ((),)),
    "suspend": Example(True),
    "schedules": Example(
        ["0 6 * * 1-5", {"schedule": "@daily", "timezone": "America/New_York"}], ((1,),)
    ),
    "timezone": Example("Europe/Madrid"),
    "concurrency_policy": Example("Forbid"),
    "starting_deadline": Example("5m"),
    "history_limits": Example({"successful": 0, "failed": 5}, ((),)),
}
