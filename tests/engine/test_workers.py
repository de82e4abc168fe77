"""Worker processes: called, reused, replaced, killed."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.engine import Engine
from stepweave.engine.failures import FunctionError
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.parsing import parse
from stepweave.engine.workers import WorkerPool
from tests.engine.building import call, machine

ROOT = Path(__file__).parents[2]
HERE = "tests.engine.worker_functions"


def in_pool(main: Callable[[WorkerPool], Awaitable[Any]], size: int = 1, **options: Any) -> Any:
    """The result of ``main`` with a pool."""

    async def run() -> Any:
        async with WorkerPool(size, path=[ROOT], **options) as pool:
            return await main(pool)

    return asyncio.run(run())


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when ``condition`` holds; fail when it does not within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the condition does not come true"
        time.sleep(0.01)


def error_of(pool: WorkerPool, function: str, event: Any = None) -> Awaitable[FunctionError]:
    async def catch() -> FunctionError:
        with pytest.raises(FunctionError) as caught:
            await pool.call(f"{HERE}:{function}", event)
        return caught.value

    return catch()


def test_a_worker_is_used_again() -> None:
    async def main(pool: WorkerPool) -> list[int]:
        return [await pool.call(f"{HERE}:pid", None) for _ in range(3)]

    pids = in_pool(main, size=4)
    assert len(set(pids)) == 1
    assert os.getpid() not in pids


def test_calls_run_at_the_same_time_in_as_many_workers_as_there_are() -> None:
    async def main(pool: WorkerPool) -> list[int]:
        return await asyncio.gather(*(pool.call(f"{HERE}:slow_pid", 0.3) for _ in range(6)))

    assert len(set(in_pool(main, size=2))) == 2


@pytest.mark.parametrize("event", [None, {"a": [1, "é\u2028", None, 1.5]}, "x" * 3_000_000])
def test_events_and_results_travel_unchanged(event: Any) -> None:
    assert in_pool(lambda pool: pool.call(f"{HERE}:echo", event)) == event


def test_errors_come_back_as_lambda_tells_them() -> None:
    async def main(pool: WorkerPool) -> list[FunctionError]:
        calls = (("boom", "bad"), ("named", None), ("leave", 3), ("not_json", None), ("missing", None))
        return [await error_of(pool, name, event) for name, event in calls]

    boom, named, leave, not_json, missing = in_pool(main)
    cause = json.loads(boom.cause)
    assert (boom.error, cause["errorMessage"], cause["errorType"]) == ("ValueError", "bad", "ValueError")
    assert "worker_functions.py" in cause["stackTrace"][0]
    assert (named.error, named.cause) == ("Own.Name", "own cause")
    assert leave.error == "Runtime.ExitError"
    assert not_json.error == "Runtime.MarshalError"
    assert missing.error == "AttributeError"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV"])
def test_a_worker_that_dies_fails_its_call_and_is_replaced(name: str) -> None:
    async def main(pool: WorkerPool) -> tuple[int, FunctionError, int]:
        before = await pool.call(f"{HERE}:pid", None)
        error = await error_of(pool, "die", name)
        return before, error, await pool.call(f"{HERE}:pid", None)

    before, error, after = in_pool(main)
    assert error.error == "Lambda.Unknown"
    assert name in str(error.cause)
    assert "last words" in str(error.cause)
    assert before != after


def test_a_worker_that_is_about_to_end_is_given_the_time_to_say_how() -> None:
    async def main(pool: WorkerPool) -> FunctionError:
        return await error_of(pool, "interrupted")

    assert "signal SIGINT" in str(in_pool(main).cause)


def test_a_worker_that_died_between_calls_is_not_used() -> None:
    async def main(pool: WorkerPool) -> int:
        pid = await pool.call(f"{HERE}:pid", None)
        os.kill(pid, 9)
        wait_until(lambda: not is_running(pid))
        return pid, await pool.call(f"{HERE}:pid", None)

    before, after = in_pool(main)
    assert before != after


def test_what_a_call_prints_is_delivered_with_its_event() -> None:
    logs: list[tuple[Any, str]] = []

    async def main(pool: WorkerPool) -> None:
        for number in (1, 2):
            await pool.call(f"{HERE}:talk", number)
        await error_of(pool, "die", "SIGKILL")

    in_pool(main, on_log=lambda event, text: logs.append((event, text)))
    assert logs == [
        (1, "out 1\nerr 1\nchild 1\n"),
        (2, "out 2\nerr 2\nchild 2\n"),
        ("SIGKILL", "last words\n"),
    ]


def test_a_cancelled_call_kills_its_worker_and_what_that_started(tmp_path: Path) -> None:
    file = tmp_path / "pids"

    async def main(pool: WorkerPool) -> int:
        task = asyncio.create_task(pool.call(f"{HERE}:sleep_for_ever", str(file)))
        while not file.exists() or not file.read_text():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await pool.call(f"{HERE}:pid", None)

    after = in_pool(main)
    pids = [int(text) for text in file.read_text().split()]
    wait_until(lambda: not any(map(is_running, pids)))
    assert after not in pids


def test_close_ends_calls_that_still_run(tmp_path: Path) -> None:
    file = tmp_path / "pids"

    async def main(pool: WorkerPool) -> FunctionError:
        task = asyncio.ensure_future(error_of(pool, "sleep_for_ever", str(file)))
        while not file.exists() or not file.read_text():
            await asyncio.sleep(0.01)
        await pool.close()
        return await task

    assert in_pool(main).error == "Lambda.Unknown"
    wait_until(lambda: not any(is_running(int(pid)) for pid in file.read_text().split()))


def test_environment_directory_and_path_are_the_ones_given(tmp_path: Path) -> None:
    value, directory, path = in_pool(
        lambda pool: pool.call(f"{HERE}:environment", "COLOUR"),
        environment={"COLOUR": "blue"},
        directory=tmp_path,
    )
    assert (value, directory) == ("blue", str(tmp_path))
    assert str(ROOT) in path


@pytest.mark.parametrize("busy", [True, False])
def test_no_worker_survives_its_parent(tmp_path: Path, busy: bool) -> None:
    file = tmp_path / "pids"
    script = f"""
import asyncio, os
from stepweave.engine.workers import WorkerPool
async def main():
    pool = WorkerPool(1, path=[{str(ROOT)!r}])
    if {busy}:
        asyncio.create_task(pool.call("{HERE}:sleep_for_ever", {str(file)!r}))
    else:
        open({str(file)!r}, "w").write(str(await pool.call("{HERE}:pid", None)))
    while not os.path.exists({str(file)!r}) or not open({str(file)!r}).read():
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    worker = int(file.read_text().split()[0])
    wait_until(lambda: not is_running(worker))


def test_the_engine_sees_a_dead_worker_as_an_error_that_can_be_retried() -> None:
    retry = [{"ErrorEquals": ["Lambda.Unknown"], "MaxAttempts": 1, "IntervalSeconds": 0}]
    definition = parse(machine(("t", call("die", "SIGKILL", Retry=retry))), "main")

    async def main(pool: WorkerPool) -> Any:
        engine = Engine({"main": definition}, lambda_integrations({"die": pool.function(f"{HERE}:die")}))
        return await engine.run("main")

    execution = in_pool(main)
    assert execution.error == "Lambda.Unknown"
    assert execution.history.kinds().count("TaskFailed") == 2


def test_a_task_that_times_out_kills_its_worker(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    definition = parse(machine(("t", call("sleep", str(file), TimeoutSeconds=1))), "main")

    async def main(pool: WorkerPool) -> Any:
        engine = Engine(
            {"main": definition}, lambda_integrations({"sleep": pool.function(f"{HERE}:sleep_for_ever")})
        )
        return await engine.run("main")

    assert in_pool(main).error == "States.Timeout"
    wait_until(lambda: not any(is_running(int(pid)) for pid in file.read_text().split()))


@pytest.mark.skipif(sys.platform != "linux", reason="children are listed in /proc")
def test_a_call_cancelled_while_its_worker_starts_leaves_no_process() -> None:
    async def main(pool: WorkerPool) -> int:
        for turns in range(6):
            task = asyncio.create_task(pool.call(f"{HERE}:pid", None))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return await pool.call(f"{HERE}:pid", None)

    children_before = set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
    in_pool(main, size=10)
    assert set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()) <= children_before


def test_workers_can_be_started_before_the_event_loop_with_modules_that_they_will_need() -> None:
    pool = WorkerPool(1, path=[ROOT], preload=["colorsys", "no.such.module"])
    pool.start()

    async def main() -> Any:
        async with pool:
            return await pool.call(f"{HERE}:is_loaded", "colorsys")

    assert asyncio.run(main()) is True


def test_workers_that_were_never_called_end_with_their_pool() -> None:
    pool = WorkerPool(2, path=[ROOT])
    pool.start()
    worker = pool._idle[0]
    pool.kill()
    assert not worker.alive
