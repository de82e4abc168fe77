"""A DAG with mapped nodes, and DAGs that a factory makes, as users write them."""

from __future__ import annotations

from stepweave import dag, task, task_group
from tests.runtime.control_tasks import hand_back as hand_back_function

hand_back = task(hand_back_function)


@task
def numbers() -> list[int]:
    return [1, 2, 3]


@task
def scale(x: int, factor: int) -> int:
    return x * factor


@task
def shift(x: int, by: int) -> int:
    return x + by


@task
def total(scaled: list[int], shifted: list[int]) -> int:
    return sum(scaled) + sum(shifted)


@dag
def mapping(factor: int = 3):
    @task_group
    def group(x: int):
        return scale(x, factor)

    scaled = group.expand(x=numbers())
    shifted = shift.partial(by=10).expand(x=[1, 2])
    hand_back(scaled)
    total(scaled, shifted)


def factory(number: int) -> None:
    @dag(dag_id=f"made_{number}")
    def made():
        @task(task_id="two")
        def given() -> int:
            return number

        numbers()
        given()


for _number in (1, 2):
    factory(_number)
