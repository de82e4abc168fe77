"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from stepweave.cli.found import DEFAULT_STORE

Target = Annotated[str, typer.Argument(help="path.py, path.py:dag, or a DAG's id.", metavar="TARGET")]
Targets = Annotated[
    list[str] | None,
    typer.Argument(help="path.py, path.py:dag, or DAG ids; none: all in ./statemachines.", metavar="TARGET..."),
]
Run = Annotated[str, typer.Argument(help="A run's id, the beginning of it, or latest.", metavar="RUN")]
Store = Annotated[str, typer.Option("--store", help="Folder of artifacts and records.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Inline = Annotated[bool, typer.Option("--inline", help="Run tasks in this process, one at a time: for a debugger.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Worker processes; default: as many as CPUs, at least 2.", metavar="N")
]

__all__ = ["DEFAULT_STORE", "Inline", "Json", "Run", "Store", "Target", "Targets", "Workers"]
