from typing import Any

import pytest

from stepweave.errors import Problem
from stepweave.validation.definition import validate
from stepweave.validation.severity import rejections


def check(states: dict[str, Any]) -> list[Problem]:
    return list(validate({"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}))


def goes(target: str | None = None, *, sets: str = "", reads: str = "") -> dict[str, Any]:
    """A Pass state that assigns the variables ``sets`` and reads the variables ``reads``."""
    state: dict[str, Any] = {"Type": "Pass"} | ({"Next": target} if target else {"End": True})
    if sets:
        state["Assign"] = dict.fromkeys(sets.split(), 1)
    if reads:
        state["Output"] = [f"{{% ${name} %}}" for name in reads.split()]
    return state


def forks(*targets: str, default: str, sets: str = "") -> dict[str, Any]:
    rules = [{"Condition": "{% $states.input.x %}", "Next": target} for target in targets]
    state: dict[str, Any] = {"Type": "Choice", "Choices": rules, "Default": default}
    return state | ({"Assign": dict.fromkeys(sets.split(), 1)} if sets else {})


def task(target: str, *, caught: str, sets: str = "", caught_sets: str = "") -> dict[str, Any]:
    catcher: dict[str, Any] = {"ErrorEquals": ["States.ALL"], "Next": caught}
    if caught_sets:
        catcher["Assign"] = dict.fromkeys(caught_sets.split(), 1)
    state = goes(target, sets=sets) | {"Type": "Task", "Resource": "${Run}", "Catch": [catcher]}
    return state


def side_by_side(target: str | None, *machines: dict[str, Any], sets: str = "") -> dict[str, Any]:
    branches = [{"StartAt": next(iter(states)), "States": states} for states in machines]
    return goes(target, sets=sets) | {"Type": "Parallel", "Branches": branches}


def test_a_variable_can_be_read_from_the_next_state_on() -> None:
    assert check({"a": goes("b", sets="x"), "b": goes("c"), "c": goes(reads="x")}) == []
    (problem,) = check({"a": goes("b", sets="x", reads="x"), "b": goes(reads="x")})
    assert (problem.code, problem.state) == ("undefined-variable", "a")
    assert problem.what == "Output reads $x, which this state is the first to assign"


def test_a_variable_must_be_assigned_on_every_path() -> None:
    sound = {
        "a": forks("b", default="c"),
        "b": goes("d", sets="x"),
        "c": goes("d", sets="x"),
        "d": goes(reads="x"),
    }
    assert check(sound) == []
    (problem,) = check(sound | {"c": goes("d")})
    assert (problem.state, problem.got) == ("d", "a → c → d")


def test_the_path_in_the_message_is_shortened_in_the_middle() -> None:
    states = {f"s{i}": goes(f"s{i + 1}") for i in range(20)} | {"s20": goes(reads="x")}
    (problem,) = check({"a": forks("b", default="s0"), "b": goes("s20", sets="x"), **states})
    assert problem.got == "a → s0 → s1 → … → s18 → s19 → s20"


def test_a_rule_assigns_instead_of_the_state() -> None:
    states = {"a": forks("b", default="c", sets="x"), "b": goes(reads="x"), "c": goes(reads="x")}
    assert [problem.state for problem in check(states)] == ["b"]
    states["a"]["Choices"][0]["Assign"] = {"x": 1}
    assert check(states) == []


def test_a_catcher_assigns_instead_of_the_state() -> None:
    reader = goes(reads="x")
    assert [p.state for p in check({"a": task("b", caught="c", sets="x"), "b": reader, "c": reader})] == ["c"]
    assert [
        p.state for p in check({"a": task("b", caught="c", caught_sets="x"), "b": reader, "c": reader})
    ] == ["b"]
    assert check({"a": task("b", caught="c", sets="x", caught_sets="x"), "b": reader, "c": reader}) == []


def test_a_loop_keeps_what_was_assigned_before_it() -> None:
    states = {
        "a": goes("b", sets="x"),
        "b": goes("c", reads="x", sets="x"),
        "c": forks("b", default="d"),
        "d": goes(),
    }
    assert check(states) == []


def test_what_a_loop_assigns_is_not_there_the_first_time() -> None:
    states = {
        "a": goes("b"),
        "b": goes("c", reads="x"),
        "c": goes("d", sets="x"),
        "d": forks("b", default="e"),
        "e": goes(),
    }
    (problem,) = check(states)
    assert (problem.state, problem.got) == ("b", "a → b")


def test_loops_inside_loops_come_to_rest() -> None:
    states = {
        "a": goes("outer", sets="x y"),
        "outer": goes("inner", reads="x y"),
        "inner": forks("inner", "outer", "skip", default="end", sets="z"),
        "skip": goes("outer"),
        "end": goes(reads="x z"),
    }
    assert check(states) == []
    states["inner"]["Choices"].append({"Condition": "{% true %}", "Next": "end"})
    assert [(problem.state, problem.got) for problem in check(states)] == [("end", "a → outer → inner → end")]


def test_inner_machines_read_outer_variables() -> None:
    deepest = {"i": goes(reads="x y")}
    middle = {"m": goes("n", sets="y", reads="x"), "n": side_by_side(None, deepest)}
    assert check({"a": goes("b", sets="x"), "b": side_by_side(None, middle)}) == []


def test_inner_variables_end_with_their_machine() -> None:
    (problem,) = check({"a": side_by_side("b", {"i": goes(sets="x")}), "b": goes(reads="x")})
    assert (problem.state, problem.code) == ("b", "undefined-variable")
    assert problem.fix is not None
    assert "Output" in problem.fix


def test_branches_do_not_see_each_other() -> None:
    left, right = {"l": goes("m", sets="x"), "m": goes(reads="x")}, {"r": goes(reads="x")}
    assert [problem.state for problem in check({"a": side_by_side(None, left, right)})] == ["a[1]/r"]


def test_sibling_branches_may_use_the_same_name() -> None:
    left, right = (
        {"l": goes("m", sets="x"), "m": goes(reads="x")},
        {"r": goes("s", sets="x"), "s": goes(reads="x")},
    )
    assert check({"a": side_by_side(None, left, right)}) == []


@pytest.mark.parametrize("where,codes", [("before", ["shadowed-variable"]), ("holder", []), ("after", [])])
def test_an_inner_machine_may_not_assign_a_name_that_was_assigned_on_the_way_to_it(
    where: str, codes: list[str]
) -> None:
    inner = {"i": side_by_side(None, {"j": goes(sets="x")})}
    states = {
        "a": goes("b", sets="x" if where == "before" else ""),
        "b": side_by_side("c", inner, sets="x" if where == "holder" else ""),
        "c": goes(sets="x" if where == "after" else ""),
    }
    problems = check(states)
    assert [problem.code for problem in problems] == codes
    assert {problem.state for problem in problems} <= {"b[0]/i[0]/j"}


def test_one_path_of_several_is_a_way_to_an_inner_machine() -> None:
    states = {
        "a": forks("b", default="c"),
        "b": goes("c", sets="x"),
        "c": side_by_side(None, {"i": goes(sets="x")}),
    }
    assert [problem.code for problem in check(states)] == ["shadowed-variable"]


def test_a_loop_is_a_way_back_to_an_inner_machine() -> None:
    states = {
        "a": side_by_side("b", {"i": goes(sets="x")}),
        "b": goes("c", sets="x"),
        "c": forks("a", default="d"),
        "d": goes(),
    }
    assert [(problem.code, problem.state) for problem in check(states)] == [("shadowed-variable", "a[0]/i")]


def test_a_catcher_s_variables_are_taken_only_on_its_way() -> None:
    inner = {"i": goes(sets="x")}
    states = {
        "a": task("b", caught="c", caught_sets="x"),
        "b": side_by_side(None, inner),
        "c": goes(),
    }
    assert check(states) == []
    caught = states | {"c": side_by_side(None, {"k": goes(sets="x")})}
    assert [problem.state for problem in check(caught)] == ["c[0]/k"]


def test_the_child_of_a_distributed_map_may_not_take_a_name_either() -> None:
    processor = {
        "StartAt": "i",
        "States": {"i": goes(sets="x")},
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    states = {"a": goes("m", sets="x"), "m": goes() | {"Type": "Map", "ItemProcessor": processor}}
    assert [(problem.code, problem.state) for problem in check(states)] == [("shadowed-variable", "m[*]/i")]


def test_a_holder_that_is_not_reached_is_the_only_mistake() -> None:
    states = {"a": goes(), "b": side_by_side(None, {"i": goes(reads="x")})}
    assert [(problem.code, problem.state) for problem in check(states)] == [("unreachable-state", "b")]


def test_a_definition_in_which_nothing_ends_is_refused() -> None:
    problems = check({"a": goes("b"), "b": goes("a")})
    assert [(problem.code, problem.state) for problem in problems] == [("no-terminal-state", None)]
    assert rejections(problems) == tuple(problems)


@pytest.mark.parametrize("top_ends", [True, False])
def test_a_machine_that_never_ends_is_accepted_when_another_does(top_ends: bool) -> None:
    inner = {"i": goes("j"), "j": goes("i") if top_ends else goes()}
    problems = check({"a": side_by_side("b", inner), "b": goes() if top_ends else goes("a")})
    assert [(problem.code, problem.state) for problem in problems] == [
        ("endless-machine", "a[0]" if top_ends else None)
    ]
    assert rejections(problems) == ()


def test_states_that_lead_only_to_each_other_are_accepted() -> None:
    problems = check({"a": goes(), "b": goes("c"), "c": goes("b"), "d": goes("d")})
    assert [(problem.code, problem.state) for problem in problems] == [
        ("unreachable-island", "b"),
        ("unreachable-island", "c"),
        ("unreachable-island", "d"),
    ]
    assert rejections(problems) == ()
    (first, second) = check({"a": goes(), "b": goes("c"), "c": goes()})
    assert [first.code, second.code] == ["unreachable-state", "unreachable-island"]


def test_names_bound_inside_an_expression_are_no_variables() -> None:
    function = "$f := function($n) { $n > 0 ? $f($n - 1) : $x }"
    expression = f"{{% ($x := 1; {function}; $map([1..3], function($v, $i) {{ $v * $i + $f($v) }})) %}}"
    assert check({"a": goes() | {"Output": expression}}) == []
