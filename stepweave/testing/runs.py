"""`MachineRun`: what a test looks at after a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from stepweave.engine.execution import Execution
from stepweave.engine.map_runs import MapRun
from stepweave.engine.objects import Objects
from stepweave.errors import UsageError
from stepweave.standalone.tracing import Call, Trace, calls_of
from stepweave.testing.reports import headline, report
from stepweave.testing.threads import in_thread_if_needed

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, repr=False)
class MachineRun:
    """An ended execution. Read it; nothing in it is live."""

    execution: Execution
    """The engine's own object."""
    executions: Mapping[str, Execution] = field(default_factory=dict)
    """Every execution of the run by name: this one, nested ones, the children of distributed maps."""
    map_runs: Mapping[str, MapRun] = field(default_factory=dict)
    """Every run of a distributed map, by ARN."""
    objects: Objects | None = None
    """The buckets; the ``buckets`` of another run may be these."""

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.execution.name

    @property
    def machine(self) -> str:
        """The machine's name."""
        return self.execution.machine

    @property
    def status(self) -> str:
        """``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``ABORTED``."""
        return self.execution.status

    @property
    def input(self) -> Any:
        """What the execution was started with."""
        return self.execution.input

    @property
    def output(self) -> Any:
        """The result; None unless the execution succeeded."""
        return self.execution.output

    @property
    def error(self) -> str | None:
        """Name of the error; None unless the execution failed."""
        return self.execution.error

    @property
    def cause(self) -> str | None:
        """Cause of the error; None unless the execution failed with one."""
        return self.execution.cause

    @property
    def elapsed(self) -> float:
        """Seconds from start to end, as the states saw them: waits and retries count, whatever the test took."""
        return (self.execution.stopped_at or self.execution.started_at) - self.execution.started_at

    @cached_property
    def _trace(self) -> Trace:
        return Trace(self.execution)

    @property
    def path(self) -> list[str]:
        """The states of the machine itself, in the order in which they were entered; without those inside others."""
        return self._trace.path

    @property
    def states(self) -> list[str]:
        """Every state entered, in the order of time, those of branches and iterations among the others."""
        return list(self._trace.states)

    def path_of(self, state: str, index: int = 0) -> list[str]:
        """The path of one branch of a Parallel or one iteration (or child execution) of a Map, when it last ran."""
        paths = self.paths_of(state)
        if not -len(paths) <= index < len(paths):
            raise UsageError(f"{state!r} has {len(paths)} branches or iterations; there is no number {index}")
        return paths[index]

    def paths_of(self, state: str) -> list[list[str]]:
        """The paths of all branches of a Parallel or all iterations (or child executions) of a Map."""
        if (arn := self._trace.map_runs.get(state)) is not None:
            run = self.map_runs[arn]
            children = [run.child(index, self.executions) for index in range(len(run.batches))]
            return [Trace(child).path if child is not None else [] for child in children]
        for trace in (self._trace, *map(Trace, self._others)):
            if (paths := trace.branches(state)) is not None:
                return paths
        entered = ", ".join(map(repr, dict.fromkeys(self._trace.states))) or "none"
        raise UsageError(f"no Parallel or Map {state!r} was run; states entered: {entered}")

    @cached_property
    def calls(self) -> list[Call]:
        """Every attempt of every Task, in the order in which they were made; of nested executions too."""
        return calls_of(self.executions.values() or (self.execution,))

    def calls_to(self, name: str) -> list[Call]:
        """The calls of a state, or of a resource: ``"Charge card"``, ``"dynamodb:putItem"``, ``"dynamodb:*"``."""
        return [call for call in self.calls if _meant(name, call)]

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """The events, as GetExecutionHistory gives them; timestamps are seconds since the epoch."""
        return list(self.execution.history.events())

    @property
    def failed_at(self) -> str | None:
        """The path of the state in which the execution failed: ``Each order[2]/Charge card``; None if it succeeded."""
        return None if self.status == "SUCCEEDED" else self._trace.where()

    def succeeded(self) -> Any:
        """The output; raises ``AssertionError`` with the report when the execution did not succeed."""
        __tracebackhide__ = True
        if self.status != "SUCCEEDED":
            raise AssertionError(self.report())
        return self.output

    def failed_with(self, error: str) -> str:
        """The cause; raises ``AssertionError`` with the report unless the execution failed with this error."""
        __tracebackhide__ = True
        if self.status == "SUCCEEDED" or self.error != error:
            raise AssertionError(f"expected the error {error}\n{self.report()}")
        return self.cause or ""

    def report(self) -> str:
        """What happened, for people: status, error, path, and the last events."""
        return report(self.execution, self._trace)

    def read_object(self, bucket: str, key: str) -> bytes:
        """The content of an object, after the run; raises ``StateError`` with S3's error when it is not there."""
        objects = self._objects()
        return in_thread_if_needed(lambda: asyncio.run(_awaited(objects.read(bucket, key))))

    def list_objects(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys in a bucket, after the run."""
        objects = self._objects()
        found = in_thread_if_needed(lambda: asyncio.run(_awaited(objects.list_objects(bucket, prefix))))
        return [entry.key for entry in found]

    def _objects(self) -> Objects:
        if self.objects is None:
            raise UsageError("the run had no buckets: give it buckets={…}")
        return self.objects

    def __repr__(self) -> str:
        return f"<{headline(self.execution, self._trace)}; path: {' → '.join(self.path)}>"

    @property
    def _others(self) -> list[Execution]:
        return [each for each in self.executions.values() if each is not self.execution]


def _meant(name: str, call: Call) -> bool:
    if name.endswith("*"):
        return call.resource.startswith(name[:-1])
    return name in (call.state, call.resource)


async def _awaited(result: Awaitable[T]) -> T:
    return await result
