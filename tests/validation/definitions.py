"""Small definitions, and what validation says of them."""

from __future__ import annotations

from typing import Any

from stepweave.errors import Problem
from stepweave.validation.definition import validate
from stepweave.validation.severity import rejections

LAMBDA = "arn:aws:states:::lambda:invoke"
INNER = {"StartAt": "in", "States": {"in": {"Type": "Succeed"}}}


def machine(*states: dict[str, Any], **top: Any) -> dict[str, Any]:
    """A machine in JSONata mode of states ``a``, ``b``, …, each followed by the next if it does not say otherwise."""
    names = "abcdefgh"[: len(states)]
    linked: dict[str, Any] = {}
    for index, (name, state) in enumerate(zip(names, states, strict=True)):
        ends = state["Type"] in ("Succeed", "Fail", "Choice") or "Next" in state or "End" in state
        following = {"End": True} if index + 1 == len(names) else {"Next": names[index + 1]}
        linked[name] = state if ends else {**state, **following}
    return {"QueryLanguage": "JSONata", "StartAt": "a", "States": linked, **top}


def task(resource: str = LAMBDA, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    """A Task; without ``arguments`` it calls the function ``f``."""
    given = {"FunctionName": "f"} if arguments is None else arguments
    return {"Type": "Task", "Resource": resource, "Arguments": given, **fields}


def mapped(
    mode: str = "INLINE", execution: str | None = None, inner: Any = None, **fields: Any
) -> dict[str, Any]:
    """A Map whose processor is ``inner``."""
    config = {"Mode": mode} | ({"ExecutionType": execution} if execution else {})
    return {"Type": "Map", "ItemProcessor": {**(inner or INNER), "ProcessorConfig": config}, **fields}


def distributed(execution: str = "STANDARD", inner: Any = None, **fields: Any) -> dict[str, Any]:
    """A Distributed Map."""
    return mapped("DISTRIBUTED", execution, inner, **fields)


def found(definition: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Code and state of each problem."""
    return [(problem.code, problem.state) for problem in validate(definition)]


def of_state(*states: dict[str, Any]) -> list[str]:
    """Codes of the problems of a machine of these states, which are all in state ``a``."""
    problems = validate(machine(*states))
    assert {problem.state for problem in problems} <= {"a"}
    return [problem.code for problem in problems]


def rejected(definition: dict[str, Any]) -> tuple[Problem, ...]:
    """The problems for which Step Functions rejects the definition."""
    return rejections(validate(definition))
