"""The tokens of one expression, one after the other."""

from __future__ import annotations

from stepweave.validation.tokens import TOKEN, end_of_regex


class UnreadableError(Exception):
    """The text is not what the grammar says; the library has the last word on it."""


class Tokens:
    """A place in an expression: the token from ``at`` to ``end``, its ``kind`` one of the groups of ``TOKEN``."""

    __slots__ = ("at", "end", "kind", "source", "token")

    def __init__(self, source: str) -> None:
        self.source = source
        self.at, self.end, self.token, self.kind = 0, 0, "", ""

    def advance(self) -> None:
        """Read the next token."""
        while True:
            match = TOKEN.match(self.source, self.end)
            if match is None:
                raise UnreadableError(self.source[self.end :])
            self.kind = match.lastgroup or ""
            self.at, self.end = match.start(self.kind), match.end()
            self.token = match[self.kind]
            if self.kind != "comment":
                return
            self.end = self.source.find("*/", self.end) + 2
            if self.end < 2:
                raise UnreadableError("/*")

    def accept(self, operator: str) -> bool:
        """Whether the token is this operator, which is then passed."""
        if self.kind != "operator" or self.token != operator:
            return False
        self.advance()
        return True

    def expect(self, operator: str) -> None:
        if not self.accept(operator):
            raise UnreadableError(self.source[self.at :])

    def regex(self) -> str:
        """The regular expression that starts at the token, which is then passed."""
        end = end_of_regex(self.source, self.at)
        if end < 0:
            raise UnreadableError(self.source[self.at :])
        text = self.source[self.at : end]
        self.end = end
        self.advance()
        return text
