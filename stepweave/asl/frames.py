"""A plan laid out as frames: what will be one ``States`` object each.

    Frame    = Element*                a machine, or one branch of a Parallel
    Element  = (gate?, Run | Fork | Call | Notify)
    Fork     = Frame*                  a Parallel state
    Call     = Frame                   a nested machine

Every element and frame covers a range of *positions* (pre-order numbers), so "is it inside" and "is it later" are
comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from stepweave.asl import names
from stepweave.graph.model import Graph
from stepweave.planning.model import Await, Group, Nested, Parallel, Plan, Run, Sequence, Signal
from stepweave.planning.needs import is_strict, unimplied


@dataclass(slots=True, eq=False)
class Element:
    """One step of a frame."""

    kind: Literal["run", "fork", "call", "notify"]
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
    low: int = 0
    high: int = 0
    elements: list[Element] = field(default_factory=list)

    @property
    def is_machine(self) -> bool:
        return self.holder is None or self.holder.kind == "call"

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


def lay_out(graph: Graph, plan: Plan) -> Layout:
    """The frames of ``plan``, however deep."""
    builder = _Builder(graph)
    root = builder.open_frame(plan, "", None)
    elements = builder.drain()
    for element in reversed(elements):
        _close(element)
    _close_frame(root)
    return Layout(root, builder.runs, elements, len(elements), builder.unimplied)


class _Builder:
    """Creates elements in pre-order from a stack of steps."""

    def __init__(self, graph: Graph) -> None:
        self.unimplied = unimplied(graph)
        self.tolerant = {task.id for task in graph.tasks if not is_strict(task)}.union(self.unimplied)
        self.runs: dict[str, Element] = {}
        self.forks: dict[str, int] = {}
        self.stack: list[tuple[Frame, Plan, Await | None]] = []

    def open_frame(self, plan: Plan, machine: str, holder: Element | None) -> Frame:
        """A frame for ``plan`` whose steps come next; frames opened in a row must be opened last first."""
        frame = Frame(machine, holder)
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
            element = Element("run", frame, len(frame.elements), len(elements), gate=gate)
            elements.append(element)
            frame.elements.append(element)
            self._fill(element, step)
        return elements

    def _fill(self, element: Element, step: Plan) -> None:
        machine = element.frame.machine
        match step:
            case Run(task=task):
                element.task = element.label = task
                element.tolerant = task in self.tolerant
                self.runs[task] = element
            case Parallel(branches=branches):
                number = self.forks[machine] = self.forks.get(machine, 0) + 1
                element.kind, element.label, element.variable = "fork", f"branches {number}", f"b_{number}"
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


def _close(element: Element) -> None:
    """Fills in what follows from the inside of ``element``."""
    element.high = element.low + 1
    if element.kind == "run":
        element.ends = (element.task,)
    for frame in element.frames:
        _close_frame(frame)
        element.high = frame.high
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
