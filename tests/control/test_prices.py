"""What each construct costs in state transitions, as docs/performance.md says, and that no run is charged more.

A run of tasks one after another costs 1 transition for its start and 1 for each task. Every attempt after the first is
one as well (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-transitions.html). ``extra`` is what a
construct adds to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from stepweave.graph.constructs import Approval, Decision, NestedDag, Rung, Sensor
from stepweave.graph.model import Literal, Resources, RetryPolicy
from tests.control.comparing import differences
from tests.control.constructing import chosen_by, condition, inside, loop, over, run_of, task
from tests.control.drawing import Drawn
from tests.control.running import run_drawn
from tests.reference.worlds import World


@dataclass(frozen=True, slots=True)
class Price:
    """A run, and what it costs."""

    run: Drawn
    calls: int
    """Attempts of tasks, or of batches of their items."""
    extra: int
    known: bool = True
    """Whether the plan can tell it; not how often something is tried, or how many items and rounds there will be."""


def choosing(name: str, *cases: str, **more: Any) -> World:
    return World(choices={(name, ()): cases}, **more)


AFTER_ANY = {"trigger_rule": "none_failed_min_one_success"}
END = 2
"""An outcome that the last state does not decide alone: a Choice, and the end."""
RETRIED = RetryPolicy(attempts=2, delay_seconds=1, jitter=False)
FIELDS = {("a", ()): {"if": "if"}}
READ = task("a", fields=(("if",),))

PRICES: dict[str, Price] = {
    "tasks one after another": Price(run_of(task("a"), task("b", "a")), 2, 0),
    "If and Else, then a join": Price(
        run_of(
            READ,
            condition("if", "if", over="a"),
            task("b", **inside("if", "if")),
            task("c", **inside("if", "else")),
            task("d", "b", "c", **AFTER_ANY),
            world=choosing("if", "if"),
            fields=FIELDS,
        ),
        3,
        1 + 1,
    ),
    "If, two Elif and Else, then a join": Price(
        run_of(
            condition("if", "if", "elif_1", "elif_2"),
            task("b", **inside("if", "if")),
            task("c", **inside("if", "elif_1")),
            task("d", **inside("if", "elif_2")),
            task("e", **inside("if", "else")),
            task("f", "b", "c", "d", "e", **AFTER_ANY),
            world=choosing("if", "elif_2"),
        ),
        2,
        1 + 1,
    ),
    "If without Else at the end": Price(
        run_of(condition("if", "if"), task("b", **inside("if", "if")), world=choosing("if", "if")), 1, 1 + END
    ),
    "short circuit": Price(
        run_of(
            task("a", decides=Decision(kind="short_circuit", cases=("go",))),
            task("b", "a", **chosen_by("a", "go")),
            task("c", "b", **chosen_by("a", "go")),
            world=choosing("a", "go"),
        ),
        3,
        1,
    ),
    "branch": Price(
        run_of(
            task("a", decides=Decision(kind="branch", cases=("b", "c"))),
            task("b", "a", **chosen_by("a", "b")),
            task("c", "a", **chosen_by("a", "c")),
            task("d", "b", "c", **AFTER_ANY),
            world=choosing("a", "b"),
        ),
        3,
        1 + 3 + 1,
    ),
    "tasks side by side, then a join": Price(run_of(task("a"), task("b"), task("c", "a", "b")), 3, 1 + 1),
    "a join whatever happened": Price(
        run_of(task("a"), task("b"), task("c", "a", "b", trigger_rule="all_done")), 3, 1
    ),
    "a gate": Price(run_of(task("a"), task("b"), task("c", "a", "b"), task("d", "b")), 4, 1 + 1 + 1 + END),
    "a join that starts early": Price(
        run_of(task("a"), task("b"), task("c", "a", "b", trigger_rule="one_success")), 3, 1 + 1 + 2 + 1 + END
    ),
    "a task that waits for nothing": Price(
        run_of(task("a"), task("b", "a", trigger_rule="always")), 2, 1 + END
    ),
    "mapped over a written list": Price(run_of(task("m", **over(3)), task("b", "m")), 4, 2),
    "mapped over a list of the run": Price(
        run_of(task("a"), task("m", "a", **over("a")), task("b", "m"), world=World(items={("m", ()): 3})),
        5,
        2 + 2,
        known=False,
    ),
    "mapped, in batches of two": Price(run_of(task("m", **over(6, batch_size=2)), task("b", "m")), 4, 2),
    "a mapped group": Price(
        run_of(task("g", **over(3, task("g.a"), task("g.b", "g.a"))), task("b", "g")), 7, 2 + 3
    ),
    "a loop": Price(
        run_of(
            loop("l", task("l.a")),
            task("b", "l"),
            world=World(rounds={("l", ()): 3}),
            fields={("l.a", (2,)): {"l": True}},
        ),
        4,
        1 + 3 * 2,
        known=False,
    ),
    "a sensor that pokes three times": Price(
        run_of(
            task("s", sensor=Sensor(interval_seconds=5, timeout_seconds=60)),
            world=World({("s", ()): ("NotYet", "NotYet", "success")}),
        ),
        3,
        0,
        known=False,
    ),
    "a retry": Price(
        run_of(task("a", retry=RETRIED), world=World({("a", ()): ("TransientError", "success")})),
        2,
        0,
        known=False,
    ),
    "RetryAfter": Price(
        run_of(task("a", retry=RETRIED), world=World({("a", ()): ("RetryAfter:9", "success")})),
        2,
        1,
        known=False,
    ),
    "an approval": Price(
        run_of(
            task("a", approval=Approval(message=Literal(json='"go?"'), on_reject="continue")),
            task("b", "a"),
            world=World(answers={("a", ()): ("approve",)}),
        ),
        2,
        0,
    ),
    "an approval whose rejection fails": Price(
        run_of(
            task("a", approval=Approval(message=Literal(json='"go?"'))),
            task("b", "a"),
            world=World(answers={("a", ()): ("approve",)}),
        ),
        2,
        1,
    ),
    "a hedged attempt": Price(run_of(task("a", hedge_seconds=9), task("b", "a")), 2, 3),
    "three replicas, two must agree": Price(run_of(task("a", replicas=3, quorum=2), task("b", "a")), 4, 2),
    "a ladder that is not climbed": Price(
        run_of(task("a", ladder=(Rung(call="flows:less", resources=Resources()),)), task("b", "a")), 2, 0
    ),
    "a ladder that is climbed": Price(
        run_of(
            task("a", ladder=(Rung(call="flows:less", resources=Resources()),)),
            task("b", "a"),
            world=World({("a", ()): ("DataError",)}),
        ),
        3,
        0,
        known=False,
    ),
    "a DAG as an execution": Price(
        run_of(
            task("n", call="", nested=NestedDag(dag="child", call="flows:child", params=())), task("b", "n")
        ),
        2,
        2,
        known=False,
    ),
    "setup and tear-down": Price(
        run_of(
            task("s", setup=True),
            task("w", "s"),
            task("d", "w", "s", teardown=True, trigger_rule="all_done_setup_success"),
        ),
        3,
        1 + END,
    ),
    "compensation of a run that succeeds": Price(
        run_of(task("a", compensate="flows:undo"), task("b", "a")), 2, 0
    ),
}
"""The price list."""


@pytest.mark.parametrize("name", PRICES)
def test_no_construct_costs_more_than_its_price(name: str) -> None:
    price = PRICES[name]
    ran = run_drawn(price.run)
    assert differences(price.run, ran) == []
    assert ran.transitions == 1 + price.calls + price.extra
    charged = ran.compiled.report.transitions
    assert charged == ran.transitions if price.known else charged <= ran.transitions
