"""Where the two interpreters differ: each kind of difference is a row of docs/parity.md, and stays one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sfnx.testing as other

from stepweave.validation.definition import validate
from tests.parity.interpreters import in_our_engine, in_sfnx
from tests.parity.scenarios import ROOT, Ending, Outcome, Scenario

PAGE = (Path(__file__).parents[2] / "docs" / "parity.md").read_text()
TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Arguments": {"FunctionName": "TaskRunner", "Payload": {"task": "a", "attempt": 0}},
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A machine, and how it ends in either: the output as JSON text, or the error."""

    states: Mapping[str, Any]
    ours: str
    theirs: str
    error: str | None = None
    """Error of the task ``a``."""
    machine: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the machine itself."""

    def scenario(self) -> Scenario:
        first = next(iter(self.states))
        definition = {
            "QueryLanguage": "JSONata",
            "StartAt": first,
            "States": dict(self.states),
            **self.machine,
        }
        endings = {"a": Ending(errors=((self.error, "{}"),), never=True)} if self.error else {}
        return Scenario({ROOT: definition}, endings)


def gives(expression: str, ours: str, theirs: str) -> Difference:
    """A machine that evaluates one expression."""
    return Difference({"a": {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}}, ours, theirs)


def catches(error: str, catcher: str, ours: str, theirs: str) -> Difference:
    """A machine whose task fails with ``error`` and has one catcher."""
    states = {
        "a": TASK | {"Catch": [{"ErrorEquals": [catcher], "Next": "caught"}], "End": True},
        "caught": {"Type": "Pass", "Output": "caught", "End": True},
    }
    return Difference(states, ours, theirs, error)


FAILED_EVALUATION = "States.QueryEvaluationError"
DIFFERENCES = {
    "numbers that are whole": gives("$parse('[1.0]')", "[1]", "[1.0]"),
    "integers beyond 2^53": gives("$parse('9007199254740993')", "9007199254740992", "9007199254740993"),
    "text of long fractions": gives("$string(2/3)", '"0.666666666666667"', '"0.666666666666666"'),
    "`&` with long integers": gives("9007199254740991 & ''", '"9007199254740991"', '"9.00719925474099e+15"'),
    "control characters in `$string`": gives(
        "$string(['\\u0001'])", '"[\\"\\\\u0001\\"]"', '"[\\"\\u0001\\"]"'
    ),
    "a function in a result": gives("[function($x) { $x }]", "[null]", FAILED_EVALUATION),
    "`$parse` of null": gives("$parse('null')", FAILED_EVALUATION, "null"),
    "`$count` of null": gives("$count(null)", "1", "0"),
    "`+` in `$decodeUrlComponent`": gives("$decodeUrlComponent('a+b')", '"a+b"', '"a b"'),
    "names of time zones": gives("$fromMillis(0, '[Y]', 'utc')", FAILED_EVALUATION, '"1970"'),
    "division by zero": gives("1/0", FAILED_EVALUATION, "crash"),
    "`States.DataLimitExceeded` and `States.ALL`": catches(
        "States.DataLimitExceeded", "States.ALL", "States.DataLimitExceeded", '"caught"'
    ),
    "`States.HeartbeatTimeout` and `States.TaskFailed`": catches(
        "States.HeartbeatTimeout", "States.TaskFailed", "States.HeartbeatTimeout", '"caught"'
    ),
    "`States.QueryEvaluationError` and `States.TaskFailed`": catches(
        FAILED_EVALUATION, "States.TaskFailed", '"caught"', FAILED_EVALUATION
    ),
    "a Fail without an error": Difference({"a": {"Type": "Fail"}}, "none", ""),
    "a Fail whose error is no text": Difference(
        {"a": {"Type": "Fail", "Error": "{% 1 %}"}}, FAILED_EVALUATION, "1"
    ),
    "payloads over 256 KiB": gives("$pad('', 300000)", "States.DataLimitExceeded", json.dumps(" " * 300_000)),
    "the time limit of a machine": Difference(
        {"a": {"Type": "Wait", "Seconds": 10, "Output": 1, "End": True}},
        "States.Timeout",
        "1",
        machine={"TimeoutSeconds": 5},
    ),
    "states that nothing leads to": Difference(
        {"a": {"Type": "Succeed", "Output": 1}, "b": {"Type": "Succeed"}}, "1", "refused"
    ),
    "`$states.result` where there is none": gives("$states.result", FAILED_EVALUATION, "refused"),
}


def parallel_with_a_failure() -> Scenario:
    """A branch that calls a task after a while, beside one that fails at once."""
    slow = {"w": {"Type": "Wait", "Seconds": 10, "Next": "a"}, "a": TASK | {"End": True}}
    fails = {"f": {"Type": "Fail", "Error": "Broken"}}
    states = [{"StartAt": "w", "States": slow}, {"StartAt": "f", "States": fails}]
    return Difference({"p": {"Type": "Parallel", "Branches": states, "End": True}}, "", "").scenario()


def ending(outcome: Outcome) -> str:
    if outcome.status == "SUCCEEDED":
        return json.dumps(outcome.output)
    return "none" if outcome.error is None else outcome.error


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_known_difference_is_as_described(name: str) -> None:
    difference = DIFFERENCES[name]
    ours, _ = in_our_engine(difference.scenario())
    try:
        theirs = ending(in_sfnx(difference.scenario(), {}))
    except other.InvalidDefinition:
        theirs = "refused"
    except ArithmeticError:
        theirs = "crash"
    assert (ending(ours), theirs) == (difference.ours, difference.theirs)


def test_a_branch_that_fails_stops_the_others_only_where_time_passes() -> None:
    ours, _ = in_our_engine(parallel_with_a_failure())
    theirs = in_sfnx(parallel_with_a_failure(), {})
    assert (ours.error, theirs.error) == ("Broken", "Broken")
    assert (ours.calls.total(), theirs.calls.total()) == (0, 1)


def test_the_text_of_a_cause_is_each_interpreters_own() -> None:
    scenario = gives("$nope", "", "").scenario()
    ours, theirs = in_our_engine(scenario)[0], in_sfnx(scenario, {})
    assert ours.error == theirs.error == FAILED_EVALUATION
    assert ours.cause != theirs.cause


@pytest.mark.parametrize("name", ["states that nothing leads to", "`$states.result` where there is none"])
def test_what_only_sfnx_refuses_our_linter_refuses(name: str) -> None:
    assert validate(DIFFERENCES[name].scenario().definitions[ROOT])


def test_the_page_has_a_row_for_every_difference() -> None:
    table = PAGE.partition("## Differences")[2].splitlines()
    rows = {line.removeprefix("| ").partition(" | ")[0] for line in table if line.startswith("| ")}
    assert rows - {"what"} == DIFFERENCES.keys() | {"failures beside running branches", "the text of a cause"}
