"""Runs a drawn graph compiled, in the engine on the virtual clock, with a runtime that answers as the drawn world says.

The runtime here is made of the event contract alone (docs/architecture.md): it knows the event, the world and what has
succeeded so far, and nothing of the machine that calls it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from stepweave.compiler import Compiled, compile_graph
from stepweave.embedded.calls import APPROVALS, RENDEZVOUS, TASK_RUNNER
from stepweave.embedded.machines import to_engine
from stepweave.embedded.rendezvous import rendezvous_function
from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.events import Listener
from stepweave.engine.execution import Execution
from stepweave.engine.failures import FunctionError
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.tokens import TaskTokenError
from stepweave.graph.model import DagInfo, FromTask, Graph, Task
from tests.control.drawing import Drawn
from tests.control.seeing import Seen, everywhere, index_of
from tests.control.shapes import CHILD
from tests.reference.attempts import RETRY_AFTER
from tests.reference.worlds import SUCCESS, Index

RUN_NAME = "execution"
"""Of every execution, as in the other interpreter that these runs are compared with."""
INSIDE = Graph(dag=DagInfo(id=CHILD), tasks=(Task(id="inside", call="flows:inside"),))
"""What nested executions run."""
CLASSES = frozenset({"TransientError", "ResourceError", "DataError", "PermanentError", "SensorTimeout"})
"""Errors that a failed task ends with."""
_RUNS = count(1)
LETTERS = {SUCCESS: "s", "Skip": "k"}


@dataclass(slots=True)
class Ran:
    compiled: Compiled
    execution: Execution
    seen: Seen

    @property
    def transitions(self) -> int:
        """State transitions that the run is charged for."""
        return len(self.seen.states) + self.seen.retries


def decision(answer: str) -> dict[str, Any]:
    """The record of an approval."""
    approved = answer == "approve"
    value = json.dumps({"approved": approved, "by": "somebody", "at": "", "comment": ""})
    return {"status": "success", "value": value, "fields": {"approved": approved}}


@dataclass(slots=True)
class Runtime:
    """The functions that the machine calls."""

    drawn: Drawn
    clock: VirtualClock
    seen: Seen = field(default_factory=Seen)
    attempts: Counter[tuple[str, Index, int]] = field(default_factory=Counter)
    """By level of a ladder, or by replica."""
    thinking: set[asyncio.Future[None]] = field(default_factory=set)
    """People, while they think."""
    tasks: dict[str, Task] = field(init=False)

    def __post_init__(self) -> None:
        self.tasks = everywhere(self.drawn.graph)

    async def run_task(self, event: Any) -> Any:
        """The answer to the event of a task."""
        if event["run"]["dag"] == CHILD:
            return await self._child(event)
        task, index = self.tasks[event["task"]], index_of(event)
        if "upstream" in event:
            self.seen.upstream[task.id, index] = event["upstream"]
        if "items" in event:
            return self._items(task, index)
        if "batch" in event:
            return await self._batch(task, index)
        if "commit" in event or "collect" in event:
            return self._record(task, index, event)
        if "undo" in event:
            self.seen.undone.append(task.id)
            return {"status": "success", "value": "null"}
        if len(self.seen.failed) > event.get("max_failed", len(self.tasks) ** 2):
            raise FunctionError("RunStopped", "{}")
        if "quorum" in event:
            return self._agreed(task, index, event)
        ending = await self._attempt(
            task, index, event.get("rung", {}).get("level", 0) or event.get("replica", 0)
        )
        if ending != SUCCESS:
            failure = self._error(task, index, ending, event)
            tried = event["attempt"] - event.get("later", 0)
            if tried >= event.get("tries", {}).get(failure.error, 0):
                self.seen.failed |= (
                    {(task.id, index)} if "tries" in event and failure.error in CLASSES else set()
                )
            raise failure
        if "replica" not in event:  # of those, the quorum makes one the task's
            self.seen.succeeded.add((task.id, index))
        return self._record(task, index, event)

    async def _attempt(self, task: Task, index: Index, level: int = 0) -> str:
        """How one attempt ends, once it has taken its time; ``level`` of a ladder, or number of a replica."""
        place = (task.id, index)
        self.seen.started.setdefault(place, self.clock.elapsed)
        script = self.drawn.world.script(task.id, index, level)
        ending = script[min(self.attempts[task.id, index, level], len(script) - 1)]
        self.attempts[task.id, index, level] += 1
        self.seen.attempts[place] += 1
        await asyncio.sleep(self.drawn.world.length(task.id))
        self.seen.ended[place] = self.clock.elapsed
        return ending

    async def _child(self, event: Any) -> Any:
        """The one task of a nested execution, whose run is named after the node and its index."""
        name = event["run"]["id"].removeprefix(f"{RUN_NAME}.")
        node = next(task for task in sorted(self.tasks, reverse=True) if f"{name}.".startswith(f"{task}."))
        rest = name.removeprefix(node).strip(".")
        index = tuple(int(part) for part in rest.split(".")) if rest else ()
        ending = await self._attempt(self.tasks[node], index)
        if ending != SUCCESS:
            raise FunctionError(ending, "{}")
        return {"status": "success", "value": "null"}

    async def ask(self, event: Any, tokens: Any) -> Any:
        """A person is asked, or the time is over; the answer comes when they have thought about it."""
        task, index = self.tasks[event["task"]], index_of(event)
        if "decide" in event:
            return decision(event["decide"])
        place = (task.id, index)
        self.seen.started.setdefault(place, self.clock.elapsed)
        self.seen.attempts[place] += 1
        answers = self.drawn.world.answers.get(place, ("silence",))
        answer = answers[min(event["level"], len(answers) - 1)]
        if answer != "silence":
            self.thinking.add(asyncio.ensure_future(self._think(task, event["token"], answer, tokens)))
        return {}

    async def _think(self, task: Task, token: str, answer: str, tokens: Any) -> None:
        await asyncio.sleep(self.drawn.world.length(task.id))
        with contextlib.suppress(TaskTokenError):  # too late
            tokens.send_success(token, decision(answer))

    def _put_off(self, ending: str, event: Any) -> FunctionError:
        """What the runtime raises for ``RetryAfter``, as often as it may."""
        if event.get("later", 0) < event.get("later_most", 0):
            seconds = int(ending.removeprefix(RETRY_AFTER))
            return FunctionError("RetryAfter", json.dumps({"seconds": seconds, "message": "later"}))
        return FunctionError("TransientError", "{}")

    def _agreed(self, task: Task, index: Index, event: Any) -> dict[str, Any]:
        """The answer to the question whether enough replicas say the same."""
        world, need = self.drawn.world, event["quorum"]
        numbers = range(1, need["of"] + 1)
        votes = zip(world.votes.get((task.id, index), "a" * len(numbers)), numbers, strict=True)
        counted = Counter(
            vote for vote, number in votes if world.script(task.id, index, number)[0] == SUCCESS
        )
        if max(counted.values(), default=0) < need["need"]:
            raise FunctionError("PermanentError", json.dumps({"type": "NoQuorum"}))
        self.seen.succeeded.add((task.id, index))
        return self._record(task, index, event)

    def _error(self, task: Task, index: Index, ending: str, event: Any) -> FunctionError:
        """What the runtime raises where an attempt ends so."""
        if ending.startswith(RETRY_AFTER):
            return self._put_off(ending, event)
        if ending != "NotYet":
            return FunctionError(ending, json.dumps({"message": ending}))
        assert task.sensor
        waited = self.clock.elapsed - self.seen.started[task.id, index]
        if waited < task.sensor.timeout_seconds:
            return FunctionError("NotYet", "{}")
        return FunctionError("Skip" if event["sensor"]["soft"] else "SensorTimeout", "{}")

    def _record(self, task: Task, index: Index, event: Any) -> dict[str, Any]:
        record: dict[str, Any] = {"status": "success", "value": json.dumps([task.id, *index])}
        known = self.drawn.fields.get((task.id, index), {})
        fields = {
            ".".join(map(str, path)): known.get(str(path[0]))
            for path in json.loads(event.get("fields", "[]"))
        }
        if fields:
            record["fields"] = fields
        if "chooses" in event:
            record["chosen"] = list(self.drawn.world.choices.get((task.id, index), ()))
        return record

    def _items(self, task: Task, index: Index) -> dict[str, Any]:
        assert task.expansion
        sources = [one.task for _, one in task.expansion.arguments if isinstance(one, FromTask)]
        if any((source, index) not in self.seen.succeeded for source in sources):
            raise FunctionError("DataError", json.dumps({"message": "no list"}))
        count = self.drawn.world.items[task.id, index]
        assert count is not None
        batches = -(-count // (task.expansion.batch_size or 1))
        return {"n": count, "b": batches, "key": f"items/{task.id}.json"}

    async def _batch(self, task: Task, index: Index) -> dict[str, Any]:
        """The items of one batch, one after another."""
        assert task.expansion
        size = task.expansion.batch_size or 1
        count = self._item_count(task, index[:-1])
        letters = ""
        for number in range(index[-1] * size, min((index[-1] + 1) * size, count)):
            ending = await self._attempt(task, (*index[:-1], number))
            letters += LETTERS.get(ending, "f")
        return {"status": "success", "items": letters}

    def _item_count(self, task: Task, index: Index) -> int:
        counted = self.drawn.world.items.get((task.id, index))
        if counted is not None:
            return counted
        assert task.expansion
        return len(json.loads(getattr(task.expansion.arguments[0][1], "json", "[]")))

    def listen(self, event: Any) -> None:
        """Takes note of a state."""
        if event.kind == "state_entered":
            self.seen.states.append(event.state)
        if event.kind == "task_retrying":
            self.seen.retries += 1
        if event.kind == "state_exited" and isinstance(event.data, dict):
            node, status = event.data.get("node"), event.data.get("status")
            if isinstance(node, str) and isinstance(status, str):
                index = index_of({"run": event.data})
                self.seen.told.setdefault(node, []).append((index, status))


def run_drawn(
    drawn: Drawn, *listeners: Listener, compiler: Callable[[Graph], Compiled] = compile_graph
) -> Ran:
    """``drawn`` compiled and run to its end, heard by ``listeners``."""
    compiled = compiler(drawn.graph)
    machines = to_engine(
        compiled, *([compile_graph(INSIDE)] if "startExecution" in repr(compiled.files) else [])
    )
    clock = VirtualClock()
    runtime = Runtime(drawn, clock)

    async def meet(event: Any) -> Any:
        return await rendezvous(event)

    async def ask(event: Any) -> Any:
        return await runtime.ask(event, engine.tokens)

    functions = {TASK_RUNNER: runtime.run_task, RENDEZVOUS: meet, APPROVALS: ask}
    integrations = lambda_integrations(functions) | start_execution_integrations()
    engine = Engine(machines.machines, integrations, clock=clock, listeners=[runtime.listen, *listeners])
    rendezvous = rendezvous_function(engine.tokens)
    execution = clock.run(engine.run(machines.root, {"params": drawn.params}, RUN_NAME))
    if next(_RUNS) % 100 == 0:
        gc.collect()  # what is made while a graph is compiled counts as old, and would stay
    return Ran(compiled, execution, runtime.seen)
