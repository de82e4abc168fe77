"""`Sight`: under which expression a record can be seen from somewhere."""

from __future__ import annotations

from dataclasses import dataclass

from stepweave.asl import names
from stepweave.asl.frames import Element, Frame
from stepweave.asl.paths import TolerantPositions, is_inside, path_out
from stepweave.asl.reads import Reads

MAX_USEFUL_INPUTS = 40
"""Records handed to a nested machine only because they are useful."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a record or tally is seen from some place."""

    expression: str
    is_tally: bool = False


class Sight:
    """What can be seen from where; asks note the reads so that variables are assigned only if someone looks."""

    def __init__(self, reads: Reads) -> None:
        self.reads = reads
        self.runs = reads.layout.runs

    def required(self, task: str, reader: Element | None) -> Seen:
        """The record of ``task`` (or the tally it is in) as seen at the entry of ``reader`` (None: at the very end)."""
        if task not in self.runs:
            return Seen(f"${names.outer(task)}")
        position = reader.low if reader is not None else self.reads.layout.end
        frame = reader.frame if reader is not None else self.reads.layout.root
        left, element = path_out(self.runs[task], position)
        if is_inside(element, position) and reader is not None:
            return self._at_gate(task, reader)
        key = self.reads.tally.get(task, task) if left else task
        self.reads.used.add(element)
        base = f"${element.variable or names.variable(task)}"
        inside = base if element.task else names.member(base, key)
        return Seen(self._carried(inside, key, element.frame, frame), key.startswith("#"))

    def useful(self, task: str, reader: Element, tolerant_before: TolerantPositions) -> str | None:
        """The record of ``task`` at ``reader`` if it is at hand on every path, else None."""
        if task not in self.runs:
            return None
        left, element = path_out(self.runs[task], reader.low)
        if is_inside(element, reader.low):
            return self._behind_gate(task, reader)
        if task in self.reads.tally or any(task not in self.reads.exports.get(frame, ()) for frame in left):
            return None
        last_required = self.reads.last_required.get(task, -1)
        skipped_on_a_path = tolerant_before.between(element, reader.low)
        if skipped_on_a_path and last_required < tolerant_before.landing(element):
            return None
        if last_required < _end_of_case(element, reader):
            return None  # where another case is taken, nobody notes that this one was not
        crossings = _machines_between(element.frame, reader.frame)
        if any(len(self.reads.inputs.get(call, ())) >= MAX_USEFUL_INPUTS for call in crossings):
            return None
        return self.required(task, reader).expression

    def _carried(self, inside: str, key: str, origin: Frame, reader: Frame) -> str:
        """``inside``, seen in ``origin``, as seen in ``reader``: the same, or through the inputs of nested machines."""
        expression = inside
        for call in _machines_between(origin, reader):
            self.reads.inputs.setdefault(call, {})[key] = expression
            expression = names.member("$in", key)
        return expression

    def _at_gate(self, task: str, reader: Element) -> Seen:
        found = self._behind_gate(task, reader)
        assert found is not None, f"{task} is required by {reader.label} but no gate hands it over"
        return Seen(found)

    def _behind_gate(self, task: str, reader: Element) -> str | None:
        """The record of ``task`` from the nearest gate around ``reader`` that waits for it, if there is one."""
        element: Element | None = reader
        while element is not None:
            if element.gate:
                for group in element.gate.met:
                    if task in group:
                        self.reads.gate_used.add(element)
                        base = names.member(f"$g_{element.low}", names.arrival(group))
                        return self._carried(base, task, element.frame, reader.frame)
            element = element.frame.holder
        return None


def _end_of_case(element: Element, reader: Element) -> int:
    """Position after the outermost condition in one case of which ``element`` is, and ``reader`` is not; -1 if none."""
    end, frame = -1, element.frame
    while frame.is_inline and frame.holder is not None:
        if not frame.low <= reader.low < frame.high:
            end = frame.holder.high
        frame = frame.holder.frame
    return end


def _machines_between(outer: Frame, inner: Frame) -> list[Element]:
    """The nested-machine calls entered on the way from ``outer`` down to ``inner``, outermost first."""
    calls = []
    frame, outer = inner, outer.scope()
    while frame is not outer and frame.holder is not None:
        if frame.holder.kind == "call":
            calls.append(frame.holder)
        frame = frame.holder.frame
    return calls[::-1]
