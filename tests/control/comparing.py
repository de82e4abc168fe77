"""What a run of the compiled machine did, beside what the reference model says that it should."""

from __future__ import annotations

from itertools import combinations
from math import inf

from tests.control.drawing import Drawn
from tests.control.running import Ran
from tests.control.seeing import everywhere
from tests.reference.model import Prediction, predict
from tests.reference.order import all_after
from tests.reference.worlds import Place

AT_ONCE = frozenset({"one_success", "one_failed", "one_done", "always"})
"""Rules under which a task may start before its upstream tasks have ended, so that it is told of some only."""


def differences(drawn: Drawn, ran: Ran) -> list[str]:
    """Everything in which the run is not as predicted, in words."""
    latest = predict(drawn.graph, drawn.world)
    earliest = predict(drawn.graph, drawn.world, prompt=True)
    if latest.invoked != earliest.invoked:
        return []  # whether a task began before the run was stopped depends on when another was known not to run
    return [
        *_outcome(ran, latest),
        *_undone(drawn, ran, latest),
        *_calls(ran, latest),
        *_times(ran, latest, earliest),
        *_statuses(drawn, ran, latest),
    ]


def _outcome(ran: Ran, told: Prediction) -> list[str]:
    got = (ran.execution.status, ran.execution.error)
    error = got[1] if told.stopped < inf else "DagRunFailed"  # with fail_fast it is that of the task
    expected = ("FAILED", error) if told.outcome == "failed" else ("SUCCEEDED", None)
    return [] if got == expected else [f"the run: expected {expected}, got {got}: {ran.execution.cause}"]


def _undone(drawn: Drawn, ran: Ran, told: Prediction) -> list[str]:
    """Every task that can be undone, once, and none before one that comes after it."""
    got = ran.seen.undone
    if sorted(got) != sorted(told.undone):
        return [f"undone: expected {told.undone}, got {got}"]
    after = all_after(drawn.graph)
    wrong = [(one, later) for one, later in combinations(got, 2) if later in after[one]]
    return [f"{one} is undone before {later}, which comes after it" for one, later in wrong]


def _calls(ran: Ran, told: Prediction) -> list[str]:
    expected, got = told.invoked, dict(ran.seen.attempts)
    return [
        f"attempts of {place}: expected {expected.get(place, 0)}, got {got.get(place, 0)}"
        for place in sorted(expected.keys() | got.keys())
        if expected.get(place, 0) != got.get(place, 0) and place not in told.dropped and not _cut(place, told)
    ]


def _cut(place: Place, told: Prediction) -> bool:
    """Whether the run may have ended before the task did."""
    return place in told.happened and told.happened[place].ended >= told.stopped


def _times(ran: Ran, latest: Prediction, earliest: Prediction) -> list[str]:
    found = []
    for place in sorted(latest.invoked.keys() & ran.seen.started.keys()):
        least, most = earliest.happened[place].started, latest.happened[place].started
        assert least is not None
        assert most is not None
        if not least <= ran.seen.started[place] <= most:
            found.append(f"start of {place}: expected {least} to {most}, got {ran.seen.started[place]}")
    return found


def _statuses(drawn: Drawn, ran: Ran, told: Prediction) -> list[str]:
    tasks = everywhere(drawn.graph)
    found = []
    for (name, index), statuses in ran.seen.upstream.items():
        if tasks[name].trigger_rule in AT_ONCE:
            continue
        around = (
            index[:-1] if tasks[name].expansion else index
        )  # items are told of what their node waited for
        for upstream, status in statuses.items():
            expected = told.statuses.get((upstream, around))
            if status != expected:
                found.append(f"{name} {index} is told of {upstream}: expected {expected}, got {status}")
    for name, all_told in ran.seen.told.items():
        for index, status in all_told:
            if status != told.statuses.get((name, index)):
                found.append(
                    f"status of {name} {index}: expected {told.statuses.get((name, index))}, got {status}"
                )
    return found
