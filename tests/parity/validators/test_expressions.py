"""Our reader of expressions against the parser of JSONata 2.0.6, which is what Step Functions runs."""

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from stepweave.validation.jsonata import read

AskNode = Callable[[str, Sequence[Any]], list[Any]]

SOUND = (
    "$a.b",
    "$merge([{'day': '2026-11-20'}, $exists($states.input.params) ? $states.input.params : {}])",
    "($x := 1; $x + $y)",
    "function($a, $b) { $a + $b + $c }",
    "$map($xs, function($v) { $v.price })",
    "$xs[price > 3].name",
    "$x ~> |$|{'a': b}|",
    "$x ~> |$|{'a': b}, ['z']|",
    "($f := function($n) { $n < 2 ? 1 : $n * $f($n - 1) }; $f(5))",
    "$o.{ 'a': x, 'b': y }",
    "[1..$n, 7]",
    "$a^(>b, <c)",
    "$a.b{k: v}",
    "$f(?, 1)",
    "$states.input.`a b`",
    "$count($a) = 1 ? 'x' : 'y'",
    "$sum($a.x@$i#$j.($i + $j))",
    "$a.*.**",
    "$a and $b or $not($c)",
    "$a in [1, 2]",
    "{'a': $b ? 1, 'c': 2}",
    "-$a",
    "$x[0]['a']",
    "()",
    "$match($a, /a[/]b+(c|d)/i)",
    "λ($x) { $x }",
    "$a /* c */ + 1e3 - 0.5",
    "$a[]",
    '"a\\"b" & \'c\\n\\u00e9\'',
    "(1; 2;)",
    "$a ? $b : $c ? $d : $e",
    "$a.and.or.in",
    "$a ~> $b ~> $c",
    "$f(1)(2)",
    "(function($x) { $x })(3)",
    "$a{`b`: 1}",
    "$a < $b",
    "$a != 1 and $b <= 2 and $c >= 3",
    "$a.'b'",
    "$a - /* minus */ -1",
)

TOKENS = (
    "$a", "1", "'s'", ".", "(", ")", "[", "]", "{", "}", ",", ";", ":", "?", "+", "-", "*", "/", "%",
    "|", "=", "<", ">", "^", "&", "!", "~", "!=", "<=", ">=", "~>", "..", ":=", "and", "or", "in",
    "name", "**", "@$i", "#$j", "function($x){", "$f(", "^(", "??", "?:", "`q`", "/re/", "null", "true",
)  # fmt: skip

NOT_SEEN = {
    "S0215": "where in a path @ may stand is known only when the path is resolved",
    "S0217": "whether % has a parent is known only when the path is resolved",
    "S0211": "a regular expression where no function takes it",
    "S0212": "a minus before a name that is bound",
    "S0213": "a literal that becomes a step by what stands behind it",
    "undefined": "the pattern inside a regular expression is not read",
}
"""Errors of JSONata's parser that our reader may miss, and why."""


def variations(number: int) -> list[str]:
    """Sound expressions with one or two tokens removed, replaced or added."""
    draw = random.Random(20_6)
    texts = []
    for _ in range(number):
        tokens = re.findall(r"\$\w*|\w+|'[^']*'|`[^`]*`|\S| ", draw.choice(SOUND))
        for _ in range(draw.randint(1, 2)):
            at = draw.randrange(len(tokens))
            token = f" {draw.choice(TOKENS)} "
            tokens[at : at + draw.randint(0, 1)] = draw.choice([[], [token], [token]])
        texts.append("".join(tokens))
    return texts


def faults(text: str) -> list[str]:
    """What our reader finds wrong with the syntax; the context of names is another matter."""
    return [
        what
        for code, what, _ in read("{%" + text + "%}").findings
        if code in ("expression-syntax", "expression-feature")
    ]


def test_sound_expressions_are_sound_to_both(ask_node: AskNode) -> None:
    assert [(text, error) for text, error in zip(SOUND, ask_node("parse", SOUND), strict=True) if error] == []
    assert [(text, faults(text)) for text in SOUND if faults(text)] == []


def test_what_jsonata_parses_is_never_refused(ask_node: AskNode) -> None:
    texts = variations(4000)
    parsed = [text for text, error in zip(texts, ask_node("parse", texts), strict=True) if error is None]
    assert len(parsed) > 400
    assert [(text, faults(text)) for text in parsed if faults(text)] == []


def test_what_jsonata_refuses_is_refused_but_for_known_exceptions(ask_node: AskNode) -> None:
    texts = variations(4000)
    refused = {text: error for text, error in zip(texts, ask_node("parse", texts), strict=True) if error}
    missed = {text: error for text, error in refused.items() if not faults(text)}
    assert {error.split(":")[0] for error in missed.values()} <= NOT_SEEN.keys(), missed
    assert len(missed) < len(refused) / 100
