"""What cannot be done with a value that exists only in a run, and what to write instead.

Each refusal is noted at the user's line and answered with a harmless value, so that the DAG function goes on and one
trace finds all mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepweave.authoring.trace import report

_NOT_NOW = "has no value while the DAG is traced"


class Refusing:
    """Answers every operation of Python that would need the value now."""

    __slots__ = ()

    def _described(self) -> str | None:
        """The value in words; None for one that stands for a mistake already reported."""
        raise NotImplementedError

    def _refuse(self, code: str, operation: str, fix: str) -> None:
        described = self._described()
        if described is not None:
            report(code, f"{operation}: {described} {_NOT_NOW}", fix=fix)

    def __bool__(self) -> bool:
        self._refuse(
            "reference-bool",
            "the truth of a reference is asked (if, while, and, or, not, a < b < c, or `in` a list)",
            "write `with If(condition):` for a block of tasks; combine conditions by &, |, ~ with parentheses, "
            "test membership by .is_in([...])",
        )
        return True

    def __len__(self) -> int:
        self._refuse(
            "reference-len", "len() of a reference", "return the length from a task, or compute it inside one"
        )
        return 0

    def __contains__(self, item: object) -> bool:
        self._refuse("reference-in", "`in` on a reference", "write ref.contains(x) instead of x in ref")
        return False

    def __iter__(self) -> Iterator[Any]:
        self._refuse(
            "reference-iteration",
            "iteration over a reference (for, *ref, unpacking)",
            "run a task per item by task.expand(x=ref), or loop inside a task; "
            "to unpack, annotate the producing task `-> tuple[A, B]`",
        )
        return iter(())

    def __str__(self) -> str:
        self._refuse(
            "reference-text",
            "text made of a reference (an f-string, str(), format() or print())",
            "pass the reference to a task and build the text there; to join texts write ref + 'text'",
        )
        return "<reference>"

    def __format__(self, spec: str) -> str:
        return str(self)

    def _number(self) -> None:
        self._refuse(
            "reference-number",
            "a number made of a reference (int(), float(), round(), range() or an index)",
            "convert inside a task, or use operators: ref + 1, ref // 2",
        )

    def __int__(self) -> int:
        self._number()
        return 0

    def __float__(self) -> float:
        self._number()
        return 0.0

    def __index__(self) -> int:
        self._number()
        return 0

    def __round__(self, digits: int | None = None) -> int:
        self._number()
        return 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._refuse(
            "reference-call",
            "a reference is called like a function",
            "methods work on values: write a task that calls them on its argument",
        )
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        self._assignment(f".{name} = ...")

    def __delattr__(self, name: str) -> None:
        self._assignment(f"del .{name}")

    def __setitem__(self, key: Any, value: Any) -> None:
        self._assignment(f"[{key!r}] = ...")

    def __delitem__(self, key: Any) -> None:
        self._assignment(f"del [{key!r}]")

    def _assignment(self, how: str) -> None:
        self._refuse(
            "reference-assignment",
            f"a reference is changed ({how})",
            "write a task that takes the value and returns a changed one",
        )

    def __enter__(self) -> Any:
        self._refuse(
            "reference-with",
            "`with` on a reference",
            "open it inside a task; for tasks that run only under a condition write `with If(condition):`, "
            "between a setup and its teardown setup >> tasks >> teardown",
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Leave a block that was refused on entry."""

    def __await__(self) -> Iterator[Any]:
        self._refuse(
            "reference-await", "`await` on a reference", "leave await out: a task call returns at once"
        )
        return iter(())
