"""What is drawn is sound and has all that matters; the model's two bounds of a time are in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import HealthCheck, given, seed, settings

from stepweave.graph.checks import check
from stepweave.graph.model import Graph, Task
from tests.control.drawing import Drawn, drawn_runs
from tests.reference.model import predict
from tests.reference.rules import RULES, STATUSES


def everything(graph: Graph) -> Iterator[Task]:
    for task in graph.tasks:
        yield task
        if task.body:
            yield from everything(task.body.graph)


@settings(max_examples=200, deadline=None)
@given(drawn=drawn_runs())
def test_drawn_graphs_are_sound_and_the_earliest_time_is_never_after_the_latest(drawn: Drawn) -> None:
    assert check(drawn.graph) == ()
    latest, earliest = predict(drawn.graph, drawn.world), predict(drawn.graph, drawn.world, prompt=True)
    assert latest.statuses == earliest.statuses
    late = [place for place, one in latest.happened.items() if earliest.happened[place].ended > one.ended]
    assert late == []


def test_everything_that_matters_is_drawn() -> None:
    counted: Counter[str] = Counter()

    @seed(1)
    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(drawn=drawn_runs())
    def collect(drawn: Drawn) -> None:
        told = predict(drawn.graph, drawn.world)
        counted.update(set(told.statuses.values()) | {f"outcome {told.outcome}"})
        for task in everything(drawn.graph):
            counted[task.trigger_rule] += bool(task.upstream)
            for kind in ("condition", "decides", "sensor", "expansion", "body", "loop", "guards", "teardown"):
                counted[kind] += bool(getattr(task, kind))

    collect()
    wanted = [*RULES, *STATUSES, "condition", "decides", "sensor", "expansion", "body", "loop", "teardown"]
    wanted += ["outcome success", "outcome failed"]
    assert {kind: counted[kind] for kind in wanted if counted[kind] < 10} == {}
