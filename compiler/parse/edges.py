"""Both forms of a graph into incoming edges.

Chain: `start_at`, `next`, `on_failure`; a node runs when any of its edges has fired.
Edge form: `depends_on`, `on_failure`; a node runs when all of them have (`{any: [...]}`: any).
"""

from __future__ import annotations

from typing import Literal

from argosy.runtime.suggestions import nearest

from ..graph import Edge, Fail, Spec, Stub
from .fields import Fields
from .steps import Draft

Incoming = dict[str, tuple[tuple[Edge, ...], str, str | None]]
TERMINALS = "success", "fail"


def form_of(fields: Fields, start: str, drafts: dict[str, Draft]) -> Literal["chain", "edge"]:
    """The form of a graph; a mixture is a problem."""
    chained = next((name for name, draft in drafts.items() if draft.next), None)
    if not start and not chained:
        return "edge"
    for name, draft in drafts.items():
        if draft.depends_on:
            message = f"step '{name}' has depends_on in a graph of the chain form"
            where = draft.fields.mapping.at_key("depends_on")
            hint = "a graph has either start_at and next, or depends_on"
            draft.fields.problem(message, where, hint)
    if not start and drafts:
        first = next(iter(drafts))
        fields.problem("start_at is missing", hint=f"start_at: {first}")
    return "chain"


def connect(fields: Fields, form: str, start: str, drafts: dict[str, Draft]) -> Incoming:
    """Each node's incoming edges, join and handler. In a chain `next: success` only says where the
    graph ends: a `success` that no failure leads to is left out, and so is a `fail` that nothing
    leads to. In the edge form a terminal is a node like any other."""
    if form == "chain" and start and start not in drafts:
        message = f"start_at names no step: '{start}'"
        fields.problem(message, fields.mapping.at("start_at"), nearest(start, drafts))
    edges: dict[str, list[Edge]] = {name: [] for name in drafts}
    handlers: dict[str, str] = {}
    for name, draft in list(drafts.items()):
        for source_name in draft.depends_on:
            if _known(draft, "depends_on", source_name, drafts) and _goes_on(
                draft, source_name, drafts
            ):
                edges[name].append(Edge(source_name, "success"))
        if draft.type in TERMINALS:
            _require_no_edge(draft)
            continue
        if draft.next and _target(draft, "next", drafts, edges):
            edges[draft.next].append(Edge(name, "success"))
        if draft.on_failure and _target(draft, "on_failure", drafts, edges):
            handlers[name] = draft.on_failure
            edges[draft.on_failure].append(Edge(name, "failure"))
    found: Incoming = {}
    for name, draft in drafts.items():
        incoming = edges[name]
        if form == "chain" and draft.type in TERMINALS and name != start:
            if draft.type == "fail" and not incoming:
                continue
            if draft.type == "success" and all(edge.outcome == "success" for edge in incoming):
                continue
        join = "any" if form == "chain" else draft.join
        found[name] = tuple(dict.fromkeys(incoming)), join, handlers.get(name)
    return found


def _goes_on(draft: Draft, name: str, drafts: dict[str, Draft]) -> bool:
    """Whether anything can come after the step that `depends_on` names."""
    kind = drafts[name].type
    if kind not in TERMINALS:
        return True
    where = draft.fields.mapping.at("depends_on")
    message = f"depends_on of {draft.fields.what} names '{name}', a {kind}: nothing comes after it"
    draft.fields.problem(message, where, "name what comes before it, or give it another type")
    return False


def _require_no_edge(draft: Draft) -> None:
    """A terminal ends its graph."""
    for key in ("next", "on_failure"):
        if getattr(draft, key):
            message = f"{draft.fields.what} is a {draft.type} and has {key}: it ends its graph"
            where = draft.fields.mapping.at_key(key)
            draft.fields.problem(message, where, "remove it, or give the step another type")


def _known(draft: Draft, key: str, name: str, drafts: dict[str, Draft]) -> bool:
    if name in drafts:
        return True
    where = draft.fields.mapping.at(key)
    ends = () if key == "depends_on" else TERMINALS
    draft.fields.problem(
        f"{key} of {draft.fields.what} names no step: '{name}'",
        where,
        lambda: nearest(name, [*drafts, *ends]),
    )
    return False


def _target(draft: Draft, key: str, drafts: dict[str, Draft], edges: dict[str, list[Edge]]) -> bool:
    """Whether the step that `key` names is there; `success` and `fail` are, even undefined."""
    name: str = getattr(draft, key)
    if name not in drafts and name in TERMINALS:
        spec: Spec | None = Fail() if name == "fail" else None
        if spec is None and key == "next":
            return False
        drafts[name] = _implied(draft, name, key)
        edges[name] = []
    return _known(draft, key, name, drafts)


def _implied(draft: Draft, name: str, key: str) -> Draft:
    """A terminal that is named and not defined."""
    at = draft.fields.mapping.source.position(draft.fields.mapping.at(key))
    spec: Spec = Fail() if name == "fail" else Stub()
    return Draft(draft.fields, at, type=name, spec=spec)
