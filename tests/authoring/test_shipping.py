"""What goes with tasks to where they run: requirements, permissions, and how many runs there may be."""

from __future__ import annotations

import json

import pytest

from stepweave import dag, task, task_group
from stepweave.authoring.shipping import requirements
from stepweave.permissions import Permission

READ = Permission("s3:GetObject", "arn:aws:s3:::lake/raw/*")
WRITE = Permission(["s3:PutObject", "s3:DeleteObject"], ["arn:aws:s3:::lake/clean/*"])
SEND = Permission("ses:SendEmail", "arn:aws:ses:eu-west-1:123456789012:identity/example.org")


@task(requirements=["scikit-learn", "numpy"], permissions=[READ])
def train(rows: int = 3) -> int:
    return rows


@task(requirements=["xgboost"])
def lesser(rows: int = 3) -> int:
    return rows


@task(requirements=["psycopg"], permissions=[WRITE])
def remove(result: int) -> None: ...


@task(requirements=["slack-sdk"], permissions=[SEND])
def tell(run_id: str) -> None: ...


@task
def plain() -> int:
    return 1


def texts(*permissions: Permission) -> tuple[str, ...]:
    return tuple(sorted(one.as_text() for one in permissions))


@pytest.mark.parametrize(
    "written, normal",
    [
        (["Scikit_Learn >= 1.6"], ("scikit-learn>=1.6",)),
        (["b", "a", "b"], ("a", "b")),
        (["pandas<3, >=2.2"], ("pandas<3,>=2.2",)),
        (["Skops [Rust, cli] == 0.13.*"], ("skops[cli,rust]==0.13.*",)),
        (["tzdata; sys_platform == 'win32'"], ("tzdata ; sys_platform == 'win32'",)),
        (
            ["own @ https://example.org/own-1.0-py3-none-any.whl"],
            ("own @ https://example.org/own-1.0-py3-none-any.whl",),
        ),
        (("torch~=2.5",), ("torch~=2.5",)),
    ],
)
def test_requirements_are_brought_to_one_form(written: list[str], normal: tuple[str, ...]) -> None:
    assert requirements(written) == normal


@pytest.mark.parametrize(
    "wrong", ["pandas", [3], ["pandas>="], ["-e ."], ["a b"], ["==2"], ["pandas>=2;"], 7]
)
def test_what_is_no_requirement_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="requirements"):
        requirements(wrong)


def test_a_task_has_the_requirements_that_its_dag_has_not() -> None:
    @dag(requirements=["numpy"])
    def flow() -> None:
        train()
        plain()

    graph = flow.graph()
    assert graph.dag.requirements == ("numpy",)
    assert graph["train"].requirements == ("scikit-learn",)
    assert graph["plain"].requirements == ()


def test_requirements_of_default_args_are_those_of_each_task_and_an_override_replaces_them() -> None:
    @dag(default_args={"requirements": ["polars"]})
    def flow() -> None:
        plain()
        plain.override(task_id="other", requirements=["duckdb"])()
        with task_group("group", default_args={"requirements": ["pyarrow"]}):
            plain()

    graph = flow.graph()
    assert graph.dag.requirements == ()
    assert [task.requirements for task in graph.tasks] == [("polars",), ("duckdb",), ("pyarrow",)]


def test_who_stands_in_for_a_task_or_undoes_it_has_requirements_of_its_own() -> None:
    @dag(requirements=["numpy"])
    def flow() -> None:
        train.override(on_out_of_memory=["8GiB"], degrade=[lesser], compensate=remove)()

    only = flow.graph()["train"]
    assert [rung.requirements for rung in only.ladder] == [("scikit-learn",), ("xgboost",)]
    assert only.undo_requirements == ("psycopg",)


def test_functions_that_are_told_how_a_run_ended_run_where_every_task_may() -> None:
    @dag(requirements=["numpy"], on_failure=tell)
    def flow() -> None:
        plain()

    assert flow.graph().dag.requirements == ("numpy", "slack-sdk")


def test_a_dag_written_into_another_brings_its_requirements_and_permissions() -> None:
    @dag(requirements=["polars"], permissions=[READ])
    def inner() -> None:
        plain()

    @dag(requirements=["numpy"], permissions=[WRITE])
    def outer() -> None:
        inner()

    info = outer.graph().dag
    assert info.requirements == ("numpy", "polars")
    assert info.permissions == texts(READ, WRITE)


def test_permissions_are_those_of_the_dag_and_of_everything_that_runs_for_it() -> None:
    @dag(on_success=tell)
    def flow() -> None:
        train.override(compensate=remove)()
        train.override(task_id="again")()

    assert flow.graph().dag.permissions == texts(READ, WRITE, SEND)


def test_a_permission_is_carried_in_one_form() -> None:
    @dag(permissions=WRITE)
    def flow() -> None:
        plain()

    (text,) = flow.graph().dag.permissions
    assert json.loads(text) == {
        "actions": ["s3:DeleteObject", "s3:PutObject"],
        "resources": ["arn:aws:s3:::lake/clean/*"],
    }


def test_a_dag_says_how_many_of_its_runs_may_go_on_at_once() -> None:
    @dag(max_active_runs=2)
    def limited() -> None:
        plain()

    @dag
    def free() -> None:
        plain()

    assert (limited.graph().dag.max_active_runs, free.graph().dag.max_active_runs) == (2, None)
