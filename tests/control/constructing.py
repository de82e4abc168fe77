"""Small graphs with one construct each, written by hand, and the worlds that they run in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stepweave.graph.constructs import Body, Condition, Expansion, Guard, Loop
from stepweave.graph.model import (
    Binding,
    DagInfo,
    Expression,
    FromParam,
    FromState,
    FromTask,
    Graph,
    Literal,
    ParamSpec,
    Task,
)
from tests.control.drawing import Drawn
from tests.reference.worlds import World

PARAM = "which"


def task(name: str, *upstream: str, **options: Any) -> Task:
    """A task that takes the values of its upstream tasks."""
    arguments = tuple((f"x{number}", FromTask(task=up)) for number, up in enumerate(upstream))
    return Task(
        **{"id": name, "call": f"flows:{name}", "upstream": upstream, "arguments": arguments} | options
    )


def run_of(
    *tasks: Task, world: World | None = None, fields: Mapping[Any, Any] | None = None, **dag: Any
) -> Drawn:
    """A run of the DAG of ``tasks``, whose param ``which`` is what its first condition chooses."""
    world = world or World()
    chosen = next((cases[0] for (_, index), cases in world.choices.items() if not index and cases), "else")
    info = DagInfo(id="drawn", params=(ParamSpec(name=PARAM, default_json='"else"'),), **dag)
    return Drawn(_within(info, tasks), world, {PARAM: chosen}, dict(fields or {}))


def _within(dag: DagInfo, tasks: tuple[Task, ...]) -> Graph:
    bodies = {
        one.id: replace(one.body, graph=_within(dag, one.body.graph.tasks)) for one in tasks if one.body
    }
    return Graph(dag=dag, tasks=tuple(replace(one, body=bodies.get(one.id)) for one in tasks))


def condition(name: str, *cases: str, over: str = "") -> Task:
    """An ``If`` over a field of the task ``over``, or over the param."""
    operand: FromTask | FromParam = FromTask(task=over, path=(name,)) if over else FromParam(param=PARAM)
    tests = tuple(
        (case, Expression(text=f"$_0_ = {json.dumps(case)}", operands=(operand,))) for case in cases
    )
    return Task(id=name, call="", upstream=(over,) if over else (), condition=Condition(cases=tests))


def inside(decider: str, *cases: str) -> dict[str, tuple[Guard, ...]]:
    """The option of a task in a block of an ``If``."""
    return {"guards": (Guard(decider=decider, cases=cases, block=True),)}


def chosen_by(decider: str, *cases: str) -> dict[str, tuple[Guard, ...]]:
    """The option of a task after a branch or a short circuit."""
    return {"guards": (Guard(decider=decider, cases=cases),)}


def over(items: int | str, *inner: Task, **options: Any) -> dict[str, Any]:
    """The options of a mapped node: over so many items written in the DAG, or over the list that a task answers."""
    source: Binding = (
        FromTask(task=items) if isinstance(items, str) else Literal(json=json.dumps([*range(items)]))
    )
    expansion = Expansion(how="product", arguments=(("item", source),), **options)
    return {"expansion": expansion, "arguments": (), "body": body(*inner) if inner else None}


def body(*inner: Task) -> Body:
    """A body that returns the value of its last task."""
    return Body(graph=Graph(dag=DagInfo(id="drawn"), tasks=inner), result=FromTask(task=inner[-1].id))


def loop(name: str, *inner: Task, max_rounds: int = 9) -> Task:
    """A loop whose condition is a field of its last task."""
    *before, last = inner
    until = Expression(text="$_0_ = true", operands=(FromState(node=name, path=(name,)),))
    rounds = Loop(start=Literal(json=json.dumps({name: False})), until=until, max_rounds=max_rounds)
    return Task(id=name, call="", loop=rounds, body=body(*before, replace(last, fields=((name,),))))
