"""`inner_dags`: the DAGs that run inside a DAG, at whatever depth."""

from __future__ import annotations

from stepweave.graph.model import Graph
from stepweave.graph.specs import Places
from stepweave.runtime.resolve import named_object


def inner_dags(graph: Graph) -> tuple[str, ...]:
    """Ids of the DAGs that are run inside ``graph``, sorted."""
    found: set[str] = set()
    pending = [graph]
    while pending:
        for task in Places.of(pending.pop()).tasks.values():
            if task.nested is not None and task.nested.dag not in found:
                found.add(task.nested.dag)
                pending.append(named_object(task.nested.call).graph())
    return tuple(sorted(found - {graph.dag.id}))
