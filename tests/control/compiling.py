"""A graph compiled as if it were large: cut into nested machines, or its items spread over executions of their own."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from stepweave.asl.estimates import Estimate
from stepweave.asl.machines import Machines, to_bytes, to_machines
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
    return _with(replace(whole, plan=plan), to_machines(graph, plan, whole.placements))


def spread(graph: Graph) -> Compiled:
    """``graph`` compiled with any number of items counted as many, where the number is known only in the run."""
    whole = compile_graph(graph)
    text = json.dumps(whole.machines.definitions)
    text = re.sub(r"\$states\.input\.b in \[1\.\.\d+\]", "false", text)
    text = re.sub(r"\$states\.input\.b > \d+", "$states.input.b > 0", text)
    return _with(whole, replace(whole.machines, definitions=json.loads(text)))


def _with(compiled: Compiled, machines: Machines) -> Compiled:
    files = {machines.file_name(name): to_bytes(body) for name, body in machines.definitions.items()}
    return replace(compiled, machines=machines, files=files)
