"""`follow_and_show`: a deployed run while it goes on, then its summary, as of a run on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from stepweave.cli.answer import Answer
from stepweave.cli.environment.described import dag_here, not_here, run_object
from stepweave.cli.lazy import module_named
from stepweave.cli.progress.lines import LineView
from stepweave.cli.progress.summary import summary_lines
from stepweave.cli.progress.tally import groups_of
from stepweave.cli.progress.words import in_environment
from stepweave.cli.running import run_object as ended_object
from stepweave.cli.screen import paint
from stepweave.deployed.deployment import Deployment
from stepweave.deployed.executions import Execution
from stepweave.deployed.looking import RunView, as_seen, follow
from stepweave.embedded.causes import error_message
from stepweave.embedded.result import RunEnd, RunResult
from stepweave.embedded.results import results_of
from stepweave.embedded.scopes import awaited_by
from stepweave.embedded.taskruns import Observer
from stepweave.embedded.timing import where_time_went
from stepweave.graph.model import Graph
from stepweave.stores.objects import ObjectStore
from stepweave.stores.run_table import DeployedRun


def follow_and_show(deployment: Deployment, run: DeployedRun, as_json: bool) -> Answer:
    """The answer of ``stepweave run``, for a run in an environment; status 0 when it succeeds.

    Ctrl-C ends the watching, not the run.
    """
    dag = dag_here(run.dag)
    graph = dag.graph() if dag is not None else None
    try:
        with _view(deployment, run, graph, as_json) as observers:
            ended = follow(deployment, run, graph, observers)
    except KeyboardInterrupt:
        env = deployment.env
        sys.stderr.write(
            f"\n{run.run_id} goes on; look: stepweave show {run.run_id} --env {env}, "
            f"stop it: stepweave cancel {run.run_id} --env {env}\n"
        )
        raise
    if not isinstance(ended, RunView) or graph is None:
        return _without_tasks(deployment, run, ended, as_json)
    store = deployment.store()
    result = _result(run, ended, graph, store)
    status = 0 if result.status == "success" else 1
    if as_json:
        return Answer(ended_object(result, store), status=status)
    lines = [paint(line.text, line.style) for line in summary_lines(result, deployment.env)]
    sys.stdout.write("\n".join(["", *lines]) + "\n")
    return Answer(None, status=status)


@contextmanager
def _view(
    deployment: Deployment, run: DeployedRun, graph: Graph | None, as_json: bool
) -> Iterator[list[Observer]]:
    if as_json or graph is None:
        yield []
        return
    place = in_environment(deployment.env)
    if not sys.stdout.isatty():
        yield [LineView(sys.stdout, run.run_id, place)]
        return
    live = module_named("stepweave.cli.progress.live")
    console = module_named("rich.console").Console()
    with live.LiveView(run.run_id, groups_of(graph), console, place) as view:
        yield [view]


def _without_tasks(
    deployment: Deployment, run: DeployedRun, ended: RunView | Execution, as_json: bool
) -> Answer:
    execution = ended.execution if isinstance(ended, RunView) else ended
    seen = as_seen(run, execution)
    if not as_json:
        sys.stdout.write(f"{run.run_id}: {seen.status}{': ' if seen.error else ''}{seen.error}\n")
        sys.stdout.write(not_here(run.dag) + "\n")
    found = {**run_object(seen, deployment), "tasks": {}}
    return Answer(found if as_json else None, status=0 if seen.status == "success" else 1)


def _result(run: DeployedRun, view: RunView, graph: Graph, store: ObjectStore) -> RunResult:
    execution, tasks = view.execution, view.statuses.tasks()
    wall = (execution.ended_at or execution.started_at) - execution.started_at
    status: RunEnd = (
        "success"
        if execution.status == "success"
        else "cancelled"
        if execution.status == "cancelled"
        else "failed"
    )
    why = ": ".join(
        part for part in (execution.error, error_message(execution.cause, execution.error)) if part
    )
    before = {task.id: awaited_by(task, graph) for task in graph.tasks}
    return RunResult(
        run_id=run.run_id,
        dag_id=run.dag,
        graph=graph,
        status=status,
        tasks=tasks,
        maps=view.statuses.maps(),
        wall_seconds=wall,
        error=why if status == "failed" else "",
        breakdown=where_time_went(before, tasks, wall),
        store=store.url,
        log_paths={},
        results=results_of(store, graph, run.run_id, tasks),
    )
