"""What one JSONata expression reads, and what in it Step Functions would refuse.

Answers are cached by the text of the expression: a machine says the same thing in many states.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from stepweave.validation.reader import Finding, Reader
from stepweave.validation.tokens import FUNCTIONS, SIMPLE


@dataclass(frozen=True, slots=True)
class Expression:
    """What the linter wants to know of an expression."""

    variables: tuple[str, ...] = ()
    """Names of the workflow variables it reads, without repetition, in the order read."""
    states: tuple[tuple[str, str], ...] = ()
    """The first two steps behind each ``$states``; ``""`` where there is none."""
    findings: tuple[Finding, ...] = ()


def is_expression(text: str) -> bool:
    """Whether Step Functions evaluates ``text``: it starts exactly with ``{%`` and ends with ``%}``."""
    return text.startswith("{%") and text.endswith("%}") and len(text) >= 4


@lru_cache(maxsize=16_384)
def read(text: str) -> Expression:
    """What the expression ``{% … %}`` reads and breaks. ``{% $a.b %}`` gives ``Expression(variables=("a",))``."""
    simple = SIMPLE.fullmatch(text)
    if simple:
        name, path = simple.groups()
        if name == "states":
            steps = path.split(".")[1:3]
            first, second = (*steps, "", "")[:2]
            return Expression(states=((first, second),))
        if name not in FUNCTIONS and name != "eval":
            return Expression(variables=(name,))
    reader = Reader(text[2:-2])
    reader.run()
    return Expression(tuple(reader.variables), tuple(reader.states), tuple(reader.findings))
