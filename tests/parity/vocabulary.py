"""What drawn machines are made of: inputs, expressions, errors. ``@`` stands for something that is read."""

from __future__ import annotations

from typing import Any

INPUTS: tuple[Any, ...] = (
    {"a": 1, "b": [1, 2], "c": {"d": "x"}},
    {"a": "text", "b": []},
    {"a": None, "b": [None], "c": {}},
    {"a": True, "b": [[1], {}]},
    {"a": 0, "b": ["x"]},
)
EXPRESSIONS = (
    "@",
    "@ + 1",
    "[@, @]",
    "{'k': @}",
    "$type(@)",
    "@ = @",
    "$exists(@)",
    "$string(@)",
    "@ & '!'",
    "$append(@, @)",
    "$boolean(@)",
    "@ in [2, 'text', null]",
    "$count([@])",
    "$merge([{'a': @}, {'b': 1}])",
    "$lookup({'a': @}, 'a')",
    "$not(@)",
    "$keys({'x': @})",
    "$exists(@) ? @ : 0",
    "$map([1, 2], function($x) { [$x, @] })",
    "($t := @; [$t, $t])",
    "$length($string(@))",
    "@ ~> $string()",
)
CONDITIONS = (
    "@ = 1",
    "$exists(@)",
    "@ > 0",
    "$type(@) = 'number'",
    "@ in [2, 'text']",
    "$exists(@) and $boolean(@)",
    "$not(@ = 1)",
    "true",
    "false",
    "@ = @ and $exists(@)",
)
ERRORS = ("E", "F", "States.Timeout", "States.TaskFailed", "Lambda.Unknown")
MATCHED = (*ERRORS, "States.QueryEvaluationError", "Other")
SAFE = ("[@, @]", "{'k': @}", "$type(@)", "@ = @", "$string(@)", "$count([@])", "@ in [2, 'text']", "'x'")
"""Expressions that never fail."""
