"""`random_graph`: graphs for the public validators, the same for the same seed."""

from __future__ import annotations

import json
import random
from typing import Any

from stepweave.graph.model import (
    DagInfo,
    Expression,
    FromTask,
    Graph,
    Literal,
    ParamSpec,
    Resources,
    RetryPolicy,
    Task,
)

TEXTS = ("", "plain", "{% $x %}", "{% not an expression", "costs ${5}", "${Bucket}", "Ref::x", "ü\n'\"")
SHAPES = (
    ("any", ("all_success", "all_success", "all_done")),
    (
        "diamonds",
        ("all_success", "all_done", "one_failed", "none_failed_min_one_success", "all_failed", "one_success"),
    ),
)


def upstream_of(number: int, shape: str, draw: random.Random) -> tuple[str, ...]:
    """Ids of the tasks before task ``number``: any earlier ones, or those of a chain of diamonds."""
    if shape == "any":
        return tuple(f"t{i}" for i in sorted(draw.sample(range(number), min(number, draw.randint(0, 3)))))
    before = {0: (number - 1,), 1: (number - 1,), 2: (number - 2,), 3: (number - 2, number - 1)}[number % 4]
    return tuple(f"t{i}" for i in before if i >= 0)


def random_graph(tasks: int, seed: int) -> Graph:
    """A DAG with every kind of task, argument and rule, and a tear-down; rules that no gate knows need diamonds."""
    draw = random.Random(seed)
    shape, rules = draw.choice(SHAPES)
    made = []
    for number in range(tasks):
        upstream = upstream_of(number, shape, draw)
        arguments: list[tuple[str, Any]] = [(f"from_{task}", FromTask(task=task)) for task in upstream[:2]]
        arguments.append(("text", Literal(json=json.dumps(draw.choice(TEXTS)))))
        if upstream:
            operand = FromTask(task=upstream[0], path=("n",))
            arguments.append(("computed", Expression(text="$_0_ + 1", operands=(operand,))))
        made.append(
            Task(
                id=f"t{number}",
                call=f"flows:t{number}",
                arguments=tuple(arguments),
                upstream=upstream,
                fields=(("n",),),
                trigger_rule=draw.choice(rules) if upstream else "all_success",
                retry=RetryPolicy(attempts=draw.randint(0, 3)),
                resources=Resources(gpu=1) if draw.random() < 0.2 else Resources(),
                doc=draw.choice(TEXTS),
            )
        )
    ends = {task.id for task in made} - {up for task in made for up in task.upstream}
    upstream = tuple(sorted(ends))
    made.append(
        Task(id="clean_up", call="flows:clean", upstream=upstream, trigger_rule="all_done", teardown=True)
    )
    params = (ParamSpec(name="text", default_json=json.dumps(draw.choice(TEXTS))),)
    return Graph(
        dag=DagInfo(id=f"random_{seed}", fail_fast=draw.random() < 0.2, params=params), tasks=tuple(made)
    )
