"""One state as JSON, for each kind of state that a compiled DAG has.

Every function returns the state without its transition; :mod:`stepweave.asl.emit` adds ``Next`` or ``End``,
``Assign`` and ``Output``. Services are named by substitutions (``${TaskRunner}``), which the deployment or
the embedded engine fills in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from stepweave.asl import names, retries, text
from stepweave.asl.conditions import first_named
from stepweave.graph.model import Graph, RetryPolicy, Task
from stepweave.planning.model import Await, Group, Signal
from stepweave.planning.placement import Placement, default_timeout_seconds
from stepweave.planning.profiles import LAMBDA_MAX_SECONDS

State: TypeAlias = dict[str, Any]

INVOKE = "arn:aws:states:::lambda:invoke"
INVOKE_AND_WAIT = "arn:aws:states:::lambda:invoke.waitForTaskToken"
SUBMIT_JOB = "arn:aws:states:::batch:submitJob.sync"
START_EXECUTION = "arn:aws:states:::states:startExecution.sync:2"

APPROVALS = "${Approvals}"
"""The function that takes down what people are asked, and decides where they stay silent."""
_STARTED_BY = {"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "{% $states.context.Execution.Id %}"}
"""Links two executions in the console
(https://docs.aws.amazon.com/step-functions/latest/dg/concepts-nested-workflows.html)."""

QUEUE_WAIT_SECONDS = 24 * 3600
"""How long a Batch job may wait for capacity on top of its own timeout."""
CONTROL_TIMEOUT_SECONDS = 60
"""Longest call of a control function: rendezvous, prepare."""
GATE_TIMEOUT_SECONDS = 7 * 24 * 3600
"""Longest wait at a gate, unless the DAG sets a timeout."""


RUN_TRIES = "run_tries"
"""Variable: how often the failed run went on by itself."""


def start(graph: Graph) -> State:
    """The first state of a DAG's root machine: who runs, with which params."""
    info = graph.dag
    defaults = (
        "{"
        + ",".join(f"{text.json_text(p.name)}:{p.default_json}" for p in info.params if p.default_json)
        + "}"
    )
    given = "$exists($states.input.params) ? $states.input.params : {}"
    params = (
        f"{{% $merge([$parse({text.quoted(defaults)}), {given}]) %}}"
        if info.params
        else "{% " + given + " %}"
    )
    run = {
        "dag": info.id,
        "id": "{% $exists($states.input.run_id) ? $states.input.run_id : $states.context.Execution.Name %}",
        # Gates belong to one execution: a resumed run has the same id, and arrivals of its own.
        "execution": "{% $states.context.Execution.Name %}",
        "params": params,
        "resume": "{% $states.input.resume = true %}",
        "logical_date": "{% $exists($states.input.logical_date) ? $states.input.logical_date : null %}",
    }
    assign: dict[str, Any] = {"run": run}
    if info.retries:
        assign[RUN_TRIES] = 0
    return {"Type": "Pass", "Comment": "params with their defaults", "Assign": assign}


def nested_start(with_records: bool) -> State:
    """The first state of a nested machine."""
    assign = {"run": "{% $states.input.run %}"}
    if with_records:
        assign["in"] = "{% $states.input.records %}"
    return {"Type": "Pass", "Comment": "the run that this machine is a part of", "Assign": assign}


def light_task(task: Task, placement: Placement, payload: Mapping[str, Any]) -> State:
    """A task on Lambda."""
    return _invoke(
        task.doc or task.id,
        placement.function,
        payload,
        task.timeout_seconds or default_timeout_seconds(placement),
        [*retries.of_task(task), retries.of_lambda()],
    )


def notice(task: str, payload: Mapping[str, Any]) -> State:
    """Tells a function of the user's how the run ended."""
    again = retries.of_policy(RetryPolicy(attempts=2, delay_seconds=5))
    return _invoke(task, "${TaskRunner}", payload, LAMBDA_MAX_SECONDS, [again, retries.of_lambda()])


def control_call(comment: str, payload: Mapping[str, Any], function: str = "${TaskRunner}") -> State:
    """A short call of the runtime that runs no task of the user."""
    return _invoke(comment, function, payload, CONTROL_TIMEOUT_SECONDS)


def batch_prepare(task: Task, payload: Mapping[str, Any]) -> State:
    """Writes the inputs of a Batch job, or finds that its result is there already."""
    return _invoke(
        f"inputs of {task.id}", "${TaskRunner}", {**payload, "prepare": True}, CONTROL_TIMEOUT_SECONDS
    )


def batch_job(task: Task, placement: Placement, share: str) -> State:
    """A task on Batch; it gets the key of its inputs, and how many jobs failed before it.

    Overrides have 8,192 bytes at most.
    """
    return {
        "Type": "Task",
        "Comment": text.comment(task.doc or task.id),
        "Resource": SUBMIT_JOB,
        "Arguments": {
            "JobName": names.identifier(task.id),
            "JobDefinition": placement.job_definition,
            "JobQueue": placement.job_queue,
            "ShareIdentifier": share,
            "ContainerOverrides": {
                "Environment": [
                    {"Name": "STEPWEAVE_INPUT", "Value": "{% $states.input.Payload.uri %}"},
                    {"Name": "STEPWEAVE_RETRY", "Value": "{% $string($states.context.State.RetryCount) %}"},
                ]
            },
        },
        "TimeoutSeconds": (task.timeout_seconds or default_timeout_seconds(placement)) + QUEUE_WAIT_SECONDS,
        # A job that fails is always States.TaskFailed; the worker ends at once when the failure was permanent.
        "Retry": retries.of_job(task),
    }


def batch_collect(task: Task, payload: Mapping[str, Any]) -> State:
    """Fetches the record of a finished job, where a condition needs a part of its value."""
    return _invoke(
        f"result of {task.id}", "${TaskRunner}", {**payload, "collect": True}, CONTROL_TIMEOUT_SECONDS
    )


def gate(await_: Await, strict: bool, timeout_seconds: int) -> State:
    """Waits until tasks of other branches are done; nothing runs meanwhile."""
    waiting = [names.arrival(group) for group in await_.parents]
    early = {"early": list(await_.early), "rule": await_.rule} if await_.early else {}
    rule = [f"{await_.rule} of {', '.join(await_.early)}"] if await_.early else []
    return {
        "Type": "Task",
        "Comment": text.comment(f"gate: {', '.join(waiting + rule)} in other branches"),
        "Resource": INVOKE_AND_WAIT,
        "Arguments": {
            "FunctionName": "${Rendezvous}",
            "Payload": {
                "run": "{% $run.execution %}",
                "gate": await_.gate,
                "await": waiting,
                "strict": strict,
                **early,
                "token": "{% $states.context.Task.Token %}",
            },
        },
        "TimeoutSeconds": timeout_seconds,
        "Retry": [retries.of_lambda()],
    }


def ask(comment: str, payload: Mapping[str, Any], timeout_seconds: int) -> State:
    """Waits until a person has decided; nothing runs meanwhile."""
    return {
        "Type": "Task",
        "Comment": text.comment(comment),
        "Resource": INVOKE_AND_WAIT,
        "Arguments": {
            "FunctionName": APPROVALS,
            "Payload": {**payload, "token": "{% $states.context.Task.Token %}"},
        },
        "TimeoutSeconds": timeout_seconds,
        "Retry": [retries.of_lambda()],
    }


def nested_dag(comment: str, dag: str, execution_input: Mapping[str, Any], policies: Sequence[Any]) -> State:
    """Runs another DAG and waits for it."""
    return {
        "Type": "Task",
        "Comment": text.comment(comment),
        "Resource": START_EXECUTION,
        "Arguments": {
            "StateMachineArn": f"${{Dag_{names.identifier(dag)}}}",
            "Input": {**execution_input, **_STARTED_BY},
        },
        "Retry": [retries.of_execution(), *policies],
    }


def signal(message: Signal, records: Mapping[str, Any]) -> State:
    """Tells the gates of other branches that tasks are done, with their records."""
    gates = {names.arrival(group): list(message.gates) for group in message.groups}
    return _signal(f"gates {', '.join(message.gates)}", {"arrived": dict(records), "gates": gates})


def signal_not_run(messages: Sequence[Signal], because: str) -> State:
    """Tells the gates of other branches that tasks will not run."""
    gates: dict[str, list[str]] = {}
    for message in messages:
        gates.update((names.arrival(group), list(message.gates)) for group in message.groups)
    return _signal("tasks that do not run", {"stopped": list(gates), "because": because, "gates": gates})


def call(name: str, records: Mapping[str, str]) -> State:
    """Runs a nested machine and waits for it."""
    arguments = {
        "run": "{% $run %}",
        "records": dict(records),
        **_STARTED_BY,
    }
    return {
        "Type": "Task",
        "Comment": text.comment(f"machine {name}: a part of the DAG"),
        "Resource": START_EXECUTION,
        "Arguments": {
            "StateMachineArn": f"${{Machine_{names.identifier(name)}}}",
            "Input": arguments,
        },
        "Retry": [retries.of_execution()],
    }


def _signal(what: str, payload: Mapping[str, Any]) -> State:
    full = {"run": "{% $run.execution %}", **payload}
    return _invoke(what, "${Rendezvous}", full, CONTROL_TIMEOUT_SECONDS, [retries.of_signal()])


def _invoke(
    comment: str,
    function: str,
    payload: Mapping[str, Any],
    timeout_seconds: int,
    retry: Sequence[Mapping[str, Any]] | None = None,
) -> State:
    return {
        "Type": "Task",
        "Comment": text.comment(comment),
        "Resource": INVOKE,
        "Arguments": {"FunctionName": function, "Payload": dict(payload)},
        "TimeoutSeconds": timeout_seconds,
        **_retry([retries.of_lambda()] if retry is None else retry),
    }


def _retry(policies: Sequence[Mapping[str, Any]]) -> State:
    return {"Retry": list(policies)} if policies else {}


def record_of_group(group: Group, expressions: Sequence[str]) -> Any:
    """The record under which ``group`` arrives: a task's own, or for many one that tells the worst of them."""
    if len(group) == 1:
        return "{% " + expressions[0] + " %}"
    bad = f"([{', '.join(expressions)}][status != 'success'])"
    failed = f"$count({bad}[status != 'skipped']) > 0"
    worst = f"{failed} ? 'upstream_failed' : $count({bad}) > 0 ? 'skipped' : 'success'"
    return {"status": f"{{% {worst} %}}", "by": f"{{% {first_named(f'{bad}.by')} %}}"}
