"""Variables: Assign and Output read what the state was entered with; scopes nest and die."""

from typing import Any

import pytest

from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.building import block, call, echo, failing, machine, passing, result_of, run


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": list(branches), **fields}


def test_assign_and_output_of_a_state_do_not_see_each_other() -> None:
    definition = machine(
        ("first", passing(Assign={"x": 1})),
        ("second", passing(Assign={"x": "{% $x + 1 %}", "y": "{% $x + 10 %}"}, Output="{% $x %}")),
        ("third", passing(Output=["{% $x %}", "{% $y %}", "{% $states.input %}"])),
    )
    assert result_of(definition) == [2, 11, 1]


def test_a_variable_is_not_there_before_it_is_assigned() -> None:
    assert (
        run(machine(("a", passing(Output="{% $x %}", Assign={"x": 1})))).error
        == "States.QueryEvaluationError"
    )


def test_a_branch_reads_outer_variables() -> None:
    inner = block(("in", passing(Output="{% $x * 2 %}")))
    assert result_of(machine(("a", passing(Assign={"x": 21})), ("p", parallel(inner)))) == [42]


def test_inner_variables_die_with_their_branch() -> None:
    inner = block(("in", passing(Assign={"y": 1})))
    definition = machine(("p", parallel(inner)), ("after", passing(Output="{% $exists($y) %}")))
    assert result_of(definition) is False


def test_sibling_branches_do_not_see_each_other() -> None:
    definition = machine(
        (
            "p",
            parallel(
                block(("a1", passing(Assign={"y": "a"})), ("a2", passing(Output="{% $y %}"))),
                block(("b1", passing(Assign={"y": "b"})), ("b2", passing(Output="{% $y %}"))),
                block(("c1", passing()), ("c2", passing(Output="{% $exists($y) %}"))),
            ),
        )
    )
    assert result_of(definition) == ["a", "b", False]


def test_scopes_nest() -> None:
    innermost = block(("in2", passing(Output="{% $x & $y %}")))
    inner = block(("in0", passing(Assign={"y": "y"})), ("in1", parallel(innermost)))
    assert result_of(machine(("a", passing(Assign={"x": "x"})), ("p", parallel(inner)))) == [["xy"]]


def test_a_branch_may_not_assign_a_variable_of_an_outer_scope() -> None:
    inner = block(("in", passing(Assign={"x": 2})))
    definition = machine(("a", passing(Assign={"x": 1})), ("p", parallel(inner)))
    with pytest.raises(DefinitionError, match=r"\$x is assigned, but an outer machine assigns a variable"):
        parse(definition)


def test_a_catcher_of_a_parallel_assigns_outer_variables() -> None:
    inner = block(("in", {"Type": "Fail", "Error": "Bad"}))
    catch = [{"ErrorEquals": ["Bad"], "Next": "after", "Assign": {"seen": "{% $states.errorOutput.Error %}"}}]
    definition = machine(("p", parallel(inner, Catch=catch)), ("after", passing(Output="{% $seen %}")))
    assert result_of(definition) == "Bad"


def test_a_catcher_replaces_the_assign_and_output_of_its_state() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "after", "Assign": {"x": "caught"}}]
    task = call("bad", Assign={"x": "state", "y": "state"}, Output="state", Catch=catch)
    definition = machine(
        ("a", passing(Assign={"y": "before"})),
        ("t", task),
        ("after", passing(Output=["{% $x %}", "{% $y %}", "{% $states.input.Error %}"])),
    )
    assert result_of(definition, bad=failing(KeyError("k"))) == ["caught", "before", "KeyError"]


def test_the_state_of_a_failed_assignment_assigns_nothing() -> None:
    catch = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "after"}]
    task = call("echo", Assign={"x": 2, "bad": "{% $nothing %}"}, Catch=catch)
    definition = machine(("a", passing(Assign={"x": 1})), ("t", task), ("after", passing(Output="{% $x %}")))
    assert result_of(definition, echo=echo) == 1


def test_a_variable_named_like_a_function_hides_it_only_when_it_is_there() -> None:
    definition = machine(
        ("a", passing(Output="{% $sum([1,2]) %}")),
        ("b", passing(Assign={"count": 5})),
        ("c", passing(Output="{% $count + 1 %}")),
    )
    assert result_of(definition) == 6
    assert result_of(machine(("a", passing(Output="{% $sum([1,2]) %}")))) == 3


def test_arrays_in_variables_stay_arrays() -> None:
    values = {"one": [1], "none": [], "nested": [[1]], "null": None}
    reading = {name: "{% $" + name + " %}" for name in values}
    computed = {name: "{% ($copy := $" + name + "; $copy) %}" for name in values}
    definition = machine(
        ("a", passing(Assign=values)), ("b", passing(Output={"read": reading, "computed": computed}))
    )
    assert result_of(definition) == {"read": values, "computed": values}
