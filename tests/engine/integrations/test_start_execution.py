"""``states:startExecution.sync:2``: nested executions."""

import asyncio
import json
from typing import Any

import pytest

from stepweave.errors import DefinitionError
from tests.engine.building import Lab, call, machine, passing

RESOURCE = "arn:aws:states:::states:startExecution.sync:2"


def nested(child: str = "child", value: Any = None, **fields: Any) -> dict[str, Any]:
    arguments = {"StateMachineArn": child, "Input": value}
    return {"Type": "Task", "Resource": RESOURCE, "Arguments": arguments, **fields}


def test_a_child_gets_its_input_and_gives_its_output_as_data() -> None:
    child = machine(
        ("wait", {"Type": "Wait", "Seconds": 5}), ("out", passing(Output={"got": "{% $states.input %}"}))
    )
    lab = Lab({"main": machine(("c", nested(value={"x": "{% $states.input %}"}))), "child": child})
    output = lab.run(7).output
    assert output["Output"] == {"got": {"x": 7}}
    assert json.loads(output["Input"]) == {"x": 7}
    assert output["Status"] == "SUCCEEDED"
    assert output["StopDate"] - output["StartDate"] == 5000
    assert output["StateMachineArn"].endswith(":stateMachine:child")


def test_a_child_has_a_history_and_a_name_of_its_own() -> None:
    lab = Lab({"main": machine(("c", nested()), ("d", nested())), "child": machine(("only", passing()))})
    parent = lab.run()
    children = [execution for name, execution in lab.engine.executions.items() if name != "run-1"]
    assert [child.name for child in children] == ["run-1-3", "run-1-9"]
    assert all(child.name.startswith("run-1-") and len(child.history) == 4 for child in children)
    assert parent.history.kinds()[1:7] == [
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
    ]


def test_a_failing_child_is_a_failed_task_whose_cause_describes_it() -> None:
    lab = Lab(
        {
            "main": machine(("c", nested())),
            "child": machine(("f", {"Type": "Fail", "Error": "Bad", "Cause": "why"})),
        }
    )
    execution = lab.run()
    assert execution.error == "States.TaskFailed"
    cause = json.loads(execution.cause or "")
    assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "Bad", "why")


def test_a_child_that_times_out_is_a_failed_task_and_no_timeout() -> None:
    child = machine(("wait", {"Type": "Wait", "Seconds": 60}), TimeoutSeconds=30)
    execution = Lab({"main": machine(("c", nested())), "child": child}).run()
    assert execution.error == "States.TaskFailed"
    assert json.loads(execution.cause or "")["Status"] == "TIMED_OUT"


def test_a_task_that_times_out_aborts_its_child() -> None:
    async def forever(event: Any) -> None:
        await asyncio.sleep(10**6)

    task = nested(TimeoutSeconds=10)
    lab = Lab({"main": machine(("c", task)), "child": machine(("t", call("forever")))}, {"forever": forever})
    assert lab.run().error == "States.Timeout"
    child = lab.engine.executions["run-1-3"]
    assert (child.status, child.history.kinds()[-1]) == ("ABORTED", "ExecutionAborted")
    assert child.stopped_at == lab.clock.epoch + 10


def test_a_machine_that_is_not_there_is_found_before_anything_runs() -> None:
    with pytest.raises(DefinitionError, match="StateMachineArn names no machine of this engine"):
        Lab({"main": machine(("c", nested("gone")))})
    computed = Lab({"main": machine(("c", nested("{% 'gone' %}")))})
    assert computed.run().error == "StepFunctions.InvalidExecutionException"


def test_machines_nest_and_variables_do_not_cross() -> None:
    machines = {
        "main": machine(
            ("v", passing(Assign={"x": 1})), ("c", nested("middle", Output="{% $states.result.Output %}"))
        ),
        "middle": machine(("c", nested("inner", Output="{% $states.result.Output %}"))),
        "inner": machine(("only", passing(Output="{% $exists($x) %}"))),
    }
    assert Lab(machines).run().output is False
