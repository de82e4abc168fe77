"""The engine's public face: names, stopping, cancelling, many executions at once, what it imports."""

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from stepweave.engine.engine import Engine
from stepweave.engine.integrations.base import Integration
from stepweave.engine.parsing import parse
from stepweave.errors import UsageError
from tests.engine.building import Lab, block, call, echo, machine, passing

WAITING = {"Type": "Wait", "Seconds": 100}


def test_executions_are_kept_by_name() -> None:
    lab = Lab({"main": machine(("a", passing()))})
    first = lab.run(1, name="first")
    assert lab.engine.executions == {"first": first}
    assert (first.input, first.output, first.status) == (1, 1, "SUCCEEDED")
    assert first.arn == "arn:aws:states:local:000000000000:execution:main:first"


def test_an_execution_without_a_name_gets_one() -> None:
    lab = Lab({"main": machine(("a", passing()))})
    names = [lab.clock.run(lab.engine.run("main")).name for _ in range(2)]
    assert names == ["main-1", "main-2"]


def test_a_name_is_given_once() -> None:
    lab = Lab({"main": machine(("a", passing()))})
    lab.run()
    with pytest.raises(UsageError, match="an execution 'run-1' exists"):
        lab.run()


def test_an_unknown_machine_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match="no machine 'other'; there are: main"):
        Lab({"main": machine(("a", passing()))}).run(machine="other")


def test_many_executions_run_at_the_same_time_apart_from_each_other() -> None:
    definition = machine(
        ("v", passing(Assign={"x": "{% $states.input %}"})), ("w", WAITING), ("o", passing(Output="{% $x %}"))
    )
    lab = Lab({"main": definition})

    async def main() -> list[Any]:
        runs = await asyncio.gather(*(lab.engine.run("main", number, f"r{number}") for number in range(50)))
        return [run.output for run in runs]

    assert lab.clock.run(main()) == list(range(50))
    assert lab.clock.elapsed == 100


def test_stop_aborts_an_execution_and_its_caller_gets_it_back() -> None:
    lab = Lab({"main": machine(("w", WAITING))})

    async def main() -> None:
        task = asyncio.create_task(lab.engine.run("main", name="r"))
        await asyncio.sleep(10)
        lab.engine.stop("r", "Operator", "no longer needed")
        await task

    lab.clock.run(main())
    execution = lab.engine.executions["r"]
    assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Operator", "no longer needed")
    assert execution.stopped_at == lab.clock.epoch + 10
    assert execution.history.kinds()[-2:] == ["WaitStateEntered", "ExecutionAborted"]
    assert lab.events[-1].status == "ABORTED"


def test_an_execution_can_be_stopped_before_its_first_step() -> None:
    lab = Lab({"main": machine(("w", WAITING))})

    async def main() -> None:
        lab.engine.start("main", {"x": 1}, "r")
        lab.engine.stop("r", "Operator", "changed my mind")
        await lab.engine.wait("r")

    lab.clock.run(main())
    execution = lab.engine.executions["r"]
    assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Operator", "changed my mind")
    assert execution.history.kinds() == ["ExecutionStarted", "ExecutionAborted"]
    assert [event.kind for event in lab.events] == ["execution_started", "execution_ended"]


def test_only_what_runs_can_be_stopped() -> None:
    lab = Lab({"main": machine(("a", passing()))})
    lab.run()
    with pytest.raises(UsageError, match="no execution 'run-1' is running"):
        lab.engine.stop("run-1")


def test_a_cancelled_run_stops_every_branch_and_records_it() -> None:
    ended: list[int] = []

    async def watched(event: int) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(event)

    branches = [block((f"t{number}", call("watched", number))) for number in range(20)]
    lab = Lab({"main": machine(("p", {"Type": "Parallel", "Branches": branches}))}, {"watched": watched})

    async def main() -> None:
        task = asyncio.create_task(lab.engine.run("main", name="r"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(ended) == list(range(20))

    lab.clock.run(main())
    execution = lab.engine.executions["r"]
    assert execution.status == "ABORTED"
    # Of a stop from outside AWS records only this.
    assert execution.history.kinds()[-2:] == ["TaskStarted", "ExecutionAborted"]


def test_an_endless_loop_of_states_can_be_cancelled() -> None:
    again = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "a"}], "Default": "end"}
    endless = machine(("a", passing()), ("b", again), ("end", passing()))
    lab = Lab({"main": endless}, history_limit=10**9)

    async def main() -> None:
        task = asyncio.create_task(lab.engine.run("main", name="r"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    lab.clock.run(main())
    assert lab.engine.executions["r"].status == "ABORTED"


def test_a_defect_of_an_integration_ends_the_run_and_reaches_the_caller() -> None:
    class Broken(Integration):
        async def run(self, call: Any) -> Any:
            raise ZeroDivisionError("a defect")

    task = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Arguments": {"Message": "m"}}
    lab = Lab({"main": machine(("t", task))}, integrations={"sns:publish": Broken()})
    with pytest.raises(ZeroDivisionError):
        lab.run()
    assert (lab.engine.executions["run-1"].status, lab.engine.executions["run-1"].error) == (
        "FAILED",
        "States.Runtime",
    )


def test_a_machine_can_be_shared_by_engines() -> None:
    shared = parse(machine(("t", passing(Output={"x": "{% $states.input %}"}))), "main")
    engines = [Engine({"main": shared}, {}) for _ in range(2)]
    assert [engine.clock.run(engine.run("main", number)).output for number, engine in enumerate(engines)] == [
        {"x": 0},
        {"x": 1},
    ]


def test_results_do_not_depend_on_who_listens() -> None:
    definition = machine(
        ("t", call("echo", {"u": "{% $uuid() %}"})), ("p", passing(Output="{% $states.input.Payload %}"))
    )
    heard = Lab({"main": definition}, {"echo": echo}).run().output
    lab = Lab({"main": definition}, {"echo": echo})
    lab.engine._listeners = ()
    assert lab.run().output == heard


def test_importing_the_engine_loads_no_more_than_it_needs() -> None:
    code = """
import asyncio, sys, json, stepweave
before = set(sys.modules)
import stepweave.engine.engine, stepweave.engine.reading, stepweave.engine.integrations.lambda_invoke
print(json.dumps(sorted(set(sys.modules) - before)))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(answer.stdout)
    ours = {name.split(".")[1] for name in loaded if name.startswith("stepweave.")}
    assert ours <= {"engine", "errors", "validation"}
    others = {name.split(".")[0] for name in loaded} - {"stepweave"}
    assert others - sys.stdlib_module_names == {"jlens"}
    assert "multiprocessing" not in others
    # Of the standard library each Python loads a few modules more or less.
    assert len(loaded) <= 100, loaded
