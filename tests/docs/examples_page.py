"""Writes docs/examples.md and docs/pictures/ from the examples: ``python -m tests.docs.examples_page``.

With ``--check`` it writes nothing, and fails where a file is not what would be written. Run it from the top folder,
since pictures name source files as seen from there.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from stepweave.authoring.dags import Dag
from stepweave.cli.drawing.svg import to_svg
from stepweave.compiler import Compiled, compile_graph
from stepweave.loading import dags_in, import_file

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = Path("statemachines") / "examples"
PAGE = Path("docs") / "examples.md"
PICTURES = Path("docs") / "pictures"

INTRODUCTION = """\
# Examples

One idea each, in the order in which they build on one another. Each runs on a laptop within seconds, and is tested:
[`tests/statemachines/examples/`](../tests/statemachines/examples) runs it on its good and on its bad path. The compiled
state machines are in [`statemachines/examples/asl/`](../statemachines/examples/asl).

The price is the number of state transitions of a run in which all goes well, as `stepweave plan` tells it. A map over a
list that is known only in the run counts with one item, a loop with one round; [what each construct
costs](performance.md#prices-of-constructs) has the rest.

This page is written by `make compile`. In the pictures a dashed arrow only orders, a faint one is implied by others, a
frame is a graph inside of a node, and small print says where a task runs and what it is.
"""

SHOWN = {
    "e05": ("first_value", "mean", "publish", "page_somebody"),
    "e07": ("anything_new", "look_for_drift"),
    "e08": ("measure", "mapping"),
    "e09": ("per_species", "mapped_groups"),
    "e15": ("city_features", "composition"),
    "e16": ("forecast_of",),
    "e18": ("search", "download", "read"),
    "e19": ("classify", "explain", "fallbacks"),
    "e20": ("shift_back", "shift_traffic", "compensation"),
    "e21": ("count", "simulate", "replicas_and_hedging"),
    "e23": ("ask", "circuit_breaker"),
    "e24": ("arrived", "sensor", "daily_report"),
    "e26": ("strict", "patient", "persistent"),
    "e27": ("publish", "fill", "load_range", "daily_load"),
    "e28": ("plan_work", "run_work", "dispatch_example"),
    "e29": ("etl", "sensor_features"),
    "e30": ("release", "release_a_line"),
}
"""By the beginning of the example's name: what of it the page shows; else its DAG functions."""


def files() -> Iterator[tuple[Path, str]]:
    """Every file that belongs to the page, as it must be."""
    sections = [INTRODUCTION]
    for path in sorted(EXAMPLES.glob("e*_*.py")):
        module = import_file(str(path))
        compiled = {dag.id: compile_graph(dag.graph()) for dag in dags_in(module).values()}
        sections.append(_section(path, module, compiled))
        for name, each in compiled.items():
            places = {task: placement.compute for task, placement in each.placements.items()}
            yield PICTURES / f"{name}.svg", to_svg(each.graph, places)
    yield PAGE, "\n".join(sections)


def _section(path: Path, module: ModuleType, compiled: dict[str, Compiled]) -> str:
    number = int(path.name[1:3])
    first, *paragraphs = inspect.cleandoc(module.__doc__ or "").split("\n\n")
    title, _, subtitle = " ".join(first.split()).rstrip(".").partition(": ")
    parts = [f"## {number}. {_markdown(title)}", f"[`{path.name}`](../{path.as_posix()})"]
    if subtitle:
        parts[1] += f": {_markdown(subtitle)}."
    parts += [_markdown(paragraph) for paragraph in paragraphs]
    parts += [f"![{name}](pictures/{name}.svg)" for name in compiled]
    parts.append("```python\n" + "\n\n\n".join(_sources(path, module)) + "\n```")
    parts.append(_prices(compiled))
    return "\n\n".join(parts) + "\n"


def _sources(path: Path, module: ModuleType) -> Iterator[str]:
    names = SHOWN.get(path.name[:3]) or tuple(
        name for name, value in vars(module).items() if isinstance(value, Dag)
    )
    text = path.read_text(encoding="utf-8")
    for name in names:
        function = getattr(getattr(module, name), "function", None)
        if function is None or function.__module__ != module.__name__:
            # A constant, or what a recipe made: the statement itself.
            found = re.search(rf"^{name} = .*$", text, re.MULTILINE)
            yield found[0] if found else inspect.getsource(getattr(module, name)).rstrip()
        else:
            yield inspect.getsource(function).rstrip()


def _prices(compiled: dict[str, Compiled]) -> str:
    rows = ["| DAG | tasks | states | gates | transitions |", "|---|---:|---:|---:|---:|"]
    for name, each in compiled.items():
        report = each.report
        rows.append(
            f"| `{name}` | {report.tasks} | {report.states} | {report.gates} | {report.transitions} |"
        )
    return "\n".join(rows)


def _markdown(text: str) -> str:
    return text.replace("``", "`")


def main(check: bool) -> int:
    """Write the files, or tell which are not up to date; the exit status."""
    wanted = {path: text.rstrip("\n") + "\n" for path, text in files()}
    stale = [
        path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    left = [path for path in PICTURES.glob("*.svg") if path not in wanted]
    if check:
        for path in (*stale, *left):
            print(f"{path.as_posix()} is not up to date; run: make compile")
        return 1 if stale or left else 0
    PICTURES.mkdir(exist_ok=True)
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    for path in left:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
