"""The specs of loops and of nested DAGs: the state of a round, the last round, the run of another DAG."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepweave.runtime.events import RunInfo
from stepweave.runtime.inputs import Inputs
from stepweave.runtime.lazily import part
from stepweave.runtime.mapped_nodes import component
from stepweave.runtime.survey import survey

Spec = dict[str, Any]


def state(inputs: Inputs, spec: Spec, kind: str, read: Callable[[Inputs, Spec], Any]) -> Any:
    """What ``read`` makes of the state of this round: of the loop's start, or of what the round before carried.

    A loop that carries a part of its state on is read from its start, round by round: going back would recurse too
    deep in a long one. ``kind`` names ``read``, whose answers are kept.
    """
    depth = spec["d"]
    base, number = inputs.index[:depth], component(inputs, depth)
    if not spec["s"]:  # inside of what it carries: read just before
        return inputs.states[kind, (*base, str(number))]
    carry = spec["s"]["carry"]
    found: Any = None
    for reached in range(0 if _mentions_state(carry, depth) else number, number + 1):
        key = kind, (*base, str(reached))
        if key not in inputs.states:
            if reached == 0:
                inputs.states[key] = read(inputs, spec["s"]["start"])
            else:
                inputs.states[key] = read(inputs.at((*base, str(reached - 1))), carry)
        found = inputs.states[key]
    return found


def state_digest(inputs: Inputs, spec: Spec) -> str:
    """What :func:`state` reads where the digest of the state is asked for."""
    return inputs.digest_of_spec(spec)[0]


def elsewhere(inputs: Inputs, spec: Spec) -> tuple[Inputs, Spec] | None:
    """Where the value of a loop or of a nested DAG is to be read, and by which spec; None when there is no value."""
    if inputs.status(spec["of"], spec.get("d", 0)) not in (None, "success"):
        return None
    if "last" in spec:
        last = _last_round(inputs, spec)
        return None if last is None else (last, spec["last"])
    run = inputs.event["run"]
    index = inputs.index[: spec.get("d", 0)]
    other = inputs.of_run(RunInfo(dag=spec["dag"], id=".".join((run["id"], spec["of"], *index))))
    return other, _in_run_of(other, spec["n"], spec["call"])


def _mentions_state(carry: Any, depth: int) -> bool:
    stack = [carry]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            if one.get("s") == {} and one.get("d") == depth:
                return True
            stack.extend(value for name, value in one.items() if name != "v")
        elif isinstance(one, list):
            stack.extend(one)
    return False


def _last_round(inputs: Inputs, spec: Spec) -> Inputs | None:
    base = inputs.index[: spec["d"]]
    if "x" in spec and inputs.sees(spec["d"]):
        last = inputs.event["values"][spec["x"]]
        if last is None:
            return None
    else:
        last = 0
        while _exists(inputs.at((*base, str(last + 1))), spec["last"]):
            last += 1
    return inputs.at((*base, str(int(last))))


def _exists(inputs: Inputs, spec: Spec) -> bool:
    return any(inputs.exists(task, depth) for task, depth in survey([spec]).tasks)


def _in_run_of(other: Inputs, spec: Spec, call: str) -> Spec:
    if "t" not in spec or other.find_envelope(spec["t"], 0) is not None:
        return spec
    # Not a plain task there: only its DAG knows how its value is put together.
    whole: Spec = part("graph_arguments").value_spec_of(call, spec["t"])
    return {"part": whole, "p": spec["p"]} if "p" in spec else whole
