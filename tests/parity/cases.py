"""`Case`: a state machine that somebody could write, what its tasks answer, and how any interpreter ended it.

Case    = (definition, inputs, answers)
Answers = task state, alone or with the payload of one call → what each of its calls ends with
Ending  = (error or output, states, calls, variables)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.engine.building import machine
from tests.parity.scenarios import Failure, plain


@dataclass(frozen=True, slots=True)
class Fails:
    """A call that ends with an error."""

    error: str
    cause: str = "because"


@dataclass(frozen=True, slots=True)
class Echo:
    """A call that gives its payload back."""


@dataclass(frozen=True, slots=True)
class Tries:
    """A call that fails while ``try`` in its payload is below ``failures``, whenever and wherever it is made."""

    failures: int
    error: str
    then: Any = None


Answer: TypeAlias = Any
"""One of the above, or the result itself; a tuple of them answers one call after another, the last one for ever."""


@dataclass(frozen=True, slots=True)
class Case:
    """A machine with its world."""

    name: str
    definition: Mapping[str, Any] = field(repr=False)
    inputs: tuple[Any, ...] = ({},)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    only_ending: bool = False
    """Which states are entered and what is called depends on time, which does not pass everywhere."""
    items: Any = ()
    """What an ItemReader finds in its object."""

    @property
    def sequential(self) -> bool:
        """Whether states and calls have one order."""
        return not any(state["Type"] in ("Parallel", "Map") for state in states_of(self.definition))

    @property
    def wide(self) -> bool:
        """Whether there is something that runs beside something else."""
        return any(
            state["Type"] == "Map" or len(state.get("Branches", ())) > 1
            for state in states_of(self.definition)
        )


def states_of(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every state of a definition, of branches and processors too."""
    for state in block["States"].values():
        yield state
        for inner in (
            *state.get("Branches", ()),
            *([state["ItemProcessor"]] if "ItemProcessor" in state else ()),
        ):
            yield from states_of(inner)


def case(
    name: str,
    *states: tuple[str, dict[str, Any]],
    inputs: tuple[Any, ...] = ({},),
    answers: Mapping[str, Answer] | None = None,
    only_ending: bool = False,
    items: Any = (),
    **top: Any,
) -> Case:
    """A case whose states follow each other, where they do not say otherwise; ``top``: fields of the machine."""
    return Case(name, machine(*states, **top), inputs, answers or {}, only_ending, items)


BUCKET, RESULTS_BUCKET = "items-bucket", "results-bucket"
"""Where item readers read ``items.json``, and where result writers write."""
RESOURCE = "arn:aws:states:::lambda:invoke"


def task(payload: Any = None, **fields: Any) -> dict[str, Any]:
    """A Task state that is answered by the world."""
    arguments = {"FunctionName": "f", "Payload": {} if payload is None else payload}
    return {"Type": "Task", "Resource": RESOURCE, "Arguments": arguments, **fields}


def passing(output: Any = None, **fields: Any) -> dict[str, Any]:
    """A Pass state; without an output it hands its input on."""
    return {"Type": "Pass", **({} if output is None else {"Output": output}), **fields}


class World:
    """Answers the calls of one execution, and remembers them."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self._made: Counter[str] = Counter()
        self.calls: list[str] = []

    def answer(self, state: str, resource: str, arguments: Any) -> Any:
        """The result of a call; raises :class:`Failure`."""
        arguments = plain_output(arguments)
        what = f"{resource.removeprefix('arn:aws:states:::')} {json.dumps(arguments, sort_keys=True)}"
        self.calls.append(f"{state} {what}")
        if isinstance(arguments, dict) and "Payload" in arguments:
            arguments = arguments["Payload"]
        made = f"{state} {json.dumps(arguments, sort_keys=True)}"
        answer = self._answers.get(made, self._answers.get(state, Echo()))
        if isinstance(answer, tuple):
            answer = answer[min(self._made[made], len(answer) - 1)]
        self._made[made] += 1
        match answer:
            case Fails(error=error, cause=cause):
                raise Failure(error, cause)
            case Tries(failures=failures, error=error) if arguments["try"] < failures:
                raise Failure(error, f"try {arguments['try']}")
            case Tries(then=then):
                return then
            case Echo():
                return arguments
        return answer


@dataclass(frozen=True, slots=True)
class Ending:
    """What an interpreter made of one input."""

    status: str
    """SUCCEEDED, FAILED, TIMED_OUT; ``refused`` before anything ran; ``crash`` when the interpreter broke."""
    error: str | None = None
    cause: str | None = None
    output: Any = None
    states: tuple[str, ...] | None = ()
    """Every state entered, in order; None where an interpreter does not tell."""
    calls: tuple[str, ...] = ()
    """Every call, in order."""
    assigned: tuple[str, ...] | None = None
    """Every assignment: the state, and the variables; None where an interpreter does not tell."""
    raced: bool = False
    """An attempt of a Parallel or a Map failed: how far the other branches had come by then is a matter of time."""

    def text(self) -> str:
        """The ending in one line: the output, the error's name, or what went wrong."""
        match self.status:
            case "SUCCEEDED":
                return json.dumps(plain_output(self.output), sort_keys=True)
            case "FAILED":
                return "(no error)" if self.error is None else f"error {self.error}"
        return self.status.lower().replace("_", " ")


def plain_output(value: Any) -> Any:
    """``value`` with one kind of number, and without the words of causes that an interpreter wrote itself."""
    if isinstance(value, Mapping):
        if value.keys() >= {"Error", "Cause"} and str(value["Error"]).startswith("States."):
            return {**value, "Cause": "its own words"}
        return {key: plain_output(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain_output(inner) for inner in value]
    return plain(value)


def differences(one: Case, ours: Ending, theirs: Ending) -> list[str]:
    """In what two endings differ, by the names of what is compared; empty when they agree."""
    if theirs.status in ("crash", "refused") or ours.status == "refused":
        return (
            [] if ours.status == theirs.status else [theirs.status if theirs.status == "crash" else "refusal"]
        )
    found = []
    if (ours.status == "SUCCEEDED") != (theirs.status == "SUCCEEDED"):
        found.append("status")
    elif ours.error != theirs.error:
        found.append("error")
    elif plain_output(ours.output) != plain_output(theirs.output):
        found.append("output")
    elif not (ours.error or "States.").startswith("States.") and ours.cause != theirs.cause:
        found.append("cause")
    if one.only_ending or (one.wide and ours.raced):
        return found
    order = tuple if one.sequential else sorted
    if theirs.states is not None and order(ours.states or ()) != order(theirs.states):
        found.append("states")
    if order(ours.calls) != order(theirs.calls):
        found.append("calls")
    if theirs.assigned is not None and sorted(ours.assigned or ()) != sorted(theirs.assigned):
        found.append("variables")
    return found
