"""`specs_of(event)`: the argument specs of a task that were too many to travel in its event."""

from __future__ import annotations

import itertools
from typing import Any

from stepweave.graph.model import Graph
from stepweave.graph.specs import Places, argument_specs, list_specs, value_spec
from stepweave.runtime.events import Event
from stepweave.runtime.resolve import graph_of, named_object


def specs_of(event: Event) -> dict[str, Any]:
    """Argument name → spec, from the traced DAG."""
    graph = graph_of(event["call"], event["run"]["dag"], event.get("module", ""))
    return specs_from_graph(graph, event["task"], lists="items" in event)


def specs_from_graph(graph: Graph, task_id: str, *, lists: bool = False) -> dict[str, Any]:
    """Argument name → spec, as the event's ``args`` would say it; expressions are numbered in the order written.

    With ``lists``, of the lists that a mapped node takes its items from.
    """
    numbers = itertools.count()
    specs = list_specs if lists else argument_specs
    return specs(task_id, Places.of(graph), lambda _: next(numbers))


def value_spec_of(call: str, task_id: str) -> dict[str, Any]:
    """How another run reads the value of a task of the DAG behind ``call`` from the store."""
    return value_spec(task_id, Places.of(named_object(call).graph()))
