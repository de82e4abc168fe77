"""What the same pipeline costs on other orchestrators that AWS users take: Metaflow on Step Functions, and MWAA.

`on_metaflow` follows what Metaflow compiles a flow to (one Batch job for each step, also for ``start`` and ``end``):
https://github.com/Netflix/metaflow/blob/master/metaflow/plugins/aws/step_functions/step_functions.py
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from stepweave.graph.model import Graph, Resources, Task
from stepweave.pricing.estimating import Architecture, on_batch
from stepweave.pricing.prices import HOURS_PER_MONTH
from stepweave.pricing.usage import Usage, total

METAFLOW_MIB = 4_096
"""Memory that a step asks for when it says nothing:
https://docs.metaflow.org/api/step-decorators/batch"""

CHECKS_PER_STEP = 3
"""Objects that a step of Metaflow writes besides its results, at the least: code, metadata, log."""


def on_metaflow(
    graph: Graph, calls: Iterable[tuple[str, float]], architecture: Architecture = "arm64"
) -> Usage:
    """What a run with these calls uses when each is a step of Metaflow on Step Functions and Batch, at the least.

    A step is one transition and one job. ``start`` and ``end`` are two more, a split is a ``Parallel``, and a
    ``foreach`` is a ``Map`` and a look into DynamoDB. Its graphs are series-parallel; what that costs in time is not
    counted, nor is the metadata service.
    """
    made = [*calls, ("start", 0.0), ("end", 0.0)]
    tasks = dict(_every(graph.tasks))
    counts = Counter(name for name, _ in made)
    maps = sum(1 for name in counts if name in tasks and tasks[name].expansion is not None)
    transitions = len(made) + _splits(graph) + 2 * maps
    jobs = total(on_batch(seconds, *_job(tasks.get(name)), architecture) for name, seconds in made)
    writes = Usage.of(s3_put=CHECKS_PER_STEP * len(made), table_write=2 * maps, table_read=2 * maps)
    return jobs + writes + Usage.of(transition=transitions)


def on_mwaa(runs_per_month: float) -> Usage:
    """The part of the smallest published environment of MWAA that a run pays for; workers beyond the first excluded."""
    return Usage.of(mwaa_small=HOURS_PER_MONTH / runs_per_month)


def _job(task: Task | None) -> tuple[Resources, int]:
    need = task.resources if task is not None else Resources()
    return replace(need, cpu=need.cpu or 1.0), need.memory_mib or METAFLOW_MIB


def _every(tasks: Iterable[Task]) -> Iterable[tuple[str, Task]]:
    for task in tasks:
        yield task.id, task
        if task.body is not None:
            yield from _every(task.body.graph.tasks)


def _splits(graph: Graph) -> int:
    """Tasks that more than one other follows: each is a ``Parallel``."""
    followers: Counter[str] = Counter(
        upstream for task in graph.tasks for upstream in _without_implied(task, graph)
    )
    first = sum(1 for task in graph.tasks if not task.upstream)
    return sum(1 for count in followers.values() if count > 1) + (first > 1)


def _without_implied(task: Task, graph: Graph) -> set[str]:
    """The upstream tasks that no other upstream task implies."""
    implied: set[str] = set()
    stack = [above for one in task.upstream if one in graph for above in graph[one].upstream]
    while stack:
        one = stack.pop()
        if one not in implied and one in graph:
            implied.add(one)
            stack.extend(graph[one].upstream)
    return set(task.upstream) - implied
