"""Argo as far as it decides what runs and how it ends, for manifests that Argosy rendered.

After the controller of Argo 3.7: `executeDAG`, `executeDAGTask` and `assessDAGPhase` of its
workflow/controller/dag.go, with the same names. What a pod does is the caller's to say.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from argosy.runtime.workflow import STEP

Json = dict[str, Any]
Pod = Callable[[Json, str, str, Json], tuple[bool, list[str]]]
"""What runs in a pod, given NODE, KEY, ENDED and the template: whether it succeeds, and what it
hands over."""
Raw = Callable[[str, Mapping[str, str]], dict[str, str] | None]
"""What a template of the user's does, given its name and its inputs: its outputs, the result among
them, or None where it fails."""

RESULTS = "Succeeded", "Failed", "Errored", "Skipped", "Omitted"
TASK = re.compile(r"([a-z][-a-z0-9]*)\.([A-Z][a-z]+)")


@dataclass(eq=False)
class Status:
    """A node of a workflow's status. `outbound`: what tasks after it are children of."""

    kind: str
    phase: str
    children: list[Status] = field(default_factory=list)
    outbound: list[Status] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    late: bool = False


class Engine:
    """One run of a workflow's specification. `answers` says what becomes of an approval, by its
    message: yes, no or late."""

    def __init__(
        self,
        spec: Json,
        pod: Pod,
        arguments: Mapping[str, str] | None = None,
        raw: Raw | None = None,
        answers: Callable[[str], str] = lambda message: "yes",
    ) -> None:
        self.templates = {template["name"]: template for template in spec["templates"]}
        self.pod = pod
        self.raw = raw
        self.answers = answers
        given = spec.get("arguments", {}).get("parameters", [])
        self.arguments = {p["name"]: p.get("value") for p in given} | dict(arguments or {})
        self.phase = self.run(spec["entrypoint"], {}).phase

    def run(self, name: str, arguments: dict[str, str]) -> Status:
        template = self.templates[name]
        inputs: dict[str, str] = {}
        for parameter in template.get("inputs", {}).get("parameters", []):
            found = arguments.get(parameter["name"], parameter.get("value"))
            assert found is not None, f"{name}: {parameter['name']} is not given"
            inputs[parameter["name"]] = found
        assert not arguments.keys() - inputs.keys(), f"{name} takes no {arguments.keys()}"
        if "dag" in template:
            return self.dag(template, inputs)
        if "suspend" in template:
            answer = self.answers(inputs["message"]) if inputs else "yes"
            found = leaf("Suspend", "Failed" if answer == "no" else "Succeeded")
            found.late = answer == "late" and "seconds" in inputs
            return found
        if "node" not in inputs:
            return self.user(name, inputs)
        text = (inputs["node"], inputs["key"], inputs["ended"])
        assert not any("{{" in part for part in text), text
        node = json.loads(text[0])
        if "outputs" in inputs:
            node["outputs"] = json.loads(base64.b64decode(inputs["outputs"]))
        succeeded, hands = self.pod(node, text[1], text[2], template)
        found = leaf("Pod", "Succeeded" if succeeded else "Failed")
        declared = template.get("outputs", {}).get("parameters", [])
        assert len(hands) in (0, len(declared))
        found.outputs = {out["name"]: out["valueFrom"]["default"] for out in declared}
        found.outputs |= {f"hand{number}": hand for number, hand in enumerate(hands)}
        return found

    def user(self, name: str, inputs: Mapping[str, str]) -> Status:
        """A template of the user's."""
        assert self.raw is not None
        outputs = self.raw(name, inputs)
        found = leaf("Pod", "Failed" if outputs is None else "Succeeded")
        found.outputs = outputs or {}
        return found

    def called(self, task: Json, arguments: dict[str, str]) -> Status:
        if "templateRef" in task:
            return self.user("{name}/{template}".format(**task["templateRef"]), arguments)
        return self.run(task["template"], arguments)

    def dag(self, template: Json, inputs: dict[str, str]) -> Status:
        dag = template["dag"]
        boundary = Status("DAG", "Running")
        tasks = {task["name"]: task for task in dag["tasks"]}
        assert len(tasks) == len(dag["tasks"])
        depended = {name for task in dag["tasks"] for name, _ in TASK.findall(depends(task))}
        targets = dag["target"].split() if "target" in dag else sorted(tasks.keys() - depended)
        found: dict[str, Status] = {}
        for name in ancestry(targets, tasks):
            found[name] = self.task(tasks[name], found, inputs, boundary)
        assert found.keys() == tasks.keys(), "a task is no target's ancestor"
        boundary.phase = assess(boundary, [found[name] for name in targets])
        boundary.outbound = [node for name in targets for node in found[name].outbound]
        if boundary.phase == "Succeeded":
            declared = template.get("outputs", {}).get("parameters", [])
            boundary.outputs = {out["name"]: handed(out["valueFrom"], found) for out in declared}
        return boundary

    def task(
        self, task: Json, found: dict[str, Status], inputs: dict[str, str], boundary: Status
    ) -> Status:
        before = [found[name] for name in dict.fromkeys(n for n, _ in TASK.findall(depends(task)))]
        parents = [node for status in before for node in status.outbound] or [boundary]

        def attached(status: Status, parents: list[Status]) -> Status:
            for parent in parents:
                parent.children.append(status)
            return status

        if not holds(depends(task), found):
            return attached(leaf("Skipped", "Omitted"), parents)
        scope = Scope(self.arguments, inputs, found)
        arguments = {
            parameter["name"]: parameter["value"]
            for parameter in task.get("arguments", {}).get("parameters", [])
            if parameter["name"] != STEP  # which no template takes: Argo lets it be
        }
        if "when" in task and scope.replace(task["when"]) != "true":
            return attached(leaf("Skipped", "Skipped"), parents)
        if "withParam" not in task:
            values = {name: scope.replace(value) for name, value in arguments.items()}
            return attached(self.called(task, values), parents)
        try:
            items = json.loads(scope.replace(task["withParam"]))
        except (ValueError, TypeError):  # no JSON, or an expression that is of no list
            return attached(leaf("Skipped", "Error"), parents)
        if not items:
            return attached(leaf("Skipped", "Skipped"), parents)
        group = attached(Status("TaskGroup", "Succeeded"), parents)
        for item in items:
            values = {
                name: scope.replace(value).replace("{{item}}", item)
                for name, value in arguments.items()
            }
            member = attached(self.called(task, values), [group])
            group.outbound += member.outbound
            if member.phase == "Failed":
                group.phase = "Failed"
        return group


def handed(value: Json, found: Mapping[str, Status]) -> str:
    """What a DAG hands over of one of its tasks; one that did not run has nothing."""
    match = re.fullmatch(r"\{\{tasks\.(.*?)\.outputs\.parameters\.(\w+)\}\}", value["parameter"])
    assert match, value
    outputs = found[match[1]].outputs
    return outputs[match[2]] if match[2] in outputs else str(value["default"])


def leaf(kind: str, phase: str) -> Status:
    found = Status(kind, phase)
    found.outbound = [found]
    return found


def depends(task: Json) -> str:
    return str(task.get("depends", ""))


def ancestry(targets: list[str], tasks: Mapping[str, Json]) -> list[str]:
    """The targets and all that they depend on, each after what it depends on."""
    order: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for before, _ in TASK.findall(depends(tasks[name])):
                visit(before)
            order.append(name)

    for target in targets:
        visit(target)
    return order


def holds(expression: str, found: Mapping[str, Status]) -> bool:
    """Whether a `depends` holds."""
    if not expression:
        return True

    def value(match: re.Match[str]) -> str:
        name, result = match.groups()
        assert result in RESULTS
        return str(found[name].phase == {"Errored": "Error"}.get(result, result))

    text = TASK.sub(value, expression)
    text = text.replace("&&", " and ").replace("||", " or ").replace("!", " not ")
    return bool(eval(text, {"__builtins__": {}}))  # noqa: S307 (booleans and their operators)


def assess(boundary: Status, targets: list[Status]) -> str:
    """An omitted target takes the phase of what led to it, a failure before a success."""
    phases: dict[int, str] = {}
    queue = [(child, "Succeeded") for child in boundary.children]
    seen = {(id(child), phase) for child, phase in queue}
    while queue:
        node, phase = queue.pop(0)
        if node.phase in ("Succeeded", "Failed", "Error"):
            phase = "Succeeded" if node.phase == "Succeeded" else "Failed"
        if phases.get(id(node)) != "Failed":
            phases[id(node)] = phase
        for child in node.children:
            if (id(child), phase) not in seen:
                seen.add((id(child), phase))
                queue.append((child, phase))
    ends = [phases[id(target)] for target in targets]
    return "Failed" if "Failed" in ends else "Succeeded"


class Scope:
    """What `{{...}}` means in a task."""

    def __init__(
        self,
        arguments: Mapping[str, Any],
        inputs: Mapping[str, str],
        tasks: Mapping[str, Status],
    ) -> None:
        self.arguments = arguments
        self.inputs = inputs
        self.tasks = tasks

    def replace(self, text: str) -> str:
        return re.sub(r"\{\{(.*?)\}\}", lambda match: self.value(match[1]), text)

    def value(self, tag: str) -> str:
        parts = tag.split(".")
        if tag == "item":
            return "{{item}}"
        if parts[:2] == ["workflow", "parameters"]:
            return str(self.arguments[parts[2]])
        if parts[:2] == ["inputs", "parameters"]:
            return self.inputs[parts[2]]
        if parts[0] == "tasks" and parts[2] == "status":
            status = self.tasks[parts[1]]
            assert status.kind != "TaskGroup", "Argo has no status of a group"
            return status.phase
        if parts[0] == "tasks":
            return self.tasks[parts[1]].outputs[parts[4]]
        assert tag.startswith("="), tag
        return self.expression(tag[1:])

    def expression(self, text: str) -> str:
        """The forms that Argosy writes."""
        if match := re.fullmatch(r"sprig\.b64enc\(toJson\(\{(.*)\}\)\)", text):
            place = r"(\".*?\"): tasks\['(.*?)'\]\.outputs\.(?:parameters\['(.*?)'\]|result)"
            found = {
                json.loads(one[1]): self.tasks[one[2]].outputs.get(one[3] or "result")
                for one in re.finditer(place, match[1])
            }
            return base64.b64encode(json.dumps(found).encode()).decode()
        if match := re.fullmatch(r"toJson\(map\(0\.\.\(len\((.*)\)-1\), \{string\(#\)\}\)\)", text):
            return json.dumps([str(index) for index in range(len(self.jsonpath(match[1])))])
        if match := re.fullmatch(r"date\(tasks\['(.*?)'\]\.finishedAt\) - date\(.*", text):
            return str(self.tasks[match[1]].late).lower()
        python = re.sub(
            r"any\((\[.*?\]), \{tasks\[#\]\.status (.*?)\}\)",
            r"any(status(t) \2 for t in \1)",
            text,
        )
        python = re.sub(
            r"tasks\['(.*?)'\]\.outputs\.parameters\.(\w+)", r"output('\1','\2')", python
        )
        python = re.sub(r"jsonpath\((workflow\.parameters\['.*?'\]),'\$'\)", r"loads(\1)", python)
        python = re.sub(r"inputs\.parameters\.(\w+)", r"inputs['\1']", python)
        python = re.sub(r"workflow\.parameters\['(.*?)'\]", r"arguments['\1']", python)
        python = python.replace("&&", " and ").replace("||", " or ")
        python = re.sub(r"!(?!=)", " not ", python)
        python = re.sub(r"(?<!['\w-])(true|false)\b", lambda match: match[1].title(), python)
        if match := re.fullmatch(r"(.*) \? (.*) : (.*) \? (.*) : (.*)", python):
            first, one, second, two, three = match.groups()
            python = f"{one} if {first} else {two} if {second} else {three}"
        names = {
            "any": any,
            "status": lambda name: self.tasks[name].phase,
            "output": lambda name, hand: self.tasks[name].outputs[hand],
            "loads": json.loads,
            "asInt": int,
            "inputs": self.inputs,
            "arguments": self.arguments,
        }
        value = eval(python, {"__builtins__": {}, **names})  # noqa: S307 (text of our own)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def jsonpath(self, text: str) -> Any:
        match = re.fullmatch(r"jsonpath\(workflow\.parameters\['(.*?)'\],'\$'\)", text)
        assert match, text
        return json.loads(self.arguments[match[1]])
