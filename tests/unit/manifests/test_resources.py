"""Options that a cluster would reject, or that never work."""

from __future__ import annotations

from typing import Any

import pytest

from argosy.compiler.argo.checks import check_options
from argosy.compiler.argo.variables import unknown_variables
from argosy.compiler.errors import DefinitionError
from argosy.compiler.kubernetes.checks import check_options as check_options_of_jobs
from argosy.compiler.options.cron import cron
from argosy.compiler.options.readers import WrongValue, image
from definitions import steps

IMAGE = {"image": "registry.example.com/churn:1"}


def said(**config: Any) -> list[tuple[Any, str, str]]:
    found = [tuple(fault) for fault in check_options({**IMAGE, **config})]
    assert [tuple(fault) for fault in check_options_of_jobs({**IMAGE, **config})] == found
    return found  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("limits", "requests", "message"),
    [
        ({"memory": "1Gi"}, {"memory": "2Gi"}, "the request of 2Gi is above the limit of 1Gi"),
        ({"cpu": "500m"}, {"cpu": 1}, "the request of 1 is above the limit of 500m"),
        ({"memory": "1G"}, {"memory": "1Gi"}, "the request of 1Gi is above the limit of 1G"),
        ({"nvidia.com/gpu": 2}, {"nvidia.com/gpu": 1}, "the request of 1 is not the limit of 2"),
    ],
)
def test_a_request_that_does_not_fit_its_limit(limits: Any, requests: Any, message: str) -> None:
    [(path, text, _)] = said(resources={"limits": limits, "requests": requests})
    assert path == ("resources", "requests", *requests)
    assert text.endswith(message)


@pytest.mark.parametrize(
    "resources",
    [
        {"limits": {"memory": "1Gi"}, "requests": {"memory": "1024Mi", "cpu": 2}},
        {"requests": {"cpu": "100m", "ephemeral-storage": "1Gi"}},
        {"limits": {"nvidia.com/gpu": 1, "hugepages-2Mi": "4Mi", "memory": 0}},
    ],
)
def test_resources_that_fit(resources: Any) -> None:
    assert said(resources=resources) == []


@pytest.mark.parametrize(
    ("name", "quantity", "message", "hint"),
    [
        ("gpu", 1, "Kubernetes has no resource 'gpu'", "did you mean 'nvidia.com/gpu'?"),
        ("memry", "1Gi", "Kubernetes has no resource 'memry'", "did you mean 'memory'?"),
        ("CPU", 1, "Kubernetes has no resource 'CPU'", "did you mean 'cpu'?"),
        ("memory", 512, "512 is less than 1 MiB", "did you mean 512Mi?"),
        ("memory", "512m", "512m is less than 1 MiB", "did you mean 512Mi?"),
        ("cpu", 500, "500 is more processors than a node has", "did you mean 500m?"),
        (
            "nvidia.com/gpu",
            0.5,
            "0.5 of 'nvidia.com/gpu' is not a whole number",
            "cannot be divided",
        ),
    ],
)
def test_a_resource_that_cannot_be_meant(name: str, quantity: Any, message: str, hint: str) -> None:
    [(path, text, way)] = said(resources={"limits": {name: quantity}})
    assert path == ("resources", "limits", name)
    assert text.endswith(message)
    assert hint in way


@pytest.mark.parametrize(
    "reference",
    [
        "python",
        "python:3.12-slim",
        "registry.example.com:5000/team/a_b/c__d:1.0_x",
        "localhost/x@sha256:" + "0" * 64,
        "x:1@sha256:" + "0" * 64,
        "IMAGE",
        "{{workflow.parameters.image}}",
    ],
)
def test_references_of_images(reference: str) -> None:
    assert image(reference) == reference


@pytest.mark.parametrize(
    "reference",
    ["Bad Image:latest", "x:", ":1", "reg/Team/x", "x:tag:tag", "http://x/y", "x@sha256:12", "a/"],
)
def test_what_is_no_reference_of_an_image(reference: str) -> None:
    with pytest.raises(WrongValue):
        image(reference)
    [(path, _, hint)] = said(image=reference)
    assert (path, "registry/path:tag" in hint) == (("image",), True)
    with pytest.raises(DefinitionError, match="image cannot be"):
        steps(f"a: {{type: task, command_type: container, image: '{reference}', command: [x]}}")


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30,31 feb ?"])
def test_a_schedule_that_never_fires(expression: str) -> None:
    with pytest.raises(WrongValue, match="never fires"):
        cron(expression)


@pytest.mark.parametrize(
    "expression",
    ["0 0 29 2 *", "0 0 30 2 1", "0 0 31 */2 *", "0 0 30 1-3 *", "0 0 5/3 2 *", "0 0 */30 2 *"],
)
def test_a_schedule_that_fires(expression: str) -> None:
    assert cron(expression) == expression


def test_values_of_labels() -> None:
    assert said(labels={"team": "data_1", "run": "{{workflow.name}}", "empty": ""}) == []
    assert said(annotations={"note": "any text at all"}) == []
    for wrong in ("two words", "-x", "a" * 64):
        assert [path for path, _, _ in said(labels={"team": wrong})] == [("labels", "team")]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("{{worklow.name}}", "workflow.name"),
        ("x {{ input.parameters.rows }}", "inputs.parameters.rows"),
        ("{{workflow.nmae}}", "workflow.name"),
        ("{{retrys}}", "retries"),
    ],
)
def test_a_variable_that_argo_does_not_have(text: str, meant: str) -> None:
    [fault] = unknown_variables({"a": [text]})
    assert (fault.path, fault.hint) == (("a", 0), f"did you mean '{{{{{meant}}}}}'?")


@pytest.mark.parametrize(
    "text",
    [
        "{{workflow.name}}",
        "{{workflow.parameters.anything}}",
        "{{=toJson(worklow)}}",
        "{{user.name}}",
        "{{item.x}}",
        "{{ item }}",
        "{{retries}}",
        "{{tasks.a.outputs.result}}",
        "{x}",
    ],
)
def test_other_variables(text: str) -> None:
    assert list(unknown_variables(text)) == []
