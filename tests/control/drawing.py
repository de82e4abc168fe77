"""Runs that hypothesis draws: a graph with every construct, and the world that it runs in.

Graphs are made of the values of ``graph/constructs.py`` directly, so that these tests stand on the contract between the
phases and on nothing that authoring does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from stepweave.graph.constructs import ELSE
from stepweave.graph.model import DagInfo, Graph, Literal, ParamSpec, Task
from tests.control.describing import described
from tests.control.kinds import Pencil
from tests.control.shapes import MOST_ITEMS, MOST_ROUNDS, Scope
from tests.reference.worlds import Index, Place, Script, World

EVERYTHING = frozenset(
    {"rules", "conditions", "branches", "maps", "groups", "loops", "sensors", "approvals", "nested"}
    | {"setups", "optional", "retries", "later", "ladders", "copies", "compensate", "speculations"}
)
ANSWERS = ("approve", "approve", "reject", "silence")


@dataclass(frozen=True, slots=True, repr=False)
class Drawn:
    """A graph and its world."""

    graph: Graph
    world: World
    params: dict[str, Any]
    """Of the run."""
    fields: dict[Place, dict[str, Any]] = field(default_factory=dict)
    """Parts of values that conditions read, by the task that answers them."""

    def __repr__(self) -> str:
        """What a person needs to see of it, a line for each task."""
        world = {
            name: getattr(self.world, name)
            for name in ("scripts", "seconds", "items", "choices", "rounds", "votes", "answers")
        }
        given = [f"{name}: {value}" for name, value in {**world, "fields": self.fields}.items() if value]
        return "\n".join(["", *described(self.graph), *given])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def _with_tear_down(pencil: Pencil, tasks: list[Task]) -> list[Task]:
    setups = [task.id for task in tasks if task.setup]
    if not setups or not pencil.one_in(2):
        return tasks
    others = [task.id for task in tasks if not task.condition and task.id not in setups]
    more = pencil.draw(st.lists(st.sampled_from(others), max_size=2, unique=True)) if others else []
    down = Task(
        id="down",
        call="flows:down",
        upstream=(*setups, *more),
        trigger_rule="all_done_setup_success" if "rules" in pencil.features else "all_done",
        teardown=True,
    )
    return [*tasks, down]


@st.composite
def drawn_runs(draw: st.DrawFn, features: frozenset[str] = EVERYTHING, nodes: int = 9) -> Drawn:
    """A graph of up to about ``nodes`` nodes with the constructs in ``features``, and its world.

    Two features are not among everything: ``fail_fast``, for the first failure of several at the same time may be any,
    and ``max_failed``, which wants all times apart.
    """
    pencil = Pencil(draw, features, nodes)
    root = Scope(pencil, "", 0)
    root.fill(nodes)
    tasks = _with_tear_down(pencil, root.tasks)
    params = tuple(ParamSpec(name=name, default_json=json.dumps(ELSE)) for name in pencil.params)
    most = draw(st.integers(0, 2)) if "max_failed" in features else None
    dag = DagInfo(id="drawn", params=params, fail_fast="fail_fast" in features, max_failed_tasks=most)
    return _World(pencil).drawn(_within(dag, tasks))


def _within(dag: DagInfo, tasks: Iterable[Task]) -> Graph:
    """The tasks as a graph of ``dag``, and so the bodies in it."""
    bodies = {
        task.id: replace(task.body, graph=_within(dag, task.body.graph.tasks)) for task in tasks if task.body
    }
    return Graph(dag=dag, tasks=tuple(replace(task, body=bodies.get(task.id)) for task in tasks))


@dataclass(slots=True)
class _World:
    """The world of a graph, drawn place by place."""

    pencil: Pencil
    scripts: dict[Place, Script] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    items: dict[Place, int | None] = field(default_factory=dict)
    choices: dict[Place, tuple[str, ...]] = field(default_factory=dict)
    rounds: dict[Place, int] = field(default_factory=dict)
    answers: dict[Place, Script] = field(default_factory=dict)
    votes: dict[Place, str] = field(default_factory=dict)
    fields: dict[Place, dict[str, Any]] = field(default_factory=dict)

    def drawn(self, graph: Graph) -> Drawn:
        self._scope(graph, ())
        world = World(
            self.scripts, self.seconds, self.items, self.choices, self.rounds, self.votes, self.answers
        )
        return Drawn(graph, world, dict(self.pencil.params), self.fields)

    def _scope(self, graph: Graph, index: Index) -> None:
        for task in graph.tasks:
            place = (task.id, index)
            if task.condition:
                self._choice(task, index)
            elif task.loop and task.body:
                self._rounds(task, index)
            elif task.speculation and task.body:
                self._scope(task.body.graph, index)
            elif task.expansion:
                for number in range(self._count(task, index)):
                    if task.body:
                        self._scope(task.body.graph, (*index, number))
                    else:
                        self._script(task, (*index, number))
            elif task.approval:
                said = self.pencil.draw(st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=2))
                self.answers[place] = tuple(said)
            else:
                self._script(task, index)
                if task.decides:
                    chosen = self.pencil.draw(st.lists(st.sampled_from(task.decides.cases), unique=True))
                    self.choices[place] = tuple(chosen)
            self.seconds.setdefault(task.id, self._length(task))

    def _length(self, task: Task) -> float:
        """Seconds; never such that something ends at the very moment at which a hedge begins or time is up."""
        whole = self.pencil.draw(st.integers(1, 9))
        if "max_failed" in self.pencil.features:
            return whole + len(self.seconds) / 1024
        return whole + 0.5 * bool(task.hedge_seconds or task.approval)

    def _choice(self, task: Task, index: Index) -> None:
        assert task.condition
        param = task.id.replace(".", "_")
        if param in self.pencil.params:
            chosen = self.pencil.params[param]
        else:
            chosen = self.pencil.draw(st.sampled_from([*(case for case, _ in task.condition.cases), ELSE]))
            self.fields.setdefault((self.pencil.sources[task.id], index), {})[task.id] = chosen
        self.choices[task.id, index] = (chosen,)

    def _rounds(self, task: Task, index: Index) -> None:
        assert task.loop
        assert task.body
        wanted = self.pencil.draw(st.integers(1, MOST_ROUNDS + 1))
        self.rounds[task.id, index] = wanted
        for number in range(task.loop.max_rounds):
            place = (*index, number)
            self._scope(task.body.graph, place)
            source = self.pencil.sources[task.id]
            self.fields.setdefault((source, place), {})[task.id] = number + 1 == wanted

    def _count(self, task: Task, index: Index) -> int:
        assert task.expansion
        (_, items) = task.expansion.arguments[0]
        if isinstance(items, Literal):
            return len(json.loads(items.json))
        count = self.pencil.draw(st.integers(0, MOST_ITEMS))
        self.items[task.id, index] = count
        return count

    def _script(self, task: Task, index: Index) -> None:
        self._ending(task.id, index, [*_endings(task, self.pencil.features)])
        for level, _ in enumerate(task.ladder, 1):
            self._ending(f"{task.id}@{level}", index, [*_endings(task, self.pencil.features)])
        if task.quorum > 1:
            for number in range(1, task.replicas + 1):
                self._ending(f"{task.id}@{number}", index, [("success",)] * 6 + [("DataError",), ("Skip",)])
            self.votes[task.id, index] = self.pencil.draw(
                st.text("ab", min_size=task.replicas, max_size=task.replicas)
            )

    def _ending(self, name: str, index: Index, endings: Sequence[Script]) -> None:
        script = self.pencil.draw(st.sampled_from(endings))
        if script != ("success",):
            self.scripts[name, index] = script


def _endings(task: Task, features: frozenset[str]) -> Iterator[Script]:
    """How a call of ``task`` may end; most often well."""
    yield from [("success",)] * 6
    yield ("DataError",)
    if task.nested:
        return
    yield from [("PermanentError",), ("Skip",)]
    if task.sensor:
        yield from [("NotYet", "success"), ("NotYet", "NotYet", "success"), ("NotYet",)]
    if task.ladder:
        yield from [("ResourceError",)] * 3
    if task.hedge_seconds or task.replicas > 1:
        yield from [("DataError", "success")] * 3
    if task.retry.attempts:
        yield from [
            ("TransientError", "success"), ("TransientError",), ("TransientError", "ResourceError", "success"),
            ("TransientError", "PermanentError"),
        ]  # fmt: skip
    if "later" in features and not task.sensor:
        yield from [
            ("RetryAfter:7", "success"),
            ("TransientError", "RetryAfter:7", "success"),
            ("RetryAfter:3",),
        ]
