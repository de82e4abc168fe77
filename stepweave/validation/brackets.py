"""An open bracket of a JSONata expression, and what may stand inside it."""

from __future__ import annotations


class SyntaxFault(Exception):
    """The text is no JSONata; reading stops."""


CLOSERS = {"(": ")", "[": "]", "{": "}", "|": "|"}
"""What closes each bracket; the bar opens and closes a transform (``| location | update |``)."""

STEP_ENDS = frozenset({"filter", "sort", "group"})
"""Brackets behind a step of a path, after which not everything may follow."""

_MAY_BE_EMPTY = frozenset({"call", "block", "array", "object", "group", "filter"})
_HAS_COMMAS = frozenset({"call", "array", "object", "group", "sort"})
_HAS_KEYS = frozenset({"object", "group"})


def check_step(previous: str, operator: str) -> None:
    """Check that ``operator`` may stand behind ``previous``, the kind of bracket that was closed last."""
    if previous == "group" and operator in ("[", "{"):
        raise SyntaxFault(f"{operator} cannot follow the grouping of a step")
    if operator == "@" and previous in STEP_ENDS:
        raise SyntaxFault("@ must stand before the filters, the order and the grouping of a step")


class Bracket:
    """An open bracket (or the body of a function)."""

    __slots__ = ("closer", "context", "kind", "names", "parted", "pending", "ternaries")

    def __init__(self, kind: str, closer: str, *, context: bool, names: set[str] | None = None) -> None:
        self.kind = kind
        self.closer = closer
        self.context = context
        """Whether an item is at hand, so that fields may be named without a path to them."""
        self.names = names
        """Names bound here; None where the bracket is no scope of its own."""
        self.pending: list[str] = []
        """Names whose value is still being read; bound at the end of the statement."""
        self.ternaries = 0
        """Conditions (``a ? b``) that may still have an alternative (``: c``)."""
        self.parted = False
        """Whether a key's colon, or a transform's second bar, has been read."""

    def colon(self) -> None:
        """Take a colon: the alternative of a condition, or the end of a key."""
        if self.ternaries:
            self.ternaries -= 1
        elif self.kind in _HAS_KEYS and not self.parted:
            self.parted = True
        else:
            raise SyntaxFault("unexpected :")

    def comma(self) -> None:
        """Take a comma."""
        if self.kind not in _HAS_COMMAS and not (self.kind == "transform" and self.parted):
            raise SyntaxFault("a comma stands outside of a list")
        self._end_item()

    def semicolon(self) -> None:
        """Take a semicolon; what the statement bound can be read from here on."""
        if self.kind != "block":
            raise SyntaxFault("a semicolon stands outside of ( )")
        self.bind_pending()
        self.ternaries = 0

    def bind_pending(self) -> None:
        """Make the names of the running statement readable."""
        if self.names is not None:
            self.names.update(self.pending)

    def close(self, closer: str, *, expecting: bool, previous: str) -> None:
        """Check that ``closer`` may stand here: ``expecting`` a value, behind the operator ``previous``."""
        if self.closer != closer:
            raise SyntaxFault(f"unexpected {closer}")
        if not expecting:
            self._end_item()
        elif not (previous in ("(", "[", "{") and self.kind in _MAY_BE_EMPTY) and previous != ";":
            raise SyntaxFault(f"a value is missing before {closer}")

    def _end_item(self) -> None:
        if self.kind in _HAS_KEYS:
            if not self.parted:
                raise SyntaxFault("a key of an object has no value")
            self.parted = False
        self.ternaries = 0
