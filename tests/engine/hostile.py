"""Values, expressions and answers that nobody would write."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from stepweave.engine.failures import FunctionError, StateError
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.integrations.lambda_invoke import invoke

TEXTS = (
    "", " ", "{% $states.input %}", "%}", "{% ", "${x}", "$states", "ü😀\u2028", "\ud800", "\x00", "'\"\\", "a" * 300,
    "States.ALL", "States.TaskFailed", "null", "-1", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00", "arn:aws:states:::lambda:invoke",
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "arn:aws:states:::batch:submitJob.sync",
    "arn:aws:states:us-east-1:123456789012:activity:a", "arn:aws:lambda:us-east-1:123456789012:function:f",
)  # fmt: skip
NUMBERS = (
    0,
    1,
    -1,
    2,
    40,
    0.5,
    -0.0,
    1e-320,
    1e21,
    1e300,
    -1e300,
    2**53 + 1,
    10**400,
    99_999_999,
    100_000_000,
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(NUMBERS),
        st.sampled_from(TEXTS),
        st.integers(),
        st.text(max_size=6),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("a", "b", *TEXTS)), inner, max_size=3)
    ),
    max_leaves=8,
)
"""JSON."""
EXPRESSIONS = (
    "1/0", "-1/0", "0/0", "$states.input.x.y", "$error('x')",
    "$error($states)", "$uuid()", "$random()", "$random('s')", "$parse('[')", "$parse($states.input)",
    "$partition([1,2,3], 0)", "$partition($states.input, 2)", "$range(1, 1e9, 1)", "$range(0, 10, -1)",
    "$range(1, 3, 0)", "$hash('a', 'SHA-999')", "$hash('a', 'MD5')", "($f := function($n){$f($n+1)}; $f(0))",
    "($f := function($n){$n = 0 ? 0 : $f($n-1)}; $f(5000))", "[1..10000001]", "[1..5000]", "$string($states)",
    "$states.context", "$pad('x', 300000)", "function($x){$x}", "$sum", "/a/", "$match('aaab', /a+/)",
    "$toMillis('x')", "$fromMillis(1e20)", "$now()", "$now('[Y]-[M99]')", "$millis()", "$number('x')",
    "$states.result", "$states.errorOutput", "$merge($states.input)", "$spread($states)",
    "$each($states, function($v,$k){$k})", "$sort([3,'a'])", "$substring('a', 1e10)", "$power(10, 400)", "$sqrt(-1)",
    "$base64decode('@@')", "$decodeUrl('%ff')", "$formatNumber(1, '#####.##.#')", "$formatInteger(1e20,'w')",
    "$replace('aaaa', /a*/, 'b')", "$split('a', '')", "$join([1])", "$lookup($states.input, 'a')",
    "$map([1,2], $sum)", "$reduce([1,2,3], function($a,$b){$a+$b})", "$zip([1],[2,3])",
    "$states.input ~> |$|{'x': 1}|", "$states.input[0]", "$states.input.*", "$states.input.**", "$states.input^(a)",
    "$states.input{a: b}", "$states.context.Execution.Input", "$states.context.State.RetryCount",
    "$states.context.Map.Item.Value", "$states.context.Task.Token", "$assert(false)", "$single([1,2])",
    "$formatBase(10, 99)", "$fromMillis(0, '[Yxx')", "'a' > 1", "-'a'", "[1,2] & {}", "1e308 * 10",
    "$states.input = $states.input", "$exists($states.input)", "$type($states)", "true", "'x'", "5", "99999999",
    "[1,2,3]", "{'a': [1]}", "'2026-01-01T00:00:00Z'",
)  # fmt: skip
_STRANGE: tuple[Any, ...] = (
    float("nan"), float("inf"), {1: 2}, {1, 2}, b"bytes", object(), "x" * 300_000, "\ud800", 10**400, 1e300, (1, 2),
    {None: 1},
)  # fmt: skip
"""What a function may return that is no JSON, or JSON that is hard to bear."""
_RAISED: tuple[Exception, ...] = (
    StateError("E", "why"), StateError("", ""), StateError("States.Timeout"), StateError("States.Runtime", "x"),
    StateError("E" * 999, "c" * 99_999), StateError("\ud800", "\ud800"), StateError(None), FunctionError("F"),
    ValueError("\ud800"), KeyError(1), RecursionError(), StopIteration(1), TimeoutError("not the engine's"),
    MemoryError(), RuntimeError("generator raised StopIteration"), StateError("States.DataLimitExceeded", "x"),
)  # fmt: skip


class Strange(Integration):
    """Serves every resource with the answers it is given, one after the other and then again."""

    fake = True

    def __init__(self, answers: list[Any]) -> None:
        self._answers = answers
        self._count = 0

    async def run(self, call: Call) -> Any:
        async def function(event: Any) -> Any:
            answer = self._answers[self._count % len(self._answers)]
            self._count += 1
            if isinstance(answer, Exception):
                raise answer.with_traceback(None)  # raised before, it would bring along where
            return call.arguments if answer == "echo" else answer

        return await invoke(function, None)


def _deep(kind: type, depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


def _round() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


ANSWERS = st.lists(
    st.one_of(
        VALUES,
        st.just("echo"),
        st.sampled_from(_STRANGE),
        st.sampled_from(_RAISED),
        st.builds(_deep, st.sampled_from((list, dict)), st.sampled_from((50, 500, 5_000))),
        st.builds(_round),
    ),
    min_size=1,
    max_size=4,
)
"""Answers of :class:`Strange`."""
