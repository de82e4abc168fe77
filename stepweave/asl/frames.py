"""A plan laid out as frames: what will be one ``States`` object each.

    Frame    = Element*                a machine, or one branch of a Parallel
    Element  = (gate?, Run | Fork | Choose | Call | Notify)
    Fork     = Frame*                  a Parallel state
    Choose   = (case, Frame)*          a condition; its frames are *inline*: part of the States object around them
    Call     = Frame                   a nested machine

Every element and frame covers a range of *positions* (pre-order numbers), so "is it inside" and "is it later" are
comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from stepweave.asl import names
from stepweave.graph.constructs import Guard
from stepweave.graph.model import Graph
from stepweave.planning.model import Await, Choose, Group, Nested, Parallel, Plan, Run, Sequence, Signal
from stepweave.planning.needs import is_strict, needs_exact_statuses, unsettled


@dataclass(slots=True, eq=False)
class Element:
    """One step of a frame."""

    kind: Literal["run", "fork", "choose", "call", "notify"]
    frame: Frame
    index: int
    low: int
    """First position inside, the gate's included."""
    high: int = 0
    """One past the last position inside."""
    label: str = ""
    variable: str = ""
    """Variable that holds the records this element hands out."""
    gate: Await | None = None
    task: str = ""
    frames: list[Frame] = field(default_factory=list)
    cases: tuple[str, ...] = ()
    """Case of each frame of a condition."""
    signal: Signal | None = None
    ends: Group = ()
    """Tasks with which the element ends."""
    tolerant: bool = False
    """Holds a task whose fate is not settled when the task before it did not succeed."""


@dataclass(slots=True, eq=False)
class Frame:
    machine: str
    """Name of the machine; empty for the root."""
    holder: Element | None
    """The Fork or Call that this frame is part of; None for the root."""
    case: str = ""
    """Of an inline frame, its case."""
    low: int = 0
    high: int = 0
    elements: list[Element] = field(default_factory=list)

    @property
    def is_machine(self) -> bool:
        return self.holder is None or self.holder.kind == "call"

    @property
    def is_inline(self) -> bool:
        """A case of a condition: its states, and its variables, are those of the frame around it."""
        return self.holder is not None and self.holder.kind == "choose"

    def flat(self) -> Iterator[Element]:
        """The elements of the frame, and of the inline frames inside, in order."""
        stack = list(reversed(self.elements))
        while stack:
            element = stack.pop()
            yield element
            if element.kind == "choose":
                stack.extend(
                    inner for frame in reversed(element.frames) for inner in reversed(frame.elements)
                )

    def scope(self) -> Frame:
        """The frame whose variables this one shares: itself, unless it is inline."""
        frame = self
        while frame.is_inline and frame.holder is not None:
            frame = frame.holder.frame
        return frame

    def label(self) -> str:
        return self.elements[0].label


@dataclass(slots=True, eq=False)
class Layout:
    """All frames of a DAG."""

    root: Frame
    runs: dict[str, Element]
    """The element of each task."""
    elements: list[Element]
    """All elements by position."""
    end: int
    """Position after everything: where the outcome of the run is read."""
    unimplied: dict[str, tuple[str, ...]]
    """Upstream tasks of a strict task whose success nothing else implies."""
    guards: dict[str, tuple[Guard, ...]]
    """Guards that a task asks about itself, where no inline frame has settled them."""
    exact: bool
    """A skipped branch waits at its gates, since somebody can tell a skip from a failure that comes later."""


def lay_out(graph: Graph, plan: Plan, node: str = "", first: int = 0) -> Layout:
    """The frames of ``plan``, however deep.

    For the body of a node: ``node`` is its id and ``first`` a position that nothing around it has, so that no name and
    no variable of the body is one of those around it.
    """
    builder = _Builder(graph, node, first)
    root = builder.open_frame(plan, "", None)
    elements = builder.drain()
    for element in reversed(elements):
        _close(element)
    _close_frame(root)
    return Layout(
        root, builder.runs, elements, first + len(elements), builder.unimplied, builder.guards, builder.exact
    )


class _Builder:
    """Creates elements in pre-order from a stack of steps."""

    def __init__(self, graph: Graph, node: str, first: int) -> None:
        self.node, self.first = node, first
        asked = unsettled(graph)
        self.unimplied, self.guards = asked.upstream, dict(asked.guards)
        self.exact = needs_exact_statuses(graph)
        self.tolerant = {task.id for task in graph.tasks if not is_strict(task)}.union(self.unimplied)
        self.runs: dict[str, Element] = {}
        self.forks: dict[str, int] = {}
        self.stack: list[tuple[Frame, Plan, Await | None]] = []

    def open_frame(self, plan: Plan, machine: str, holder: Element | None, case: str = "") -> Frame:
        """A frame for ``plan`` whose steps come next; frames opened in a row must be opened last first."""
        frame = Frame(machine, holder, case)
        gate: Await | None = None
        steps: list[tuple[Frame, Plan, Await | None]] = []
        for step in _steps(plan):
            if isinstance(step, Await):
                gate = step
            else:
                steps.append((frame, step, gate))
                gate = None
        self.stack.extend(reversed(steps))
        return frame

    def drain(self) -> list[Element]:
        elements: list[Element] = []
        while self.stack:
            frame, step, gate = self.stack.pop()
            element = Element("run", frame, len(frame.elements), self.first + len(elements), gate=gate)
            element.tolerant = self.exact and gate is not None
            elements.append(element)
            frame.elements.append(element)
            self._fill(element, step)
        return elements

    def _fill(self, element: Element, step: Plan) -> None:
        machine = element.frame.machine
        match step:
            case Run(task=task):
                element.task = element.label = task
                self._settle(element)
                element.tolerant = element.tolerant or task in self.tolerant or task in self.guards
                self.runs[task] = element
            case Choose(condition=condition, cases=cases):
                element.kind, element.task, element.label = "choose", condition, condition
                self._settle(element)
                element.tolerant = element.tolerant or condition in self.tolerant or condition in self.guards
                element.cases = tuple(case for case, _ in cases)
                self.runs[condition] = element
                element.frames = [
                    self.open_frame(body, machine, element, case) for case, body in reversed(cases)
                ][::-1]
            case Parallel(branches=branches):
                number = self.forks[machine] = self.forks.get(machine, 0) + 1
                element.kind, element.label = "fork", names.branches(number, self.node)
                element.variable = names.results(number, self.node)
                element.frames = [self.open_frame(branch, machine, element) for branch in reversed(branches)][
                    ::-1
                ]
            case Nested(name=name, body=body):
                element.kind, element.label, element.variable = "call", f"machine {name}", f"b_{name}"
                element.frames = [self.open_frame(body, name, element)]
            case Signal(groups=groups):
                element.kind, element.signal, element.label = "notify", step, names.arrival(sum(groups, ()))
            case Sequence() | Await():  # pragma: no cover - opened and attached by open_frame
                raise AssertionError(step)

    def _settle(self, element: Element) -> None:
        """Takes off the guards of a task that the inline frames around it have settled."""
        asked = self.guards.get(element.task)
        if not asked:
            return
        settled = set()
        holder = element.frame.holder
        inside = element.frame
        while holder is not None:
            if holder.kind == "choose":
                settled.add((holder.task, inside.case))
            inside, holder = holder.frame, holder.frame.holder
        left = tuple(guard for guard in asked if not any((guard.decider, c) in settled for c in guard.cases))
        if left:
            self.guards[element.task] = left
        else:
            del self.guards[element.task]


def _close(element: Element) -> None:
    """Fills in what follows from the inside of ``element``."""
    element.high = element.low + 1
    if element.kind == "run":
        element.ends = (element.task,)
    for frame in element.frames:
        _close_frame(frame)
        element.high = frame.high
        # Where a condition is not reached, nothing of its cases runs, whatever the trigger rules inside.
        if element.kind != "choose":
            element.tolerant = element.tolerant or any(inner.tolerant for inner in frame.elements)
    if element.frames:
        element.ends = tuple(task for frame in element.frames for task in _ends(frame))


def _close_frame(frame: Frame) -> None:
    frame.low, frame.high = frame.elements[0].low, frame.elements[-1].high


def _steps(plan: Plan) -> Iterator[Plan]:
    """The steps of ``plan`` in order, with sequences inside sequences opened."""
    stack = [plan]
    while stack:
        step = stack.pop()
        if isinstance(step, Sequence):
            stack.extend(reversed(step.steps))
        else:
            yield step


def _ends(frame: Frame) -> Group:
    return next(element.ends for element in reversed(frame.elements) if element.kind != "notify")
