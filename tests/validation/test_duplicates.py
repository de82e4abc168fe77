"""Keys that stand twice in the text of a definition."""

import json

from stepweave.validation.definition import validate

STATE = '{"Type": "Pass", "End": true}'


def keys(text: str) -> list[tuple[str | None, str | None, str]]:
    """State, key and sentence of each key that stands twice."""
    problems = validate(json.loads(text), text=text)
    assert {problem.code for problem in problems} <= {"duplicate-key"}
    return [(problem.state, problem.got, problem.what) for problem in problems]


def around(state: str, more: str = "") -> str:
    """The text of a machine of one state."""
    return '{"QueryLanguage": "JSONata", "StartAt": "a", "States": {"a": ' + state + more + "}}"


def test_text_in_which_each_key_stands_once_is_right() -> None:
    assert keys(around('{"Type": "Pass", "Output": [{"x": 1}, {"x": 2}], "End": true}')) == []


def test_two_states_of_one_name_are_found_though_a_parser_keeps_only_one() -> None:
    assert keys(around(STATE, f', "a": {STATE}')) == [(None, "a", "the key 'a' stands twice in States")]


def test_a_field_that_stands_twice_is_found_in_its_state() -> None:
    text = around('{"Type": "Pass", "Comment": "x", "Comment": "y", "End": true}')
    assert keys(text) == [("a", "Comment", "the key 'Comment' stands twice in the state")]


def test_the_place_inside_a_value_is_told() -> None:
    text = around('{"Type": "Pass", "Output": {"rows": [1, {"x": 1, "x": 1}]}, "End": true}')
    assert keys(text) == [("a", "x", "the key 'x' stands twice in Output.rows[1]")]


def test_states_inside_others_are_told_by_their_path() -> None:
    inner = '{"StartAt": "i", "States": {"i": {"Type": "Pass", "Assign": {"v": 1, "v": 2}, "End": true}}}'
    branches = around('{"Type": "Parallel", "Branches": [' + inner + '], "End": true}')
    processor = around('{"Type": "Map", "ItemProcessor": ' + inner + ', "End": true}')
    assert [state for state, _, _ in keys(branches)] == ["a[0]/i"]
    assert [state for state, _, _ in keys(processor)] == ["a[*]/i"]


def test_a_key_of_the_machine_itself_is_found() -> None:
    text = around(STATE).replace('"StartAt": "a"', '"StartAt": "a", "StartAt": "a"')
    assert keys(text) == [(None, "StartAt", "the key 'StartAt' stands twice in the definition")]


def test_without_the_text_nothing_can_be_seen() -> None:
    text = around(STATE, f', "a": {STATE}')
    assert validate(json.loads(text)) == ()
