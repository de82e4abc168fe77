"""Exact decomposition of a DAG into series, parallel and prime parts, with gates inside the prime ones.

    arrange(quotient):
      contract series-parallel modules
      one node left                 →  done: no gate
      several components            →  parallel, each component by itself
      a cut "all before all"        →  series, each part by itself
      neither: a prime part         →  cut edges, put gates where they were, and arrange what remains

A prime part holds at least one "N" (a→c, b→c, b→d), which no nesting of branches can express; the cut edges
become a gate before the task that lost them and a signal after the tasks it waits for. Everything that
remains is composed exactly, so a task starts when its last upstream task ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from stepweave.planning.contraction import Module, Quotient, compose, contract, leaf
from stepweave.planning.gates import Cuts, choose_cuts
from stepweave.planning.model import Await, Group, Run, Signal

MAX_SINGLE_ARRIVALS = 100
"""Tasks whose records one signal carries one by one; 100 small records stay far below a payload's 256 KiB."""


@dataclass(slots=True, eq=False)
class _Combine:
    """Pops ``count`` modules off the results and composes them."""

    kind: str
    count: int


_Work: TypeAlias = Quotient | _Combine


def arrange(quotient: Quotient) -> Module:
    """The whole of ``quotient`` as one module, with gates where it is prime (the argument is consumed)."""
    gates = _Gates()
    work: list[_Work] = [contract(quotient)]
    done: list[Module] = []
    while work:
        item = work.pop()
        if isinstance(item, _Combine):
            parts = done[-item.count :]
            del done[-item.count :]
            done.append(_compose_all(item.kind, parts))
        elif len(item.modules) == 1:
            done.extend(item.modules.values())
        else:
            work.extend(_split(item, gates))
    (module,) = done
    return module


def _compose_all(kind: str, parts: Sequence[Module]) -> Module:
    module = parts[0]
    for part in parts[1:]:
        module = compose("series" if kind == "series" else "parallel", module, part)
    return module


def _split(quotient: Quotient, gates: _Gates) -> Iterator[_Work]:
    """Work that arranges ``quotient``: its parts in reverse, under a combination; or, if prime, itself with gates."""
    parts, kind = _components(quotient), "parallel"
    if len(parts) == 1:
        parts, kind = _series_parts(quotient), "series"
    if len(parts) == 1:
        gates.cut(quotient, choose_cuts(quotient))
        yield contract(quotient)
        return
    yield _Combine(kind, len(parts))
    for nodes in reversed(parts):
        yield _induced(quotient, nodes)


def _components(quotient: Quotient) -> list[list[int]]:
    """Nodes of each connected component, in topological order."""
    seen: set[int] = set()
    parts = []
    for start in sorted(quotient.modules):
        if start in seen:
            continue
        seen.add(start)
        part, frontier = [start], [start]
        while frontier:
            node = frontier.pop()
            for neighbours in (quotient.parents[node], quotient.children[node]):
                new = neighbours - seen
                seen |= new
                part.extend(new)
                frontier.extend(new)
        parts.append(part)
    return parts


def _series_parts(quotient: Quotient) -> list[list[int]]:
    """The finest split into parts each of which wholly precedes the next.

    A prefix of a topological order is such a part when every node after it has the whole prefix among its ancestors;
    the intersection of the ancestors of each suffix, kept as bit sets, answers that for all prefixes at once.
    """
    order = topological(quotient)
    position = {node: index for index, node in enumerate(order)}
    ancestors = [0] * len(order)
    for index, node in enumerate(order):
        bits = 0
        for parent in quotient.parents[node]:
            at = position[parent]
            bits |= ancestors[at] | 1 << at
        ancestors[index] = bits
    common = (1 << len(order)) - 1
    cuts = []
    for index in range(len(order) - 1, 0, -1):
        common &= ancestors[index]
        prefix = (1 << index) - 1
        if common & prefix == prefix:
            cuts.append(index)
    bounds = [0, *reversed(cuts), len(order)]
    return [order[start:end] for start, end in pairwise(bounds)]


def topological(quotient: Quotient) -> list[int]:
    """The nodes in topological order, smallest number first among those that are free."""
    missing = {node: len(parents) for node, parents in quotient.parents.items()}
    order = sorted(node for node, count in missing.items() if not count)
    for node in order:
        for child in sorted(quotient.children[node]):
            missing[child] -= 1
            if not missing[child]:
                order.append(child)
    return order


def _induced(quotient: Quotient, nodes: Iterable[int]) -> Quotient:
    inside = set(nodes)
    return Quotient(
        {node: quotient.modules[node] for node in sorted(inside)},
        {node: quotient.parents[node] & inside for node in inside},
        {node: quotient.children[node] & inside for node in inside},
    )


class _Gates:
    """Puts gates and signals in the stead of cut edges."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def cut(self, quotient: Quotient, cuts: Cuts) -> None:
        """Removes the edges of ``cuts`` from ``quotient``, a prime part, and lets gates and signals keep the order."""
        waiting: dict[int, list[str]] = {}
        ends: dict[int, tuple[Group, ...]] = {}
        for parents in cuts.values():
            for parent in parents:
                ends.setdefault(parent, _groups(last_tasks(quotient.modules[parent])))
        for node, parents in sorted(cuts.items()):
            groups = tuple(group for parent in sorted(parents) for group in ends[parent])
            gate, quotient.modules[node] = self._guard(quotient.modules[node], groups)
            for parent in parents:
                waiting.setdefault(parent, []).append(gate)
                quotient.parents[node].discard(parent)
                quotient.children[parent].discard(node)
        for parent, gates in waiting.items():
            quotient.modules[parent] = _telling(quotient.modules[parent], ends[parent], tuple(gates))

    def _guard(self, module: Module, groups: tuple[Group, ...]) -> tuple[str, Module]:
        """``module`` behind a gate that waits for ``groups``, and the gate's name; a gate it has waits for more."""
        first = module.parts[0].plan if module.kind == "series" else None
        if isinstance(first, Await):
            module.parts[0] = leaf(Await(first.gate, first.parents + groups), module.rank)
            return first.gate, module
        name = first_task(module)
        while name in self.used:
            name += ":"
        self.used.add(name)
        return name, compose("series", leaf(Await(name, groups), module.rank), module)


def _telling(module: Module, groups: tuple[Group, ...], gates: tuple[str, ...]) -> Module:
    """``module`` with a signal to ``gates`` at its end; a signal that it has tells more gates."""
    last = module.parts[-1].plan if module.kind == "series" else None
    if isinstance(last, Signal) and last.groups == groups:
        module.parts[-1] = leaf(Signal(groups, last.gates + gates), module.rank)
        return module
    return compose("series", module, leaf(Signal(groups, gates), module.rank))


def _groups(tasks: Group) -> tuple[Group, ...]:
    """How ``tasks``, which end one module, arrive at a gate: one by one, or all as one if they are many."""
    return tuple((task,) for task in tasks) if len(tasks) <= MAX_SINGLE_ARRIVALS else (tasks,)


def first_task(module: Module) -> str:
    """Id of a task with which ``module`` begins."""
    while True:
        if module.kind == "parallel":
            module = min(module.parts, key=lambda part: part.rank)
        elif module.kind == "series":
            module = next(part for part in module.parts if not isinstance(part.plan, Await))
        elif isinstance(module.plan, Run):
            return module.plan.task
        else:  # pragma: no cover - modules begin with a task or a gate
            raise AssertionError(module.plan)


def last_tasks(module: Module) -> Group:
    """Ids of the tasks with which ``module`` ends, in the order written."""
    found: list[tuple[int, str]] = []
    stack = [module]
    while stack:
        node = stack.pop()
        if node.kind == "parallel":
            stack.extend(node.parts)
        elif node.kind == "series":
            stack.append(next(part for part in reversed(node.parts) if not isinstance(part.plan, Signal)))
        elif isinstance(node.plan, Run):
            found.append((node.rank, node.plan.task))
    return tuple(task for _, task in sorted(found))
