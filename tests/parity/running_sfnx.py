"""A case in sfnx.testing, where no time passes and branches run one after another."""

from __future__ import annotations

import copy
from typing import Any

import sfnx.testing as other

from tests.parity.cases import Case, Ending, World, states_of
from tests.parity.scenarios import Failure

ITEM_READER = "arn:aws:states:::s3:getObject"


def in_sfnx(one: Case) -> list[Ending]:
    """How sfnx ends ``one``, by input."""
    return [_run(one, value) for value in one.inputs]


def _run(one: Case, value: Any) -> Ending:
    world = World(one.answers)

    def serve(made: other.Call) -> Any:
        if made.resource == ITEM_READER and any(
            state.get("ItemReader") for state in states_of(one.definition)
        ):
            return copy.deepcopy(one.items)
        try:
            return copy.deepcopy(world.answer(made.state, made.resource, made.arguments))
        except Failure as failure:
            raise other.Failure(failure.error, failure.cause) from failure

    try:
        execution = other.run(dict(one.definition), copy.deepcopy(value), serve)
    except (other.InvalidDefinition, other.Unsupported):
        return Ending("refused")
    except (ArithmeticError, AssertionError, KeyError, TypeError, ValueError):
        return Ending("crash")
    failed = execution.error is not None
    return Ending(
        "FAILED" if failed else "SUCCEEDED",
        execution.error,
        execution.cause or "",
        None if failed else execution.output,
        execution.states,
        tuple(world.calls),
    )
