"""`Assumptions`: what a simulation takes for granted where a run would find out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stepweave.embedded.places import every_task, written_items
from stepweave.errors import UsageError
from stepweave.graph.constructs import ELSE, Body, NestedDag
from stepweave.graph.model import Binding, DictOf, Expression, Graph, ListOf, Literal, Task

DEFAULT_SECONDS = 1.0
"""Duration of a task of which nothing is known."""
DEFAULT_ITEMS = 1
"""Items of a map, and rounds of a loop, of which nothing is known."""

_NULL = Literal(json="null")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What each task takes, how many items maps have, what is chosen."""

    seconds: Mapping[str, float]
    """Duration of a task, of an item where it is mapped; 1 s where nothing is said."""
    items: Mapping[str, int] = field(default_factory=dict)
    """Items of a map, rounds of a loop; 1 where nothing is said and the DAG does not either."""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """The case of a condition or branch; the first where nothing is said."""

    def seconds_of(self, task: str) -> float:
        """How long one call of a task takes."""
        return float(self.seconds.get(task, DEFAULT_SECONDS))

    def items_of(self, task: Task) -> int:
        """How many items or rounds a node has."""
        written = written_items(task)
        if written is not None:
            return written
        count = self.items.get(task.id, DEFAULT_ITEMS)
        return min(count, task.loop.max_rounds) if task.loop is not None else count

    def case_of(self, task: Task) -> str:
        """What a condition, a branch or a short circuit chooses."""
        return self.chosen.get(task.id, cases_of(task)[0])


def cases_of(task: Task) -> tuple[str, ...]:
    """What a task may choose; empty when it chooses nothing."""
    if task.condition is not None:
        return (*(name for name, _ in task.condition.cases), ELSE)
    return task.decides.cases if task.decides is not None else ()


def checked(assumptions: Assumptions, graph: Graph) -> Assumptions:
    """``assumptions`` themselves; raises ``UsageError`` where they name what the DAG has not."""
    tasks = {task.id: task for task in every_task(graph)}
    for name in assumptions.items:
        task = tasks.get(name)
        if task is None or (task.expansion is None and task.loop is None):
            many = [task.id for task in tasks.values() if task.expansion or task.loop]
            raise UsageError(
                f"--items {name}=…: {name!r} is no map and no loop; there are: {', '.join(many) or 'none'}"
            )
    for name, case in assumptions.chosen.items():
        known = cases_of(tasks[name]) if name in tasks else ()
        if not known:
            deciders = [task.id for task in tasks.values() if cases_of(task)]
            raise UsageError(
                f"--choose {name}={case}: {name!r} chooses nothing; these do: {', '.join(deciders) or 'none'}"
            )
        if case not in known:
            raise UsageError(f"--choose {name}={case}: {name!r} chooses one of {', '.join(known)}")
    return assumptions


def without_values(graph: Graph, assumptions: Assumptions) -> Graph:
    """``graph`` with what needs values taken as assumed: conditions, ends of loops; null for other expressions."""
    return replace(graph, tasks=tuple(_assumed(task, assumptions) for task in graph.tasks))


def _assumed(task: Task, assumptions: Assumptions) -> Task:
    arguments = tuple((name, _plain(binding)) for name, binding in task.arguments)
    found = replace(task, arguments=arguments, fields=())
    if task.condition is not None:
        case = assumptions.case_of(task)
        tests = tuple((name, _always(name == case)) for name, _ in task.condition.cases)
        found = replace(found, condition=replace(task.condition, cases=tests))
    if task.approval is not None:
        found = replace(found, approval=replace(task.approval, message=_plain(task.approval.message)))
    if task.expansion is not None:
        lists = tuple((name, _plain(binding)) for name, binding in task.expansion.arguments)
        found = replace(found, expansion=replace(task.expansion, arguments=lists))
    if task.loop is not None:
        rounds = assumptions.items_of(task)
        loop = replace(task.loop, start=_NULL, until=_always(False), max_rounds=rounds, exhausted="continue")
        found = replace(found, loop=loop)
    if task.body is not None:
        found = replace(found, body=_without_values(task.body, assumptions))
    if task.nested is not None:
        found = replace(found, nested=_without_params(task.nested))
    return found


def _without_values(body: Body, assumptions: Assumptions) -> Body:
    return replace(body, graph=without_values(body.graph, assumptions))


def _without_params(nested: NestedDag) -> NestedDag:
    return replace(nested, params=tuple((name, _plain(binding)) for name, binding in nested.params))


def _always(truth: bool) -> Expression:
    return Expression(text="true" if truth else "false", operands=())


def _plain(binding: Binding) -> Binding:
    """``binding`` without expressions: few could be evaluated on the null values of these tasks."""
    match binding:
        case Expression():
            return _NULL
        case ListOf(items=items):
            return ListOf(items=tuple(_plain(item) for item in items))
        case DictOf(items=pairs):
            return DictOf(items=tuple((key, _plain(value)) for key, value in pairs))
    return binding
