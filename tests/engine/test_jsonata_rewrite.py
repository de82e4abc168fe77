"""What is rewritten for the library, and what stays as it was."""

import pytest

from stepweave.engine.jsonata_rewrite import rewrite
from stepweave.engine.jsonata_tokens import UnreadableError


@pytest.mark.parametrize(
    "source,expected",
    [
        ("$a & 'b' & $c", '$__("&",3,{"0":$a,"1":\'b\',"2":$c})'),
        ("$string($a, true)", '$__("string",2,{"0":$a,"1":true})'),
        ("$string($a)", '$__("string",1,{"0":$a})'),
        ("$x.$string()", '$x . $__("string",0,{},function(){$})'),
        ("$string()", '$__("string",1,{"0":$__nothing})'),
        ("$a ~> $string(true)", '$__("string",2,{"0":$a,"1":true})'),
        ("$a ~> $string()", '$__("string",1,{"0":$a})'),
        ("$a ~> $uppercase()", "$a ~> $uppercase()"),
        ("$map($a, $string)", '$map($a,function($__a){$__("string",1,{"0":$__a})})'),
        ("$parse($a)[0]", '($__("parse",1,{"0":$a}).v)[0]'),
        ("$split($a, 'b')", '$__("split",2,{"0":$a,"1":\'b\'})'),
        ("$split($a, /b/)", "$split($a,/b/)"),
        ("$now('[Y]', $z)", '$now(\'[Y]\',($__("zone",1,{"0":$z}).v))'),
        (r"$replace($a, /\s[^\s]\\s/, '')", r"$replace($a,/[ \t\n\r\f\v][^ \t\n\r\f\v]\\s/,'')"),
        (r"$match($a, /\S[\S]/)", r"$match($a,/[^ \t\n\r\f\v][\S]/)"),
        ("$a / 1000 + $b % 7", "$a / 1000 + $b % 7"),
        ("/* no & */ $a", "$a"),
    ],
)
def test_calls_and_operators_become_calls_of_the_host(source: str, expected: str) -> None:
    assert rewrite(source).text == expected


@pytest.mark.parametrize("divisor", ["$b", "0", "0.0", "0e5", "(2)"])
def test_a_division_by_what_may_be_zero_makes_all_arithmetic_calls_of_the_host(divisor: str) -> None:
    written = rewrite(f"$a / {divisor} + 1")
    assert written.arithmetic
    assert written.text.startswith('$__("+",2,{"0":$__("/",2,')


@pytest.mark.parametrize(
    "source,loose",
    [
        ("$map($a, function($x) { $x })", False),
        ("$match($a, /b/)", False),
        ("$uppercase($a)", False),
        ("$map($a, function($x) { $uppercase })", True),
        ("function($x) { $x }", True),
        ("$substring(?, 1)", True),
        ("[$sum]", True),
        ("|a|{}|", True),
    ],
)
def test_a_result_that_may_hold_a_function_is_known(source: str, loose: bool) -> None:
    assert rewrite(source).functions is loose


@pytest.mark.parametrize(
    "source", ["$string := 1", "function($string){$string(1)}", "($string := $sum; $string(1))"]
)
def test_a_name_that_the_expression_binds_is_its_own(source: str) -> None:
    assert '"string"' not in rewrite(source).text


def test_a_name_that_a_variable_hides_is_not_rewritten() -> None:
    assert rewrite("$string(1)", hidden=["string"]).text == "$string(1)"


@pytest.mark.parametrize(
    "source", ["1 +", "(1", "'a", "/a", "[1", "$f(", "a ? ", "/* a", "1 2", "a ^ b", "|a|b"]
)
def test_what_is_no_expression_is_left_to_the_library(source: str) -> None:
    with pytest.raises(UnreadableError):
        rewrite(source)
