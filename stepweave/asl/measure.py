"""What definitions cost: states, transitions on the path of success, worst-case history events, bytes.

History arithmetic: a Pass, Choice, Wait or Succeed is 2 events; a request-response task 5 and 3 more for each
further attempt; a ``.sync`` or ``.waitForTaskToken`` task 6 and 4 more; a Parallel 4 besides its branches, a Map 6
and 2 per item; an execution 2 (https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stepweave.asl.failures import WON
from stepweave.asl.retries import RETRY_AFTER
from stepweave.asl.scopes.limits import ITERATION_EVENTS
from stepweave.asl.scopes.scope import Repeat
from stepweave.asl.states import State

_MACHINE = re.compile(r"\$\{Machine_(\w+)\}")


NO_REPEATS: Mapping[str, Repeat] = {}
_ONCE = Repeat(1, 1)


def every_state(definition: Mapping[str, Any]) -> Iterator[tuple[str, State]]:
    """(name, state) of all states of a machine, those inside branches and maps included."""
    stack = [definition["States"]]
    while stack:
        for name, state in stack.pop().items():
            yield name, state
            stack.extend(frame["States"] for frame in _frames(state))


def _frames(state: State) -> Iterator[dict[str, Any]]:
    yield from state.get("Branches", ())
    if "ItemProcessor" in state:
        yield state["ItemProcessor"]


def _is_distributed(state: State) -> bool:
    return bool(state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED")


def history_events(definition: Mapping[str, Any], repeats: Mapping[str, Repeat] = NO_REPEATS) -> int:
    """Events of an execution in which every state runs and every retry is used up; no path has more.

    The largest of those of the machine and of the executions that its distributed maps start.
    """
    executions = [definition["States"]]
    for _, state in every_state(definition):
        if "ItemProcessor" in state and _is_distributed(state):
            executions.append(state["ItemProcessor"]["States"])
    return max(2 + worst_case(states, repeats) for states in executions)


def worst_case(states: Mapping[str, State], repeats: Mapping[str, Repeat]) -> int:
    """Events of ``states`` in one execution when all of them run, as often as ``repeats`` says."""
    total = 0
    stack = [(states, 1)]
    while stack:
        inside, times = stack.pop()
        again = _put_off(inside)
        for name, state in inside.items():
            most = repeats.get(name, _ONCE).most if "ItemProcessor" not in state else 1
            most *= again.get(name, 1)
            total += _events(state) * times * most
            stack.extend((branch["States"], times * most) for branch in state.get("Branches", ()))
            if "ItemProcessor" in state and not _is_distributed(state):
                items = times * repeats.get(name, _ONCE).most
                total += ITERATION_EVENTS * items
                stack.append((state["ItemProcessor"]["States"], items))
    return total


def _put_off(states: Mapping[str, State]) -> dict[str, int]:
    """How often the states run of an attempt that may ask to be put off: from the first, by the Wait, to it again."""
    found: dict[str, int] = {}
    for name, state in states.items():
        for catcher in state.get("Catch", ()):
            if catcher["ErrorEquals"] == [RETRY_AFTER]:
                wait = catcher["Next"]
                first = states[wait]["Next"]
                job = states[first]["Next"] if first != name else name
                most = states[first]["Arguments"]["Payload"]["later_most"]
                found.update(dict.fromkeys((wait, first, job, name), 1 + most))
    return found


def _events(state: State) -> int:
    match state["Type"]:
        case "Task":
            base, again = (
                (6, 4) if ".sync" in state["Resource"] or ".waitFor" in state["Resource"] else (5, 3)
            )
            retries: int = sum(retrier["MaxAttempts"] for retrier in state.get("Retry", ()))
            return base + again * retries
        case "Parallel":
            return 4
        case "Map":
            return 6
        case "Fail":
            return 1
        case _:
            return 2


def transitions(definitions: Mapping[str, Mapping[str, Any]], repeats: Mapping[str, Repeat]) -> int:
    """States entered when every task succeeds at once, nested machines included.

    A map counts the items that were written in the DAG, else one; a loop one round.
    """
    total = 0
    stack: list[tuple[Mapping[str, Any], int]] = [(definitions[""], 1)]
    while stack:
        frame, times = stack.pop()
        name: str | None = frame["StartAt"]
        while name is not None:
            state = frame["States"][name]
            total += times
            won = _won(state)
            if won is not None:
                total += times * _raced(state)
                name = won
                continue
            stack.extend((inner, times * repeats.get(name, _ONCE).planned) for inner in _frames(state))
            called = _MACHINE.match(state.get("Arguments", {}).get("StateMachineArn", ""))
            if called:
                stack.append((definitions[called.group(1)], times))
            # The first rule of a compiled Choice is the one that goes on.
            name = state["Choices"][0]["Next"] if "Choices" in state else state.get("Next")
    return total


def _won(state: State) -> str | None:
    """Where a race goes on when one of its attempts has succeeded; None for what is no race."""
    return next((one["Next"] for one in state.get("Catch", ()) if one["ErrorEquals"] == [WON]), None)


def _raced(race: State) -> int:
    """States entered in a race that is won at once: those of the attempts that began, and the end of the winner."""
    total = 1
    for branch in race["Branches"]:
        states: Mapping[str, State] = branch["States"]
        name = branch["StartAt"]
        while states[name]["Type"] not in ("Fail", "Wait"):
            total += 1
            name = states[name]["Next"]
        total += states[name]["Type"] == "Wait"
    return total
