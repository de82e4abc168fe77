"""The clock drill: the time of day jumps by hours, forwards and backwards, while executions wait.

    python -m tests.drills.clocks [--kills 200] [--seed N]

Waits, retries and time limits are measured in time that passes, so a jump neither ends nor lengthens them. What passes
while no engine is there only the time of day can tell: set forwards, it is as if the engine had been away for long, and
limits may have passed; set back, nothing takes longer than its state says. Time passes virtually.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.failures import FunctionError
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.journal import Journal
from stepweave.engine.parsing import parse
from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.engine.building import block, call, machine

HOUR = 3_600.0
WAIT_SECONDS, CALL_SECONDS, LIMIT_SECONDS, RETRY_SECONDS = 60, 20, 45, 10
SHAKY = call(
    "shaky",
    {"try": "{% $states.context.State.RetryCount %}"},
    Retry=[{"ErrorEquals": ["Shaky"], "IntervalSeconds": RETRY_SECONDS, "BackoffRate": 1}],
    Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "late"}],
    TimeoutSeconds=LIMIT_SECONDS,
)
LONG = call(
    "long",
    Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "stopped", "Output": "stopped in time"}],
    TimeoutSeconds=LIMIT_SECONDS,
)
MACHINE = machine(
    (
        "both",
        {
            "Type": "Parallel",
            "Branches": [
                block(("wait", {"Type": "Wait", "Seconds": WAIT_SECONDS, "Output": "waited"})),
                block(
                    ("shaky", {**SHAKY, "Output": "{% $states.result.Payload %}", "Next": "done"}),
                    ("late", {"Type": "Pass", "Output": "late", "End": True}),
                    ("done", {"Type": "Succeed"}),
                ),
                block(("long", {**LONG, "Next": "stopped"}), ("stopped", {"Type": "Succeed"})),
            ],
        },
    ),
    TimeoutSeconds=int(2 * HOUR),
)
OUTPUT = ["waited", "shaken", "stopped in time"]
LONGEST_SECONDS = 3 * CALL_SECONDS + 2 * RETRY_SECONDS
"""How long the machine takes: the branch with the retries is the longest."""


class JumpingClock(VirtualClock):
    """A virtual clock whose time of day is set anew now and then; the time that passes is not touched."""

    offset = 0.0
    direction = "both"

    def now(self) -> float:
        return super().now() + self.offset

    def jump(self, generator: random.Random) -> None:
        """Set the clock ``back``, ``forth``, or either way."""
        hours = generator.uniform(0, 5)
        back = self.direction == "back" or (self.direction != "forth" and generator.random() < 0.5)
        self.offset += -hours * HOUR if back else hours * HOUR


async def _shaky(event: Any) -> str:
    await asyncio.sleep(CALL_SECONDS)
    if event["try"] < 2:
        raise FunctionError("Shaky")
    return "shaken"


async def _long(_: Any) -> None:
    await asyncio.sleep(24 * HOUR)


def drill(kills: int, seed: int) -> Counts:
    """The counts of ``kills`` executions under a clock that jumps; most of them are left and gone on with."""
    counts, generator = Counts("clock jumps"), random.Random(seed)
    counts.figures.update(executions=0, jumps=0, resumes=0, outputs_equal=0)
    with tempfile.TemporaryDirectory(prefix="stepweave-drill-") as folder:
        for number in range(kills):
            ways = ("undisturbed", "back", "forth")[number % 3]
            _one(Path(folder) / f"{number}.journal", counts, generator, ways)
    return counts


def _one(path: Path, counts: Counts, generator: random.Random, ways: str) -> None:
    """One execution, ``undisturbed`` but for the jumps, or left and gone on with after jumps ``back`` or ``forth``."""
    clock, away = JumpingClock(), ways != "undisturbed"
    if away:
        clock.direction = ways
        clock = _left(path, clock, counts, generator)
        counts.figures["resumes"] += 1
    execution = clock.run(_run(path, clock, counts, generator))
    counts.figures["executions"] += 1
    how = f"{ways}: {execution.status} with {execution.output} after {clock.elapsed} s"
    same = (execution.status, execution.output) == ("SUCCEEDED", OUTPUT)
    counts.figures["outputs_equal"] += same
    counts.check(same or ways == "forth", how)
    # Gone on with, it makes those calls again that had not ended: it takes at most what the whole takes.
    counts.check(clock.elapsed <= LONGEST_SECONDS + 1e-6, how)
    counts.check(away or clock.elapsed >= LONGEST_SECONDS - 1e-6, how)


def _left(path: Path, clock: JumpingClock, counts: Counts, generator: random.Random) -> JumpingClock:
    """The clock of the process that goes on with the execution, whose journal is as a killed process leaves it."""
    kept = path.with_suffix(".kept")

    async def leave() -> None:
        running = asyncio.create_task(_run(path, clock, counts, generator))
        await asyncio.sleep(generator.uniform(1, WAIT_SECONDS - 1))
        kept.write_bytes(path.read_bytes())
        running.cancel()
        await asyncio.wait([running])

    clock.run(leave())
    kept.replace(path)
    later = JumpingClock(VirtualClock.now(clock))
    later.offset, later.direction = clock.offset, clock.direction
    later.jump(generator)
    return later


async def _run(path: Path, clock: JumpingClock, counts: Counts, generator: random.Random) -> Execution:
    """The ended execution; meanwhile the clock jumps."""

    async def jump() -> None:
        while True:
            await asyncio.sleep(generator.uniform(1, 15))
            clock.jump(generator)
            counts.figures["jumps"] += 1

    jumping = asyncio.create_task(jump())
    try:
        with Journal(path, "drill") as journal:
            functions = {"shaky": _shaky, "long": _long}
            engine = Engine(
                {"main": parse(MACHINE, "main")}, lambda_integrations(functions), clock=clock, journal=journal
            )
            if "run" in engine.executions:
                return await engine.wait(engine.resume("run").name)
            return await engine.run("main", None, "run")
    finally:
        jumping.cancel()


if __name__ == "__main__":
    drill_command(__doc__, drill, kills=200)
