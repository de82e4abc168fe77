"""`to_mermaid`: a graph as Mermaid text, for READMEs and pull requests."""

from __future__ import annotations

from stepweave.cli.drawing.describe import data_edges
from stepweave.graph.model import Graph

_ESCAPES = {ord(character): f"#{ord(character)};" for character in '"#&<>;`{}[]()|\\'}


def to_mermaid(graph: Graph) -> str:
    """The graph as a ``flowchart``; groups are subgraphs, an edge that only orders is dotted.

    Example: tasks ``a`` and ``b(a)`` give ``flowchart LR``, ``t0["a"]``, ``t1["b"]`` and ``t0 --> t1``, one a line.
    """
    names = {task.id: f"t{index}" for index, task in enumerate(graph.tasks)}
    lines = ["flowchart LR", *_nodes(graph, names)]
    carries = data_edges(graph)
    for task in graph.tasks:
        for parent in task.upstream:
            arrow = "-->" if (parent, task.id) in carries else "-.->"
            lines.append(f"  {names[parent]} {arrow} {names[task.id]}")
    return "\n".join(lines) + "\n"


def _nodes(graph: Graph, names: dict[str, str]) -> list[str]:
    """The node lines, each group's inside its ``subgraph``."""
    inside: dict[tuple[str, ...], list[str]] = {}
    for task in graph.tasks:
        for depth in range(len(task.groups) + 1):
            inside.setdefault(task.groups[:depth], [])
        shape = f'(["{_text(task.id)}"])' if task.teardown else f'["{_text(task.id)}"]'
        inside[task.groups].append(f"{names[task.id]}{shape}")
    lines: list[str] = []
    lines += [f"  {line}" for line in inside.get((), ())]
    pending: list[tuple[tuple[str, ...], bool]] = []
    pending += [(groups, False) for groups in reversed(inside) if len(groups) == 1]
    while pending:
        groups, closing = pending.pop()
        indent = "  " * len(groups)
        if closing:
            lines.append(f"{indent}end")
            continue
        number = list(inside).index(groups)
        lines.append(f'{indent}subgraph g{number}["{_text(groups[-1])}"]')
        lines += [f"{indent}  {line}" for line in inside[groups]]
        pending.append((groups, True))
        children = [other for other in inside if len(other) == len(groups) + 1 and other[:-1] == groups]
        pending += [(child, False) for child in reversed(children)]
    return lines


def _text(text: str) -> str:
    """``text`` as a Mermaid label: everything that Mermaid reads as syntax becomes a numeric entity."""
    return " ".join(text.split()).translate(_ESCAPES)
