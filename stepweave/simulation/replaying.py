"""`replay`: what a run that has ended used of AWS, or would have used there, from its task runs.

What each task run took, and how often it was attempted, is measured. Where nobody counted the transitions, they are
those of a simulation that makes the same decisions and has as many items and rounds, for each execution of the run,
and one for each further attempt. Of executions that failed, or reused results, they are then the most they can have
made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from stepweave.embedded.places import every_task
from stepweave.embedded.taskruns import TaskRun
from stepweave.graph.model import Graph, Task
from stepweave.pricing.estimating import Architecture, usage_of
from stepweave.simulation.assumptions import cases_of
from stepweave.simulation.simulating import Estimate, estimate


def replay(
    graph: Graph,
    runs: Sequence[TaskRun],
    *,
    executions: int = 1,
    transitions: int | None = None,
    architecture: Architecture = "arm64",
) -> Estimate:
    """What a run used, by its task runs in all its executions, and by those of the runs that it started.

    ``transitions`` are given where they were counted.
    """
    tasks = {task.id: task for task in every_task(graph)}
    known = [run for run in runs if run.task in tasks]
    ended = estimate(
        graph,
        _seconds(runs),
        items=_items(known, tasks),
        chosen=_chosen(known, tasks),
        architecture=architecture,
    )
    work = replace(
        ended.work,
        calls=(*_calls(runs, ended.tasks), *_unseen(known, tasks)),
        transitions=transitions or ended.work.transitions * executions + _repeated(runs),
        control_calls=ended.work.control_calls * executions,
        gate_calls=ended.work.gate_calls * executions,
        executions=ended.work.executions * executions,
    )
    usage = usage_of(work, ended.tasks, ended.placements, architecture)
    return replace(ended, work=work, usage=usage)


def _seconds(runs: Iterable[TaskRun]) -> dict[str, float]:
    """The mean length of each task's attempts."""
    lengths: dict[str, list[float]] = {}
    for run in runs:
        if run.attempts and run.has_ended:
            lengths.setdefault(run.task, []).append(run.duration_seconds)
    return {task: sum(found) / len(found) for task, found in lengths.items()}


def _items(runs: Iterable[TaskRun], tasks: Mapping[str, Task]) -> dict[str, int]:
    """Items of maps and rounds of loops; those of a node in an item or round, of the largest of them."""
    many = {name for name, task in tasks.items() if task.expansion is not None or task.loop is not None}
    told: dict[str, int] = {}
    for run in runs:
        if run.items is not None and run.task in many:
            count = run.items.ended if run.items.are_rounds else run.items.total or run.items.ended
            told[run.task] = max(told.get(run.task, 0), count)
    return told


def _chosen(runs: Iterable[TaskRun], tasks: Mapping[str, Task]) -> dict[str, str]:
    """What each condition and branch chose."""
    return {
        run.task: run.chosen[0] for run in runs if run.chosen and run.chosen[0] in cases_of(tasks[run.task])
    }


def _calls(runs: Iterable[TaskRun], tasks: Mapping[str, Task]) -> Iterable[tuple[str, float]]:
    """Every attempt, with the length of the latest one of its task run: of earlier ones none is kept."""
    for run in runs:
        if run.task in tasks and tasks[run.task].call and run.items is None and not run.reused:
            yield from [(run.task, run.duration_seconds)] * run.attempts


def _unseen(runs: Sequence[TaskRun], tasks: Mapping[str, Task]) -> Iterable[tuple[str, float]]:
    """Attempts of items that nobody looked at, as long as the others: of large maps only some items are read."""
    for node, total in _items(runs, tasks).items():
        inside = {node, *_inside(tasks[node])}
        seen: dict[str, list[float]] = {}
        indexes: set[str] = set()
        for run in runs:
            if run.task in inside and run.index and run.items is None:
                indexes.add(run.index.partition("/")[0])
                if run.attempts and not run.reused:
                    seen.setdefault(run.task, []).append(run.duration_seconds)
        missing = total - len(indexes)
        for task, lengths in seen.items() if missing > 0 else ():
            yield from [(task, sum(lengths) / len(lengths))] * round(missing * len(lengths) / len(indexes))


def _inside(task: Task) -> set[str]:
    return {each.id for each in every_task(task.body.graph)} if task.body is not None else set()


def _repeated(runs: Iterable[TaskRun]) -> int:
    """Attempts after the first of their task run."""
    again: Counter[str] = Counter()
    for run in runs:
        if run.items is None:
            again[run.task] += max(0, run.attempts - 1)
    return again.total()
