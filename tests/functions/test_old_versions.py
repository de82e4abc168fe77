"""Versions that no run can need any more are deleted, and no others."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.recorder.deployed_dags import DeployedDags
from functions.recorder.old_versions import PER_TURN, OldVersions
from stepweave.deployed.environment import DeployedDag
from tests.functions.environment_fakes import ALIAS, BEGAN, MACHINE, Functions, StepFunctions, refused

NOW = BEGAN
DAYS = 90
RUNNER = "stepweave-dev-sales--tasks"
PART = f"{MACHINE}--loop_1"


class Parameters:
    """A client of SSM that knows one DAG with a part."""

    def get_paginator(self, operation: str) -> Parameters:
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        dag = DeployedDag(dag="sales", machine=ALIAS, machines={"loop_1": PART})
        return [{"Parameters": [{"Value": dag.to_json(), "LastModifiedDate": BEGAN}]}]


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def calls(*called: str) -> str:
    """A definition that calls versions of functions and machines."""
    arns = [
        f'"arn:aws:{"lambda" if ":function:" in one else "states"}:eu-central-1:1{one}"' for one in called
    ]
    return "{" + ", ".join(arns) + "}"


def old(
    functions: Functions, states: StepFunctions | None = None, now: datetime = NOW, **more: Any
) -> OldVersions:
    return OldVersions(
        "dev",
        functions,
        states or StepFunctions(),
        DeployedDags(Parameters(), "dev"),
        **{"days": DAYS, "has_time": lambda: True, "now": now.timestamp, **more},
    )


def test_what_was_replaced_long_ago_goes_and_the_newest_three_stay() -> None:
    functions = Functions(versions={RUNNER: {n: ago(1000 - n) for n in range(1, 7)}})
    assert old(functions).delete() == 3
    assert set(functions.versions[RUNNER]) == {4, 5, 6}
    assert old(functions).delete() == 0


def test_an_old_version_that_was_replaced_lately_stays_since_a_run_may_have_begun_with_it() -> None:
    published = {1: ago(400), 2: ago(300), 3: ago(80), 4: ago(2), 5: ago(1), 6: ago(0.5)}
    functions = Functions(versions={RUNNER: published})
    assert old(functions).delete() == 1
    assert set(functions.versions[RUNNER]) == {2, 3, 4, 5, 6}


def test_versions_that_an_alias_names_stay_also_those_that_get_a_part_of_the_calls() -> None:
    functions = Functions(
        versions={RUNNER: {n: ago(1000 - n) for n in range(1, 7)}},
        aliases={
            RUNNER: [
                {"FunctionVersion": "2", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}},
                {"FunctionVersion": "$LATEST", "RoutingConfig": None},
            ]
        },
    )
    assert old(functions).delete() == 1
    assert set(functions.versions[RUNNER]) == {1, 2, 4, 5, 6}


def test_functions_of_others_are_not_touched() -> None:
    versions = {n: ago(1000 - n) for n in range(1, 7)}
    others = ("stepweave-devtwo-sales--tasks", "stepweave-prod-recorder", "mine")
    functions = Functions(versions={name: dict(versions) for name in others})
    assert old(functions).delete() == 0
    assert all(set(left) == set(versions) for left in functions.versions.values())


def test_what_an_alias_was_put_back_to_stays_with_everything_that_it_calls() -> None:
    states = StepFunctions(
        versions={
            MACHINE: {
                n: (ago(1000 - n), calls(f":stateMachine:stepweave-dev-sales--loop_1:{n}"))
                for n in range(1, 7)
            },
            PART: {n: (ago(1000 - n), calls(f":function:{RUNNER}:{n}")) for n in range(1, 7)},
        },
        aliases={ALIAS: [2, 6]},
    )
    functions = Functions(versions={RUNNER: {n: ago(1000 - n) for n in range(1, 7)}})
    assert old(functions, states).delete() == 6
    assert set(functions.versions[RUNNER]) == {2, 4, 5, 6}
    assert set(states.versions[MACHINE]) == {2, 4, 5, 6}
    assert set(states.versions[PART]) == {2, 4, 5, 6}


def test_a_version_that_an_alias_of_somebody_else_names_stays() -> None:
    states = StepFunctions(
        versions={MACHINE: {n: (ago(1000 - n), "{}") for n in range(1, 7)}},
        aliases={ALIAS: [6], f"{MACHINE}:theirs": [1]},
    )
    assert old(Functions(), states).delete() == 2
    assert set(states.versions[MACHINE]) == {1, 4, 5, 6}


def test_every_function_has_its_turn_within_hours() -> None:
    count = 2 * PER_TURN + 5
    functions = Functions(
        versions={f"stepweave-dev-f{k:03}": {n: ago(1000 - n) for n in range(1, 5)} for k in range(count)}
    )
    deleted = [old(functions, now=NOW + timedelta(hours=hour)).delete() for hour in range(4)]
    assert max(deleted) == PER_TURN
    assert sum(deleted) == count


def test_without_time_nothing_is_begun() -> None:
    functions = Functions(versions={RUNNER: {n: ago(1000 - n) for n in range(1, 7)}})
    assert old(functions, has_time=lambda: False).delete() == 0
    assert old(functions, has_time=lambda: len(functions.versions[RUNNER]) > 5).delete() == 1
    assert len(functions.versions[RUNNER]) == 5


def test_what_is_deleted_meanwhile_is_passed_over() -> None:
    functions = Functions(
        versions={RUNNER: {n: ago(1000 - n) for n in range(1, 7)}}, gone={"stepweave-dev-gone--tasks"}
    )

    def gone(**asked: Any) -> None:
        raise refused("ResourceNotFoundException")

    assert old(functions).delete() == 3
    functions.versions[RUNNER] = {n: ago(1000 - n) for n in range(1, 7)}
    functions.delete_function = gone  # type: ignore[method-assign]
    assert old(functions).delete() == 0


def test_what_is_not_allowed_is_an_error() -> None:
    functions = Functions(versions={RUNNER: {n: ago(1000 - n) for n in range(1, 7)}})

    def denied(**asked: Any) -> None:
        raise refused("AccessDeniedException")

    functions.delete_function = denied  # type: ignore[method-assign]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        old(functions).delete()
