"""`to_plan`: from a graph to the arrangement of its tasks, exact, uncut."""

from __future__ import annotations

from collections.abc import Mapping

from stepweave.graph.model import Graph
from stepweave.graph.order import topological_order, transitive_reduction
from stepweave.planning.choices import with_choices
from stepweave.planning.contraction import Module, Quotient, leaf
from stepweave.planning.decomposition import arrange
from stepweave.planning.meetings import with_meetings
from stepweave.planning.model import Parallel, Plan, Run, Sequence
from stepweave.planning.waiting import waits_for


def to_plan(graph: Graph) -> Plan:
    """The plan of ``graph``; a graph that is series-parallel gets no gate."""
    order = topological_order(graph)
    reduced = transitive_reduction(graph, order, waits_for(graph, order))
    plan = _to_plan(arrange(_quotient(order, reduced)))
    return with_choices(graph, with_meetings(graph, plan))


def _quotient(order: tuple[str, ...], reduced: Mapping[str, tuple[str, ...]]) -> Quotient:
    number = {task: index for index, task in enumerate(order)}
    quotient = Quotient({}, {}, {})
    for task, node in number.items():
        quotient.modules[node] = leaf(Run(task), node)
        quotient.parents[node] = {number[upstream] for upstream in reduced[task]}
        quotient.children[node] = set()
        for parent in quotient.parents[node]:
            quotient.children[parent].add(node)
    return quotient


def _to_plan(root: Module) -> Plan:
    """The plan that ``root`` stands for: branches by rank, built bottom-up without recursion."""
    done: list[Plan] = []
    stack: list[tuple[Module, bool]] = [(root, False)]
    while stack:
        module, parts_done = stack.pop()
        if module.kind == "leaf":
            assert module.plan is not None
            done.append(module.plan)
        elif parts_done:
            inner = tuple(done[-len(module.parts) :])
            del done[-len(module.parts) :]
            done.append(Sequence(inner) if module.kind == "series" else Parallel(inner))
        else:
            stack.append((module, True))
            parts = (
                module.parts if module.kind == "series" else sorted(module.parts, key=lambda part: part.rank)
            )
            stack.extend((part, False) for part in reversed(parts))
    (plan,) = done
    return plan
