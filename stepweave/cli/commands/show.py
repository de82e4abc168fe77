"""``stepweave show``: one run and its tasks."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import cast

from stepweave.cli.answer import Answer
from stepweave.cli.found import (
    error_now,
    find_run,
    open_records,
    run_object,
    status_now,
    tasks_now,
)
from stepweave.cli.lazy import environment_command
from stepweave.cli.options import add_env, add_json, add_run, add_store
from stepweave.cli.progress.task_table import named_tasks, print_tasks
from stepweave.cli.progress.words import count, duration, in_store
from stepweave.cli.task_objects import task_objects
from stepweave.embedded.summing import in_order
from stepweave.embedded.taskruns import TaskRun
from stepweave.embedded.values import MAX_VALUE_CHARACTERS, json_value
from stepweave.stores.objects import open_store
from stepweave.stores.records import RunRow


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_run(parser)
    parser.add_argument(
        "--items", action="store_true", help="also each item of maps and each task inside bodies"
    )
    parser.add_argument(
        "--task", metavar="TASK", help="only this task, or one item of it: train[3]; its error in full"
    )
    add_store(parser)
    add_env(parser)
    add_json(parser)


def command(*, run: str, items: bool, task: str | None, store: str, env: str | None, as_json: bool) -> Answer:
    """Show one run and its tasks; of items of maps and tasks in bodies those that failed, or with --items all.

    Errors are cut to a line; --task shows the whole of one, and so does --json.

    Examples:
      stepweave show latest
      stepweave show latest --task train[3]
      stepweave show latest --env prod
    """
    if env is not None:
        return cast(Answer, environment_command("show", store).show(env, run, items, task, as_json))
    records = open_records(store)
    row = find_run(records, run, store)
    tasks = tasks_now(records, row)
    shown = named_tasks(tasks, row.run_id, task)
    children = records.children(row.run_id)
    if not as_json:
        sys.stdout.write("\n".join(_head(row, children)) + "\n\n")
        print_tasks(shown, row.run_id, in_store(store), every=items, whole=task is not None)
        return Answer(None)
    ids = {each.task for each in shown}
    return Answer(_object(row, [each for each in tasks if each.task in ids], children, store))


def _head(row: RunRow, children: Sequence[RunRow]) -> list[str]:
    took = (
        duration(row.ended_at - row.started_at)
        if row.ended_at is not None and row.started_at is not None
        else ""
    )
    pairs = (
        ("run", row.run_id),
        ("dag", row.dag_id),
        ("status", status_now(row)),
        ("took", took),
        ("params", row.params if row.params != "{}" else ""),
        ("part of", row.parent or ""),
        ("runs", ", ".join(f"{child.run_id} {status_now(child)}" for child in children)),
        ("date", row.logical_date or ""),
        ("resumed", count(row.resumes, "time") if row.resumes else ""),
        ("error", error_now(row)),
    )
    return [f"{label:<8} {text}" for label, text in pairs if text]


def _object(
    row: RunRow, tasks: Sequence[TaskRun], children: Sequence[RunRow], store: str
) -> dict[str, object]:
    """The run in the shape of ``stepweave run --json`` and more; small values come from the records or ``store``."""
    opened = open_store(store)

    def value_of(run: TaskRun) -> dict[str, object]:
        if run.items is not None:
            return {}  # what it is worth only the DAG says
        text = json_value(
            opened, row.dag_id, row.run_id, run.task, run.value, MAX_VALUE_CHARACTERS, index=run.index
        )
        return {"value": json.loads(text)} if text is not None else {}

    maps: dict[str, list[TaskRun]] = {}
    for run in tasks:
        if run.index:
            maps.setdefault(run.task, []).append(run)
    return {
        **run_object(row),
        "tasks": task_objects(
            {run.task: run for run in tasks if not run.index},
            {task: in_order(runs) for task, runs in maps.items()},
            value_of,
        ),
        "runs": [run_object(child) for child in children],
    }
