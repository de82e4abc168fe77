"""The graph inside a node, planned and emitted as a machine of its own would be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.reads import leaves
from stepweave.asl.scene import scene_inside
from stepweave.asl.scopes.fields import with_fields
from stepweave.asl.scopes.scope import Scope
from stepweave.graph.model import Binding, FromTask, Graph, Task, references
from stepweave.planning.plan import to_plan


def body_inside(
    wiring: Wiring,
    *,
    is_item: bool,
    copies: int = 1,
    catches: bool = True,
    fields: tuple[tuple[str, Binding], ...] = (),
) -> dict[str, Any]:
    """``{"StartAt", "States"}`` of the body of a node; its free variables are still to be bound.

    Args:
        wiring: Of the node.
        is_item: Ends with a letter, not with a record.
        copies: How many may run side by side.
        catches: Failures end the body and not the run.
        fields: Parts of the result that its record carries, by key.
    """
    task = wiring.task
    assert task.body is not None
    dag = wiring.scene.graph.dag
    graph = replace(task.body.graph, dag=replace(dag, fail_fast=dag.fail_fast and not catches))
    graph = with_fields(graph, *(binding for _, binding in fields))
    around = wiring.scene.scope
    scope = Scope(
        node=task.id,
        returns=returned(task),
        is_item=is_item,
        is_staged=task.speculation is not None or (around is not None and around.is_staged),
        fields=fields,
    )
    return wiring.emit_body(scene_inside(wiring.scene, graph, to_plan(graph), scope, copies))


def showing_index(part: Any) -> Any:
    """``part`` with the index path wherever a state tells what became of a node: in a body its id is not enough."""
    if isinstance(part, list):
        return [showing_index(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    found = {key: showing_index(value) for key, value in part.items()}
    shown = found.get("Output")
    if (
        isinstance(shown, dict)
        and not shown.keys().isdisjoint({"node", "condition"})
        and "index" not in shown
    ):
        found["Output"] = {**shown, "index": "{% $run.index %}"}
    return found


def returned(task: Task) -> tuple[str, ...]:
    """Tasks of the body of ``task`` that its result comes from; without a result, all leaves."""
    assert task.body is not None
    graph: Graph = task.body.graph
    found = references(task.body.result) if task.body.result is not None else ()
    named = dict.fromkeys(ref.task for ref in found if isinstance(ref, FromTask) and ref.task in graph)
    return tuple(named) or leaves(graph)
