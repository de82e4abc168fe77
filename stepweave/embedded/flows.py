"""`Flow`: a compiled DAG as a run needs it; `flows_of`: that of a run and those of all DAGs that run inside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stepweave.compiler import Compiled
from stepweave.embedded.places import Place, every_task, places_of
from stepweave.graph.model import Graph
from stepweave.runtime.resolve import named_object

Compile = Callable[[Graph], Compiled]


@dataclass(frozen=True, slots=True)
class Flow:
    """A DAG that runs."""

    compiled: Compiled
    places: Mapping[str, Place]

    @property
    def graph(self) -> Graph:
        return self.compiled.graph

    @property
    def dag_id(self) -> str:
        return self.compiled.graph.dag.id


def flows_of(graph: Graph, compile_graph: Compile) -> dict[str, Flow]:
    """DAG id to flow: that of ``graph`` first, then every DAG that is run inside another, each once."""
    found: dict[str, Flow] = {}
    pending = [graph]
    while pending:
        each = pending.pop(0)
        if each.dag.id not in found:
            found[each.dag.id] = Flow(compile_graph(each), places_of(each))
            pending += [named_object(call).graph() for call in _calls(each)]
    return found


def module_paths(flows: Mapping[str, Flow]) -> list[str]:
    """Folders that ``sys.path`` needs for the modules of the flows."""
    found: dict[str, None] = {}
    for flow in flows.values():
        file = getattr(sys.modules.get(flow.graph.dag.module), "__file__", None)
        if file is not None:
            folder = Path(os.path.realpath(file)).parent
            for _ in range(flow.graph.dag.module.count(".")):
                folder = folder.parent
            found[str(folder)] = None
    return list(found)


def _calls(graph: Graph) -> Iterator[str]:
    for task in every_task(graph):
        if task.nested is not None:
            yield task.nested.call
