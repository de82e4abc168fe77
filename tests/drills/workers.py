"""The worker drill: worker processes die in the middle of calls; the calls fail as on Lambda and are tried again.

python -m tests.drills.workers [--kills 30] [--seed N]
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import tempfile
from pathlib import Path

from stepweave.engine.engine import Engine
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.parsing import parse
from stepweave.engine.workers import WORKER_DIED, WorkerPool
from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.drills.crash_engine import ROOT
from tests.drills.crash_functions import FOLDER, fragile
from tests.engine.building import block, call, machine

RETRY = [{"ErrorEquals": [WORKER_DIED], "MaxAttempts": 1, "IntervalSeconds": 1}]
PAYLOAD = {"item": "{% $states.input %}", "try": "{% $states.context.State.RetryCount %}"}


def drill(kills: int, seed: int) -> Counts:
    """The counts of ``kills`` workers that die, each at its item's first attempt."""
    counts = Counts("worker death")
    with tempfile.TemporaryDirectory(prefix="stepweave-drill-") as folder:
        asyncio.run(_run(counts, kills, Path(folder), random.Random(seed)))
    return counts


async def _run(counts: Counts, kills: int, folder: Path, generator: random.Random) -> None:
    each = block(("each", call("fragile", PAYLOAD, Output="{% $states.result.Payload %}", Retry=RETRY)))
    state = {"Type": "Map", "MaxConcurrency": 4, "ItemProcessor": each}
    async with WorkerPool(4, path=[ROOT], environment={FOLDER: str(folder)}) as pool:
        functions = {"fragile": pool.function(f"{fragile.__module__}:fragile")}
        engine = Engine({"main": parse(machine(("map", state)), "main")}, lambda_integrations(functions))
        killing = asyncio.create_task(_kill_workers(folder, generator, counts))
        try:
            execution = await engine.run("main", list(range(kills)), "run")
        finally:
            killing.cancel()
    failures = [record[4][0] for record in execution.history.records() if record[0] == "TaskFailed"]
    counts.figures["deaths"] = len(failures)
    counts.check(
        failures == [WORKER_DIED] * kills, f"the calls of {kills} dead workers failed with {failures}"
    )
    counts.check(execution.output == list(range(kills)), f"the execution ended with {execution.output}")


async def _kill_workers(folder: Path, generator: random.Random, counts: Counts) -> None:
    """Kill each worker that waits for it."""
    while True:
        for file in folder.iterdir():
            await asyncio.sleep(generator.uniform(0, 0.02))
            os.kill(int(file.name), signal.SIGKILL)
            counts.figures["killed_from_outside"] += 1
            file.unlink()
        await asyncio.sleep(0.005)


if __name__ == "__main__":
    drill_command(__doc__, drill, kills=30)
