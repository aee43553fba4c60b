"""Manifests as text: what is read back is what was meant, and the same bytes every time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from argosy.compiler import phases
from argosy.compiler.errors import ManifestError
from argosy.compiler.render import as_yaml, render
from definitions import steps
from lowered import compiled

GRAPH = """\
a: {type: task, command: a.b, retry: 2, secrets: [TOKEN], on_failure: h}
h: {type: task, command_type: shell, command: "echo '{{workflow.name}}' $(id) \\"x\\" \\\\ 100%"}
m: {type: map, iterate_on: xs, iterate_as: x, max_parallel: 2, branch: {steps: {x: {type: stub}}}}
"""
EVERYTHING = {
    "namespace": "ml",
    "schedules": ["0 6 * * *"],
    "timezone": "UTC",
    "env": {"y": "no", "N": "1e3", "E": "a: b # c"},
    "labels": {"on": "yes"},
    "claims": {"runs": {"mount_path": "/runs", "create": True, "size": "1Gi"}},
    "parallelism": 2,
    "workflow_timeout": 60,
    "image_pull_secrets": ["pull"],
}
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        "yes",
        "1e3",
        "0x10",
        "- a",
        "#",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        '"',
        "'",
        "\\",
        '{"a":"\\"\'"}',
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def rendered(config: dict[str, Any], **more: Any) -> Any:
    return compiled(steps(GRAPH), config=config, until="render", parameters={"xs": [1]}, **more)


@given(values)
def test_yaml_reads_the_value_that_was_written(value: Any) -> None:
    text = f"- {as_yaml(value)}\n"
    assert yaml.safe_load(text) == [value]
    assert yaml.load(text, Loader=yaml.CSafeLoader) == [value]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", 'b "c"', "d\\e"], """["a", 'b "c"', "d\\\\e"]"""),
        (['"it\'s"', 'x\\"'], """['"it\'\'s"', 'x\\"']"""),
        (['"\n', '"\u2028', 'y"'], r"""["\"\n", "\"\u2028", 'y"']"""),
    ],
)
def test_text_with_quotes_in_it_stands_in_single_ones_where_that_can_be(
    value: Any, text: str
) -> None:
    assert as_yaml(value) == text


@pytest.mark.parametrize("config", [{}, EVERYTHING, {"kind": "Workflow"}])
def test_files_hold_the_objects_that_were_lowered(config: dict[str, Any]) -> None:
    compilation = rendered(config)
    for manifest in compilation.manifests:
        found = yaml.safe_load(compilation.files[manifest.file])
        if manifest.data:
            assert found == manifest.data


def test_every_user_s_key_and_text_is_quoted() -> None:
    text = rendered(EVERYTHING).files["workflowtemplate.yaml"]
    assert '{"name":"y", "value":"no"}' in text
    assert '"on":"yes"' in text


def test_nodes_can_be_read_in_the_manifest() -> None:
    text = rendered({}).files["workflowtemplate.yaml"]
    assert """"value":'{"step":"a","rank":"0","from":[""],"command":"a.b\"""" in text


def test_rendering_twice_gives_the_same_bytes_in_any_locale(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("name: é\ndag: {steps: {b: {type: stub}, a: {type: stub}}}\n")
    (tmp_path / "c.yaml").write_text(
        "executor: {type: argo, config: {image: i, claims: {runs: /runs}}}\n"
        "run_log_store: {type: file-system, config: {location: /runs}}\n"
    )
    argosy = str(Path(sys.executable).with_name("argosy"))
    command = [argosy, "render", "p.yaml", "-c", "c.yaml"]
    found = set()
    for seed, locale in (("1", "C"), ("2", "C.UTF-8")):
        env = {"PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": f"UTC-{seed}", "PATH": "/bin"}
        run = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr
        found.add(run.stdout)
    assert len(found) == 1


def test_a_template_of_the_users_own_comes_first(tmp_path: Path) -> None:
    own = tmp_path / "argo"
    own.mkdir()
    (own / "role.yaml.j2").write_text("kind: Role # << metadata.name >>\n")
    (own / "workflowtemplate.yaml.j2").write_text(
        '<% extends "argosy/argo/workflowtemplate.yaml.j2" %>\n'
        "<% block spec %>\n<< super() | safe >># ours\n<% endblock %>\n"
    )
    compilation = compiled(steps(GRAPH), parameters={"xs": [1]})
    request = compilation.request._replace(templates=str(tmp_path))
    files = render(compilation._replace(request=request)).files
    assert files["role.yaml"].endswith('kind: Role # "p"\n')
    assert files["workflowtemplate.yaml"].endswith("# ours\n")
    assert yaml.safe_load(files["workflowtemplate.yaml"]) == compilation.manifests[0].data


def test_templates_that_take_the_place_of_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "role.yaml.j2").write_text("kind: Role\n")
    compilation = compiled(steps(GRAPH), parameters={"xs": [1]})
    request = compilation.request._replace(templates=str(tmp_path))
    with pytest.raises(ManifestError, match=r"none of the templates\n.*argo/role\.yaml\.j2"):
        phases.render(compilation._replace(request=request))


@pytest.mark.parametrize("text", ["<< nothing >>", "<% for %>", "<< metadata | upper(1, 2) >>"])
def test_a_template_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "argo").mkdir()
    (tmp_path / "argo" / "role.yaml.j2").write_text(text)
    compilation = compiled(steps(GRAPH), parameters={"xs": [1]})
    request = compilation.request._replace(templates=str(tmp_path))
    with pytest.raises(ManifestError, match=r"argo/role\.yaml\.j2"):
        phases.render(compilation._replace(request=request))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"a":"b"}', """'{"a":"b"}'"""),
        ("it's", '"it\'s"'),
        ('it\'s "so" \\', "'it''s \"so\" \\'"),
        ('a\n"b"c', r'"a\n\"b\"c"'),
        ('"\u2028"', r'"\"\u2028\""'),
    ],
)
def test_text_is_written_so_that_it_can_be_read(text: str, written: str) -> None:
    assert as_yaml(text) == written
