"""An expression compiled by the library, with what it needs to evaluate it as Step Functions does."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from jlens import Expression as Library

from stepweave.engine import jsonata_functions
from stepweave.engine.jsonata_arithmetic import unmarked
from stepweave.engine.jsonata_calls import UNDEFINED
from stepweave.engine.jsonata_parts import Rewritten
from stepweave.engine.jsonata_rewrite import rewrite
from stepweave.engine.jsonata_tokens import UnreadableError

MAX_STEPS: Final = 20_000_000
"""Evaluation steps before an expression is given up: about a second, which AWS gives it as well
(https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html); counted, so that runs are repeatable."""

MAX_ITEMS: Final = 10_000_000
"""Longest array, as in JSONata (https://docs.jsonata.org/errors: D2014)."""

MAX_TEXT_BYTES: Final = 16 * 1024 * 1024
"""Longest string: far more than the 256 KiB that may leave an expression."""

_NO_FUNCTION = (
    '($__f:=function($__v){$type($__v)="function"'
    ' or ($type($__v)="array" and $exists($filter($__v,$__f)))'
    ' or ($type($__v)="object" and $exists($sift($__v,$__f)))};'
    "$__r:=(%s\n);"
    f'$__f($__r)?${jsonata_functions.HOST}("unsupported",0,{{}}):$__r)'
)


@dataclass(frozen=True, slots=True)
class Program:
    """One compiled form of an expression."""

    library: Library
    hosted: bool
    """Whether it calls functions in Python."""
    arithmetic: bool
    """Whether it goes on with numbers that are not finite."""
    shuffles: bool
    """Whether the library draws random numbers, for ``$shuffle``."""

    def run(
        self, document: dict[str, Any], bindings: dict[str, Any] | None, generator: Random, now: float
    ) -> Any:
        """The result, ``UNDEFINED`` for none; ``now`` in milliseconds since the epoch. Raises what the library does."""
        if self.hosted:
            jsonata_functions.generator.set(generator)
        result = self.library.evaluate(
            document or None,
            bindings,
            now=now,
            seed=generator.getrandbits(63) if self.shuffles else None,
            max_steps=MAX_STEPS,
            max_array_length=MAX_ITEMS,
            max_string_length=MAX_TEXT_BYTES,
        )
        if result is None and self._is_undefined(document, bindings, now):
            return UNDEFINED
        return unmarked(result) if self.arithmetic else result

    def _is_undefined(self, document: dict[str, Any], bindings: dict[str, Any] | None, now: float) -> bool:
        """Whether a result that the library gave as None was undefined, not null: as text they differ."""
        text = json.dumps(document) if document else None
        return self.library.evaluate_json(text, bindings, now=now, max_steps=MAX_STEPS) is None


def compile_program(
    source: str, names: Collection[str], special: bool, hidden: Collection[str] = (), arithmetic: bool = False
) -> Program:
    """The compiled form of a sound expression that reads the variables ``names``.

    A prelude binds them to the fields of the document that carries them, under keys that no expression can name.
    ``special`` expressions are rewritten, sparing the functions that variables named like them hide.
    """
    rewritten = (
        _rewritten(source, hidden, arithmetic) if special or arithmetic else Rewritten(source, False, False)
    )
    text = _NO_FUNCTION % rewritten.text if rewritten.functions else rewritten.text
    prelude = "".join(f"${name}:=$$.`${name}`;" for name in names)
    library = Library(f"({prelude}{text}\n)" if prelude else text)
    hosted = f"${jsonata_functions.HOST}(" in text
    if hosted:
        library.register_function(jsonata_functions.HOST, jsonata_functions.call)
    return Program(library, hosted, rewritten.arithmetic, "$shuffle" in text)


def _rewritten(source: str, hidden: Collection[str], arithmetic: bool) -> Rewritten:
    try:
        return rewrite(source, hidden, arithmetic)
    except (UnreadableError, RecursionError):
        return Rewritten(source, False, False)  # the library reads it, so it means what the library says
