"""Gates for records that a task needs from another branch although nothing makes it wait for them.

A task that may start before all its upstream tasks have ended (``one_success`` and its kin) meets them at a gate of
its own, which opens as soon as its rule is decided. Otherwise the exact plan waits along the transitive reduction. A
task may still need the status of an upstream task further up (its trigger rule looks at it, or a tolerant task in
between hides it), what a condition chose, or a field for an expression; where that task runs in another branch of the
same Parallel, a gate hands the record over. By then the task is done, so the gate costs no time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stepweave.graph.model import Graph
from stepweave.planning.model import Await, Choose, Group, Nested, Parallel, Plan, Run, Sequence, Signal
from stepweave.planning.needs import records_read, ruled_by, unsettled
from stepweave.planning.waiting import is_early

_Path = tuple[tuple[int, int], ...]
"""(number of the Parallel, number of the branch) from the outside in."""


def with_meetings(graph: Graph, plan: Plan) -> Plan:
    """``plan`` with a gate wherever a needed record would otherwise not be at hand."""
    asked = unsettled(graph)
    needs = {
        task.id: (
            *ruled_by(graph, task),
            *asked.upstream.get(task.id, ()),
            *(guard.decider for guard in asked.guards.get(task.id, ())),
            *records_read(graph, task),
        )
        for task in graph.tasks
    }
    early = {task.id: task.trigger_rule for task in graph.tasks if is_early(task)}
    told = _decisions(graph)
    if not any(needs.values()) and not told:
        return plan
    survey = _Survey(plan)
    awaited: dict[str, list[str]] = {}
    for task, needed in needs.items():
        first = graph[task].upstream if task in early else ()
        for other in dict.fromkeys(needed):
            if other not in graph or other in first or other in survey.handed_over[task]:
                continue  # outside of this body, or met at the early gate, or at hand
            if survey.apart(other, task):
                awaited.setdefault(task, []).append(other)
    if not awaited and not early and not told:
        return plan
    gates = _Gates(awaited, {task: (graph[task].upstream, rule) for task, rule in early.items()})
    return _Rewriter(gates, survey.own_gate, told).rewrite(plan)


def decision_gate(node: str) -> str:
    """Name of the gate at which the body of a speculation waits for its decision."""
    return f"{node}:decision"


def _decisions(graph: Graph) -> dict[str, list[str]]:
    """Per task that decides about speculations, their gates; those stand inside the nodes, not in the plan."""
    told: dict[str, list[str]] = {}
    for task in graph.tasks:
        if task.speculation is not None:
            told.setdefault(task.speculation.decider, []).append(decision_gate(task.id))
    return told


@dataclass(frozen=True, slots=True)
class _Gates:
    awaited: dict[str, list[str]]
    """Tasks that a task waits for to the last."""
    early: dict[str, tuple[Group, str]]
    """Upstream tasks, and the rule over them, of the tasks that do not wait for all."""

    def tasks(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self.awaited, *self.early)))

    def met(self, task: str) -> Iterator[str]:
        yield from self.awaited.get(task, ())
        yield from self.early.get(task, ((), ""))[0]

    def gate(self, task: str, name: str) -> Await:
        early, rule = self.early.get(task, ((), ""))
        return Await(name, tuple((other,) for other in self.awaited.get(task, ())), early, rule)


class _Survey:
    """Where each task is in a plan, and whose records the gates around it hand over."""

    def __init__(self, plan: Plan) -> None:
        self.paths: dict[str, _Path] = {}
        self.handed_over: dict[str, frozenset[str]] = {}
        self.own_gate: dict[str, str] = {}
        """Name of the gate right before a task, if there is one."""
        self.parallels = 0
        stack: list[tuple[Plan, _Path, frozenset[str]]] = [(plan, (), frozenset())]
        while stack:
            node, path, over = stack.pop()
            match node:
                case Run(task=task):
                    self.paths[task], self.handed_over[task] = path, over
                case Sequence(steps=steps):
                    for before, step in zip((None, *steps), steps, strict=False):
                        stack.append((step, path, over | _handed_over(before)))
                        if isinstance(before, Await) and isinstance(step, Run):
                            self.own_gate[step.task] = before.gate
                case Parallel(branches=branches):
                    self.parallels += 1
                    number = self.parallels
                    stack.extend((branch, (*path, (number, i)), over) for i, branch in enumerate(branches))
                case Nested(body=body):
                    stack.append((body, path, over))
                case Await() | Signal():
                    pass
                case Choose():  # pragma: no cover - conditions are put around their cases after this
                    raise AssertionError(node)

    def apart(self, one: str, two: str) -> bool:
        """Whether the tasks are in different branches of one Parallel."""
        for here, there in zip(self.paths[one], self.paths[two], strict=False):
            if here != there:
                return here[0] == there[0]
        return False


def _handed_over(step: Plan | None) -> frozenset[str]:
    if not isinstance(step, Await):
        return frozenset()
    return frozenset(task for group in step.parents if len(group) == 1 for task in group)


class _Rewriter:
    def __init__(self, gated: _Gates, own_gate: dict[str, str], told: dict[str, list[str]]) -> None:
        self.gated = gated
        self.gates = {task: own_gate.get(task) or gate_name(task) for task in gated.tasks()}
        self.told = {task: list(gates) for task, gates in told.items()}
        for task in self.gates:
            for other in gated.met(task):
                self.told.setdefault(other, []).append(self.gates[task])

    def rewrite(self, plan: Plan) -> Plan:
        done: list[Plan] = []
        stack: list[tuple[Plan, bool]] = [(plan, False)]
        while stack:
            node, inner_done = stack.pop()
            match node:
                case Run():
                    done.append(_sequence(self._run(node)))
                case Sequence(steps=inner) | Parallel(branches=inner) if not inner_done:
                    stack.append((node, True))
                    stack.extend((part, False) for part in reversed(inner))
                case Sequence(steps=inner):
                    done.append(_merged(_pop(done, len(inner))))
                case Parallel(branches=inner):
                    done.append(Parallel(_pop(done, len(inner))))
                case _:
                    done.append(node)
        return done[0]

    def _run(self, run: Run) -> list[Plan]:
        steps: list[Plan] = [run]
        if run.task in self.gates:
            steps.insert(0, self.gated.gate(run.task, self.gates[run.task]))
        if run.task in self.told:
            steps.append(Signal(((run.task,),), tuple(self.told[run.task])))
        return steps


def gate_name(task: str) -> str:
    """Name of the gate that hands records to ``task``; not the id itself, which may name a gate around it."""
    return f"{task}:records"


def task_behind(gate: str) -> str:
    """The first task behind ``gate``."""
    return gate.partition(":")[0]


def _pop(done: list[Plan], count: int) -> tuple[Plan, ...]:
    parts = tuple(done[-count:])
    del done[-count:]
    return parts


def _sequence(steps: list[Plan]) -> Plan:
    return steps[0] if len(steps) == 1 else Sequence(tuple(steps))


def _merged(parts: tuple[Plan, ...]) -> Plan:
    """One flat sequence of ``parts``; two gates of one name in a row become one, and so do two signals of one task."""
    steps: list[Plan] = []
    for part in parts:
        for step in part.steps if isinstance(part, Sequence) else (part,):
            last = steps[-1] if steps else None
            if isinstance(step, Await) and isinstance(last, Await):
                steps[-1] = Await(
                    last.gate, last.parents + step.parents, last.early or step.early, last.rule or step.rule
                )
            elif isinstance(step, Signal) and isinstance(last, Signal) and step.groups == last.groups:
                steps[-1] = Signal(last.groups, last.gates + step.gates)
            else:
                steps.append(step)
    return Sequence(tuple(steps))
