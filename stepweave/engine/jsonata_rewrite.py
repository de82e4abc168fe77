"""An expression as the library evaluates it the way Step Functions does: some calls and operators become host calls.

``$string($x) & 'a'`` becomes ``$__("&", 2, {"0": $__("string", 1, {"0": $x}, function(){$}), "1": 'a'})``. The
grammar is that of the reference implementation, read by operator precedence; the rest is written as it was.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from stepweave.engine import jsonata_arithmetic
from stepweave.engine.jsonata_functions import FUNCTIONS, REPLACED
from stepweave.engine.jsonata_parts import (
    CONTEXTUAL,
    HIGHER_ORDER,
    NOTHING,
    PLACEHOLDER,
    READ_OTHERWISE,
    Part,
    Rewritten,
    ascii_blanks,
    bound_names,
    host_call,
    partial_call,
    type_of,
)
from stepweave.engine.jsonata_tokens import Tokens, UnreadableError
from stepweave.validation.tokens import FUNCTIONS as BUILT_IN

_POWERS: Final = {
    **dict.fromkeys(("[", "(", "@", "#"), 80),
    **{".": 75, "{": 70},
    **dict.fromkeys(("*", "/", "%"), 60),
    **dict.fromkeys(("+", "-", "&"), 50),
    **dict.fromkeys(("=", "<", ">", "!=", "<=", ">=", "~>", "in", "^"), 40),
    **{"and": 30, "or": 25, "?": 20, ":=": 10},
}
"""How tightly operators bind, as in the reference implementation."""


def rewrite(source: str, hidden: Collection[str] = (), arithmetic: bool = False) -> Rewritten:
    """The expression for the library; raises :class:`UnreadableError`.

    ``hidden`` are names of functions that variables of the state machine hide. With ``arithmetic``, operators are host
    calls that go on with numbers that are not finite; a division by anything but a number makes it so.
    """
    writer = _Writer(source, hidden, arithmetic)
    text = writer.whole()
    if writer.risky and not arithmetic:
        return rewrite(source, hidden, arithmetic=True)
    return Rewritten(text, arithmetic, writer.loose > 0)


class _Writer(Tokens):
    """One pass over an expression."""

    __slots__ = ("arithmetic", "hidden", "items", "loose", "risky")

    def __init__(self, source: str, hidden: Collection[str], arithmetic: bool) -> None:
        super().__init__(source)
        self.arithmetic = arithmetic
        self.risky = False
        """Whether a divisor may be zero."""
        self.loose = 0
        """Number of functions in places from where they may reach the result."""
        self.items = 0
        """How many places deep that give an item as the context; an expression as a whole has none."""
        self.hidden = {*hidden, *bound_names(source)}

    def whole(self) -> str:
        """The whole expression."""
        self.advance()
        part = self._expression(0)
        if self.kind != "end":
            raise UnreadableError(self.source[self.at :])
        return part.text

    # Expressions

    def _expression(self, power: int) -> Part:
        left = self._prefix()
        while self.kind in ("operator", "name") and _POWERS.get(self.token, 0) > power:
            operator = self.token
            self.advance()
            left = self._infix(operator, left)
        return left

    def _prefix(self) -> Part:
        token, kind = self.token, self.kind
        if kind == "operator" and token == "/":
            return self._regex()
        self.advance()
        match kind:
            case "operator":
                return self._opening(token)
            case "variable" | "bind":
                return self._variable(token[1:])
            case "lambda":
                body = self._expression(0)
                self.expect("}")
                self.loose += 1
                return Part(f"{token}{body.text}}}", function=True)
            case "string" | "number":
                return Part(token, literal=token)
            case "name" | "quoted":
                return Part(token)
        raise UnreadableError(token)

    def _opening(self, operator: str) -> Part:
        match operator:
            case "(":
                return Part(f"({self._listed(';', ')')})")
            case "[":
                return Part(f"[{self._listed(',', ']', '..')}]")
            case "{":
                return Part(f"{{{self._listed(',', '}', ':')}}}")
            case "-":
                return Part(f"- {self._expression(70).text}")
            case "|":
                return self._transform()
            case "*" | "**" | "%":
                return Part(operator)
        raise UnreadableError(operator)

    def _listed(self, separator: str, closing: str, inner: str = "") -> str:
        """Expressions up to a closing bracket; ``inner`` stands between two that belong together."""
        items: list[str] = []
        while not self.accept(closing):
            item = self._expression(0).text
            if inner and self.accept(inner):
                item += inner + self._expression(0).text
            items.append(item)
            if not self.accept(separator):
                self.expect(closing)
                break
        return separator.join(items)

    def _transform(self) -> Part:
        pattern = self._expression(0).text
        self.expect("|")
        self.items += 1
        changes = [self._expression(0).text]
        if self.accept(","):
            changes.append(self._expression(0).text)
        self.items -= 1
        self.expect("|")
        self.loose += 1
        return Part(f"|{pattern}|{','.join(changes)}|", function=True)

    def _regex(self) -> Part:
        self.loose += 1
        return Part(ascii_blanks(self.regex()), function=True)

    def _variable(self, name: str) -> Part:
        if name in self.hidden or name not in BUILT_IN:
            return Part(f"${name}")
        self.loose += 1
        if not self._is_replaced(name):
            return Part(f"${name}", name=name, function=True)
        parameters = ["$__a", "$__b", "$__c"][: FUNCTIONS[name].passed if name in FUNCTIONS else 1]
        body = host_call(name, parameters).text
        return Part(f"function({','.join(parameters)}){{{body}}}", name=name, function=True)

    def _is_replaced(self, name: str) -> bool:
        return name in REPLACED or (self.arithmetic and name in jsonata_arithmetic.FUNCTIONS)

    # Operators

    def _infix(self, operator: str, left: Part) -> Part:
        match operator:
            case "(":
                return self._call(left)
            case "[" | "{" | "^" | ".":
                self.items += 1
                part = self._item_wise(operator, left)
                self.items -= 1
                return part
            case "?":
                return self._conditional(left)
            case "~>":
                return self._chained(left)
            case ":=":
                return Part(f"{left.text} := {self._expression(9).text}")
        return self._binary(operator, left, self._expression(_POWERS[operator]))

    def _item_wise(self, operator: str, left: Part) -> Part:
        """What is evaluated for each item of ``left``: a filter, a grouping, an order, a step of a path."""
        match operator:
            case "[":
                return Part(f"{left.text}[{self._listed(',', ']')}]")
            case "{":
                return Part(f"{left.text}{{{self._listed(',', '}', ':')}}}")
            case "^":
                return Part(f"{left.text}^({self._sorted_by()})")
        return Part(f"{left.text} . {self._expression(_POWERS['.']).text}")

    def _binary(self, operator: str, left: Part, right: Part) -> Part:
        if operator == "&":
            operands = left.arguments if left.callee == "&" else (left.text,)
            return host_call("&", [*operands, right.text])
        if operator in "/%" and not re.search("[1-9]", right.literal.partition("e")[0]):
            self.risky = True
        if self.arithmetic and operator in jsonata_arithmetic.OPERATORS:
            return host_call(operator, [left.text, right.text])
        return Part(f"{left.text} {operator} {right.text}")

    def _sorted_by(self) -> str:
        self.expect("(")
        terms: list[str] = []
        while True:
            order = self.token if self.kind == "operator" and self.token in ("<", ">") else ""
            if order:
                self.advance()
            terms.append(order + self._expression(0).text)
            if not self.accept(","):
                self.expect(")")
                return ",".join(terms)

    def _conditional(self, condition: Part) -> Part:
        chosen = self._expression(0)
        text = f"{condition.text} ? {chosen.text}"
        return Part(f"{text} : {self._expression(0).text}" if self.accept(":") else text)

    def _chained(self, left: Part) -> Part:
        """``left ~> $f(…)`` calls the function with ``left`` before its other arguments."""
        right = self._expression(_POWERS["~>"])
        if right.callee in REPLACED:
            others = () if right.arguments == (NOTHING,) else right.arguments
            return host_call(right.callee, [left.text, *others], self.items > 0)
        called = right.text.removesuffix(f"({NOTHING})")
        return Part(f"{left.text} ~> {right.text if called == right.text else f'{called}()'}")

    def _call(self, callee: Part) -> Part:
        arguments: list[Part] = []
        loose = self.loose
        while not self.accept(")"):
            arguments.append(self._argument())
            if not self.accept(","):
                self.expect(")")
                break
        if callee.name == "string" and self.loose > loose:
            # The library writes functions, which do not reach the host.
            self.loose = loose - 1
            return Part(f"$string({','.join(argument.text for argument in arguments)})")
        if callee.name:
            self.loose -= 1
        if any(argument.text == PLACEHOLDER for argument in arguments):
            self.loose += 1
        elif callee.name in HIGHER_ORDER:
            self.loose -= sum(argument.function for argument in arguments)
        return self._called(callee, arguments)

    def _argument(self) -> Part:
        if self.kind == "operator" and self.token == PLACEHOLDER:
            self.advance()
            return Part(PLACEHOLDER)
        return self._expression(0)

    def _called(self, callee: Part, arguments: list[Part]) -> Part:
        texts = [argument.text for argument in arguments]
        name = callee.name
        if not texts and name in CONTEXTUAL and not self.items:
            texts = [NOTHING]
        if name == "type" and self.arithmetic and len(texts) == 1:
            return Part(type_of(texts[0]))
        if name == "split" and len(arguments) > 1 and not self._splits_at_text(arguments[1]):
            return Part(f"$split({','.join(texts)})")
        if name and self._is_replaced(name):
            return (partial_call if PLACEHOLDER in texts else host_call)(name, texts, self.items > 0)
        at, reader = READ_OTHERWISE.get(name, (len(texts), ""))
        if at < len(texts) and texts[at] != PLACEHOLDER:
            texts[at] = host_call(reader, [texts[at]]).text
        return Part(f"{callee.text}({','.join(texts)})")

    def _splits_at_text(self, separator: Part) -> bool:
        """Whether a separator is no regular expression, for sure: only then the host may have it."""
        return bool(separator.literal) or "/" not in self.source
