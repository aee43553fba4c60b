"""What reads the options that are Argo's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..graph import Retry
from ..options.readers import (
    Reader,
    Shaped,
    WrongValue,
    choice,
    integer,
    listed,
    record,
    text,
    wait,
)
from ..options.run import ATTEMPTS, attempts


class Tries(NamedTuple):
    """How steps are tried again: `attempts` of those without a retry of their own, and what holds
    for every step that is tried again; `affinity` is Argo's."""

    attempts: Retry = Retry()
    policy: str = "Always"
    expression: str = ""
    affinity: Mapping[str, Any] = {}


class Exposed(NamedTuple):
    """How a parameter is shown where runs are submitted."""

    enum: tuple[Any, ...] = ()
    description: str = ""


def tries(value: Any) -> Tries:
    """The same, and when to try again."""
    if not isinstance(value, Mapping):
        return Tries(attempts(value))
    known: dict[str, Reader] = {
        "policy": choice("Always", "OnFailure", "OnError", "OnTransientError"),
        "expression": text,
        "affinity": Shaped("argo.RetryAffinity"),
    }
    found = record({**ATTEMPTS, **known})(value)
    own = {name: found.pop(name) for name in ATTEMPTS if name in found}
    return Tries(Retry(**own), **found)


def ttl(value: Any) -> dict[str, int]:
    """Argo's ttlStrategy: a duration after every end, or by how the run ended."""
    fields = {
        "completion": "secondsAfterCompletion",
        "success": "secondsAfterSuccess",
        "failure": "secondsAfterFailure",
    }
    if not isinstance(value, Mapping):
        value = {"completion": value}
    found = record(dict.fromkeys(fields, wait))(value)
    return {fields[name]: math.ceil(given) for name, given in found.items()}


def pod_gc(value: Any) -> Any:
    """A strategy, or Argo's podGC."""
    strategy = choice(
        "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"
    )
    if not isinstance(value, Mapping):
        return {"strategy": strategy(value)}
    known: dict[str, Reader] = {
        "deleteDelayDuration": text,
        "labelSelector": Shaped("LabelSelector"),
    }
    return record({"strategy": strategy, **known})(value)


def number(value: Any) -> int:
    """A whole number, negative too."""
    return integer(value, -(2**31))


def version(value: Any) -> str:
    """A version of Argo; YAML reads most of them as numbers."""
    given = str(value) if isinstance(value, (int, float)) else value
    return str(choice("3.6", "3.7", "4")(given))


def exposed(value: Any) -> Exposed:
    found = record({"enum": listed(any_value), "description": text})(value)
    if not found.get("enum", True):
        raise WrongValue("has an enum without a value")
    return Exposed(**found)


def any_value(value: Any) -> Any:
    return value


def called(**own: Reader) -> Reader:
    """What Argo calls when something happens: a template of a name or with a body here, or one of
    a WorkflowTemplate, and its arguments."""

    def read(value: Any) -> dict[str, Any]:
        found: dict[str, Any] = record(
            {
                **own,
                "template": template,
                "templateRef": Shaped("argo.TemplateRef"),
                "arguments": Shaped("argo.Arguments"),
            }
        )(value)
        if ("template" in found) == ("templateRef" in found):
            hint = "templateRef: {name: notifications, template: slack}"
            raise WrongValue("needs either 'template' or 'templateRef'", hint)
        return found

    return read


def template(value: Any) -> Any:
    """A template's name, or its body."""
    if isinstance(value, Mapping):
        return Shaped("argo.Template")(value)
    return text(value)


hook = called(expression=text)
notification = called(on=choice("always", "success", "failure"))
