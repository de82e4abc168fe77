"""``stepweave runs``: the list of runs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import cast

from stepweave.cli.answer import Answer
from stepweave.cli.found import error_now, open_records, run_object, status_now
from stepweave.cli.lazy import environment_command
from stepweave.cli.options import add_env, add_json, add_store, positive
from stepweave.cli.progress.words import duration, first_line
from stepweave.cli.screen import Table, print_table
from stepweave.stores.records import RunRow


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("dag", metavar="DAG", nargs="?", help="only runs of this DAG")
    parser.add_argument(
        "--limit", type=positive, default=20, metavar="N", help="how many at most (default: 20)"
    )
    add_store(parser)
    add_env(parser)
    add_json(parser)


def command(*, dag: str | None, limit: int, store: str, env: str | None, as_json: bool) -> Answer:
    """List runs, the newest first; those of DAGs that ran inside another come after it, indented.

    Examples:
      stepweave runs digits
      stepweave runs --env prod
    """
    if env is not None:
        return cast(Answer, environment_command("runs", store).runs(env, dag, limit, as_json))
    rows = open_records(store).runs(dag, limit=limit)
    if not as_json and rows:
        print_table(_table(rows))
    elif not as_json:
        sys.stdout.write(
            f"no runs{f' of {dag!r}' if dag else ''} in {store!r}; start one with: stepweave run TARGET\n"
        )
    return Answer({"runs": [run_object(row) for row in rows]})


def _table(rows: list[RunRow]) -> Table:
    cells = [
        (
            "  " * depth + row.run_id,
            status_now(row),
            _started(row),
            _length(row),
            first_line(error_now(row)),
        )
        for row, depth in _tree(rows)
    ]
    return Table(head=("RUN", "STATUS", "STARTED", "TOOK", ""), rows=cells, status_column=1)


def _tree(rows: list[RunRow]) -> list[tuple[RunRow, int]]:
    """``rows`` with their depth, those of DAGs inside a run after it."""
    listed = {row.run_id for row in rows}
    inside: dict[str | None, list[RunRow]] = {}
    for row in rows:
        inside.setdefault(row.parent if row.parent in listed else None, []).append(row)
    found: list[tuple[RunRow, int]] = []
    pending = [(row, 0) for row in reversed(inside.get(None, []))]
    while pending:
        row, depth = pending.pop()
        found.append((row, depth))
        pending += [(child, depth + 1) for child in inside.get(row.run_id, [])]
    return found


def _started(row: RunRow) -> str:
    return f"{datetime.fromtimestamp(row.started_at):%Y-%m-%d %H:%M:%S}" if row.started_at is not None else ""


def _length(row: RunRow) -> str:
    return (
        duration(row.ended_at - row.started_at)
        if row.ended_at is not None and row.started_at is not None
        else ""
    )
