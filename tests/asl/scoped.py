"""Graphs with maps and loops, and runs of them that are compared with the reference model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from stepweave.compiler import compile_graph
from stepweave.embedded.calls import TASK_RUNNER
from stepweave.embedded.machines import to_engine
from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.graph.constructs import Body, Condition, Expansion, Loop, Speculation
from stepweave.graph.model import (
    Binding,
    DagInfo,
    DictOf,
    Expression,
    FromItem,
    FromState,
    FromTask,
    Graph,
    Literal,
    Task,
)
from stepweave.validation.definition import validate
from tests.control.comparing import differences
from tests.control.drawing import Drawn
from tests.control.replaying import Recording, disagreements
from tests.control.running import Ran, run_drawn
from tests.reference.worlds import Place, World

DAG = DagInfo(id="dag")


def task(name: str, *upstream: str, **options: Any) -> Task:
    """A task that takes the values of its upstream tasks."""
    arguments = tuple((up.rpartition(".")[2], FromTask(task=up)) for up in upstream)
    return Task(id=name, call=f"flows:{name}", **{"upstream": upstream, "arguments": arguments, **options})


def graph(*tasks: Task, **dag: Any) -> Graph:
    return Graph(dag=DagInfo(id="dag", **dag), tasks=tasks)


def written(count: int) -> Literal:
    """A list of numbers written in the DAG."""
    return Literal(json=json.dumps(list(range(count))))


def over(items: Binding, **options: Any) -> Expansion:
    """A mapping of the parameter ``item`` over ``items``."""
    return Expansion(how="product", arguments=(("item", items),), **options)


def mapped(name: str, items: Binding | str, **options: Any) -> Task:
    """A mapped task; ``items`` may be the id of the task that makes the list."""
    upstream = (items,) if isinstance(items, str) else ()
    source = FromTask(task=items) if isinstance(items, str) else items
    return Task(id=name, call=f"flows:{name}", upstream=upstream, expansion=over(source, **options))


def group(
    name: str, items: Binding | str, *inner: Task, upstream: Sequence[str] = (), **options: Any
) -> Task:
    """A mapped group whose value is that of its last task."""
    source = FromTask(task=items) if isinstance(items, str) else items
    return Task(
        id=name,
        call="",
        upstream=((items,) if isinstance(items, str) else ()) + tuple(upstream),
        expansion=over(source, **options),
        body=Body(graph=Graph(dag=DAG, tasks=inner), result=FromTask(task=inner[-1].id)),
    )


def item(node: str) -> FromItem:
    return FromItem(node=node, name="item")


def loop(
    name: str, most: int, *inner: Task, upstream: Sequence[str] = (), exhausted: Any = "continue"
) -> Task:
    """A loop that carries the value of its last task, and ends when its key ``done`` is true."""
    until = Expression(text="$_0_ = true", operands=(FromState(node=name, path=("done",)),))
    return Task(
        id=name,
        call="",
        upstream=tuple(upstream),
        body=Body(graph=Graph(dag=DAG, tasks=inner), result=FromTask(task=inner[-1].id)),
        loop=Loop(start=Literal(json='{"done":false}'), until=until, max_rounds=most, exhausted=exhausted),
    )


def likely(*inner: Task, rule: str = "none_failed", cases: tuple[str, ...] = ("if",)) -> Graph:
    """``c`` decides by a field of the slow ``b`` whether ``s`` counts, whose body runs after ``a``; ``z`` follows."""
    test = Expression(text="$_0_ = true", operands=(FromTask(task="b", path=("ok",)),))
    result = DictOf(items=(("x", FromTask(task=inner[-1].id)),))
    node = Task(
        id="s",
        call="",
        upstream=("a",),
        body=Body(graph=Graph(dag=DAG, tasks=inner), result=result),
        speculation=Speculation(decider="c", cases=cases),
    )
    return graph(
        task("a"),
        task("b", "a", fields=(("ok",),)),
        Task(id="c", call="", upstream=("b",), condition=Condition(cases=(("if", test),))),
        node,
        task("z", "s", arguments=(("x", FromTask(task="s", path=("x",))),), trigger_rule=rule),
    )


def rounds(
    name: str, carry: str, count: int, index: tuple[int, ...] = ()
) -> tuple[World, dict[Place, dict[str, bool]]]:
    """A world in which the loop ends after ``count`` rounds, and the values that make it end."""
    fields = {(carry, (*index, number)): {"done": number == count - 1} for number in range(count)}
    return World(rounds={(name, index): count}), fields


def run(wanted: Graph, world: World | None = None, fields: Any = None) -> Ran:
    """``wanted`` compiled, validated and run: as the reference model says, and as sfnx, which others wrote, does it."""
    drawn = Drawn(wanted, world or World(), {}, fields or {})
    recording = Recording()
    ran = run_drawn(drawn, recording.listen)
    for definition in ran.compiled.machines.definitions.values():
        assert validate(definition) == ()
    assert differences(drawn, ran) == []
    assert disagreements(ran.compiled, {}, recording, ran.execution) == []
    return ran


def calls(ran: Ran) -> dict[Place, int]:
    """Attempts by task and index."""
    return dict(ran.seen.attempts)


def answered(wanted: Graph, answer: Callable[[Any], Any]) -> Execution:
    """The execution of ``wanted`` in which ``answer`` answers each event of a task."""
    machines = to_engine(compile_graph(wanted))

    async def answer_later(event: Any) -> Any:
        return answer(event)

    clock = VirtualClock()
    integrations = lambda_integrations({TASK_RUNNER: answer_later}) | start_execution_integrations()
    engine = Engine(machines.machines, integrations, clock=clock)
    return clock.run(engine.run(machines.root, {}))
