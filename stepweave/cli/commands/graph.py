"""``stepweave graph``: a DAG as a picture."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from stepweave.cli.answer import Answer
from stepweave.cli.drawing.mermaid import to_mermaid
from stepweave.cli.drawing.page import to_page
from stepweave.cli.drawing.svg import to_svg
from stepweave.cli.options import add_json, add_target
from stepweave.cli.writing import write_file
from stepweave.compiler import compile_graph
from stepweave.graph.model import Graph
from stepweave.loading import load

FORMATS = ("svg", "mermaid", "html")


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_target(parser)
    what = "svg (default), mermaid, or html, which also shows details and the tasks' docs"
    parser.add_argument("--format", dest="form", choices=FORMATS, default="svg", help=what)
    parser.add_argument(
        "--output", "-o", default="-", metavar="FILE", help="file to write; - prints (default)"
    )
    add_json(parser)


def command(*, target: str, form: str, output: str, as_json: bool) -> Answer:
    """Draw a DAG: solid edges carry data, dashed ones only order.

    Example:
      stepweave graph statemachines/digits.py --format html -o digits.html
    """
    graph = load(target).graph()
    text = _draw(graph, form)
    answer: dict[str, object] = {"dag_id": graph.dag.id, "format": form}
    if output != "-":
        write_file(Path(output), text.encode())
        answer["path"] = output
    else:
        answer["text"] = text
    if not as_json:
        sys.stdout.write(text if output == "-" else f"{output}\n")
    return Answer(answer)


def _draw(graph: Graph, form: str) -> str:
    if form == "mermaid":
        return to_mermaid(graph)
    places = {task: placement.compute for task, placement in compile_graph(graph).placements.items()}
    return to_page(graph, places) if form == "html" else to_svg(graph, places)
