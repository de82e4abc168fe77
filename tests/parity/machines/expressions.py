"""Machines for expressions: one that fails in every field, the functions that Step Functions adds, and its JSONata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.engine.building import block
from tests.parity.cases import Case, Fails, case, passing, task
from tests.parity.machines.blocks import mapping, parallel
from tests.parity.machines.tasks import CAUGHT, catcher

BROKEN = {"undefined": "$states.input.no", "of wrong types": "1 + 'a'", "an error": "$error('stop')", "a function": "$sum", "no function": "$nothing(1)"}
SIMPLE = block(("i", passing()))


def fields() -> Iterator[Case]:
    """Every field that holds an expression, with ones that fail."""
    for name, text in BROKEN.items():
        bad = f"{{% {text} %}}"
        rule = {"Condition": bad, "Next": "e"}
        states: dict[str, dict[str, Any]] = {
            "Pass.Output": passing(bad), "Pass.Output, inside": passing({"a": [1, bad]}), "Pass.Assign": passing(1, Assign={"x": bad}),
            "Succeed.Output": {"Type": "Succeed", "Output": bad}, "Fail.Error": {"Type": "Fail", "Error": bad}, "Fail.Cause": {"Type": "Fail", "Error": "E", "Cause": bad},
            "Wait.Seconds": {"Type": "Wait", "Seconds": bad}, "Wait.Timestamp": {"Type": "Wait", "Timestamp": bad},
            "Choice.Condition": {"Type": "Choice", "Choices": [rule], "Default": "e"},
            "Choice.Output": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "e", "Output": bad}]},
            "Choice.Default's Output": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "e"}], "Default": "e", "Output": bad},
            "Choice.Assign": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "e", "Assign": {"x": bad}}]},
        }  # fmt: skip
        for field, state in states.items():
            yield case(f"{field} is {name}", ("s", state), *((("e", passing()),) if state["Type"] == "Choice" else ()))
        fallible: dict[str, dict[str, Any]] = {
            "Task.Arguments": task(bad), "Task.Output": task(Output=bad), "Task.Assign": task(Assign={"x": bad}),
            "Parallel.Arguments": parallel(SIMPLE, Arguments=bad), "Parallel.Output": parallel(SIMPLE, Output=bad), "Map.Items": mapping(("i", passing()), Items=bad),
            "Map.ItemSelector": mapping(("i", passing()), Items=[1], ItemSelector=bad), "Map.Output": mapping(("i", passing()), Items=[1], Output={"a": bad}),
        }  # fmt: skip
        for field, state in fallible.items():
            catch = [catcher("States.QueryEvaluationError", Output="{% $states.errorOutput.Error %}")]
            yield case(f"{field} is {name}", ("s", {**state, "Catch": catch}), CAUGHT)
        yield case(f"Catch.Output is {name}", ("s", task(Catch=[catcher("E", Output=bad)])), CAUGHT, answers={"s": Fails("E")})
        yield case(f"Catch.Assign is {name}", ("s", task(Catch=[catcher("E", Assign={"x": bad})])), CAUGHT, answers={"s": Fails("E")})


EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "partition": ("$partition([1,2,3,4,5], 2)", "$partition([1], 3)", "$partition([], 2)", "$partition([1,2], 0)", "$partition([1,2,3], 1.5)", "$partition([1], -1)", "$partition([1,2])", "$partition(1, 2)", "$partition($states.input.no, 2)", "$partition([1], 'a')"),
    "range": ("$range(1, 9, 3)", "$range(5, 1, -2)", "$range(1, 1, 1)", "$range(2, 1, 1)", "$range(1, 5, 0)", "$range(0, 2.5, 1)", "$range('a', 2, 1)", "$range(1, 2)", "$range(1, $states.input.no, 1)", "$range(3, 4)"),
    "hash": tuple(f"$hash('ü', '{name}')" for name in ("MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "sha-256", "SHA1")) + ("$hash(1, 'MD5')", "$hash('a')", "$hash($states.input.no, 'MD5')", "$hash('a', null)"),
    "random": ("$random() < 1", "$random(7) = $random(7)", "$random() != $random()", "$random('a')", "$random(null)"),
    "uuid": ("$length($uuid())", "$contains($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)", "$uuid() != $uuid()"),
    "parse": ("$parse('{\"a\": [1, null, \"x\"]}')", "$parse('7')", "$parse('')", "$parse('{')", "$parse('NaN')", "$parse(1)", "$parse('[]')", "$parse('\"t\"')"),
    "paths": ("$states.input.a.b", "$states.input.list[0]", "$states.input.list[-1]", "$states.input.list[v > 1].v", "$states.input.list.v", "$states.input.`a b`", "$states.input.*.b", "$states.input.no.more", "$states.input.list[9]"),
    "sequences": ("$map([1], function($x) { $x })", "[$map([1], function($x) { $x })]", "$filter([1,2,3], function($x) { $x > 1 })", "$append([], 1)", "[[1]]", "[1..3]", "[3..1]", "$states.input.list[v=1]", "$states.input.list[v=1][]"),
    "text": ("'a' & 1 & true & null", "$uppercase('straße')", "$split('a,b', ',')", "$join(['a','b'], '-')", "$substring('hello', 1, 3)", "$replace('aXbX', 'X', '-')", "$trim('  a  b ')", "$pad('5', -3, '0')", "$contains('abc', /b/)", "$match('ab12', /[0-9]+/).match", "$base64decode($base64encode('ü'))", "$length('ü😀')", "$string({'a': [1, 'x', null]})"),
    "numbers": ("7 % 3", "-7 % 3", "0.1 + 0.2", "$round(2.5)", "$round(3.5)", "$floor(-1.5)", "$ceil(-1.5)", "$power(2, 10)", "$sqrt(16)", "$number('1e3')", "$number('x')", "$formatNumber(1234.5, '#,##0.00')", "$formatBase(255, 16)", "$sum([1, 2.5])", "$max([3, 1])", "$average([1, 2])", "1e3", "$string(1e21)", "$string(0.000001)"),
    "truth": ("null = null", "1 = '1'", "[1] = [1]", "$boolean([0])", "$boolean([])", "$not(null)", "true and 'x'", "$exists(null)", "2 in [1, 2]", "'a' in 'a'", "$states.input.no = 1", "$states.input.no != 1"),
    "objects": ("$keys({'a': 1})", "$keys({'a': 1, 'b': 2})", "$merge([{'a': 1}, {'b': 2}, {'a': 3}])", "$lookup({'a': 1}, 'a')", "$spread({'a': 1, 'b': 2})", "$each({'a': 1, 'b': 2}, function($v, $k) { $k & $v })", "$sift({'a': 1, 'b': 2}, function($v) { $v > 1 })", "$states.input.list{$string(v): v}", "{'a': $states.input.no}", "[1, $states.input.no]", "$type({})"),
    "functions": ("$reduce([1,2,3], function($a, $b) { $a + $b })", "$sort([3,1,2])", "$sort(['b','a'], function($l, $r) { $l > $r })", "$distinct([1,1,2])", "$zip([1,2],[3,4])", "$reverse([1,2])", "$count([1,2])", "$shuffle([1])", "($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; $f(5))", "[1,2] ~> $sum()", "$single([1,2,3], function($v) { $v = 2 })"),
    "times": ("$fromMillis(0)", "$toMillis('1970-01-01T00:00:01Z')", "$fromMillis(0, '[Y0001]-[M01]-[D01]')", "$toMillis('no time')", "$millis() > 0", "$fromMillis(0, '[H01]', '+0200')"),
    "what JSONata in Step Functions lacks": ("$eval('1')", "1 ?: 2", "null ?? 1"),
    "no JSONata": ("1 +", "(", "$states.input.", "'open", ""),
}  # fmt: skip
INPUT = {"a": {"b": 1}, "a b": 2, "list": [{"v": 1}, {"v": 2}]}


def values() -> Iterator[Case]:
    """One expression in each machine."""
    for topic, texts in EXPRESSIONS.items():
        for text in texts:
            yield case(f"{topic}: {text}", ("a", passing(f"{{% {text} %}}")), inputs=(INPUT,))


CASES = (*fields(), *values())
