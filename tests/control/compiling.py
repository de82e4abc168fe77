"""A graph compiled, also in parts: cut into nested machines at limits far below the real ones."""

from __future__ import annotations

from dataclasses import replace

from stepweave.asl.estimates import Estimate
from stepweave.asl.machines import to_bytes, to_machines
from stepweave.compiler import Compiled, compile_graph
from stepweave.graph.model import Graph
from stepweave.planning.partition import Cost, cut
from stepweave.planning.plan import to_plan

SMALL = Cost(bytes=9_000, events=200, depth=3)
"""Limits that cut a DAG of a few tasks."""


def in_parts(graph: Graph) -> Compiled:
    """``graph`` compiled in as many machines as small limits ask for."""
    whole = compile_graph(graph)
    estimate = Estimate({task.id: task for task in graph.tasks}, whole.placements)
    plan = cut(to_plan(graph), estimate, SMALL)
    machines = to_machines(graph, plan, whole.placements)
    files = {machines.file_name(name): to_bytes(body) for name, body in machines.definitions.items()}
    return replace(whole, plan=plan, machines=machines, files=files)
