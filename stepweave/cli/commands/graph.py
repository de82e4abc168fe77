"""``stepweave graph``: a DAG as a picture."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from stepweave.cli.answer import Answer
from stepweave.cli.drawing.mermaid import to_mermaid
from stepweave.cli.drawing.page import to_page
from stepweave.cli.drawing.svg import to_svg
from stepweave.cli.options import Json, Target
from stepweave.compiler import compile_graph
from stepweave.graph.model import Graph
from stepweave.loading import load


class Format(str, Enum):
    """What a graph can be drawn as."""

    SVG = "svg"
    MERMAID = "mermaid"
    HTML = "html"


def command(
    target: Target,
    form: Annotated[Format, typer.Option("--format", help="html also shows details and the tasks' docs.")] = Format.SVG,
    output: Annotated[str, typer.Option("--output", "-o", help="File to write; - prints.", metavar="FILE")] = "-",
    as_json: Json = False,
) -> Answer:
    """Draw a DAG: solid edges carry data, dashed ones only order.

    \b
    Example:
      stepweave graph statemachines/digits.py --format html -o digits.html
    """
    graph = load(target).graph()
    text = _draw(graph, form)
    answer: dict[str, object] = {"dag_id": graph.dag.id, "format": form.value}
    if output != "-":
        Path(output).write_text(text, encoding="utf-8")
        answer["path"] = output
    else:
        answer["text"] = text
    if not as_json:
        sys.stdout.write(text if output == "-" else f"{output}\n")
    return Answer(answer)


def _draw(graph: Graph, form: Format) -> str:
    if form is Format.MERMAID:
        return to_mermaid(graph)
    places = {task: placement.compute for task, placement in compile_graph(graph).placements.items()}
    return to_page(graph, places) if form is Format.HTML else to_svg(graph, places)
