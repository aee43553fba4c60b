"""Applying and pruning, on a cluster that is a dictionary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from argosy.compiler.cluster import Cluster, ConflictError, NoSuchKindError, NotAllowedError
from argosy.compiler.cluster import apply as applying
from argosy.compiler.cluster.apply import (
    LAST_APPLIED,
    explained,
    in_order,
    planned,
    refuse_strangers,
)
from argosy.compiler.cluster.client import MANAGER
from argosy.compiler.cluster.prune import stale
from argosy.compiler.cluster.resources import Resource, resource_of
from argosy.compiler.settings import merge

LABELS = {"app.kubernetes.io/managed-by": "argosy", "argosy.dev/pipeline": "churn"}
ARGO, RBAC = "argoproj.io/v1alpha1", "rbac.authorization.k8s.io/v1"
VERSIONS = {"ServiceAccount": "v1", "ConfigMap": "v1", "PersistentVolumeClaim": "v1", "Role": RBAC}


class Memory(Cluster):
    """A cluster without an API server: what is applied is merged into what is there."""

    namespace = "ml"
    place = "memory"

    def __init__(self, *objects: Any) -> None:
        self.objects = {(one["kind"], one["metadata"]["name"]): one for one in objects}
        self.applied: list[str] = []
        self.deleted: list[str] = []
        self.managers: list[str] = []

    def get(self, resource: Resource, name: str) -> Any:
        return self.objects[resource.kind, name]

    def find(self, resource: Resource, name: str) -> Any:
        return self.objects.get((resource.kind, name))

    def list(self, resource: Resource, selector: str = "", brief: bool = False) -> Any:
        if resource.kind == "CronJob":
            raise NoSuchKindError("no cronjobs")
        if resource.kind == "ClusterWorkflowTemplate":
            raise NotAllowedError("may not list clusterworkflowtemplates")
        assert f"argosy.dev/pipeline={LABELS['argosy.dev/pipeline']}" in selector
        assert "!argosy.dev/environment" in selector
        return [one for (kind, _), one in self.objects.items() if kind == resource.kind]

    def apply(
        self,
        body: Mapping[str, Any],
        *,
        dry: bool = False,
        force: bool = False,
        manager: str = MANAGER,
    ) -> Any:
        key = body["kind"], body["metadata"]["name"]
        self.managers.append(manager)
        found = merge(self.objects.get(key, {}), dict(body))
        if not dry:
            self.objects[key] = found
            self.applied.append(key[0])
        return found

    def patch(self, resource: Resource, name: str, patch: Mapping[str, Any]) -> Any:
        key = resource.kind, name
        self.objects[key] = merge(self.objects[key], dict(patch))
        return self.objects[key]

    def delete(self, resource: Resource, name: str) -> None:
        self.deleted.append(name)


def made(kind: str, name: str, labels: Mapping[str, str] = LABELS, **more: Any) -> Any:
    metadata = {"name": name, "labels": dict(labels)}
    return {"apiVersion": VERSIONS.get(kind, ARGO), "kind": kind, "metadata": metadata, **more}


TEMPLATE = made("WorkflowTemplate", "churn", spec={"entrypoint": "main", "parallelism": 3})


def test_what_a_run_needs_is_applied_before_what_starts_one() -> None:
    kinds = ["CronWorkflow", "WorkflowTemplate", "Role", "PersistentVolumeClaim", "ServiceAccount"]
    ordered = in_order(made(kind, "a") for kind in kinds)
    assert [one["kind"] for one in ordered] == [
        *["ServiceAccount", "Role", "PersistentVolumeClaim"],
        *["WorkflowTemplate", "CronWorkflow"],
    ]


def test_what_would_become_of_an_object() -> None:
    client = Memory()
    assert planned(client, TEMPLATE).action == "created"
    applying.apply(client, TEMPLATE, None)
    client.objects["WorkflowTemplate", "churn"]["metadata"] |= {"uid": "1", "managedFields": []}
    client.objects["WorkflowTemplate", "churn"]["status"] = {"seen": True}
    assert planned(client, TEMPLATE).action == "unchanged"
    found = planned(client, merge(TEMPLATE, {"spec": {"parallelism": 4}}))
    assert found.action == "configured"
    assert [(one.place, one.old, one.new) for one in found.changes()] == [
        ("spec.parallelism", 3, 4)
    ]


def applied_by(*managers: str) -> Any:
    fields = [{"manager": manager, "operation": "Apply"} for manager in managers]
    fields.append({"manager": "workflow-controller", "operation": "Update"})
    return merge(TEMPLATE, {"metadata": {"managedFields": fields}})


@pytest.mark.parametrize(
    ("managers", "asked", "others"),
    [
        ((), MANAGER, []),
        (("kustomize-controller",), "kustomize-controller", ["kustomize-controller"]),
        (("kubectl", MANAGER), MANAGER, ["kubectl"]),
    ],
)
def test_the_cluster_is_asked_as_who_applies_the_object(
    managers: tuple[str, ...], asked: str, others: list[str]
) -> None:
    client = Memory(applied_by(*managers))
    found = planned(client, TEMPLATE, force=True, own=False)
    assert client.managers == [asked]
    assert found.others() == others
    planned(client, TEMPLATE)
    assert client.managers[-1] == MANAGER


def test_what_a_client_side_apply_has_left_goes() -> None:
    """And not what others have set since."""
    before = merge(
        TEMPLATE,
        {"metadata": {"annotations": {}}, "spec": {"priority": 1, "security": {"a": 1, "b": 2}}},
    )
    live = merge(before, {"spec": {"suspend": True}})
    live["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(before), "kept": "so"}
    client = Memory(live)
    after = merge(TEMPLATE, {"spec": {"security": {"a": 1}}})
    found = planned(client, after)
    assert {change.place for change in found.changes()} == {"spec.priority", "spec.security.b"}
    applying.apply(client, after, live)
    now = client.objects["WorkflowTemplate", "churn"]
    assert now["spec"] == {**after["spec"], "suspend": True}
    assert now["metadata"]["annotations"] == {"kept": "so"}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({**LABELS, "argosy.dev/pipeline": "other"}, "of the pipeline 'other'"),
        ({**LABELS, "argosy.dev/environment": "staging"}, "of the pipeline 'churn' in staging"),
        ({}, "not made by Argosy"),
    ],
)
def test_an_object_of_somebody_elses_is_not_taken_over(labels: dict[str, str], said: str) -> None:
    client = Memory(made("ServiceAccount", "churn", labels))
    found = planned(client, made("ServiceAccount", "churn"))
    with pytest.raises(ConflictError, match=f"ServiceAccount 'churn' is there already, and {said}"):
        refuse_strangers([planned(client, TEMPLATE), found])
    refuse_strangers([planned(Memory(TEMPLATE), TEMPLATE)])


def test_a_conflict_is_explained_by_who_has_set_the_fields() -> None:
    kubectl = explained(ConflictError('conflict with "kubectl-edit": .spec.parallelism'))
    assert "--force-conflicts" in str(kubectl)
    flux = explained(ConflictError('conflict with "kustomize-controller": .spec.parallelism'))
    assert "GitOps controller" in str(flux)
    assert "--force-conflicts" not in str(flux)


def test_what_is_rendered_no_more_goes_but_what_is_needed_stays() -> None:
    run = made("Workflow", "churn-x", spec={"workflowTemplateRef": {"name": "churn"}})
    run["status"] = {"storedWorkflowTemplateSpec": {"arguments": {"configMapKeyRef": "nodes-1"}}}
    ended = made("Workflow", "churn-y", status={"finishedAt": "now", "nodes-2": ["nodes-2"]})
    owned = made("ConfigMap", "log")
    owned["metadata"]["ownerReferences"] = [{"name": "churn-x"}]
    claim = made("PersistentVolumeClaim", "runs")
    cron, one, two = made("CronWorkflow", "churn"), *(made("ConfigMap", f"nodes-{n}") for n in "12")
    client = Memory(TEMPLATE, run, ended, owned, claim, cron, one, two)
    warnings: list[str] = []
    rendered = {("WorkflowTemplate", "churn")}
    found = stale(client, LABELS, rendered, warnings.append)
    assert {(each.name, each.kept.partition(";")[0]) for each in found} == {
        ("churn", ""),
        ("nodes-1", "the run churn-x uses it"),
        ("nodes-2", ""),
        ("runs", "it may hold data"),
    }
    assert warnings == [
        "not looked for: clusterworkflowtemplates (may not list clusterworkflowtemplates)"
    ]
    found = stale(client, LABELS, rendered, warnings.append, claims=True)
    assert {each.name for each in found if not each.kept} == {"churn", "nodes-2", "runs"}


def test_every_kind_that_is_rendered_can_be_applied() -> None:
    from argosy.compiler.diff.objects import read
    from examples import FOLDER

    for path in sorted(Path(FOLDER).glob("*/manifests/*.yaml")):
        if not path.name.startswith("kustom"):
            for obj in read({path.name: path.read_text()}).values():
                resource_of(obj)
