"""Tasks that the tests of the deployed functions call by name, as state machines do."""

from __future__ import annotations

import logging
import time

from stepweave.errors import TransientError
from stepweave.runtime.context import get_current_context


def logging_task() -> str:
    logging.getLogger("mine").info("at work", extra={"rows": 3})
    return "done"


def counting(to: int, stop_at: int | None = None, crash: str = "") -> int:
    """Count with a checkpoint after each number; end like a process that dies after ``stop_at``."""
    checkpoint = get_current_context().checkpoint
    start = checkpoint.load(0)
    print(f"from {start}", flush=True)
    for number in range(start, to):
        if number == stop_at:
            raise TransientError(crash or "died")
        checkpoint.save(number + 1)
    return start


def patient_trainer(epochs: int) -> int:
    """Work in small steps until the job is about to be stopped; then save and give up."""
    context = get_current_context()
    done = context.checkpoint.load({"epoch": 0})["epoch"]
    for epoch in range(done, epochs):
        if context.stopping:
            context.checkpoint.save({"epoch": epoch})
            raise TransientError("stopping")
        if epoch == 0:
            print("training", flush=True)
        time.sleep(0.02 if done == 0 else 0)
    return done


def file_trainer(seconds: float) -> list[str]:
    """A framework that writes files and looks at nothing."""
    folder = get_current_context().checkpoint.folder
    found = sorted(path.read_text() for path in folder.iterdir())
    (folder / "weights.txt").write_text("w1")
    print("training", flush=True)
    time.sleep(0 if found else seconds)
    return found


def nothing(value: int) -> int:
    return value
