"""The engine of the crash drill, in a process that is made to die: ``python -m tests.drills.crash_engine FOLDER``.

It begins the execution or goes on with it, prints how it ended, and exits with 0; with 1 when Ctrl-C ended it (130
when pressed twice), with 3 when the journal cannot be written. ``DRILL_DIE`` tells at which write to the journal it
kills itself: ``before 3``, ``within 3``, ``after 3``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stepweave.embedded.interrupts import Interrupts
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.batch_submit import batch_integrations
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.integrations.start_execution import start_execution_integrations
from stepweave.engine.jobs import JobDefinition
from stepweave.engine.journal import Journal, JournalError
from stepweave.engine.parsing import parse
from stepweave.engine.tokens import TaskTokenError
from stepweave.engine.workers import WorkerPool
from tests.drills import crash_functions
from tests.drills.crash_answers import ANSWERS
from tests.drills.crash_functions import CALLS, FOLDER, GENERATION
from tests.drills.crash_machines import INPUT, MACHINES, NAME

JOURNAL = "run.journal"
DIE = "DRILL_DIE"
CANCELLED, JOURNAL_FAILED = 1, 3
"""Exit statuses."""
ROOT = Path(__file__).parents[2]
WORKERS = 4


def main(folder: Path) -> int:
    """The exit status."""
    if DIE in os.environ:
        moment, number = os.environ[DIE].split()
        os.write = _deadly(os.write, folder / JOURNAL, moment, int(number))
    try:
        with Journal(folder / JOURNAL, "drill") as journal, Interrupts(lambda again: None) as interrupts:
            execution = asyncio.run(_run(folder, journal, interrupts))
    except asyncio.CancelledError:
        return CANCELLED
    except JournalError as error:
        print(error, file=sys.stderr)
        return JOURNAL_FAILED
    print(json.dumps({"status": execution.status, "output": execution.output, "error": execution.error}))
    return 0


async def _run(folder: Path, journal: Journal, interrupts: Interrupts) -> Execution:
    """The ended execution."""
    interrupts.cancels(asyncio.current_task())
    environment = {FOLDER: str(folder), GENERATION: os.environ[GENERATION]}
    names = ("double", "shaky", "ask")
    async with WorkerPool(WORKERS, path=[ROOT], environment=environment) as pool:
        functions = {name: pool.function(f"{crash_functions.__name__}:{name}") for name in names}
        engine = Engine(
            {name: parse(definition, name) for name, definition in MACHINES.items()},
            {
                **lambda_integrations(functions),
                **batch_integrations({"job": _job(folder)}),
                **start_execution_integrations(),
            },
            journal=journal,
        )
        answers = asyncio.create_task(_pass_on_answers(engine, folder))
        try:
            known = engine.executions.get(NAME)
            if known is None:
                return await engine.run("main", INPUT, NAME)
            if known.status == "ABORTED":
                return await engine.wait(engine.redrive(NAME).name)
            return await engine.wait(engine.resume(NAME).name)
        finally:
            answers.cancel()


def _job(folder: Path) -> JobDefinition:
    """A job that notes its call and takes a while."""
    line = (
        json.dumps([os.environ[GENERATION], "job @", 0])
        .replace("@", "'$AWS_BATCH_JOB_ID'")
        .replace("0]", "'$$']")
    )
    script = f"ulimit -S -f unlimited; echo '{line}' >> {CALLS}; sleep 0.3"
    return JobDefinition(command=("/bin/sh", "-c", script), directory=str(folder))


async def _pass_on_answers(engine: Engine, folder: Path) -> None:
    """Send on what others answered, again and again: an engine that begins anew knows of no answer."""
    while True:
        for answer in sorted((folder / ANSWERS).iterdir()):
            with contextlib.suppress(TaskTokenError):
                engine.tokens.send_success(answer.name, "answered")
        await asyncio.sleep(0.02)


def _deadly(
    write: Callable[[int, Any], int], path: Path, moment: str, number: int
) -> Callable[[int, Any], int]:
    """``os.write``, but at the write ``number`` to ``path`` the process dies."""
    count = 0

    def deadly(file: int, data: Any) -> int:
        nonlocal count
        if not (path.exists() and os.path.samestat(os.fstat(file), path.stat())):
            return write(file, data)
        count += 1
        if count == number and moment != "after":
            whole = bytes(data)
            write(file, whole[: len(whole) // 2 if moment == "within" else 0])
            os.kill(os.getpid(), signal.SIGKILL)
        written = write(file, data)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    return deadly


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
