"""`Plan`: how the tasks of a graph are arranged in a state machine.

Plan      = Run | Sequence | Parallel | Choose | Await | Signal | Nested
Run       one task
Sequence  steps one after another; every task of a step precedes every task of the next in the graph
Parallel  branches side by side; ends when all have ended
Choose    a condition and the steps of each of its cases: one case, or none, is carried out
Await     a gate: wait until tasks that run in other branches are done, then go on to the next step
Signal    tell the gates that groups of tasks are done
Nested    a part that is a state machine of its own (a cut, where a limit of Step Functions would be passed)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Run:
    task: str


@dataclass(frozen=True, slots=True)
class Sequence:
    steps: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    branches: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Choose:
    condition: str
    cases: tuple[tuple[str, Plan], ...]


@dataclass(frozen=True, slots=True)
class Await:
    gate: str
    """Name of the gate: the id of the first task behind it."""
    parents: tuple[Group, ...]
    """Tasks in other branches that must be done, grouped as they are signalled."""
    early: Group = ()
    """Tasks of which not all must be done: the gate opens when ``rule`` is decided."""
    rule: str = ""

    @property
    def met(self) -> tuple[Group, ...]:
        """Every group that arrives at the gate."""
        return self.parents + tuple((task,) for task in self.early)


@dataclass(frozen=True, slots=True)
class Signal:
    groups: tuple[Group, ...]
    gates: tuple[str, ...]
    """Gates that wait for the groups."""


@dataclass(frozen=True, slots=True)
class Nested:
    name: str
    """Name of the nested machine, unique in the DAG."""
    body: Plan


Group: TypeAlias = tuple[str, ...]
"""Tasks that end one part of the graph together, and so arrive at a gate together."""

Plan: TypeAlias = Run | Sequence | Parallel | Choose | Await | Signal | Nested


def walk(plan: Plan) -> Iterator[Plan]:
    """``plan`` and everything inside it, in order, without recursion."""
    stack: list[Plan] = [plan]
    while stack:
        node = stack.pop()
        yield node
        match node:
            case Sequence(steps=inner) | Parallel(branches=inner):
                stack.extend(reversed(inner))
            case Choose(cases=cases):
                stack.extend(inner for _, inner in reversed(cases))
            case Nested(body=body):
                stack.append(body)
            case Run() | Await() | Signal():
                pass


def tasks_of(plan: Plan) -> Iterator[str]:
    """Ids of the tasks and conditions in ``plan``, in order."""
    for node in walk(plan):
        if isinstance(node, Run):
            yield node.task
        elif isinstance(node, Choose):
            yield node.condition
