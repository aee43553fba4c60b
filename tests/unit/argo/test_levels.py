"""What is the workflow's, what is a step's, and what is right only together."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.compiler import Request, compile
from argosy.compiler.argo.checks import warn_options
from argosy.compiler.argo.options import read_options
from argosy.compiler.argo.workflow import cron_of
from argosy.compiler.errors import CompileError
from argosy.runtime.context import Context
from argosy.runtime.errors import NodeError

TASK = {"type": "task", "command": "m.f"}
MEMOIZE = {"key": "k", "cache": {"configMap": {"name": "memory", "key": "k"}}}
MUTEX = {"mutexes": [{"name": "warehouse"}]}


def spec(
    folder: Path, config: dict[str, Any], override: dict[str, Any] | None = None, **step: Any
) -> Any:
    """The specification of a workflow of two steps, the second of which overrides something."""
    last = {**(step or TASK), "depends_on": ["a"], "overrides": {"argo": override or {}}}
    steps = {"a": TASK, "b": last}
    definition = {"parameters": {"rate": 0.1, "region": "eu"}, "dag": {"steps": steps}}
    (folder / "p.yaml").write_text(json.dumps(definition))
    executor = {"type": "argo", "config": {"image": "i", **config}}
    (folder / "c.yaml").write_text(json.dumps({"executor": executor}))
    request = Request(str(folder / "p.yaml"), (str(folder / "c.yaml"),))
    return yaml.safe_load(compile(request).files["workflowtemplate.yaml"])["spec"]


def refused(folder: Path, *given: Any, **step: Any) -> str:
    with pytest.raises(CompileError) as wrong:
        spec(folder, *given, **step)
    return str(wrong.value)


def templates(found: Any) -> dict[str, Any]:
    return {template["name"]: template for template in found["templates"]}


def test_a_step_inherits_nothing_that_is_the_workflows_alone(tmp_path: Path) -> None:
    config = {"synchronization": MUTEX, "archive_logs": True, "env": {"A": "1"}}
    found = spec(tmp_path, config, {"env": {"B": "2"}})
    assert found["synchronization"] == MUTEX
    assert found["archiveLogs"] is True
    for template in templates(found).values():
        assert "synchronization" not in template
        assert "archiveLocation" not in template
    (own,) = (t for name, t in templates(found).items() if name.endswith("own"))
    assert [one["value"] for one in own["container"]["env"] if one["name"] in "AB"] == ["1", "2"]


def test_what_a_step_overrides_of_it_is_the_steps_alone(tmp_path: Path) -> None:
    semaphore = {"semaphores": [{"configMapKeyRef": {"name": "limits", "key": "w"}}]}
    found = spec(tmp_path, {"synchronization": MUTEX}, {"synchronization": semaphore})
    assert found["synchronization"] == MUTEX
    (own,) = (one for one in templates(found).values() if "synchronization" in one)
    assert own["synchronization"] == semaphore
    assert own["name"] == "run-own"


def test_the_exit_handler_has_what_every_pod_has(tmp_path: Path) -> None:
    config = {"security": "restricted", "labels": {"team": "churn"}, "tolerations": [{"key": "a"}]}
    found = templates(spec(tmp_path, config))
    for name in ("end", "run"):
        template = found[name]
        assert template["securityContext"]["runAsNonRoot"] is True
        assert template["container"]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert template["metadata"]["labels"]["team"] == "churn"
        assert template["tolerations"] == [{"key": "a"}]
        patch = json.loads(template["podSpecPatch"])
        assert [one["name"] for one in patch["containers"] + patch["initContainers"]] == [
            "wait",
            "init",
        ]


def test_what_is_of_a_task_cannot_be_given_to_a_graph(tmp_path: Path) -> None:
    branches = {"x": {"steps": {"c": TASK}}}
    override = {"synchronization": MUTEX}
    text = refused(tmp_path, {}, override, type="parallel", branches=branches)
    assert "overrides of step 'b': 'synchronization' is of a task, and this is a parallel" in text


@pytest.mark.parametrize(
    ("config", "override", "message"),
    [
        ({"volume_mounts": [{"name": "x", "mountPath": "/x"}]}, {}, "there is no volume 'x'"),
        (
            {"claims": {"data": "/data"}, "volumes": [{"name": "x", "emptyDir": {}}]},
            {"volume_mounts": [{"name": "x", "mountPath": "/data"}]},
            "something is mounted at /data already",
        ),
        ({"timeout": "1h"}, {"queue_timeout": "10m"}, "queue_timeout is no longer than timeout"),
        ({"parameters": {"rat": {}}}, {}, "the pipeline has no parameter 'rat'"),
        ({"parameters": {"rat": {}}}, {}, "did you mean 'rate'?"),
        ({"parameters": {"rate": {"enum": [1]}}}, {}, "the default of 'rate', 0.1, is not among"),
        ({"hooks": {"exit": {"template": "end"}}}, {}, "would take the place of Argosy's own"),
        ({"hooks": {"failed": {"expression": "true"}}}, {}, "needs either 'template' or"),
        ({"hooks": {"x": {"template": "nothing"}}}, {}, "there is no template 'nothing'"),
        ({"concurrency_policy": "Forbid"}, {}, "is that of schedules, and there are none"),
        ({"timezone": "UTC"}, {}, "in a layer, timezone: null does"),
        ({"env": {"A": {}}}, {}, "is a mapping without 'valueFrom'"),
        ({"service_account": {"create": False, "labels": {"a": "b"}}}, {}, "is not created"),
    ],
)
def test_what_is_wrong_together_is_said(
    config: dict[str, Any], override: dict[str, Any], message: str, tmp_path: Path
) -> None:
    assert message in refused(tmp_path, config, override)


def test_a_memory_is_a_name_alone_in_argo_4(tmp_path: Path) -> None:
    memoize = {**MEMOIZE, "maxAge": "1h", "cache": {"configMap": {"name": "memory"}}}
    found = spec(tmp_path, {"argo_version": "4"}, {"memoize": memoize})
    assert memoize in [template.get("memoize") for template in found["templates"]]


@pytest.mark.parametrize(
    ("config", "message", "hint"),
    [
        (
            {"argo_version": "4", "synchronization": {"mutex": {"name": "m"}}},
            "synchronization.mutex: Argo 4 has no such field",
            "Argo 3.6 and 3.7 have it",
        ),
        (
            {"argo_version": 3.6, "synchronization": {"mutexes": [{"database": True}]}},
            "synchronization.mutexes[0].database: Argo 3.6 has no such field",
            "Argo 3.7 and 4 have it",
        ),
        (
            {"extra": {"templates": [{"name": "x", "archiveLocation": {"plugin": {"key": "k"}}}]}},
            "extra.templates[0].archiveLocation.plugin: Argo 3.7 has no such field",
            'Argo 4 has it: argo_version: "4"',
        ),
        (
            {"argo_version": "3.6", "retry": {"max_attempts": 2, "backoff": 1, "max_backoff": 9}},
            "retryStrategy.backoff.cap: Argo 3.6 has no such field",
            "Argo 3.7 and 4 have it",
        ),
        (
            {"argo_version": "4", "extra": {"templateDefaults": {"memoize": MEMOIZE}}},
            "extra.templateDefaults.memoize.cache.configMap.key: unknown field",
            "known: name",
        ),
        ({"argo_version": 5}, "argo_version: cannot be '5'", "known: 3.6, 3.7, 4"),
    ],
)
def test_what_a_version_lacks_is_refused_with_those_that_have_it(
    config: dict[str, Any], message: str, hint: str, tmp_path: Path
) -> None:
    text = refused(tmp_path, config)
    assert message in text
    assert hint in text


def test_a_version_has_what_it_alone_has(tmp_path: Path) -> None:
    extra = {"podPriority": 7}
    assert spec(tmp_path, {"argo_version": "3.6", "extra": extra})["podPriority"] == 7
    retry = {"max_attempts": 2, "backoff": "10s"}
    found = templates(spec(tmp_path, {"argo_version": "3.6", "retry": retry}))
    assert found["run-retry"]["retryStrategy"]["backoff"] == {"duration": "10s", "factor": "2"}


def test_what_a_user_adds_is_verified_with_the_rest(tmp_path: Path) -> None:
    extra = {"templates": [{"name": "run", "container": {"env": [{"name": "ARGOSY_POD"}]}}]}
    added = templates(spec(tmp_path, {"extra": extra}))["run"]["container"]["env"]
    assert [one["name"] for one in added].count("ARGOSY_POD") == 1
    assert "there is no template 'mian'" in refused(tmp_path, {"extra": {"entrypoint": "mian"}})


def test_what_is_memoized_is_looked_through(tmp_path: Path) -> None:
    memoize = {"key": "k", "maxAge": "1h", "cache": {"configMap": {"name": "memory", "key": "k"}}}
    found = spec(tmp_path, {}, {"memoize": memoize})
    (own,) = (one for one in templates(found).values() if "memoize" in one)
    assert own["memoize"] == memoize
    end = {one["name"]: one.get("value") for one in templates(found)["end"]["container"]["env"]}
    assert json.loads(end["ARGOSY_FINAL"]) == {"from": ["a"]}
    text = refused(tmp_path, {}, {"memoize": memoize}, **TASK, returns=["x"])
    assert "a step that is memoized may not run" in text
    assert "memoize is of a step" in refused(tmp_path, {"memoize": memoize})


def test_each_schedule_has_one_time_zone(tmp_path: Path) -> None:
    schedules = ["@daily", {"schedule": "0 8 * * 6", "timezone": "Asia/Tokyo"}]
    zones = {"timezone": "UTC"}
    cron = cron_of(read_options({"image": "i", "schedules": schedules, **zones}))
    assert cron == {
        "schedules": ["CRON_TZ=UTC @daily", "CRON_TZ=Asia/Tokyo 0 8 * * 6"],
        "suspend": False,
    }
    plain = cron_of(read_options({"image": "i", "schedules": ["@daily"], **zones}))
    assert plain == {"schedules": ["@daily"], "suspend": False, "timezone": "UTC"}


def test_a_time_zone_that_nobody_knows_is_warned_of() -> None:
    schedules = ["@daily", {"schedule": "0 8 * * 6", "timezone": "America/NewYork"}]
    config = {"image": "i", "schedules": schedules, "timezone": "Mars/Olympus"}
    mars, york = warn_options(config)
    assert (mars.path, mars.hint) == (("timezone",), "")
    assert "no time zone is called 'Mars/Olympus'" in mars.message
    assert york.path == ("schedules", 1, "timezone")
    assert york.hint == "did you mean 'America/New_York'?"
    assert warn_options({**config, "timezone": "UTC", "schedules": ["@daily"]}) == []


def test_an_argument_is_one_of_its_values(tmp_path: Path) -> None:
    config = {"parameters": {"region": {"enum": ["eu", "us"]}, "rate": {"enum": [0.1, 2]}}}
    found = spec(tmp_path, config)
    (run,) = (one for one in found["templates"] if one["name"] == "run-arguments")
    text = {one["name"]: one.get("value") for one in run["container"]["env"]}["ARGOSY_CONFIG"]
    for region, rate, wrong in [("us", "2", ""), ("moon", "2", "region"), ("eu", "3", "rate")]:
        given = base64.b64encode(json.dumps({"region": region, "rate": rate}).encode()).decode()
        context = Context("r", json.loads(text), encoded=given)
        if wrong:
            with pytest.raises(NodeError, match=f"argument {wrong} is .* none of"):
                _ = context.arguments
        else:
            assert context.arguments == {"region": "us", "rate": 2}
