"""Mock files: from JSON to mocks.

Ours gives one response, or a list of which each call takes the next (the last repeats), by key:

    {"Charge card": [{"Throw": {"Error": "CardDeclined"}}, {"Return": {"id": "ch_1"}}], "dynamodb:*": {"Return": {}}}

Its key ``aws`` is no mock: it lists calls that create what the machine needs, ``{"call": "sqs:createQueue",
"arguments": {…}}`` each.

The other is that of AWS Step Functions Local, in which a test case of a state machine gives the responses by state:
https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from stepweave.engine.mock_responses import SHAPE, Surroundings, outcome_of, problems_of, shape_problem
from stepweave.engine.mocks import Mock, Outcome
from stepweave.errors import DefinitionError, Problem, UsageError

_CALLS = re.compile(r"(\d+)(?:-(\d+))?")
_CASES = ("StateMachines", "MockedResponses")
SET_UP = "aws"
"""The key under which a mock file has its set-up calls."""
_MOST_CALLS = 10_000
"""Calls that one response may stand for."""


def read_mocks(
    content: Any,
    surroundings: Surroundings,
    *,
    machine: str,
    case: str | None = None,
    file: str | None = None,
) -> dict[str, Mock]:
    """The mocks that a mock file's JSON says, by key.

    ``case`` chooses the test case of a file of AWS Step Functions Local, in which ``machine`` is the state machine's
    name. Raises ``DefinitionError`` with everything wrong in the file, ``UsageError`` for a case that it has not.
    """
    if not isinstance(content, Mapping):
        raise DefinitionError(
            [shape_problem("a mock file is an object", file=file, got=type(content).__name__)]
        )
    if "StateMachines" in content:
        entries = _case(content, machine, case, file)
        problems = list(_case_problems(entries, content))
    elif case is not None:
        raise UsageError(
            f"there are no test cases to choose {case!r} from: the mock file has no StateMachines; leave --case out"
        )
    else:
        mocked = {key: entry for key, entry in content.items() if key != SET_UP}
        entries = {key: entry if isinstance(entry, list) else [entry] for key, entry in mocked.items()}
        problems = [problem for key, entry in entries.items() for problem in _entry_problems(key, entry)]
    if problems:
        raise DefinitionError(replace(problem, file=file) for problem in problems)
    if "StateMachines" in content:
        return {state: _numbered(state, content, name, surroundings) for state, name in entries.items()}
    return {
        key: Mock(key, [outcome_of(response, surroundings) for response in entry])
        for key, entry in entries.items()
    }


def read_set_up(content: Mapping[str, Any], file: str | None = None) -> tuple[Mapping[str, Any], ...]:
    """The calls that a mock file makes before the machine runs, for ``AwsServices.prepare``.

    Raises ``DefinitionError`` for what is no list of calls.
    """
    calls = content.get(SET_UP, []) if "StateMachines" not in content else []
    if not isinstance(calls, list) or not all(_is_call(call) for call in calls):
        problem = shape_problem(
            f"{SET_UP!r} in a mock file lists the calls that set up what the machine needs",
            file=file,
            expected='[{"call": "sqs:createQueue", "arguments": {"QueueName": "orders"}}]',
            got=repr(calls),
            fix="to mock a state of this name, mock its resource",
        )
        raise DefinitionError([problem])
    return tuple(calls)


def _is_call(call: Any) -> bool:
    return (
        isinstance(call, Mapping)
        and isinstance(call.get("call"), str)
        and isinstance(call.get("arguments", {}), Mapping)
        and not set(call) - {"call", "arguments"}
    )


def _entry_problems(key: str, entry: list[Any]) -> Iterator[Problem]:
    if not entry:
        yield shape_problem(f"the mock {key!r} has no response", expected=SHAPE, got="[]")
    for number, response in enumerate(entry):
        where = f"the mock {key!r}" if len(entry) == 1 else f"response {number} of the mock {key!r}"
        yield from problems_of(response, where)


# Files of AWS Step Functions Local.


def _case(content: Mapping[str, Any], machine: str, case: str | None, file: str | None) -> dict[str, Any]:
    """The test case: the name of a mocked response by state."""
    problems = [
        shape_problem(
            f"{part} is not an object", file=file, expected="an object", got=repr(content.get(part))
        )
        for part in _CASES
        if not isinstance(content.get(part), Mapping)
    ]
    if problems:
        raise DefinitionError(problems)
    machines: Mapping[str, Any] = content["StateMachines"]
    found = machines.get(machine) or (next(iter(machines.values())) if len(machines) == 1 else None)
    if found is None:
        raise UsageError(
            f"the mock file has no state machine {machine!r}, but {_listed(machines)}; name the file so"
        )
    cases = found.get("TestCases") if isinstance(found, Mapping) else None
    if not isinstance(cases, Mapping) or not all(isinstance(states, Mapping) for states in cases.values()):
        raise DefinitionError(
            [shape_problem("TestCases is not an object of objects", file=file, got=repr(cases))]
        )
    if case is None:
        raise UsageError(f"the mock file has test cases; choose one with --case: {_listed(cases)}")
    if case not in cases:
        raise UsageError(f"the mock file has no test case {case!r}, but {_listed(cases)}")
    return dict(cases[case])


def _case_problems(entries: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[Problem]:
    responses = content["MockedResponses"]
    for state, name in entries.items():
        if name not in responses:
            near = difflib.get_close_matches(str(name), responses, n=1)
            yield shape_problem(
                f"the test case mocks the state {state!r} by {name!r}, which is no mocked response",
                expected=_listed(responses),
                got=repr(name),
                fix=f"write {near[0]!r}" if near else "add it to MockedResponses",
            )
    for name in dict.fromkeys(entries.values()):
        if name in responses:
            yield from _response_problems(str(name), responses[name])


def _response_problems(name: str, response: Any) -> Iterator[Problem]:
    where = f"the mocked response {name!r}"
    if not isinstance(response, Mapping) or not response:
        yield shape_problem(
            f"{where} has no calls", expected='{"0": response, "1-2": response}', got=repr(response)
        )
        return
    ranges: list[tuple[int, int]] = []
    for calls, each in response.items():
        match = _CALLS.fullmatch(calls)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if not first <= last <= _MOST_CALLS:
            yield shape_problem(
                f"{calls!r} in {where} names no calls", expected='"0" or "1-2"', got=repr(calls)
            )
            return
        ranges.append((first, last))
        yield from problems_of(each, f"{calls!r} in {where}")
    expected = 0
    for first, last in sorted(ranges):
        if first != expected:
            what = "says nothing of" if first > expected else "says twice what happens in"
            yield shape_problem(
                f"{where} {what} call {min(first, expected)}", expected="calls 0, 1, 2 … once each"
            )
            return
        expected = last + 1


def _numbered(state: str, content: Mapping[str, Any], name: str, surroundings: Surroundings) -> Mock:
    outcomes: dict[int, Outcome] = {}
    for calls, response in content["MockedResponses"][name].items():
        first, _, last = calls.partition("-")
        outcome = outcome_of(response, surroundings, constant=True)
        outcomes |= dict.fromkeys(range(int(first), int(last or first) + 1), outcome)
    return Mock(state, [outcomes[number] for number in sorted(outcomes)], repeats=False)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names) or "none"
