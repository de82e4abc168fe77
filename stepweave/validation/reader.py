"""Reads one JSONata expression: which variables it needs, and what in it Step Functions would refuse.

No evaluator: one pass over the tokens with a stack of open brackets. It knows which names are bound inside the
expression (``$x := …``, parameters of functions), where an item is at hand as context (behind a dot, in a filter) and
where none is (the top level: Step Functions evaluates expressions without an input of their own).
"""

from __future__ import annotations

import math

from stepweave.validation.brackets import CLOSERS, STEP_ENDS, Bracket, SyntaxFault, check_step
from stepweave.validation.tokens import FUNCTIONS, PARAMETER, STATES_STEPS, TOKEN, end_of_regex

Finding = tuple[str, str, str | None]
"""Code of the rule, what is wrong, and the fix."""

_INFIX = frozenset({"+", "-", "*", "/", "%", "=", "<", ">", "&", "!=", "<=", ">=", "~>"})
_NEWER = {"?:": "the operator ?: is not in JSONata 2.0.6", "??": "the operator ?? is not in JSONata 2.0.6"}


class Reader:
    """One pass over an expression."""

    __slots__ = ("at", "expecting", "findings", "previous", "stack", "states", "text", "variables")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.expecting = True
        """Whether a value must come next (else an operator, or the end)."""
        self.previous = ""
        """The token before, where it matters: an operator, ``bind`` or ``callable``."""
        self.stack = [Bracket("top", "", context=False, names=set())]
        self.variables: dict[str, None] = {}
        self.states: list[tuple[str, str]] = []
        self.findings: list[Finding] = []

    def run(self) -> None:
        """Read the whole expression."""
        try:
            self._scan()
        except SyntaxFault as error:
            self.findings.append(("expression-syntax", str(error), None))

    def _scan(self) -> None:
        text, match = self.text, TOKEN.match
        while True:
            token = match(text, self.at)
            if token is None:
                raise SyntaxFault(f"a string is not closed, or has an unknown escape: {self._rest()}")
            kind = token.lastgroup
            start, self.at = token.start(kind or 0), token.end()
            if kind == "operator":
                self._operator(token["operator"], start)
            elif kind == "variable":
                self._variable(token["variable"][1:])
            elif kind == "name":
                self._name(token["name"])
            elif kind == "bind":
                self._value(token["bind"])
                self._bind(token["bind"][1:])
            elif kind == "lambda":
                self._value("function")
                self._lambda(token["parameters"])
            elif kind == "comment":
                self._comment()
            elif kind == "end":
                return self._end()
            elif kind == "quoted":
                self._field(token["quoted"])
            elif kind == "number":
                self._number(token["number"])
            else:
                self._value(token["string"])

    # Values

    def _value(self, token: str) -> None:
        if not self.expecting:
            raise SyntaxFault(f"an operator is missing before {token}")
        if self.previous == "^" or (self.previous in ("@", "#") and not token.startswith("$")):
            raise SyntaxFault(f"{self.previous} cannot stand before {token}")
        self.expecting = False
        self.previous = ""

    def _number(self, token: str) -> None:
        if math.isinf(float(token)):
            raise SyntaxFault(f"{token} is out of range")
        self._literal(token)

    def _literal(self, token: str) -> None:
        if self.previous == ".":
            raise SyntaxFault(f"{token} is no step of a path")
        self._value(token)
        self.previous = "literal"

    def _name(self, name: str) -> None:
        if name in ("and", "or", "in") and not self.expecting:
            self.expecting = True
            self.previous = name
        elif name in ("true", "false", "null"):
            self._literal(name)
        elif name in ("function", "λ") and self._next() == "(":
            raise SyntaxFault(f"{name} needs parameters ($a, $b) and a body {{ … }}")
        else:
            self._field(name)

    def _field(self, name: str) -> None:
        qualified = self._has_context()
        self._value(name)
        if qualified:
            return
        if name == "States":
            what, fix = "intrinsic functions (States.…) belong to JSONPath", "use a JSONata function"
        else:
            what = f"the field {name} has no object it belongs to"
            fix = "write $states.input.…, or a variable; quote text: '…'"
        self.findings.append(("expression-context", what, fix))

    def _has_context(self) -> bool:
        return self.previous == "." or self.stack[-1].context

    def _variable(self, name: str) -> None:
        qualified, previous = self._has_context(), self.previous
        self._value("$" + name)
        if previous in ("@", "#"):
            self._scope().add(name)
        elif name in ("", "$"):
            if name == "$" or not qualified:
                fix = "write $states.input, or a variable"
                self.findings.append(("expression-context", f"${name} stands for nothing here", fix))
        elif name == "states":
            self._states()
        elif not any(name in frame.names for frame in self.stack if frame.names):
            self._free(name)
        self.previous = "member" if previous == "." else "callable"

    def _free(self, name: str) -> None:
        if name == "eval":
            self.findings.append(
                ("expression-feature", "Step Functions does not offer $eval", "use $parse for JSON")
            )
        elif name in FUNCTIONS:
            return
        elif self._next() == "(":
            self.findings.append(
                ("unknown-function", f"${name} is no function of JSONata 2.0.6 or Step Functions", None)
            )
        else:
            self.variables[name] = None

    def _states(self) -> None:
        first = STATES_STEPS.match(self.text, self.at)
        second = STATES_STEPS.match(self.text, first.end()) if first else None
        steps = (step[1] or step[2] if step else "" for step in (first, second))
        self.states.append((next(steps), next(steps)))

    def _bind(self, name: str) -> None:
        if name == "states":
            self.findings.append(("variable-name", "$states is reserved", "use another name"))
        self.previous = "bind"
        self._statement().pending.append(name)

    def _lambda(self, parameters: str) -> None:
        for frame in self.stack:  # a function may call itself by the name it is bound to
            frame.bind_pending()
        names = set(PARAMETER.findall(parameters))
        self.stack.append(Bracket("lambda", "}", context=self.stack[-1].context, names=names))
        self.expecting = True

    def _scope(self) -> set[str]:
        names = self._statement().names
        return names if names is not None else set()

    def _statement(self) -> Bracket:
        return next(frame for frame in reversed(self.stack) if frame.names is not None)

    # Operators

    def _operator(self, operator: str, start: int) -> None:
        if operator in ")]}":
            return self._close(operator)
        if self.expecting:
            return self._prefix(operator, start)
        check_step(self.previous, operator)
        if (operator == "." and self.previous == "literal") or (self.previous == "?" and operator != ","):
            raise SyntaxFault(f"unexpected {operator}")
        elif operator in _INFIX:
            self.expecting = True
            self.previous = operator
        elif operator in "([{":
            self._open_behind_value(operator)
        else:
            self._other_infix(operator)

    def _prefix(self, operator: str, start: int) -> None:
        if self.previous in ("@", "#") or (self.previous == "^" and operator != "("):
            raise SyntaxFault(f"{self.previous} cannot stand before {operator}")
        if operator in "([{":
            kind = {"(": "block", "[": "array", "{": "object"}[operator]
            if operator == "(" and self.previous == "^":
                kind = "sort"
            context = self._has_context() or kind == "sort"
            self._open(kind, operator, context=context, names=set() if kind == "block" else None)
        elif operator == "-":
            self.previous = ""
        elif operator in ("*", "**", "%"):
            self._field(operator)
        elif operator == "/":
            self._regex(start)
        elif operator == "|":
            self._open("transform", "|", context=True)
        elif operator == "?" and self.stack[-1].kind == "call":
            self._value("?")
            self.previous = "?"  # a placeholder stands alone
        elif operator in "<>" and self.stack[-1].kind == "sort" and self.previous in ("(", ","):
            self.previous = operator
        else:
            raise SyntaxFault(f"a value is missing before {operator}")

    def _regex(self, start: int) -> None:
        end = end_of_regex(self.text, start)
        if end < 0:
            raise SyntaxFault(f"a regular expression is not closed: {self._rest()}")
        self._value(self.text[start:end])
        self.at = end

    def _open_behind_value(self, operator: str) -> None:
        if operator == "(":
            member = self.previous == "member"
            self._open("call", operator, context=member or self.stack[-1].context)
        else:
            self._open("filter" if operator == "[" else "group", operator, context=True)

    def _open(self, kind: str, operator: str, *, context: bool, names: set[str] | None = None) -> None:
        self.stack.append(Bracket(kind, CLOSERS[operator], context=context, names=names))
        self.expecting = True
        self.previous = operator

    def _other_infix(self, operator: str) -> None:
        frame = self.stack[-1]
        if operator in _NEWER:
            self.findings.append(("expression-feature", _NEWER[operator], "write $exists(a) ? a : b"))
        elif operator == "?":
            frame.ternaries += 1
        elif operator == ":":
            frame.colon()
        elif operator == ",":
            frame.comma()
        elif operator == ";":
            frame.semicolon()
        elif operator == "|" and frame.kind == "transform":
            return self._transform_part(frame)
        elif operator == ":=" and self.previous != "bind":
            raise SyntaxFault("only a variable may stand before :=")
        elif operator not in (".", "^", "@", "#", ":=") and not (operator == ".." and frame.kind == "array"):
            raise SyntaxFault(f"unexpected {operator}")
        self.expecting = True
        self.previous = operator

    def _transform_part(self, frame: Bracket) -> None:
        """``| location | update, delete |``: the second bar opens the update, the third closes."""
        if not frame.parted:
            frame.parted = self.expecting = True
            self.previous = "|"
        else:
            self.stack.pop()
            self.previous = ""

    def _close(self, operator: str) -> None:
        frame = self.stack[-1]
        frame.close(operator, expecting=self.expecting, previous=self.previous)
        if len(self.stack) > 1:
            self.stack.pop()
        self.expecting = False
        self.previous = frame.kind if frame.kind in STEP_ENDS else "callable"

    # Around the tokens

    def _comment(self) -> None:
        end = self.text.find("*/", self.at)
        if end < 0:
            raise SyntaxFault("a comment is not closed")
        self.at = end + 2

    def _end(self) -> None:
        if len(self.stack) > 1:
            raise SyntaxFault(f"{self.stack[-1].closer} is missing")
        if self.expecting:
            raise SyntaxFault(
                "the expression ends where a value must come"
                if self.text.strip()
                else "the expression is empty"
            )

    def _next(self) -> str:
        return self.text[self.at :].lstrip()[:1]

    def _rest(self) -> str:
        rest = self.text[self.at :].strip()
        return rest if len(rest) <= 30 else rest[:29] + "…"
