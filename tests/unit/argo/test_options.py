"""The executor's options: what they take, and what is said where they do not."""

from __future__ import annotations

from typing import Any

import pytest

from argosy.compiler.argo.checks import check_options, warn_options
from argosy.compiler.argo.options import OPTIONS, Options, read_options
from argosy.compiler.argo.readers import Tries
from argosy.compiler.graph import Retry
from argosy.compiler.options.pod import POD, Account, Claim, PodOptions
from argosy.compiler.options.readers import Shaped, WrongValue
from argosy.compiler.settings import OWN
from options import EXAMPLES

IMAGE = {"image": "registry.example.com/churn:1"}


def said(config: dict[str, Any], **more: Any) -> list[tuple[Any, ...]]:
    return [tuple(fault) for fault in check_options({**IMAGE, **config}, **more)]


def test_each_option_is_a_field() -> None:
    assert set(POD) == set(PodOptions._fields)
    assert set(OPTIONS) == set(POD) | set(Options._fields) - {"pod"}


def test_every_option_has_an_example() -> None:
    assert set(EXAMPLES) == set(OPTIONS)


def test_every_option_is_read() -> None:
    config = {name: one.good for name, one in EXAMPLES.items() if name != "memoize"}
    assert {name for name, option in OPTIONS.items() if option.own} == OWN["argo"]
    assert check_options(config) == []
    options = read_options(config)
    assert options.pod.env["LEVEL"] == "3"
    assert options.pod.env["DEBUG"] == "true"
    assert options.pod.resources == {"limits": {"memory": "1Gi", "cpu": "2"}}
    assert options.pod.claims["data"] == Claim("/data")
    assert options.pod.claims["runs"] == Claim("/runs", create=True, size="1Gi")
    assert options.pod.service_account.create
    assert options.retry == Tries(
        Retry(3, 10.0, 3, 300.0), expression="true", affinity={"nodeAntiAffinity": {}}
    )
    assert str(options.schedules[1]) == "CRON_TZ=America/New_York @daily"
    assert (options.timeout, options.workflow_timeout) == (600.0, 3600.0)


def test_a_configuration_says_only_what_it_must() -> None:
    options = read_options(IMAGE)
    assert options.pod.command == ("python", "-m", "argosy.runtime")
    assert options.pod.service_account == Account(create=True)
    assert options.kind == "WorkflowTemplate"


@pytest.mark.parametrize(
    ("config", "path", "message", "hint"),
    [
        ({"imagee": "x"}, ("imagee",), "has no option 'imagee'", "did you mean 'image'?"),
        ({"image": 3}, ("image",), "image: takes text, not a number", "quotes"),
        ({"image_pull_policy": "Allways"}, ("image_pull_policy",), "cannot be 'Allways'", "Always"),
        ({"env": ["A=1"]}, ("env",), "env: takes a mapping, not a list", ""),
        ({"env": {"A": 1.5}}, ("env", "A"), "env.A: takes text", "quotes"),
        ({"env": {"ARGOSY_POD": "x"}}, ("env", "ARGOSY_POD"), "cannot be", "its own"),
        ({"resources": {"limit": {}}}, ("resources", "limit"), "no field 'limit'", "'limits'"),
        (
            {"resources": {"limits": {"memory": "lots"}}},
            ("resources", "limits", "memory"),
            "cannot be 'lots'",
            "4Gi",
        ),
        ({"tolerations": [{"keys": "x"}]}, ("tolerations", 0, "keys"), "no field", "'key'"),
        ({"claims": {"d": "data"}}, ("claims", "d"), "cannot be 'data'", "absolute path"),
        ({"claims": {"d": {"create": True}}}, ("claims", "d"), "needs 'mount_path'", "/data"),
        (
            {"claims": {"d": {"mount_path": "/d", "create": True}}},
            ("claims", "d"),
            "needs 'size'",
            "10Gi",
        ),
        ({"retry": 0}, ("retry",), "must be at least 1", ""),
        ({"retry": {"backof": 3}}, ("retry", "backof"), "no field", "'backoff'"),
        ({"timeout": "soon"}, ("timeout",), "takes a duration", "10m"),
        ({"parallelism": True}, ("parallelism",), "takes a whole number", ""),
        ({"kind": "Pod"}, ("kind",), "cannot be 'Pod'", ""),
        ({"kind": "CronWorkflow"}, ("kind",), "needs schedules", "0 6"),
        ({"schedules": ["noon"]}, ("schedules", 0), "cannot be 'noon'", "five fields"),
        ({"kind": "Workflow", "schedules": ["@daily"]}, ("schedules",), "runs once", "leave kind"),
        ({"timezone": "UTC"}, ("timezone",), "there are none", ""),
        ({"image": None}, (), "needs an image", "image:"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    config: dict[str, Any], path: tuple[str, ...], message: str, hint: str
) -> None:
    (fault,) = said(config, path=("executor", "config"))
    assert fault[0] == ("executor", "config", *path)
    assert message in fault[1]
    assert hint in fault[2]


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(said({"imagee": 1, "timeout": [], "kind": 3})) == 3


def test_a_step_overrides_what_is_its_own() -> None:
    assert said({"resources": {"limits": {"memory": "4Gi"}}}, step=True) == []
    (fault,) = said({"schedules": ["@daily"]}, step=True)
    assert "a step cannot override it" in fault[1]


def test_a_value_of_kubernetes_is_held_to_its_type() -> None:
    read = Shaped("[Toleration]")
    good = [{"key": "gpu", "operator": "Exists"}]
    assert read(good) == good
    with pytest.raises(WrongValue) as wrong:
        read([*good, {"kei": "gpu", "tolerationSeconds": "9"}])
    assert {fault.path: fault.hint for fault in wrong.value.faults} == {
        (1, "kei"): "did you mean 'key'?",
        (1, "tolerationSeconds"): "",
    }


def test_a_claim_for_one_node_is_warned_of() -> None:
    claim = {"mount_path": "/d", "create": True, "size": 1, "access_mode": "ReadWriteOnce"}
    (warning,) = warn_options({**IMAGE, "claims": {"data": claim}})
    assert warning.path == ("claims", "data")
    assert "one node" in warning.message


def test_waits_of_no_time() -> None:
    config = {
        "image": "i",
        "retry": {"max_attempts": 2, "backoff": "0s", "max_backoff": 0},
        "ttl": {"success": 0},
        "termination_grace_period": 0,
    }
    assert check_options(config) == []
    options = read_options(config)
    assert options.attempts == Retry(2, 0.0, 2.0, 0.0)
    assert options.ttl == {"secondsAfterSuccess": 0}
    assert options.pod.termination_grace_period == 0
    [fault] = check_options({"image": "i", "timeout": 0})
    assert "takes a duration above 0" in fault.message
