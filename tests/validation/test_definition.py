import copy
import json
from pathlib import Path
from typing import Any

import pytest

from stepweave.validation.definition import validate

DATA = Path(__file__).parent / "data"
MUTATIONS = json.loads((DATA / "mutations.json").read_text())
SOUND = ("n_shape", "orders", "distributed")


def definition_of(name: str) -> dict[str, Any]:
    definition = json.loads((DATA / f"{name}.asl.json").read_text())
    assert isinstance(definition, dict)
    return definition


def mutated(mutation: dict[str, Any]) -> dict[str, Any]:
    definition = definition_of(mutation["base"])
    for edit in mutation["edits"]:
        holder: Any = definition
        for step in edit["at"][:-1]:
            holder = holder[step]
        if "set" in edit:
            holder[edit["at"][-1]] = edit["set"]
        else:
            del holder[edit["at"][-1]]
    return definition


def machine(states: dict[str, Any], start: str | None = None) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": start or next(iter(states)), "States": states}


def nested(depth: int) -> dict[str, Any]:
    """Parallel states inside each other; the innermost reads what the outermost assigned."""
    inner: dict[str, Any] = {
        "StartAt": "in",
        "States": {"in": {"Type": "Pass", "Output": "{% $deep %}", "End": True}},
    }
    for level in range(depth):
        name = f"level {level}"
        inner = {"StartAt": name, "States": {name: {"Type": "Parallel", "Branches": [inner], "End": True}}}
    start = {"Type": "Pass", "Assign": {"deep": 1}, "Next": inner["StartAt"]}
    return machine({"start": start, **inner["States"]})


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_definition_has_no_problems(name: str) -> None:
    definition = definition_of(name)
    assert validate(definition) == ()
    assert validate(definition, text=json.dumps(definition)) == ()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: str(mutation["name"]))
def test_each_mistake_is_found_where_it_is(mutation: dict[str, Any]) -> None:
    problems = validate(mutated(mutation))
    assert (mutation["code"], mutation["state"]) in [(problem.code, problem.state) for problem in problems]
    assert len({problem.code for problem in problems}) <= 2  # one mistake is no avalanche


def test_the_text_of_a_definition_changes_no_answer() -> None:
    for mutation in MUTATIONS:
        definition = mutated(mutation)
        assert validate(definition, text=json.dumps(definition)) == validate(definition), mutation["name"]


def test_the_definition_is_not_changed() -> None:
    definition = definition_of("n_shape")
    before = copy.deepcopy(definition)
    validate(definition)
    assert definition == before


def test_a_problem_says_what_where_expected_got_and_fix() -> None:
    states = {
        "a": {"Type": "Task", "Resource": "${Run}", "TimeoutSeconds": 0, "Next": "bb"},
        "b": {"Type": "Succeed"},
    }
    timeout, target = (str(problem) for problem in validate(machine(states), name="sales")[:2])
    assert timeout == (
        "sales: state 'a': TimeoutSeconds has a wrong value [field-type]\n"
        "  expected: a whole number from 1 to 99,999,999, or an expression {% … %}\n"
        "  got: 0"
    )
    assert target.startswith(
        "sales: state 'a': Next names a state that is not in this machine [unknown-target]\n  got: bb"
    )


def test_a_misspelt_word_is_answered_with_the_word_that_was_meant() -> None:
    states = {"load": {"Type": "Pass", "Coment": "x", "Next": "clean_upp"}, "clean_up": {"Type": "Succeed"}}
    fixes = [problem.fix for problem in validate(machine(states))]
    assert fixes[:2] == ["write Comment", "write 'clean_up'"]


def test_all_mistakes_are_reported_together() -> None:
    states = {
        "a": {"Type": "Pass", "InputPath": "$", "Output": "{% $x %}", "Next": "b"},
        "b": {"Type": "Wait", "End": True},
        "c": {"Type": "Nap"},
    }
    codes = {problem.code for problem in validate(machine(states))}
    assert codes == {"jsonpath-field", "undefined-variable", "wait-form", "state-type", "unreachable-state"}


@pytest.mark.parametrize("value", [[], "text", None, 1])
def test_a_definition_is_an_object(value: Any) -> None:
    assert [problem.code for problem in validate(value)] == ["field-type"]


def test_a_state_of_unknown_type_makes_nothing_behind_it_wrong() -> None:
    states = {"a": {"Type": "Nap", "Next": "b"}, "b": {"Type": "Pass", "Output": "{% $x %}", "End": True}}
    assert [problem.code for problem in validate(machine(states))] == ["state-type"]


def test_jsonpath_states_are_named_and_nothing_else_of_them() -> None:
    definition = {
        "StartAt": "a",
        "States": {"a": {"Type": "Pass", "Result": 1, "Next": "b"}, "b": {"Type": "Succeed"}},
    }
    assert [(problem.code, problem.state) for problem in validate(definition)] == [("query-language", None)]


def test_states_may_choose_jsonata_one_by_one() -> None:
    states = {"a": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 %}", "End": True}}
    assert validate({"StartAt": "a", "States": states}) == ()


def test_machines_nest_to_any_depth() -> None:
    assert validate(nested(500)) == ()


def test_a_mistake_at_the_bottom_of_deep_nesting_is_found() -> None:
    definition = nested(500)
    definition["States"]["start"]["Assign"] = {"other": 1}
    (problem,) = validate(definition)
    assert problem.code == "undefined-variable"
    assert problem.state is not None
    assert problem.state.startswith("level 499[0]/level 498[0]/")
    assert problem.state.endswith("/in")


def test_a_chain_of_ten_thousand_states_with_a_variable_each_is_checked() -> None:
    states: dict[str, Any] = {"s0": {"Type": "Pass", "Assign": {"v0": 0}, "Next": "s1"}}
    for i in range(1, 10_000):
        following = {"Next": f"s{i + 1}"} if i < 9_999 else {"End": True}
        states[f"s{i}"] = {"Type": "Pass", "Assign": {f"v{i}": f"{{% $v{i - 1} + $v0 %}}"}, **following}
    assert validate(machine(states)) == ()
    del states["s0"]["Assign"]
    assert {problem.state for problem in validate(machine(states))} == set(states) - {"s0"}


@pytest.mark.parametrize("text", ["a", "ü", "日本", "\U0001f600", '"\\\n', "\x7f"])
def test_a_definition_is_measured_as_its_shortest_json_text(text: str) -> None:
    branch = {
        "StartAt": f"{text} in",
        "States": {f"{text} in": {"Type": "Pass", "Output": {text: [text, 1.5]}, "End": True}},
    }
    processor = {"StartAt": "each", "States": {"each": {"Type": "Succeed"}}}
    states = {
        "both": {"Type": "Parallel", "Branches": [branch, {**branch, "Comment": "x"}], "Next": "map"},
        "map": {"Type": "Map", "ItemProcessor": processor, "Next": "end"},
        "end": {"Type": "Succeed", "Comment": ""},
    }
    definition = {"Comment": text, **machine(states)}

    def size() -> int:
        return len(json.dumps(definition, ensure_ascii=False, separators=(",", ":")).encode())

    states["end"]["Comment"] = "x" * (1_048_576 - size())
    assert size() == 1_048_576
    assert "definition-size" not in [problem.code for problem in validate(definition)]
    states["end"]["Comment"] += "x"
    (problem,) = [problem for problem in validate(definition) if problem.code == "definition-size"]
    assert problem.got == "1,048,577 bytes without white space"


def test_white_space_in_the_text_does_not_make_a_definition_too_long() -> None:
    definition = machine({"a": {"Type": "Succeed", "Comment": "x" * 1_000_000}})
    assert validate(definition, text=json.dumps(definition) + " " * 100_000) == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes"])
def test_a_value_that_json_does_not_have_is_reported(value: object) -> None:
    (problem,) = validate(machine({"a": {"Type": "Pass", "Output": {"x": value}, "End": True}}))
    assert (problem.code, problem.state) == ("not-json", "a")


def test_a_value_nested_too_deeply_for_json_is_reported() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    (problem,) = validate(machine({"a": {"Type": "Pass", "Output": {"x": value}, "End": True}}))
    assert (problem.code, problem.state) == ("not-json", "a")
    while value:  # taken apart by hand: freeing it at once would need as deep a stack
        value = value.pop()


def test_lists_may_be_tuples() -> None:
    rule = {"Condition": "{% true %}", "Next": "end"}
    branch = {
        "StartAt": "in",
        "States": {"in": {"Type": "Pass", "Output": ({"x": "{% $none %}"},), "End": True}},
    }
    states = {
        "choose": {"Type": "Choice", "Choices": (rule,), "Default": "both"},
        "both": {"Type": "Parallel", "Branches": (branch,), "Next": "end"},
        "end": {"Type": "Succeed"},
    }
    assert [(problem.code, problem.state) for problem in validate(machine(states))] == [
        ("undefined-variable", "both[0]/in")
    ]


@pytest.mark.parametrize("name", ["load orders?", "join: wait", "übung", "日本語", "a/b[0]", "x" * 80])
def test_names_of_states_may_have_blanks_and_signs(name: str) -> None:
    assert validate(machine({name: {"Type": "Succeed"}})) == ()


@pytest.mark.parametrize("text", ["a {% b", "100 %} of {% it", '{"v":"{% x %}"}', "{%", "% {", ""])
def test_text_with_the_signs_of_an_expression_inside_is_text(text: str) -> None:
    definition = machine({"a": {"Type": "Pass", "Comment": text, "Output": {"x": f"<{text}>"}, "End": True}})
    assert validate(definition) == ()


@pytest.mark.parametrize(
    "text", ["{% $states.input", "$states.input %}", " {% 1 %}", "{% 1 %} ", "{%", "{%}", "\n{% 1 %}"]
)
def test_text_that_begins_or_ends_like_an_expression_is_a_mistake(text: str) -> None:
    (problem,) = validate(machine({"a": {"Type": "Pass", "Output": text, "End": True}}))
    assert problem.code == "expression-form"


@pytest.mark.parametrize("text", ["{%1%}", "{% 1\n + 2 %}", "{%\t$states.input.a\t%}", "{% '%' & '}' %}"])
def test_an_expression_needs_no_blanks_and_may_have_lines(text: str) -> None:
    assert validate(machine({"a": {"Type": "Pass", "Output": text, "End": True}})) == ()
