"""Order without data: ``a >> b``, ``b << a``, lists of tasks, ``chain(...)``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

from stepweave.authoring.nodes import End
from stepweave.authoring.scoping import together
from stepweave.authoring.source import here
from stepweave.authoring.trace import current, report


class OrderOperators:
    """``>>`` and ``<<``, with lists on either side."""

    __slots__ = ()

    def __rshift__(self, other: Any) -> Any:
        put_in_order(self, other)
        return other

    def __lshift__(self, other: Any) -> Any:
        put_in_order(other, self)
        return other

    def __rrshift__(self, other: Any) -> Any:
        put_in_order(other, self)
        return self

    def __rlshift__(self, other: Any) -> Any:
        put_in_order(self, other)
        return self


class Orderable(OrderOperators):
    """Something that ``>>`` and ``<<`` put in order: the result of a task call, or a task group."""

    __slots__ = ()

    def _end(self) -> End | None:
        """The task or group meant; None when it has none, or is itself a mistake that has been reported."""
        raise NotImplementedError


def put_in_order(left: Any, right: Any) -> None:
    """Every task of ``left`` comes before every task of ``right``."""
    trace = current()
    if trace is None:
        report(
            "outside-dag",
            ">>, << and chain() order tasks only inside a function decorated with @dag",
            fix="move it into the DAG function",
        )
        return
    source = here()
    for before, after in product(ends(left), ends(right)):
        if before.trace is not trace or after.trace is not trace:
            stranger = before if before.trace is not trace else after
            report(
                "foreign-reference",
                f"{stranger.id!r} belongs to another DAG",
                fix="call the task in this DAG",
            )
            continue
        ends_of_edge = together(before, after)
        assert ends_of_edge is not None  # both are in the DAG's own graph, or inside nodes of it
        before, after = ends_of_edge
        if before is after:
            report(
                "self-reference",
                f"{before.id!r} is put before itself",
                task=before.id,
                fix="leave this edge out",
            )
        else:
            trace.order(before, after, source)


def ends(value: Any) -> list[End]:
    """The tasks and groups in ``value``, which may be a list; whatever else is in it is reported."""
    if isinstance(value, Orderable):
        end = value._end()
        return [] if end is None else [end]
    if isinstance(value, (list, tuple)):
        return [end for item in value for end in ends(item)]
    report(
        "order-end",
        f"{_described(value)} cannot be put in order",
        expected="the result of a task call, or a group",
        fix=_fix(value),
    )
    return []


def _described(value: Any) -> str:
    name = getattr(getattr(value, "function", None), "__name__", None)
    return f"the task function {name!r}, which is not called," if name else repr(value)


def _fix(value: Any) -> str:
    name = getattr(getattr(value, "function", None), "__name__", None)
    return f"call it: {name}(...)" if name else "order tasks only"


def chain(*steps: Any) -> None:
    """Put each step before the next one; neighbouring lists of the same length go pairwise, as in Airflow.

    ``chain(a, [b, c], [d, e], f)`` is a → b → d → f and a → c → e → f.
    """
    for left, right in pairwise(steps):
        if isinstance(left, Sequence) and isinstance(right, Sequence) and not isinstance(left, str):
            if len(left) != len(right):
                report(
                    "chain-length",
                    f"chain() got neighbouring lists of {len(left)} and {len(right)} tasks",
                    expected="lists of the same length, which go pairwise",
                    fix="for every pair of tasks write a loop: for task in left: task >> right",
                )
                continue
            for before, after in zip(left, right, strict=True):
                put_in_order(before, after)
        else:
            put_in_order(left, right)
