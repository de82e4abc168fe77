"""Query languages: what a machine and a state may say, as measured on Step Functions by floci.

https://github.com/floci-io/floci/pull/2786, and the recordings of localstack
(https://github.com/localstack/localstack, tests/aws/services/stepfunctions/v2/test_sfn_api_validation.snapshot.json).
"""

from typing import Any

import pytest

from tests.validation.definitions import INNER, found, machine, mapped, task

OUTPUT = {"Type": "Pass", "Output": "{% 1 %}"}


def jsonpath(*states: dict[str, Any]) -> dict[str, Any]:
    """A machine that does not say its language."""
    definition = machine(*states)
    del definition["QueryLanguage"]
    return definition


def test_a_machine_in_jsonpath_mode_is_refused_once() -> None:
    definition = jsonpath({"Type": "Pass", "Result": 1}, task(), {"Type": "Succeed", "InputPath": "$.x"})
    assert found(definition) == [("query-language", None)]
    assert found({**definition, "QueryLanguage": "JSONPath"}) == [("query-language", None)]


def test_states_in_jsonpath_mode_beside_others_are_refused_one_by_one() -> None:
    definition = jsonpath({**OUTPUT, "QueryLanguage": "JSONata"}, task(), {"Type": "Pass", "Result": 1})
    assert found(definition) == [("query-language", "b"), ("query-language", "c")]


def test_states_that_mean_the_same_in_both_languages_are_accepted() -> None:
    states = (
        {"Type": "Pass", "Comment": "x"},
        {"Type": "Wait", "Seconds": 1, "QueryLanguage": "JSONPath"},
        {**OUTPUT, "QueryLanguage": "JSONata"},
        {"Type": "Succeed"},
    )
    assert found(jsonpath(*states)) == []
    assert found(jsonpath({"Type": "Fail", "Error": "e", "Cause": "c"})) == []


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Fail", "Cause": "{% 1 %}"},
        {"Type": "Wait", "SecondsPath": "$.x"},
        {"Type": "Succeed", "Output": 1},
    ],
)
def test_states_that_do_not_are_refused(state: dict[str, Any]) -> None:
    assert found(jsonpath(state)) == [("query-language", None)]


def test_a_jsonata_machine_has_no_jsonpath_states() -> None:
    for state in (OUTPUT, {"Type": "Pass"}):
        definition = machine({**state, "QueryLanguage": "JSONPath"})
        assert found(definition) == [("query-language", "a")]


def test_a_map_does_not_hand_its_language_on() -> None:
    inner = {"StartAt": "p", "States": {"p": {**OUTPUT, "End": True}}}
    definition = jsonpath({**mapped(inner=inner), "QueryLanguage": "JSONata"})
    assert found(definition) == [("query-language", "a[*]/p")]
    inner["States"]["p"]["QueryLanguage"] = "JSONata"
    assert found(definition) == []


def test_branches_have_no_language_of_their_own() -> None:
    branch = {**INNER, "QueryLanguage": "JSONata"}
    assert found(machine({"Type": "Parallel", "Branches": [branch]})) == [("unknown-field", "a[0]")]


@pytest.mark.parametrize("language", ["jsonata", "jsonpath", "SQL"])
def test_an_unknown_language_counts_as_jsonata(language: str) -> None:
    assert found({**machine(OUTPUT), "QueryLanguage": language}) == [("query-language", None)]
    assert found(machine({**OUTPUT, "QueryLanguage": language})) == [("field-type", "a")]


def test_a_language_is_text() -> None:
    assert found({**machine(OUTPUT), "QueryLanguage": 5}) == [("field-type", None)]
    assert found(machine({**OUTPUT, "QueryLanguage": 5})) == [("field-type", "a")]
