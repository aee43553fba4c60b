"""What `pip install` brings: a wheel that works without the folders it was built from."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CACHE = re.compile(r"__pycache__|_cache/")
FOLDERS = ("compiler", "runtime", "templates")

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def pip(*arguments: str, env: Mapping[str, str] | None = None) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("source"))


def build(source: Path) -> Path:
    """A wheel, built in `source` from a copy of what git would have, so that no earlier build is in
    it, and for one moment in time, as `make dist` does."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
        shutil.copytree(ROOT / name, source / name, ignore=ignored, copy_function=shutil.copyfile)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    into = str(source / "dist")
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", into, str(source), env=environment)
    (built,) = (source / "dist").glob("argosy-*.whl")
    return built


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The scripts of an environment that holds the wheel and what it requires."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False)
    scripts = folder / "bin"
    into = ["--python", str(scripts / "python"), "install", "--quiet"]
    pip(*into, "--require-hashes", "--requirement", str(ROOT / "requirements/core.txt"))
    pip(*into, "--no-deps", str(wheel))
    return scripts


def run(command: Sequence[str | Path], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_packages_are_the_folders(project: dict[str, Any]) -> None:
    folders = [
        "argosy." + ".".join(path.parent.relative_to(ROOT).parts)
        for name in FOLDERS
        for path in (ROOT / name).rglob("__init__.py")
    ]
    assert project["tool"]["setuptools"]["packages"] == sorted(folders)


def test_every_module_is_in_a_package() -> None:
    lonely = {
        path.parent
        for name in ("compiler", "runtime")
        for path in (ROOT / name).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert not lonely


def test_the_wheel_holds_every_source_file(wheel: Path) -> None:
    sources = {
        f"argosy/{path.relative_to(ROOT).as_posix()}"
        for name in FOLDERS
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix != ".toml" and not CACHE.search(str(path))
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("argosy/")}
    assert names == sources
    assert "argosy/__init__.py" not in names, "argosy is a namespace package"


def test_a_wheel_has_the_same_bytes_wherever_it_is_built(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = build(tmp_path_factory.mktemp("elsewhere"))
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_the_types_are_seen(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"argosy/{name}/py.typed" for name in FOLDERS} <= set(names)
    for name in FOLDERS:
        assert (ROOT / ".types/argosy" / name).resolve() == ROOT / name


def test_the_wheel_works_in_a_clean_environment(clean: Path, tmp_path: Path) -> None:
    python = clean / "python"
    where = run([python, "-c", "import argosy.compiler as c; print(c.__file__)"], tmp_path)
    assert ROOT not in Path(where).parents
    (tmp_path / "steps.py").write_text("def hello(): return {'greeting': 'hi'}\n")
    (tmp_path / "hello.yaml").write_text(
        "dag: {steps: {a: {type: task, command: steps.hello, returns: [greeting]}}}\n"
    )
    (tmp_path / "argo.yaml").write_text(
        "executor: {type: argo, config: {image: 'example/hello:1', claims: {runs: /runs}}}\n"
        "run_log_store: {type: file-system}\n"
    )
    argosy = clean / "argosy"
    run([argosy, "check", "hello.yaml"], tmp_path)
    run([argosy, "render", "hello.yaml", "-c", "argo.yaml", "-o", "manifests"], tmp_path)
    assert (tmp_path / "manifests/kustomization.yaml").exists()
    assert "hi" in run([argosy, "run", "hello.yaml"], tmp_path)


def test_the_extras_resolve_to_versions_of_today(wheel: Path) -> None:
    """Without bounds pip went back ten minutes, and ended with versions of ten years ago."""

    done = pip(
        "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-", f"{wheel}[all]"
    )
    found = {
        item["metadata"]["name"].lower(): int(item["metadata"]["version"].split(".")[0])
        for item in json.loads(done)["install"]
    }
    oldest = {"kubernetes": 30, "argo-workflows": 6, "python-dotenv": 1, "jinja2": 3, "click": 8}
    assert {name: found.get(name, 0) >= least for name, least in oldest.items()} == (
        dict.fromkeys(oldest, True)
    )


def test_all_is_every_extra_but_the_developers(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    (everything,) = extras["all"]
    named = re.fullmatch(r"argosy\[(.*)\]", everything)
    assert named
    assert set(named[1].split(",")) == set(extras) - {"all", "dev"}


@pytest.mark.parametrize("name", ["core", "all", "dev", "image", "dist"])
def test_every_requirement_is_locked_with_hashes(project: dict[str, Any], name: str) -> None:
    extras = project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    everything = [one for extra in extras if extra != "dev" for one in extras[extra]]
    required = {
        "core": groups["build"],
        "all": [*everything, *groups["build"]],
        "dev": [*everything, *extras["dev"], *groups["build"]],
        "image": [*everything, *groups["image"]],
        "dist": [*groups["build"], *groups["dist"]],
    }[name]
    names = {
        re.split(r"[^A-Za-z0-9-]", one)[0].lower()
        for one in [*project["project"]["dependencies"], *required]
    } - {"argosy"}
    locked = locked_versions(name)
    assert names <= set(locked)
    if name != "dist":
        assert locked.items() <= locked_versions("dev").items(), "one version in every set"


def locked_versions(name: str) -> dict[str, str]:
    """The versions in a set of requirements; each must have a hash."""
    text = (ROOT / f"requirements/{name}.txt").read_text("utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    return dict(entry.split()[0].split("==") for entry in entries)


def test_the_entry_points_are_the_registrys_table(project: dict[str, Any]) -> None:
    from argosy.runtime.registry import BUILT_IN, GROUPS

    declared = project["project"]["entry-points"]
    assert declared == {GROUPS[kind]: dict(table) for kind, table in BUILT_IN.items()}


def test_a_pod_starts_without_what_only_compiling_needs() -> None:
    heavy = ["jinja2", "yaml", "click", "argosy.compiler", "importlib.metadata", "dataclasses"]
    program = (
        "import sys, argosy.runtime, argosy.runtime.__main__\n"
        f"print(sorted(set({heavy!r}) & set(sys.modules)))"
    )
    done = run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = ['.types']\n{program}"], ROOT
    )
    assert done.strip() == "[]"
