"""What ``stepweave simulate`` is told to assume."""

import json
from collections.abc import Callable

import pytest

from stepweave.cli.main import execute

SWEEP = """
from stepweave import Else, If, dag, task

@task
def sizes() -> list[int]:
    return [1]

@task
def train(size: int) -> float:
    return 0.5

@task
def best(scores: list[float]) -> dict:
    return {"auc": max(scores)}

@task
def deploy(model: dict) -> None: ...

@dag
def sweep():
    found = best(train.expand(size=sizes()))
    with If(found["auc"] > 0.8):
        deploy(found)
"""


def simulated(capfd: pytest.CaptureFixture[str], *argv: str) -> dict[str, float]:
    assert execute(["simulate", *argv, "--json"]) == 0
    answer: dict[str, float] = json.loads(capfd.readouterr().out)
    return answer


def test_items_and_choices_are_taken_as_said(
    write: Callable[[str], str], capfd: pytest.CaptureFixture[str]
) -> None:
    path = write(SWEEP)
    one = simulated(capfd, path)
    many = simulated(capfd, path, "--items", "train=100")
    other = simulated(capfd, path, "--choose", "if=else")
    assert many["makespan_seconds"] == one["makespan_seconds"] == 4
    assert many["transitions"] - one["transitions"] >= 99
    assert other["makespan_seconds"] == 3


@pytest.mark.parametrize(
    "argv, message",
    [
        (("--items", "train"), "cannot read --items 'train'; expected TASK=WHAT"),
        (("--items", "train=many"), "expected a whole number of at least 0"),
        (("--items", "best=3"), "'best' is no map and no loop; there are: train"),
        (("--choose", "if=maybe"), "'if' chooses one of if, else"),
    ],
)
def test_what_cannot_be_assumed_is_refused(
    write: Callable[[str], str], capfd: pytest.CaptureFixture[str], argv: tuple[str, ...], message: str
) -> None:
    assert execute(["simulate", write(SWEEP), *argv]) == 2
    assert message in capfd.readouterr().err
