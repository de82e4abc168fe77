"""`Labels`: how people call the items of a mapped task: by an argument, where the DAG names one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any

from stepweave.embedded.places import Place, depth_of, parent_of
from stepweave.graph.constructs import Expansion
from stepweave.graph.model import Binding, ListOf, Literal
from stepweave.stores.layout import manifest_key, task_prefix
from stepweave.stores.objects import ObjectStore

MAX_CHARACTERS = 100


class Labels:
    """The labels of the items of one run."""

    def __init__(self, places: Mapping[str, Place], store: ObjectStore, dag_id: str, run_id: str) -> None:
        self._places, self._store = places, store
        self._dag_id, self._run_id = dag_id, run_id
        self._known: dict[tuple[str, str], list[str]] = {}

    def of(self, task: str, index: str) -> str:
        """Label of an item, or of the item that a task in a body is run for; empty when it has none."""
        place = self._places[task]
        if depth_of(index) <= place.depth:
            around = self._places.get(place.node or "")
            return self.of(around.task.id, index) if around is not None and around.is_many else ""
        if place.task.expansion is None or not place.task.expansion.label:
            return ""
        labels = self._labels(task, parent_of(index), place.task.expansion)
        number = int(index.rpartition("/")[2])
        return labels[number] if number < len(labels) else ""

    def _labels(self, task: str, index: str, expansion: Expansion) -> list[str]:
        """Of all items of a mapped task: written down in the run, or following from the lists in the DAG."""
        found = self._known.get((task, index))
        if found is None:
            prefix = task_prefix(self._dag_id, self._run_id, task, index)
            data = self._store.get_or_none(manifest_key(prefix))
            found = json.loads(data).get("labels", []) if data is not None else _written(expansion)
            self._known[task, index] = found
        return found


def _written(expansion: Expansion) -> list[str]:
    """The labels of lists that are all written in the DAG; none where an item is not known before the run."""
    lists = {name: _members(binding) for name, binding in expansion.arguments}
    if any(members is None for members in lists.values()):
        return []
    known = {name: members for name, members in lists.items() if members is not None}
    if expansion.how == "kwargs":
        return [_text(item.get(expansion.label)) for item in next(iter(known.values()), [])]
    labelled = known.get(expansion.label)
    if labelled is None:
        return []
    if expansion.how == "zip":
        return [_text(value) for value in labelled]
    names = list(known)
    after = prod(len(known[name]) for name in names[names.index(expansion.label) + 1 :])
    total = prod(map(len, known.values()))
    return [_text(labelled[number // after % len(labelled)]) for number in range(total)]


def _members(binding: Binding) -> list[Any] | None:
    match binding:
        case Literal(json=text) if isinstance(value := json.loads(text), list):
            return value
        case ListOf(items=items) if all(isinstance(item, Literal) for item in items):
            return [json.loads(item.json) for item in items if isinstance(item, Literal)]
    return None


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:MAX_CHARACTERS]
