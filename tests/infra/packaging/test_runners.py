"""A DAG has one function per distinct profile, never one per task, and a job definition per job."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.packaging.runners import Job, Runner, jobs, runners
from stepweave import dag, task
from stepweave.authoring.dags import Dag
from stepweave.compiler import compile_graph
from stepweave.loading import all_dags
from stepweave.planning.profiles import ImageProfile, LambdaProfile, requirements_digest

MODULE = __name__
ROOT = Path(__file__).resolve().parents[3]


@task
def light(n: int = 0) -> int:
    return n


@task(memory="3GiB")
def large(n: int = 0) -> int:
    return n


@task(requirements=["scipy"])
def scientific(n: int = 0) -> int:
    return n


@task(requirements=["psycopg"])
def remove(result: int) -> None: ...


@task(requirements=["xgboost"], timeout="1m")
def lesser(n: int = 0) -> int:
    return n


@task(gpu=1, requirements=["torch"])
def train(n: int = 0) -> int:
    return n


def tell(run_id: str) -> None: ...


def runners_of(flow: Dag) -> dict[str, Runner]:
    return runners(compile_graph(flow.graph()))


def jobs_of(flow: Dag) -> dict[str, Job]:
    return jobs(compile_graph(flow.graph()))


def calls(*names: str) -> tuple[str, ...]:
    return tuple(f"{MODULE}:{name}" for name in names)


def test_tasks_that_need_the_same_share_a_function() -> None:
    @dag(requirements=["numpy"], on_failure=tell)
    def flow() -> None:
        light()
        light.override(task_id="again")()
        large()

    assert runners_of(flow) == {
        "TaskRunner": Runner(
            name="TaskRunner", profile=LambdaProfile(), requirements=("numpy",), calls=calls("light", "tell")
        ),
        "TaskRunner4096": Runner(
            name="TaskRunner4096",
            profile=LambdaProfile(memory_mib=4_096),
            requirements=("numpy",),
            calls=calls("large"),
        ),
    }


def test_the_default_function_is_there_for_control_calls_even_when_no_task_runs_in_it() -> None:
    @dag
    def flow() -> None:
        train()

    found = runners_of(flow)
    assert list(found) == ["TaskRunner"]
    assert found["TaskRunner"].calls == ()


def test_requirements_of_a_task_are_added_to_those_of_its_dag() -> None:
    @dag(requirements=["numpy"])
    def flow() -> None:
        scientific()

    name = f"TaskRunner_r{requirements_digest(['scipy'])}"
    assert runners_of(flow)[name].requirements == ("numpy", "scipy")


def test_who_stands_in_and_who_undoes_have_functions_too() -> None:
    @dag
    def flow() -> None:
        train.override(degrade=[lesser], compensate=remove)()

    found = runners_of(flow)
    by_call = {runner.calls: runner.profile for runner in found.values() if runner.calls}
    assert by_call == {
        calls("lesser"): LambdaProfile(timeout_seconds=60, requirements=("xgboost",)),
        calls("remove"): LambdaProfile(requirements=("psycopg",)),
    }


def test_each_job_has_a_definition_with_its_image() -> None:
    @dag(requirements=["numpy"])
    def flow() -> None:
        train.override(on_out_of_memory=["60GiB"])()

    found = jobs_of(flow)
    assert list(found) == ["JobDefinition_train", "JobDefinition_train_level_1"]
    assert found["JobDefinition_train"] == Job(
        name="JobDefinition_train",
        image=ImageProfile(gpu=True, requirements=("torch",)),
        requirements=("numpy", "torch"),
        calls=calls("train"),
    )


@pytest.mark.parametrize("flow", all_dags(str(ROOT / "statemachines")), ids=lambda flow: flow.id)
def test_every_function_that_a_definition_of_the_repository_calls_is_there(flow: Dag) -> None:
    compiled = compile_graph(flow.graph())
    text = b"".join(compiled.files.values()).decode()
    found = runners(compiled)
    assert all(f"${{{name}}}" in text for name in found if name != "TaskRunner")
    assert text.count("${TaskRunner") == sum(text.count(f"${{{name}}}") for name in found)
    assert len(found) <= 6
