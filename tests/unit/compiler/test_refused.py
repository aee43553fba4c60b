"""What an executor cannot run."""

import pytest

from argosy.compiler.refused import refused
from definitions import steps


def test_an_approval_is_refused_where_nobody_can_be_asked() -> None:
    (problem,) = refused(steps("a: {type: approval}"), "kubernetes", "kubernetes")
    assert "nobody can be asked in a Job" in problem.message
    for other in ("local", "local-container", "argo"):
        assert not list(refused(steps("a: {type: approval}"), other, "env"))


def test_a_notebook_is_refused_here_where_its_extra_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = steps("a: {type: task, command_type: notebook, command: n.ipynb}")
    assert not list(refused(graph, "local", "env"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (problem,) = refused(graph, "local", "env")
    assert problem.message == "step 'a' is a notebook, which needs nbclient: it is not installed"
    assert "pip install 'argosy[notebook]'" in problem.hint
    assert not list(refused(graph, "argo", "env"))
