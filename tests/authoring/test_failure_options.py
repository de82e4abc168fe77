"""What a task and a DAG say about the bad day: retries by class, ladders, copies, undo, breakers, clean-up."""

from __future__ import annotations

from typing import Any

from stepweave import Breaker, Retry, dag, task
from stepweave.graph import constructs
from stepweave.graph.constructs import Rung
from stepweave.graph.model import Resources
from tests.authoring.written import graph_of, load, show


class SlowError(Exception):
    """A user's own error class."""


@task(memory="2GiB", timeout="1m")
def small(rows: Any) -> dict[str, Any]: ...


def last_model(**_: Any) -> dict[str, Any]: ...


def release(name: str, result: Any) -> None: ...


def test_several_policies_stand_in_the_order_written() -> None:
    @task(retry=[Retry(2, on=[SlowError]), Retry(5, delay="1m", on="ResourceError")])
    def step() -> None: ...

    node = graph_of(lambda: step())["step"]

    assert (node.retry.attempts, node.retry.on) == (2, ("SlowError",))
    assert [(one.attempts, one.on) for one in node.other_retries] == [(5, ("ResourceError",))]


def test_a_ladder_has_memory_first_and_then_lesser_functions() -> None:
    @task(
        cpu=4,
        memory="8GiB",
        timeout="2h",
        on_out_of_memory=["16GiB", "60GiB"],
        degrade=[small, last_model],
        heartbeat="5m",
    )
    def fit(rows: Any) -> dict[str, Any]: ...

    node = graph_of(lambda: fit(load()))["fit"]

    assert node.heartbeat_seconds == 300
    assert node.ladder == (
        Rung(
            call=node.call,
            resources=Resources(cpu=4, memory_mib=16_384),
            timeout_seconds=7200,
            on="resource",
            label="16 GiB",
        ),
        Rung(
            call=node.call,
            resources=Resources(cpu=4, memory_mib=61_440),
            timeout_seconds=7200,
            on="resource",
            label="60 GiB",
        ),
        Rung(
            call=f"{__name__}:small",
            resources=Resources(memory_mib=2048),
            timeout_seconds=60,
            on="any",
            label="small",
        ),
        Rung(call=f"{__name__}:last_model", resources=Resources(), on="any", label="last_model"),
    )


def test_functions_that_cannot_be_imported_are_found_by_tracing() -> None:
    def cheaper(**_: Any) -> None: ...

    def undo(result: Any) -> None: ...

    def told(failed: list[str]) -> None: ...

    @task(degrade=cheaper, compensate=undo)
    def fit() -> None: ...

    @dag(on_failure=told)
    def local():
        fit()

    node = local.graph()["fit"]

    name = f"{__name__}:local"
    assert (node.call, node.ladder[0].call) == (f"{name}#fit", f"{name}#fit~degrade1")
    assert (node.compensate, local.graph().dag.on_failure) == (f"{name}#fit~undo", f"{name}#~on_failure")
    assert local.task_function("fit~degrade1") is cheaper
    assert local.task_function("fit~undo") is undo
    assert local.task_function("~on_failure") is told


def test_copies_agree_by_majority_unless_told_otherwise() -> None:
    graph = graph_of(
        lambda: [
            show.override(replicate=3)(),
            show.override(replicate=4, quorum=2)(),
            show.override(hedge="90s")(),
            show(),
        ]
    )

    assert [(one.replicas, one.quorum, one.hedge_seconds) for one in graph.tasks] == [
        (3, 2, None),
        (4, 2, None),
        (1, 1, 90),
        (1, 1, None),
    ]


def test_an_undo_takes_what_the_task_took_and_returned() -> None:
    @task(compensate=release)
    def reserve(name: str, size: int = 1) -> str: ...

    graph = graph_of(lambda: [reserve("a"), reserve.expand(name=["a", "b"])])

    assert [one.compensate for one in graph.tasks] == [f"{__name__}:release"] * 2


def test_a_breaker_is_a_name_or_says_more() -> None:
    graph = graph_of(
        lambda: [
            show.override(breaker="api")(),
            show.override(breaker=Breaker("other-api", failures=2, reset="2m"))(),
        ]
    )

    assert [one.breaker for one in graph.tasks] == [
        constructs.Breaker(name="api", failures=5, reset_seconds=60),
        constructs.Breaker(name="other-api", failures=2, reset_seconds=120),
    ]


def test_optional_and_version_are_carried() -> None:
    node = graph_of(lambda: show.override(optional=True, version="3.1")())["show"]

    assert (node.optional, node.version) == (True, "3.1")


def test_a_dag_carries_its_own_options_of_failure() -> None:
    @dag(max_failed_tasks=5, retries=2, on_failure=release_all, on_success=applaud, version="0.1")
    def careful():
        load()

    info = careful.graph().dag

    assert (info.max_failed_tasks, info.retries, info.version) == (5, 2, "0.1")
    assert (info.on_failure, info.on_success) == (f"{__name__}:release_all", f"{__name__}:applaud")


def release_all(run_id: str, failed: list[str]) -> None: ...


@task
def applaud(status: str) -> None: ...


def test_a_teardown_of_setups_runs_if_one_of_them_did() -> None:
    def written():
        cluster = load.override(setup=True)("cluster")
        work = show(cluster)
        clean = show.override(task_id="clean")().as_teardown(setups=cluster)
        work >> clean

    graph = graph_of(written)

    assert graph["load"].setup
    assert graph["clean"].teardown
    assert graph["clean"].trigger_rule == "all_done_setup_success"
    assert graph["clean"].upstream == ("load", "show")


def test_as_setup_and_as_teardown_mark_the_tasks_they_are_called_on() -> None:
    def written():
        one, two = load().as_setup(), load()
        [one, two] >> show(1) >> show.override(task_id="clean")().as_teardown(setups=[one, two])

    graph = graph_of(written)

    assert [task.id for task in graph.tasks if task.setup] == ["load", "load__1"]
    assert set(graph["clean"].upstream) == {"load", "load__1", "show"}


def test_a_teardown_without_setups_runs_when_all_is_done() -> None:
    graph = graph_of(lambda: load() >> show().as_teardown())

    assert graph["show"].trigger_rule == "all_done"
