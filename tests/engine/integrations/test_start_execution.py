"""``states:startExecution`` in all its forms: nested executions."""

import asyncio
import json
from typing import Any

import pytest

from stepweave.errors import DefinitionError
from tests.engine.building import Lab, call, machine, passing

RESOURCE = "arn:aws:states:::states:startExecution"


def nested(
    child: str = "child", value: Any = None, *, pattern: str = ".sync:2", name: Any = None, **fields: Any
) -> dict[str, Any]:
    arguments = {"StateMachineArn": child, "Input": value}
    if name is not None:
        arguments["Name"] = name
    return {"Type": "Task", "Resource": RESOURCE + pattern, "Arguments": arguments, **fields}


def waiting(seconds: int) -> dict[str, Any]:
    return machine(("wait", {"Type": "Wait", "Seconds": seconds}))


def test_a_child_gets_its_input_and_gives_its_output_as_data() -> None:
    child = machine(
        ("wait", {"Type": "Wait", "Seconds": 5}), ("out", passing(Output={"got": "{% $states.input %}"}))
    )
    lab = Lab({"main": machine(("c", nested(value={"x": "{% $states.input %}"}))), "child": child})
    output = lab.run(7).output
    assert output["Output"] == {"got": {"x": 7}}
    assert output["Input"] == {"x": 7}
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
    assert computed.run().error == "StepFunctions.StateMachineDoesNotExistException"


def test_machines_nest_and_variables_do_not_cross() -> None:
    machines = {
        "main": machine(
            ("v", passing(Assign={"x": 1})), ("c", nested("middle", Output="{% $states.result.Output %}"))
        ),
        "middle": machine(("c", nested("inner", Output="{% $states.result.Output %}"))),
        "inner": machine(("only", passing(Output="{% $exists($x) %}"))),
    }
    assert Lab(machines).run().output is False


def test_with_sync_input_and_output_are_text() -> None:
    child = machine(("out", passing(Output={"got": "{% $states.input %}"})))
    lab = Lab({"main": machine(("c", nested(value={"x": 1}, pattern=".sync"))), "child": child})
    output = lab.run().output
    assert (output["Input"], output["Output"]) == ('{"x":1}', '{"got":{"x":1}}')


def test_without_a_pattern_the_child_is_started_and_goes_on_after_its_parent() -> None:
    lab = Lab({"main": machine(("c", nested(pattern="", name="later"))), "child": waiting(60)})

    async def both() -> Any:
        parent = await lab.engine.run("main", None, "run-1")
        during = lab.engine.executions["later"].status
        return parent, during, await lab.engine.wait("later")

    parent, during, child = lab.clock.run(both())
    assert parent.output == {
        "ExecutionArn": "arn:aws:states:local:000000000000:execution:child:later",
        "StartDate": int(lab.clock.epoch * 1000),
    }
    assert (parent.stopped_at, during, child.status) == (lab.clock.epoch, "RUNNING", "SUCCEEDED")
    assert child.stopped_at == lab.clock.epoch + 60


def test_a_machine_is_named_by_its_arn_with_a_version_too() -> None:
    arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:child"
    for name in (arn, f"{arn}:7", f"{arn}:live"):
        lab = Lab({"main": machine(("c", nested(name))), "child": machine(("only", passing()))})
        assert lab.run().output["StateMachineArn"].endswith(":stateMachine:child")


@pytest.mark.parametrize(
    "given, received", [(None, {}), ({"a": 1}, {"a": 1}), ('{"a": 1}', {"a": 1}), ([], []), ("7", 7)]
)
def test_the_input_is_data_or_its_text(given: Any, received: Any) -> None:
    lab = Lab(
        {"main": machine(("c", nested(value="{% $states.input %}"))), "child": machine(("only", passing()))}
    )
    assert lab.run(given).output["Output"] == received


def test_a_text_that_is_no_json_is_no_input() -> None:
    task = nested(value="{% $states.input %}")
    lab = Lab({"main": machine(("c", task)), "child": machine(("only", passing()))})
    assert lab.run("{").error == "StepFunctions.InvalidExecutionInputException"


def test_the_same_name_and_input_start_a_running_child_once() -> None:
    tasks = [nested(pattern="", name="one", value={"a": 1}), nested(name="one", value={"a": 1})]
    lab = Lab({"main": machine(("first", tasks[0]), ("again", tasks[1])), "child": waiting(60)})
    parent = lab.run()
    assert parent.output["Status"] == "SUCCEEDED"
    assert sorted(lab.engine.executions) == ["one", "run-1"]
    assert lab.clock.elapsed == 60


@pytest.mark.parametrize("seconds, second", [(60, {"a": 2}), (0, {"a": 1})])
def test_a_name_is_taken_by_another_input_and_by_a_child_that_has_ended(seconds: int, second: Any) -> None:
    tasks = [nested(pattern="", name="one", value={"a": 1}), {"Type": "Wait", "Seconds": 1}]
    again = nested(name="one", value=second)
    lab = Lab(
        {
            "main": machine(("first", tasks[0]), ("wait", tasks[1]), ("again", again)),
            "child": waiting(seconds),
        }
    )
    assert lab.run().error == "StepFunctions.ExecutionAlreadyExistsException"


def test_a_name_is_taken_by_an_execution_that_no_task_started() -> None:
    lab = Lab({"main": machine(("c", nested(name="run-1"))), "child": machine(("only", passing()))})
    assert lab.run().error == "StepFunctions.ExecutionAlreadyExistsException"


@pytest.mark.parametrize(
    "name, error",
    [
        ("$pad('', 81, 'x')", "StepFunctions.InvalidNameException"),
        ("''", "StepFunctions.InvalidNameException"),
        ("7", "States.Runtime"),
    ],
)
def test_a_name_is_a_text_of_1_to_80_characters(name: str, error: str) -> None:
    task = nested(name=f"{{% {name} %}}")
    lab = Lab({"main": machine(("c", task)), "child": machine(("only", passing()))})
    assert lab.run().error == error


def test_stopping_the_parent_stops_a_child_that_it_waits_for_and_no_other() -> None:
    tasks = [nested(pattern="", name="free"), nested(name="waited-for", pattern=".sync")]
    lab = Lab({"main": machine(("free", tasks[0]), ("bound", tasks[1])), "child": waiting(60)})

    async def stop() -> None:
        lab.engine.start("main", None, "run-1")
        await asyncio.sleep(10)
        lab.engine.stop("run-1", "Mine", "enough")
        await lab.engine.wait("run-1")
        await lab.engine.wait("free")

    lab.clock.run(stop())
    statuses = {name: execution.status for name, execution in lab.engine.executions.items()}
    assert statuses == {"run-1": "ABORTED", "free": "SUCCEEDED", "waited-for": "ABORTED"}


def test_a_parent_may_wait_for_a_token_that_its_child_was_given() -> None:
    async def complete(event: Any) -> None:
        lab.engine.tokens.send_success(event["token"], {"done": True})

    task = nested(value={"token": "{% $states.context.Task.Token %}"}, pattern=".waitForTaskToken")
    child = machine(("wait", {"Type": "Wait", "Seconds": 30}), ("t", call("complete", "{% $states.input %}")))
    lab = Lab({"main": machine(("c", task)), "child": child}, {"complete": complete})
    assert lab.run().output == {"done": True}
    assert lab.clock.elapsed == 30
