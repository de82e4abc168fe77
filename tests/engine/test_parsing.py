"""Definitions: what is refused before anything runs, and how it is said."""

import json
from typing import Any

import pytest

from stepweave.engine.machine import Task
from stepweave.engine.parsing import parse
from stepweave.engine.substitution import substitute
from stepweave.engine.templates import is_expression
from stepweave.errors import DefinitionError
from tests.engine.building import block, call, machine, passing

END = {"End": True}


def problems(definition: dict[str, Any]) -> dict[str, str]:
    """Problems by code, as text."""
    with pytest.raises(DefinitionError) as caught:
        parse(definition, "main")
    return {problem.code: str(problem) for problem in caught.value.problems}


def test_text_and_objects_are_read() -> None:
    definition = machine(("a", passing()))
    assert (
        parse(json.dumps(definition), "x").block.states.keys() == parse(definition, "x").block.states.keys()
    )


def test_every_task_is_found_in_nested_blocks_too() -> None:
    inner = block(("c", call("f")))
    states = (
        ("a", call("f")),
        ("p", {"Type": "Parallel", "Branches": [block(("b", call("f")))]}),
        ("m", {"Type": "Map", "ItemProcessor": inner}),
    )
    tasks = list(parse(machine(*states)).tasks())
    assert all(isinstance(task, Task) and task.resource == "lambda:invoke" for task in tasks)
    assert sorted(task.name for task in tasks) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "definition,code,text",
    [
        ({**machine(("a", passing())), "QueryLanguage": "JSONPath"}, "query-language", "only JSONata"),
        (block(("a", passing())), "query-language", "JSONPath"),
        (machine(("a", {"Type": "Pass", "QueryLanguage": "JSONPath", **END})), "query-language", "main/a"),
        (machine(("a", {"Type": "Loop", **END})), "state-type", "Loop"),
        (machine(("a", passing(Next="b"))), "next", "'b'"),
        (machine(("a", {"Type": "Pass", "Next": "a", "End": True})), "next", "either Next or End"),
        ({**machine(("a", passing())), "StartAt": "b"}, "start-at", "'b'"),
        ({"QueryLanguage": "JSONata", "StartAt": "a", "States": {}}, "states", "no States"),
        (machine(("a", passing(InputPath="$.x"))), "json-path-field", "InputPath"),
        (machine(("a", passing(Speed=3))), "field", "Speed"),
        (machine(("a", {"Type": "Wait", **END})), "field", "a Wait needs Seconds or Timestamp"),
        (
            machine(("a", {"Type": "Wait", "Seconds": 1, "Timestamp": "x", **END})),
            "field",
            "Seconds and Timestamp",
        ),
        (machine(("a", {"Type": "Task", **END})), "field", "Resource"),
        (
            machine(("a", {"Type": "Task", "Resource": "lambda", **END})),
            "resource",
            "arn:aws:states:::service:call",
        ),
        (machine(("a" * 81, passing())), "state-name", "81"),
        (machine(("a", passing(Output="{% 1 + %}"))), "jsonata", "Output"),
        (machine(("a", call("f", Retry=[{"MaxAttempts": 1}]))), "field", "ErrorEquals"),
        (
            machine(("a", call("f", Retry=[{"ErrorEquals": ["x"], "BackoffRate": 0.5}]))),
            "field-value",
            "BackoffRate",
        ),
        (machine(("a", call("f", Catch=[{"ErrorEquals": ["x"], "Next": "gone"}]))), "next", "'gone'"),
        (
            machine(("a", call("f", Catch=[{"ErrorEquals": "x", "Next": "a"}]))),
            "field-value",
            "list of error names",
        ),
        (
            machine(("a", call("f", Retry=[{"ErrorEquals": ["States.ALL", "x"]}]))),
            "error-equals",
            "alone and last",
        ),
        (
            machine(("a", call("f", Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["x"]}]))),
            "error-equals",
            "alone and last",
        ),
        (machine(("a", call("f", TimeoutSeconds=0))), "field-value", "TimeoutSeconds"),
        (machine(("a", {"Type": "Wait", "Seconds": -1, **END})), "field-value", "Seconds"),
        (machine(("a", {"Type": "Parallel", "Branches": [3], **END})), "states", "no States"),
        (machine(("a", {"Type": "Parallel", "Branches": 3, **END})), "field-value", "Branches"),
        (machine(("a", {"Type": "Map", "ItemProcessor": 3, **END})), "states", "no States"),
        ({"QueryLanguage": "JSONata", "StartAt": "a", "States": {"a": 3}}, "state-type", "int"),
        (machine(("a", passing(Next=["a"]))), "next", "['a']"),
        (machine(("a", {"Type": "Choice", "Choices": [{"Next": "a"}]})), "field", "Condition"),
        (machine(("a", passing(Assign={"states": 1}))), "variable-name", "'states'"),
        (machine(("a", passing(Assign=[1]))), "field-value", "Assign"),
        ({**machine(("a", passing())), "TimeoutSeconds": 0}, "field-value", "TimeoutSeconds"),
        (
            machine(("m", {"Type": "Map", "ItemProcessor": block(("a", passing())), "ItemReader": {}})),
            "not-supported",
            "ItemReader",
        ),
        (
            machine(("p", {"Type": "Parallel", "Branches": [block(("p", passing()))]})),
            "state-name",
            "same name",
        ),
    ],
)
def test_a_mistake_in_a_definition_is_named(definition: dict[str, Any], code: str, text: str) -> None:
    found = problems(definition)
    assert text in found[code]


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_text_that_is_no_definition_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="the definition is not"):
        parse(text)


def test_a_distributed_map_is_refused_and_not_run_inline() -> None:
    processor = {
        **block(("a", passing())),
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    assert (
        "DISTRIBUTED"
        in problems(machine(("m", {"Type": "Map", "ItemProcessor": processor})))["not-supported"]
    )


def test_all_mistakes_are_reported_together() -> None:
    definition = machine(
        ("a", passing(Output="{% ( %}")), ("b", passing(Next="gone")), ("c", {"Type": "Nothing"})
    )
    assert set(problems(definition)) == {"jsonata", "next", "state-type"}


def test_placeholders_are_replaced_everywhere_and_unknown_ones_reported_together() -> None:
    definition = {"a": ["${One}", {"b": "arn:${Two}:x"}], "c": 3, "d": "$x {One}"}
    assert substitute(definition, {"One": "1", "Two": "2"}) == {
        "a": ["1", {"b": "arn:2:x"}],
        "c": 3,
        "d": "$x {One}",
    }
    with pytest.raises(DefinitionError, match=r"\$\{One\}[\s\S]*\$\{Two\}") as caught:
        substitute(definition, {"Other": "x"})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "text,expected",
    [
        ("{% 1 %}", True),
        ("{%1%}", True),
        ("{%}", False),
        (" {% 1 %}", False),
        ("{% 1", False),
        ("1 %}", False),
    ],
)
def test_only_text_that_starts_and_ends_with_the_marks_is_an_expression(text: str, expected: bool) -> None:
    assert is_expression(text) is expected
