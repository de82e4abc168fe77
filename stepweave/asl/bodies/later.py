"""``RetryAfter``: an attempt that asks to be made again after a time of its own choice.

A retrier knows no wait but its own, so a catcher goes to a Wait and from there back to the task. How often that was
travels in the state's input, or for a job in a variable, since the job's own states change the input.

Price: nothing unless it happens, then 2 transitions each time.
"""

from __future__ import annotations

from typing import Any

from stepweave.asl import names, retries
from stepweave.asl.bodies.way import Way
from stepweave.asl.states import State
from stepweave.asl.text import quoted

_LONGEST_SECONDS = 31_536_000
"""An execution lasts a year at most (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""
_USUAL_SECONDS = 60
"""Wait where the text of the error does not tell it."""


def possible(way: Way) -> bool:
    """Whether an attempt may be put off: the task is tried again at all, and is no sensor, which has its own pace."""
    return retries.attempts(way.task) > 0 and way.task.sensor is None


def told(way: Way) -> dict[str, Any]:
    """What the event of a state that the Wait leads to says of it; attempts are counted through."""
    if not possible(way):
        return {}
    return {
        "attempt": f"{{% $states.context.State.RetryCount + ({from_input(way, 'attempts')}) %}}",
        "later": f"{{% {from_input(way)} %}}",
        "later_most": retries.most_attempts(way.task),
    }


def from_input(way: Way, what: str = "later") -> str:
    """JSONata for how often the attempt was put off, in a state that the Wait leads to; or for its ``attempts``."""
    return f"$states.input.later_of = {quoted(way.base)} ? $states.input.{what} : 0"


def in_variable(way: Way) -> str:
    """Name of the variable that keeps how often a job was put off."""
    return names.put_off(way.task.id, way.part)


def catcher(way: Way, so_far: str, attempts: str) -> dict[str, Any]:
    """The catcher that leads to the Wait.

    ``so_far`` is JSONata for how often the attempt was put off, ``attempts`` for how many there were.
    """
    counted = {"later": f"({so_far}) + 1", "attempts": attempts, "seconds": _seconds()}
    note: Any = {"later_of": way.base, **{name: f"{{% {text} %}}" for name, text in counted.items()}}
    if "$states.input" in way.event["run"]:
        # Of an item of a map: what it was handed must stay.
        added = ", ".join(f"'{name}': {text}" for name, text in counted.items())
        note = f"{{% $merge([$states.input, {{'later_of': {quoted(way.base)}, {added}}}]) %}}"
    return {"ErrorEquals": [retries.RETRY_AFTER], "Output": note, "Next": names.later(way.base)}


def waiting(way: Way) -> dict[str, State]:
    """The Wait."""
    state = {"Type": "Wait", "Seconds": "{% $states.input.seconds %}", "Next": way.entry}
    return {names.later(way.base): state}


def _seconds() -> str:
    """JSONata for the wait that the error's text asks for, whole seconds.

    Read by a pattern: Lambda wraps the text once more, and nothing that a catcher evaluates may fail.
    """
    found = "$match($states.errorOutput.Cause, /seconds\\W+([0-9]+)/, 1).groups[0]"
    return f"($found := {found}; $exists($found) ? $min([$number($found), {_LONGEST_SECONDS}]) : {_USUAL_SECONDS})"
