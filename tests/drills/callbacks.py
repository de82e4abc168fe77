"""The callback drill: task tokens are answered twice, too late, by several at once, and after a crash.

    python -m tests.drills.callbacks [--kills 100] [--seed N]

Each of ``kills`` executions waits for many tokens; each token is answered up to four times, at random times, of which
some are after its time limit or after the end of the execution, and the engine is left in the middle. Only the first
answer in time counts, the others are refused, and a task ends once. Time passes virtually.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.journal import Journal
from stepweave.engine.parsing import parse
from stepweave.engine.tokens import TaskTokenError
from tests.drills.commands import drill_command
from tests.drills.counting import Counts
from tests.engine.building import block, machine

TOKENS = 12
"""Tasks of an execution that wait for a token."""
LIMIT_SECONDS = 50
LATEST_SECONDS = 90
"""The last moment of an answer, long after the limit."""
ASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Arguments": {
        "FunctionName": "ask",
        "Payload": {"item": "{% $states.input %}", "token": "{% $states.context.Task.Token %}"},
    },
    "TimeoutSeconds": LIMIT_SECONDS,
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "caught", "Output": "{% $states.errorOutput.Error %}"}],
    "Next": "caught",
}
MACHINE = machine(
    (
        "each",
        {
            "Type": "Map",
            "Items": f"{{% [1..{TOKENS}] %}}",
            "ItemProcessor": block(("ask", ASK), ("caught", {"Type": "Succeed"})),
        },
    ),
)


@dataclass(slots=True)
class World:
    """Those who answer: it goes on when the engine dies."""

    generator: random.Random
    counts: Counts
    engine: Engine | None = None
    plans: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    """What is sent for each token, and when, in seconds after it was given out."""
    accepted: dict[str, str] = field(default_factory=dict)
    """The answer of each token that was taken."""
    given_at: dict[str, float] = field(default_factory=dict)
    journal: Path | None = None
    """What is to be kept as it is when the next answer is taken."""
    kept: bytes = b""

    async def ask(self, event: Any) -> None:
        """Begin to answer a token."""
        token = event["token"]
        self.given_at[token] = self.now()
        moments = sorted(
            self.generator.choice((10.0, 30.0, 49.0, 60.0, LATEST_SECONDS))
            for _ in range(self.generator.randint(0, 4))
        )
        self.plans[token] = [(at, f"{event['item']}:{number}") for number, at in enumerate(moments)]
        self.schedule(token)

    def now(self) -> float:
        assert self.engine is not None
        return self.engine.clock.now()

    def schedule(self, token: str) -> None:
        """Send what is planned for a token and has not been sent."""
        loop, since = asyncio.get_running_loop(), self.given_at[token]
        for at, answer in self.plans[token]:
            if since + at >= self.now():
                loop.call_later(since + at - self.now(), self.send, token, answer)

    def send(self, token: str, answer: str) -> None:
        """Answer, with a failure at times, and once more at once."""
        assert self.engine is not None
        for _ in range(2):
            self.counts.figures["answers"] += 1
            try:
                if answer.endswith("2"):
                    self.engine.tokens.send_failure(token, answer)
                else:
                    self.engine.tokens.send_success(token, answer)
            except TaskTokenError as error:
                self.counts.figures["refused"] += 1
                self.counts.check(error.code == "TaskTimedOut", f"an answer was refused: {error.code}")
                continue
            if self.kept and self.journal is not None:
                return  # the engine has died by now
            self.counts.check(token not in self.accepted, f"two answers of one token were taken: {answer}")
            self.accepted[token] = answer
            if self.journal is not None:
                self.kept = self.journal.read_bytes()
                self.counts.figures["left_at_an_answer"] += 1


def drill(kills: int, seed: int) -> Counts:
    """The counts of ``kills`` executions."""
    counts, generator = Counts("callbacks"), random.Random(seed)
    counts.figures.update(executions=0, resumes=0, left_at_an_answer=0, tokens=0, answers=0)
    with tempfile.TemporaryDirectory(prefix="stepweave-drill-") as folder:
        for number in range(kills):
            _one(Path(folder) / f"{number}.journal", World(generator, counts), counts)
    return counts


def _one(path: Path, world: World, counts: Counts) -> None:
    clock = VirtualClock()
    clock.run(_left(path, clock, world))
    counts.figures["resumes"] += 1
    clock = VirtualClock(clock.now())
    execution = clock.run(_ended(path, clock, world))
    counts.figures["executions"] += 1
    counts.figures["tokens"] += len(world.plans)
    ends = Counter(record[0] for record in execution.history.records())
    counts.check(
        execution.status == "SUCCEEDED", f"the execution ended as {execution.status}: {execution.cause}"
    )
    counts.check(
        ends["TaskSucceeded"] + ends["TaskFailed"] + ends["TaskTimedOut"] == TOKENS,
        f"{TOKENS} tasks had the ends {ends}",
    )
    for result, token in zip(execution.output, _tokens(execution), strict=True):
        expected = world.accepted.get(token, "States.Timeout")
        counts.check(result == expected, f"a task ended with {result} and not with {expected}")


async def _left(path: Path, clock: VirtualClock, world: World) -> None:
    """Let an engine run and leave it: the journal is then as if its process had been killed.

    At a random time, or as soon as an answer has been taken, when nothing has followed from it yet.
    """
    running = asyncio.create_task(_ended(path, clock, world))
    await asyncio.sleep(world.generator.uniform(0, LIMIT_SECONDS))
    if world.generator.random() < 0.5:
        world.journal = path
        await asyncio.wait([running], timeout=LIMIT_SECONDS)
        world.journal = None
    kept = world.kept or path.read_bytes()
    running.cancel()
    await asyncio.wait([running])
    path.write_bytes(kept)


async def _ended(path: Path, clock: VirtualClock, world: World) -> Execution:
    """The ended execution, after everybody has sent all of their answers."""
    with Journal(path, "drill") as journal:
        engine = Engine(
            {"main": parse(MACHINE, "main")},
            lambda_integrations({"ask": world.ask}),
            clock=clock,
            journal=journal,
        )
        world.engine = engine
        if "run" not in engine.executions:
            return await engine.run("main", None, "run")
        execution = engine.resume("run")
        for token in world.plans:
            world.schedule(token)
        await engine.wait("run")
        await asyncio.sleep(LATEST_SECONDS)
        return execution


def _tokens(execution: Execution) -> list[str]:
    """The tokens in the order of the items."""
    scheduled = [record for record in execution.history.records() if record[0] == "TaskScheduled"]
    return [record[5][2] for record in sorted(scheduled, key=lambda record: record[4]["Payload"]["item"])]


if __name__ == "__main__":
    drill_command(__doc__, drill, kills=100)
