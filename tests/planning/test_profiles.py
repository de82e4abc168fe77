"""Tasks share functions: as many as there are distinct sizes and requirements among them."""

from __future__ import annotations

import re

import pytest

from stepweave.graph.constructs import Rung
from stepweave.graph.model import Resources, Task
from stepweave.planning.placement import place, place_rung, place_undo
from stepweave.planning.profiles import (
    DEFAULT,
    EPHEMERAL_TIERS_MIB,
    LAMBDA_MAX_EPHEMERAL_MIB,
    LAMBDA_MAX_MEMORY_MIB,
    LAMBDA_MAX_SECONDS,
    MEMORY_TIERS_MIB,
    TIMEOUT_TIERS_SECONDS,
    LambdaProfile,
    requirements_digest,
)


def task(**options: object) -> Task:
    return Task(id="t", call="m:t", **options)  # type: ignore[arg-type]


def test_a_task_that_says_nothing_has_the_default_profile() -> None:
    assert place(task()).profile == DEFAULT
    assert (DEFAULT.name, DEFAULT.timeout_seconds, DEFAULT.ephemeral_mib) == ("TaskRunner", 900, 512)


@pytest.mark.parametrize(
    "options, name",
    [
        ({"timeout_seconds": 60}, "TaskRunner_t60"),
        ({"timeout_seconds": 61}, "TaskRunner_t300"),
        ({"timeout_seconds": 301}, "TaskRunner"),
        ({"timeout_seconds": 900}, "TaskRunner"),
        ({"resources": Resources(ephemeral_mib=512)}, "TaskRunner"),
        ({"resources": Resources(ephemeral_mib=513)}, "TaskRunner_e2048"),
        ({"resources": Resources(ephemeral_mib=10_240)}, "TaskRunner_e10240"),
        (
            {"timeout_seconds": 5, "resources": Resources(memory_mib=3_000, ephemeral_mib=3_000)},
            "TaskRunner4096_t60_e10240",
        ),
    ],
)
def test_the_name_of_a_function_says_what_is_not_the_default(options: dict[str, object], name: str) -> None:
    placement = place(task(**options))
    assert placement.function == f"${{{name}}}"
    assert placement.profile is not None
    assert placement.profile.name == name


def test_the_largest_tiers_are_what_lambda_has() -> None:
    largest = (MEMORY_TIERS_MIB[-1], TIMEOUT_TIERS_SECONDS[-1], EPHEMERAL_TIERS_MIB[-1])
    assert largest == (LAMBDA_MAX_MEMORY_MIB, LAMBDA_MAX_SECONDS, LAMBDA_MAX_EPHEMERAL_MIB)


def test_requirements_make_another_function_whatever_their_order() -> None:
    one, other = place(task(requirements=("a", "b"))), place(task(requirements=("b", "a")))
    assert re.fullmatch(r"\$\{TaskRunner_r[0-9a-f]{6}\}", one.function)
    assert one.function == other.function != place(task(requirements=("a",))).function
    assert requirements_digest(("a", "b")) in one.function


def test_names_of_functions_are_substitutions_of_cloudformation() -> None:
    profile = LambdaProfile(memory_mib=8_192, timeout_seconds=60, ephemeral_mib=2_048, requirements=("x",))
    assert re.fullmatch(r"[A-Za-z0-9_]+", profile.name)


def test_the_image_of_a_job_has_its_requirements_and_knows_of_a_gpu() -> None:
    placement = place(task(resources=Resources(gpu=1), requirements=("torch",)))
    assert placement.profile is None
    assert placement.image is not None
    assert (placement.image.gpu, placement.image.requirements) == (True, ("torch",))


def test_a_rung_is_made_of_what_it_asks_for() -> None:
    rung = Rung(call="m:lesser", resources=Resources(), timeout_seconds=30, requirements=("xgboost",))
    profile = place_rung(task(requirements=("torch",), ladder=(rung,)), 1).profile
    assert profile is not None
    assert (profile.timeout_seconds, profile.requirements) == (60, ("xgboost",))


def test_what_undoes_a_task_runs_in_the_tasks_function_with_what_it_needs_besides() -> None:
    large = Resources(memory_mib=4_096)
    assert place_undo(task(resources=large)).function == place(task(resources=large)).function
    undone = place_undo(task(resources=large, requirements=("numpy",), undo_requirements=("psycopg",)))
    assert undone.profile is not None
    assert (undone.profile.memory_mib, undone.profile.requirements) == (4_096, ("numpy", "psycopg"))


def test_what_undoes_a_job_is_a_small_function_without_the_jobs_libraries() -> None:
    undone = place_undo(
        task(
            resources=Resources(gpu=1),
            timeout_seconds=7_200,
            requirements=("torch",),
            undo_requirements=("psycopg",),
        )
    )
    assert (undone.compute, undone.profile) == ("lambda", LambdaProfile(requirements=("psycopg",)))
