"""A speculation: its body begins before it is decided whether it counts, and is dropped as soon as it does not.

    x (Parallel) of  [the body]
                     [x: decision → x: taken? ┬ taken ─────▶ x: taken]
                                              └ otherwise ─▶ a Fail, which ends the body as well
    x: verdict ┬ success ▶ x: commit, by which what the body has staged becomes its tasks' results
               └ otherwise, as a task that ended so

Price: the body, and 6 more; 1 for the signal that tells the decision.
"""

from __future__ import annotations

from typing import Any

from stepweave.asl import failures, names, states
from stepweave.asl.bodies.outlet import TaskOutlet
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.failures import Ended
from stepweave.asl.field_order import in_order
from stepweave.asl.payload import field_key
from stepweave.asl.scopes.binding import bind, free_variables
from stepweave.asl.scopes.bodies import body_inside
from stepweave.asl.scopes.values import part_of
from stepweave.asl.states import State
from stepweave.asl.text import comment
from stepweave.graph.constructs import Speculation
from stepweave.graph.model import Graph
from stepweave.planning.meetings import decision_gate
from stepweave.planning.model import Await

_DROPPED, _UNDECIDED = "Dropped", "NotDecided"


def speculated(wiring: Wiring) -> dict[str, State]:
    """The states of a speculation, the first one first."""
    task = wiring.task
    assert task.speculation is not None
    outlet = TaskOutlet(wiring)
    state: State = {
        "Type": "Parallel",
        "Comment": comment(task.doc or f"{task.id}, before {task.speculation.decider} has decided"),
        "Branches": [_body(wiring), _decision(wiring, task.speculation)],
        "Output": "{% $states.result[0] %}",
        "Next": names.verdict(task.id),
        "Catch": [
            _refused(outlet, task.id, _DROPPED, failures.skipped(task.id), "skipped"),
            _refused(outlet, task.id, _UNDECIDED, _not_run(task.id), "upstream_failed"),
            *outlet.catchers(),
        ],
    }
    return {task.id: state, names.verdict(task.id): _verdict(outlet, task.id), **_commit(wiring, outlet)}


def _body(wiring: Wiring) -> dict[str, Any]:
    task = wiring.task
    assert task.body is not None
    result = task.body.result
    fields = tuple((field_key(path), part_of(result, path)) for path in task.fields) if result else ()
    body = body_inside(wiring, is_item=False, fields=fields)
    outside = {names.outer(one): one for one in wiring.scene.places.tasks}
    values = {name: wiring.record_of(outside[name]) for name in free_variables(body) if name in outside}
    bound: dict[str, Any] = bind(body, values)
    return bound


def _decision(wiring: Wiring, speculation: Speculation) -> dict[str, Any]:
    """The branch that waits for the decision, and fails unless it is in favour."""
    node, decider = wiring.task.id, speculation.decider
    timeout = wiring.scene.graph.dag.timeout_seconds or states.GATE_TIMEOUT_SECONDS
    wait = states.gate(Await(decision_gate(node), ((decider,),)), False, timeout)
    record = names.member("$states.input.records", decider)
    cases = [f"'{case}' in {record}.chosen" for case in speculation.cases]
    taken, dropped, undecided = f"{node}: taken", f"{node}: dropped", f"{node}: undecided"
    choose: State = {
        "Type": "Choice",
        "Comment": comment(f"{decider} chose {' or '.join(speculation.cases)}"),
        "Choices": [
            {"Condition": f"{{% {record}.status = 'success' and ({' or '.join(cases)}) %}}", "Next": taken},
            {"Condition": f"{{% {record}.status in ['failed', 'upstream_failed'] %}}", "Next": undecided},
        ],
        "Default": dropped,
    }
    chosen, waiting = f"{node}: taken?", names.decision(node)
    return {
        "StartAt": waiting,
        "States": in_order(
            {
                waiting: {**wait, "Output": "{% $states.result %}", "Next": chosen},
                chosen: choose,
                taken: {"Type": "Pass", "Output": {}, "End": True},
                undecided: {"Type": "Fail", "Error": _UNDECIDED, "Cause": decider},
                dropped: {"Type": "Fail", "Error": _DROPPED, "Cause": decider},
            }
        ),
    }


def _refused(outlet: TaskOutlet, node: str, error: str, ended: Ended, status: str) -> dict[str, Any]:
    shown = {"node": node, "status": status}
    return {"ErrorEquals": [error], "Output": shown, **outlet.onward(ended)}


def _not_run(node: str) -> Ended:
    record = {"status": "{% 'upstream_failed' %}", "by": [node]}
    return Ended(record, record)


def _verdict(outlet: TaskOutlet, node: str) -> State:
    """The choice by how the body ended; its input is the body's record."""
    status = "$states.input.status"
    ended = Ended(
        {"status": f"{{% {status} %}}", "by": [node]},
        {"status": f"{{% {status} = 'skipped' ? 'skipped' : 'upstream_failed' %}}", "by": [node]},
    )
    rest = dict(outlet.onward(ended))
    return {
        "Type": "Choice",
        "Comment": "how the body ended",
        "Choices": [{"Condition": f"{{% {status} = 'success' %}}", "Next": names.commit(node)}],
        "Default": rest.pop("Next"),
        "Output": {"node": node, "status": f"{{% {status} %}}"},
        **rest,
    }


def _commit(wiring: Wiring, outlet: TaskOutlet) -> dict[str, State]:
    """The call by which what was staged becomes results; its input is the body's record."""
    task = wiring.task
    assert task.body is not None
    event = {
        "task": task.id,
        "run": "{% $run %}",
        "attempt": "{% $states.context.State.RetryCount %}",
        "commit": list(_called(task.body.graph)),
    }
    state = states.control_call(f"results of {task.id}", event)
    outlet.succeed(state, "{% $states.input %}")
    state.setdefault("Output", {"node": task.id, "status": "success"})
    caught = outlet.catchers()
    return {names.commit(task.id): {**state, "Catch": caught} if caught else state}


def _called(graph: Graph) -> list[str]:
    """Tasks of ``graph`` that leave results, those of bodies inside included."""
    found = []
    for task in graph.tasks:
        if task.body is not None:
            found += _called(task.body.graph)
        elif task.condition is None:
            found.append(task.id)
    return found
