"""`specs_from_graph(graph, task_id)`: the argument specs of a task that were too many to travel in its event."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from stepweave.graph.model import Binding, DictOf, Expression, FromParam, FromTask, Graph, ListOf, Literal


def specs_from_graph(graph: Graph, task_id: str) -> dict[str, Any]:
    """Argument name → spec, as the event's ``args`` would say it; expressions are numbered in the order written."""
    numbers = itertools.count()
    return {name: _spec(binding, numbers) for name, binding in graph[task_id].arguments}


def _spec(binding: Binding, numbers: Iterator[int]) -> dict[str, Any]:
    match binding:
        case Literal(json=text):
            return {"v": json.loads(text)}
        case FromTask(task=task, path=path):
            return {"t": task, "p": list(path)} if path else {"t": task}
        case FromParam(param=param, path=path):
            return {"r": param, "p": list(path)} if path else {"r": param}
        case Expression():
            return {"x": next(numbers)}
        case ListOf(items=items):
            return {"l": [_spec(item, numbers) for item in items]}
        case DictOf(items=pairs):
            return {"d": {key: _spec(value, numbers) for key, value in pairs}}
