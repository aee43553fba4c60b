"""Configurations: merged, replaced, renamed, and wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.compiler import Compilation, Request, compile, phases
from argosy.compiler.errors import CompileError, SettingsError
from argosy.compiler.graph import Task

Resolved = Callable[..., Compilation]
PIPELINE = "name: p\ndag: {steps: {a: {type: task, command: a.b}}}"


@pytest.fixture
def resolved(tmp_path: Path) -> Resolved:
    """Compiles a pipeline with configurations, as far as its settings or its integrations."""

    def run(
        *configurations: str,
        pipeline: str = PIPELINE,
        until: phases.Phase = phases.resolve,
        **variables: str,
    ) -> Compilation:
        paths = []
        (tmp_path / "p.yaml").write_text(pipeline)
        for number, text in enumerate(configurations):
            path = tmp_path / f"c{number}.yaml"
            path.write_text(text)
            paths.append(str(path))
        request = Request(str(tmp_path / "p.yaml"), tuple(paths), variables)
        return compile(request, until=until)

    return run


def test_without_a_file_everything_is_local(resolved: Resolved) -> None:
    settings = resolved().settings
    assert [
        getattr(settings, name).type for name in ("executor", "run_log_store", "catalog", "secrets")
    ] == ["local", "file-system", "file-system", "env"]


def test_later_files_merge_over_earlier_ones_and_null_removes(resolved: Resolved) -> None:
    settings = resolved(
        "executor: {type: argo, config: {image: a, labels: {x: '1', y: '2'}, namespace: n}}",
        "executor: {config: {labels: {y: '3', z: '4'}, namespace: null}}",
    ).settings
    assert settings.executor.config == {
        "image": "a",
        "labels": {"x": "1", "y": "3", "z": "4"},
    }


def test_variables(resolved: Resolved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGOSY_VAR_tag", "from-environment")
    text = "executor: {type: argo, config: {image: 'a:${tag}$$'}}"
    assert resolved(text).settings.executor.config["image"] == "a:from-environment$"
    assert resolved(text, tag="given").settings.executor.config["image"] == "a:given$"
    monkeypatch.delenv("ARGOSY_VAR_tag")
    with pytest.raises(SettingsError, match=r"c0.yaml:1:40: error: the variable 'tag' is not"):
        resolved(text)


def test_overrides_merge_over_the_executor(resolved: Resolved) -> None:
    pipeline = """
name: p
dag:
  steps:
    a: {type: task, command: a.b, overrides: {argo: {resources: {limits: {memory: 4Gi}}}}}
    b: {type: task, command: a.b, overrides: {argo: big, local-container: {image: x}}}
"""
    settings = resolved(
        "executor: {type: argo, config: {image: i, resources: {limits: {cpu: 1}},"
        " overrides: {big: {image: j, resources: null}}}}",
        pipeline=pipeline,
    ).settings
    assert settings.steps == {
        "a": {"image": "i", "resources": {"limits": {"cpu": 1, "memory": "4Gi"}}},
        "b": {"image": "j"},
    }


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ("[1]", "a configuration is a mapping, not a list"),
        (
            "executer: {type: local}",
            "c0.yaml:1:1: error: the configuration has no field 'executer'",
        ),
        ("executor: {type: lokal}", "c0.yaml:1:18: error: there is no executor 'lokal'; did you"),
        ("executor: lokal", "c0.yaml:1:11: error: there is no executor 'lokal'; did you"),
        (
            "executor: {type: argos, config: {image: i}}",
            "c0.yaml:1:18: error: there is no executor 'argos'; did you mean 'argo'?",
        ),
        ("run_log_store: {type: file-system, config: {locaton: x}}", "did you mean 'location'?"),
        ("run_log_store: {type: file-system, config: {location: 5}}", "location takes a string"),
        ("executor: {type: local, image: x}", "an option of the executor goes under its config"),
        ("experiment_tracker: {type: mlflow}", "experiment_tracker 'mlflow' has no counterpart"),
        ("secrets: {type: kubernetes}", "c0.yaml:1:10: error:"),
        ("secrets: {type: kubernetes, config: {}}", "c0.yaml:1:37: error:"),
    ],
)
def test_bad_configurations(resolved: Resolved, configuration: str, expected: str) -> None:
    with pytest.raises(CompileError) as error:
        resolved(configuration, until=phases.integrate)
    assert expected in str(error.value)


def test_overrides_that_name_nothing(resolved: Resolved) -> None:
    pipeline = PIPELINE.replace("a.b", "a.b, overrides: {argos: {image: x}}")
    with pytest.raises(SettingsError, match="name no executor: 'argos'"):
        resolved(pipeline=pipeline)
    pipeline = PIPELINE.replace("a.b", "a.b, overrides: {argo: smal}")
    with pytest.raises(SettingsError, match="names no block of the executor: 'smal'"):
        resolved("executor: {type: argo, config: {overrides: {small: {}}}}", pipeline=pipeline)


def test_a_magnus_configuration_loads_unchanged(resolved: Resolved) -> None:
    settings = resolved("""
mode:
  type: argo
  config:
    docker_image: i
    output_file: argo.yaml
    max_step_duration_in_seconds: 60
    persistent_volumes: [{name: v, mount_path: /mnt}]
    retry_strategy: {limit: 2}
run_log: {type: chunked-fs, config: {log_folder: /mnt/$literal}}
catalog: {type: file-system, config: {catalog_location: /mnt/c}}
secrets: {type: env-secrets-manager, config: {prefix: p_}}
experiment_tracker: {type: do-nothing}
""").settings
    assert settings.executor.config == {
        "image": "i",
        "timeout": 60,
        "claims": {"v": "/mnt"},
        "retry": {"max_attempts": 3},
    }
    assert (settings.run_log_store.type, settings.run_log_store.config) == (
        "file-system",
        {"location": "/mnt/$literal"},
    )
    assert settings.catalog.config == {"location": "/mnt/c"}
    assert (settings.secrets.type, settings.secrets.config) == ("env", {"prefix": "p_"})


def test_what_magnus_leaves_empty_says_nothing(resolved: Resolved) -> None:
    settings = resolved(
        """
executor:
  type: argo
  config:
    image: $image
    node_selector:
    tolerations:
    image_pull_policy: ""
    resources: {limits: {memory: 1Gi}, requests: }
    retry_strategy:
      limit: 0
      retryPolicy: always
      backoff: {duration: , factor: 3, max_duration: 10m}
    overrides:
      patient: {retry_strategy: {limit: 4}}
""",
        image="i",
    ).settings
    assert settings.executor.config == {
        "image": "i",
        "resources": {"limits": {"memory": "1Gi"}},
        "retry": {"max_attempts": 1, "factor": 3, "max_backoff": "10m"},
        "overrides": {"patient": {"retry": {"max_attempts": 5}}},
    }


def test_the_services_of_a_magnus_definition_stand_beside_its_dag(resolved: Resolved) -> None:
    pipeline = PIPELINE.replace("name: p", "run_log_store: {type: buffered}")
    assert resolved(pipeline=pipeline).settings.run_log_store.type == "buffered"


@pytest.mark.parametrize(("patch", "kind"), [("a", "Loop"), ("b", "Dag")])
def test_a_mocked_loop_that_nothing_can_end_goes_round_once(
    resolved: Resolved, patch: str, kind: str
) -> None:
    a, b = ("{type: task, command: a.b}",) * 2
    loop = f"{{type: loop, break_on: d, max_iterations: 3, branch: {{steps: {{a: {a}}}}}}}"
    found = resolved(
        f"executor: {{type: mocked, config: {{patches: {{{patch}: {{command: c.d}}}}}}}}",
        pipeline=f"dag: {{steps: {{l: {loop}, b: {b}}}}}",
    )
    assert type(found.pipeline.graph.nodes["l"].spec).__name__ == kind


def test_mocked_makes_stubs_of_all_tasks_but_the_patched(resolved: Resolved) -> None:
    pipeline = "dag: {steps: {a: {type: task, command: a.b}, b: {type: task, command: a.b}}}"
    found = resolved(
        "executor: {type: mocked, config: {patches: {b: {command: exit 0, command_type: shell}}}}",
        pipeline=pipeline,
    )
    assert found.settings.executor.type == "local"
    kinds = {name: type(node.spec).__name__ for name, node in found.pipeline.graph.nodes.items()}
    assert kinds == {"a": "Stub", "b": "Task"}
    shell = pipeline.replace("a.b}}}", "exit 1, command_type: shell}}}")
    patched = resolved(
        "executor: {type: mocked, config: {patches: {b: {command: exit 0}}}}", pipeline=shell
    )
    assert patched.pipeline.graph.nodes["b"].spec == Task("exit 0", "shell")
    with pytest.raises(SettingsError, match="did you mean 'b'"):
        resolved(
            "executor: {type: mocked, config: {patches: {bb: {command: c.d}}}}", pipeline=pipeline
        )


def test_a_value_in_a_list_is_shown_where_it_stands(resolved: Resolved, tmp_path: Path) -> None:
    first = "executor:\n  type: argo\n  config:\n    image: i\n    tolerations:\n      - {key: 5}\n"
    with pytest.raises(SettingsError) as error:
        resolved(first, "executor: {config: {image: j}}", until=phases.integrate)
    assert str(error.value).startswith(f"{tmp_path}/c0.yaml:6:15: error: tolerations[0].key")
    with pytest.raises(SettingsError) as error:
        resolved("executor: {config: {image: j}}", first, until=phases.integrate)
    assert str(error.value).startswith(f"{tmp_path}/c1.yaml:6:15: error: tolerations[0].key")


@pytest.mark.parametrize(
    "patches", ["1", "[a]", "{a: 1}", "{a: {command: 1}}", "{a: {command: [x]}}"]
)
def test_patches_that_are_none(patches: str, resolved: Resolved, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        resolved(f"executor: {{type: mocked, config: {{patches: {patches}}}}}")
    assert str(error.value).startswith(f"{tmp_path}/c0.yaml:1:")


@pytest.mark.parametrize("executor", ["kubernetes", "argo"])
@pytest.mark.parametrize("override", ["{env: x}", "{env: [x]}", "{env: {A: []}}", "1", "[]"])
def test_overrides_of_the_wrong_type(
    executor: str, override: str, resolved: Resolved, tmp_path: Path
) -> None:
    step = f"{{type: task, command: a.b, overrides: {{{executor}: {override}}}}}"
    with pytest.raises(SettingsError) as error:
        resolved(
            f"executor: {{type: {executor}, config: {{image: i}}}}",
            pipeline=f"dag: {{steps: {{a: {step}}}}}",
            until=phases.integrate,
        )
    assert str(error.value).startswith(f"{tmp_path}/p.yaml:1:")


SLURM = """
from argosy.runtime.executors.base import Executor


class Slurm(Executor):
    executor_type = "slurm"
    family = "%s"
"""


@pytest.mark.parametrize(
    ("family", "run_log_store"), [("cluster", "kubernetes"), ("machines", "file-system")]
)
def test_an_executor_of_a_plugin_has_the_defaults_of_its_family(
    family: str,
    run_log_store: str,
    resolved: Resolved,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = f"slurm_{family}"
    (tmp_path / f"{module}.py").write_text(SLURM % family)
    step = "{type: task, command: a.b, overrides: {slurm: {queue: long}}}"
    found = resolved(
        f"plugins: [{module}]\nexecutor: {{type: slurm, config: {{queue: short}}}}",
        pipeline=f"dag: {{steps: {{a: {step}}}}}",
    ).settings
    assert found.run_log_store.type == run_log_store
    assert found.steps == {"a": {"queue": "long"}}


def test_an_override_for_an_executor_that_is_none(resolved: Resolved, tmp_path: Path) -> None:
    step = "{type: task, command: a.b, overrides: {agro: {image: i}}}"
    with pytest.raises(SettingsError) as error:
        resolved("executor: local", pipeline=f"dag: {{steps: {{a: {step}}}}}")
    said = str(error.value)
    assert said.startswith(f"{tmp_path}/p.yaml:1:57: error: overrides of step 'a' name no executor")
    assert "did you mean 'argo'?; `plugins` of the configuration adds" in said


def test_a_dollar_is_one_wherever_an_anchor_is_repeated(resolved: Resolved) -> None:
    found = resolved(
        "executor:\n  type: argo\n  config:\n    image: i\n"
        "    env: &env {PRICE: 5$$}\n    overrides: {block: {env: *env}}\n"
    ).settings.executor.config
    assert found["env"] == {"PRICE": "5$"}
    assert found["overrides"]["block"]["env"] == {"PRICE": "5$"}
