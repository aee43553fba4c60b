"""What users of Argo Workflows express, by the examples of its own repository (argo-examples.txt),
and how each is said here.

`by` names what says it: a node (`map`), a field of one (`task.retry`) or of the definition
(`parameters`), an option of the executor (`option ttl`), a provider (`catalog s3`), a command
(`argosy submit`). A test holds each name to what there is.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

NAMES = [
    line
    for line in Path(__file__).with_name("argo-examples.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
LANGUAGE, RAW, NOT = "in the language", "a raw template", "not"


class Said(NamedTuple):
    """How the examples `names`, blank-separated, are said, by what, and what is to be known."""

    names: str
    how: str
    by: tuple[str, ...]
    note: str = ""


TABLE = (
    Said(
        "hello-world workflow-template/hello-world colored-logs fun-with-gifs buildkit-template",
        LANGUAGE,
        ("task.image", "task.args"),
        "a container task",
    ),
    Said("scripts-bash scripts-python", LANGUAGE, ("task.command_type", "task.command")),
    Said("scripts-javascript", LANGUAGE, ("task.image", "task.args"), "`[node, -e, ...]`"),
    Said(
        "arguments-parameters workflow-event-binding/event-consumer-workflowtemplate"
        " workflow-event-binding/github-path-filter-workflowtemplate",
        LANGUAGE,
        ("parameters",),
    ),
    Said(
        "arguments-parameters-from-configmap configmaps/simple-parameters-configmap"
        " global-parameters-from-configmap"
        " global-parameters-from-configmap-referenced-as-local-variable",
        LANGUAGE,
        ("option env_from",),
        "the ConfigMap's keys are variables of the step",
    ),
    Said(
        "global-parameters global-outputs intermediate-parameters output-parameter"
        " handle-large-output-results",
        LANGUAGE,
        ("task.returns",),
        "state flows along edges; a large value is kept apart",
    ),
    Said(
        "expression-destructure-json expression-destructure-json-complex"
        " expression-reusing-verbose-snippets expression-tag-template-workflow",
        LANGUAGE,
        ("task.returns", "task.command"),
        "parameters are JSON values, and a step's own code takes them apart",
    ),
    Said(
        "parameter-aggregation parameter-aggregation-dag parameter-aggregation-script map-reduce",
        LANGUAGE,
        ("map.reducers",),
    ),
    Said(
        "arguments-artifacts artifact-passing artifact-passing-subpath artifacts-workflowtemplate"
        " artifact-disable-archive ci-output-artifact key-only-artifact input-artifact-s3"
        " output-artifact-s3 testvolume",
        LANGUAGE,
        ("task.catalog", "catalog s3", "catalog file-system"),
        "files are kept as they are, by their hash",
    ),
    Said("artifact-gc-workflow", LANGUAGE, ("argosy runs",), "`argosy runs rm`"),
    Said(
        "archive-location workflow-template/workflow-archive-logs",
        LANGUAGE,
        ("option archive_logs",),
    ),
    Said("artifact-repository-ref", LANGUAGE, ("option artifact_repository",)),
    Said(
        "input-artifact-azure input-artifact-gcs input-artifact-git input-artifact-http"
        " input-artifact-oss input-artifact-raw output-artifact-azure output-artifact-gcs"
        " artifactory-artifact hdfs-artifact webhdfs-input-output-artifacts"
        " artifact-path-placeholders",
        RAW,
        ("argo.template",),
        "`inputs.artifacts` and `outputs.artifacts`; or a step's own code gets it",
    ),
    Said(
        "cluster-workflow-template/cluster-wftmpl-dag cluster-workflow-template/clustertemplates"
        " cluster-workflow-template/mixed-cluster-namespaced-wftmpl-steps"
        " cluster-workflow-template/workflow-template-ref"
        " cluster-workflow-template/workflow-template-ref-with-entrypoint-arg-passing",
        LANGUAGE,
        ("option kind", "argo.template_ref"),
    ),
    Said(
        "workflow-template/dag workflow-template/steps workflow-template/templates"
        " workflow-template/workflow-template-ref"
        " workflow-template/workflow-template-ref-with-entrypoint-arg-passing",
        LANGUAGE,
        ("option kind", "argo.template_ref"),
        "a WorkflowTemplate is what is rendered",
    ),
    Said(
        "coinflip dag-coinflip conditionals conditionals-complex conditional-artifacts"
        " conditional-parameters dag-conditional-artifacts dag-conditional-parameters",
        LANGUAGE,
        ("conditional",),
    ),
    Said(
        "coinflip-recursive recursive-for-loop fibonacci-seq-conditional-param",
        LANGUAGE,
        ("loop", "loop.break_on"),
    ),
    Said("forever", NOT, (), "a loop has `max_iterations`: the engine has a limit of levels"),
    Said(
        "container-set-template/graph-workflow container-set-template/outputs-result-workflow"
        " container-set-template/parallel-workflow container-set-template/sequence-workflow"
        " container-set-template/workspace-workflow",
        RAW,
        ("argo.template",),
        "`containerSet`",
    ),
    Said("continue-on-fail dag-continue-on-fail status-reference", LANGUAGE, ("task.on_failure",)),
    Said(
        "dag-diamond dag-diamond-steps dag-enhanced-depends dag-multiroot dag-targets steps"
        " dag-disable-failFast",
        LANGUAGE,
        ("task.depends_on",),
        "branches that do not need each other finish, as `failFast: false`",
    ),
    Said("dag-nested nested-workflow", LANGUAGE, ("dag", "parallel")),
    Said(
        "dag-inline-clusterworkflowtemplate dag-inline-cronworkflow dag-inline-workflow"
        " dag-inline-workflowtemplate steps-inline-workflow",
        LANGUAGE,
        ("dag.branch", "option kind"),
    ),
    Said("dag-task-level-timeout step-level-timeout timeouts-step", LANGUAGE, ("task.timeout",)),
    Said("timeouts-workflow", LANGUAGE, ("option workflow_timeout",)),
    Said(
        "cron-workflow cron-workflow-multiple-schedules",
        LANGUAGE,
        ("option schedules", "option timezone", "option concurrency_policy"),
    ),
    Said("cron-when", NOT, (), "`when` of a CronWorkflow is not among the options"),
    Said("cron-backfill", RAW, ("argo.template",), "a `resource` that creates workflows"),
    Said("custom-metrics dag-custom-metrics", LANGUAGE, ("option metrics",)),
    Said(
        "daemon-nginx daemon-step dag-daemon-task dag-daemon-retry-strategy"
        " steps-daemon-retry-strategy daemoned-stateful-set-with-service influxdb-ci",
        NOT,
        (),
        "a step ends before what comes after it; what serves one step is a sidecar",
    ),
    Said("sidecar sidecar-dind sidecar-nginx", LANGUAGE, ("option sidecars",)),
    Said("init-container", LANGUAGE, ("option init_containers",)),
    Said("data-transformations", RAW, ("argo.template",), "`data`"),
    Said("default-pdb-support", LANGUAGE, ("option extra",), "`podDisruptionBudget`"),
    Said("dns-config", LANGUAGE, ("option dns_config", "option dns_policy")),
    Said("exit-code-output-variable", RAW, ("argo.arguments",), "`{{tasks.NAME.exitCode}}`"),
    Said(
        "exit-handlers exit-handler-slack exit-handler-with-artifacts exit-handler-with-param",
        LANGUAGE,
        ("option notifications", "option hooks"),
        "the run's end is recorded by a handler of Argosy's",
    ),
    Said(
        "exit-handler-dag-level exit-handler-step-level template-on-exit"
        " life-cycle-hooks-tmpl-level life-cycle-hooks-wf-level",
        LANGUAGE,
        ("option hooks", "task.on_failure"),
    ),
    Said("hello-hybrid hello-windows node-selector", LANGUAGE, ("option node_selector",)),
    Said("http-hello-world http-success-condition", RAW, ("argo.template",), "`http`"),
    Said("image-pull-secrets", LANGUAGE, ("option image_pull_secrets",)),
    Said(
        "k8s-jobs k8s-orchestration k8s-owner-reference k8s-patch-json-pod k8s-patch-json-workflow"
        " k8s-patch-merge-pod k8s-patch-pod k8s-resource-log-selector k8s-set-owner-reference"
        " k8s-wait-wf resource-delete-with-flags resource-flags workflow-of-workflows",
        RAW,
        ("argo.template",),
        "`resource`",
    ),
    Said("label-value-from-workflow", LANGUAGE, ("option workflow_metadata", "option labels")),
    Said("pod-metadata pod-metadata-wf-field", LANGUAGE, ("option labels", "option annotations")),
    Said(
        "loops loops-dag loops-maps loops-param-argument loops-param-result loops-sequence"
        " withsequence-nested-result",
        LANGUAGE,
        ("map",),
    ),
    Said("loops-arbitrary-sequential-steps", LANGUAGE, ("map.max_parallel",), "`max_parallel: 1`"),
    Said("memoize-simple", RAW, ("argo.template",), "`memoize`; a resumed run skips what is done"),
    Said("work-avoidance", LANGUAGE, ("argosy run",), "`--resume`: what is done is skipped"),
    Said("resubmit", LANGUAGE, ("argosy render",), "a new Workflow from the WorkflowTemplate"),
    Said(
        "parallelism-limit parallelism-template-limit parallelism-nested parallelism-nested-dag"
        " parallelism-nested-workflow",
        LANGUAGE,
        ("option parallelism", "map.max_parallel"),
    ),
    Said("pod-gc-strategy pod-gc-strategy-with-label-selector", LANGUAGE, ("option pod_gc",)),
    Said("gc-ttl", LANGUAGE, ("option ttl",)),
    Said(
        "pod-spec-patch pod-spec-patch-wf-tmpl pod-spec-yaml-patch",
        LANGUAGE,
        ("option pod_spec_patch",),
    ),
    Said("pod-spec-from-previous-step", RAW, ("argo.template", "argo.arguments")),
    Said(
        "retry-backoff retry-conditional retry-container retry-container-to-completion"
        " retry-on-error retry-script retry-with-steps workflow-template/retry-with-steps",
        LANGUAGE,
        ("task.retry", "option retry"),
    ),
    Said("secrets", LANGUAGE, ("task.secrets", "secrets kubernetes")),
    Said("suspend-template", LANGUAGE, ("approval",)),
    Said("suspend-template-outputs", RAW, ("argo.template", "argo.returns"), "`suspend`"),
    Said(
        "synchronization-mutex-tmpl-level synchronization-mutex-tmpl-level-legacy"
        " synchronization-mutex-wf-level synchronization-mutex-wf-level-legacy"
        " synchronization-tmpl-level synchronization-tmpl-level-legacy synchronization-wf-level"
        " synchronization-wf-level-legacy",
        LANGUAGE,
        ("option synchronization",),
    ),
    Said(
        "synchronization-db-mutex-tmpl-level synchronization-db-mutex-wf-level"
        " synchronization-db-tmpl-level synchronization-db-wf-level",
        LANGUAGE,
        ("option synchronization",),
        "`database: true`",
    ),
    Said(
        "template-defaults",
        LANGUAGE,
        ("option resources", "option retry"),
        "the configuration is every step's default",
    ),
    Said(
        "volumes-emptydir volumes-existing volumes-pvc",
        LANGUAGE,
        ("option volumes", "option claims", "option volume_claim_templates"),
    ),
    Said("ci ci-workflowtemplate", LANGUAGE, ("task.image", "option volume_claim_templates")),
    Said("title-and-description-with-markdown", LANGUAGE, ("description",)),
    Said(
        "workflow-event-binding/event-consumer-workfloweventbinding"
        " workflow-event-binding/github-path-filter-workfloweventbinding",
        NOT,
        (),
        "an object of its own, which names the WorkflowTemplate that is rendered",
    ),
    Said("workflow-count-resourcequota", NOT, (), "a quota is the cluster's, not a pipeline's"),
)
