"""Definitions: what is refused before anything runs, how it is said, and what is read of the rest."""

import json
from typing import Any

import pytest

from stepweave.engine.machine import Map, Parallel, Pass, Task, Wait
from stepweave.engine.parsing import parse
from stepweave.engine.reading import read
from stepweave.engine.substitution import substitute
from stepweave.engine.templates import is_expression
from stepweave.errors import DefinitionError
from tests.engine.building import block, call, machine, passing

END = {"End": True}
READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "Arguments": {"Bucket": "b", "Key": "{% $states.input.key %}"},
    "ReaderConfig": {
        "InputType": "CSV",
        "CSVHeaderLocation": "GIVEN",
        "CSVHeaders": ["{% no expression"],
        "MaxItems": "{% 1 + 1 %}",
    },
}
WRITER = {
    "Resource": "arn:aws:states:::s3:putObject",
    "Arguments": {"Bucket": "b", "Prefix": "p"},
    "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"},
}


def problems(definition: dict[str, Any]) -> dict[str, str]:
    """Problems by code, as text."""
    with pytest.raises(DefinitionError) as caught:
        parse(definition, "main")
    return {problem.code: str(problem) for problem in caught.value.problems}


def only(definition: dict[str, Any]) -> Any:
    """The only state of a machine."""
    (state,) = parse(definition).block.states.values()
    return state


def distributed(execution: str = "STANDARD", **fields: Any) -> dict[str, Any]:
    """A distributed Map."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": execution}
    return {
        "Type": "Map",
        "ItemProcessor": {**block(("each", passing())), "ProcessorConfig": config},
        **fields,
    }


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
    "definition,code,state",
    [
        (machine(("a", passing(Next="b"))), "unknown-target", "a"),
        (machine(("a", passing(InputPath="$.x"))), "jsonpath-field", "a"),
        (machine(("a", {"Type": "Wait", **END})), "wait-form", "a"),
        (machine(("a", call("f", Retry=[{"MaxAttempts": 1}]))), "missing-field", "a"),
        (machine(("a", {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.sync"})), "resource", "a"),
        (machine(("p", {"Type": "Parallel", "Branches": [block(("b", {"Type": "Loop"}))]})), "state-type", "p[0]/b"),
        (machine(("m", {"Type": "Map", "ItemProcessor": block(("b", passing(Speed=1)))})), "unknown-field", "m[*]/b"),
    ],
)  # fmt: skip
def test_what_step_functions_rejects_is_refused_with_the_state_s_path(
    definition: dict[str, Any], code: str, state: str
) -> None:
    assert f"main: state '{state}': " in problems(definition)[code]


@pytest.mark.parametrize(
    "definition",
    [
        machine(("a", passing(Output="{% $never %}"))),
        machine(("a", passing(Output="{% $noFunction() %}"))),
        machine(("a", call("f", Catch=[{"ErrorEquals": ["States.Odd"], "Next": "b"}])), ("b", passing())),
        machine(("a", {"Type": "Map", "ItemProcessor": block(("i", passing())), "ItemReader": READER})),
    ],
)
def test_what_step_functions_accepts_is_read_though_it_ends_badly(definition: dict[str, Any]) -> None:
    assert "a" in parse(definition).block.states


@pytest.mark.parametrize("text", ["{", "NaN", "[" * 100_000, '{"StartAt": "a", "StartAt": "b"}'])
def test_text_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(text, "main")
    assert {problem.code for problem in caught.value.problems} & {"json", "duplicate-key"}
    assert {problem.file for problem in caught.value.problems} == {"main"}


@pytest.mark.parametrize("text", ["[]", "3", "null"])
def test_json_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="the definition is no object"):
        parse(text)


def test_all_mistakes_are_reported_together() -> None:
    definition = machine(
        ("a", passing(Output="{% ( %}")), ("b", passing(Next="gone")), ("c", {"Type": "Nothing"})
    )
    assert set(problems(definition)) == {
        "expression-syntax",
        "unknown-target",
        "state-type",
        "unreachable-state",
    }


def test_the_jsonata_library_has_the_last_word_on_expressions() -> None:
    inner = machine(("p", {"Type": "Parallel", "Branches": [block(("b", passing(Output=["{% /a(/ %}"])))]}))
    with pytest.raises(DefinitionError) as caught:
        read(inner, "main")
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.state) == ("expression-syntax", "main", "p[0]/b")
    assert problem.what.startswith("Output is not a JSONata expression")


def test_a_resource_that_deployment_would_fill_in_cannot_run() -> None:
    state = {"Type": "Task", "Resource": "${Run}", "Arguments": {}}
    assert "${Run}" in problems(machine(("a", state)))["substitution"]


@pytest.mark.parametrize(
    "arn,resource",
    [
        ("arn:aws:states:eu-west-1:123456789012:activity:press", "activity"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:f:1", "lambda:function"),
    ],
)
def test_activities_and_functions_are_named_by_their_own_arn(arn: str, resource: str) -> None:
    task = only(machine(("a", {"Type": "Task", "Resource": arn})))
    assert (task.resource, task.target) == (resource, arn)


def test_the_head_of_an_arn_is_left_out_of_a_resource() -> None:
    state = {"Type": "Task", "Resource": "arn:aws-cn:states:::aws-sdk:s3:getObject", "Arguments": {}}
    task = only(machine(("a", state)))
    assert (task.resource, task.target) == ("aws-sdk:s3:getObject", "")


def test_retriers_have_the_defaults_of_the_language() -> None:
    full = {
        "ErrorEquals": ["a", "b"],
        "IntervalSeconds": 2,
        "MaxAttempts": 0,
        "BackoffRate": 1.5,
        "MaxDelaySeconds": 9,
        "JitterStrategy": "FULL",
    }
    first, second = only(machine(("a", call("f", Retry=[full, {"ErrorEquals": ["c"]}])))).retry
    assert (first.errors, first.interval_seconds, first.max_attempts) == (frozenset("ab"), 2, 0)
    assert (first.backoff_rate, first.max_delay_seconds, first.jitter) == (1.5, 9, True)
    assert (second.interval_seconds, second.max_attempts, second.backoff_rate) == (1, 3, 2.0)
    assert (second.max_delay_seconds, second.jitter) == (None, False)


def test_a_distributed_map_is_read_with_all_its_fields() -> None:
    batcher = {"MaxItemsPerBatch": 5, "MaxInputBytesPerBatch": "{% 9 %}", "BatchInput": {"x": 1}}
    state = distributed(
        "EXPRESS", Label="rows", ItemReader=READER, ItemBatcher=batcher, ResultWriter=WRITER,
        ToleratedFailureCount=1, ToleratedFailurePercentage="{% 50 %}", MaxConcurrency=7,
    )  # fmt: skip
    found = only(machine(("m", state)))
    assert isinstance(found, Map)
    assert found.max_concurrency.value == 7
    parts = found.distributed
    assert parts is not None
    assert parts.reader
    assert parts.batcher
    assert parts.writer
    assert (parts.express, parts.label) == (True, "rows")
    assert (parts.reader.resource, parts.writer.resource) == ("s3:getObject", "s3:putObject")
    templates = (
        parts.reader.arguments, parts.batcher.max_items, parts.batcher.max_bytes, parts.batcher.batch_input,
        parts.writer.arguments, parts.writer.config, parts.tolerated_count, parts.tolerated_percentage,
    )  # fmt: skip
    assert [template.constant for template in templates if template] == [
        False, True, False, True, True, True, True, False,
    ]  # fmt: skip


def test_names_of_columns_are_no_expressions() -> None:
    distributed_part = only(machine(("m", distributed(ItemReader=READER)))).distributed
    config = distributed_part.reader.config
    assert config.value["CSVHeaders"] == ["{% no expression"]
    assert [key for key, _ in config.dynamic] == ["MaxItems"]
    constant = {**READER, "ReaderConfig": {**READER["ReaderConfig"], "MaxItems": 3}}
    assert only(machine(("m", distributed(ItemReader=constant)))).distributed.reader.config.constant


def test_a_distributed_map_without_more_takes_its_items_from_the_state() -> None:
    found = only(machine(("m", distributed(Items=[1]))))
    assert found.distributed.reader is found.distributed.batcher is found.distributed.writer is None
    assert (found.distributed.express, found.distributed.label) == (False, None)
    assert found.max_concurrency.value == 0


@pytest.mark.parametrize("field", ["ItemProcessor", "Iterator"])
def test_the_processor_has_two_names_and_is_inline_where_it_does_not_say_otherwise(field: str) -> None:
    found = only(machine(("m", {"Type": "Map", field: block(("i", passing()))})))
    assert found.distributed is None
    assert found.max_concurrency.value == 40
    assert list(found.processor.states) == ["i"]


def test_a_jsonpath_machine_runs_where_it_means_the_same() -> None:
    states = (
        ("a", {"Type": "Pass"}),
        ("b", {"Type": "Wait", "Seconds": 1}),
        ("p", {"Type": "Parallel", "QueryLanguage": "JSONata", "Branches": [block(("c", {"Type": "Succeed"}))]}),
    )  # fmt: skip
    found = parse(block(*states)).block.states
    assert [type(state) for state in found.values()] == [Pass, Wait, Parallel]


def test_the_machine_has_a_time_limit_only_where_it_says_so() -> None:
    definition = machine(("a", passing()))
    assert parse(definition).timeout_seconds is None
    assert parse({**definition, "TimeoutSeconds": 9, "Version": "1.0"}).timeout_seconds == 9


def test_credentials_are_kept_out_of_the_run() -> None:
    credentials = {"RoleArn": "arn:aws:iam::123456789012:role/other"}
    task = only(machine(("a", call("f", Credentials=credentials))))
    assert "RoleArn" not in task.arguments.value


def test_numbers_that_jsonata_would_change_are_noticed() -> None:
    assert not parse(machine(("a", passing(Output={"x": 1})))).inexact
    assert parse(machine(("a", passing(Output={"x": [1.0]})))).inexact


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
