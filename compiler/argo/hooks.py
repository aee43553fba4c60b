"""What Argo calls when something happens: hooks, and notifications of a run's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..manifests.names import Names

Json = dict[str, Any]
WHEN = {
    "failure": "{{workflow.status}} != Succeeded",
    "success": "{{workflow.status}} == Succeeded",
}


class Hooks:
    """The templates of a workflow that hooks and notifications call, made as they are asked for."""

    def __init__(self, names: Names) -> None:
        self.templates: list[Json] = []
        self._names = names

    def lifecycle(self, hooks: Mapping[str, Mapping[str, Any]]) -> Json:
        """The field `hooks` of a workflow or of a task."""
        return {
            name: self._call(f"hook-{name}", hook, "expression") for name, hook in hooks.items()
        }

    def exit(self, end: str, notifications: Mapping[str, Mapping[str, Any]]) -> str:
        """The template that runs when a workflow has ended: `end`, and beside it what tells people.

        A handler that fails makes a succeeded workflow fail, so a notification may.
        """
        if not notifications:
            return end
        names = Names(("end",)).take_all(notifications)
        steps: list[Json] = [{"name": "end", "template": end}]
        for name, given in notifications.items():
            step = {"name": names[name], **self._call(f"notify-{name}", given)}
            when = WHEN.get(given.get("on", "failure"))
            if when:
                step["when"] = when
            steps.append({**step, "continueOn": {"failed": True, "error": True}})
        template = self._names.count("exit")
        self.templates.append({"name": template, "steps": [steps]})
        return template

    def _call(self, name: str, given: Mapping[str, Any], *fields: str) -> Json:
        """What calls the template that is given, by its name or with its body."""
        found = {
            field: given[field] for field in (*fields, "templateRef", "arguments") if field in given
        }
        template = given.get("template")
        if isinstance(template, Mapping):
            body = template
            template = self._names.take(name)
            self.templates.append({**body, "name": template})
        return {**found, "template": template} if template else found
