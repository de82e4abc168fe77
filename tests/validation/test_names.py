import pytest

from stepweave.validation.names import (
    bad_substitution,
    machine_name_problems,
    state_name_fault,
    variable_name_fault,
)


@pytest.mark.parametrize("name", ["a", "dev-sales", "A_1", "x" * 80])
def test_names_of_machines_have_letters_digits_hyphens_and_underscores(name: str) -> None:
    assert machine_name_problems(name) == ()


@pytest.mark.parametrize("name", ["", "x" * 81, "a b", "a/b", "a:b", "a.b,c", "a$b", 'a"b', "a\n"])
def test_other_names_of_machines_are_refused(name: str) -> None:
    assert {problem.code for problem in machine_name_problems(name)} == {"machine-name"}


@pytest.mark.parametrize("name", ["a", "v_load", "x1", "x" * 80, "größe", "日本"])
def test_variables_are_named_like_identifiers(name: str) -> None:
    assert variable_name_fault(name) is None


@pytest.mark.parametrize("name", ["", "1a", "_a", "a-b", "a b", "a.b", "$a", "states", "x" * 81, "ü" * 81])
def test_other_names_of_variables_are_refused(name: str) -> None:
    assert variable_name_fault(name) is not None


@pytest.mark.parametrize(
    "name, sound", [("a b?", True), ("x" * 80, True), ("x" * 81, False), ("", False), ("a\x00", False)]
)
def test_names_of_states_have_80_characters_and_no_control_characters(name: str, sound: bool) -> None:
    assert (state_name_fault(name) is None) is sound


@pytest.mark.parametrize(
    "text, found",
    [
        ("${A}", None),
        ("a ${A_1} b ${c}", None),
        ("$ {A} {B} $C", None),
        ("${A} and ${", "${"),
        ("${A-B}", "${A-B}"),
        ("${}", "${}"),
        ("${AWS::Region} x", "${AWS::Region} x"),
    ],
)
def test_only_letters_digits_and_underscores_name_a_substitution(text: str, found: str | None) -> None:
    assert bad_substitution(text) == found
