"""What is drawn of nodes that are more than one call: approvals, sensors, ladders, copies side by side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from stepweave.graph.constructs import Approval, Rung, Sensor
from stepweave.graph.model import Literal, Resources, RetryPolicy, Task


@dataclass(slots=True)
class Pencil:
    """What is drawn so far of the whole DAG."""

    draw: st.DrawFn
    features: frozenset[str]
    left: int
    """Nodes that may still be drawn."""
    count: int = 0
    params: dict[str, str] = field(default_factory=dict)
    """Param and what it is in the run."""
    sources: dict[str, str] = field(default_factory=dict)
    """Condition, branch or loop → task whose field or answer tells what is chosen; absent for a param."""

    def name(self, prefix: str, kind: str) -> str:
        self.count += 1
        return f"{prefix}{kind}{self.count}"

    def one_in(self, chances: int) -> bool:
        return self.draw(st.integers(1, chances)) == chances

    def has(self, feature: str, chances: int) -> bool:
        return feature in self.features and self.one_in(chances)


def approval(pencil: Pencil) -> Approval:
    """Any approval."""
    draw = pencil.draw
    return Approval(
        message=Literal(json='"go?"'),
        timeout_seconds=draw(st.integers(1, 9)) * 2,
        escalations=((("lead",), 7),) if pencil.one_in(2) else (),
        on_timeout=draw(st.sampled_from(("fail", "skip", "reject", "approve"))),
        on_reject=draw(st.sampled_from(("fail", "skip", "continue"))),
    )


def sensor(pencil: Pencil) -> Sensor:
    """A sensor that pokes a few times at most."""
    return Sensor(interval_seconds=5, timeout_seconds=20, soft_fail=pencil.one_in(2))


def made_safer(pencil: Pencil, task: Task) -> Task:
    """With rungs after failures, or copies side by side."""
    if pencil.has("ladders", 5):
        bigger = Rung(call=task.call, resources=Resources(memory_mib=4096), on="resource", label="4 GiB")
        lesser = Rung(call=f"{task.call}_less", resources=Resources(), label="less")
        return replace(task, ladder=pencil.draw(st.sampled_from(((bigger,), (lesser,), (bigger, lesser)))))
    if pencil.has("copies", 5):
        task = replace(task, retry=RetryPolicy())
        replicas, quorum = pencil.draw(st.sampled_from(((1, 1), (2, 1), (3, 2), (3, 3))))
        if replicas > 1:
            return replace(task, replicas=replicas, quorum=quorum)
        return replace(task, hedge_seconds=pencil.draw(st.integers(1, 5)))
    return task
