"""`argosy graph`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from ..compilation import Request
from ..graph import Approval, Conditional, Graph, Loop, Map, Node, Task
from . import options

ENTITIES = {ord(char): f"#{ord(char)};" for char in '#&"<>'}
"""What Mermaid would not take for text, in its own escapes."""


@click.command()
@options.definition
@options.variable
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "mermaid"]),
    default="text",
    help="How to print it.",
)
def graph(definition: str, variables: tuple[str, ...], output: str) -> None:
    """Show the graph of the definition FILE.

    \b
    argosy graph pipeline.yaml
    argosy graph pipeline.yaml -o mermaid >> README.md
    """
    from .. import phases

    request = Request(definition, variables=options.pairs(variables, "-v"))
    pipeline = phases.compile(request, until=phases.check).pipeline
    if output == "json":
        click.echo(json.dumps(_data(pipeline.graph), indent=2, ensure_ascii=False))
    elif output == "mermaid":
        click.echo("\n".join(_mermaid(pipeline.graph)))
    else:
        click.echo(pipeline.name + (f"  {pipeline.description}" if pipeline.description else ""))
        rows = list(_rows(pipeline.graph))
        width = max((len(row[0]) for row in rows), default=0)
        for name, what, after in rows:
            click.echo(f"{name:<{width}}  {what:<12}{after}".rstrip())


def _labels(node: Node) -> list[str]:
    """A name for each of the graphs inside a node; '' where there is just one."""
    return list(getattr(node.spec, "branches", [""]))


def _after(node: Node) -> str:
    """What a node waits for, in words."""
    words = " or " if node.join == "any" else ", "
    parts = [
        edge.source if edge.outcome == "success" else f"{edge.source} failed"
        for edge in node.incoming
    ]
    return f"after {words.join(parts)}" if parts else ""


def _detail(node: Node) -> str:
    match node.spec:
        case Task(command_type=kind, command=command):
            return f"{kind}: {_first(command)}"
        case Map(iterate_on=on, iterate_as=name):
            return f"each {name} of {on}"
        case Loop(break_on=parameter, max_iterations=most):
            return f"until {parameter}, at most {most} times"
        case Approval(message=message):
            return _first(message)
        case Conditional(parameter=parameter):
            return f"by {parameter}"
    return ""


def _first(text: str) -> str:
    """The first line, or its beginning."""
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first if len(first) <= 50 else f"{first[:47]}..."


def _rows(graph: Graph) -> Iterator[tuple[str, str, str]]:
    """Depth first, without recursion: (indented name, kind, the rest)."""
    stack: list[tuple[int, str, Any]] = [(0, "", graph)]
    while stack:
        depth, label, item = stack.pop()
        if isinstance(item, Graph):
            if label:
                yield "  " * depth + f"[{label}]", "", ""
            for name in reversed(item.order()):
                stack.append((depth + bool(label), "", item.nodes[name]))
            continue
        rest = "  ".join(part for part in (_detail(item), _after(item)) if part)
        yield "  " * depth + item.name, item.kind, rest
        inner = list(zip(_labels(item), (graph for _, graph in item.graphs()), strict=False))
        stack.extend((depth + 1, name, branch) for name, branch in reversed(inner))


def _data(graph: Graph) -> dict[str, Any]:
    """The graph as JSON: nodes by name, each with its edges and the graphs inside it."""
    found: dict[str, Any] = {}
    stack = [(graph, found)]
    while stack:
        current, into = stack.pop()
        for name in current.order():
            node = current.nodes[name]
            data: dict[str, Any] = {"type": node.kind, "join": node.join}
            data["incoming"] = [edge._asdict() for edge in node.incoming]
            for label, (_, inner) in zip(_labels(node), node.graphs(), strict=False):
                branch = data.setdefault("graphs", {}).setdefault(label or "branch", {})
                stack.append((inner, branch))
            into[name] = data
    return found


def _mermaid(graph: Graph) -> Iterator[str]:
    """A flowchart; a composite is a box around what is inside it."""
    yield "flowchart LR"
    numbers: dict[int, str] = {}
    stack: list[tuple[str, Any]] = [("", graph)]
    while stack:
        indent, item = stack.pop()
        if isinstance(item, str):
            yield item
            continue
        if isinstance(item, Node):
            name = numbers[id(item)]
            text = f'"{item.name.translate(ENTITIES)}"'
            inner = list(zip(_labels(item), (g for _, g in item.graphs()), strict=False))
            if not inner:
                yield f"{indent}  {name}[{text}]"
                continue
            yield f"{indent}  subgraph {name}[{text}]"
            stack.append((indent, f"{indent}  end"))
            stack.extend((indent + "  ", branch) for _, branch in reversed(inner))
            continue
        for node in item.nodes.values():
            numbers[id(node)] = f"n{len(numbers)}"
        for node in item.nodes.values():
            for edge in node.incoming:
                arrow = "-->" if edge.outcome == "success" else "-. failed .->"
                source = numbers[id(item.nodes[edge.source])]
                stack.append((indent, f"{indent}  {source} {arrow} {numbers[id(node)]}"))
        stack.extend((indent, node) for node in reversed(list(item.nodes.values())))
