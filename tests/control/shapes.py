"""Graphs that hypothesis draws, with every construct; what they choose and how they end is drawn in ``drawing.py``.

A scope (the DAG, or a body) grows node by node: each has some nodes before it upstream, a trigger rule, and a kind; an
``If`` brings its blocks along. What a condition chooses is a field of a task, or a param of the run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from stepweave.graph.constructs import (
    ELSE,
    Body,
    Condition,
    Expansion,
    Guard,
    Loop,
    NestedDag,
    Speculation,
)
from stepweave.graph.model import (
    Binding,
    DagInfo,
    DictOf,
    Expression,
    FromItem,
    FromParam,
    FromState,
    FromTask,
    Graph,
    Literal,
    RetryPolicy,
    Task,
)
from tests.control.deciders import answers_fields, with_branches
from tests.control.kinds import Pencil, approval, made_safer, sensor
from tests.reference.order import leaves
from tests.reference.rules import RULES

SIMPLE_RULES = frozenset({"all_success", "all_done"})
WAITS_FOR_FAILURES = frozenset({"all_done", "all_failed", "one_failed", "one_done", "all_done_setup_success"})
RULES_THAT_WAIT = frozenset(RULES) - {"one_success", "one_failed", "one_done", "always"}
CHILD = "child"
"""The DAG that nested executions run."""
KINDS = {"maps": 5, "sensors": 6, "approvals": 6, "nested": 8}
"""What a node may be besides a plain task, and once in how many."""
MOST_ITEMS = 4
MOST_ROUNDS = 3


@dataclass(slots=True)
class Scope:
    """A graph being drawn."""

    pencil: Pencil
    prefix: str
    depth: int
    outer: tuple[str, ...] = ()
    """Tasks outside whose values may be used: the node of the body has them upstream."""
    scope: Binding | None = None
    """The item or state that tasks may read."""
    tasks: list[Task] = field(default_factory=list)

    def fill(self, most: int) -> None:
        for _ in range(self.pencil.draw(st.integers(1, most))):
            if self.pencil.left <= 0 and self.tasks:
                break
            self._node(())
        pencil = self.pencil
        if "branches" in pencil.features:
            self.tasks = with_branches(self.tasks, pencil.one_in)

    def _node(self, guards: tuple[Guard, ...]) -> None:
        """One more node, or an ``If`` with its blocks."""
        pencil = self.pencil
        pencil.left -= 1
        if pencil.has("conditions", 5) and len(guards) < 2:
            self._condition(guards)
        elif self.depth < 2 and pencil.has("groups", 6):
            self._body("g", guards)
        elif self.depth < 2 and pencil.has("loops", 8):
            self._body("l", guards)
        else:
            self._task(guards)

    def _upstream(self, most: int = 3) -> tuple[str, ...]:
        names = [task.id for task in self.tasks][-6:]
        count = min(self.pencil.draw(st.sampled_from((0, 1, 1, 2, 2, 3))), len(names), most)
        chosen = self.pencil.draw(st.permutations(names))[:count]
        return tuple(sorted(chosen, key=names.index))

    def _rule(self, upstream: tuple[str, ...]) -> str:
        if not upstream or not self.pencil.one_in(2):
            return "all_success"
        rules = frozenset(RULES) if "rules" in self.pencil.features else SIMPLE_RULES
        if "fail_fast" in self.pencil.features:
            rules = rules - WAITS_FOR_FAILURES
        return self.pencil.draw(st.sampled_from(sorted(rules)))

    def _task(self, guards: tuple[Guard, ...]) -> None:
        pencil = self.pencil
        kind = next((kind for kind, chances in KINDS.items() if pencil.has(kind, chances)), "tasks")
        upstream = self._upstream()
        task = self._common(pencil.name(self.prefix, kind[0]), upstream, guards)
        match kind:
            case "maps":
                task = replace(task, expansion=self._expansion(task, batches=True))
                if task.expansion and task.expansion.batch_size:
                    task = replace(task, retry=RetryPolicy())
            case "sensors":
                task = replace(task, sensor=sensor(pencil))
            case "approvals":
                task = replace(task, call="", approval=approval(pencil), retry=RetryPolicy(), compensate="")
            case "nested":
                inside = NestedDag(dag=CHILD, call=f"flows:{CHILD}", params=())
                task = replace(task, call="", nested=inside, retry=RetryPolicy(), arguments=(), compensate="")
            case _:
                task = made_safer(pencil, task)
        self.tasks.append(task)

    def _common(self, name: str, upstream: tuple[str, ...], guards: tuple[Guard, ...]) -> Task:
        pencil = self.pencil
        arguments: list[tuple[str, Binding]] = [(up.replace(".", "_"), FromTask(task=up)) for up in upstream]
        arguments = [(name, value) for name, value in arguments if self._has_value(value)]
        if self.scope is not None and pencil.one_in(2):
            arguments.append(("here", self.scope))
        if self.outer and pencil.one_in(3):
            arguments.append(("outside", FromTask(task=pencil.draw(st.sampled_from(self.outer)))))
        retry = RetryPolicy()
        if pencil.has("retries", 3):
            retry = RetryPolicy(attempts=pencil.draw(st.integers(1, 2)), delay_seconds=2, jitter=False)
        return Task(
            id=name,
            call=f"flows:{name}",
            arguments=tuple(arguments),
            upstream=upstream,
            trigger_rule=self._rule(upstream),
            guards=guards,
            retry=retry,
            setup=pencil.has("setups", 6),
            optional=pencil.has("optional", 6),
            compensate=f"flows:undo_{name}" if pencil.has("compensate", 4) else "",
        )

    def _has_value(self, value: Binding) -> bool:
        assert isinstance(value, FromTask)
        return not next(task for task in self.tasks if task.id == value.task).condition

    def _expansion(self, node: Task, *, batches: bool) -> Expansion:
        """Over a list written in the DAG, or one that a plain task before ``node`` answers."""
        pencil = self.pencil
        items: Binding = Literal(json=json.dumps([*range(pencil.draw(st.integers(0, MOST_ITEMS)))]))
        plain = [task.id for task in self.tasks if task.id in node.upstream and answers_fields(task)]
        if plain and node.trigger_rule in RULES_THAT_WAIT and pencil.one_in(2):
            items = FromTask(task=plain[0])
        return Expansion(
            how="product",
            arguments=(("item", items),),
            max_concurrency=pencil.draw(st.sampled_from((None, None, 1, 2))),
            batch_size=pencil.draw(st.sampled_from((None, None, None, 2))) if batches else None,
            tolerated_count=pencil.draw(st.integers(0, 1)),
        )

    def _body(self, kind: str, guards: tuple[Guard, ...]) -> None:
        """A mapped group or a loop."""
        pencil = self.pencil
        name = pencil.name(self.prefix, kind)
        upstream = self._upstream(2)
        node = replace(
            self._common(name, upstream, guards), call="", retry=RetryPolicy(), arguments=(), compensate=""
        )
        valued = tuple(up for up in upstream if self._has_value(FromTask(task=up)))
        scope: Binding = FromItem(node=name, name="item") if kind == "g" else FromState(node=name)
        inner = Scope(pencil, f"{name}.", self.depth + 1, valued, scope)
        inner.fill(3)
        if kind == "g":
            node = replace(node, expansion=self._expansion(node, batches=False))
            result = self._result(inner, always=False)
        else:
            result = self._result(inner, always=True)
            node = replace(node, loop=self._loop(name))
            carry = result.task if result else ""
            pencil.sources[name] = carry
            inner.tasks = [
                replace(task, fields=(*task.fields, (name,))) if task.id == carry else task
                for task in inner.tasks
            ]
        self.tasks.append(
            replace(
                node, body=Body(graph=Graph(dag=DagInfo(id="drawn"), tasks=tuple(inner.tasks)), result=result)
            )
        )

    def _result(self, inner: Scope, *, always: bool) -> FromTask | None:
        """A leaf of the body that has a value; a task of its own where there is none."""
        if not always and self.pencil.one_in(2):
            return None
        last = leaves(Graph(dag=DagInfo(id="drawn"), tasks=tuple(inner.tasks)))
        plain = [task.id for task in inner.tasks if task.id in last and answers_fields(task)]
        if not plain:
            inner.tasks.append(inner._common(self.pencil.name(inner.prefix, "t"), inner._upstream(), ()))
            plain = [inner.tasks[-1].id]
        return FromTask(task=plain[-1])

    def _loop(self, name: str) -> Loop:
        return Loop(
            start=Literal(json=json.dumps({name: False})),
            until=Expression(text="$_0_ = true", operands=(FromState(node=name, path=(name,)),)),
            max_rounds=self.pencil.draw(st.integers(1, MOST_ROUNDS)),
            exhausted=self.pencil.draw(st.sampled_from(("continue", "fail"))),
        )

    def _speculation(self, decider: str, before: tuple[str, ...], guards: tuple[Guard, ...]) -> None:
        """A block that begins before its condition is known."""
        pencil = self.pencil
        name = pencil.name(self.prefix, "p")
        upstream = tuple(up for up in before if self._has_value(FromTask(task=up)))
        inner = Scope(pencil, f"{name}.", self.depth + 1, upstream)
        inner.fill(3)
        result = self._result(inner, always=True)
        assert result
        body = Body(
            graph=Graph(dag=DagInfo(id="drawn"), tasks=tuple(inner.tasks)),
            result=DictOf(items=((result.task.removeprefix(inner.prefix), result),)),
        )
        speculation = Speculation(decider=decider, cases=("if",))
        self.tasks.append(
            Task(id=name, call="", upstream=upstream, guards=guards, body=body, speculation=speculation)
        )

    def _condition(self, guards: tuple[Guard, ...]) -> None:
        """An ``If`` over a field of a task or over a param, with one to three blocks."""
        pencil = self.pencil
        before = self._upstream(2)
        name = pencil.name(self.prefix, "if")
        cases = ["if", *(["elif_1"] if pencil.one_in(3) else [])]
        readable = [task.id for task in self.tasks if answers_fields(task)]
        source = pencil.draw(st.sampled_from([None, *readable]))
        operand: FromParam | FromTask
        if source is None:
            operand = FromParam(param=name.replace(".", "_"))
            pencil.params[operand.param] = pencil.draw(st.sampled_from([*cases, ELSE]))
        else:
            operand = FromTask(task=source, path=(name,))
            pencil.sources[name] = source
            self.tasks = [
                replace(task, fields=(*task.fields, (name,))) if task.id == source else task
                for task in self.tasks
            ]
        tests = tuple(
            (case, Expression(text=f"$_0_ = {json.dumps(case)}", operands=(operand,))) for case in cases
        )
        self.tasks.append(
            Task(
                id=name,
                call="",
                upstream=() if source is None else (source,),
                guards=guards,
                condition=Condition(cases=tests),
            )
        )
        for case in [*cases, *([ELSE] if pencil.one_in(2) else [])]:
            if case == "if" and self.depth < 2 and pencil.has("speculations", 3):
                self._speculation(name, before, guards)
                continue
            guard = Guard(decider=name, cases=(case,), block=True)
            for _ in range(pencil.draw(st.integers(1, 2))):
                self._node((*guards, guard))
