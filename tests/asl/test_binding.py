"""Free variables of states, and what is put in their place."""

from __future__ import annotations

from stepweave.asl.scopes.binding import bind, free_variables, rename
from stepweave.validation.definition import validate

STATES = {
    "a": {
        "Type": "Task",
        "Arguments": {
            "run": "{% $run.id & $o_x.fields.n & $s_g.item.k & $count($v_a) %}",
            "text": "$run stays",
        },
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "b"}],
        "Next": "b",
    },
    "b": {"Type": "Pass", "Assign": {"s_g": "{% $run %}"}, "End": True},
}


def test_free_are_the_run_outer_records_and_scopes_that_nothing_inside_assigns() -> None:
    assert free_variables(STATES) == ["run", "o_x"]
    assert free_variables({"a": STATES["a"]}) == ["run", "o_x", "s_g"]


def test_text_in_quotes_names_in_backticks_and_plain_texts_are_no_variables() -> None:
    texts = ["{% '$run' & \"$o_x\" & a.`$s_g` %}", "$run", "{% 'it\\'s $run' %}", {"k": "{% $$run_time %}"}]
    assert free_variables(texts) == []


def test_bound_are_all_of_them_and_nothing_else() -> None:
    bound = bind(STATES, {"run": "$s_g.run", "o_x": "$s_g.o_x"})
    assert bound["a"]["Arguments"] == {
        "run": "{% $s_g.run.id & $s_g.o_x.fields.n & $s_g.item.k & $count($v_a) %}",
        "text": "$run stays",
    }
    assert STATES["b"]["Assign"] == {"s_g": "{% $run %}"}, "the argument stays as it is"


def test_a_text_that_looks_like_a_variable_is_left_alone() -> None:
    assert bind("{% '$run' & $run %}", {"run": "$r"}) == "{% '$run' & $r %}"


def test_renamed_are_states_at_every_level_and_what_leads_to_them() -> None:
    inner = {"StartAt": "c", "States": {"c": {"Type": "Pass", "End": True}}}
    states = {
        "a": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% true %}", "Next": "b", "Output": {"Next": "a"}}],
            "Default": "b",
        },
        "b": {"Type": "Map", "Items": [1], "ItemProcessor": inner, "Next": "d"},
        "d": {
            "Type": "Parallel",
            "Branches": [{"StartAt": "e", "States": {"e": {"Type": "Pass", "End": True}}}],
            "End": True,
        },
    }
    renamed = rename(states, lambda name: f"{name}!")
    assert list(renamed) == ["a!", "b!", "d!"]
    assert renamed["a!"]["Choices"][0] == {"Condition": "{% true %}", "Next": "b!", "Output": {"Next": "a"}}
    assert renamed["b!"]["ItemProcessor"]["States"] == {"c!": {"Type": "Pass", "End": True}}
    assert validate({"QueryLanguage": "JSONata", "StartAt": "a!", "States": renamed}) == ()
