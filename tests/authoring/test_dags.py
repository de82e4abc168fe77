"""A DAG as a whole: what it carries, that it is traced once, how large it may be, and how light its import is."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest

import stepweave
from stepweave import Asset, Cron, Every, Param, chain, dag, task
from stepweave.authoring.dags import Dag
from stepweave.errors import DagError, UsageError
from stepweave.graph.order import topological_order
from stepweave.triggers import S3ObjectCreated

MOST_MODULES_BEYOND_PYTHON = 110
"""Modules that `import stepweave` may load; standard library included."""


@task
def step(a: int = 0, b: int = 0, c: int = 0) -> int:
    return a + b + c


@dag(
    dag_id="sales",
    schedule=Cron("0 6 * * 1-5", timezone="Europe/Berlin"),
    triggers=[S3ObjectCreated("raw/", suffix=".parquet"), Asset("customers")],
    tags=["a", "b"],
    owner="team",
    fail_fast=True,
    timeout="2h",
)
def carried(uri: str = "x"):
    """Weekly sales.

    In detail.
    """
    step()


def test_a_dag_carries_what_its_decorator_and_docstring_say() -> None:
    info = carried.graph().dag

    assert (info.id, info.module, info.owner, info.tags) == ("sales", __name__, "team", ("a", "b"))
    assert info.doc == "Weekly sales.\n\nIn detail."
    assert info.schedule == "cron(0 6 * * 1-5) Europe/Berlin"
    assert [json.loads(trigger) for trigger in info.triggers] == [
        {"type": "s3-object-created", "bucket": None, "prefix": "raw/", "suffix": ".parquet", "param": "uri"},
        {"type": "asset", "name": "customers", "uri": None},
    ]
    assert (info.fail_fast, info.timeout_seconds) == (True, 7200)
    assert [param.name for param in info.params] == ["uri"]


@pytest.mark.parametrize(
    "schedule, text",
    [
        (None, None),
        ("@daily", "cron(0 0 * * *) UTC"),
        ("0  6 * *  1-5", "cron(0 6 * * 1-5) UTC"),
        (timedelta(hours=6), "rate(21600 s)"),
        (Every("15m"), "rate(900 s)"),
    ],
)
def test_a_schedule_has_one_normal_form(schedule: object, text: str | None) -> None:
    @dag(schedule=schedule)
    def scheduled():
        step()

    assert scheduled.graph().dag.schedule == text


def test_a_dag_is_traced_once() -> None:
    traced = []

    @dag
    def once():
        traced.append(1)
        step()

    assert once.graph() is once.graph()
    assert traced == [1]


def test_a_dag_with_mistakes_is_traced_anew_after_they_are_corrected() -> None:
    body: list[Callable[[], object]] = [lambda: bool(step())]

    @dag
    def corrected():
        body[0]()

    with pytest.raises(DagError):
        corrected.graph()
    body[0] = step

    assert len(corrected.graph()) == 1


def test_tracing_twice_gives_equal_graphs() -> None:
    def build(uri: str = Param("a")) -> None:
        chain(*[step.override(task_id=f"t{index}")() for index in range(5)])

    assert dag(build).graph() == dag(build).graph()


def test_calling_a_dag_at_the_end_of_its_module_does_no_harm() -> None:
    assert carried() is carried
    with pytest.raises(UsageError, match="stepweave run"):
        carried(uri="y")


def test_a_task_that_the_dag_does_not_have_is_named_with_the_one_that_was_meant() -> None:
    assert carried.task_function("step") is step.function
    with pytest.raises(UsageError, match="did you mean 'step'"):
        carried.task_function("stp")


def test_only_a_function_is_a_dag() -> None:
    with pytest.raises(DagError, match="expected: a function"):
        dag(int)


def test_a_dag_inside_which_another_is_traced_goes_on_with_its_own() -> None:
    @dag
    def inner():
        step()

    @dag
    def outer():
        step()
        inner.graph()
        step()

    assert [one.id for one in outer.graph().tasks] == ["step", "step__1"]


def long_chain() -> None:
    value = step()
    for _ in range(9_999):
        value = step(value)


def wide_fan() -> None:
    @task
    def join(values: list[int]) -> int:
        return sum(values)

    first = step()
    join([step(first, index) for index in range(9_998)])


def random_graph() -> None:
    draw = random.Random(7)
    values: list[object] = []
    for _ in range(10_000):
        values.append(step(*draw.sample(values[-50:], min(len(values), 3))))


@pytest.mark.parametrize("body", [long_chain, wide_fan, random_graph])
def test_a_dag_of_ten_thousand_tasks_is_traced_without_recursion(body: Callable[[], None]) -> None:
    large = Dag(body, {})
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(150 + len(_frames()))
    try:
        graph = large.graph()
    finally:
        sys.setrecursionlimit(limit)

    assert len(graph) == 10_000
    assert topological_order(graph) == tuple(one.id for one in graph.tasks)


def _frames() -> list[object]:
    frame, found = sys._getframe(), []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back  # type: ignore[assignment]
    return found


def in_fresh_interpreter(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_stepweave_is_light() -> None:
    loaded = json.loads(
        in_fresh_interpreter(
            "import sys, json; before = set(sys.modules); import stepweave; "
            "[getattr(stepweave, name) for name in stepweave.__all__ if name != 'get_current_context']; "
            "print(json.dumps(sorted(set(sys.modules) - before)))"
        )
    )

    heavy = {
        "pydantic",
        "typer",
        "rich",
        "asyncio",
        "numpy",
        "obstore",
        "boto3",
        "difflib",
        "zoneinfo",
        "multiprocessing",
    }
    assert heavy.isdisjoint(loaded)
    assert len(loaded) <= MOST_MODULES_BEYOND_PYTHON


def test_a_name_of_stepweave_is_loaded_when_it_is_asked_for() -> None:
    code = "import stepweave, sys; print([name for name in sys.modules if name.startswith('stepweave')])"

    assert in_fresh_interpreter(code) == "['stepweave']"
    assert in_fresh_interpreter("import stepweave; print(stepweave.dag is stepweave.dag)") == "True"


def test_a_dag_with_simple_params_is_traced_and_started_without_pydantic() -> None:
    code = (
        "import sys\nfrom stepweave import dag, task, Param\n@task\ndef a(x: float) -> int: ...\n"
        "@dag\ndef d(x: float = Param(0.5, ge=0), name: str = 'n', dry: bool = False):\n    a(x)\n"
        "d.graph(); d.validate_params({'x': 1}); d.params_from_text({'x': '1'})\nprint('pydantic' in sys.modules)"
    )

    assert in_fresh_interpreter(code) == "False"


def test_every_public_name_exists() -> None:
    names = [name for name in stepweave.__all__ if name != "get_current_context"]

    assert all(hasattr(stepweave, name) for name in names)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = stepweave.nonsense


def test_the_context_of_a_task_run_is_found_by_its_public_name() -> None:
    assert in_fresh_interpreter("from stepweave import get_current_context as c; print(c.__module__)") == (
        "stepweave.runtime.context"
    )
