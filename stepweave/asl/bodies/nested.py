"""A node that is an execution of another DAG.

Its value is what the DAG function returned there; readers take it from the run that was started. Where a condition
reads a part of it, one call of the runtime more fetches that.

Price: 1 transition besides those of the other DAG; 1 more where a condition reads a part of the value.
"""

from __future__ import annotations

from typing import Any

from stepweave.asl import names, retries, states
from stepweave.asl.bodies.message import described
from stepweave.asl.bodies.outlet import TaskOutlet
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.scopes.values import value_text
from stepweave.asl.states import State
from stepweave.asl.text import json_text, quoted
from stepweave.graph.model import FromTask


def nested(wiring: Wiring) -> dict[str, State]:
    """The states of a nested DAG, the first one first."""
    task, outlet = wiring.task, TaskOutlet(wiring)
    assert task.nested is not None
    policy = [{**one, "ErrorEquals": ["States.TaskFailed"]} for one in retries.of_task(task)[:1]]
    state = states.nested_dag(task.doc or task.id, task.nested.dag, _input(wiring), policy)
    found = {task.id: state}
    record = {"status": "success", "run": f"{{% {_run_id(task.id)} %}}"}
    if task.fields:
        fetch = states.control_call(f"value of {task.id}", _event(wiring))
        state["Next"] = names.collect(task.id)
        found[names.collect(task.id)] = fetch
        outlet.succeed(fetch, "{% $states.result.Payload %}")
    else:
        outlet.succeed(state, record)
    for one in found.values():
        caught = outlet.catchers()
        if caught:
            one["Catch"] = caught
    return found


def _input(wiring: Wiring) -> dict[str, Any]:
    assert wiring.task.nested is not None
    params = {
        name: f"{{% {value_text(binding, wiring.record_of)} %}}"
        for name, binding in wiring.task.nested.params
    }
    return {
        "params": params,
        "run_id": f"{{% {_run_id(wiring.task.id)} %}}",
        "logical_date": "{% $run.logical_date %}",
        # A further attempt goes on from what the one before it committed.
        "resume": "{% $run.resume or $states.context.State.RetryCount > 0 %}",
    }


def _event(wiring: Wiring) -> dict[str, Any]:
    task, event = wiring.task, wiring.event()
    assert task.nested is not None
    return {
        "task": task.id,
        "call": task.call,
        "run": event["run"],
        "attempt": event["attempt"],
        **described(wiring, "value", FromTask(task=task.id)),
        "nested": {"dag": task.nested.dag, "call": task.nested.call, "run": f"{{% {_run_id(task.id)} %}}"},
        "fields": json_text([list(path) for path in task.fields]),
    }


def _run_id(task: str) -> str:
    """JSONata for the id of the run that the node ``task`` starts, distinct for each item and round."""
    return f"$run.id & {quoted('.' + task)} & ($run.index ? '.' & $replace($run.index, '/', '.') : '')"
