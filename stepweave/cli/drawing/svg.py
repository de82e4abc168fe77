"""`to_svg`: a graph as one SVG image that needs nothing else, light or dark as the reader prefers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from stepweave.cli.drawing.describe import Description, data_edges, describe
from stepweave.cli.drawing.layout import (
    BOX_HEIGHT,
    BOX_PADDING,
    CHARACTER_WIDTH,
    MAX_BOX_WIDTH,
    Box,
    Layout,
    Point,
    box_width,
    to_layout,
)
from stepweave.cli.drawing.nodes import Link, links
from stepweave.graph.model import Graph
from stepweave.graph.order import predecessors, topological_order, transitive_reduction

NOTE_WIDTH = 5.4
"""Mean width of a character of the small text under the label, in pixels."""
HEAD = 24
"""Height of what a frame has above the drawing inside it, in pixels."""

_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters outside XML 1.0's production Char (https://www.w3.org/TR/xml/#charsets)."""

STYLE = """
.sw { --paper: #ffffff; --ink: #1b1f24; --soft: #656d76; --line: #9aa4af; --box: #f6f8fa; --edge: #d0d7de;
  --lambda: #d97706; --batch: #2563eb; font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
@media (prefers-color-scheme: dark) { .sw { --paper: #0d1117; --ink: #e6edf3; --soft: #8b949e; --line: #6e7681;
  --box: #161b22; --edge: #30363d; --lambda: #f59e0b; --batch: #60a5fa; } }
.sw .paper { fill: var(--paper); }
.sw .box { fill: var(--box); stroke: var(--edge); }
.sw .teardown .box { stroke-dasharray: 4 3; }
.sw .stripe { fill: var(--line); }
.sw .lambda .stripe { fill: var(--lambda); }
.sw .batch .stripe { fill: var(--batch); }
.sw text { fill: var(--ink); }
.sw .place { fill: var(--soft); font-size: 10px; }
.sw .frame > .box { fill: transparent; stroke-width: 1.5; }
.sw .case { fill: var(--soft); font-size: 10px; text-anchor: end; }
.sw .edge { fill: none; stroke: var(--line); stroke-width: 1.4; marker-end: url(#arrow); }
.sw .implied { opacity: 0.45; }
.sw .order { stroke-dasharray: 5 4; }
.sw #arrow path { fill: var(--line); }
""".strip()


def to_svg(graph: Graph, places: Mapping[str, str]) -> str:
    """The graph drawn from left to right; ``places`` tells where each task runs (``lambda``, ``batch``).

    Hovering over a task shows its details. A node with a graph of its own inside is a frame around it; an edge that
    only orders is dashed, one that a longer path implies is faint, one from a condition names the case; a teardown
    task has a dashed border.
    """
    descriptions = describe(graph, places)
    by_id = {task.id: (index, task) for index, task in enumerate(descriptions)}
    drawn = _drawn(graph, by_id)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" class="sw" role="img"'
        f' viewBox="0 0 {drawn.width:g} {drawn.height:g}"'
        f' width="{drawn.width:g}" height="{drawn.height:g}">',
        f"<title>{xml_text(graph.dag.id)}</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" orient="auto"'
        ' markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9">'
        '<path d="M0 0 8 4 0 8z"/></marker></defs>',
        '<rect class="paper" width="100%" height="100%"/>',
        *drawn.parts,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """The drawing of a graph, in pixels from its own upper left corner."""

    width: float
    height: float
    parts: tuple[str, ...]


_ById = Mapping[str, tuple[int, Description]]
"""Number and description of each task, those of bodies included."""


def _drawn(graph: Graph, by_id: _ById) -> _Drawn:
    bodies = {task.id: _drawn(task.body.graph, by_id) for task in graph.tasks if task.body is not None}
    parents: dict[str, list[str]] = {task_id: [] for task_id in topological_order(graph)}
    found = tuple(links(graph))
    for link in found:
        parents[link.target].append(link.source)
    layout = to_layout(parents, {task: _size(by_id[task][1], bodies.get(task)) for task in parents})
    boxes = [
        part
        for task in graph.tasks
        for part in _node(layout.boxes[task.id], *by_id[task.id], bodies.get(task.id))
    ]
    return _Drawn(
        width=layout.width, height=layout.height, parts=(*_edges(graph, layout, found, by_id), *boxes)
    )


def _size(task: Description, body: _Drawn | None) -> tuple[float, float]:
    width = max(box_width(task.id), min(MAX_BOX_WIDTH, round(len(_note(task)) * NOTE_WIDTH + 26, 1)))
    return (width, BOX_HEIGHT) if body is None else (max(width, body.width), body.height + HEAD)


def _note(task: Description) -> str:
    return ", ".join(part for part in (task.place, task.kind) if part)


def _node(box: Box, index: int, task: Description, body: _Drawn | None) -> list[str]:
    drawn = [_box(box, task, index, framed=body is not None)]
    if body is not None:
        y = box.y + HEAD
        drawn += [f'<g transform="translate({box.x:g} {y:g})">', *body.parts, "</g>"]
    return drawn


def _box(box: Box, task: Description, index: int, *, framed: bool) -> str:
    names = ("task", task.place if task.place.isalpha() else "", "teardown" if task.teardown else "")
    classes = " ".join(name for name in (*names, "frame" if framed else "") if name)
    hover = "\n".join(
        (task.id, *task.doc.splitlines()[:1], *(f"{label}: {text}" for label, text in task.details))
    )
    label = _shorten(task.id, int((box.width - BOX_PADDING) / CHARACTER_WIDTH) + 1)
    note = _shorten(_note(task), int((box.width - 26) / NOTE_WIDTH) + 1)
    y = (BOX_HEIGHT / 2) + (-1 if note else 5)
    stripe = f'<rect class="stripe" x="0" y="7" width="4" height="{box.height - 14:g}" rx="2"/>'
    return (
        f'<g class="{classes}" data-task="{index}" tabindex="0" transform="translate({box.x:g} {box.y:g})">'
        f"<title>{xml_text(hover)}</title>"
        f'<rect class="box" width="{box.width:g}" height="{box.height:g}" rx="7"/>'
        + ("" if framed else stripe)
        + f'<text x="16" y="{y:g}">{xml_text(label)}</text>'
        + (f'<text class="place" x="16" y="{y + 14:g}">{xml_text(note)}</text>' if note else "")
        + "</g>"
    )


def _edges(graph: Graph, layout: Layout, found: Sequence[Link], by_id: _ById) -> list[str]:
    """The edges; those that a longer path implies first and faint, so that the shape of the graph stands out."""
    carries, kept = data_edges(graph), transitive_reduction(graph)
    faint: list[str] = []
    full: list[str] = []
    for link in found:
        points = layout.edges[link.source, link.target]
        # A speculation is linked to its condition although it does not wait for it.
        implied = link.source in predecessors(graph[link.target]) and link.source not in kept[link.target]
        ordered = "" if (link.source, link.target) in carries else " order"
        ends = f"{by_id[link.source][0]} {by_id[link.target][0]}"
        classes = (" implied" if implied and not link.case else "") + ordered
        drawn = f'<path class="edge{classes}" data-ends="{ends}" d="{_path(points)}"/>'
        (faint if implied else full).append(drawn + _case(link.case, points[-1]))
    return [*faint, *full]


def _case(case: str, end: Point) -> str:
    x, y = end
    return f'<text class="case" x="{x - 10:g}" y="{y - 5:g}">{xml_text(case)}</text>' if case else ""


def _path(points: Sequence[Point]) -> str:
    """A smooth line through ``points``: level where it passes a layer, an S between layers."""
    (x, y), path = points[0], [f"M{points[0][0]:g} {points[0][1]:g}"]
    for index, (next_x, next_y) in enumerate(points[1:]):
        if index % 2 == 0:
            middle = (x + next_x) / 2
            path.append(f"C{middle:g} {y:g} {middle:g} {next_y:g} {next_x:g} {next_y:g}")
        else:
            path.append(f"H{next_x:g}")
        x, y = next_x, next_y
    return "".join(path)


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def xml_text(text: str) -> str:
    """``text`` safe inside an element or an attribute of SVG and HTML; characters that XML forbids are replaced."""
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))
