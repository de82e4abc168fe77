"""The examples' definitions, as deployed, run here as they do in the engine alone."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.integrations.lambda_invoke import lambda_integrations
from stepweave.engine.parsing import parse
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.local_aws.states.world import Local

DEFINITIONS = Path(__file__).parents[3] / "statemachines/examples/asl"


def deployed(name: str) -> str:
    """The definition of an example, its functions substituted."""
    return re.sub(r"\$\{TaskRunner\w*\}", "runner", (DEFINITIONS / f"{name}.asl.json").read_text())


def runner(folder: Path) -> Callable[[Any], Any]:
    """The task runner of a deployment, with its artifacts in a folder."""
    store = open_store(folder)

    def run(event: Any) -> Any:
        return invoke(event, store, logs=False)

    return run


def drawn(events: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Types of events with the state or the resource they are about; branches come in any order."""
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        details: dict[str, Any] = next((item for item in event.values() if isinstance(item, dict)), {})
        found[event["type"], str(details.get("name", details.get("resource")))] += 1
    return found


@pytest.mark.parametrize("name", ["chain", "fan_out", "mapping", "branching", "dispatch"])
def test_a_history_is_that_of_the_engine(tmp_path: Path, name: str) -> None:
    definition = deployed(name)
    task_runner = runner(tmp_path / "alone")

    async def function(event: Any) -> Any:
        return task_runner(event)

    alone = Engine(
        {name: parse(definition, name)}, lambda_integrations({"runner": function}), clock=VirtualClock()
    )
    expected = alone.clock.run(alone.run(name, {}, "one"))
    local = Local(tmp_path / "states", speed=100.0)
    local.functions.known["runner"] = runner(tmp_path / "local")
    arn = local.registry.deploy(name, definition)

    async def main() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        answer = await local.ended(local.states.start(arn, "{}", "one").arn)
        history = await local.ask("GetExecutionHistory", executionArn=answer["executionArn"], maxResults=1000)
        return answer, history["events"]

    answer, events = local.run(main())

    assert answer["status"] == expected.status == "SUCCEEDED"
    assert json.loads(answer["output"]) == expected.output
    assert drawn(events) == drawn(list(expected.history.events()))


def test_artifacts_are_those_of_the_engine(tmp_path: Path) -> None:
    local = Local(tmp_path / "states")
    local.functions.known["runner"] = runner(tmp_path / "store")
    definition = deployed("fan_out")
    arn = local.registry.deploy("fan_out", definition)

    async def main() -> str:
        return (await local.ended(local.states.start(arn, '{"params": {}}', "one").arn))["status"]

    assert asyncio.run(main()) == "SUCCEEDED"
    assert len(list((tmp_path / "store").glob("runs/fan_out/one/*/result.json"))) == 4
