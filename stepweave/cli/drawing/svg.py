"""`to_svg`: a graph as one SVG image that needs nothing else, light or dark as the reader prefers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from stepweave.cli.drawing.describe import Description, data_edges, describe
from stepweave.cli.drawing.layout import BOX_PADDING, CHARACTER_WIDTH, Box, Layout, Point, to_layout
from stepweave.graph.model import Graph
from stepweave.graph.order import topological_order, transitive_reduction

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
.sw .edge { fill: none; stroke: var(--line); stroke-width: 1.4; marker-end: url(#arrow); }
.sw .implied { opacity: 0.45; }
.sw .order { stroke-dasharray: 5 4; }
.sw #arrow path { fill: var(--line); }
""".strip()


def to_svg(graph: Graph, places: Mapping[str, str]) -> str:
    """The graph drawn from left to right; ``places`` tells where each task runs (``lambda``, ``batch``).

    Hovering over a task shows its details; an edge that only orders is dashed, one that a longer path
    implies is faint, a teardown task has a dashed border.
    """
    layout = to_layout({task_id: graph[task_id].upstream for task_id in topological_order(graph)})
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" class="sw" role="img"'
        f' viewBox="0 0 {layout.width:g} {layout.height:g}"'
        f' width="{layout.width:g}" height="{layout.height:g}">',
        f"<title>{xml_text(graph.dag.id)}</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" orient="auto"'
        ' markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9">'
        '<path d="M0 0 8 4 0 8z"/></marker></defs>',
        '<rect class="paper" width="100%" height="100%"/>',
        *_edges(graph, layout),
        *_boxes(layout, describe(graph, places)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _boxes(layout: Layout, descriptions: Sequence[Description]) -> list[str]:
    return [_box(layout.boxes[task.id], task, index) for index, task in enumerate(descriptions)]


def _box(box: Box, task: Description, index: int) -> str:
    classes = " ".join(
        ("task", *((task.place,) if task.place.isalpha() else ()), *(("teardown",) if task.teardown else ()))
    )
    hover = "\n".join(
        (task.id, *task.doc.splitlines()[:1], *(f"{label}: {text}" for label, text in task.details))
    )
    label = _shorten(task.id, int((box.width - BOX_PADDING) / CHARACTER_WIDTH) + 1)
    y = box.height / 2 + (-1 if task.place else 5)
    return (
        f'<g class="{classes}" data-task="{index}" tabindex="0" transform="translate({box.x:g} {box.y:g})">'
        f"<title>{xml_text(hover)}</title>"
        f'<rect class="box" width="{box.width:g}" height="{box.height:g}" rx="7"/>'
        f'<rect class="stripe" x="0" y="7" width="4" height="{box.height - 14:g}" rx="2"/>'
        f'<text x="16" y="{y:g}">{xml_text(label)}</text>'
        + (f'<text class="place" x="16" y="{y + 14:g}">{xml_text(task.place)}</text>' if task.place else "")
        + "</g>"
    )


def _edges(graph: Graph, layout: Layout) -> list[str]:
    """The edges; those that a longer path implies first and faint, so that the shape of the graph stands out."""
    index = {task.id: number for number, task in enumerate(graph.tasks)}
    carries, kept = data_edges(graph), transitive_reduction(graph)
    faint: list[str] = []
    full: list[str] = []
    for (parent, task), points in layout.edges.items():
        implied = parent not in kept[task]
        classes = (" implied" if implied else "") + ("" if (parent, task) in carries else " order")
        ends = f"{index[parent]} {index[task]}"
        (faint if implied else full).append(
            f'<path class="edge{classes}" data-ends="{ends}" d="{_path(points)}"/>'
        )
    return [*faint, *full]


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
