"""Which record is read where, and so what each branch hands out and each nested machine is handed.

A record is *required* where its status decides (a check before a task, a signal, the outcome) or an
expression reads a field of it; such a record is brought along on every path. A record is merely *useful* to a
task that takes its value: if it is not at hand the runtime reads the value from the store, so nothing is
carried for it alone.

Records that leave one Parallel in great number and are read in the same places travel as one *tally* (how
many did not succeed, how many of them failed, which tasks began it), because the results of all branches
together may hold 256 KiB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from stepweave.asl.frames import Element, Frame, Layout
from stepweave.asl.paths import is_inside, path_out
from stepweave.graph.model import Graph
from stepweave.graph.order import predecessors, topological_order
from stepweave.planning.needs import is_strict, looks_at_one, records_read, ruled_by

MAX_RECORDS_PER_FORK = 300
"""Records handed out one by one from a Parallel; leaves each about 650 bytes of the 256 KiB."""

MAX_RECORDS_FOR_OUTCOME = 8
"""Records carried one by one only for the outcome of the run; nobody reads their values."""


@dataclass(slots=True)
class Reads:
    """The result; keys are task ids, or ``#n`` for a tally."""

    layout: Layout
    required: dict[str, list[int]] = field(default_factory=dict)
    """Positions that need the record of a task, in order of discovery."""
    pending: dict[Element, tuple[str, ...]] = field(default_factory=dict)
    """Tasks whose success an element must check before it begins."""
    tally: dict[str, str] = field(default_factory=dict)
    """Tally key of the tasks that travel in a tally."""
    exports: dict[Frame, dict[str, None]] = field(default_factory=dict)
    """Keys that a branch or a nested machine hands out."""
    inputs: dict[Element, dict[str, str]] = field(default_factory=dict)
    """Records handed to a nested machine: task to the expression that gives it outside."""
    used: set[Element] = field(default_factory=set)
    """Elements whose variable is read after them in their frame or deeper."""
    gate_used: set[Element] = field(default_factory=set)
    outside: dict[str, set[int]] = field(default_factory=dict)
    """Positions outside of its branch that need the record of a task."""
    last_required: dict[str, int] = field(default_factory=dict)
    """Last position at which a key is required without a gate that would hand it over there."""
    individual: set[str] = field(default_factory=set)
    """Tasks of which an expression reads a field: a tally will not do."""
    leaves: tuple[str, ...] = ()
    """Tasks whose outcome is the run's."""
    deciding: tuple[str, ...] = ()
    """Leaves, and tasks whose failure a skip could hide from the leaves."""
    counts: dict[tuple[Element, str], int] = field(default_factory=dict)
    """Tasks of a tally inside an element."""

    def count(self, element: Element, key: str) -> int:
        return self.counts.get((element, key), 0)


def analyse(graph: Graph, layout: Layout, handed_out: tuple[str, ...] = ()) -> Reads:
    """All reads of the DAG, and what follows for exports and inputs; ``handed_out``: tasks that a body's end reads."""
    reads = Reads(layout)
    reads.individual.update(handed_out)
    reads.leaves = leaves(graph)
    reads.deciding = reads.leaves
    if not layout.exact:
        reads.deciding += _hidden_failures(graph, layout, reads.leaves)
    for position, task in (*_required(graph, reads), *((layout.end, task) for task in handed_out)):
        reads.required.setdefault(task, []).append(position)
    _export(reads)
    _form_tallies(reads)
    return reads


def leaves(graph: Graph) -> tuple[str, ...]:
    """Tasks whose outcome is the run's: those without a downstream task, tear-downs left out."""
    counted = [task for task in graph.tasks if not task.teardown]
    inner = {before for task in counted for before in predecessors(task)}
    inner.update(task.speculation.decider for task in counted if task.speculation)
    found = tuple(task.id for task in counted if task.id not in inner)
    return found or tuple(task.id for task in graph.tasks if task.teardown)


def _hidden_failures(graph: Graph, layout: Layout, counted: tuple[str, ...]) -> tuple[str, ...]:
    """Tasks met at gates whose failure fails the run, even if what waits for them was skipped meanwhile.

    Failure outweighs a skip, but a branch that skipped no longer waits at its gate; so these decide beside
    the leaves.
    """
    fails_run = set(counted)
    for task_id in reversed(topological_order(graph)):
        task = graph[task_id]
        if task_id in fails_run and is_strict(task):
            fails_run.update(task.upstream)
    met = {
        task
        for element in layout.elements
        if element.signal
        for group in element.signal.groups
        for task in group
    }
    return tuple(
        task.id for task in graph.tasks if task.id in met and task.id in fails_run and task.id not in counted
    )


def _required(graph: Graph, reads: Reads) -> Iterator[tuple[int, str]]:
    """(position, task) for every read that must be served."""
    stack: list[tuple[Frame, tuple[str, ...]]] = [(reads.layout.root, ())]
    while stack:
        frame, inherited = stack.pop()
        previous: Element | None = None
        for element in frame.elements:
            if element.signal:
                yield from ((element.low, task) for group in element.signal.groups for task in group)
                continue
            pending = _entry_pending(element, previous, inherited)
            if element.task:
                yield from ((element.low, task) for task in _run_reads(graph, reads, element, pending))
                stack.extend((inner, ()) for inner in reversed(element.frames))
            elif element.tolerant:
                stack.extend((inner, pending + _awaited(element)) for inner in reversed(element.frames))
            else:
                reads.pending[element] = pending
                yield from ((element.low, task) for task in pending)
                stack.extend((inner, ()) for inner in reversed(element.frames))
            previous = element
    yield from ((reads.layout.end, task) for task in reads.deciding)


def _awaited(element: Element) -> tuple[str, ...]:
    """Tasks that the gate of ``element`` waits for."""
    return tuple(task for group in element.gate.parents for task in group) if element.gate else ()


def _entry_pending(element: Element, previous: Element | None, inherited: tuple[str, ...]) -> tuple[str, ...]:
    """Tasks of which it is not known, where control enters ``element``, whether they succeeded."""
    if previous is None:
        return inherited
    if previous.kind != "run":
        return previous.ends
    return previous.ends if element.tolerant else ()


def _run_reads(graph: Graph, reads: Reads, element: Element, pending: tuple[str, ...]) -> tuple[str, ...]:
    task = graph[element.task]
    checked = ruled_by(graph, task)
    if is_strict(task):
        behind_gate = _awaited(element)
        # A strict gate goes on only when all it waits for succeeded; behind a tolerant one that is to be checked.
        proven = () if element.tolerant else behind_gate
        asked = pending + reads.layout.unimplied.get(task.id, ()) + (behind_gate if element.tolerant else ())
        upstream = set(task.upstream)
        # What only decides about the task is asked by its guards.
        checked = tuple(dict.fromkeys(t for t in asked if t not in proven and t in upstream))
    reads.pending[element] = checked
    fields = records_read(graph, task)
    deciders = tuple(guard.decider for guard in reads.layout.guards.get(task.id, ()))
    reads.individual.update(fields, deciders, checked if looks_at_one(task) else ())
    return (*checked, *deciders, *fields)


def _export(reads: Reads) -> None:
    for task, positions in reads.required.items():
        run = reads.layout.runs[task]
        for position in positions:
            left, seen_by = path_out(run, position)
            if is_inside(seen_by, position):
                continue  # met at a gate: the gate hands it over
            for frame in left:
                reads.exports.setdefault(frame, {})[task] = None
            if left:
                reads.outside.setdefault(task, set()).add(position)
            reads.last_required[task] = max(position, reads.last_required.get(task, -1))


def _form_tallies(reads: Reads) -> None:
    crowded = {
        task
        for exported in _exports_by_holder(reads)
        if len(exported) > MAX_RECORDS_PER_FORK
        for task in exported
    }
    classes: dict[frozenset[int], list[str]] = {}
    for task in reads.required:
        positions = reads.outside.get(task)
        if (
            positions
            and task not in reads.individual
            and (task in crowded or positions == {reads.layout.end})
        ):
            classes.setdefault(frozenset(positions), []).append(task)
    number = 0
    for members in classes.values():
        if len(members) > MAX_RECORDS_FOR_OUTCOME or (len(members) > 1 and members[0] in crowded):
            number += 1
            reads.tally.update((task, f"#{number}") for task in members)
            reads.last_required[f"#{number}"] = reads.last_required[members[0]]
    if not reads.tally:
        return
    for task, key in reads.tally.items():
        element: Element | None = reads.layout.runs[task]
        while element is not None:
            reads.counts[element, key] = reads.counts.get((element, key), 0) + 1
            element = element.frame.holder
    for frame, keys in reads.exports.items():
        reads.exports[frame] = dict.fromkeys(reads.tally.get(key, key) for key in keys)


def _exports_by_holder(reads: Reads) -> Iterable[dict[str, None]]:
    merged: dict[Element, dict[str, None]] = {}
    for frame, keys in reads.exports.items():
        if frame.holder is not None:
            merged.setdefault(frame.holder, {}).update(keys)
    return merged.values()
