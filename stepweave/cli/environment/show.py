"""``stepweave show --env``: one run of an environment and its tasks."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence, Set
from typing import Any

from stepweave.cli.answer import Answer
from stepweave.cli.environment.described import dag_here, not_here, run_object, took
from stepweave.cli.progress.task_table import named_tasks, print_tasks
from stepweave.cli.progress.words import count, duration, in_environment
from stepweave.cli.task_objects import task_objects
from stepweave.deployed.deployment import Deployment, open_deployment
from stepweave.deployed.finding import find_run
from stepweave.deployed.histories import SHOWN_ITEMS
from stepweave.deployed.looking import RunView, as_seen, look_at
from stepweave.deployed.run_records import RunRecords
from stepweave.embedded.taskruns import TaskRun
from stepweave.embedded.values import MAX_VALUE_CHARACTERS, json_value
from stepweave.stores.run_table import DeployedRun

EVERY_ITEM = 10_000
"""Most executions of the items of one distributed map that ``--items`` looks at."""


def show(env: str, name: str, items: bool, task: str | None, as_json: bool) -> Answer:
    """Show one run and its tasks, as the history of its latest execution tells."""
    deployment = open_deployment(env)
    run = find_run(deployment, name)
    inside = RunRecords(deployment).inside(run.run_id)
    dag = dag_here(run.dag)
    view = None
    if dag is not None:
        view = look_at(deployment, run, dag.graph(), items=EVERY_ITEM if items else SHOWN_ITEMS)
    if view is not None:
        run = as_seen(run, view.execution)
    shown = named_tasks(_every(view), run.run_id, task) if view is not None else []
    if not as_json:
        sys.stdout.write("\n".join(_head(run, inside, deployment)) + "\n\n")
        if dag is None:
            sys.stdout.write(not_here(run.dag) + "\n")
        elif view is not None:
            place = in_environment(env)
            print_tasks(shown, run.run_id, place, every=items, whole=task is not None)
        else:
            sys.stdout.write("the run has not begun; it waits until fewer runs of its DAG go on\n")
        return Answer(None)
    found = _object(run, view, inside, deployment, {each.task for each in shown})
    return Answer(found)


def _head(run: DeployedRun, inside: Sequence[DeployedRun], deployment: Deployment) -> list[str]:
    seconds = took(run)
    pairs = (
        ("run", run.run_id),
        ("dag", run.dag),
        ("env", deployment.env),
        ("status", run.status),
        ("took", duration(seconds) if seconds is not None else ""),
        ("params", json.dumps(run.params, ensure_ascii=False) if run.params else ""),
        ("by", run.facts.by or ""),
        ("runs", ", ".join(f"{each.run_id} {each.status}" for each in inside)),
        ("date", run.facts.logical_date or ""),
        ("resumed", count(run.attempt - 1, "time") if run.attempt > 1 else ""),
        ("code", _code(run, deployment)),
        ("error", run.error),
        ("console", deployment.execution_link(run.execution or "") if run.execution else ""),
    )
    return [f"{label:<8} {text}" for label, text in pairs if text]


def _code(run: DeployedRun, deployment: Deployment) -> str:
    """The version of the code that ran, where another one is deployed by now: the tasks here may be other ones."""
    ran, now = run.facts.code_version, deployment.dag(run.dag).code_version
    return f"{ran[:12]}; by now {now[:12]} is deployed" if ran and now and ran != now else ""


def _every(view: RunView) -> list[TaskRun]:
    """Every task run, those that were reached first and in that order; the tasks that were not come last."""
    runs = view.statuses.runs.every_run()
    return sorted(runs, key=lambda run: run.ready if run.ready is not None else float("inf"))


def _object(
    run: DeployedRun,
    view: RunView | None,
    inside: Sequence[DeployedRun],
    deployment: Deployment,
    shown: Set[str],
) -> dict[str, object]:
    """The run in the shape of ``stepweave show --json`` for runs on this machine, with the tasks that are shown."""
    tasks = tasks_object(run, view, deployment)
    children = [run_object(each, deployment) for each in inside]
    return {
        **run_object(run, deployment),
        "tasks": {task: told for task, told in tasks.items() if task in shown},
        "runs": children,
    }


def tasks_object(run: DeployedRun, view: RunView | None, deployment: Deployment) -> Mapping[str, Any]:
    """The tasks as ``--json`` prints them; small values come from the history or the store."""
    if view is None:
        return {}
    store = deployment.store()

    def value_of(task: TaskRun) -> dict[str, object]:
        if task.items is not None:
            return {}  # what it is worth only the DAG says
        text = json_value(
            store, run.dag, run.run_id, task.task, task.value, MAX_VALUE_CHARACTERS, index=task.index
        )
        return {"value": json.loads(text)} if text is not None else {}

    return task_objects(view.statuses.tasks(), view.statuses.maps(), value_of)
