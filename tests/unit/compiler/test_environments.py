"""Environments: layers of the configuration, and objects that can share a namespace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.compiler import Request, compile, emit, phases
from argosy.compiler.errors import ManifestError, SettingsError
from examples import argosy

PIPELINE = """\
name: churn
dag:
  steps:
    a: {type: task, command: a.b}
    b: {type: task, command: a.b, overrides: {argo: {claims: {runs: /elsewhere}, env: {A: "1"}}}}
"""
ARGO = """\
executor:
  type: argo
  config:
    image: registry.example.com/churn:1
    schedules: ["@daily"]
    service_account: {name: trainer, create: true}
    claims: {runs: {mount_path: /runs, create: true, size: 1Gi}, shared: /shared}
"""
Files = Callable[..., Request]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A request for files of these names and contents; configurations are `-c`'s."""

    def made(environment: str, *configurations: str, **contents: str) -> Request:
        for name, content in {"churn": PIPELINE, "argo": ARGO, **contents}.items():
            (tmp_path / f"{name.replace('__', '.')}.yaml").write_text(content)
        given = tuple(str(tmp_path / f"{name}.yaml") for name in configurations or ("argo",))
        return Request(str(tmp_path / "churn.yaml"), given, environment=environment)

    return made


def objects(request: Request) -> list[Any]:
    found = compile(request).files.values()
    return [yaml.safe_load(text) for text in found]


def image(request: Request) -> Any:
    return compile(request, until=phases.resolve).settings.executor.config["image"]


def test_the_layers_of_an_environment_come_over_all_configurations(files: Files) -> None:
    layers = {
        "argo__staging": "executor: {config: {image: staging}}",
        "argo__live": "executor: {config: {image: live}}",
        "more": "executor: {config: {image: more}}",
    }
    assert image(files("", "argo", "more", **layers)) == "more"
    assert image(files("staging", "argo", "more", **layers)) == "staging"
    assert image(files("live", "more", "argo", **layers)) == "live"


def test_a_definition_with_a_configuration_has_layers_too(tmp_path: Path) -> None:
    (tmp_path / "churn.yaml").write_text(PIPELINE + ARGO)
    (tmp_path / "churn.live.yaml").write_text("executor: {config: {image: live}}")
    assert image(Request(str(tmp_path / "churn.yaml"), environment="live")) == "live"


def test_an_environment_without_a_layer_is_an_error_that_names_the_file(files: Files) -> None:
    with pytest.raises(SettingsError) as error:
        objects(files("stagin", "argo", argo__staging=""))
    assert "argo.stagin.yaml" in str(error.value)
    assert "did you mean 'staging'?" in str(error.value)


@pytest.mark.parametrize("name", ["../x", "A", "-a", "a.b", "a" * 33])
def test_a_name_is_one_that_files_and_objects_can_have(files: Files, name: str) -> None:
    with pytest.raises(SettingsError, match="is no name of an environment"):
        objects(files(name))


def test_two_environments_can_share_a_namespace(files: Files) -> None:
    """No two objects have one name, and each refers to those of its own environment."""
    found = {}
    for environment in ("", "staging", "live"):
        every = objects(files(environment, argo__staging="", argo__live=""))
        found[environment] = [one for one in every if one.get("metadata")]
    names = [(one["kind"], one["metadata"]["name"]) for every in found.values() for one in every]
    assert len(set(names)) == len(names) == 3 * 6
    by_kind = {one["kind"]: one for one in found["staging"]}
    spec = by_kind["WorkflowTemplate"]["spec"]
    claims = [
        {volume["persistentVolumeClaim"]["claimName"] for volume in template["volumes"]}
        for template in spec["templates"]
        if "container" in template
    ]
    assert claims == [{"runs-staging", "shared"}] * 3
    assert by_kind["PersistentVolumeClaim"]["metadata"]["name"] == "runs-staging"
    assert spec["serviceAccountName"] == by_kind["ServiceAccount"]["metadata"]["name"]
    assert by_kind["RoleBinding"]["subjects"][0]["name"] == "trainer-staging"
    reference = by_kind["CronWorkflow"]["spec"]["workflowSpec"]["workflowTemplateRef"]
    assert reference == {"name": by_kind["WorkflowTemplate"]["metadata"]["name"]}
    for one in found["staging"]:
        assert one["metadata"]["labels"]["argosy.dev/environment"] == "staging"
        assert one["metadata"]["labels"]["argosy.dev/pipeline"] == "churn"
    assert spec["podMetadata"]["labels"]["argosy.dev/environment"] == "staging"
    assert "argosy.dev/environment" not in found[""][0]["metadata"]["labels"]


def test_a_folder_is_one_environments(files: Files, tmp_path: Path) -> None:
    folder = str(tmp_path / "manifests")
    emit.write(compile(files("staging", argo__staging="")).files, folder)
    with pytest.raises(ManifestError, match=r'of the pipeline "churn" in staging'):
        emit.write(compile(files("")).files, folder)


def version(request: Request) -> str:
    """That of the WorkflowTemplate, which its workflows and their pods have too."""
    template = objects(request)[0]
    spec = template["spec"]
    holders = template["metadata"], spec["podMetadata"], spec["workflowMetadata"]
    (found,) = {holder["labels"]["argosy.dev/version"] for holder in holders}
    return str(found)


def test_the_version_is_that_of_the_content(files: Files, tmp_path: Path) -> None:
    first = version(files(""))
    assert first == version(files(""))
    assert first == version(files("", argo=ARGO.replace("@daily", "@hourly")))
    assert first != version(files("", argo=ARGO.replace("churn:1", "churn:2")))
    assert first != version(files("", churn=PIPELINE.replace("a.b}", "a.c}")))
    own = tmp_path / "templates" / "argo"
    own.mkdir(parents=True)
    (own / "spec.yaml.j2").write_text('<% include "argosy/argo/spec.yaml.j2" %>')
    assert first != version(files("")._replace(templates=str(own.parent)))


def test_accounts_roles_and_claims_do_not_change_with_the_version(files: Files) -> None:
    for one in objects(files("")):
        found = "argosy.dev/version" in one.get("metadata", {}).get("labels", {})
        assert found == (one.get("kind") in ("WorkflowTemplate", "CronWorkflow")), one["kind"]


def test_without_argo_it_is_the_same(files: Files, tmp_path: Path) -> None:
    """Names, labels and versions of a CronJob, of its Jobs and their pods."""
    argo = ARGO.replace("type: argo", "type: kubernetes")
    churn = PIPELINE.replace("argo: {claims: {runs: /elsewhere}, env", "kubernetes: {env")
    found = objects(files("staging", argo=argo, churn=churn, argo__staging=""))
    by_kind = {one["kind"]: one for one in found}
    job = by_kind["CronJob"]["spec"]["jobTemplate"]
    holders = by_kind["CronJob"], job, job["spec"]["template"]
    assert by_kind["CronJob"]["metadata"]["name"] == "churn-staging"
    assert len({one["metadata"]["labels"]["argosy.dev/version"] for one in holders}) == 1
    claims = [one["persistentVolumeClaim"]["claimName"] for one in pod_volumes(job)]
    assert claims == ["runs-staging", "shared"]
    for one in (*found[:-1], *holders):
        assert one["metadata"]["labels"]["argosy.dev/environment"] == "staging"


def pod_volumes(job: Any) -> list[Any]:
    return [
        one for one in job["spec"]["template"]["spec"]["volumes"] if "persistentVolumeClaim" in one
    ]


def test_the_kustomization_labels_all_that_is_in_it(files: Files) -> None:
    found = objects(files("staging", argo__staging=""))
    (kustomization,) = [one for one in found if one.get("kind") == "Kustomization"]
    (group,) = kustomization["labels"]
    claims = [one for one in found if one.get("kind") == "PersistentVolumeClaim"]
    assert group == {"pairs": claims[0]["metadata"]["labels"], "includeSelectors": False}


def test_the_kustomization_keeps_the_order_in_which_objects_are_applied(files: Files) -> None:
    """A CronWorkflow before its WorkflowTemplate is invalid until the controller looks again."""
    found = yaml.safe_load(compile(files("staging", argo__staging="")).files["kustomization.yaml"])
    assert found["sortOptions"] == {"order": "fifo"}
    assert found["resources"] == [
        "serviceaccount.yaml", "role.yaml", "rolebinding.yaml", "claim-runs-staging.yaml",
        "workflowtemplate.yaml", "cronworkflow.yaml",
    ]  # fmt: skip


def test_commands_without_a_definition_take_an_environment_too(tmp_path: Path) -> None:
    (tmp_path / "here.yaml").write_text("run_log_store: {type: file-system}")
    layer = "run_log_store: {config: {location: elsewhere}}"
    (tmp_path / "here.live.yaml").write_text(layer)
    (tmp_path / "p.yaml").write_text("dag: {steps: {a: {type: stub}}}")
    done = argosy("run", "p.yaml", "-c", "here.yaml", "--env", "live", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "elsewhere" / "runs").is_dir()
    for command in (["runs"], ["show", "latest"], ["logs", "latest"]):
        done = argosy(*command, "-c", "here.yaml", "--env", "live", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    done = argosy("runs", "--env", "live", cwd=tmp_path)
    assert (done.returncode, "-c" in done.stderr) == (2, True)
