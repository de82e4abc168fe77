import pytest

from stepweave.validation.jsonata import is_expression, read


@pytest.mark.parametrize(
    "text, variables",
    [
        ("$a", "a"),
        ("$a.b.c", "a"),
        ("$a.$b", "a b"),
        ("$a & $b & $a", "a b"),
        ("$a[$b = c].d", "a b"),
        ("'$a' & \"$b\" & `$c`.d", ""),
        ("'it is \\\\' & $a & '\\u0024b'", "a"),
        ("$match($a, /$b'\"/i)", "a"),
        ("$a / 2 / $b", "a b"),
        ("$replace($a, /[/$b]/, '')", "a"),
        ("$a /* $b */ + $c", "a c"),
        ("($b := $a; $b)", "a"),
        ("($a := $a; $a)", "a"),
        ("($a := 1; ($b := $a; $b); $b)", "b"),
        ("($f := function($n) { $f($n - 1) + $m }; $f(3))", "m"),
        ("$map($xs, function($x, $i) { $x + $i + $j })", "xs j"),
        ("$map($xs, λ($x) { $x })", "xs"),
        ("$reduce($xs, function($x, $y)<nn:n> { $x + $y })", "xs"),
        ("function($x) { $x }($x)", "x"),
        ("$xs@$x#$i.{ 'x': $x, 'i': $i, 'y': $y }", "xs y"),
        ("$map($xs, $uppercase)", "xs"),
        ("$a ~> $sum", "a"),
        ("$a ~> | $ | { 'b': $b }, ['c'] |", "a b"),
        ("{ 'k': $a, $b: 1 }", "a b"),
        ("$über & $日本", "über 日本"),
        ("$states.input.a", ""),
    ],
)
def test_variables_are_read_where_they_are_not_bound(text: str, variables: str) -> None:
    expression = read(f"{{% {text} %}}")
    assert " ".join(expression.variables) == variables
    assert not [finding for finding in expression.findings if finding[0] != "expression-context"]


@pytest.mark.parametrize(
    "text, steps",
    [
        ("$states.result.Payload", [("result", "Payload")]),
        ("$states . input . a.b", [("input", "a")]),
        ("$states.input", [("input", "")]),
        ("$states", [("", "")]),
        ("$lookup($states, 'x') & $states.context.Task.Token", [("", ""), ("context", "Task")]),
        ("$states.input.`a b`", [("input", "a b")]),
        ("$states.`result`", [("result", "")]),
        ("$states.result[0]", [("result", "")]),
        ("($states).result", [("", "")]),
        ("$states['result']", [("", "")]),
    ],
)
def test_what_follows_states_is_told(text: str, steps: list[tuple[str, str]]) -> None:
    assert list(read(f"{{%{text}%}}").states) == steps


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "`a b`",
        "$",
        "$$",
        "*",
        "**",
        "$a + b",
        "[a]",
        "{ 'x': a }",
        "{ a: 1 }",
        "(a; 1)",
        "$sum(a)",
        "a.b",
        "a[b = 1]",
    ],
)
def test_a_field_needs_an_object_at_the_top_level(text: str) -> None:
    assert [code for code, _, _ in read(f"{{% {text} %}}").findings] == ["expression-context"]


@pytest.mark.parametrize(
    "text",
    [
        "$a.b", "$a.(b)", "$a.{ 'x': b }", "$a.[b, c]", "$a[b = 1]", "$a[b[c]]", "$a.$", "$a[$ > 1]", "$a.$sum(b)",
        "$a^(b, >c)", "$a{ b: c }", "$a.*", "$a.**.b", "$a ~> | b | { 'c': d } |", "$a.(b; $sum(c))",
    ],
)  # fmt: skip
def test_a_field_is_found_in_the_item_at_hand(text: str) -> None:
    assert read(f"{{% {text} %}}").findings == ()


@pytest.mark.parametrize(
    "text, word",
    [
        ("", "empty"),
        ("1 +", "ends"),
        ("+ 1", "missing before +"),
        ("$a $b", "operator is missing before $b"),
        ("1 'a'", "operator is missing"),
        ("($a", ") is missing"),
        ("$a)", "unexpected )"),
        ("[1, 2", "] is missing"),
        ("[1, ]", "missing before ]"),
        ("{ 'a': 1, }", "missing before }"),
        ("{ 'a' }", "no value"),
        ("$a ? 1 : 2 : 3", "unexpected :"),
        ("'abc", "not closed"),
        ("'a\\'b'", "unknown escape"),
        ("$a /* b", "comment"),
        ("/abc", "regular expression"),
        ("1, 2", "comma"),
        ("1; 2", "semicolon"),
        ("1 := 2", ":="),
        ("1 .. 2", ".."),
        ("true.a", "unexpected ."),
        ("$a.1", "no step"),
        ("$a ! $b", "unexpected !"),
        ("$a ^ b", "^"),
        ("$a @ b", "@"),
        ("function(a) { 1 }", "parameters"),
        ("$a %} and {% $b", "unexpected }"),
        ("10e1000", "out of range"),
        ("$a{ 'k': b }[0]", "grouping"),
        ("$a{ 'k': b }{ 'k': c }", "grouping"),
        ("$a[0]@$b", "@ must stand before"),
        ("$a^(b)@$c", "@ must stand before"),
    ],
)
def test_text_that_is_no_jsonata_is_told_apart(text: str, word: str) -> None:
    ((code, what, _),) = [
        finding for finding in read(f"{{% {text} %}}").findings if finding[0] != "expression-context"
    ]
    assert code == "expression-syntax"
    assert word in what


@pytest.mark.parametrize("text", ["$a ?: $b", "$a ?? $b", "$eval('1')", "$map($a, $eval)"])
def test_what_step_functions_does_not_offer_is_refused(text: str) -> None:
    assert [code for code, _, _ in read(f"{{% {text} %}}").findings] == ["expression-feature"]


def test_functions_are_those_of_jsonata_and_of_step_functions() -> None:
    assert (
        read(
            "{% $hash($uuid(), 'SHA-256') & $partition($range(1, 9, 1), 2) & $parse('1') & $random(1) %}"
        ).findings
        == ()
    )
    ((code, what, _),) = read("{% $toUpper('a') %}").findings
    assert (code, "$toUpper" in what) == ("unknown-function", True)


@pytest.mark.parametrize(
    "text, yes",
    [
        ("{%%}", True),
        ("{% 1 %}", True),
        ("{%}", False),
        ("{% 1 %} ", False),
        (" {% 1 %}", False),
        ("", False),
    ],
)
def test_an_expression_begins_and_ends_exactly(text: str, yes: bool) -> None:
    assert is_expression(text) is yes
