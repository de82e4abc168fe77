"""`to_page`: a graph as one HTML file: the drawing, details on hover, a search, and every task's documentation.

The page loads nothing: style and script are inside, and its content security policy forbids everything else.
Texts from users are escaped in the markup, and reach the script as JSON that it shows as text only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from string import Template

from stepweave.cli.drawing.describe import Description, describe
from stepweave.cli.drawing.nodes import all_links
from stepweave.cli.drawing.svg import to_svg, xml_text
from stepweave.graph.model import DagInfo, Graph


def to_page(graph: Graph, places: Mapping[str, str]) -> str:
    """The graph as a self-contained HTML page; ``places`` tells where each task runs (``lambda``, ``batch``)."""
    descriptions = describe(graph, places)
    return Template(_asset("page.html")).substitute(
        title=xml_text(graph.dag.id),
        summary=xml_text(_summary(graph, len(descriptions))),
        style=_asset("page.css").strip(),
        svg=to_svg(graph, places).strip(),
        doc=f"<pre>{xml_text(graph.dag.doc)}</pre>" if graph.dag.doc else "",
        tasks="\n".join(_entry(task) for task in descriptions),
        data=_data(descriptions),
        script=_asset("page.js").strip(),
    )


def _asset(name: str) -> str:
    return files("stepweave.cli.drawing").joinpath(name).read_text(encoding="utf-8")


def _summary(graph: Graph, tasks: int) -> str:
    dag: DagInfo = graph.dag
    edges = len(list(all_links(graph)))
    parts = (f"{tasks} tasks", f"{edges} edges", dag.schedule, dag.owner, ", ".join(dag.tags))
    return " · ".join(part for part in parts if part)


def _entry(task: Description) -> str:
    rows = "".join(f"<dt>{xml_text(label)}</dt><dd>{xml_text(text)}</dd>" for label, text in task.details)
    doc = f"<pre>{xml_text(task.doc)}</pre>" if task.doc else ""
    return f"<details><summary>{xml_text(task.id)}</summary>{doc}<dl>{rows}</dl></details>"


def _data(descriptions: tuple[Description, ...]) -> str:
    """JSON that cannot close the script element it stands in."""
    rows = [{"id": task.id, "doc": task.doc, "details": task.details} for task in descriptions]
    return (
        json.dumps(rows, ensure_ascii=True, separators=(",", ":"))
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
    )
