"""DAGs with every construct, as users write them; they run without waiting for anything."""

from __future__ import annotations

from typing import Any

from stepweave import Else, If, Loop, PokeReturn, dag, task, task_group
from stepweave.authoring.dags import Dag
from stepweave.errors import Fail
from stepweave.recipes.dispatching import dispatch
from stepweave.recipes.fallbacks import last_good
from stepweave.recipes.folds import best_of, cross_validate
from stepweave.recipes.sweeps import grid


@task
def load() -> dict[str, Any]:
    return {"rows": [1, 2, 3, 4], "names": ["svm", "forest", "tree"]}


@task
def fit(rows: list[int], name: str) -> dict[str, Any]:
    return {"name": name, "auc": len(name) / 10}


@task
def best(results: list[dict[str, Any]]) -> dict[str, Any]:
    return max(results, key=lambda result: result["auc"])


@task
def same(value: Any = None) -> Any:
    return value


@task.branch
def pick(way: str) -> str:
    return way


@task.short_circuit
def go_on(go: bool) -> bool:
    return go


@task
def halve(state: dict[str, Any], round: int) -> dict[str, Any]:
    return {"left": state["left"] // 2, "rounds": [*state["rounds"], round]}


@task.sensor(poke_interval="1m", timeout="10m")
def ready() -> PokeReturn:
    return PokeReturn(True, "there")


@task_group
def each(name: str, rows: list[int]) -> Any:
    result = fit(rows, name)
    with If(result["auc"] > 0.5):
        same(result)
    return {"name": result["name"], "scores": same.override(task_id="score").expand(value=[1, 2])}


@dag
def inner(k: int = 2) -> Any:
    return {"k": same(k)}


@dag
def straight(limit: float = 0.5, way: str = "left", go: bool = True) -> None:
    data = load()
    winner = best(fit.partial(rows=data["rows"]).expand(name=data["names"]))
    with If(winner["auc"] > limit):
        taken = same.override(task_id="good")(winner["name"])
    with Else():
        same.override(task_id="bad")()
    same.override(task_id="joined", trigger_rule="none_failed_min_one_success")(taken)

    left, right = same.override(task_id="left")(), same.override(task_id="right")()
    pick(way) >> [left, right]
    go_on(go) >> same.override(task_id="gated")() >> same.override(task_id="after")()

    same.override(task_id="groups")(each.partial(rows=data["rows"]).expand(name=["svm", "forest"]))
    same.override(task_id="swept")(
        fit.partial(rows=[]).override(task_id="sweep").expand_kwargs(grid(name=["a", "bcd"]))
    )
    with Loop({"left": 8, "rounds": []}, until=lambda state: state["left"] <= 1, max_rounds=5) as loop:
        loop.carry(halve(loop.state, loop.round))
    same.override(task_id="looped")(loop.result["rounds"])
    same.override(task_id="inlined")(inner(k=4)["k"])
    same.override(task_id="nested")(inner.as_execution(k=data["rows"])["k"])
    same.override(task_id="sensed")(ready())


@task
def fold_fit(rows: list[int], fold: dict[str, Any]) -> dict[str, float]:
    return {"auc": len(fold["train"]) + fold["fold"] / 10}


@task
def plan() -> list[dict[str, Any]]:
    return [{"task": "same", "kwargs": {"value": 5}}, {"task": "load"}]


UNDONE: list[str] = []
"""What was undone."""


def build(dag_id: str) -> Dag:
    """A DAG whose functions no other module can import."""

    def cheaper(**_: Any) -> str:
        return "cheap"

    def undo(name: str, result: str) -> None:
        UNDONE.append(f"{name}={result}")

    @task(degrade=cheaper)
    def costly(n: int) -> str:
        raise Fail("too costly")

    @task(compensate=undo)
    def reserve(name: str) -> str:
        return name.upper()

    @task(optional=True)
    def luxury() -> None:
        raise Fail("not today")

    @task(replicate=3)
    def vote() -> int:
        return 4

    @task
    def give_up(value: Any) -> None:
        raise Fail("the end")

    work = dispatch({"same": same, "load": load})

    @dag(dag_id=dag_id)
    def crooked(fail: bool = True) -> None:
        same(costly(1))
        reserved = reserve("a")
        reserve.expand(name=["b", "c"])
        luxury() >> same.override(task_id="spoilt")()
        same.override(task_id="agreed")(vote())
        same.override(task_id="validated")(best_of(cross_validate(fold_fit, [1, 2, 3, 4], k=2), "auc"))
        same.override(task_id="dispatched_values")(work.expand(spec=plan()))
        cluster = same.override(task_id="cluster", setup=True)()
        (
            cluster
            >> same.override(task_id="use")()
            >> same.override(task_id="clean")().as_teardown(setups=cluster)
        )
        with If(fail):
            give_up(reserved)

    return crooked


build("crooked")


@task(degrade=last_good)
def refit(works: bool) -> str:
    if not works:
        raise Fail("the data is bad")
    return "model of before"


@dag
def refitted(works: bool = True) -> None:
    same(refit(works))
