"""`to_mermaid`: a graph as Mermaid text, for READMEs and pull requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepweave.cli.drawing.describe import data_edges
from stepweave.cli.drawing.nodes import kind, links
from stepweave.embedded.places import every_task
from stepweave.graph.model import Graph, Task

_ESCAPES = {ord(character): f"#{ord(character)};" for character in '"#&<>;`{}[]()|\\'}


def to_mermaid(graph: Graph) -> str:
    """The graph as a ``flowchart``; groups and bodies are subgraphs, an edge that only orders is dotted.

    Example: tasks ``a`` and ``b(a)`` give ``flowchart LR``, ``t0["a"]``, ``t1["b"]`` and ``t0 --> t1``, one a line.
    """
    tasks = tuple(every_task(graph))
    names = {task.id: f"t{index}" for index, task in enumerate(tasks)}
    return "\n".join(["flowchart LR", *_nodes(tasks, names), *_edges(graph, names)]) + "\n"


def _edges(graph: Graph, names: dict[str, str]) -> Iterator[str]:
    carries = data_edges(graph)
    for link in links(graph):
        arrow = "-->" if (link.source, link.target) in carries else "-.->"
        case = f"|{_text(link.case)}|" if link.case else ""
        yield f"  {names[link.source]} {arrow}{case} {names[link.target]}"
    for task in graph.tasks:
        if task.body is not None:
            yield from _edges(task.body.graph, names)


def _nodes(tasks: Sequence[Task], names: dict[str, str]) -> list[str]:
    """The node lines, each group's and each body's inside its ``subgraph``."""
    inside: dict[tuple[str, ...], list[str]] = {}
    titles: dict[tuple[str, ...], str] = {}
    for task in tasks:
        for depth in range(len(task.groups) + 1):
            inside.setdefault(task.groups[:depth], [])
        if task.body is None:
            inside[task.groups].append(f"{names[task.id]}{_shape(task)}")
        else:
            # A node with a graph inside is the subgraph of what is inside.
            within = (*task.groups, task.id)
            inside.setdefault(within, [])
            titles[within] = f'{names[task.id]}["{_label(task)}"]'
    lines = [f"  {line}" for line in inside.get((), ())]
    pending: list[tuple[tuple[str, ...], bool]] = []
    pending += [(groups, False) for groups in reversed(inside) if len(groups) == 1]
    while pending:
        groups, closing = pending.pop()
        indent = "  " * len(groups)
        if closing:
            lines.append(f"{indent}end")
            continue
        title = titles.get(groups) or f'g{list(inside).index(groups)}["{_text(groups[-1])}"]'
        lines.append(f"{indent}subgraph {title}")
        lines += [f"{indent}  {line}" for line in inside[groups]]
        pending.append((groups, True))
        children = [other for other in inside if len(other) == len(groups) + 1 and other[:-1] == groups]
        pending += [(child, False) for child in reversed(children)]
    return lines


def _shape(task: Task) -> str:
    label = f'"{_label(task)}"'
    if task.teardown:
        return f"([{label}])"
    if task.condition is not None or task.decides is not None:
        return f"{{{label}}}"
    if task.expansion is not None:
        return f"[[{label}]]"
    return f"[{label}]"


def _label(task: Task) -> str:
    what = kind(task)
    return _text(task.id) + (f"<br/>{_text(what)}" if what else "")


def _text(text: str) -> str:
    """``text`` as a Mermaid label: everything that Mermaid reads as syntax becomes a numeric entity."""
    return " ".join(text.split()).translate(_ESCAPES)
