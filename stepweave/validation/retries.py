"""Retriers and catchers: their fields, their numbers, the errors they name.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stepweave.validation.fields import CATCHER_FIELDS, Check, one_of, whole
from stepweave.validation.limits import MAX_ATTEMPTS, MAX_DELAY_SECONDS, MAX_SECONDS, RESERVED_ERRORS

Finding = tuple[str, str, str | None, object, str | None]
"""Code, what, expected, got, fix."""


def _rate(value: Any) -> str | None:
    right = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 1
    return None if right else "a number, at least 1"


_RETRIER_FIELDS: dict[str, Check] = {
    "ErrorEquals": CATCHER_FIELDS["ErrorEquals"],
    "Comment": CATCHER_FIELDS["Comment"],
    "IntervalSeconds": whole(0, MAX_SECONDS),
    "MaxAttempts": whole(0, MAX_ATTEMPTS),
    "BackoffRate": _rate,
    "MaxDelaySeconds": whole(1, MAX_DELAY_SECONDS),
    "JitterStrategy": one_of("FULL", "NONE"),
}


def check_handlers(kind: str, handlers: Sequence[Any]) -> Iterator[Finding]:
    """What is wrong with the ``Retry`` or ``Catch`` (``kind``) of a state."""
    fields = _RETRIER_FIELDS if kind == "Retry" else CATCHER_FIELDS
    for index, handler in enumerate(handlers):
        where = f"{kind}[{index}]"
        if not isinstance(handler, dict):
            yield "field-type", f"{where} is not an object", "an object", handler, None
            continue
        for field, value in handler.items():
            check = fields.get(field)
            if check is None:
                yield from _unknown(kind, where, field)
            elif expected := check(value):
                yield "field-type", f"{where}.{field} has a wrong value", expected, value, None
        for field in ("ErrorEquals",) if kind == "Retry" else ("ErrorEquals", "Next"):
            if field not in handler:
                yield "missing-field", f"{where} has no {field}", field, None, None
        names = handler.get("ErrorEquals")
        if isinstance(names, (list, tuple)):
            yield from _check_names(where, names, last=index == len(handlers) - 1)
        if kind == "Retry":
            yield from _check_delays(where, handler)


def _unknown(kind: str, where: str, field: str) -> Iterator[Finding]:
    if field == "ResultPath":
        yield (
            "jsonpath-field",
            f"{where} has the JSONPath field ResultPath",
            None,
            None,
            "use Output or Assign",
        )
    else:
        name = "retrier" if kind == "Retry" else "catcher"
        yield "unknown-field", f"{where} has the field {field}, which no {name} has", None, field, None


def _check_names(where: str, names: Sequence[Any], *, last: bool) -> Iterator[Finding]:
    for name in names:
        if not isinstance(name, str) or not name:
            yield "error-name", f"{where} names an error that is not text", "the name of an error", name, None
        elif name.startswith("States.") and name not in RESERVED_ERRORS:
            fix = "names of your own must not start with States."
            yield "unknown-error", f"{where} names the error {name}, which does not exist", None, name, fix
    if "States.ALL" in names and (len(names) > 1 or not last):
        what = f"{where} has States.ALL " + (
            "beside other names" if len(names) > 1 else "before other entries"
        )
        yield "states-all", what, "States.ALL alone, and last", names, None


def _check_delays(where: str, retrier: Mapping[str, Any]) -> Iterator[Finding]:
    interval, ceiling = retrier.get("IntervalSeconds", 1), retrier.get("MaxDelaySeconds")
    if isinstance(interval, int) and isinstance(ceiling, int) and interval >= ceiling > 0:
        yield (
            "retry-delay",
            f"{where}.MaxDelaySeconds is not greater than IntervalSeconds",
            f"more than {interval}",
            ceiling,
            None,
        )
