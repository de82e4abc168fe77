"""What fuzzing and drills brought to light: hostile values, and failures at the worst moment."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.engine import Engine
from stepweave.engine.failures import CAUSE_CHARACTERS
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.journal import Journal, JournalError
from stepweave.engine.parsing import parse
from tests.engine.building import block, call, machine, run


def test_the_cause_of_a_failed_evaluation_is_as_long_as_a_cause_may_be() -> None:
    definition = machine(("w", {"Type": "Wait", "Seconds": "{% $pad('x', 300000) %}"}))
    execution = run(definition)
    (event,) = [event for event in execution.history.events() if event["type"] == "EvaluationFailed"]
    assert len(event["evaluationFailedEventDetails"]["cause"]) == CAUSE_CHARACTERS
    assert execution.cause == event["evaluationFailedEventDetails"]["cause"]


class FullDisk(Journal):
    """A journal whose disk is full after ``room`` writes."""

    room = 3

    def _write(self) -> None:
        self.room -= 1
        if self.room < 0:
            raise OSError(28, "No space left on device")
        super()._write()


async def takes_a_while(event: Any) -> Any:
    await asyncio.sleep(0.002)
    return event


@pytest.mark.parametrize("room", range(1, 12))
def test_a_full_disk_is_told_once_however_many_executions_it_stops(
    tmp_path: Path, room: int, caplog: pytest.LogCaptureFixture
) -> None:
    state: dict[str, Any] = {
        "Type": "Map",
        "Items": "{% [1..4] %}",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **block(("a", call("f")), ("b", call("f"))),
        },
    }
    journal = FullDisk(tmp_path / "journal")
    journal.room = room
    engine = Engine({"main": parse(machine(("m", state)), "main")}, lambda_integrations({"f": takes_a_while}), journal=journal)
    with pytest.raises(JournalError, match="No space left on device"), journal:
        asyncio.run(engine.run("main", None, "run"))
    gc.collect()
    assert caplog.messages == []  # asyncio reports errors that nobody asked for
