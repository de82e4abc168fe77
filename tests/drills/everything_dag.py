"""The DAG of the drill of control flow: one of every construct, with effects that are counted."""

from __future__ import annotations

ITEMS = 300
"""Items of the map."""
FAILING = tuple(range(7, ITEMS, 60))
"""Those that fail, whenever they run."""

DAG = f"""
    from stepweave import Else, If, Loop, Retry, approval, task_group
    from stepweave.errors import PermanentError, Skip, TransientError

    WORLD = Path("world")

    def noted(seconds=0.0):
        # One byte per call, in a file of the task run. Two processes append without losing any.
        context = get_current_context()
        name = context.task_id + "".join(f"@{{number}}" for number in context.map_indexes)
        Path("calls").mkdir(exist_ok=True)
        with open(f"calls/{{context.run_id}}~{{name}}", "ab", buffering=0) as file:
            file.write(b"x")
        if seconds:
            time.sleep(seconds)

    def drop(base: str) -> bool:
        noted()
        (WORLD / "base").unlink(missing_ok=True)
        return True

    @task(setup=True)
    def base() -> str:
        noted()
        WORLD.mkdir(exist_ok=True)
        (WORLD / "base").touch()
        return "base"

    drop_base = task(task_id="drop_base", teardown=True)(drop)

    @task(max_concurrency=16, tolerated_failures={len(FAILING)})
    def square(n: int, base: str) -> int:
        noted()
        if n in {FAILING!r}:
            raise DataError(f"{{n}} is bad")
        return n * n

    @task
    def numbers() -> list[int]:
        noted()
        return list(range({ITEMS}))

    @task
    def total(squares: list[int]) -> int:
        noted()
        return sum(squares)

    @task
    def double(n: int) -> int:
        noted(0.02)
        return 2 * n

    @task
    def triple(n: int) -> int:
        noted(0.03)
        return 3 * n

    @task
    def plus(a: int, b: int) -> int:
        noted()
        return a + b

    @task_group
    def both(n: int):
        return plus(double(n), triple(n))

    @task
    def halve(left: int) -> dict:
        noted(0.05)
        return {{"left": left // 2}}

    @task
    def say(what: str) -> str:
        noted()
        return what

    @task.branch
    def choose(n: int) -> str:
        noted()
        return "way_b"

    @task.short_circuit
    def go_on(n: int) -> bool:
        noted()
        return n < 0

    @task
    def wait(seconds: float) -> float:
        noted(seconds)
        return seconds

    @task(trigger_rule="one_success")
    def first() -> str:
        noted()
        return "first"

    @task(hedge="0.2s")
    def hedged(n: int) -> int:
        noted(0.3)
        return n + 1

    @task(replicate=3, quorum=2)
    def agreed(n: int) -> int:
        noted(0.02)
        return n + 2

    def small(n: int) -> str:
        noted()
        return "small"

    @task(degrade=[small])
    def model(n: int) -> str:
        noted()
        raise PermanentError("too large")

    @task.sensor(poke_interval="0.2s", timeout="1h")
    def arrived() -> bool:
        noted()
        return Path(f"calls/{{get_current_context().run_id}}~arrived").stat().st_size > 2

    @task(retry=Retry(attempts=3, delay=0.1, jitter=False))
    def shaky(n: int) -> int:
        noted()
        if get_current_context().attempt == 0:
            raise TransientError("the first attempt of any process fails")
        return n

    def unregister(result: str) -> None:
        (WORLD / result).unlink()

    @task(compensate=unregister)
    def register(name: str) -> str:
        noted()
        WORLD.mkdir(exist_ok=True)
        (WORLD / name).touch()
        return name

    @task
    def skipping() -> int:
        noted()
        raise Skip("nothing new")

    @task(trigger_rule="all_done")
    def finish(total: int, groups: list[int], left: int, name: str, parts: list) -> list:
        noted()
        return [total, groups, left, name, *parts]

    @dag
    def inner(n: int = 1):
        return plus(double(n), shaky(n))

    @dag
    def everything(n: int = 3):
        place = base()
        mapped = total(square.partial(base=place).expand(n=numbers()))
        groups = both.expand(n=[1, 2, 3, 4])
        with Loop({{"left": 8}}, until=lambda state: state["left"] <= 1, max_rounds=6) as loop:
            loop.carry(halve(loop.state["left"]))
        with If(mapped > 10):
            large = say.override(task_id="large")("large")
        with Else():
            say.override(task_id="little")("little")
        way = choose(n)
        a, b = say.override(task_id="way_a")("a"), say.override(task_id="way_b")("b")
        way >> [a, b]
        never = say.override(task_id="never")("never")
        go_on(n) >> never
        fast, slow = wait.override(task_id="fast")(0.05), wait.override(task_id="slow")(0.6)
        one = first()
        [fast, slow] >> one
        skipped = skipping()
        here, there = inner(n=5), inner.as_execution(n=6)
        decision = approval("Go on?", task_id="sign_off", approvers=["ada"])
        name = register("model")
        found = arrived()
        parts = [large, hedged(n), agreed(n), model(n), shaky(n), here, there, decision["approved"], one, found, b]
        end = finish(mapped, groups, loop.result["left"], name, parts)
        [skipped, slow] >> end
        end >> drop_base(place).as_teardown(setups=place)
"""
