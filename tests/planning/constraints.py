"""When each task of a plan can end, by the plan alone: its branches, joins, gates and signals as constraints."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter

from stepweave.planning.model import Await, Nested, Parallel, Plan, Run, Sequence, Signal, walk


def plan_finish_times(plan: Plan, seconds: Mapping[str, float]) -> dict[str, float]:
    """End of every task if each step starts as soon as the plan lets it; raises CycleError on a deadlock."""
    after: dict[object, set[object]] = {}
    signals = {
        (group, gate): ("signal", node.groups)
        for node in walk(plan)
        if isinstance(node, Signal)
        for group in node.groups
        for gate in node.gates
    }

    def lay(node: Plan, start: object) -> object:
        match node:
            case Run(task=task):
                after[task] = {start}
                return task
            case Await(gate=gate, parents=parents):
                after["gate", gate] = {start, *(signals[group, gate] for group in parents)}
                return "gate", gate
            case Signal(groups=groups):
                after["signal", groups] = {start}
                return "signal", groups
            case Sequence(steps=steps):
                for step in steps:
                    start = lay(step, start)
                return start
            case Parallel(branches=branches):
                ends = {lay(branch, start) for branch in branches}
                after["join", id(node)] = ends
                return "join", id(node)
            case Nested(body=body):
                return lay(body, start)

    lay(plan, "start")
    ends: dict[object, float] = {"start": 0.0}
    for step in TopologicalSorter(after).static_order():
        took = seconds.get(step, 0.0) if isinstance(step, str) else 0.0
        ends[step] = took + max((ends[before] for before in after.get(step, ())), default=0.0)
    return {task: ends[task] for task in seconds}
