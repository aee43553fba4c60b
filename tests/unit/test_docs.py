"""The documentation says what the code does: its tables are generated, its examples are run.

ARGOSY_TEST_UPDATE=1 writes the generated parts anew.
"""

import inspect
import json
import os
import re
from pathlib import Path

import pytest

from argosy import runtime
from argosy.compiler import Request, compile, phases, source
from argosy.compiler.engines import back_end
from argosy.compiler.errors import SettingsError
from argosy.compiler.settings import SERVICES
from argosy.runtime import registry
from definitions import pipeline
from examples import argosy

ROOT = Path(__file__).parent.parent.parent
CONFIGURATION = ROOT / "docs" / "configuration.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```\n\n```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDED = {
    ("secrets", "kubernetes"): "{secret: s}",
    ("secrets", "aws-secrets-manager"): "{secret_id: s}",
    ("run_log_store", "db"): "{url: 'sqlite:///runs.db'}",
    ("run_log_store", "s3"): "{bucket: b}",
    ("catalog", "s3"): "{bucket: b}",
}
"""What a provider cannot do without."""
OTHERS = {
    ("argoproj.io/v1alpha1", "Application"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
    ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
}
"""Objects of others that the documentation shows."""
ASKS = "{type: task, command: a.b, secrets: [S], catalog: {put: [x]}}"


def generated(name: str, text: str, path: Path = CONFIGURATION) -> None:
    """Holds the part of the page that is called `name` to `text`."""
    page = path.read_text()
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.partition(start)
    found, _, after = rest.partition(end)
    if os.environ.get("ARGOSY_TEST_UPDATE") == "1":
        path.write_text(before + start + text + end + after)
    else:
        assert found == text


def test_the_options_are_those_that_there_are() -> None:
    lines = []
    for kind in SERVICES:
        for name in registry.BUILT_IN[kind]:
            options = getattr(registry.find(kind, name), "options", {})
            if not options:
                continue
            lines += [f"### {kind}: {name}", "| option | takes | default | |", "|---|---|---|---|"]
            for option, (takes, default, doc) in options.items():
                shown = "" if default is None else f"`{default}`"
                lines.append(f"| `{option}` | {takes} | {shown} | {doc} |")
            lines.append("")
    lines += ["### executor: kubernetes", *rows("kubernetes"), ""]
    generated("options", "\n".join(lines))
    generated("options", "\n".join(rows("argo")) + "\n", CONFIGURATION.with_name("argo.md"))


def rows(engine: str) -> list[str]:
    """The table of an engine's options."""
    found = ["| option | takes | default | a step too | becomes | |", "|---|---|---|---|---|---|"]
    for name, option in back_end(engine, "options").OPTIONS.items():
        step = "yes" if option.per_step else ""
        row = (f"`{name}`", option.takes, option.default, step, option.becomes, option.doc)
        found.append(f"| {' | '.join(row)} |")
    return found


def cell(tmp_path: Path, executor: str, service: str, provider: str) -> str:
    """What compiling says of a pipeline that asks every service for something."""
    in_a_cluster = executor in ("argo", "kubernetes")
    others = {
        "run_log_store": "file-system",
        "catalog": "file-system",
        "secrets": "kubernetes" if in_a_cluster else "env",
        service: provider,
    }
    config = "{image: i, claims: {runs: /runs}}" if in_a_cluster else "{}"
    lines = [f"executor: {{type: {executor}, config: {config}}}"]
    for name, kind in others.items():
        lines.append(f"{name}: {{type: {kind}, config: {NEEDED.get((name, kind), '{}')}}}")
    definition, configuration = tmp_path / "p.yaml", tmp_path / "c.yaml"
    definition.write_text(f"dag: {{steps: {{a: {ASKS}}}}}")
    configuration.write_text("\n".join(lines))
    request = Request(str(definition), (str(configuration),))
    try:
        compile(request, until=phases.integrate)
    except SettingsError as error:
        return error.problems[0].message.split(";")[0]
    return "works"


def test_the_matrix_is_what_the_integrations_say(tmp_path: Path) -> None:
    executors = "local", "local-container", "argo", "kubernetes"
    lines = [f"| provider | {' | '.join(executors)} |", "|---|---|---|---|---|"]
    for service in SERVICES[1:]:
        for provider in registry.BUILT_IN[service]:
            cells = [cell(tmp_path, executor, service, provider) for executor in executors]
            lines.append(f"| {service} {provider} | {' | '.join(cells)} |")
    generated("matrix", "\n".join(lines) + "\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_yaml_in_the_documentation_is_good(page: Path, tmp_path: Path) -> None:
    for text in BLOCK.findall(page.read_text()):
        found = source.loads(text)
        if "dag" in found:
            pipeline(text)
        elif "apiVersion" in found:  # of others; what kustomize reads is applied in tests/e2e
            assert (found["apiVersion"], found["kind"]) in OTHERS
        else:
            (tmp_path / "p.yaml").write_text("dag: {steps: {a: {type: stub}}}")
            (tmp_path / "c.yaml").write_text(text)
            request = Request(str(tmp_path / "p.yaml"), (str(tmp_path / "c.yaml"),), {"tag": "1"})
            compile(request, until=phases.integrate)


def test_the_code_of_a_step_runs(tmp_path: Path) -> None:
    ((code, definition),) = CODE.findall((ROOT / "docs" / "definition.md").read_text())
    (tmp_path / "churn.py").write_text(code)
    (tmp_path / "p.yaml").write_text(definition)
    done = argosy("run", "p.yaml", "-o", "json", cwd=tmp_path, **{"TOKEN": "t"})
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert run["parameters"] == {"rate": 0.5, "signed": True}
    assert list(run["catalog"]) == ["model.txt"]


def test_every_function_for_a_steps_code_is_there() -> None:
    _, _, part = (ROOT / "docs" / "definition.md").read_text().partition("## In a step's code")
    rows = re.findall(r"^\| (`.*?) \|", part.partition("\n## ")[0], re.MULTILINE)
    named = re.findall(r"`(\w+)(\(.*?\))`", " ".join(rows))
    assert {name for name, _ in named} == set(runtime.__all__)
    for name, written in named:
        arguments = re.findall(r"(\w+)(?:=\w+)?", written)
        assert set(arguments) <= set(inspect.signature(getattr(runtime, name)).parameters)
