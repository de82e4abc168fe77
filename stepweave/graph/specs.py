"""`argument_specs(task, ...)`: how an event tells the runtime to build the arguments of a task.

A *spec* is a JSON object; the compiler writes specs into events, and the runtime makes them itself where they are too
many to travel, so both must come from here. ``d`` is the number of components of an index path (absent: 0).

    {"v": <JSON>}                                a literal
    {"t": task, "p"?, "d"?}                      the value of a task, or the part of it at path ``p``
    {"r": param, "p"?}                           a param of the run
    {"x": i}                                     the i-th expression value of the event
    {"l": [spec…]}, {"d": {key: spec}}           a list, a dict
    {"part": spec, "p"}                          a part of something else
    {"i": node, "k": name, "d", "p"?}            the item of a mapped node; ``k`` empty: the whole item (a dict)
    {"pick": [spec…], "div": a, "d", "p"?}       the item of a list written in the DAG: position (item // a) % length
    {"kw": spec}                                 under the argument name "**": a dict of keyword arguments
    {"m": spec, "of": node, "d", "n"?, "p"?}     the values of ``spec`` for all items of a mapped node
    {"s": {"start", "carry"}, "d", "p"?}         the state of a loop; {"s": {}, "d"} inside its own ``carry``
    {"c": k}                                     the number of the round of the loop at depth k
    {"last": spec, "of": node, "d", "x"?}        ``spec`` in the last round of a loop, whose number is the x-th value
    {"n": spec, "dag", "call", "of", "d"?}       ``spec`` in the run of the nested DAG that ``of`` started
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, TypeAlias

from stepweave.graph.constructs import Expansion, NestedDag
from stepweave.graph.model import (
    Binding,
    DictOf,
    Expression,
    FromItem,
    FromParam,
    FromState,
    FromTask,
    Graph,
    ListOf,
    Literal,
    Path,
    Task,
)
from stepweave.graph.outcomes import EARLY_RULES

Spec: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rounds:
    """What an event must say of a loop whose value is read: the number of its last round, from 0."""

    node: str


Number: TypeAlias = Callable[[Expression | Rounds], int]
"""Index among the event's ``values`` of what the state machine computes."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where every task of a DAG is, those inside bodies included."""

    tasks: dict[str, Task] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    """Components of the index path of a node; the items of a mapped one have one more."""
    scopes: dict[str, str] = field(default_factory=dict)
    """Id of the node whose body a task is in; empty for the DAG itself."""
    module: str = ""
    """Importable name of the module that defines the DAG."""

    @classmethod
    def of(cls, graph: Graph) -> Places:
        """The places in ``graph``."""
        found = cls(module=graph.dag.module)
        found._add(graph, "", 0)
        return found

    def _add(self, graph: Graph, scope: str, depth: int) -> None:
        for task in graph.tasks:
            self.tasks[task.id] = task
            self.depths[task.id] = depth
            self.scopes[task.id] = scope
            if task.body is not None:
                inner = depth + 1 if task.expansion or task.loop else depth
                self._add(task.body.graph, task.id, inner)


def argument_specs(task_id: str, places: Places, number: Number) -> dict[str, Spec]:
    """Argument name → spec for the function of a task; of a mapped task, for one of its items."""
    task = places.tasks[task_id]
    # Who does not wait for a loop is not told of its rounds.
    waits = task.trigger_rule not in EARLY_RULES and task.trigger_rule != "always"
    specs = _Specs(places, number, places.scopes[task_id], rounds_known=waits)
    found = {name: specs.of(binding) for name, binding in task.arguments}
    if task.expansion is not None and task.body is None:
        for name, _ in task.expansion.arguments:
            item = FromItem(node=task_id, name=name)
            found[name or "**"] = specs.of(item) if name else {"kw": specs.of(item)}
    return found


def list_specs(task_id: str, places: Places, number: Number) -> dict[str, Spec]:
    """Parameter → spec of the list that a mapped node takes its items from; for ``kwargs`` under the name ``**``."""
    expansion = places.tasks[task_id].expansion
    specs = _Specs(places, number, places.scopes[task_id])
    return {name or "**": specs.of(binding) for name, binding in expansion.arguments} if expansion else {}


def spec(binding: Binding, reader: str, places: Places, number: Number) -> Spec:
    """The spec of ``binding`` as the task ``reader`` reads it."""
    return _Specs(places, number, places.scopes[reader]).of(binding)


def value_spec(task_id: str, places: Places) -> Spec:
    """The spec of a task's value for a reader of the store who has no records of its run."""

    def refuse(what: Expression | Rounds) -> int:
        raise AssertionError(f"nobody computes {what} for a reader of another run")

    return _Specs(places, refuse, places.scopes[task_id], rounds_known=False).of(FromTask(task=task_id))


def written_items(expansion: Expansion) -> tuple[tuple[Binding, ...], ...] | None:
    """The lists of a mapped node, when all of them were written in the DAG; else None."""
    lists = []
    for _, binding in expansion.arguments:
        members = _members(binding)
        if members is None:
            return None
        lists.append(members)
    return tuple(lists)


def written_count(expansion: Expansion) -> int | None:
    """How many items a mapped node has, when its lists were written in the DAG; else None."""
    lists = written_items(expansion)
    if lists is None:
        return None
    lengths = [len(members) for members in lists]
    return prod(lengths) if expansion.how == "product" else min(lengths, default=0)


def _members(binding: Binding) -> tuple[Binding, ...] | None:
    match binding:
        case ListOf(items=items):
            return items
        case Literal(json=text):
            found = json.loads(text)
            if isinstance(found, list):
                return tuple(Literal(json=_text(member)) for member in found)
    return None


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class _Specs:
    """The specs of bindings for a reader in the body of ``scope``."""

    places: Places
    number: Number
    scope: str
    rounds_known: bool = True
    """Whether the reader sees the records of its scope; not where it reads for many items at once."""
    carrying: frozenset[str] = frozenset()
    """Loops whose carried state is being described."""

    def of(self, binding: Binding) -> Spec:
        match binding:
            case Literal(json=text):
                return {"v": json.loads(text)}
            case FromTask():
                return self._task(binding)
            case FromParam(param=param, path=path):
                return _with_path({"r": param}, path)
            case FromItem():
                return self._item(binding)
            case FromState():
                return self._state(binding)
            case Expression():
                return {"x": self.number(binding)}
            case ListOf(items=items):
                return {"l": [self.of(item) for item in items]}
            case DictOf(items=pairs):
                return {"d": {key: self.of(value) for key, value in pairs}}

    def _task(self, reference: FromTask) -> Spec:
        task = self.places.tasks.get(reference.task)
        depth = self.places.depths.get(reference.task, 0)
        if task is None:
            return _with_path({"t": reference.task}, reference.path)
        if task.expansion is not None:
            return self._mapped(task, task.expansion, depth, reference.path)
        if task.loop is not None:
            return self._part(self._last(task, depth), reference.path)
        if task.nested is not None:
            return self._part(self._nested(task, task.nested, depth), reference.path)
        if task.body is not None:  # a speculation: its tasks have the index path of the node
            return self._part(self._result(task), reference.path)
        return _with_depth(_with_path({"t": task.id}, reference.path), depth)

    def _mapped(self, task: Task, expansion: Expansion, depth: int, path: Path) -> Spec:
        if task.body is None:
            each = {"t": task.id, "d": depth + 1}
        else:
            each = replace(self, rounds_known=False)._result(task)
        found: Spec = {"m": each, "of": task.id, "d": depth}
        count = written_count(expansion)
        if count is not None:
            found["n"] = count
        return _with_path(found, path)

    def _last(self, task: Task, depth: int) -> Spec:
        found: Spec = {
            "last": replace(self, rounds_known=False)._result(task),
            "of": task.id,
            "d": depth,
        }
        if self.rounds_known and self.places.scopes[task.id] == self.scope:
            found["x"] = self.number(Rounds(task.id))
        return found

    def _nested(self, task: Task, nested: NestedDag, depth: int) -> Spec:
        params = dict(nested.params)

        def described(binding: Binding | None) -> Spec:
            match binding:
                case None:
                    return {"v": None}
                case FromTask(task=name, path=path):
                    found = {"n": _with_path({"t": name}, path), "dag": nested.dag, "call": nested.call}
                    return _with_depth({**found, "of": task.id}, depth)
                case FromParam(param=name, path=path) if name in params:
                    return self._part(self.of(params[name]), path)
                case ListOf(items=items):
                    return {"l": [described(item) for item in items]}
                case DictOf(items=pairs):
                    return {"d": {key: described(value) for key, value in pairs}}
                case _:
                    return self.of(binding)

        return described(nested.result)

    def _result(self, task: Task) -> Spec:
        assert task.body is not None
        return {"v": None} if task.body.result is None else self.of(task.body.result)

    def _item(self, item: FromItem) -> Spec:
        depth = self.places.depths[item.node]
        expansion = self.places.tasks[item.node].expansion
        assert expansion is not None, "only mapped nodes have items"
        lists = written_items(expansion)
        if lists is None:
            return _with_path({"i": item.node, "k": item.name, "d": depth}, item.path)
        if expansion.how == "kwargs":
            picked: Spec = {"pick": [self.of(member) for member in lists[0]], "div": 1, "d": depth}
            return _with_path(picked, (item.name, *item.path) if item.name else item.path)
        position = [name for name, _ in expansion.arguments].index(item.name)
        later = prod(len(members) for members in lists[position + 1 :])
        found: Spec = {
            "pick": [self.of(member) for member in lists[position]],
            "div": later if expansion.how == "product" else 1,
            "d": depth,
        }
        return _with_path(found, item.path)

    def _state(self, state: FromState) -> Spec:
        depth = self.places.depths[state.node]
        if state.counter:
            return {"c": depth}
        if state.node in self.carrying:
            return _with_path({"s": {}, "d": depth}, state.path)
        task = self.places.tasks[state.node]
        assert task.loop is not None, "only loops have a state"
        inside = replace(self, rounds_known=False, carrying=self.carrying | {state.node})
        found: Spec = {"s": {"start": self.of(task.loop.start), "carry": inside._result(task)}, "d": depth}
        return _with_path(found, state.path)

    def _part(self, found: Spec, path: Path) -> Spec:
        return {"part": found, "p": list(path)} if path else found


def _with_path(found: Spec, path: Path) -> Spec:
    if path:
        found["p"] = list(path)
    return found


def _with_depth(found: Spec, depth: int) -> Spec:
    if depth:
        found["d"] = depth
    return found


def task_references(found: Spec) -> Iterator[tuple[str, int]]:
    """Task and depth of every ``t`` in a spec that the reader itself sees: none of other items or rounds."""
    stack = [found]
    while stack:
        one = stack.pop()
        if "t" in one:
            yield one["t"], one.get("d", 0)
        elif "l" in one:
            stack.extend(reversed(one["l"]))
        elif "part" in one:
            stack.append(one["part"])
        elif "kw" in one:
            stack.append(one["kw"])
        elif "pick" in one:
            stack.extend(reversed(one["pick"]))
        elif isinstance(one.get("d"), dict):
            stack.extend(reversed(one["d"].values()))
