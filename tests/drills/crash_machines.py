"""The machines of the crash drill: everything that can be in flight when an engine dies."""

from __future__ import annotations

from typing import Any

from tests.engine.building import block, call, machine, passing

RESULT = "{% $states.result.Payload %}"
KEY = {
    "execution": "{% $states.context.Execution.Name %}",
    "state": "{% $states.context.State.Name %}",
    "try": "{% $states.context.State.RetryCount %}",
}


def calling(function: str, x: str, item: str = "", **fields: Any) -> dict[str, Any]:
    """A call of ``function`` for ``x``; the key tells it from all other calls."""
    key = {**KEY, "item": f"{{% {item} %}}"} if item else KEY
    return call(function, {"key": key, "x": f"{{% {x} %}}"}, Output=RESULT, **fields)


RETRY = [{"ErrorEquals": ["ShakyError"], "IntervalSeconds": 1, "BackoffRate": 1}]
ASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Arguments": {
        "FunctionName": "ask",
        "Payload": {"key": KEY, "token": "{% $states.context.Task.Token %}"},
    },
    "TimeoutSeconds": 600,
    "HeartbeatSeconds": 300,
}
JOB = {
    "Type": "Task",
    "Resource": "arn:aws:states:::batch:submitJob.sync",
    "Arguments": {"JobName": "job", "JobDefinition": "job", "JobQueue": "queue"},
    "Output": "{% $states.result.Status %}",
}
NESTED = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Arguments": {"StateMachineArn": "inner", "Input": {"x": "{% $seen %}"}},
    "Output": "{% $states.result.Output %}",
}
INLINE = {
    "Type": "Map",
    "Items": "{% [1..4] %}",
    "MaxConcurrency": 2,
    "ItemProcessor": block(
        ("each", calling("double", "$states.input", "$states.input")),
        ("rest", {"Type": "Wait", "Seconds": 1}),
    ),
}
SPREAD = {
    "Type": "Map",
    "Items": "{% [11..16] %}",
    "MaxConcurrency": 3,
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        **block(("child", calling("double", "$states.input"))),
    },
}
MACHINES = {
    "main": machine(
        ("first", calling("double", "$states.input.n", Assign={"seen": RESULT})),
        (
            "all",
            {
                "Type": "Parallel",
                "Branches": [
                    block(("inline", INLINE)),
                    block(("spread", SPREAD)),
                    block(
                        ("shaky", calling("shaky", "$seen", Retry=RETRY)),
                        ("after", calling("double", "$states.input")),
                    ),
                    block(("ask", ASK)),
                    block(("job", JOB)),
                    block(("nested", NESTED)),
                ],
            },
        ),
        ("last", passing(Output={"seen": "{% $seen %}", "all": "{% $states.input %}"})),
    ),
    "inner": machine(("deep", calling("double", "$states.input.x")), ("nap", {"Type": "Wait", "Seconds": 1})),
}
INPUT = {"n": 21}
OUTPUT = {"seen": 42, "all": [[2, 4, 6, 8], [22, 24, 26, 28, 30, 32], 168, "answered", "SUCCEEDED", 84]}
NAME = "run"
